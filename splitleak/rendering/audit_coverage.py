"""What a report covers, by the taxonomy of Kapoor and Narayanan (2023), Patterns 4(9), table 1."""

from __future__ import annotations

from splitleak.rendering.audit import tally
from splitleak.rendering.tables import Summary, Table

# The numbers of the paper's kinds of leakage; SPL4 goes beyond them.
_PLACES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("L1", "No clean separation of training and test set", ("SPL1",)),
    ("L1.1", "No test set", ()),
    (
        "L1.2",
        "Preprocessing on training and test set",
        ("SPL110", "SPL111", "SPL112", "SPL113", "SPL115", "SPL116"),
    ),
    ("L1.3", "Selection of features on training and test set", ("SPL114",)),
    ("L1.4", "Duplicates in training and test set", ("SPL101", "SPL102", "SPL103")),
    ("L2", "Features that are not legitimate", ("SPL2",)),
    ("L3", "The test set is not drawn from what will be met", ("SPL3",)),
    ("L3.1", "Temporal leakage", ("SPL301", "SPL302")),
    ("L3.2", "Training and test rows are not independent", ("SPL303", "SPL304")),
    ("L3.3", "Sampling bias in the test set", ("SPL305", "SPL306", "SPL307", "SPL308", "SPL309")),
    ("-", "The sets cannot carry the claim (beyond the taxonomy)", ("SPL4",)),
)
SECTIONS = {
    "SPL1": "No clean separation",
    "SPL2": "Features that are not legitimate",
    "SPL3": "Not what will be met",
    "SPL4": "The sets cannot carry the claim",
}


def place_of(code: str) -> str:
    """Return the name of the kind of leakage that a probe looks for: ``"L1.2"``, ``"other"``."""
    for length in (6, 4):  # the full code before its section
        for name, _, codes in _PLACES:
            if any(len(c) == length and code.startswith(c) for c in codes):
                return name
    return "other"


def section_of(code: str) -> str:
    """Return the title of a code's section; of a plug-in its letters."""
    return SECTIONS.get(code[:4], code.rstrip("0123456789"))


def coverage_table(summary: Summary) -> Table:
    """Return for each kind of leakage the probes that look for it and how they answered."""
    by_code = {r["code"]: r for r in summary["results"]}
    known = [*by_code, *(c for c in summary["about"].get("known", ()) if c not in by_code)]
    rows = []
    for name, title, _ in (*_PLACES, ("other", "Probes of other authors", ())):
        codes = sorted(code for code in known if place_of(code) == name)
        if name == "L1.1":
            answer = "a split was given" if summary["about"]["partitions"] else "no split was given"
        elif codes:
            left_out = sum(code not in by_code for code in codes)
            looked = [by_code[code] for code in codes if code in by_code]
            parts = [tally(looked)] if looked else []
            answer = ", ".join(parts + ([f"{left_out} not selected"] if left_out else []))
        else:
            continue
        rows.append((name, title, ", ".join(codes) or "-", answer))
    return Table("Coverage", ("kind", "of leakage", "probes", "answers"), rows, left=frozenset({0, 1, 2, 3}))
