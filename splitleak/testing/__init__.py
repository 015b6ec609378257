"""The tests of an author of backends and probes, in one call each."""

from __future__ import annotations

from splitleak.testing.backends import check_backend

__all__ = ["check_backend"]
