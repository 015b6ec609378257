"""Splitters for scikit-learn: cross-validation in which no two similar rows are on different sides."""

from splitleak.model_selection.k_folds import SimilarityKFold, StratifiedSimilarityKFold
from splitleak.model_selection.shuffle import SimilarityShuffleSplit

__all__ = ["SimilarityKFold", "SimilarityShuffleSplit", "StratifiedSimilarityKFold"]
