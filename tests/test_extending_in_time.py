"""extend() of splits in order of time, and of splits made with several similarities."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, reject, settings
from hypothesis import strategies as st

import splitleak
from splitleak import DataMismatchError, InfeasibleSplitError, InputError, Split
from splitleak.extending.periods import OF_ANOTHER_TIME, OUTSIDE

OLD = pd.DataFrame({"text": [f"{chr(97 + i)} {i * i} old" for i in range(20)], "day": range(0, 40, 2)})


def ordered(days, codes, embargo) -> bool:  # type: ignore[no-untyped-def]
    return all(
        days[a] + embargo < days[b]
        for a, b in itertools.permutations(np.flatnonzero(codes >= 0).tolist(), 2)
        if codes[a] < codes[b]
    )


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-5, 50), st.sampled_from(["new", "a 0 old", "t 361 old", "k 100 old"])), min_size=1,
             max_size=12),
    st.sampled_from([0, 1, 3]),
)  # fmt: skip
def test_every_row_lies_in_the_period_of_its_partition(rows, embargo) -> None:  # type: ignore[no-untyped-def]
    split = splitleak.split_by_similarity(
        OLD, on="text", similarity="exact", time="day", embargo=embargo, sizes=(0.5, 0.3, 0.2), tolerance=0.2,
        on_infeasible="drop", certify=False,
    )  # fmt: skip
    new = pd.DataFrame(
        {"text": [f"{text} {i}" if text == "new" else text for i, (_, text) in enumerate(rows)],
         "day": [day for day, _ in rows]}
    )  # fmt: skip
    wider = splitleak.extend(split, OLD, new)
    days = [*OLD["day"], *new["day"]]
    assert wider.codes[:20].tolist() == split.codes.tolist()
    assert wider.certificate is not None
    assert wider.certificate.verdict == "separated"
    assert ordered(days, wider.codes, embargo)
    texts, inside = [*OLD["text"], *new["text"]], wider.codes
    for row in np.flatnonzero(inside < 0).tolist():
        if row < 20:
            continue
        # it could not have stayed anywhere: every place breaks the order, or parts it from an equal old row
        for place in range(3):
            codes = split.codes.tolist() + [-1] * len(new)
            codes[row] = place
            equal = [codes[i] for i in range(20) if texts[i] == texts[row] and codes[i] >= 0]
            later = [days[i] for i in range(20) if codes[i] < place and codes[i] >= 0]
            begun = not later or max(later) + embargo < days[row]
            last = max(days[i] for i in range(20) if codes[i] == place)
            assert not begun or (place < 2 and days[row] > last) or any(c != place for c in equal)


def test_reasons_periods_and_batches() -> None:
    split = splitleak.split_by_similarity(
        OLD,
        on="text",
        threshold=0.99,
        time="day",
        embargo=3,
        sizes=(0.5, 0.5),
        tolerance=0.2,
        on_infeasible="drop",
    )
    assert split.periods == (("0", "16"), ("20", "38"))
    new = pd.DataFrame({"text": ["p", "q", "a 0 old", "r"], "day": [-3, 18, 90, 91]})
    wider = splitleak.extend(split, OLD, new)
    assert wider.codes[20:].tolist() == [0, -1, -1, 1]
    assert wider.changes()["reason"].tolist()[-2:] == [OUTSIDE, OF_ANOTHER_TIME]
    assert wider.periods == (("-3", "16"), ("20", "91"))
    again = splitleak.extend(wider, pd.concat([OLD, new]), pd.DataFrame({"text": ["s"], "day": [85]}))
    assert again.codes[-1] == 1


def test_times_that_cannot_be_used() -> None:
    split = splitleak.split_by_similarity(OLD, on="text", threshold=0.95, time=np.arange(20))
    new = pd.DataFrame({"text": ["a new one"], "day": [50]})
    with pytest.raises(InputError, match=r"given as an array; give time= again"):
        splitleak.extend(split, OLD, new)
    assert splitleak.extend(split, OLD, new, time=np.arange(21)).codes[-1] == 2
    with pytest.raises(DataMismatchError, match="old rows are not in order of time: row .* is in 'dev'"):
        splitleak.extend(split, OLD, new, time=np.arange(21)[::-1].copy())
    with pytest.raises(InputError, match="sizes= has no say"):
        splitleak.extend(split, OLD, new, time=np.arange(21), sizes=(0.5, 0.3, 0.2))
    elsewhere = Split.from_labels(["train"] * 10 + ["test"] * 10)
    assert splitleak.extend(elsewhere, OLD, new, on="text", time="day").periods == (("0", "18"), ("20", "50"))
    with pytest.raises(InputError, match="there is no time="):
        splitleak.extend(elsewhere, OLD, new, on="text", embargo=3)


VIEWS = ["a:jaccard(0.9, n=2)", "b:exact"]
words = st.text("abc", min_size=3, max_size=5)


@settings(max_examples=10, deadline=None, phases=[Phase.explicit, Phase.generate])  # shrinking takes long
@given(
    st.lists(st.tuples(words, words), min_size=20, max_size=30),
    st.sampled_from([("any", "all"), ("all", "all"), ("any", "any"), ("any", "crossed")]),
)
def test_several_similarities_are_those_of_the_split(rows, how) -> None:  # type: ignore[no-untyped-def]
    combine, share = how
    table = pd.DataFrame(rows, columns=["a", "b"])
    asked = (
        {"similarity": VIEWS} if share == "all" else {"similarity": "exact", "on": ["a", "b"], "share": share}
    )
    old, new = table[:12], table[12:].reset_index(drop=True)
    try:
        split = splitleak.split_by_similarity(
            old,
            combine=combine,
            sizes=(0.6, 0.4),
            tolerance=0.9,
            on_infeasible="drop",
            certify=False,
            **asked,
        )
    except InfeasibleSplitError:
        reject()
    wider = splitleak.extend(split, old, new)
    assert wider.codes[:12].tolist() == split.codes.tolist()
    assert wider.certificate is not None
    assert wider.certificate.verdict == "separated"
    # the same by one search over all rows, which is how a similarity that is given anew is looked up
    at_once = (
        splitleak.extend(split, old, new, combine=combine, **{**asked, "similarity": [*VIEWS]})
        if share == "all"
        else wider
    )
    assert at_once.codes.tolist() == wider.codes.tolist()


def test_measures_in_units_of_the_whole_data_are_searched_whole() -> None:
    # by themselves, the new rows spread over .2 and differ; among all rows they spread over 100, and are alike
    old = pd.DataFrame({"x": np.arange(0.0, 100.0), "y": np.arange(0.0, 100.0)})
    new = pd.DataFrame({"x": [200.0, 200.1, 200.2], "y": [200.0, 200.1, 200.2]})
    split = splitleak.split_by_similarity(old, similarity="gower", threshold=0.995, sizes=(0.5, 0.5))
    wider = splitleak.extend(split, old, new)
    assert len(set(wider.codes[-3:].tolist())) == 1
    assert wider.certificate is not None
    assert wider.certificate.verdict == "separated"
