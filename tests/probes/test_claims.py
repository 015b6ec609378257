"""SPL401, SPL403: what the held-out rows can carry, and how often they were used."""

import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import splitleak
from splitleak.errors import InputError
from splitleak.ledger import SAMPLE, read_ledger, record_use, use_of
from tests.probes.audits import ask, classes, halves


def held(n: int, of: int) -> np.ndarray:
    return np.where(np.arange(of) < n, "test", "train")


@pytest.mark.parametrize(("n", "status"), [(8, "caution"), (20, "caution"), (30, "clean"), (100, "clean")])
def test_few_held_out_rows_are_a_caution(n: int, status: str) -> None:
    found = ask(classes(400), "SPL401", held(n, 400), target="y")
    assert found.status == status
    assert f"{n} rows" in found.explanation
    assert found.interval is not None
    assert found.interval[0] < 0.8 < found.interval[1]


def test_the_interval_narrows_with_the_rows_and_holds() -> None:
    widths = [ask(classes(4000), "SPL401", held(n, 4000), target="y").effect for n in (40, 400, 2000)]
    assert widths == sorted(widths, reverse=True)
    # an area of 0.8 of as many rows as stated: normal scores 1.19 apart
    found = ask(classes(400), "SPL401", held(60, 400), target="y")
    low, high = found.interval
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(300):
        gap = (rng.normal(1.19, 1, 30)[:, None] > rng.normal(size=30)).mean()
        inside += low <= gap <= high
    assert 0.88 < inside / 300 < 0.99


def test_the_smallest_difference_is_seen_in_four_of_five_tries() -> None:
    from scipy.stats import norm

    n = 1000
    (entry,) = ask(classes(4000), "SPL401", held(n, 4000), target="y").evidence
    d = entry["smallest difference"]
    rng = np.random.default_rng(0)
    total = np.maximum(1, rng.binomial(n, 0.1, 2000))
    wins = rng.binomial(total, 0.5 + d / 0.2)
    seen = np.abs(2 * wins - total) / np.sqrt(total) > norm.ppf(0.975)
    assert 0.75 < seen.mean() < 0.86


def test_a_rare_class_and_few_groups_are_a_caution() -> None:
    df = classes(400)
    df["y"] = "well"
    df.loc[[0, 1, 200, 201, 202], "y"] = "ill"
    found = ask(df, "SPL401", held(100, 400), target="y")
    assert found.status == "caution"
    assert "2 of them are of the rarer class" in found.explanation
    df = classes(400)
    df["patient"] = np.arange(400) // 40
    assert (
        "3 of the declared groups"
        in ask(df, "SPL401", held(120, 400), target="y", groups="patient").explanation
    )
    assert ask(df, "SPL401", held(240, 400), target="y", groups="patient").status == "clean"


def test_the_smallest_partition_counts_and_folds_count_together() -> None:
    df = classes(400)
    parts = np.where(np.arange(400) < 20, "dev", np.where(np.arange(400) < 120, "test", "train"))
    assert "'dev' has 20 rows" in ask(df, "SPL401", parts, target="y").explanation
    folds = np.array([f"fold {i}" for i in np.arange(400) % 20])
    assert ask(df, "SPL401", folds, target="y").status == "clean"


def test_numbers_and_no_target() -> None:
    df = classes(400)
    df["z"] = np.random.default_rng(0).normal(size=400)
    assert "R2" in ask(df, "SPL401", held(60, 400), target="z").explanation
    assert ask(df, "SPL401", held(60, 400)).status == "clean"
    assert ask(df, "SPL401", target="y").status == "not_applicable"


@given(
    n=st.integers(2, 40), test=st.integers(1, 39), kind=st.sampled_from(["two", "three", "number", "none"])
)
def test_odd_sizes_never_crash(n: int, test: int, kind: str) -> None:
    df = pd.DataFrame({"x": np.arange(n) * 0.5, "two": np.arange(n) % 2, "three": np.arange(n) % min(n, 3)})
    df["number"] = np.arange(n) * 1.25
    target = {} if kind == "none" else {"target": kind}
    found = ask(df, "SPL401", held(min(test, n - 1), n), **target)
    assert (found.status == "caution") == (
        min(test, n - 1) < 30 or (kind == "two" and 0 < min(test, n - 1) < 8)
    )


def test_each_report_is_a_use_and_ten_are_a_caution(tmp_path: Path) -> None:
    df, split, ledger = classes(300), halves(300), tmp_path / "uses.jsonl"
    answers = [ask(df, "SPL403", split, target="y", ledger=ledger) for _ in range(12)]
    assert [a.effect for a in answers] == list(range(12))
    assert [a.status for a in answers] == ["clean"] * 10 + ["caution"] * 2
    assert "57%" in answers[10].explanation  # 0.95 ** 11
    assert len(read_ledger(ledger)) == 12
    assert {path.name for path in tmp_path.iterdir()} == {"uses.jsonl"}


