"""Backends of images, held against comparing all pairs of hashes of the library."""

import io
import os
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import splitleak
from splitleak import SplitleakWarning
from splitleak.records import as_records
from splitleak.similarity.base import get_backend
from splitleak.similarity.image import largest_distance
from tests.images import encoded, picture
from tests.oracles import sides_may_meet


def variations(n: int, seed: int) -> list[Any]:
    """Pictures, many of them small changes of others, some missing, one that cannot be read."""
    rng = np.random.default_rng(seed)
    found: list[Any] = []
    for _ in range(n):
        image = Image.fromarray(picture(int(rng.integers(4)), width=48, height=40))
        change = int(rng.integers(6))
        if change == 1:
            image = Image.open(io.BytesIO(encoded(image, "JPEG", quality=40)))
        elif change == 2:
            image = image.resize((30, 28))
        elif change == 3:
            image = image.crop((2, 2, 46, 38))
        found.append(None if change == 4 and len(found) > 1 else image)
    return [*found, b"broken"]


def hamming(a: Any, b: Any) -> float:
    return float(1 - (imagehash.phash(a) - imagehash.phash(b)) / 64)


def similarity_of(a: Any, b: Any) -> float:
    if isinstance(a, bytes) or isinstance(b, bytes):
        return 0.0
    if a is None or b is None:
        return float(a is b)
    return hamming(a.convert("RGB"), b.convert("RGB"))


@settings(max_examples=25)
@given(st.integers(2, 9), st.integers(0, 1000), st.sampled_from([0.6, 0.75, 0.9, 1.0]), st.data())
@pytest.mark.filterwarnings("ignore::splitleak.SplitleakWarning")
def test_phash_is_that_of_all_pairs(n: int, seed: int, threshold: float, data: st.DataObject) -> None:
    images = variations(n, seed)
    sides = np.array(
        data.draw(st.lists(st.sampled_from([-1, 0, 1]), min_size=n + 1, max_size=n + 1)), dtype=np.int64
    )
    records = as_records(images)
    every = {(i, j): similarity_of(images[i], images[j]) for i in range(n + 1) for j in range(i + 1, n + 1)}
    graph = get_backend("phash").graph(records, threshold=threshold)
    found = {(a, b): s for a, b, s in zip(*map(np.ndarray.tolist, graph.pairs()), strict=True)}
    assert found == {pair: s for pair, s in every.items() if s >= threshold}
    across = get_backend("phash").graph(records, threshold=threshold, sides=sides)
    crossing = {(a, b) for a, b in zip(*map(np.ndarray.tolist, across.pairs()[:2]), strict=True)}
    wanted = {(a, b) for (a, b), s in every.items() if s >= threshold and sides_may_meet(sides[a], sides[b])}
    assert {(a, b) for a, b in crossing if sides_may_meet(sides[a], sides[b])} == wanted
    near = get_backend("phash").neighbours(records, np.arange(n + 1), threshold=threshold, sides=sides)
    assert near is not None
    for q in range(n + 1):
        others = [(sides[r], every[min(q, r), max(q, r)]) for r in range(n + 1) if r != q and sides[r] >= 0]
        assert near.degree[q] == sum(s >= threshold for _, s in others)
        for side in range(near.nearest.shape[1]):
            best = max((s for at, s in others if at == side), default=np.nan)
            np.testing.assert_equal(near.nearest[q, side], best)


def test_threshold_is_inclusive() -> None:
    assert largest_distance(1.0, 64) == 0
    assert largest_distance(1 - 10 / 64, 64) == 10
    assert largest_distance(np.nextafter(1 - 10 / 64, 1), 64) == 9
    assert all(1 - largest_distance(t, 256) / 256 >= t for t in np.linspace(0.01, 1, 100))


def test_mirror_images_and_quarter_turns_count_on_demand() -> None:
    image = picture(5)
    rows = [image, image[:, ::-1], np.rot90(image), picture(6)]
    pairs = {
        options: [
            tuple(map(int, row)) for row in splitleak.similarity_graph(rows, similarity=f"phash({options})").frame()[
                ["left", "right"]
            ].values
        ]
        for options in ("", "flips=True", "turns=True", "flips=True, turns=True")
    }  # fmt: skip
    assert pairs == {
        "": [],
        "flips=True": [(0, 1)],
        "turns=True": [(0, 2)],
        "flips=True, turns=True": [(0, 1), (0, 2), (1, 2)],
    }


def test_missing_images() -> None:
    rows = [picture(1), None, None, picture(1)]
    for backend in ("phash", "pixels"):
        assert splitleak.similarity_graph(rows, similarity=backend).n_pairs == 2
        assert splitleak.similarity_graph(rows, similarity=backend, missing="distinct").n_pairs == 1
        with pytest.raises(splitleak.InputError, match="must have a value in each row"):
            splitleak.similarity_graph(rows, similarity=backend, missing="error")


def test_unreadable_files_of_equal_bytes_are_not_similar() -> None:
    for backend in ("phash", "pixels", "exact"):
        with pytest.warns(SplitleakWarning, match="2 of 4 images cannot be read"):
            graph = splitleak.similarity_graph([b"x", picture(1), b"x", picture(1)], similarity=backend)
        assert graph.pairs()[0].tolist() == [1]


def test_equal_pixels_in_other_files_are_equal() -> None:
    image = picture(2)
    rows = [encoded(image), encoded(image, "BMP"), encoded(image, "PNG", compress_level=0), image[:-1]]
    assert splitleak.similarity_graph(rows, similarity="pixels").n_pairs == 3
    assert splitleak.similarity_graph(rows, similarity="exact").n_pairs == 3


def test_options_reach_the_backend() -> None:
    image = picture(7)
    for options in ("hash=dhash", "hash=ahash", "hash=whash", "size=16", "hash=dhash, size=16, turns=True"):
        smaller = np.asarray(Image.fromarray(image).resize((60, 40)))
        graph = splitleak.similarity_graph(
            [image, picture(8), smaller], similarity=f"phash({options})", threshold=0.9
        )
        assert graph.pairs()[:2][1].tolist() == [2], options
    with pytest.raises(splitleak.InputError, match="size must be 8"):
        splitleak.similarity_graph([image], similarity="phash(size=12)")


@pytest.mark.filterwarnings("ignore::splitleak.SplitleakWarning")
def test_real_photographs() -> None:
    if "SPLITLEAK_DATA" not in os.environ:
        pytest.skip("real photographs are in the folder that SPLITLEAK_DATA names")
    folder = Path(os.environ["SPLITLEAK_DATA"]) / "images" / "ukbench"
    names = sorted(path.name for path in folder.iterdir())

    def found(options: str) -> set[tuple[str, str]]:
        pairs = splitleak.similarity_graph(folder, similarity=f"phash({options})").pairs()
        return {(names[a], names[b]) for a, b in zip(*map(np.ndarray.tolist, pairs[:2]), strict=True)}

    same = ["ukbench00120.jpg", "ukbench00120_gray.jpg", "ukbench00120_resize.jpg"]
    plain = {(a, b) for i, a in enumerate(same) for b in same[i + 1 :]}
    assert found("") == plain
    same.insert(2, "ukbench00120_hflip.jpg")
    assert found("flips=True") == {(a, b) for i, a in enumerate(same) for b in same[i + 1 :]}
