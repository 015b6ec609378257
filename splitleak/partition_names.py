"""What partitions are called: the one to train on first, and folds by number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def partition_order(rows: Mapping[str, int]) -> list[str]:
    """Return partition names, the one to train on first.

    That is the one called "train" ("training", "fit", in any case) where there is one; then those that are not named
    as held out (test, dev, validation, holdout), by size, then name.

    Examples
    --------
    >>> partition_order({"test": 900, "Train": 80, "dev": 20})
    ['Train', 'test', 'dev']
    """
    held = {
        "test",
        "holdout",
        "hold-out",
        "held-out",
        "heldout",
        "held_out",
        "dev",
        "valid",
        "validation",
        "val",
        "eval",
    }

    def rank(name: str) -> tuple[bool, bool, int, str]:
        word = name.strip().lower()
        return word not in ("train", "training", "fit"), word in held, -rows[name], name

    return sorted(rows, key=rank)


def fold_names(n_folds: int) -> tuple[str, ...]:
    """Return the names of folds as partitions: ``fold 0``, ``fold 1``, ..."""
    return tuple(f"fold {i}" for i in range(n_folds))


def are_folds(names: Sequence[str]) -> bool:
    """Whether partitions are folds, in their order, each of which is held out once.

    Examples
    --------
    >>> are_folds(["fold 0", "fold 1"]), are_folds(["train", "test"])
    (True, False)
    """
    return tuple(names) == fold_names(len(names))
