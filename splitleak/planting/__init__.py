"""Leaks planted on purpose, of stated strength and with a known answer.

They are what ``leakage_report(..., self_test=True)`` plants in a copy of the caller's table, and what
``benchmarks/leakbench.py`` measures the report on.
"""

from __future__ import annotations

from splitleak.errors import NotPlantable
from splitleak.planting import (
    columns,
    copies,
    entities,
    fitted,
    partitions,
    pictures,
    resampled,
    times,
    words,
)
from splitleak.planting.base import KINDS, Planted, PlantedKind, StrengthName, plant

__all__ = ["KINDS", "NotPlantable", "Planted", "PlantedKind", "StrengthName", "plant"]

_FAMILIES = (
    copies,
    fitted,
    resampled,
    columns,
    words,
    times,
    entities,
    partitions,
    pictures,
)  # each fills KINDS
