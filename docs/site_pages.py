"""What MkDocs builds beside the hand-written pages: one page a probe, the facts of each backend, commands, names.

A hook of MkDocs (https://www.mkdocs.org/user-guide/configuration/#hooks), see mkdocs.yml.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import io
import re
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

import splitleak
from splitleak.leakage import LIMITS
from splitleak.probes.base import Probe, get_probe, probe_codes
from splitleak.similarity.base import Backend, backend_names, get_backend

HERE = Path(__file__).parent
REPOSITORY = HERE.parent

FAMILIES = {
    "SPL1": "No clean separation of training and test",
    "SPL2": "Features that are not legitimate",
    "SPL3": "The held-out rows are not what will be met",
    "SPL4": "The sets cannot carry the claim",
}
NEEDS = {
    "split": "a split",
    "target": "a target",
    "classes": "a target with classes",
    "time": "a declared time (`time=`)",
    "groups": "declared groups (`groups=`)",
    "pipeline": "a fitted transformer (`pipeline=`)",
    "raw": "the table before preprocessing (`raw=`)",
    "texts": "a column of texts",
    "images": "images",
    "ledger": "a record of earlier uses (`ledger=`)",
}
EXTRAS = {  # backends that need more than the plain installation
    "alignment": "none; `sequence` for matrices by name, `mmseqs` for that engine",
    "tanimoto": "`molecule`",
    "pixels": "`image`",
    "phash": "`image`",
    "image-embedding": "`image`; `torch` or `onnx` for such encoders",
    "embedding": "none; `embedding` for encoders of torch",
    "embedding-faiss": "none; `embedding` for encoders of torch",
}
API = {
    "Splitting": [
        "split_by_similarity", "fold_by_similarity", "split_interactions", "repair", "extend", "deduplicate",
        "threshold_curve", "StratifyBy",
    ],
    "Checking": ["certify", "compare_splits", "scaled_leakage", "leakage_report", "probe", "doctor"],
    "Similarity": [
        "similarity_graph", "similarity_backend", "embedding", "image_embedding", "precomputed", "view", "scaffolds",
        "contact_sheet",
    ],
    "Results": [
        "Split", "Folds", "InteractionSplit", "Certificate", "SimilarityGraph", "SplitComparison", "Leakage",
        "ThresholdCurve", "LeakageReport", "ProbeResult", "Finding", "AuditContext",
    ],
    "scikit-learn": ["SimilarityKFold", "StratifiedSimilarityKFold", "SimilarityShuffleSplit"],
    "Errors": [
        "SplitleakError", "InputError", "DataMismatchError", "MissingDependencyError", "InfeasibleSplitError",
        "LeakageError", "SplitleakWarning", "NotApplicable", "Skipped",
    ],
    "Modules": ["datasets", "planting", "testing"],
}  # fmt: skip

PREAMBLE = """\
import numpy as np
import splitleak
from sklearn.datasets import load_breast_cancer

