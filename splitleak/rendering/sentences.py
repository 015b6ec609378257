"""What a split and its certificate say, in sentences."""

from __future__ import annotations

from splitleak._scale import SHARES
from splitleak.rendering.tables import SHOWN_CLASSES, Summary, certificate_scale, count, share


def unreachable_note(summary: Summary) -> str | None:
    """Return which classes cannot be in every partition, and why."""
    found = summary["unreachable"]
    if not found:
        return None
    told = "; ".join(
        (entry["label"] if entry["stratum"] == "stratify" else f"{entry['label']} ({entry['stratum']})")
        + f", {count(entry['rows'], 'row')} in {count(entry['clusters'], 'cluster')}"
        for entry in found[:SHOWN_CLASSES]
    )
    more = f"; and {len(found) - SHOWN_CLASSES:,} more" if len(found) > SHOWN_CLASSES else ""
    return f"Classes with too few clusters to be in every partition: {told}{more}."


def cluster_sentence(summary: Summary) -> str | None:
    """Return how many clusters there are and how large they get."""
    clusters = summary["clusters"]
    if clusters is None:
        return None
    return (
        f"{count(clusters['count'], 'cluster')}: the largest has {count(clusters['largest'], 'row')}"
        f" ({share(clusters['largest_share'])}), {clusters['singletons']:,} have one row."
    )


def reason_sentences(summary: Summary) -> list[str]:
    """Return how many rows were dropped and moved, and why."""
    return [
        f"{count(entry['rows'], 'row')} {'dropped' if entry['dropped'] else 'moved'}: {entry['reason']}."
        for entry in summary.get("reasons", ())
    ]


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
        view = certificate.get("view")
        alone = f"By {view} alone, one of several similarities: a" if view else "A"
        sentences = [
            f"{alone} fresh search across the partitions looked for"
            f" {certificate_scale(certificate).wanted(certificate['similarity'], certificate['threshold'])}; {kind}."
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
        scale = certificate_scale(certificate)
        limit = f"{scale.shown(certificate['threshold'])} or {'more' if scale is SHARES else 'less'}"
        what = f"{certificate['view']}, {limit}"
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
