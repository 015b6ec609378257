"""The leaks that a self-test plants, and which probes look for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from splitleak.planting import KINDS
from splitleak.probes.base import Probe
from splitleak.probes.context import AuditContext


class Attempt(NamedTuple):
    """A leak that is planted: its kind in `KINDS`, its strength, and what it is in words."""

    kind: str
    strength: float
    title: str


ATTEMPTS = (
    Attempt("proxy", 0.95, "a column with an AUC of 0.95"),
    Attempt("proxy", 0.99, "a column with an AUC of 0.99"),
    Attempt("proxy_of_classes", 0.95, "a column that names the class in 95 % of the rows"),
    Attempt("proxy_of_number", 0.99, "a column with a squared correlation of 0.99 with the target"),
    Attempt("copies_of_rows", 0.02, "2 % copied rows"),
    Attempt("missing_follows_target", 0.95, "missing values that tell the target with an AUC of 0.95"),
    Attempt("value_of_one_class", 0.05, "a value in 5 % of the rows that one class only has"),
    Attempt("identifier_follows_target", 0.8, "an identifier that tells the target with an AUC of 0.8"),
    Attempt("xor_of_two_columns", 0.95, "two columns that tell the target together in 95 % of the rows"),
    Attempt("source_follows_target", 0.8, "a source that tells the target with an AUC of 0.8"),
    Attempt("tokens_tell_target", 0.3, "a word in 30 % of the texts of one side of the target"),
    Attempt("near_copies_0.01", 0.05, "5 % rows copied with a noise of 0.01 standard deviations"),
    Attempt("conflicting_targets", 0.02, "2 % repeated rows with another target"),
    Attempt("standard_scaler_on_all", 1.0, "columns scaled on all rows"),
    Attempt("declared_groups_cross", 0.1, "declared groups that cross with 10 % of the held-out rows"),
    Attempt("undeclared_entity", 5.0, "an undeclared entity of 5 rows each that crosses"),
    Attempt("train_after_test", 0.2, "20 % held-out rows dated before training rows"),
    Attempt("split_predictable", 1.0, "a column shifted by one standard deviation in the held-out rows"),
    Attempt("label_shift", 0.3, "a class whose share is raised by 30 points in the held-out rows"),
    Attempt("new_category", 0.05, "a new category in 5 % of the held-out rows"),
    Attempt("range_not_in_train", 0.05, "5 % held-out rows beyond the range of train"),
    Attempt("wrong_labels", 0.05, "5 % wrong labels"),
)
_WITHOUT_SPLIT = frozenset(
    {"SPL103", "SPL201", "SPL202", "SPL203", "SPL204", "SPL206", "SPL207", "SPL208", "SPL402"}
)


def probes_for(context: AuditContext, probes: Sequence[Probe], kind: str) -> list[Probe] | str:
    """Return the probes that can find a kind of leak, the one that is made for it first, or why there is none."""
    chosen = {probe.code: probe for probe in probes}
    looking = [chosen[code] for code in KINDS[kind].codes if code in chosen]
    if not looking:
        return "what looks for it was not selected with probes="
    if not context.names:
        looking = [probe for probe in looking if probe.code in _WITHOUT_SPLIT]
    if not looking:
        return "needs a split"
    if kind == "tokens_tell_target" and not context.of_kind("text"):
        return "needs a column of texts"
    return looking
