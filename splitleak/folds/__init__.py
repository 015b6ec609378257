"""Folds for cross-validation, no two similar rows in different folds."""

from splitleak.folds.folded import Folds
from splitleak.folds.making import fold_by_similarity

__all__ = ["Folds", "fold_by_similarity"]
