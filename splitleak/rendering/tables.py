"""The tables and sentences of a split's summary, shared by all views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from splitleak._scale import SHARES, Scale, scale_of

Summary = Mapping[str, Any]
SHOWN_CLASSES = 12


@dataclass(frozen=True)
class Table:
    """A small table of texts; the first column is aligned left, the others right unless `left` names them."""

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    left: frozenset[int] = frozenset({0})


def share(value: float | None, digits: int = 1) -> str:
    """Return a share as a percentage; what rounds to 0 or 100 and is neither says so."""
    if value is None:
        return "?"
    text = f"{100 * value:.{digits}f}"
    if value > 0 and float(text) == 0:
        return f"< {10**-digits:.{digits}f} %"
    if value < 1 and float(text) == 100:
        return f"> {100 - 10**-digits:.{digits}f} %"
    return f"{text} %"


def count(number: int, noun: str) -> str:
    """Return ``"1 row"``, ``"1,200 rows"``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def certificate_scale(certificate: Summary) -> Scale:
    """Return the scale on which a certificate's similarities are read; of several similarities, plain ones."""
    return SHARES if certificate.get("views") else scale_of(str(certificate["similarity"]))


def size_table(summary: Summary) -> Table:
    """Return rows, shares achieved and asked for, and clusters of each partition."""
    asked = any(p["asked_rows"] is not None for p in summary["partitions"])
    clusters = summary["clusters"] is not None
    weighted = any(p["weight_share"] is not None for p in summary["partitions"])
    periods = any(p.get("period") for p in summary["partitions"])
    header = [
        "partition",
        "rows",
        *(["share of rows", "share of weight"] if weighted else ["share"]),
        *(["asked for"] if asked else []),
        *(["clusters"] if clusters else []),
        *(["from", "to"] if periods else []),
    ]
    rows = []
    for p in summary["partitions"]:
        row = [p["name"], f"{p['rows']:,}", share(p["share"])]
        if weighted:
            row.append(share(p["weight_share"]))
        if asked and weighted:
            row.append(share(p["asked_share"]))
        elif asked:
            row.append("?" if p["asked_rows"] is None else f"{p['asked_rows']:,} ({share(p['asked_share'])})")
        if clusters:
            row.append(f"{p['clusters']:,}")
        if periods:
            row += p["period"] or ("", "")
        rows.append(tuple(row))
    if summary["dropped"]:
        gap = [""] * (len(header) - 3)
        rows.append(
            ("(dropped)", f"{summary['dropped']:,}", share(summary["dropped"] / summary["n_rows"]), *gap)
        )
    return Table("Sizes", tuple(header), rows)


def class_tables(summary: Summary) -> list[Table]:
    """Return for each stratum the share of each class within each partition, and the numbers of continuous ones."""
    tables = []
    for stratum in summary["strata"]:
        tables.append(class_table(summary, stratum))
        if stratum["numbers"] is not None:
            tables.append(_number_table(summary, stratum))
    return tables


def class_table(summary: Summary, stratum: Summary) -> Table:
    """Return rows and share of each class within each partition (of many classes, the 12 most frequent).

    The last column is the largest difference of a partition's share to that of all rows, in points.
    """
    shown = frequent_classes(stratum)
    rows = [_class_row(summary, stratum, [i], stratum["labels"][i]) for i in shown]
    rest = [i for i in range(len(stratum["labels"])) if i not in set(shown)]
    if rest:
        rows.append(_class_row(summary, stratum, rest, f"({len(rest)} more)"))
    names = (p["name"] for p in summary["partitions"])
    name = stratum_name(stratum)
    title = "Class balance" if len(summary["strata"]) == 1 else f"Balance of {name}"
    return Table(title, (name, *names, "all", "gap"), rows)


def stratum_name(stratum: Summary) -> str:
    """Return what a stratum is called: an array has no name of its own."""
    return "class" if stratum["name"] == "stratify" else str(stratum["name"])


def frequent_classes(stratum: Summary) -> list[int]:
    """Return the places of the classes in their own order; of more than 12, the most frequent."""
    labels, total = stratum["labels"], stratum["all_rows"]
    if len(labels) <= SHOWN_CLASSES:
        return list(range(len(labels)))
    if stratum["kind"] == "continuous":  # bins are alike in rows: the first ones, in their order
        return list(range(SHOWN_CLASSES))
    return sorted(range(len(labels)), key=lambda i: (-total[i], labels[i]))[:SHOWN_CLASSES]


def _class_row(summary: Summary, stratum: Summary, at: Sequence[int], label: str) -> tuple[str, ...]:
    row = [label]
    of_all = [sum(stratum["all_rows"][i] for i in at), sum(stratum["all_shares"][i] for i in at)]
    gap = 0.0
    for p, counts, shares in zip(summary["partitions"], stratum["rows"], stratum["shares"], strict=True):
        part = sum(shares[i] for i in at)
        row.append(f"{sum(counts[i] for i in at):,} ({share(part)})" if p["rows"] else "0")
        gap = max(gap, abs(part - of_all[1])) if p["rows"] else gap
    alone = stratum["kind"] != "labels" or len(at) == 1
    if not alone:  # rows with several of these labels would count several times
        row = [label, *(f"{sum(counts[i] for i in at):,}" for counts in stratum["rows"])]
    return (
        *row,
        f"{of_all[0]:,} ({share(of_all[1])})" if alone else f"{of_all[0]:,}",
        points(gap) if alone else "",
    )


