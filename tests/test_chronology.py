"""Time, pins, groups and classes together: the promise holds with everything asked for, or the error is right."""

import dataclasses
import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

import splitleak
from splitleak import InfeasibleSplitError, InputError, SimilarityGraph, Split

N = 24
TEXTS = [f"row {i}" for i in range(N)]
NAMES = ("train", "dev", "test")


@st.composite
def problems(draw: st.DrawFn) -> dict[str, object]:
    """Draw arguments of split_by_similarity over N rows."""
    edges = draw(st.lists(st.tuples(st.integers(0, N - 1), st.integers(0, N - 1)), max_size=16))
    names = NAMES if draw(st.booleans()) else ("train", "test")
    options: dict[str, object] = {
        "similarity": SimilarityGraph.from_edges(
            [a for a, _ in edges], [b for _, b in edges], n_rows=N, threshold=0.5
        ),
        "sizes": dict(zip(names, (0.5, 0.25, 0.25) if len(names) == 3 else (0.6, 0.4), strict=True)),
        "tolerance": draw(st.sampled_from([0.0, 0.1, 0.3])),
        "on_infeasible": draw(st.sampled_from(["error", "drop"])),
        "seed": draw(st.integers(0, 2)),
    }
    rows = {"min_size": N, "max_size": N}
    if draw(st.booleans()):
        options["groups"] = draw(st.lists(st.sampled_from([None] * 4 + [0, 1, 2]), **rows))
    if draw(st.booleans()):
        options["stratify"] = draw(st.lists(st.sampled_from("ab"), **rows))
    if draw(st.booleans()):
        options["time"] = draw(st.lists(st.integers(0, 20), **rows))
        options["embargo"] = draw(st.sampled_from([None, 0, 1]))
    if draw(st.booleans()):
        pins = draw(
            st.lists(st.tuples(st.integers(0, N - 1), st.sampled_from(names)), min_size=1, max_size=4)
        )
        options["pinned"] = {name: sorted({r for r, n in dict(pins).items() if n == name}) for name in names}
    return options


def broken_promises(codes: np.ndarray, names: tuple[str, ...], options: dict) -> list[str]:
    """Return what a split does not keep, by looking at every pair of rows."""
    graph, time, gap = options["similarity"], options.get("time"), options.get("embargo") or 0
    groups, found = options.get("groups") or [None] * N, []
    for a in range(N):
        for b in range(N):
            if min(codes[a], codes[b]) < 0 or codes[a] >= codes[b]:
                continue
            if groups[a] is not None and groups[a] == groups[b]:
                found.append(f"group {a} {b}")
            if time is not None and not time[a] + gap < time[b]:
                found.append(f"time {a} {b}")
    for a, b in zip(graph.left, graph.right, strict=True):
        if codes[a] >= 0 and codes[b] >= 0 and codes[a] != codes[b]:
            found.append(f"pair {a} {b}")
    for name, rows in (options.get("pinned") or {}).items():
        found += [f"pin {row}" for row in rows if codes[row] != names.index(name)]
    return found


def within(codes: np.ndarray, options: dict) -> bool:
    shares, kept = np.array(list(options["sizes"].values())), int((codes >= 0).sum())
    sizes = np.bincount(codes[codes >= 0], minlength=len(shares))
    asked = shares * kept
    # shares are rounded to whole rows twice: of all rows, and of those kept
    return bool((np.abs(sizes - asked) < options["tolerance"] * kept + 1.5).all() and sizes.min() > 0)


@pytest.mark.filterwarnings(
    "ignore:stratify cannot bring every class"
)  # few rows: classes in one cluster are drawn
@settings(max_examples=80, deadline=None)
@given(problems())
def test_promise_or_a_right_error(options: dict) -> None:
    names = tuple(options["sizes"])
    try:
        split = splitleak.split_by_similarity(TEXTS, **options)
    except InfeasibleSplitError as error:
        if options["on_infeasible"] == "error" and error.nearest:
            assert sum(error.nearest.values()) == N
            if min(error.nearest.values()):
                again = {**options, "sizes": error.nearest, "tolerance": 0.0}
                codes = splitleak.split_by_similarity(TEXTS, **again).codes
                assert not broken_promises(codes, names, options)
        return
    except InputError as error:
        assert contradiction(options, names), error
        return
    assert not broken_promises(split.codes, names, options)
    assert options["on_infeasible"] == "drop" or (split.codes >= 0).all()
    assert within(split.codes, options)
    assert split.certificate is not None
    assert split.certificate.verdict == "separated"


