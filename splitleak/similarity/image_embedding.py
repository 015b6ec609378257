"""Similarity of images by the vectors of an encoder that the caller gives: torch, ONNX, or any function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._optional import require
from splitleak._progress import SILENT, Progress
from splitleak.errors import InputError, unknown_option
from splitleak.graph import SimilarityGraph
from splitleak.records import Records
from splitleak.similarity.base import Neighbours, get_backend, similarity_backend
from splitleak.similarity.encoders import (
    SameObject,
    check_count,
    encoded,
    evaluating,
    imported_encoder,
    is_module,
)
from splitleak.similarity.image import Invalid, apply_invalid, link_missing, readable_rows

Inputs = Literal["auto", "images", "tensor"]
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
DEFAULT_SIZE = 224

Encode = Callable[[list[Any]], Any]


def embedding_look_up(
    records: Records,
    queries: NDArray[np.int64],
    *,
    threshold: float,
    sides: NDArray[np.int64],
    encoder: Any = None,
    inputs: Inputs = "auto",
    size: int | None = None,
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
    batch_size: int = 32,
    invalid: Invalid = "distinct",
) -> Neighbours:
    """Look up the nearest vectors of some images by brute force; one that cannot be read is near none."""
    vectors, rows = _vectors(records, encoder, inputs, size, mean, std, batch_size, invalid, SILENT)
    n_sides = int(sides.max(initial=0)) + 1
    place = np.full(records.n_rows, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    inside = np.flatnonzero(place[queries] >= 0)
    found = get_backend("cosine").neighbours(
        vectors, place[queries[inside]], threshold=threshold, sides=sides[rows]
    )
    assert found is not None
    assert found.degree is not None
    nearest = np.zeros((len(queries), n_sides))
    degree = np.zeros(len(queries), dtype=np.int64)
    nearest[inside, : found.nearest.shape[1]], degree[inside] = np.nan_to_num(found.nearest), found.degree
    return Neighbours(nearest, degree)


@similarity_backend("image-embedding", kinds={"image"}, nearest=embedding_look_up, threshold=0.9)
def image_embedding(
    records: Records,
    *,
    threshold: float,
    sides: NDArray[np.int64] | None = None,
    progress: Progress = SILENT,
    encoder: Any = None,
    inputs: Inputs = "auto",
    size: int | None = None,
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
    batch_size: int = 32,
    invalid: Invalid = "distinct",
) -> SimilarityGraph:
    """Join images whose vectors, made by an encoder of the caller's, have a large cosine.

    Parameters
    ----------
    records : Records
        Images (extra `image`).
    threshold : float
        Inclusive bound in (0, 1] of the cosine; what is alike depends on the encoder.
    sides : int64 array, optional
        Search only between rows of different sides.
    progress : Progress
        Where long stages are told.
    encoder : torch.nn.Module, path of an .onnx file, object with ``encode``, callable, or "module:name"
        Returns one vector a image: an array or tensor of shape (n, n_features). A module is called in evaluation
        mode, without gradients, on the device of its parameters.
    inputs : {"auto", "images", "tensor"}
        What the encoder is called with: a list of Pillow images (mode RGB, of their own sizes), or a float32 array
        (of a module: tensor) of shape (n, 3, size, size). "auto": tensors for modules and ONNX, else images.
    size : int, optional
        Tensors only: side to which images are resized (without keeping their aspect); default: what the ONNX file
        asks for, else 224.
    mean, std : sequence of 3 float
        Tensors only: of values in [0, 1] the mean is taken off, and the rest is divided by std; default: ImageNet's.
    batch_size : int
        Images per call of the encoder.
    invalid : {"distinct", "error"}
        Images that cannot be read are similar to none (and named in a warning), or an error.

    Raises
    ------
    InputError
        No encoder, one that returns another number of rows, of features, or numbers that are not finite.
    """
    vectors, rows = _vectors(records, encoder, inputs, size, mean, std, batch_size, invalid, progress)
    found = get_backend("cosine").graph(
        vectors, threshold=threshold, sides=None if sides is None else sides[rows], progress=progress
    )
    copies = np.arange(records.n_rows, dtype=np.int64)
    if found.copies is not None:
        copies[rows] = rows[found.copies]
    link_missing(records, copies)
    return replace(
        SimilarityGraph.build(
            rows[found.left],
            rows[found.right],
            found.similarity,
            n_rows=records.n_rows,
            threshold=threshold,
            measure="image-embedding",
            copies=copies,
            complete=found.complete,
        ),
        details={"invalid": sorted(records.pictures().unreadable())},
    )


def _vectors(
    records: Records,
    encoder: Any,
    inputs: Inputs,
    size: int | None,
    mean: Sequence[float],
    std: Sequence[float],
    batch_size: int,
    invalid: Invalid,
    progress: Progress,
) -> tuple[Records, NDArray[np.int64]]:
    """Return the vectors of the images that can be read, as records, and their rows."""
    if inputs not in get_args(Inputs):
        raise unknown_option("inputs", inputs, get_args(Inputs))
    check_count("batch_size", batch_size)
    check_count("size", DEFAULT_SIZE if size is None else size)
    if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
        raise InputError(f"mean and std must be 3 numbers each, std above 0; got mean={mean!r}, std={std!r}")
    # the encoder is part of the key, so that it outlives what was made with it
    key = (
        "embedding",
        encoder if isinstance(encoder, str) else SameObject(encoder),
        inputs,
        size,
        tuple(mean),
        tuple(std),
    )
    width: list[int] = []
    encode: list[Encode] = []

    def work(images: list[Any], names: list[str]) -> NDArray[np.float32]:
        if not encode:
            encode.append(_encoder(encoder, inputs, size, mean, std))
        before = width[0] if width else None
        found = encoded(encode[0], images, of="image", names=names, width=before, flatten=True)
        width.append(found.shape[1])
        return found

    if encoder is None:
        raise InputError(
            "similarity='image-embedding' needs an encoder: splitleak.image_embedding(encoder=model), or in text"
            " image-embedding(encoder='model.onnx')"
        )
    apply_invalid(records, invalid)
    made = records.pictures().batches(key, work, int(batch_size), progress=progress)
    rows = np.flatnonzero(readable_rows(records)).astype(np.int64)
    return Records("vector", len(rows), vectors=np.ascontiguousarray(made[rows])), rows


def _encoder(
    encoder: Any, inputs: Inputs, size: int | None, mean: Sequence[float], std: Sequence[float]
) -> Encode:
    """Return a function from a list of Pillow images to vectors."""
    if isinstance(encoder, str) and ":" in encoder and not encoder.lower().endswith(".onnx"):
        encoder = imported_encoder(encoder)
    if isinstance(encoder, (str, Path)):
        return _onnx(Path(encoder), size, mean, std)
    if is_module(encoder) and inputs != "images":
        return lambda images: _call_module(encoder, tensors(images, size or DEFAULT_SIZE, mean, std))
    call = encoder.encode if hasattr(encoder, "encode") else encoder
    if not callable(call):
        raise InputError(
            f"encoder must be a torch module, the path of an .onnx file, an object with encode(), or a function, got"
            f" {type(encoder).__name__}"
        )
    if inputs == "tensor":
        return lambda images: call(tensors(images, size or DEFAULT_SIZE, mean, std))
    return call  # type: ignore[no-any-return]  # the caller's own; what it returns is checked


def tensors(images: list[Any], size: int, mean: Sequence[float], std: Sequence[float]) -> NDArray[np.float32]:
    """Return images as a float32 array of shape (n, 3, size, size), normalised."""
    from PIL.Image import Resampling

    pixels = np.stack([np.asarray(i.resize((size, size), Resampling.BILINEAR)) for i in images])
    values = (pixels.astype(np.float32) / 255 - np.array(mean, np.float32)) / np.array(std, np.float32)
    return np.ascontiguousarray(values.transpose(0, 3, 1, 2), dtype=np.float32)


def _call_module(module: Any, values: NDArray[np.float32]) -> Any:
    torch = require("torch", extra="embedding", feature="a torch encoder of images")
    parameter = next(iter(module.parameters()), None)
    given = torch.from_numpy(values)
    with evaluating(module):
        return module(given if parameter is None else given.to(parameter.device, parameter.dtype))


def _onnx(path: Path, size: int | None, mean: Sequence[float], std: Sequence[float]) -> Encode:
    if path.suffix.lower() != ".onnx" or not path.is_file():
        raise InputError(f"encoder={str(path)!r} must be an .onnx file that exists")
    runtime = require("onnxruntime", extra="onnx", feature="an ONNX encoder of images")
    try:
        session = runtime.InferenceSession(str(path), providers=runtime.get_available_providers())
    except Exception as error:  # onnxruntime's own errors have no common base
        raise InputError(f"encoder={str(path)!r} is no ONNX model that can be loaded: {error}") from error
    wanted = session.get_inputs()[0]
    side = wanted.shape[-1] if isinstance(wanted.shape[-1], int) else None
    if size is not None and side not in (None, size):
        raise InputError(
            f"size={size}, and encoder={str(path)!r} takes images of {side} x {side}; leave size= out"
        )

    def call(images: list[Any]) -> Any:
        values = tensors(images, side or size or DEFAULT_SIZE, mean, std)
        if isinstance(wanted.shape[0], int) and wanted.shape[0] == 1:  # exported for one image at a time
            return np.concatenate(
                [session.run(None, {wanted.name: values[k : k + 1]})[0] for k in range(len(values))]
            )
        return session.run(None, {wanted.name: values})[0]

    return call
