"""The one place that knows table libraries: anything table-like, or a file, as Arrow columns."""

from splitleak._tables.factors import Factor, given_column, named_columns, resolve_factor, resolve_factors
from splitleak._tables.opening import open_source
from splitleak._tables.source import Source

__all__ = [
    "Factor",
    "Source",
    "given_column",
    "named_columns",
    "open_source",
    "resolve_factor",
    "resolve_factors",
]