def points(gap: float) -> str:
    """Return a difference of shares in points of a hundred."""
    text = f"{100 * gap:.1f}"
    return "< 0.1" if gap > 0 and text == "0.0" else text


def _number_table(summary: Summary, stratum: Summary) -> Table:
    """Return mean, standard deviation and distance to all rows of the numbers in each partition."""
    names = [*(p["name"] for p in summary["partitions"]), "all"]
    rows = []
    for what, key in (
        ("mean", "mean"),
        ("standard deviation", "sd"),
        ("Kolmogorov-Smirnov distance to all", "ks"),
    ):
        values = [found[key] for found in stratum["numbers"]]
        rows.append((what, *("?" if v is None else f"{v:.4g}" for v in values)))
    rows[-1] = (*rows[-1][:-1], "")
    return Table(f"Numbers of {stratum_name(stratum)}", (stratum_name(stratum), *names), rows)


def across_table(certificate: Summary) -> Table:
    """Return the crossing pairs and the largest similarity across each pair of partitions."""
    rows, scale = [], certificate_scale(certificate)
    for pair in certificate["across"]:
        largest = "?"
        if pair["largest"] is not None and pair["largest_is_bound"]:
            largest = scale.beyond(pair["largest"])
        elif pair["largest"] is not None:
            largest = scale.text(pair["largest"], certificate["threshold"])
        rows.append((f"{pair['left']} / {pair['right']}", f"{pair['pairs']:,}", largest))
    if certificate.get("views"):  # similarities of several measures have no largest
        return Table("Across partitions", ("partitions", "similar pairs"), [row[:2] for row in rows])
    return Table("Across partitions", ("partitions", "similar pairs", scale.best), rows)


def crossing_table(certificate: Summary, most: int) -> Table | None:
    """Return the worst crossing pairs."""
    if not certificate["crossing"]:
        return None
    scale = certificate_scale(certificate)
    rows = [
        (
            scale.text(pair["similarity"], certificate["threshold"]),
            f"{pair['left']}",
            pair["left_partition"],
            f"{pair['right']}",
            pair["right_partition"],
            *([", ".join(pair["views"])] if certificate.get("views") else []),
        )
        for pair in certificate["crossing"][:most]
    ]
    total = certificate["n_crossing"]
    title = "Crossing pairs" if total <= len(rows) else f"Crossing pairs (the worst {len(rows)} of {total:,})"
    header = (scale.name, "row", "in", "row", "in", *(["by"] if certificate.get("views") else []))
    return Table(title, header, rows, left=frozenset({2, 4, 5}))


def provenance_table(provenance: Summary) -> Table:
    """Return how the split was made, as names and values."""
    rows = [("data", provenance["data"])]
    if provenance["columns"]:
        rows.append(("columns compared", ", ".join(provenance["columns"])))
    rows.append(("fingerprint of the data", provenance["fingerprint"]))
    options = dict(provenance["options"])
    default = " (the default of this similarity)" if options.pop("threshold_is_default", False) else ""
    rows += [
        (k, _plain(v) + (default if k == "threshold" and v is not None else "")) for k, v in options.items()
    ]
    versions = ", ".join(f"{name} {number}" for name, number in provenance["versions"].items())
    rows.append(("versions", f"splitleak {provenance['splitleak']}, {versions}"))
    rows += [("note", note) for note in provenance["notes"]]
    return Table("How it was made", ("", ""), rows, left=frozenset({0, 1}))


def call_text(provenance: Summary) -> str:
    """Return the Python call that makes the split again."""
    given = {k: v for k, v in provenance["options"].items() if v is not None and k != "threshold_is_default"}
    made_by = given.pop("made_by", None)
    # an array goes by the name of its argument: it is the caller's to hand in again
    shown = {k: k if v in (k, [k]) else repr(v) for k, v in given.items()}
    arguments = "".join(f"\n    {name}={value}," for name, value in shown.items())
    if "left" in given and "right" in given:
        return f"splitleak.split_interactions(\n    pairs,{arguments}\n)"
    if made_by is not None:
        return f"splitleak.{made_by}(\n    split,\n    {'old, new' if made_by == 'extend' else 'data'},{arguments}\n)"
    function = "fold_by_similarity" if "folds" in given else "split_by_similarity"
    return f"splitleak.{function}(\n    data,{arguments}\n)"


def similarity_name(options: Summary) -> str:
    """Return the similarity and the threshold that a split was made by."""
    similarity = options.get("similarity")
    if not isinstance(similarity, (list, tuple)):
        return f"{similarity}, threshold {options.get('threshold')}"
    between = " or " if options.get("combine") == "any" else " and "
    return between.join(_plain(v) for v in similarity)


def _plain(value: Any) -> str:
    if isinstance(value, Mapping) and "similarity" in value:  # one of several similarities
        names = {"any": " or ", "crossed": " or any "}.get(value.get("share", "all"), ", ").join(value["on"])
        bound = ">=" if scale_of(str(value["similarity"])) is SHARES else "E <="  # as typed
        return f"{value['similarity']} {bound} {value['threshold']:g}" + (f" on {names}" if names else "")
    if isinstance(value, Mapping):
        return ", ".join(f"{k}={v}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(v) if isinstance(v, Mapping) else str(v) for v in value)
    return "-" if value is None else str(value)
