"""The tests of an author of backends and probes, in one call each."""

from __future__ import annotations

from splitleak.testing.backends import check_backend
from splitleak.testing.probes import check_probe

__all__ = ["check_backend", "check_probe"]
