"""From a caller's arguments to an `AuditContext`: what is audited, read and checked before any probe looks."""

from __future__ import annotations

from splitleak.auditing.options import check_ignore, check_options, merged_limits
from splitleak.auditing.partitions import PARTITIONS, Audited, open_audited
from splitleak.auditing.reading import prepare_context

__all__ = [
    "PARTITIONS",
    "Audited",
    "check_ignore",
    "check_options",
    "merged_limits",
    "open_audited",
    "prepare_context",
]