def test_the_same_rows_are_known_in_any_order_and_with_other_columns(tmp_path: Path) -> None:
    df, split, ledger = classes(300), halves(300), tmp_path / "uses.jsonl"
    ask(df, "SPL403", split, target="y", ledger=ledger)
    order = np.random.default_rng(1).permutation(300)
    assert ask(df.iloc[order], "SPL403", split[order], target="y", ledger=ledger).effect == 1
    more = df.assign(more=np.arange(300) % 5)
    assert ask(more, "SPL403", split, target="y", ledger=ledger).effect == 2
    assert ask(more, "SPL403", halves(300, seed=1), target="y", ledger=ledger).effect == 0
    assert ask(classes(300, seed=5), "SPL403", split, target="y", ledger=ledger).effect == 0


def test_most_of_the_rows_make_it_the_same_set(tmp_path: Path) -> None:
    df, ledger = classes(400), tmp_path / "uses.jsonl"
    rows = np.arange(400)
    ask(df, "SPL403", np.where(rows < 100, "test", "train"), target="y", ledger=ledger)
    moved = ask(
        df, "SPL403", np.where((rows >= 40) & (rows < 140), "test", "train"), target="y", ledger=ledger
    )
    assert moved.effect == 1
    assert moved.evidence[0]["share of these rows"] == 0.6
    apart = ask(
        df, "SPL403", np.where((rows >= 200) & (rows < 300), "test", "train"), target="y", ledger=ledger
    )
    assert apart.effect == 0


@given(mine=st.integers(1, 3000), both=st.floats(0, 1), others=st.integers(0, 3000))
def test_the_share_of_rows_is_estimated_from_samples(mine: int, both: float, others: int) -> None:
    rng = np.random.default_rng([mine, others])
    hashes = rng.integers(0, 2**63, mine + others).astype(np.uint64)
    shared = round(both * mine)
    one = use_of(hashes[:mine], {}, target=None, used="")
    two = use_of(np.concatenate([hashes[:shared], hashes[mine:]]), {}, target=None, used="")
    share = one.share_in(two)
    tolerance = (
        1e-9 if max(one.rows, two.rows) <= SAMPLE else 6 * np.sqrt(0.25 * (1 + two.rows / one.rows) / SAMPLE)
    )
    assert abs(share - shared / mine) <= tolerance


def _write(path: str) -> None:
    for i in range(5):
        record_use(path, use_of(np.arange(i + 1, dtype=np.uint64), {}, target=None, used="now"))


def test_runs_beside_each_other_lose_no_line(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3) as pool:
        list(pool.map(_write, [str(tmp_path / "uses.jsonl")] * 3))
    assert len(read_ledger(tmp_path / "uses.jsonl")) == 15


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not json\n", "line 1, is no record"),
        ("[1]\n", "no format"),
        ('{"format": 9}\n', "newer splitleak"),
        ('{"format": 1, "used": 3}\n', "used, rows, target"),
        (b"\xff\xfe", "cannot be read"),
    ],
)
def test_a_file_that_is_no_ledger_is_refused_and_kept(
    tmp_path: Path, text: str | bytes, message: str
) -> None:
    ledger = tmp_path / "uses.jsonl"
    ledger.write_bytes(text if isinstance(text, bytes) else text.encode())
    before = ledger.read_bytes()
    with pytest.raises(InputError, match=message):
        splitleak.leakage_report(classes(50), halves(50), target="y", ledger=ledger)
    assert ledger.read_bytes() == before


def test_other_bad_ledgers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    df, split = classes(50), halves(50)
    for ledger, message in (
        (3, "path of a file"),
        (tmp_path, "a folder of that name"),
        (tmp_path / "none" / "uses.jsonl", "does not exist"),
    ):
        with pytest.raises(InputError, match=message):
            ask(df, "SPL403", split, ledger=ledger)
    monkeypatch.setattr("splitleak.ledger._WAIT", 0.05)
    (tmp_path / "uses.jsonl.lock").touch()
    with pytest.raises(InputError, match="another run has held"):
        ask(df, "SPL403", split, ledger=tmp_path / "uses.jsonl")


def test_a_ledger_holds_no_values(tmp_path: Path) -> None:
    df = classes(100)
    df["name"] = [f"Meier{i}" for i in range(100)]
    ask(df, "SPL403", halves(100), target="y", ledger=tmp_path / "uses.jsonl")
    text = (tmp_path / "uses.jsonl").read_text()
    assert "Meier" not in text
    assert json.loads(text)["columns"].keys() >= {"name"}
