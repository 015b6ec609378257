"""Files that appear whole or not at all."""

from pathlib import Path

import pytest

from splitleak import InputError
from splitleak._files import check_folder, check_writable, replacing, write_text


def test_check_writable_names_what_is_wrong(tmp_path: Path) -> None:
    assert check_writable(tmp_path / "a.csv", "--out", endings=(".csv",)) == tmp_path / "a.csv"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match=r"--out='.*a.txt' must end in .csv or .json"):
        check_writable(tmp_path / "a.txt", "--out", endings=(".csv", ".json"))
    with pytest.raises(InputError, match="--out: the folder '.*nowhere' does not exist; make it first"):
        check_writable(tmp_path / "nowhere" / "a.csv", "--out")
    with pytest.raises(InputError, match="must be a file, and a folder of that name exists"):
        check_writable(tmp_path, "--out")


def test_a_folder_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", refuse)
    with pytest.raises(InputError, match="cannot be written .Permission denied.; write elsewhere"):
        check_folder(tmp_path, "--out")


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_text(path, "old\n")

    def interrupted() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
    assert path.read_bytes() == b"old\n"


def test_a_link_keeps_pointing(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")
    write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"