def contradiction(options: dict, names: tuple[str, ...]) -> bool:
    """Whether the pinned rows alone break a promise, or leave a partition no time."""
    codes = np.full(N, -1)
    for name, rows in (options.get("pinned") or {}).items():
        codes[rows] = names.index(name)
    if broken_promises(codes, names, options):
        return True
    if "time" not in options:
        return False
    times, gap = sorted(set(options["time"])), options.get("embargo") or 0
    starts = [0]
    for code in range(len(names)):
        mine = [t for t, c in zip(options["time"], codes, strict=True) if c == code]
        held = max([t + gap for t in mine], default=-1)
        left = [i for i, t in enumerate(times) if i > starts[-1] and t > held]
        starts.append(left[0] if left else len(times))
        if code + 1 < len(names) and not left:
            return True
        # every earlier pinned row pushes this partition behind the first row pinned to it or later
        later = [t for t, c in zip(options["time"], codes, strict=True) if c > code]
        if later and left and times[left[0]] > min(later):
            return True
    return False


@settings(max_examples=20, deadline=None)
@given(problems(), st.permutations(range(N)))
def test_the_order_of_the_rows_does_not_matter(options: dict, order: list[int]) -> None:
    place, graph = np.argsort(order), options["similarity"]
    moved = dict(options)
    moved["similarity"] = SimilarityGraph.from_edges(
        place[graph.left], place[graph.right], n_rows=N, threshold=0.5
    )
    for name in ("groups", "stratify", "time"):
        if name in options:
            moved[name] = [options[name][i] for i in order]
    if "pinned" in options:
        moved["pinned"] = {name: place[rows] for name, rows in options["pinned"].items() if rows}
    try:
        first = splitleak.split_by_similarity(TEXTS, **options, certify=False)
    except splitleak.SplitleakError as error:
        with pytest.raises(type(error)):
            splitleak.split_by_similarity([TEXTS[i] for i in order], **moved, certify=False)
        return
    second = splitleak.split_by_similarity([TEXTS[i] for i in order], **moved, certify=False)
    assert second.codes.tolist() == first.codes[order].tolist()


