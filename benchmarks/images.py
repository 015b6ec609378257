"""Which perceptual hash at which threshold: recall of changed copies, and false pairs among different photographs.

    pip install "splitleak[bench]" && python benchmarks/images.py [--folder photographs]

Photographs: those in the folder, and those that scikit-learn and scikit-image bring along. Each is cut into crops of
a quarter of its area, and these are changed in known ways. Recall: share of the changed copies at or above the
threshold to their original. False pairs: of `--crops` crops at random places and sizes from each photograph, the
share of pairs from different photographs at or above it. `--speed` times the join.
"""

from __future__ import annotations

import argparse
import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from splitleak.kernels.hamming_join import hamming_pairs
from splitleak.similarity.image import largest_distance
from splitleak.similarity.perceptual_hash import hash_variants

CHANGES: dict[str, Callable[[Any], Any]] = {
    "JPEG 75": lambda image: jpeg(image, 75),
    "JPEG 30": lambda image: jpeg(image, 30),
    "JPEG 10": lambda image: jpeg(image, 10),
    "half size": lambda image: image.resize((image.width // 2, image.height // 2)),
    "64 x 64": lambda image: image.resize((64, 64)),
    "gray": lambda image: image.convert("L").convert("RGB"),
    "brighter": lambda image: image.point([min(255, int(1.25 * v) + 10) for v in range(256)] * 3),
    "crop 2 %": lambda image: cropped(image, 0.02),
    "crop 5 %": lambda image: cropped(image, 0.05),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_90),
}


def jpeg(image: Any, quality: int) -> Any:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def cropped(image: Any, share: float) -> Any:
    w, h = image.size
    return image.crop((int(w * share), int(h * share), w - int(w * share), h - int(h * share)))


def photographs(folder: str | None) -> list[Any]:
    from skimage import data
    from sklearn.datasets import load_sample_images

    found = [Image.fromarray(image) for image in load_sample_images().images]
    bundled = ("astronaut", "camera", "cat", "coffee", "hubble_deep_field", "immunohistochemistry",
               "moon", "page", "retina", "rocket", "coins", "text", "brick", "grass", "gravel")  # fmt: skip
    for name in bundled:
        try:
            found.append(Image.fromarray(getattr(data, name)()).convert("RGB"))
        except Exception as error:  # not in the package, and no network
            print(f"left out: {name} ({type(error).__name__})")
    for path in sorted(Path(folder).iterdir()) if folder else []:
        if "_" not in path.stem:  # the folder's own changed copies
            found.append(Image.open(path).convert("RGB"))
    return found


def crops(image: Any) -> list[Any]:
    w, h = image.width // 2, image.height // 2
    return [image.crop((x, y, x + w, y + h)) for x in (0, w) for y in (0, h)]


def random_crops(image: Any, n: int, rng: np.random.Generator) -> list[Any]:
    found = []
    for share in rng.uniform(0.3, 1.0, n):
        w, h = int(image.width * share), int(image.height * share)
        x, y = rng.integers(0, image.width - w + 1), rng.integers(0, image.height - h + 1)
        found.append(image.crop((x, y, x + w, y + h)))
    return found


def measure(folder: str | None, n_crops: int) -> None:
    sources = photographs(folder)
    images = [crop for source in sources for crop in crops(source)]
    rng = np.random.default_rng(0)
    strangers = [crop for source in sources for crop in random_crops(source, n_crops, rng)]
    of = np.repeat(np.arange(len(sources)), n_crops)
    i, j = np.triu_indices(len(strangers), 1)
    i, j = i[of[i] != of[j]], j[of[i] != of[j]]
    print(f"{len(sources)} photographs; recall of {len(images)} crops, false pairs of {len(i):,}\n")
    for symmetric in (False, True):
        names = [n for n in CHANGES if symmetric or n not in ("mirrored", "turned")]
        print(f"flips and turns {'count' if symmetric else 'do not count'}")
        print(
            f"{'hash':12}{'threshold':>10}{'false pairs':>13}  recall: " + "".join(f"{n:>10}" for n in names)
        )
        for method in ("phash", "dhash", "ahash", "whash"):
            for size in (8, 16):
                report(images, strangers, i, j, names, method, size, symmetric)


def report(
    images: list[Any],
    strangers: list[Any],
    i: Any,
    j: Any,
    names: list[str],
    method: Any,
    size: int,
    symmetric: bool,
) -> None:
    def hashes(these: list[Any]) -> Any:
        return np.stack([hash_variants(a, method, size, flips=symmetric, turns=symmetric) for a in these])

    def similarity(a: Any, b: Any) -> Any:
        one = np.bitwise_count(a[:, :1] ^ b).sum(axis=2).min(axis=1)
        back = np.bitwise_count(a ^ b[:, :1]).sum(axis=2).min(axis=1)
        return 1 - np.minimum(one, back) / (size * size)

    own = hashes(images)
    changed = {name: similarity(own, hashes([CHANGES[name](a) for a in images])) for name in names}
    other = hashes(strangers)
    different = np.concatenate(
        [
            similarity(other[i[at : at + 100_000]], other[j[at : at + 100_000]])
            for at in range(0, len(i), 100_000)
        ]
    )
    for threshold in (0.75, 0.8, 0.85, 0.9, 0.95):
        recall = "".join(f"{(changed[name] >= threshold).mean():10.3f}" for name in names)
        false = (different >= threshold).mean()
        print(f"{method} {size:<6}{threshold:10.2f}{false:13.7f}  {'':8}{recall}")


def speed(n: int) -> None:
    rng = np.random.default_rng(0)
    os.environ["SPLITLEAK_NUM_THREADS"] = "1"
    for words, variants in ((1, 1), (4, 1), (1, 8)):
        strings = rng.integers(0, 2**64, (n, variants, words), dtype=np.uint64)
        hamming_pairs(strings[:100], 5, banded=True), hamming_pairs(strings[:100], 5, banded=False)
        for threshold in (0.9, 0.95):
            most = largest_distance(threshold, words * 64)
            seconds = []
            for banded in (True, False):
                started = time.process_time()
                left, _, _ = hamming_pairs(strings, most, banded=banded)
                seconds.append(time.process_time() - started)
            started = time.process_time()
            hamming_pairs(strings, most)
            chosen = time.process_time() - started
            print(
                f"{n:,} hashes of {64 * words} bits, {variants} variants, >= {threshold}: bands {seconds[0]:.2f}, all"
                f" pairs {seconds[1]:.2f}, chosen {chosen:.2f} CPU s; {len(left):,} pairs"
            )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder")
    parser.add_argument("--crops", type=int, default=40)
    parser.add_argument("--speed", type=int, metavar="N")
    options = parser.parse_args()
    if options.speed:
        speed(options.speed)
    else:
        measure(options.folder, options.crops)


if __name__ == "__main__":
    main()
