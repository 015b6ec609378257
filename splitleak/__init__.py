"""Split datasets so that no two similar rows are apart, and find what makes a score lie.

Importing this package does no work: each name is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from splitleak.certificate import Certificate
    from splitleak.certification import certify
    from splitleak.comparison import SplitComparison, compare_splits
    from splitleak.crossing_mass import Leakage, scaled_leakage
    from splitleak.errors import (
        DataMismatchError,
        InfeasibleSplitError,
        InputError,
        LeakageError,
        MissingDependencyError,
        SplitleakError,
        SplitleakWarning,
    )
    from splitleak.extending import extend
    from splitleak.folds import Folds, fold_by_similarity
    from splitleak.graph import SimilarityGraph
    from splitleak.image_pairs import contact_sheet
    from splitleak.installation import doctor
    from splitleak.interaction import InteractionSplit, split_interactions
    from splitleak.leakage import leakage_report
    from splitleak.model_selection import SimilarityKFold, SimilarityShuffleSplit, StratifiedSimilarityKFold
    from splitleak.partition import Split
    from splitleak.probe_result import ProbeResult
    from splitleak.probes.base import Finding, NotApplicable, Skipped, probe
    from splitleak.probes.context import AuditContext
    from splitleak.repairing import repair
    from splitleak.report import LeakageReport
    from splitleak.search import deduplicate, similarity_graph
    from splitleak.similarity.base import similarity_backend
    from splitleak.similarity.embedding import embedding
    from splitleak.similarity.image_embedding import image_embedding
    from splitleak.similarity.molecule import scaffolds
    from splitleak.similarity.precomputed import precomputed
    from splitleak.similarity.views import view
    from splitleak.split import split_by_similarity
    from splitleak.strata.resolving import StratifyBy
    from splitleak.thresholds import ThresholdCurve, threshold_curve

__version__ = "0.1.0"

_HOME = {
    "AuditContext": "probes.context",
    "Certificate": "certificate",
    "DataMismatchError": "errors",
    "Finding": "probes.base",
    "Folds": "folds",
    "InfeasibleSplitError": "errors",
    "InputError": "errors",
    "InteractionSplit": "interaction",
    "Leakage": "crossing_mass",
    "LeakageError": "errors",
    "LeakageReport": "report",
    "MissingDependencyError": "errors",
    "NotApplicable": "probes.base",
    "ProbeResult": "probe_result",
    "SimilarityGraph": "graph",
    "SimilarityKFold": "model_selection",
    "SimilarityShuffleSplit": "model_selection",
    "Skipped": "probes.base",
    "Split": "partition",
    "SplitComparison": "comparison",
    "SplitleakError": "errors",
    "SplitleakWarning": "errors",
    "StratifiedSimilarityKFold": "model_selection",
    "StratifyBy": "strata.resolving",
    "ThresholdCurve": "thresholds",
    "certify": "certification",
    "compare_splits": "comparison",
    "contact_sheet": "image_pairs",
    "deduplicate": "search",
    "doctor": "installation",
    "embedding": "similarity.embedding",
    "extend": "extending",
    "fold_by_similarity": "folds",
    "image_embedding": "similarity.image_embedding",
    "leakage_report": "leakage",
    "precomputed": "similarity.precomputed",
    "probe": "probes.base",
    "repair": "repairing",
    "scaffolds": "similarity.molecule",
    "scaled_leakage": "crossing_mass",
    "similarity_backend": "similarity.base",
    "similarity_graph": "search",
    "split_by_similarity": "split",
    "split_interactions": "interaction",
    "threshold_curve": "thresholds",
    "view": "similarity.views",
}

__all__ = [
    "AuditContext",
    "Certificate",
    "DataMismatchError",
    "Finding",
    "Folds",
    "InfeasibleSplitError",
    "InputError",
    "InteractionSplit",
    "Leakage",
    "LeakageError",
    "LeakageReport",
    "MissingDependencyError",
    "NotApplicable",
    "ProbeResult",
    "SimilarityGraph",
    "SimilarityKFold",
    "SimilarityShuffleSplit",
    "Skipped",
    "Split",
    "SplitComparison",
    "SplitleakError",
    "SplitleakWarning",
    "StratifiedSimilarityKFold",
    "StratifyBy",
    "ThresholdCurve",
    "certify",
    "compare_splits",
    "contact_sheet",
    "deduplicate",
    "doctor",
    "embedding",
    "extend",
    "fold_by_similarity",
    "image_embedding",
    "leakage_report",
    "precomputed",
    "probe",
    "repair",
    "scaffolds",
    "scaled_leakage",
    "similarity_backend",
    "similarity_graph",
    "split_by_similarity",
    "split_interactions",
    "threshold_curve",
    "view",
]


_MODULES = ("datasets", "planting", "testing")  # imported when first used, too


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"splitleak.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'splitleak' has no attribute {name!r}")
    value = getattr(import_module(f"splitleak.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