@pytest.fixture
def table() -> pd.DataFrame:
    """One row a day for 100 days; the last is like the first; groups of two days."""
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(days=i) for i in range(100)]
    texts = [f"{i} is a number that stands alone {i * i}" for i in range(99)]
    return pd.DataFrame({"text": [*texts, texts[0]], "day": days, "pair": np.arange(100) // 2})


def make(table: object, **options: object) -> Split:
    return splitleak.split_by_similarity(table, on="text", threshold=0.9, **options)  # type: ignore[arg-type]


def test_obstacle_prices_and_taking_them(table: pd.DataFrame) -> None:
    with pytest.raises(InfeasibleSplitError) as raised:
        make(table, time="day", embargo="3D")
    text = str(raised.value)
    assert "6 rows lie within the embargo of 3D" in text
    assert "1 cluster is on both sides of a cut-off, and 1 row of it would have to go" in text
    assert "(rows 0, 2024-01-01, and 99, 2024-04-09, have similarity 1)" in text
    assert "on_infeasible='drop' drops 7 rows (7.0 %)" in text
    split = make(table, time="day", embargo="3D", on_infeasible="drop")
    assert (split.codes < 0).sum() == 7
    assert split.codes[0] == -1
    with pytest.raises(InfeasibleSplitError, match="max_dropped=6 rows are not enough: 7 rows"):
        make(table, time="day", embargo="3D", on_infeasible="drop", max_dropped=6)


def test_periods_and_reasons_are_shown_saved_and_loaded(table: pd.DataFrame, tmp_path) -> None:  # type: ignore[no-untyped-def]
    split = make(table, time="day", embargo=datetime.timedelta(days=2), on_infeasible="drop")
    assert split.periods is not None
    assert split.periods[0] == ("2024-01-02", "2024-03-17")
    for ending in ("parquet", "json"):
        split.save(tmp_path / f"split.{ending}")
        loaded = Split.load(tmp_path / f"split.{ending}")
        assert loaded.summary() == split.summary()
        assert repr(loaded) == repr(split)
        assert loaded.changes().equals(split.changes())
    split.save(tmp_path / "split.csv")
    assert Split.load(tmp_path / "split.csv").changes().equals(split.changes())
    for shown in (repr(split), split._repr_html_()):
        assert "2024-03-17" in shown
        assert "1 row dropped: similar to, or in one group with, a row on the other side" in shown
        assert "4 rows dropped: within the embargo before a cut-off" in shown
    changes = split.changes()
    assert changes["row"].tolist() == np.flatnonzero(split.codes < 0).tolist()
    assert changes["to"].isna().all()


def test_equal_times_stay_together(table: pd.DataFrame) -> None:
    split = make(table[:99], time=table["day"][:99].map(lambda day: day.month), tolerance=0.25)
    assert split.periods == (("1", "2"), ("3", "3"), ("4", "4"))


@pytest.mark.parametrize(
    "kind", ["datetime64[s]", "datetime64[ns]", "datetime64[ns, UTC]", "str", "timedelta64[us]"]
)
def test_kinds_of_time(table: pd.DataFrame, kind: str) -> None:
    stamps = pd.to_datetime(table["day"])
    time = stamps - stamps[0] if "timedelta" in kind else stamps
    time = time.dt.tz_localize("UTC") if "UTC" in kind else time.astype(kind)
    plain = make(table, time="day", embargo="2D", on_infeasible="drop")
    assert make(table, time=time, embargo="2D", on_infeasible="drop").codes.tolist() == plain.codes.tolist()
    by_number = make(table, time=np.arange(100, dtype=np.int8), embargo=2, on_infeasible="drop")
    assert by_number.codes.tolist() == plain.codes.tolist()
    by_float = make(table, time=np.arange(100) / 4, embargo=0.5, on_infeasible="drop")
    assert by_float.codes.tolist() == plain.codes.tolist()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"embargo": "3D"}, "embargo='3D' is a gap in time, and there is no time="),
        ({"time": "dya"}, "time='dya' is not a column of the data; did you mean 'day'"),
        ({"time": "text"}, "texts that are no times in ISO 8601"),
        ({"time": [[1, 2]] * 100}, "time= must hold dates, timestamps or numbers"),
        ({"time": [None, *range(99)]}, "time= must have a time in each row, and 1 row has none: row 0"),
        ({"time": np.append(np.nan, np.arange(99.0))}, "and 1 row has none: row 0"),
        ({"time": np.append(np.inf, np.arange(99.0))}, "must be finite; row 0 is not"),
        ({"time": [True] * 100}, "time= must hold dates, timestamps or numbers"),
        ({"time": np.arange(99)}, "must have one value for each of the 100 rows, got 99"),
        ({"time": [1, 2] * 50}, "has 2 distinct times, and 3 partitions need one each"),
        ({"time": "day", "embargo": 3}, "embargo must be a length of time"),
        ({"time": "day", "embargo": "3"}, "embargo must be a length of time"),
        ({"time": "day", "embargo": "three"}, "embargo='three' is not a length of time"),
        ({"time": "day", "embargo": "-3D"}, "embargo must be at least 0, got '-3D'"),
        ({"time": "pair", "embargo": "3D"}, "embargo must be a number, as the times in 'pair' are, got '3D'"),
        ({"time": "pair", "embargo": -1}, "embargo must be at least 0, got -1"),
        ({"time": "pair", "embargo": float("nan")}, "embargo must be a number"),
        (
            {"time": "day", "pinned": {"train": [50], "test": [40]}},
            r"row 50 \(2024-02-20\) is pinned to 'train' and row 40 \(2024-02-10\) is pinned to 'test'",
        ),
        (
            {"time": "day", "pinned": {"test": [0]}},
            r"row 0 \(2024-01-01\) is pinned to 'test', and the other",
        ),
    ],
)
def test_what_cannot_be_used(table: pd.DataFrame, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make(table, **options)


def test_nearest_keeps_every_row(table: pd.DataFrame) -> None:
    options = {"time": "day", "groups": np.arange(100) // 40, "tolerance": 0.05}
    with pytest.warns(splitleak.SplitleakWarning, match="Taking the nearest feasible sizes"):
        split = make(table[:99], **{**options, "groups": np.arange(99) // 33}, on_infeasible="nearest")
    assert split.sizes == {"train": 33, "dev": 33, "test": 33}
    raised = make(table, time="day", on_infeasible="raise_threshold", similarity=chain())
    assert raised.provenance is not None
    assert raised.provenance.options["threshold"] == 0.96
    with pytest.raises(InputError, match="on_infeasible='cut' does not keep the order of time"):
        make(table, time="day", on_infeasible="cut")


def chain() -> SimilarityGraph:
    return SimilarityGraph.from_edges([0, 1], [99, 2], [0.95, 0.97], n_rows=100, threshold=0.9)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 14)), min_size=20, max_size=40),
    st.integers(2, 4),
    st.sampled_from([None, 1, 3]),
)
def test_forward_folds_train_on_earlier_rows_that_no_test_row_is_similar_to(rows, blocks, embargo) -> None:  # type: ignore[no-untyped-def]
    day, text = [d for d, _ in rows], [f"text {t}" for _, t in rows]
    try:
        split = splitleak.split_by_similarity(
            {"text": text, "day": day}, on="text", similarity="exact", time="day", embargo=embargo,
            sizes={f"block {i}": 1 / blocks for i in range(blocks)}, tolerance=0.3, on_infeasible="drop",
        )  # fmt: skip
    except (InfeasibleSplitError, InputError):
        reject()
    folds = split.forward_folds()
    assert len(folds) == blocks - 1
    seen = set(split["block 0"].tolist())
    for train, test in folds:
        assert set(train.tolist()) == seen
        assert len(test) > 0
        seen |= set(test.tolist())
        for a in train:
            for b in test:
                assert day[a] + (embargo or 0) < day[b]
                assert text[a] != text[b]
    assert seen == set(np.flatnonzero(split.codes >= 0).tolist())


