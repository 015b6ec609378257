"""The one place that knows table libraries: anything table-like, or a file, as Arrow columns."""

from splitleak._tables.factors import Factor, given_column, named_columns, resolve_factor, resolve_factors
from splitleak._tables.moments import Moments, parse_embargo, resolve_moments
from splitleak._tables.opening import open_source
from splitleak._tables.source import Source

__all__ = [
    "Factor",
    "Moments",
    "Source",
    "given_column",
    "named_columns",
    "open_source",
    "parse_embargo",
    "resolve_factor",
    "resolve_factors",
    "resolve_moments",
]
