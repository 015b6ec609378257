"""splitleak.datasets: fetched once, checked, read from a local folder; a clear error offline."""

from __future__ import annotations

import functools
import hashlib
import http.server
import os
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from splitleak import datasets
from splitleak.errors import InputError


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """Serve a folder on this machine; return its address, the folder, and the paths that were asked for."""
    folder = tmp_path / "served"
    folder.mkdir()
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    httpd = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=str(folder))
    )
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}/{{path}}", folder, asked
    httpd.shutdown()
    httpd.server_close()


def serve(monkeypatch: pytest.MonkeyPatch, server: tuple, name: str, content: bytes) -> list[str]:
    address, folder, asked = server
    monkeypatch.delenv(datasets.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(datasets, "_ORIGIN", address)
    file = datasets.FILES[name]
    (folder / "file").write_bytes(content)
    here = replace(file, path="file", sha256=hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(datasets.FILES, name, here)
    return asked


def test_a_file_is_fetched_once(server: tuple, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = serve(monkeypatch, server, "sms_spam", b'ham\tsee "you" at 5\nspam\tWIN a NA prize\n')
    for _ in range(2):
        df = datasets.fetch_sms_spam(data_home=tmp_path / "home")
        assert df.values.tolist() == [["ham", 'see "you" at 5'], ["spam", "WIN a NA prize"]]
    assert len(asked) == 1


def test_other_content_is_refused(server: tuple, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    serve(monkeypatch, server, "sms_spam", b"ham\tone\n")
    (server[1] / "file").write_bytes(b"ham\tother\n")
    with pytest.raises(InputError, match="SHA256 hash"):
        datasets.fetch_sms_spam(data_home=tmp_path / "home")
    assert not list((tmp_path / "home").rglob("sms.tsv"))


def test_offline_says_where_to_put_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(datasets.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(datasets, "_ORIGIN", "http://127.0.0.1:9/{path}")
    with pytest.raises(InputError, match=r"Put the file there yourself: .*sms\.tsv") as caught:
        datasets.fetch_sms_spam(data_home=tmp_path)
    assert "SPLITLEAK_DATA" in str(caught.value)


def test_a_zip_and_a_fasta_are_read(server: tuple, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "tweets.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("lab_targetLeakage/data/tweets.csv", "handle,text\na,hello\n")
    serve(monkeypatch, server, "election_tweets", path.read_bytes())
    assert datasets.fetch_election_tweets(data_home=tmp_path / "one").handle.tolist() == ["a"]
    serve(
        monkeypatch,
        server,
        "deeploc_proteins",
        b">P1|label=Nucleus\nMKV\nLAA\n>P2|label=Cell.membrane\nMAA\n",
    )
    df = datasets.fetch_deeploc_proteins(data_home=tmp_path / "two")
    assert df.values.tolist() == [["P1", "Nucleus", "MKVLAA"], ["P2", "Cell.membrane", "MAA"]]


@pytest.mark.skipif(datasets.FOLDER_VARIABLE not in os.environ, reason="$SPLITLEAK_DATA is not set")
@pytest.mark.parametrize(
    ("fetch", "rows", "column"),
    [
        (datasets.fetch_election_tweets, 6444, "handle"),
        (datasets.fetch_sms_spam, 5574, "label"),
        (datasets.fetch_bank_marketing, 4119, "y"),
        (datasets.fetch_deeploc_proteins, 2773, "location"),
    ],
)
def test_the_real_files_are_what_the_docstrings_say(fetch, rows: int, column: str) -> None:
    df = fetch()
    assert len(df) == rows
    assert column in df


@pytest.mark.skipif(datasets.FOLDER_VARIABLE not in os.environ, reason="$SPLITLEAK_DATA is not set")
@pytest.mark.parametrize("name", datasets.FILES)
def test_the_digests_are_those_of_the_files(name: str) -> None:
    content = datasets.local_path(name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == datasets.FILES[name].sha256
