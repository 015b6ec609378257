"""Vectors of images by encoders of the caller's."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import splitleak
from splitleak import InputError, SplitleakWarning
from splitleak.similarity.base import get_backend
from tests.images import picture

IMAGES = [picture(seed, width=32, height=24) for seed in (1, 2, 3, 1)]


def flat_module() -> Any:
    """The pixels, as they are, by a torch module."""
    torch = pytest.importorskip("torch", reason="an encoder as a torch module")

    class Flat(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.dropout = torch.nn.Dropout(0.5)
            self.scale = torch.nn.Parameter(torch.ones(1))

        def forward(self, x: Any) -> Any:
            assert x.shape[1:] == (3, 16, 16)
            return self.dropout(x * self.scale).flatten(1)

    return Flat()


def means(images: list[Any]) -> list[list[float]]:
    return [np.asarray(image.resize((4, 4))).reshape(-1).astype(float).tolist() for image in images]


def cosines(images: list[Any], side: int) -> np.ndarray[Any, Any]:
    """All cosines of the normalised pixels, by brute force."""
    from PIL import Image

    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    small = [np.asarray(Image.fromarray(i).resize((side, side), Image.Resampling.BILINEAR)) for i in images]
    x = np.stack([((s / 255 - mean) / std).reshape(-1) for s in small])
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    return np.asarray(x @ x.T)


def test_module() -> None:
    module = flat_module().train()
    backend = get_backend("image-embedding")(0.5, encoder=module, size=16, batch_size=3)
    graph = splitleak.similarity_graph(IMAGES, similarity=backend, threshold=0.05)
    assert module.training
    wanted = cosines(IMAGES, 16)
    pairs = {(int(a), int(b)): s for a, b, s in graph.frame().values}
    assert pairs == {
        (i, j): pytest.approx(wanted[i, j], abs=1e-5)
        for i in range(4)
        for j in range(i + 1, 4)
        if wanted[i, j] >= 0.05
    }
    assert pairs[0, 3] == 1


def test_onnx(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="writes a model")
    pytest.importorskip("onnxruntime", reason="runs it")
    make = onnx.helper
    for n in ("n", 1):
        graph = make.make_graph(
            [make.make_node("Flatten", ["x"], ["y"], axis=1)],
            "flat",
            [make.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [n, 3, 16, 16])],
            [make.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [n, 768])],
        )
        model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=8)
        path = tmp_path / f"{n}.onnx"
        onnx.save(model, path)
        found = splitleak.similarity_graph(
            IMAGES, similarity=f"image-embedding(encoder='{path}')", threshold=0.05
        )
        module = get_backend("image-embedding")(encoder=flat_module(), size=16)
        assert (
            found.frame()
            .round(5)
            .equals(splitleak.similarity_graph(IMAGES, similarity=module, threshold=0.05).frame().round(5))
        )
    with pytest.raises(InputError, match="takes images of 16 x 16; leave size= out"):
        splitleak.similarity_graph(IMAGES, similarity=f"image-embedding(encoder='{path}', size=20)")
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="is no ONNX model that can be loaded"):
        splitleak.similarity_graph(IMAGES, similarity=f"image-embedding(encoder='{path}')")


def test_functions_and_objects_with_encode() -> None:
    class Model:
        def encode(self, images: list[Any]) -> Any:
            return np.array(means(images))

    def tensor(values: Any) -> Any:
        assert values.shape[1:] == (3, 224, 224)
        return values.mean(axis=(2, 3)) + 3

    for encoder, inputs in ((means, "auto"), (Model(), "images"), (tensor, "tensor")):
        backend = get_backend("image-embedding")(encoder=encoder, inputs=inputs)
        split = splitleak.split_by_similarity(
            [*IMAGES, picture(4)], similarity=backend, threshold=1.0, sizes={"train": 0.6, "test": 0.4}
        )
        assert split.codes[0] == split.codes[3]
        assert split.certificate is not None
        assert split.certificate.verdict == "separated"


def test_each_image_is_encoded_once() -> None:
    seen = []

    def encoder(images: list[Any]) -> Any:
        seen.append(len(images))
        return means(images)

    backend = get_backend("image-embedding")(encoder=encoder, batch_size=2)
    splitleak.split_by_similarity(IMAGES, similarity=backend, threshold=1.0, sizes={"train": 2, "test": 2})
    assert seen == [2, 2]


def test_unreadable_and_missing_images() -> None:
    backend = get_backend("image-embedding")(encoder=means)
    with pytest.warns(SplitleakWarning, match="1 of 7 images"):
        graph = splitleak.similarity_graph([*IMAGES, b"", None, None], similarity=backend, threshold=1.0)
    assert graph.frame()[["left", "right"]].values.tolist() == [[0, 3], [5, 6]]
    with pytest.raises(InputError, match="cannot be read: row 4"):
        splitleak.similarity_graph([*IMAGES, b""], similarity=backend(invalid="error"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "needs an encoder"),
        ({"encoder": 3}, "encoder must be a torch module, .*got int"),
        ({"encoder": "model.onnx"}, "must be an .onnx file that exists"),
        ({"encoder": means, "inputs": "pil"}, "inputs='pil' is not known"),
        ({"encoder": means, "batch_size": 0}, "batch_size must be a whole number of at least 1, got 0"),
        ({"encoder": means, "size": 1.5}, "size must be a whole number"),
        ({"encoder": means, "std": (1, 0, 1)}, "std above 0"),
        ({"encoder": lambda images: means(images)[1:]}, r"got shape \(3, 48\) for 4 images"),
        ({"encoder": lambda images: [1.0] * len(images)}, r"got shape \(4,\) for 4 images"),
        ({"encoder": lambda images: "no"}, "must return an array .* got str"),
        (
            {"encoder": lambda images: np.full((len(images), 2), np.nan)},
            "not finite for 4 of 4 images of a batch, the first row 0",
        ),
        (
            {"encoder": lambda images: images[9]},
            "raised IndexError .list index out of range. when called with 4 im",
        ),
        (
            {"encoder": lambda images: np.ones((len(images), len(images))), "batch_size": 3},
            "of 3 features, then of 1",
        ),
    ],
)
def test_encoders_that_cannot_be_used(options: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        splitleak.similarity_graph(IMAGES, similarity=get_backend("image-embedding")(**options))
