"""Where a small convolutional network looks: class-activation maps (Zhou et al. 2016); needs torch."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from splitleak.probes.context import AuditContext
from splitleak.probes.image_facts import SIDE, Facts

Ints = NDArray[np.int64]
_SIDE = 32
_GRID = 8  # of the map
_MOST = 1_000
_EPOCHS = 8
_BATCH = 64
_MOST_CLASSES = 12
_BORDER = 1  # cells of the map


@dataclass(frozen=True, eq=False)
class Attention:
    """Where the network looks.

    Attributes
    ----------
    maps : list of mappings
        "name" of the class, "values": mean activation of its held-back images, shape (8, 8), in [0, 1].
    border : float
        Share of the activation in the outermost cells; they are 28 of 64 (0.44).
    """

    maps: list[dict[str, Any]]
    border: float


def attention(
    context: AuditContext, facts: Facts, known: Ints, codes: Ints, labels: list[str]
) -> Attention | None:
    """Train for a few epochs on small copies and average the maps of the images held back; None without torch."""
    classes = np.unique(codes)
    if context.fast or importlib.util.find_spec("torch") is None or len(classes) > _MOST_CLASSES:
        return None
    import torch

    chosen = context.sample(np.arange(len(known)), _MOST, "SPL209 network")
    step = SIDE // _SIDE
    small = facts.small[known[chosen]].reshape(len(chosen), _SIDE, step, _SIDE, step, 3).mean(axis=(2, 4))
    pixels = ((small - small.mean()) / max(float(small.std()), 1e-6)).transpose(0, 3, 1, 2).astype(np.float32)
    y = np.searchsorted(classes, codes[chosen])
    back = np.arange(len(chosen)) % 4 == 0
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums depend on the number of threads
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(context.seed)
            maps = _maps(torch, pixels, y, back, len(classes), context.rng("SPL209 batches"))
    finally:
        torch.set_num_threads(threads)
    shown = []
    whole = np.zeros((_GRID, _GRID))
    for k in range(len(classes)):
        own = maps[y[back] == k, k]
        if not len(own):
            continue
        mean = np.maximum(own, 0).mean(axis=0)
        whole += mean / max(float(mean.sum()), 1e-12)
        shown.append(
            {
                "name": f"where a network looks: {labels[int(classes[k])]}",
                "values": np.round(mean / max(float(mean.max()), 1e-12), 2).tolist(),
            }
        )
    inner = whole[_BORDER:-_BORDER, _BORDER:-_BORDER].sum()
    return Attention(shown, round(float(1 - inner / max(float(whole.sum()), 1e-12)), 2))


def _maps(torch: Any, pixels: Any, y: Ints, back: Any, k: int, rng: np.random.Generator) -> Any:
    """Return the maps of the images held back, shape (n, k, 8, 8)."""
    nn = torch.nn
    body = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, k, 1),
    )  # fmt: skip
    x, target = torch.from_numpy(pixels), torch.from_numpy(y)
    fit = np.flatnonzero(~back)
    optimizer = torch.optim.Adam(body.parameters(), lr=3e-3)
    for _ in range(_EPOCHS):
        order = rng.permutation(fit)
        for start in range(0, len(order), _BATCH):
            rows = torch.from_numpy(order[start : start + _BATCH])
            loss = nn.functional.cross_entropy(body(x[rows]).mean(dim=(2, 3)), target[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        return body(x[torch.from_numpy(np.flatnonzero(back))]).numpy()
