"""leakage_report(): the story of an audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from splitleak._progress import Progress
from splitleak.audit_call import call_record, versions
from splitleak.audit_scope import what_was_audited, what_was_not
from splitleak.auditing import check_ignore, check_options, merged_limits, open_audited, prepare_context
from splitleak.impact import measure_impact, with_joint_impact
from splitleak.ledger import check_ledger
from splitleak.probe_result import ProbeResult
from splitleak.probes.base import NotApplicable, Probe, Skipped, select_probes
from splitleak.probes.context import AuditContext
from splitleak.probes.metrics import check_metric_fits
from splitleak.probes.other_remedies import for_data
from splitleak.report import LeakageReport, worst_first
from splitleak.self_test import SelfTest, run_self_test
from splitleak.statistics import benjamini_hochberg

# Conventions, not statistics: no number separates a legitimate column that all but determines the target from one
# that leaks. Above the first a person is asked, above the second the report says leak.
LIMITS: Mapping[str, float] = {
    "auc_caution": 0.97,  # of one column alone, area under the ROC curve out of fold
    "auc_leak": 0.99,
    "r2_caution": 0.95,  # of one column alone, regression
    "r2_leak": 0.99,
    "auc_ahead": 0.9,  # of one column alone that is far ahead of all others together
    "r2_ahead": 0.93,
    "near_caution": 0.75,  # share of the rows whose number one column tells to a twentieth of the ranks
    "missing_auc_caution": 0.75,  # of whether a value is missing
    "missing_auc_leak": 0.95,
    "metadata_auc_caution": 0.65,  # of a column that tells how a row was made, for one class against the rest
    "metadata_auc_leak": 0.9,
}


def leakage_report(
    data: Any,
    split: Any = None,
    *,
    target: Any = None,
    on: str | Sequence[str] | None = None,
    similarity: Any = "auto",
    threshold: float | None = None,
    groups: Any = None,
    time: Any = None,
    raw: Any = None,
    pipeline: Any = None,
    ledger: Any = None,
    metric: str | None = None,
    probes: str | Sequence[str] = "all",
    ignore: Mapping[str, str] | None = None,
    limits: Mapping[str, float] | None = None,
    alpha: float = 0.01,
    impact: bool = True,
    self_test: bool = False,
    fast: bool = False,
    seed: int = 0,
    progress: bool | None = None,
) -> LeakageReport:
    """Audit a table, alone or with its split, before a model is fitted: what would make the score lie?

    Each selected probe gives exactly one answer: leak, caution, clean, not applicable or skipped.

    Parameters
    ----------
    data : table, list of str, 2-D array, path, or mapping of partition name to any of these
        The rows, features and target together. A mapping (or Hugging Face's ``DatasetDict``) is split already; the
        rows of its partitions are counted through, in its order.
    split : str, array-like of shape (n_rows,), Split, path, mapping, or (train, test), optional
        A column of partition names, those names, a `Split`, the path of a saved one, row positions by partition
        (``{"train": [...], "test": [...]}``), or the two arrays of positions that scikit-learn's splitters give. Rows
        without a name, those of code -1, and those in neither are left out. Without a split, probes that need one say
        so.
    target : str, array-like of shape (n_rows,), or mapping, optional
        What is predicted: classes (texts, booleans, at most 20 different whole numbers) or a number. Where `data` is a
        mapping of partitions, `target`, `groups`, `time` and `raw` may be mappings, too, and
        held-out partitions may lack the column of the target.
    on : str or list of str, optional
        Columns in which near-duplicates are searched; default: all features.
    similarity, threshold : optional
        What near-duplicates are, as in `split_by_similarity`; default: by kind of data.
    groups : str, list of str, or array-like of shape (n_rows,), optional
        Rows of one patient, author, site: declared, so a crossing is a leak.
    time : str or array-like of shape (n_rows,), optional
        When a row was known: declared, so a training row after a test row is a leak.
    raw : table or array of n_rows rows, or path, optional
        The table before `pipeline` (or before any preprocessing).
    pipeline : fitted scikit-learn transformer, Pipeline or ColumnTransformer, optional
        What turned `raw` into `data`; each step is fitted again on train and on all rows and compared. An object, no
        path: to load one from a file runs what the file says, so the shell has no such option.
    ledger : path, optional
        A file of JSON lines that records each use of a test set. This use is added, so each report counts as one.
    metric : str, optional
        A scorer's name of scikit-learn for the score impact; default: ROC AUC, or R2 for numbers.
    probes : "all" or list of str
        Codes, or their beginnings: ``["SPL1", "SPL201"]``.
    ignore : mapping of code to reason, optional
        Results that stay in the report and do not count: ``{"SPL201": "known at prediction time"}``.
    limits : mapping of str to float, optional
        Conventions above which a feature counts as too good; see `splitleak.leakage.LIMITS`.
    alpha : float
        Chance that clean data give any alarm that chance can give, in (0, 1), over all probes together.
    impact : bool
        Measure what each finding is worth in score.
    self_test : bool
        Plant known leaks of stated strength in copies of the data (20 of each; up to 2,000 rows and 30 columns) and
        say how many would have been found: what a clean report means. Took 20 to 40 seconds on 2,000 rows and 30
        columns; with ``fast=True`` (10 of each; up to 1,000 rows) 10 to 20.
    fast : bool
        Look at samples where a full look takes long; the report says where.
    seed : int
        Same data, options and seed give the same report, whatever the order of the rows.
    progress : bool, optional
        Bars on stderr; default: on a terminal.

    Returns
    -------
    LeakageReport

    Raises
    ------
    InputError
        An argument, a column or a file that cannot be used.

    Examples
    --------
    >>> import splitleak
    >>> rows = {"patient": ["a", "a", "b", "c"], "age": [31, 31, 54, 47], "fold": ["train", "test", "train", "test"]}
    >>> report = splitleak.leakage_report(rows, split="fold", groups="patient", probes=["SPL303"])
    >>> report.verdict, report["SPL303"].rows.tolist()
    ('leak', [1])
    """
    call = call_record(leakage_report, locals())
    chosen = select_probes(probes)
    muted = check_ignore(ignore)
    check_options(
        alpha=alpha, seed=seed, metric=metric, target=target, threshold=threshold, pipeline=pipeline, raw=raw
    )
    conventions = merged_limits(limits, LIMITS)
    if ledger is not None:
        check_ledger(ledger)
    bars = Progress(progress)
    audited = open_audited(data, split, target)
    context = prepare_context(
        audited.source,
        audited.split,
        target=audited.stacked(target, "target"),
        on=on,
        similarity=similarity,
        threshold=threshold,
        groups=audited.stacked(groups, "groups"),
        time=audited.stacked(time, "time"),
        raw=audited.stacked_tables(raw),
        pipeline=pipeline,
        ledger=ledger,
        metric=metric,
        alpha=float(alpha),
        limits=conventions,
        seed=int(seed),
        fast=fast,
        progress=bars,
    )
    context = replace(context, stacked=bool(audited.parts))
    check_metric_fits(metric, context.target)
    with bars.stage("audit", total=len(chosen)) as stage:
        results = []
        for probe in chosen:
            results.append(run_probe(probe, context, impact=impact))
            stage.advance()
    results = [replace(result, muted=muted.get(result.code)) for result in _with_q_values(results)]
    results = [
        replace(result, how=probe.how, bound=probe.bound, remedy=for_data(result.remedy, context))
        for probe, result in zip(chosen, results, strict=True)
    ]
    results, together = with_joint_impact(context, results, context.memo.get("findings", {}))
    clean = not any(result.status in ("leak", "caution") for result in results)
    tested = run_self_test(context, chosen, clean=clean, progress=bars) if self_test else SelfTest()
    return LeakageReport(
        worst_first(results),
        about=what_was_audited(context, chosen)
        | {"call": call, "versions": versions()}
        | ({"self_test": tested.sentence} if self_test else {}),
        not_checked=what_was_not(context, chosen) + tested.left_out,
        self_test=tested.entries,
        impact=together,
    )


def run_probe(probe: Probe, context: AuditContext, *, impact: bool = False) -> ProbeResult:
    """Return a probe's one answer; a fault in it is raised, never turned into "clean"."""
    context.memo.pop("looked", None)
    try:
        finding = probe(context)
    except NotApplicable as reason:
        return ProbeResult(probe.code, probe.title, "not_applicable", str(reason), probe.why)
    except Skipped as reason:
        return ProbeResult(probe.code, probe.title, "skipped", str(reason), probe.why)
    except Exception as error:
        error.add_note(f"in probe {probe.code} of leakage_report")
        raise
    if "looked" in context.memo:
        context.memo.setdefault("sampled", {})[probe.code] = context.memo.pop("looked")
    result = ProbeResult.of(probe.code, probe.title, probe.why, finding, context.positions)
    if not impact or finding.status == "clean" or finding.impact_of == "none":
        return result
    context.memo.setdefault("findings", {})[probe.code] = finding
    return replace(result, impact=measure_impact(context, finding))


def _with_q_values(results: list[ProbeResult]) -> list[ProbeResult]:
    tested = [i for i, result in enumerate(results) if result.p_value is not None]
    q_values = benjamini_hochberg([results[i].p_value or 0.0 for i in tested])
    adjusted = dict(zip(tested, q_values.tolist(), strict=True))
    return [replace(result, q_value=adjusted.get(i)) for i, result in enumerate(results)]
