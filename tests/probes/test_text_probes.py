"""SPL207, SPL309, SPL210: tokens and halves of pairs; each fires, stays silent, and says when it cannot look."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

import splitleak
from splitleak.probes.text_artefacts import artefacts
from splitleak.probes.tokens import Side
from tests.probes.audits import ask, halves

CODES = ["SPL207", "SPL210", "SPL309"]


def notes(n: int, seed: int = 0, *, lean: np.ndarray | None = None) -> list[str]:
    """Return texts of words as unequally frequent as in a language; where `lean`, every ninth word is twice so."""
    rng = np.random.default_rng([seed, 3])
    words = np.array([a + b + c for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "r", "st", "l", "k")])
    share = 1 / np.arange(2, len(words) + 2)
    tilted = share * np.where(np.arange(len(words)) % 9 == 4, 2.0, 1.0)
    shares = [share / share.sum(), tilted / tilted.sum()]
    which = np.zeros(n, dtype=int) if lean is None else lean.astype(int)
    return [" ".join(rng.choice(words, int(rng.integers(8, 25)), p=shares[k])) for k in which]


def letters(n: int = 500, seed: int = 0) -> pd.DataFrame:
    """Return an honest task: many words lean to a class, none tells it."""
    y = np.random.default_rng([seed, 1]).integers(0, 2, n)
    return pd.DataFrame({"text": notes(n, seed, lean=y == 1), "y": np.where(y == 1, "spam", "ham")})


def with_token(
    texts: pd.Series, rows: np.ndarray, token: str, *, share: float = 1.0, seed: int = 0
) -> list[str]:
    rng = np.random.default_rng([seed, 5])
    out = texts.tolist()
    for row in np.flatnonzero(rows & (rng.random(len(rows)) < share)):
        words = out[row].split(" ")
        words.insert(int(rng.integers(len(words) + 1)), token)
        out[row] = " ".join(words)
    return out


@pytest.mark.parametrize("share", [0.3, 0.8])
def test_a_signature_in_one_class_is_a_caution_and_its_texts_are_named(share: float) -> None:
    df = letters()
    spam = (df.y == "spam").to_numpy()
    df["text"] = with_token(df.text, spam, "acme", share=share)
    found = ask(df, "SPL207", target="y")
    assert (found.status, found.columns) == ("caution", ("text",))
    assert "acme" in {str(entry["value"]) for entry in found.evidence}
    assert "acme" not in found.explanation
    assert found.rows.tolist() == [i for i, text in enumerate(df.text) if "acme" in text]


def test_a_token_that_is_the_class_is_a_leak() -> None:
    df = letters()
    df["text"] = with_token(df.text, (df.y == "spam").to_numpy(), "approved")
    found = ask(df, "SPL207", target="y")
    assert found.status == "leak"
    assert found.effect is not None
    assert found.effect > 0.99


def test_links_and_tags_of_one_class_are_found_beside_strong_words() -> None:
    df = letters(800)
    spam = (df.y == "spam").to_numpy()
    for seed, word in enumerate(
        ("money", "lottery", "winner", "urgent", "transfer", "bank")
    ):  # easy and honest
        df["text"] = with_token(df.text, spam, word, share=0.4, seed=seed)
    assert ask(df, "SPL207", target="y").status == "clean"
    df["text"] = with_token(df.text, ~spam, "https://intranet.example/page", share=0.1)
    found = ask(df, "SPL207", target="y")
    assert found.status == "caution"
    assert found.evidence[0]["what"] == "link, @name or #tag"
    exec(found.remedy, {"df": df})
    assert ask(df, "SPL207", target="y").status == "clean"


@pytest.mark.parametrize(("mark", "name"), [(" ", "trailing white space"), ("\r\n", "carriage returns")])
def test_white_space_that_tells_the_class_is_a_leak(mark: str, name: str) -> None:
    df = letters()
    df["text"] = np.where(df.y == "spam", df.text + mark, df.text)
    found = ask(df, "SPL207", target="y")
    assert found.status == "leak"
    assert name in {entry["what"] for entry in found.evidence}
    exec(found.remedy, {"df": df})
    assert ask(df, "SPL207", target="y").status == "clean"


def test_a_number_is_told_by_tokens_too() -> None:
    df = letters()
    df["y"] = np.random.default_rng(0).normal(size=len(df))
    assert ask(df, "SPL207", target="y").status == "clean"
    df["text"] = with_token(df.text, (df.y > 0).to_numpy(), "premium", share=0.5)
    assert ask(df, "SPL207", target="y").status == "caution"


def test_addresses_in_a_column_of_names_are_looked_at() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    site = np.where((y == 1) & (rng.random(400) < 0.5), "@clinic", "@home")
    df = pd.DataFrame({"mail": [f"p{i}{s}" for i, s in enumerate(site)], "a": rng.normal(size=400), "y": y})
    assert ask(df, "SPL207", target="y").columns == ("mail",)


def test_honest_texts_are_silent() -> None:
    alarms = 0
    for seed in range(20):
        df = letters(300, seed)
        report = splitleak.leakage_report(df, halves(300, seed), target="y", probes=CODES, impact=False)
        alarms += report.verdict != "clean"
    assert alarms == 0


def test_a_token_of_the_held_out_rows_is_a_caution() -> None:
    df = letters()
    split = halves(len(df))
    df["text"] = with_token(df.text, split == "test", "(2024)", share=0.3)
    found = ask(df, "SPL309", split)
    assert (found.status, found.columns) == ("caution", ("text",))
    assert set(found.rows) <= set(np.flatnonzero(split == "test"))
    assert ask(df, "SPL309", halves(len(df), 9)).status == "clean"


def test_how_texts_are_written_down_tells_the_split() -> None:
    df = letters()
    split = halves(len(df))
    df["text"] = np.where(split == "test", df.text.str.upper(), df.text)
    found = ask(df, "SPL309", split)
    assert found.status == "caution"
    assert "share of capitals" in {entry["what"] for entry in found.evidence}


def test_rows_of_a_group_are_one_witness_of_the_split() -> None:
    df = letters(600)
    df["author"] = np.arange(600) // 10
    split = np.where(np.isin(df.author, np.random.default_rng(1).permutation(60)[:24]), "test", "train")
    one, two = df.author[split == "test"].unique()[:2]
    df["text"] = with_token(df.text, df.author.isin([one, two]).to_numpy(), "myname")
    assert ask(df, "SPL309", split).status == "caution"
    assert ask(df, "SPL309", split, groups="author").status == "clean"


def test_half_of_a_pair_that_tells_is_a_caution() -> None:
    rng = np.random.default_rng(0)
    n = 600
    first, y = notes(n, 1), rng.integers(0, 2, n)
    other = notes(n, 2)
    # entailed: words of the premise; else: words of another text; no half knows which
    second = [
        " ".join(rng.permutation((a if k else b).split())[:6])
        for a, b, k in zip(first, other, y, strict=True)
    ]
    df = pd.DataFrame({"premise": first, "hypothesis": second, "y": np.where(y, "entailment", "neutral")})
    assert ask(df, "SPL210", target="y").status == "clean"
    df["hypothesis"] = with_token(df.hypothesis, y == 0, "not", share=0.3)
    found = ask(df, "SPL210", target="y")
    assert (found.status, found.columns) == ("caution", ("hypothesis",))
    exec(found.remedy, {"df": df})


def test_title_and_body_may_each_tell_the_class() -> None:
    df = letters(600)
    df["title"] = [" ".join(text.split()[:6]) for text in df.text]
    found = ask(df, "SPL210", target="y")
    assert found.status == "clean"
    assert "nothing says that the target is about their relation" in found.explanation


def test_repeated_texts_of_several_classes_are_a_pair() -> None:
    rng = np.random.default_rng(0)
    questions = np.repeat(notes(150, 1), 4)
    y = np.tile([0, 1, 0, 1], 150)
    df = pd.DataFrame({"q": questions, "reply": notes(600, 2), "good": y})
    assert "one text stands in several rows" in ask(df, "SPL210", target="good").explanation
    df["reply"] = with_token(df.reply, y == 1, "thanks", share=0.4)
    assert ask(df, "SPL210", target="good").columns == ("reply",)
    del rng


def test_reasons_when_there_is_nothing_to_look_at() -> None:
    df = pd.DataFrame({"a": range(60), "y": [0, 1] * 30})
    for code, words in (
        ("SPL207", "no column of texts"),
        ("SPL210", "fewer than two"),
        ("SPL309", "no column"),
    ):
        found = ask(df, code, halves(60), target="y")
        assert found.status == "not_applicable"
        assert words in found.explanation


def test_row_order_does_not_matter() -> None:
    df = letters(400)
    df["title"] = notes(400, 9)
    df["text"] = with_token(df.text, (df.y == "spam").to_numpy(), "@acme", share=0.5)
    split = halves(400)
    order = np.random.default_rng(2).permutation(400)
    one = splitleak.leakage_report(df, split, target="y", probes=CODES, impact=False)
    two = splitleak.leakage_report(df.iloc[order], split[order], target="y", probes=CODES, impact=False)
    for code in CODES:
        assert one[code].explanation == two[code].explanation
        assert one[code].evidence == two[code].evidence
        assert sorted(order[two[code].rows]) == one[code].rows.tolist()


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 30), st.integers(1, 30))
def test_chance_of_a_token_is_fishers(inside: int, outside: int, more: int, rest: int) -> None:
    side = Side(np.array([inside]), np.array([outside]), inside + more, outside + rest)
    table = np.array([[inside, outside], [more, rest]])
    assert side.chance(np.array([0]))[0] == pytest.approx(
        fisher_exact(table, alternative="greater")[1], abs=1e-12
    )
    lean = side.lean[0]
    assert np.isfinite(lean)
    assert np.sign(lean) == np.sign(inside * (outside + rest) - outside * (inside + more)) or abs(lean) < 1e-6


@settings(max_examples=15, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=60)), min_size=24, max_size=60), st.integers(0, 9))
def test_odd_texts_never_crash(texts: list[str | None], seed: int) -> None:
    df = pd.DataFrame(
        {
            "text": pd.Series(texts, dtype=object),
            "more": [f"{i} and {i % 7} of it" for i in range(len(texts))],
        }
    )
    df["y"] = np.arange(len(df)) % 2
    splitleak.leakage_report(df, halves(len(df), seed, 0.5), target="y", probes=CODES, impact=False)


def test_marks_of_writing() -> None:
    made = {
        c.name: c.values.tolist()
        for c in artefacts(["One two. ", "ONE  2", "<b>x</b>\r\n", "caf\u00e9\u00a0y"])
    }
    assert made["length"] == [9, 6, 10, 6]
    assert made["trailing white space"] == [1, 0, 1, 0]
    assert made["repeated spaces"] == [0, 1, 0, 0]
    assert made["carriage returns"] == [0, 0, 1, 0]
    assert made["odd white space"] == [0, 0, 0, 1]
    assert made["markup"] == [0, 0, 2, 0]


TWEETS = Path(os.environ.get("SPLITLEAK_DATA", "")) / "election_tweets" / "lab_targetLeakage.zip"


@pytest.mark.skipif("SPLITLEAK_DATA" not in os.environ or not TWEETS.exists(), reason="needs SPLITLEAK_DATA")
def test_tweets_of_two_politicians() -> None:
    with zipfile.ZipFile(TWEETS) as archive, archive.open("lab_targetLeakage/data/tweets.csv") as file:
        df = pd.read_csv(file, usecols=["text", "handle"])
    found = ask(df, "SPL207", target="handle")
    assert found.status == "caution"
    assert found.evidence[0]["what"] == "link, @name or #tag"
    plain = df.assign(text=df.text.str.replace(r"https?://\S+|[@#]\w+|\bRT\b", " ", regex=True))
    assert ask(plain, "SPL207", target="handle").status == "clean"


SMS = Path(os.environ.get("SPLITLEAK_DATA", "")) / "text" / "sms.tsv"


@pytest.mark.skipif("SPLITLEAK_DATA" not in os.environ or not SMS.exists(), reason="needs SPLITLEAK_DATA")
def test_spam_is_told_by_many_words() -> None:
    df = pd.read_csv(SMS, sep="\t", names=["label", "text"], quoting=3)
    for code in ("SPL207", "SPL309"):
        assert ask(df, code, halves(len(df)), target="label").status == "clean"