def test_forward_folds_go_as_cv(table: pd.DataFrame, tmp_path) -> None:  # type: ignore[no-untyped-def]
    from sklearn.dummy import DummyRegressor
    from sklearn.model_selection import cross_val_score

    blocks = {f"block {i}": 0.25 for i in range(4)}
    split = make(table, time="day", sizes=blocks, on_infeasible="drop")
    split.save(tmp_path / "split.parquet")
    folds = Split.load(tmp_path / "split.parquet").forward_folds()
    assert [(len(train), len(test)) for train, test in folds] == [(24, 25), (49, 25), (74, 25)]
    assert len(cross_val_score(DummyRegressor(), np.zeros((100, 1)), np.arange(100), cv=folds)) == 3
    split.save(tmp_path / "split.csv")
    for other in (Split.load(tmp_path / "split.csv"), Split.from_labels(["a", "b"])):
        with pytest.raises(InputError, match=r"forward_folds\(\) needs a split in order of time"):
            other.forward_folds()
    leaking = dataclasses.replace(
        split, certificate=dataclasses.replace(split.certificate, verdict="leaking")
    )
    with pytest.raises(InputError, match="would train on rows similar to test rows"):
        leaking.forward_folds()
    with pytest.raises(InputError, match=r"sizes=.*for i in range\(4\).*split.forward_folds\(\)"):
        make(table, time="day", folds=3, sizes=None)
