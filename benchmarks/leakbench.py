"""How much leakage_report() finds of leaks planted in real tables, and how often it speaks about clean ones.

    python benchmarks/leakbench.py --quick                      # 3 tables, 2 seeds, ordinary strength
    python benchmarks/leakbench.py --seeds 20 --json found.json
    python benchmarks/leakbench.py --kinds proxy copies_of_rows --tables sklearn:iris --strengths weak ordinary strong
    python benchmarks/leakbench.py --seen --kinds none          # false alarms, TUNING and SEEN
    python benchmarks/leakbench.py --unseen 1 --kinds none --tables none    # on tables no threshold was set on
    python benchmarks/leakbench.py --tables "images:digits" "texts:messages" --seeds 3 --controls none
    python benchmarks/leakbench.py --quick --probes SPL2        # only these probes, and the kinds that they find
    python benchmarks/leakbench.py --cases --kinds none --tables none --controls none
    python benchmarks/leakbench.py --quick --peers peers/bin/python         # other tools, see leakbench_peers.py

Kinds are those of `splitleak.planting`, tables those of leakbench_tables.py, controls those of
leakbench_controls.py, cases those of leakbench_cases.py. Every table gets a new random split per seed (odd seeds:
stratified), the report is made once without a leak and once per kind and strength.

Detected: one of the kind's codes is a leak or a caution. Right: it also names the planted column (of several at
least half, of two both) with at most 2 others, or rows of which 80 % are planted and among which 80 % of the planted
are; columns and rows that the report names without the leak do not count against it, and planted columns that fitting
on train alone gives as well (nothing leaked into them) count neither for nor against it. A kind that a table does not
allow is not counted; --why prints the reasons. A code that the report names without the leak, too, cannot be
detected where nothing is to be named; such tries are left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from leakbench_beside import beside, print_beside
from leakbench_controls import CONTROLS
from leakbench_judging import Try
from leakbench_results import print_results
from leakbench_running import Report, audit_cases, audit_control, audit_table, leakage_report
from leakbench_tables import LISTS, MEDIA, SEEN, TUNING, available
from rich.console import Console
from rich.progress import track

from splitleak.planting import KINDS

_WRITTEN_EVERY = 20  # tables and seeds, so that an interrupted run leaves what it had


def _chosen(given: Sequence[str] | None, known: Sequence[str], what: str) -> list[str]:
    if given is None:
        return list(known)
    if list(given) == ["none"]:
        return []
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise SystemExit(f"unknown {what}: {', '.join(unknown)}; known: {', '.join(known)}")
    return list(given)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="3 tables, 2 seeds, ordinary strength, up to 1,000 rows"
    )
    parser.add_argument("--kinds", nargs="+", help="names in splitleak.planting.KINDS, or none")
    parser.add_argument("--probes", nargs="+", help="codes or their beginnings (SPL1): ask only these")
    parser.add_argument(
        "--whole",
        action="store_true",
        help="ask all probes where a leak is planted, not only those that can find it",
    )
    parser.add_argument("--tables", nargs="+", help="names in TUNING, SEEN or MEDIA, or none")
    parser.add_argument("--controls", nargs="+", help="names in leakbench_controls.CONTROLS, or none")
    parser.add_argument("--seen", action="store_true", help="also report on the clean tables of SEEN")
    parser.add_argument(
        "--unseen", type=int, choices=[1, 2, 3, 4], help="also report on UNSEEN_1, ... or UNSEEN_4: once"
    )
    parser.add_argument(
        "--peers", metavar="PYTHON", help="only compare with the tools in that Python's packages"
    )
    parser.add_argument("--cases", action="store_true", help="also report on real data with a known answer")
    parser.add_argument(
        "--strengths", nargs="+", choices=["weak", "ordinary", "strong"], default=["ordinary"]
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--max-rows", type=int, default=4000, help="rows drawn of a longer table")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--why", action="store_true", help="print why kinds could not be planted")
    parser.add_argument("--json", type=Path, help="where all tries are written to")
    return parser.parse_args()


def main() -> None:
    options = _options()
    if options.quick:
        options.tables = options.tables or ["sklearn:breast_cancer", "sklearn:iris", "sklearn:diabetes"]
        options.seeds, options.max_rows = min(options.seeds, 2), min(options.max_rows, 1000)
    kinds = _chosen(options.kinds, list(KINDS), "kinds")
    names = _chosen(options.tables, [*TUNING, *SEEN, *MEDIA], "tables")
    if options.tables is None:
        names = [*TUNING, *MEDIA]
    others = [name for name in SEEN if options.seen and name not in names]
    if options.unseen:
        others += LISTS[f"UNSEEN_{options.unseen}"]
        print(f"UNSEEN_{options.unseen} is looked at now: move it to SEEN before a threshold is set again.")
    missing = [name for name in [*names, *others] if not available(name)]
    if missing:
        print(
            f"{len(missing)} tables are left out, their package is not installed: {', '.join(missing[:3])} ..."
        )
    report: Report = leakage_report
    if options.probes:
        report = partial(leakage_report, probes=options.probes)
        kinds = [
            kind for kind in kinds if any(c.startswith(tuple(options.probes)) for c in KINDS[kind].codes)
        ]
    controls = _chosen(options.controls, list(CONTROLS), "controls")
    if options.peers:
        names = [name for name in names if available(name)]
        print_beside(beside(options.peers, names, options.seeds, kinds, controls, options.max_rows, report))
        return
    tries = _run(options, report, kinds, names, others, controls)
    answers = audit_cases(seeds=range(options.seeds)) if options.cases else []
    print_results(tries, answers, why=options.why)
    if options.json:
        _write(options.json, tries, answers)


def _run(
    options: argparse.Namespace,
    report: Report,
    kinds: Sequence[str],
    names: Sequence[str],
    others: Sequence[str],
    controls: Sequence[str],
) -> list[Try]:
    """Plant in the tables of `names`; report on those of `others` and on the controls as they are."""
    planted = partial(
        audit_table,
        kinds=kinds,
        strengths=options.strengths,
        max_rows=options.max_rows,
        report=report,
        whole=options.whole or bool(options.probes),
    )
    clean = partial(audit_table, kinds=(), strengths=(), max_rows=options.max_rows, report=report)
    seeds = range(options.seeds)
    work: list[tuple[Callable[..., list[Try]], tuple[str, int]]] = []
    work += [(planted, (name, seed)) for name in names if available(name) for seed in seeds]
    work += [(clean, (name, seed)) for name in others if available(name) for seed in seeds]
    work += [(partial(audit_control, report=report), (name, seed)) for name in controls for seed in seeds]
    tries: list[Try] = []
    with ProcessPoolExecutor(options.jobs) as pool:
        futures = [pool.submit(function, job) for function, job in work]
        shown = track(futures, "tables", console=Console(stderr=True), disable=not sys.stderr.isatty())
        for done, future in enumerate(shown, start=1):
            tries += future.result()
            if options.json and done % _WRITTEN_EVERY == 0:
                _write(options.json, tries, [])
    return tries


def _write(path: Path, tries: list[Try], answers: list[dict[str, Any]]) -> None:
    new = path.with_name(path.name + ".part")
    new.write_text(json.dumps({"tries": [asdict(one) for one in tries], "cases": answers}, indent=1))
    new.replace(path)


if __name__ == "__main__":
    main()
