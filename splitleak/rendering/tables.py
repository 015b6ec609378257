"""The tables and sentences of a split's summary, shared by all views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


def similarity_text(value: float, threshold: float) -> str:
    """Return a similarity with as many digits as tell on which side of the threshold it lies."""
    for digits in range(3, 17):
        text = f"{value:.{digits}f}"
        if (float(text) >= threshold) == (value >= threshold):
            return text
    return repr(value)


def size_table(summary: Summary) -> Table:
    """Return rows, shares achieved and asked for, and clusters of each partition."""
    asked = any(p["asked_rows"] is not None for p in summary["partitions"])
    clusters = summary["clusters"] is not None
    header = [
        "partition",
        "rows",
        "share",
        *(["asked for"] if asked else []),
        *(["clusters"] if clusters else []),
    ]
    rows = []
    for p in summary["partitions"]:
        row = [p["name"], f"{p['rows']:,}", share(p["share"])]
        if asked:
            row.append("?" if p["asked_rows"] is None else f"{p['asked_rows']:,} ({share(p['asked_share'])})")
        if clusters:
            row.append(f"{p['clusters']:,}")
        rows.append(tuple(row))
    if summary["dropped"]:
        gap = [""] * (len(header) - 3)
        rows.append(
            ("(dropped)", f"{summary['dropped']:,}", share(summary["dropped"] / summary["n_rows"]), *gap)
        )
    return Table("Sizes", tuple(header), rows)


def class_table(summary: Summary) -> Table | None:
    """Return the share of each class within each partition (of many classes, the 12 most frequent)."""
    if not summary["classes"]:
        return None
    rows = []
    shown = frequent_classes(summary)
    for label in shown:
        rows.append((label, *(_class_share(p, [label]) for p in summary["partitions"])))
    rest = [label for label in summary["classes"] if label not in set(shown)]
    if rest:
        rows.append((f"({len(rest)} more)", *(_class_share(p, rest) for p in summary["partitions"])))
    stratify = ((summary["provenance"] or {}).get("options") or {}).get("stratify")
    title = "class" if stratify in (None, "stratify") else str(stratify)  # an array has no name of its own
    header = (title, *(p["name"] for p in summary["partitions"]))
    return Table("Class balance", header, rows)


def frequent_classes(summary: Summary) -> list[str]:
    """Return the classes in their own order; of more than 12, the most frequent."""
    labels = list(summary["classes"])
    if len(labels) <= SHOWN_CLASSES:
        return labels
    total = {label: sum(p["classes"].get(label, 0) for p in summary["partitions"]) for label in labels}
    return sorted(labels, key=lambda label: (-total[label], label))[:SHOWN_CLASSES]


def _class_share(partition: Summary, labels: Sequence[str]) -> str:
    rows = sum(partition["classes"].get(label, 0) for label in labels)
    return f"{rows:,} ({share(rows / partition['rows'])})" if partition["rows"] else "0"


def cluster_sentence(summary: Summary) -> str | None:
    """Return how many clusters there are and how large they get."""
    clusters = summary["clusters"]
    if clusters is None:
        return None
    return (
        f"{count(clusters['count'], 'cluster')}: the largest has {count(clusters['largest'], 'row')}"
        f" ({share(clusters['largest_share'])}), {clusters['singletons']:,} have one row."
    )


def headline(certificate: Summary | None) -> str:
    """Return the verdict in words that need no glossary."""
    if certificate is None:
        return "Not certified."
    verdict = certificate["verdict"]
    if verdict == "separated":
        return "Separated: no two similar rows are in different partitions."
    if verdict == "separated_with_recall":
        return "Separated, as far as an approximate search can tell."
    if verdict == "leaking":
        return (
            f"Leaking: {count(certificate['n_crossing'], 'pair')} of similar rows"
            f" {'crosses' if certificate['n_crossing'] == 1 else 'cross'} between partitions."
        )
    return f"Verdict: {verdict}."


def asked_leak(summary: Summary) -> str | None:
    """Return how much was cut because on_infeasible='cut' asked for it; None: nothing was."""
    made = summary["provenance"]
    notes = () if made is None else made["notes"]
    return next((note for note in notes if note.startswith("on_infeasible='cut'")), None)


def split_headline(summary: Summary) -> str:
    """Return the verdict on a split; of a leak that was asked for, that it was."""
    text = headline(summary["certificate"])
    return text.replace("Leaking:", "Leaking, as asked for:", 1) if asked_leak(summary) else text


def split_explanation(summary: Summary) -> list[str]:
    """Return the sentences that stand behind the verdict on a split."""
    note = asked_leak(summary)
    return [*([f"{note}."] if note else []), *explanation(summary["certificate"])]


def explanation(certificate: Summary | None) -> list[str]:
    """Return the sentences that stand behind the verdict."""
    if certificate is None:
        return ["Nobody has searched this split for similar rows in different partitions yet."]
    if certificate.get("views"):
        sentences = _sentences_on_views(certificate)
    else:
        kind = "every pair of rows was covered" if certificate["exhaustive"] else "the search was approximate"
        sentences = [
            f"A fresh search across the partitions looked for rows with {certificate['similarity']} similarity of"
            f" {certificate['threshold']:g} or more (1 = identical); {kind}."
        ]
        if not certificate["exhaustive"]:
            sentences.append(f"{recall_sentence(certificate['recall'])}.")
    sentences += [
        f"{held['partition']}: {held['with_similar']:,} of {count(held['rows'], 'row')} ({share(held['share'])})"
        " have a similar training row."
        for held in certificate["held_out"]
    ]
    if certificate["random"] is not None:
        sentences.append(_yardstick(certificate["random"]))
    return sentences + [f"Note: {note}." for note in certificate.get("notes", ())]


def _sentences_on_views(certificate: Summary) -> list[str]:
    """Return one sentence on all similarities, and one on each."""
    views = certificate["views"]
    rule = "any of them says so" if certificate["combine"] == "any" else "all of them say so"
    return [
        f"A fresh search for each of {len(views)} similarities looked across the partitions; two rows are similar when"
        f" {rule} (1 = identical):",
        *(view_sentence(view) for view in views),
    ]


def view_sentence(certificate: Summary) -> str:
    """Return what one of several similarities found by itself."""
    if certificate["views"]:
        what = f"{certificate['view']}, {certificate['combine']} of them"
    else:
        what = f"{certificate['view']}, {certificate['threshold']:g} or more"
    n = certificate["n_crossing"]
    found = "no pair crosses" if not n else f"{count(n, 'pair')} {'crosses' if n == 1 else 'cross'}"
    if certificate["exhaustive"]:
        how = "every pair of rows was covered"
    elif certificate["views"]:
        how = "not every search was exhaustive"
    else:
        how = f"the search was approximate: {recall_sentence(certificate['recall'], start=False)}"
    chance = ""
    if certificate["random"] is not None:
        chance = f"; {_yardstick(certificate['random'], start=False)[:-1]}"
    return f"{what}: {found}; {how}{chance}."


def recall_sentence(recall: Summary | None, *, start: bool = True) -> str:
    """Return the measured recall of an approximate search in words, the same everywhere."""
    if recall is None or not recall["total"]:
        text = "how many such pairs it would miss could not be measured"
    else:
        text = (
            f"it finds {share(recall['estimate'], 2)} of such pairs (95 % interval {share(recall['low'], 2)} to"
            f" {share(recall['high'], 2)}; measured on {count(recall['total'], 'true pair')})"
        )
    return text[0].upper() + text[1:] if start else text


def _yardstick(random: Summary, *, start: bool = True) -> str:
    interval = ""
    if random["high"] > random["low"]:
        interval = f" (95 % interval {share(random['low'])} to {share(random['high'])})"
    article = "A" if start else "a"
    found = f"{share(random['share'])}{interval}"
    return f"{article} random split of the same sizes would have {found} of such held-out rows."


def across_table(certificate: Summary) -> Table:
    """Return the crossing pairs and the largest similarity across each pair of partitions."""
    rows = []
    for pair in certificate["across"]:
        largest = "?"
        if pair["largest"] is not None:
            bound = "< " if pair["largest_is_bound"] else ""
            exact = (
                f"{pair['largest']:g}"
                if bound
                else similarity_text(pair["largest"], certificate["threshold"])
            )
            largest = bound + exact
        rows.append((f"{pair['left']} / {pair['right']}", f"{pair['pairs']:,}", largest))
    if certificate.get("views"):  # similarities of several measures have no largest
        return Table("Across partitions", ("partitions", "similar pairs"), [row[:2] for row in rows])
    return Table("Across partitions", ("partitions", "similar pairs", "largest similarity"), rows)


def crossing_table(certificate: Summary, most: int) -> Table | None:
    """Return the worst crossing pairs."""
    if not certificate["crossing"]:
        return None
    rows = [
        (
            similarity_text(pair["similarity"], certificate["threshold"]),
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
    header = ("similarity", "row", "in", "row", "in", *(["by"] if certificate.get("views") else []))
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
    # an array goes by the name of its argument: it is the caller's to hand in again
    shown = {k: k if v in (k, [k]) else repr(v) for k, v in given.items()}
    arguments = "".join(f"\n    {name}={value}," for name, value in shown.items())
    if "left" in given and "right" in given:
        return f"splitleak.split_interactions(\n    pairs,{arguments}\n)"
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
        return f"{value['similarity']} >= {value['threshold']:g}" + (f" on {names}" if names else "")
    if isinstance(value, Mapping):
        return ", ".join(f"{k}={v}" for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(v) if isinstance(v, Mapping) else str(v) for v in value)
    return "-" if value is None else str(value)
