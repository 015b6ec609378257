"""What a similarity backend is, and the registry that finds one by name."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from splitleak._plugins import load_plugin, plugin_names
from splitleak._progress import SILENT, Progress
from splitleak._scale import SHARES, Scale, scale_of
from splitleak.errors import InputError, did_you_mean, unknown_option
from splitleak.graph import SimilarityGraph, check_threshold
from splitleak.records import Records
from splitleak.similarity.option_text import parse_options, written

IGNORED = -1  # a row of this side takes part in no pair
MIXED = -2  # a representative whose copies lie on several sides: it meets every row
_CONTEXT = ("threshold", "sides", "seed", "progress")


class Neighbours(NamedTuple):
    """What a brute-force look-up finds for each query row.

    Attributes
    ----------
    nearest : float64 array of shape (n_queries, n_sides)
        Largest similarity to another row of each side, in [0, 1]; NaN where a side has no other row. The sides
        are 0, 1, ..., ``sides.max()``.
    degree : int64 array of shape (n_queries,) or None
        Number of other rows, on any side (ignored rows left out), with similarity >= threshold; None: not counted.
    floor : float
        Similarities below it are told as 0; 0: all are told.
    """

    nearest: NDArray[np.float64]
    degree: NDArray[np.int64] | None
    floor: float = 0.0


@dataclass(frozen=True)
class Backend:
    """One similarity measure with its options: rows in, a `SimilarityGraph` out.

    Calling a backend returns a copy with a default threshold and other options:
    ``jaccard(0.7, unit="word", n=3)``.
    """

    name: str
    kinds: frozenset[str]
    function: Callable[..., SimilarityGraph]
    nearest: Callable[..., Neighbours | None] | None = None
    threshold: float = 0.8
    exact: bool = True
    options: Mapping[str, Any] = field(default_factory=dict)
    given: bool = (
        False  # the similarities are the caller's own: a search reads them again, it cannot check them
    )
    bound: bool = False  # the threshold was given with the backend, it is not its default

    def __call__(self, threshold: float | None = None, /, **options: Any) -> Backend:
        """Return this backend with a default threshold (as a person types it) and options of its function."""
        known = self._option_names()
        for name in options:
            if name not in known:
                raise unknown_option(f"option of {self.name}", name, known)
        made = replace(self, options={**self.options, **options}, bound=self.bound or threshold is not None)
        if threshold is not None:
            return replace(made, threshold=made.scale.read(threshold))
        if made.scale is not self.scale and made.scale.default is not None:
            return replace(made, threshold=made.scale.default)
        return made

    @property
    def scale(self) -> Scale:
        """How its similarities are typed and read: as shares, or as E-values."""
        return scale_of(self.describe())

    def graph(
        self,
        records: Records,
        *,
        threshold: float | None = None,
        sides: NDArray[np.int64] | None = None,
        seed: int = 0,
        progress: Progress = SILENT,
    ) -> SimilarityGraph:
        """Return all pairs of rows at or above `threshold`.

        Parameters
        ----------
        records : Records
            The compared rows.
        threshold : float, optional
            Inclusive bound in (0, 1]; default: the backend's.
        sides : int64 array of shape (n_rows,), optional
            Search only between rows of different sides; rows of side -1 are left out.
        seed : int
            For backends that draw (hash permutations, samples).
        progress : Progress
            Where long stages are told.
        """
        self.check_kind(records)
        limit = self.threshold if threshold is None else check_threshold(threshold)
        given: dict[str, Any] = {"seed": seed, "progress": progress, "sides": sides}
        accepted = inspect.signature(self.function).parameters
        context = {k: v for k, v in given.items() if k in accepted}
        graph = self.function(records, threshold=limit, **context, **self.options)
        if not isinstance(graph, SimilarityGraph) or graph.n_rows != records.n_rows:
            raise InputError(
                f"similarity backend {self.name!r} must return a SimilarityGraph over {records.n_rows} rows,"
                f" got {graph!r}"
            )
        return replace(graph, measure=self.describe())

    def neighbours(
        self, records: Records, queries: NDArray[np.int64], *, threshold: float, sides: NDArray[np.int64]
    ) -> Neighbours | None:
        """Look up some rows by brute force, or return None where the backend has no such look-up."""
        if self.nearest is None:
            return None
        return self.nearest(records, queries, threshold=threshold, sides=sides, **self._shared_options())

    def check_kind(self, records: Records) -> None:
        """Raise when this backend cannot compare such rows."""
        if records.kind not in self.kinds:
            columns = f" (columns {', '.join(records.columns)})" if records.columns else ""
            raise InputError(
                f"similarity={self.name!r} compares {' or '.join(sorted(self.kinds))} rows, and the data has"
                f" {records.kind} rows{columns}; choose other columns with on=, or one of:"
                f" {', '.join(names_for(records.kind))}"
            )

    def describe(self) -> str:
        """Return the name with its options, in the form that `get_backend` reads."""
        options = ", ".join(f"{k}={written(v)}" for k, v in sorted(self.options.items()))
        return f"{self.name}({options})" if options else self.name

    def _option_names(self) -> list[str]:
        parameters = list(inspect.signature(self.function).parameters)[1:]
        return [p for p in parameters if p not in _CONTEXT]

    def _shared_options(self) -> dict[str, Any]:
        assert self.nearest is not None
        accepted = inspect.signature(self.nearest).parameters
        return {k: v for k, v in self.options.items() if k in accepted}


_GROUP = "splitleak.similarity"  # of entry points
_REGISTRY: dict[str, Backend] = {}
_BUILT_IN = {  # name -> module; imported when asked for
    "exact": "splitleak.similarity.exact",
    "jaccard": "splitleak.similarity.jaccard",
    "minhash": "splitleak.similarity.minhash",
    "cosine": "splitleak.similarity.vector",
    "euclidean": "splitleak.similarity.vector",
    "cosine-faiss": "splitleak.similarity.approximate",
    "euclidean-faiss": "splitleak.similarity.approximate",
    "alignment": "splitleak.similarity.sequence",
    "tanimoto": "splitleak.similarity.molecule",
    "pixels": "splitleak.similarity.image",
    "phash": "splitleak.similarity.image",
    "gower": "splitleak.similarity.tabular",
    "image-embedding": "splitleak.similarity.image_embedding",
    "embedding": "splitleak.similarity.embedding",
    "embedding-faiss": "splitleak.similarity.embedding",
    "precomputed": "splitleak.similarity.hits",
}


def similarity_backend(
    name: str,
    *,
    kinds: Iterable[str],
    nearest: Callable[..., Neighbours | None] | None = None,
    threshold: float = 0.8,
    exact: bool = True,
) -> Callable[[Callable[..., SimilarityGraph]], Backend]:
    """Register a function as a similarity backend.

    The function takes ``(records, *, threshold)`` and returns a `SimilarityGraph` of all pairs with similarity
    >= threshold. It may also take ``sides`` (search only between rows of different sides; -1: leave the row
    out), ``seed`` and ``progress``; every further keyword is an option of the backend.

    Parameters
    ----------
    name : str
        What users write in ``similarity=``.
    kinds : iterable of {"text", "vector", "table", "image"}
        Rows that it can compare.
    nearest : callable, optional
        ``(records, queries, *, threshold, sides) -> Neighbours`` (or None), a brute-force look-up of some rows. The
        certificate uses it for the histogram of nearest similarities.
    threshold : float
        Default threshold in (0, 1].
    exact : bool
        Whether no pair can be missed.
    """

    def register(function: Callable[..., SimilarityGraph]) -> Backend:
        backend = Backend(name, frozenset(kinds), function, nearest, check_threshold(threshold), exact)
        _REGISTRY[name] = backend
        return backend

    return register


def backend_names() -> list[str]:
    """Return the names of all known backends, entry points included."""
    return sorted({*_BUILT_IN, *_REGISTRY, *plugin_names(_GROUP)})


def names_for(kind: str) -> list[str]:
    """Return the names of the loaded backends that compare rows of `kind`."""
    for name in _BUILT_IN:
        _load(name)
    return sorted(name for name, backend in _REGISTRY.items() if kind in backend.kinds)


def is_backend_name(similarity: str) -> bool:
    """Return whether a text names a known backend (with options or not), rather than a file or nothing."""
    return similarity.partition("(")[0].strip() in backend_names()


def get_backend(similarity: str | Backend) -> Backend:
    """Return the backend of a name, of ``"name(0.7, option=value, ...)"``, or of ``"module:function"``.

    A number before the options (or ``threshold=``) is the threshold.

    Raises
    ------
    InputError
        A name that is not known, options that cannot be read.

    Examples
    --------
    >>> get_backend("jaccard(n=3)").options["n"]
    3
    """
    if isinstance(similarity, Backend):
        return similarity
    if not isinstance(similarity, str):
        raise InputError(f"similarity must be a name or a backend, got {type(similarity).__name__}")
    match = re.fullmatch(r"\s*([\w.:-]+)\s*(?:\((.*)\))?\s*", similarity, re.DOTALL)
    if match is None:
        raise InputError(f"similarity={similarity!r} cannot be read; write name or name(option=value, ...)")
    name, arguments = match.group(1), match.group(2)
    backend = _load(name)
    if not arguments:
        return backend
    options = parse_options(name, arguments)
    return backend(options.pop("threshold", None), **options)


def scale_asked(similarity: Any) -> Scale:
    """Return the scale on which a threshold is typed beside ``similarity=``."""
    if isinstance(similarity, Backend):
        return similarity.scale
    if isinstance(similarity, SimilarityGraph):
        return scale_of(similarity.measure)
    named = isinstance(similarity, str) and is_backend_name(similarity)
    return get_backend(similarity).scale if named else SHARES


def _load(name: str) -> Backend:
    if name not in _REGISTRY:
        if name in _BUILT_IN:
            importlib.import_module(_BUILT_IN[name])
        elif ":" in name:
            return _load_reference(name)
        else:
            found = load_plugin(_GROUP, name, Backend, "name")
            if found is not None:
                _REGISTRY.setdefault(name, found)
    if name not in _REGISTRY:
        known = ["auto", *backend_names()]
        raise unknown_option("similarity", name, known)
    return _REGISTRY[name]


def _load_reference(name: str) -> Backend:
    module, _, attribute = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        raise InputError(f"similarity={name!r} cannot be imported: {error}") from error
    if not isinstance(found, Backend):
        raise InputError(
            f"similarity={name!r} is a {type(found).__name__}, not a backend; decorate the function with"
            " @splitleak.similarity_backend"
        )
    return found


__all__ = [
    "IGNORED",
    "MIXED",
    "Backend",
    "Neighbours",
    "backend_names",
    "did_you_mean",
    "get_backend",
    "names_for",
    "similarity_backend",
]
