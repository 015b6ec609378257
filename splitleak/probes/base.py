"""What a probe is, what it finds, and the registry that finds one by its code."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from splitleak._plugins import load_plugin, plugin_names
from splitleak.errors import InputError, did_you_mean, unknown_option

if TYPE_CHECKING:
    from splitleak.probes.context import AuditContext

Ints = NDArray[np.int64]
Status = Literal["leak", "caution", "clean", "not_applicable", "skipped"]
Need = Literal["split", "target", "classes", "time", "groups", "pipeline", "raw", "texts", "images", "ledger"]
ImpactOf = Literal["columns", "rows", "none"]

_NO_ROWS: Ints = np.zeros(0, dtype=np.int64)
_HOW = {
    "split": "needs a split: pass split= a column, an array of partition names or a Split",
    "target": "needs a target: pass target= the column that is predicted",
    "classes": "needs a target with classes, and the target is a number",
    "time": "needs a time: pass time= a column of dates or numbers",
    "groups": "needs groups: pass groups= the column(s) whose rows belong together",
    "pipeline": "needs a fitted transformer: pass pipeline= and raw=",
    "raw": "needs the table before preprocessing: pass raw=",
    "texts": "needs a column of texts",
    "images": "needs images",
    "ledger": "needs a record of earlier uses: pass ledger= a file that is kept with the test set",
}


@dataclass(frozen=True, eq=False)
class Finding:
    """What a probe found out.

    Attributes
    ----------
    status : {"leak", "caution", "clean"}
        "leak": no honest explanation is plausible; "caution": a person must judge; "clean": it looked, and there
        is nothing to say (the numbers tell how close).
    explanation : str
        One to three sentences with counts. No value of the data stands in it (those go to `evidence`, under the
        key "value", and are shown only when asked for); column names may.
    effect : float or None
        How large it is, in the unit that `effect_name` says.
    effect_name : str
        Such as "share of held-out rows", "AUC of the column alone".
    interval : (float, float) or None
        95 % interval of the effect.
    p_value : float or None
        Of the whole probe (adjusted for all that it tried), where chance could speak.
    columns : sequence of str
        Columns concerned at this status, worst first.
    rows : int64 array
        Positions (in the context) of the rows concerned, held-out rows where a pair is meant.
    partners : int64 array of the shape of `rows`, or empty
        For each row, the other row of the pair.
    remedy : str
        Python that works when pasted, `df` being the caller's table; names of columns as in `columns`.
    evidence : sequence of mappings
        A small table: one mapping per column, value, step or pair looked at, worst first, same keys in each.
        Values are plain Python; row positions go under keys that end in "row".
    picture : mapping or None
        Plain data of a picture: ``{"kind": "bars" | "histogram" | "ribbon" | "pairs" | "images" | "heatmaps",
        ...}``, see `splitleak.rendering.audit_figures`.
    impact_of : {"columns", "rows", "none"}
        What a quick model should do without, to measure what the finding is worth in score.
    """

    status: Literal["leak", "caution", "clean"]
    explanation: str
    effect: float | None = None
    effect_name: str = ""
    interval: tuple[float, float] | None = None
    p_value: float | None = None
    columns: Sequence[str] = ()
    rows: Ints = field(default_factory=lambda: _NO_ROWS)
    partners: Ints = field(default_factory=lambda: _NO_ROWS)
    remedy: str = ""
    evidence: Sequence[Mapping[str, Any]] = ()
    picture: Mapping[str, Any] | None = None
    impact_of: ImpactOf = "none"

    def __post_init__(self) -> None:
        if self.status not in ("leak", "caution", "clean"):
            raise InputError(
                f"a finding's status must be 'leak', 'caution' or 'clean', got {self.status!r}; raise NotApplicable or"
                " Skipped where a probe cannot look"
            )
        if len(self.partners) not in (0, len(self.rows)):
            raise InputError(
                f"partners must be as many as rows or none, got {len(self.partners)} and {len(self.rows)}"
            )


class NotApplicable(Exception):  # noqa: N818  an answer, not an error
    """Raised by a probe that has nothing to look at in these data; its message says why."""


class Skipped(Exception):  # noqa: N818  an answer, not an error
    """Raised by a probe that could look, and does not: a missing extra, too much work under ``fast=True``."""


@dataclass(frozen=True)
class Probe:
    """A function from an `AuditContext` to a `Finding`, under a stable code.

    Attributes
    ----------
    code : str
        ``SPL101``: letters and digits, never reused.
    title : str
        What is wrong when it fires, in a few words.
    function : callable
        ``(context) -> Finding``; None counts as clean. Raises `NotApplicable` or `Skipped`.
    needs : tuple of str
        What the context must have; without it the answer is "not applicable", and says what to pass.
    why : str
        Why it matters, in one sentence.
    bound : str
        What limits its false alarms, in one sentence.
    """

    code: str
    title: str
    function: Callable[[AuditContext], Finding | None]
    needs: tuple[str, ...] = ()
    why: str = ""
    bound: str = ""

    @property
    def how(self) -> str:
        """How it looks: the first sentence of the function's docstring."""
        return " ".join((self.function.__doc__ or "").strip().partition("\n\n")[0].split())

    def __call__(self, context: AuditContext) -> Finding:
        """Look, or raise `NotApplicable` or `Skipped`."""
        for need in self.needs:
            if not context.has(need):
                raise NotApplicable(_HOW[need])
        found = self.function(context)
        if found is None:
            return Finding("clean", "Nothing found.")
        if not isinstance(found, Finding):
            raise InputError(
                f"probe {self.code} must return a Finding or None, got {type(found).__name__}; raise NotApplicable"
                " where it cannot look"
            )
        return found


