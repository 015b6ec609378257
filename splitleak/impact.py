"""What a finding is worth in score: a quick model with and without the rows or columns concerned."""

from __future__ import annotations

from splitleak.probes.base import Finding
from splitleak.probes.context import AuditContext
from splitleak.report import Impact


def measure_impact(context: AuditContext, finding: Finding) -> Impact | None:
    """Return the change of the score when a finding's rows or columns are left out; None: cannot be measured.

    Parameters
    ----------
    context : AuditContext
        What is audited; without a target nothing can be measured.
    finding : Finding
        Its `impact_of` says what to leave out: "columns", or "rows" (their training partners where `partners` names
        them, else the held-out rows themselves).
    """
    del context, finding
    return None