table = load_breast_cancer(as_frame=True).frame
rng = np.random.default_rng(0)
table["ward"] = rng.choice(["a", "b", "c"], len(table))
fold = rng.choice(["train", "train", "train", "test"], len(table))
"""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the sections of the navigation that follow the registries."""
    sections = {
        "Probes": ["probes/index.md", *(f"probes/{code}.md" for code in codes())],
        "Similarities": ["backends/index.md", *(f"backends/{name}.md" for name in names())],
        "API": [{title: f"api/{_slug(title)}.md"} for title in API],
    }
    config.nav = [
        {title: sections.get(title, value)} for entry in config.nav or [] for title, value in entry.items()
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    for path, text in generated():
        files.append(File.generated(config, path, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Complete hand-written pages: the beginning of the README, the facts of a backend."""
    if page.file.src_uri == "index.md":
        return markdown.replace("<!-- the beginning of README.md -->", readme_beginning())
    folder, _, name = page.file.src_uri.removesuffix(".md").partition("/")
    if folder == "backends" and name != "index":
        return f"{markdown}\n{backend_facts(get_backend(name))}"
    return markdown


def codes() -> list[str]:
    """Return the codes of our own probes."""
    return [code for code in probe_codes() if code.startswith("SPL")]


def names() -> list[str]:
    """Return the names of our own backends."""
    return [
        name for name in backend_names() if get_backend(name).function.__module__.startswith("splitleak.")
    ]


def generated() -> Iterator[tuple[str, str]]:
    """Yield path and text of each page that is not written by hand."""
    notes = tomllib.loads((HERE / "probes.toml").read_text("utf-8"))
    yield "probes/index.md", probe_index()
    for code in codes():
        yield f"probes/{code}.md", probe_page(get_probe(code), notes[code])
    yield "backends/index.md", backend_index()
    yield "command-line.md", command_page()
    for title, members in API.items():
        yield f"api/{_slug(title)}.md", api_page(title, members)


def readme_beginning() -> str:
    """Return the README from below its title to the first subsection."""
    text = (REPOSITORY / "README.md").read_text("utf-8")
    return text.partition("\n### ")[0].partition("\n")[2]


def probe_index() -> str:
    """Return the table of all probes, family by family."""
    lines = [
        "# Probes",
        "",
        "Each selected probe gives exactly one answer: leak, caution, clean, not applicable or skipped."
        " [What these mean](../audit.md). The families follow Kapoor and Narayanan, *Leakage and the reproducibility"
        " crisis in machine-learning-based science*, Patterns 2023.",
    ]
    for family, title in FAMILIES.items():
        lines += ["", f"## {family}xx: {title}", "", "| code | what it finds | needs |", "|---|---|---|"]
        for code in codes():
            if code.startswith(family):
                probe = get_probe(code)
                lines.append(
                    f"| [{code}]({code}.md) | {probe.title} | {', '.join(probe.needs) or 'a table'} |"
                )
    return "\n".join(lines) + "\n"


def probe_page(probe: Probe, notes: dict[str, Any]) -> str:
    """Return the page of one probe, with what the report says of a table in which it fires."""
    module = importlib.import_module(probe.function.__module__)
    how = [(module.__doc__ or "").partition(": ")[2].strip(), inspect.getdoc(probe.function) or ""]
    limits = [f"`{name}`: {LIMITS[name]}" for name in notes.get("limits", [])]
    example = probe_example(probe.code, notes)
    return "\n\n".join(
        [
            f"# {probe.code}: {probe.title}",
            "## Why it matters",
            probe.why,
            "## How it is detected",
            _sentence(how[0]),
            how[1],
            f"**What bounds false alarms.** {probe.bound}",
            "## What to do",
            notes["do"],
            "## Parameters and limits",
            f"* Needs {' and '.join(NEEDS[need] for need in probe.needs)}.",
            "* Alone: `leakage_report(..., probes=[\"" + probe.code + "\"])`; set aside with a reason:"
            " `ignore={\"" + probe.code + '": "why"}`.',
            "* Conventions, changed by `limits={...}`: " + ", ".join(limits) + "."
            if limits
            else "* No convention of `limits=` applies.",
            "## A table in which it fires",
            f"```python\n{example}```",
            f"```text\n{printed(example)}\n```",
            "## Source",
            f"`{Path(inspect.getfile(probe.function)).relative_to(REPOSITORY).as_posix()}`",
            f"::: {probe.function.__module__}.{probe.function.__name__}\n"
            "    options:\n      show_root_heading: false\n      show_docstring_description: false\n"
            "      show_source: true",
        ]
    )  # fmt: skip


def probe_example(code: str, notes: dict[str, Any]) -> str:
    """Return Python that makes a leak and reports it."""
    if "planted" in notes:
        kind = notes["planted"]
        told = "".join(f', {n}=leak.extra["{n}"]' for n in get_probe(code).needs if n in ("time", "groups"))
        make = "from splitleak.planting import plant\n\n"
        make += f'leak = plant("{kind}", table, "target", fold, strength="strong")\n'
        arguments = f'split=leak.split, target="target"{told}'
        data = "leak.table"
    else:
        make, arguments, data = notes["make"].lstrip("\n"), notes["arguments"], "data"
    call = f'report = splitleak.leakage_report({data}, {arguments}, probes=["{code}"], impact=False)\n'
    indent = "    " if notes.get("inside") else ""
    return f"{PREAMBLE}\n{make}{indent}{call}print(report)\n"


def printed(code: str) -> str:
    """Run Python and return what it prints, without the list of what was not checked."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(compile(code, "docs", "exec"), {"__name__": "docs"})
    return out.getvalue().partition("\nNot checked:")[0].strip()


def backend_index() -> str:
    """Return the table of all backends."""
    lines = [
        "# Similarities",
        "",
        "`similarity=` names one of these, with options as in `\"jaccard(unit=word, n=3)\"`; `auto` chooses by kind of"
        " data and size, and records what and why. [Which one do I need?](../which-split.md)",
        "",
        "| name | rows | default threshold | search |",
        "|---|---|---|---|",
    ]  # fmt: skip
    for name in names():
        backend = get_backend(name)
        lines.append(
            f"| [{name}]({name}.md) | {_kinds(backend)} | {backend.threshold:g} | {_search(backend)} |"
        )
    return "\n".join(lines) + "\n"


def backend_facts(backend: Backend) -> str:
    """Return what the registry and the signature say of a backend."""
    public = f"splitleak.{backend.function.__name__}"
    place = f"{backend.function.__module__}.{backend.function.__name__}"
    if backend.given:
        place = public = f"splitleak.{backend.name}"
    options = [f"`{option}`" for option in _options(backend)]
    return "\n".join(
        [
            "## Parameters and limits",
            "",
            f"* Rows: {_kinds(backend)}.",
            f"* Default threshold: {backend.threshold:g} (inclusive, in (0, 1]).",
            f"* Search: {_search(backend)}.",
            f"* Options: {', '.join(options) or 'none'}.",
            f"* Extra: {EXTRAS.get(backend.name, 'none')}.",
            *(
                [f"* From Python also `{public}(...)`."]
                if hasattr(splitleak, public.partition(".")[2])
                else []
            ),
            "",
            "## Reference and source",
            "",
            f"`{Path(inspect.getfile(backend.function)).relative_to(REPOSITORY).as_posix()}`",
            "",
            f"::: {place}",
            "    options:",
            "      show_root_heading: false",
            "      show_source: true",
            "",
        ]
    )


def command_page() -> str:
    """Return the options of each command, as `--help` tells them."""
    import typer

    from splitleak.cli import __doc__ as about
    from splitleak.cli import app

    parts = ["# Command line", (about or "").partition("\n\n")[2].strip()]
    for name, command in typer.main.get_command(app).commands.items():  # type: ignore[attr-defined]
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        usage = " ".join([f"splitleak {name} [OPTIONS]", *map(_written, arguments)])
        parts += [f"## {name}", inspect.cleandoc(command.help or ""), f"```text\n{usage}\n```"]
        rows = [f"| `{_written(p)}` | {_cell(getattr(p, 'help', None) or '')} |" for p in command.params]
        parts.append("\n".join(["| option | |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def api_page(title: str, members: list[str]) -> str:
    """Return a page of the reference."""
    blocks = [f"::: splitleak.{name}" for name in members]
    return "\n\n".join([f"# {title}", *blocks]) + "\n"


def _options(backend: Backend) -> list[str]:
    if backend.given:
        return ["see below"]
    known = inspect.signature(backend.function).parameters
    return [f"{n}={known[n].default!r}" if n in known else n for n in backend._option_names()]


def _kinds(backend: Backend) -> str:
    return ", ".join(sorted(backend.kinds))


def _search(backend: Backend) -> str:
    if backend.given:
        return "as complete as what is given"
    return "exact, no pair is missed" if backend.exact else "approximate, recall measured and stated"


def _written(parameter: Any) -> str:
    if parameter.param_type_name != "argument":
        return ", ".join([*parameter.opts, *parameter.secondary_opts])
    name = str(parameter.name).upper() + ("..." if parameter.nargs == -1 else "")
    return name if parameter.required else f"[{name}]"


def _sentence(text: str) -> str:
    return text[:1].upper() + " ".join(text.split())[1:]


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("[", "\\[").replace("<", "&lt;")


def _slug(title: str) -> str:
    return title.lower().replace(" ", "-")
