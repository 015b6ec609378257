"""A split of pairs of entities as text, and as the fragment that notebooks show."""

from __future__ import annotations

from splitleak.rendering.html import Section, render
from splitleak.rendering.sentences import explanation
from splitleak.rendering.tables import Summary, Table, count, share
from splitleak.rendering.tables import class_table as balance_table
from splitleak.rendering.text import filled, printable, table_text


def interaction_text(summary: Summary) -> str:
    """Return a split of pairs as text: the named sets, what is lost, the verdict on each side."""
    lines = [title(summary), "", table_text(set_table(summary)), "", filled(lost_sentence(summary))]
    if summary["strata"]:
        lines += ["", table_text(class_table(summary))]
    lines += ["", table_text(entity_table(summary)), "", *map(filled, verdict_sentences(summary))]
    return "\n".join(lines)


def interaction_fragment(summary: Summary) -> str:
    """Return what a notebook shows of a split of pairs."""
    sections = [
        Section("Sets", [lost_sentence(summary)], tables=[set_table(summary)]),
        Section("Entities", tables=[entity_table(summary)]),
    ]
    if summary["strata"]:
        sections.insert(1, Section("Classes", tables=[class_table(summary)]))
    head, *rest = verdict_sentences(summary)
    return render(
        "fragment.html",
        verdict=summary["verdict"] or "none",
        headline=head,
        explanation=rest,
        sections=sections,
    )


def title(summary: Summary) -> str:
    """Return what was split."""
    sides = " x ".join(f"{side['entities']:,} {side['column']}" for side in summary["sides"])
    return printable(f"Split of {count(summary['n_pairs'], 'pair')} ({sides})")


def set_table(summary: Summary) -> Table:
    """Return pairs of each named set, and what it holds."""
    rows = []
    for found in summary["sets"]:
        asked = "" if found["asked"] is None else f"{found['asked']:,.0f}"
        rows.append((found["name"], found["meaning"], f"{found['pairs']:,}", share(found["share"]), asked))
    return Table("Sets", ("set", "holds", "pairs", "share", "asked for"), rows, left=frozenset({0, 1}))


def class_table(summary: Summary) -> Table:
    """Return the share of each class within each set."""
    sets = [{"name": s["name"], "rows": s["pairs"]} for s in summary["sets"]]
    return balance_table({"partitions": sets, "strata": summary["strata"]}, summary["strata"][0])


def entity_table(summary: Summary) -> Table:
    """Return entities and clusters of each side in each partition."""
    rows = []
    for side in summary["sides"]:
        for part in side["partitions"]:
            rows.append((side["column"], part["name"], f"{part['entities']:,}", f"{part['clusters']:,}"))
        if not side["partitions"]:
            rows.append((side["column"], "(in all)", f"{side['entities']:,}", ""))
    return Table("Entities", ("side", "partition", "entities", "clusters"), rows, left=frozenset({0, 1}))


def lost_sentence(summary: Summary) -> str:
    """Say how many pairs are in no set."""
    mixed = sum(s["pairs"] for s in summary["sets"] if s["mixed"])
    if not any(s["mixed"] for s in summary["sets"]):
        return f"No pair is lost: each of the {summary['n_pairs']:,} is in one of these sets."
    mixed_share = share(mixed / summary["n_pairs"])
    return f"No pair is lost: the {mixed:,} mixed ones ({mixed_share}) are test sets of their own."


def verdict_sentences(summary: Summary) -> list[str]:
    """Return the verdict, then what the search of each side found."""
    searched = [side for side in summary["sides"] if side["certificate"] is not None]
    if not searched:
        return ["Not certified."]
    columns = " and no two similar ".join(side["column"] for side in searched)
    leaks = [side for side in searched if side["certificate"]["verdict"] == "leaking"]
    if leaks:
        first = ", ".join(
            f"{side['certificate']['n_crossing']:,} pairs of similar {side['column']}" for side in leaks
        )
        sentences = [f"Leaking: {first} are in different partitions."]
    else:
        approximate = any(side["certificate"]["verdict"] != "separated" for side in searched)
        limit = ", as far as an approximate search can tell" if approximate else ""
        sentences = [f"Separated{limit}: no two similar {columns} are in different partitions."]
    for side in searched:
        sentences.append(f"{side['column']}: {explanation(side['certificate'])[0]}")
    return sentences