_GROUP = "splitleak.probes"  # of entry points
_REGISTRY: dict[str, Probe] = {}
_BUILT_IN = {  # code -> module; imported when asked for
    "SPL101": "splitleak.probes.exact_duplicates",
    "SPL102": "splitleak.probes.near_duplicates",
    "SPL103": "splitleak.probes.conflicting_duplicates",
    "SPL110": "splitleak.probes.scaling",
    "SPL111": "splitleak.probes.imputation",
    "SPL112": "splitleak.probes.decorrelation",
    "SPL113": "splitleak.probes.target_encoding",
    "SPL114": "splitleak.probes.feature_selection",
    "SPL115": "splitleak.probes.resampling",
    "SPL116": "splitleak.probes.fitted_pipeline",
    "SPL201": "splitleak.probes.one_column",
    "SPL202": "splitleak.probes.missingness",
    "SPL203": "splitleak.probes.one_class_values",
    "SPL204": "splitleak.probes.identifiers",
    "SPL205": "splitleak.probes.row_order",
    "SPL206": "splitleak.probes.two_columns",
    "SPL207": "splitleak.probes.text_tokens",
    "SPL208": "splitleak.probes.metadata",
    "SPL209": "splitleak.probes.image_artefacts",
    "SPL210": "splitleak.probes.partial_input",
    "SPL301": "splitleak.probes.time_order",
    "SPL302": "splitleak.probes.time_columns",
    "SPL303": "splitleak.probes.groups",
    "SPL304": "splitleak.probes.entities",
    "SPL305": "splitleak.probes.split_prediction",
    "SPL306": "splitleak.probes.class_balance",
    "SPL307": "splitleak.probes.new_categories",
    "SPL308": "splitleak.probes.new_ranges",
    "SPL309": "splitleak.probes.split_tokens",
    "SPL401": "splitleak.probes.held_out_size",
    "SPL402": "splitleak.probes.wrong_labels",
    "SPL403": "splitleak.probes.earlier_uses",
}


def probe(
    code: str, title: str, *, needs: Iterable[str] = (), why: str = "", bound: str = ""
) -> Callable[[Callable[[AuditContext], Finding | None]], Probe]:
    """Register a function as a probe of `leakage_report`.

    Parameters
    ----------
    code : str
        Capital letters and three digits: ``ACME001``. SPL codes belong to splitleak.
    title : str
        What is wrong when it fires, in a few words.
    needs : iterable of {"split", "target", "classes", "time", "groups", "pipeline", "raw", "texts", "images"}
        What must be there; without it the report says "not applicable", and why.
    why : str
        Why it matters, in one sentence.
    bound : str
        What limits its false alarms, in one sentence.

    Raises
    ------
    InputError
        A code of another form, a need that is not known.

    Examples
    --------
    >>> import splitleak
    >>> @splitleak.probe("ACME001", "Old patients only in the test set", needs=["split"])
    ... def old_patients(context):
    ...     return splitleak.Finding("clean", "Ages are alike.")
    >>> old_patients.code
    'ACME001'
    """
    if not isinstance(code, str) or not re.fullmatch(r"[A-Z]+[0-9]{3}", code):
        raise InputError(f"a probe's code must be capital letters and three digits (ACME001), got {code!r}")
    needs = tuple(needs)
    for need in needs:
        if need not in get_args(Need):
            raise unknown_option(f"needs of probe {code}", need, get_args(Need))

    def register(function: Callable[[AuditContext], Finding | None]) -> Probe:
        made = Probe(code, title, function, needs, why, bound)
        _REGISTRY[code] = made
        return made

    return register


def probe_codes() -> list[str]:
    """Return the codes of all known probes, entry points included, sorted."""
    return sorted({*_BUILT_IN, *_REGISTRY, *plugin_names(_GROUP)})


def get_probe(code: str) -> Probe:
    """Return the probe of a code.

    Raises
    ------
    InputError
        A code that is not known.
    """
    if code not in _REGISTRY:
        if code in _BUILT_IN:
            importlib.import_module(_BUILT_IN[code])
        else:
            found = load_plugin(_GROUP, code, Probe, "code")
            if found is not None:
                _REGISTRY.setdefault(code, found)
    if code not in _REGISTRY:
        raise InputError(
            f"probe {code!r} is not known{did_you_mean(code, probe_codes())} (known: {', '.join(probe_codes())})"
        )
    return _REGISTRY[code]


def select_probes(probes: str | Iterable[str]) -> list[Probe]:
    """Return the probes asked for: "all", or codes and their beginnings (``"SPL1"``: all of SPL1xx)."""
    if probes == "all":
        return [get_probe(code) for code in probe_codes()]
    asked = [probes] if isinstance(probes, str) else list(probes)
    chosen: set[str] = set()
    for code in asked:
        if not isinstance(code, str):
            raise InputError(f"probes must be 'all' or a list of codes, got {code!r} in it")
        found = [known for known in probe_codes() if code and known.startswith(code)]
        chosen.update(found or [get_probe(code).code])
    if not chosen:
        raise InputError("probes names no probe; leave it out, or give codes such as 'SPL101' or 'SPL1'")
    return [get_probe(code) for code in sorted(chosen)]
