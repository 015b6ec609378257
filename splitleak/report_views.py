"""The views of a leakage report: text, notebook, HTML, JSON, JUnit, SARIF; all are made of its summary."""

from __future__ import annotations

import json
import os
from abc import ABC, abstractmethod
from typing import Any, Literal

from splitleak._files import check_writable, write_text
from splitleak.errors import unknown_option

PathLike = str | os.PathLike[str]
FailOn = Literal["leak", "caution", "never"]
FAIL_ON: tuple[FailOn, ...] = ("leak", "caution", "never")
HTML, JSON, JUNIT, SARIF = (".html", ".htm"), (".json",), (".xml",), (".sarif", ".json")


class ReportViews(ABC):
    """The views of what `summary` returns; values of the data are hidden unless ``show_values=True``."""

    @abstractmethod
    def summary(self) -> dict[str, Any]:
        """Return everything in plain JSON types."""

    def __str__(self) -> str:
        from splitleak.rendering.audit import prepared
        from splitleak.rendering.audit_text import audit_text

        return audit_text(prepared(self.summary(), show_values=False))

    def __repr__(self) -> str:
        from splitleak.rendering.audit_text import audit_repr

        return audit_repr(self.summary())

    def _repr_html_(self) -> str:
        from splitleak.rendering.audit_html import audit_fragment

        return audit_fragment(self.summary())

    def to_html(self, path: PathLike | None = None, *, title: str = "", show_values: bool = False) -> str:
        """Return the report as one page of HTML (no scripts, nothing loaded), and write it where `path` is given.

        Parameters
        ----------
        path : path-like, optional
            File to be written, ending in ``.html`` or ``.htm``.
        title : str
            Heading of the page; default: what was audited.
        show_values : bool
            Show values of the data (categories, tokens, pictures); names of columns, of partitions and of the classes
            of the target are shown either way.

        Raises
        ------
        InputError
            A path that cannot be written.

        Examples
        --------
        >>> import splitleak
        >>> report = splitleak.leakage_report({"x": [1, 2, 3, 4]}, ["train", "train", "test", "test"])
        >>> report.to_html().startswith("<!DOCTYPE html>")
        True
        """
        from splitleak.rendering.audit_html import audit_page

        _check(path, HTML)
        return _written(audit_page(self.summary(), title=title, show_values=show_values), path)

    def to_json(self, path: PathLike | None = None, *, show_values: bool = False) -> str:
        """Return the summary as JSON, and write it where `path` is given; `LeakageReport.from_json` reads it.

        Parameters
        ----------
        path : path-like, optional
            File to be written, ending in ``.json``.
        show_values : bool
            Keep values of the data.

        Raises
        ------
        InputError
            A path that cannot be written.
        """
        _check(path, JSON)
        return _written(_json(self._shown(show_values)), path)

    def to_junit(self, path: PathLike | None = None, *, fail_on: FailOn = "leak") -> str:
        """Return the report as JUnit XML, one test case per probe, and write it where `path` is given.

        Parameters
        ----------
        path : path-like, optional
            File to be written, ending in ``.xml``.
        fail_on : {"leak", "caution", "never"}
            From which status on a result is a failure. What was muted, not applicable or skipped is skipped.

        Raises
        ------
        InputError
            A path that cannot be written, an unknown option.
        """
        from splitleak.rendering.audit_machines import audit_junit

        if fail_on not in FAIL_ON:
            raise unknown_option("fail_on", fail_on, FAIL_ON)
        _check(path, JUNIT)
        body = audit_junit(self._shown(False), fail_on=fail_on)
        return _written(f'<?xml version="1.0" encoding="UTF-8"?>\n{body}', path)

    def to_sarif(
        self, path: PathLike | None = None, *, artifact: str | None = None, all_results: bool = False
    ) -> str:
        """Return the report as SARIF 2.1.0, for code scanning, and write it where `path` is given.

        A leak is an error, a caution a warning (of low severity: a note); columns are logical locations. What was
        clean, not applicable, skipped or muted stands in the properties of the run (``answers``), since code scanning
        of GitHub shows every result as an alert, whatever its kind, and suppressed ones, too.

        Parameters
        ----------
        path : path-like, optional
            File to be written, ending in ``.sarif`` or ``.json``.
        artifact : str, optional
            Path of the data in the repository; code scanning shows results there, and refuses results without a file.
            Default: a file called ``data``.
        all_results : bool
            A result for each probe, of kind ``pass``, ``notApplicable`` or ``open`` where it is no finding, and
            suppressed with its reason where it was muted: for readers that know kinds and suppressions.

        Raises
        ------
        InputError
            A path that cannot be written.
        """
        import splitleak
        from splitleak.rendering.audit_machines import audit_sarif

        _check(path, SARIF)
        log = audit_sarif(
            self._shown(False), version=splitleak.__version__, artifact=artifact, all_results=all_results
        )
        return _written(_json(log), path)

    def _shown(self, show_values: bool) -> dict[str, Any]:
        from splitleak.rendering.audit import prepared

        return dict(prepared(self.summary(), show_values=show_values))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _check(path: PathLike | None, endings: tuple[str, ...]) -> None:
    if path is not None:
        check_writable(path, "path", endings=endings)


def _written(text: str, path: PathLike | None) -> str:
    if path is not None:
        write_text(path, text)
    return text
