"""`splitleak demo`: a random split and a split by similarity of scikit-learn's handwritten digits, offline."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from splitleak.certificate import Certificate
    from splitleak.partition import Split
    from splitleak.rendering.html import Section
    from splitleak.rendering.tables import Table

# At 0.96 nearly all pairs show the same digit, and no cluster is too large for 80/10/10. At 0.95 clusters are so
# large that the classes can no longer be balanced; at 0.94 one holds a third of all rows.
THRESHOLD = 0.96
SEEDS = 5
_PAIRS_SHOWN = 9


@dataclass(frozen=True)
class Comparison:
    """One-nearest-neighbour accuracy on held-out rows, as shares of the rows."""

    random: float
    by_similarity: float
    random_similar: float
    random_others: float


def run(folder: Path) -> None:
    """Split the digits, print what a random split would have hidden, write a split and a page to `folder`."""
    from sklearn.datasets import load_digits

    from splitleak._files import write_text
    from splitleak.certification import certify
    from splitleak.rendering.html import split_page
    from splitleak.rendering.terminal import show, show_certificate, show_paragraphs, show_table
    from splitleak.split import split_by_similarity

    vectors, digits = load_digits(return_X_y=True)
    show(
        "Handwritten digits of scikit-learn: 1,797 images of 8 x 8 grey values, compared by cosine similarity."
    )
    split = split_by_similarity(vectors, similarity="cosine", threshold=THRESHOLD, stratify=digits)
    assert split.certificate is not None
    shuffled = random_labels(split, seed=0)
    random = certify(vectors, shuffled, similarity="cosine", threshold=THRESHOLD)
    comparison = compare(vectors, digits, split)
    story = tell(random, split, comparison)
    table = comparison_table(random, split.certificate, comparison)
    show_paragraphs(story[:1])
    show_table(table, title=False)
    print()
    show_paragraphs(story[1:])
    show("", "The certificate of the split by similarity:")
    show_certificate(split.certificate.summary())

    saved, page = folder / "digits-split.parquet", folder / "digits-split.html"
    split.save(saved)
    title = "Handwritten digits: a random split and a split by similarity"
    sections = demo_sections(random, split, digits, vectors, story, table)
    write_text(page, split_page(split.summary(), title=title, before=sections, histogram=False))
    show("", f"wrote {saved}", f"wrote {page}  (open it in a browser)")
    show(f"next, with a table of your own: {_next_command()}")


def random_labels(split: Split, *, seed: int) -> NDArray[np.str_]:
    """Return the partition names of a random split of the same sizes."""
    return np.random.default_rng(seed).permutation(split.labels())


def compare(vectors: NDArray[Any], digits: NDArray[Any], split: Split) -> Comparison:
    """Return how well the digit of the nearest training row is that of a held-out row, over several seeds."""
    from splitleak.split import split_by_similarity

    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    right: dict[str, list[NDArray[np.bool_]]] = {"random": [], "by similarity": []}
    similar = []
    for seed in range(SEEDS):
        again = split_by_similarity(
            vectors, similarity="cosine", threshold=THRESHOLD, stratify=digits, seed=seed, certify=False
        )
        for kind, labels in (("random", random_labels(split, seed=seed)), ("by similarity", again.labels())):
            training = np.flatnonzero(labels == "train")
            held_out = np.flatnonzero(labels != "train")
            cosine = unit[held_out] @ unit[training].T
            right[kind].append(digits[training[cosine.argmax(axis=1)]] == digits[held_out])
            if kind == "random":
                similar.append(cosine.max(axis=1) >= THRESHOLD)
    random, near = np.concatenate(right["random"]), np.concatenate(similar)
    return Comparison(
        float(random.mean()),
        float(np.concatenate(right["by similarity"]).mean()),
        float(random[near].mean()),
        float(random[~near].mean()),
    )


def tell(random: Certificate, split: Split, comparison: Comparison) -> list[str]:
    """Return the demo's point as paragraphs."""
    from splitleak.rendering.tables import share

    clusters = split.summary()["clusters"]
    return [
        f"Threshold {THRESHOLD}: images this similar nearly always show the same digit, and their clusters (the largest"
        f" has {clusters['largest']} rows) still leave room for 80/10/10 with all digits in each partition.",
        f"In a random split, {share(held_out_share(random))} of the held-out images have a near-copy in train. Of those"
        f" the nearest neighbour gets {share(comparison.random_similar)} right, of the others"
        f" {share(comparison.random_others)}: the random score of {share(comparison.random)} is for the larger part a"
        f" score on near-copies. The split by similarity asks only for images without one:"
        f" {share(comparison.by_similarity)}.",
        "Neither score is wrong; they answer different questions. Held-out rows of the split by similarity are the"
        " less usual ones, so its score says more about handwriting unlike what was seen before.",
    ]


