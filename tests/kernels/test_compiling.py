"""Compiling is announced once, where progress is shown; without a folder for compiled code the kernels work."""

from __future__ import annotations

import pytest
from numba.core import caching

from splitleak._progress import Progress
from splitleak.kernels import compiling


def kernel(module: str = "splitleak.kernels.added"):
    def plus_one(x):
        return x + 1

    plus_one.__module__ = module
    return plus_one


@pytest.fixture
def fresh(monkeypatch):
    monkeypatch.setattr(compiling, "_told", set())
    monkeypatch.setattr(compiling, "_unkept", [])


@pytest.mark.usefixtures("fresh")
def test_compiling_is_announced_once_where_progress_is_shown(capsys):
    silent = Progress(False)
    assert compiling.njit()(kernel())(1) == 2
    assert capsys.readouterr().err == ""
    del silent
    progress = Progress(True)
    assert compiling.njit()(kernel("numba.something"))(1) == 2
    assert capsys.readouterr().err == ""  # not ours
    assert compiling.njit()(kernel())(1) == 2
    assert capsys.readouterr().err == "compiling the search, once per machine (about 10 s)\n"
    assert compiling.njit()(kernel())(1) == 2
    assert capsys.readouterr().err == ""
    del progress


@pytest.mark.usefixtures("fresh")
def test_a_call_that_has_ended_shows_nothing(capsys):
    Progress(True)
    assert compiling.njit()(kernel())(1) == 2
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("fresh")
def test_without_a_folder_that_can_be_written_kernels_are_not_kept(monkeypatch, capsys):
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    progress = Progress(True)
    assert compiling.njit(cache=True, nogil=True)(kernel())(1) == 2
    assert "in each process anew: no folder for compiled code can be written" in capsys.readouterr().err
    assert compiling.njit(cache=True)(kernel())(2) == 3
    assert capsys.readouterr().err == ""
    del progress


def test_other_errors_of_the_compiler_are_raised(monkeypatch):
    def broken(**options):
        raise RuntimeError("no such option")

    monkeypatch.setattr(compiling.numba, "njit", broken)
    with pytest.raises(RuntimeError, match="no such option"):
        compiling.njit(cache=True)(kernel())