def held_out_share(certificate: Certificate) -> float:
    """Return the share of all held-out rows with a similar training row."""
    rows = sum(held.rows for held in certificate.held_out)
    return sum(held.with_similar for held in certificate.held_out) / rows


def comparison_table(random: Certificate, by_similarity: Certificate, comparison: Comparison) -> Table:
    """Return the two splits side by side."""
    from splitleak.rendering.tables import Table, share

    return Table(
        "Random or by similarity",
        ("", "random split", "split by similarity"),
        [
            (
                "held-out rows with a similar training row",
                share(held_out_share(random)),
                share(held_out_share(by_similarity)),
            ),
            ("similar pairs across partitions", f"{random.n_crossing:,}", f"{by_similarity.n_crossing:,}"),
            (
                f"1-nearest-neighbour accuracy, held-out rows of {SEEDS} seeds",
                share(comparison.random),
                share(comparison.by_similarity),
            ),
        ],
    )


def demo_sections(
    random: Certificate,
    split: Split,
    digits: NDArray[Any],
    vectors: NDArray[Any],
    story: list[str],
    table: Table,
) -> list[Section]:
    """Return the parts of the page that only the demo has."""
    from splitleak.rendering.figures import image_pairs, nearest_histogram, shared_axis
    from splitleak.rendering.html import Section

    assert split.certificate is not None
    before, after = random.summary(), split.certificate.summary()
    axis = shared_axis(before, after)
    histograms = [
        nearest_histogram(before, title="Random split", axis=axis, identifier="random"),
        nearest_histogram(after, title="Split by similarity", axis=axis, identifier="similarity"),
    ]
    pairs = [
        (vectors[left].reshape(8, 8), vectors[right].reshape(8, 8), f"{similarity:.3f}")
        for left, right, similarity in most_similar_by_digit(random, digits)
    ]
    caption = (
        "Left an image from one partition of the random split, right one from another, with their cosine similarity:"
        f" the most similar pairs of {len(pairs)} digits. The split by similarity keeps all such pairs together."
    )
    return [
        Section("Random or by similarity", story, tables=[table]),
        Section(
            "How near held-out images come to the training images",
            ["Cosine similarity of each held-out image to its nearest training image."],
            figures=histograms,
        ),
        Section("Near-copies that the random split keeps apart", [caption], figures=[image_pairs(pairs)]),
    ]


def most_similar_by_digit(certificate: Certificate, digits: NDArray[Any]) -> list[tuple[int, int, float]]:
    """Return the most similar crossing pair of each digit, most similar first."""
    best: dict[int, tuple[int, int, float]] = {}
    for pair in certificate.crossing:
        best.setdefault(int(digits[pair.left]), (pair.left, pair.right, pair.similarity))
    return list(best.values())[:_PAIRS_SHOWN]


def _next_command() -> str:
    return shlex.join(
        ["splitleak", "split", "table.csv", "--on", "text", "--out", "split.parquet", "--html", "split.html"]
    )
