"""A vendor's ISO over real HTTP: redirected, cut off, resumed, missing, another one, and too large for memory."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar

import pytest

from goldsmith.errors import CheckError, UnreachableError
from goldsmith.host.progress import for_people
from goldsmith.host.redact import Redactor
from goldsmith.host.workspace import Workspace
from goldsmith.media import vendor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PIECE = bytes(range(256)) * 4096
COUNT = 200
"""Pieces of 1 MB that the file has: more than anything here may keep in memory."""
FEW = 8
BROKEN = FEW * len(PIECE) // 2 + 1000
"""Where a connection breaks, and where reading goes on, to the byte."""


class Mirror(BaseHTTPRequestHandler):
    """Serves ``/<pieces>/<how>``."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[tuple[str, str]]]

    def do_GET(self) -> None:
        """Answer."""
        pieces, _, how = self.path.strip("/").partition("/")
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        self.asked.append((how, self.headers.get("Range", "")))
        if how == "moved":
            self._answer(302, 0, {"Location": f"/{pieces}/whole"})
        elif how == "gone":
            self._answer(404, 0, {})
        else:
            self._send(int(pieces) * len(PIECE), start if how != "no-ranges" else 0, how)

    def _send(self, size: int, start: int, how: str) -> None:
        headers = {"Content-Range": f"bytes {start}-{size - 1}/{size}"} if start else {}
        self._answer(206 if start else 200, size - start, headers)
        # A connection that breaks ends in the middle of what it promised.
        end = size // 2 + 1000 if how in {"breaks", "always-breaks", "no-ranges"} and start < size // 2 else size
        if how == "always-breaks":
            end = size // 2 + 1000
        at = start
        while at < end:
            data = PIECE[at % len(PIECE) :][: end - at]
            try:
                self.wfile.write(data)
            except ConnectionError:  # whoever asked has heard enough
                break
            at += len(data)
        self.close_connection = True

    def _answer(self, status: int, length: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length), **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    class Own(Mirror):
        asked: ClassVar[list[tuple[str, str]]] = []

    server = ThreadingHTTPServer(("127.0.0.1", 0), Own)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", Own.asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield the address of a mirror on this machine, which no proxy stands before, and what it was asked."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as served:
        yield served


def sha256(pieces: int) -> str:
    total = hashlib.sha256()
    for _ in range(pieces):
        total.update(PIECE)
    return total.hexdigest()


def fetched(cache: Path, url: str, digest: str) -> Path:
    workspace = Workspace(root=cache, cache=cache)
    return vendor.fetch(url, digest, workspace=workspace, progress=for_people(Redactor()))


def left(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "sha256").iterdir())


@pytest.mark.parametrize(
    ("how", "asked"),
    [
        pytest.param("whole", [""], id="whole"),
        pytest.param("moved", ["", ""], id="redirected"),
        pytest.param("breaks", ["", f"bytes={BROKEN}-"], id="broken and resumed"),
    ],
)
def test_it_arrives(tmp_path: Path, mirror: tuple[str, list[tuple[str, str]]], how: str, asked: list[str]) -> None:
    """Over a redirect as well, and a connection that broke goes on where it broke."""
    url, seen = mirror
    file = fetched(tmp_path, f"{url}/{FEW}/{how}", sha256(FEW))
    assert file.stat().st_size == FEW * len(PIECE)
    assert [ranges for _, ranges in seen] == asked
    assert left(tmp_path) == [sha256(FEW)]


def test_one_that_always_breaks(tmp_path: Path, mirror: tuple[str, list[tuple[str, str]]]) -> None:
    """It is given up, and what came is kept; a mirror that works then gives the rest alone."""
    url, seen = mirror
    with pytest.raises(UnreachableError, match="what came is kept"):
        fetched(tmp_path, f"{url}/{FEW}/always-breaks", sha256(FEW))
    assert left(tmp_path) != [sha256(FEW)]
    seen.clear()
    fetched(tmp_path, f"{url}/{FEW}/whole", sha256(FEW))
    assert [ranges for _, ranges in seen] == [f"bytes={BROKEN}-"]


def test_one_that_cannot_go_on(tmp_path: Path, mirror: tuple[str, list[tuple[str, str]]]) -> None:
    """A mirror without ranges that breaks each time is given up as well."""
    url, seen = mirror
    with pytest.raises(UnreachableError):
        fetched(tmp_path, f"{url}/{FEW}/no-ranges", sha256(FEW))
    assert 1 < len(seen) < 12


@pytest.mark.parametrize(
    ("how", "family", "words"),
    [
        pytest.param("gone", UnreachableError, "HTTP 404", id="not found"),
        pytest.param("whole", CheckError, "does not match its pinned sha256", id="another one"),
    ],
)
def test_it_does_not(
    tmp_path: Path, mirror: tuple[str, list[tuple[str, str]]], how: str, family: type[Exception], words: str
) -> None:
    """Nothing of it is kept."""
    with pytest.raises(family, match=words):
        fetched(tmp_path, f"{mirror[0]}/{FEW}/{how}", "0" * 64)
    assert left(tmp_path) == []


def test_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirror that is down is told as that."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving() as (url, _):
        pass
    with pytest.raises(UnreachableError):
        fetched(tmp_path, f"{url}/1/whole", "0" * 64)


_FETCH = """\
import json, resource, sys
from pathlib import Path
import requests
from goldsmith.host.progress import for_people
from goldsmith.host.redact import Redactor
from goldsmith.media import vendor as vendor_iso
from goldsmith.host.workspace import Workspace
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
url, digest, cache = sys.argv[1:]
before = peak()
workspace = Workspace(root=Path(cache), cache=Path(cache))
vendor_iso.fetch(url, digest, workspace=workspace, progress=for_people(Redactor()))
print(json.dumps(peak() - before))
"""


def test_it_is_never_in_memory(tmp_path: Path, mirror: tuple[str, list[tuple[str, str]]]) -> None:
    """Of a file of 200 MB, a process that fetches it holds a tenth at no moment."""
    argv = (sys.executable, "-c", _FETCH, f"{mirror[0]}/{COUNT}/whole", sha256(COUNT), str(tmp_path))
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout) * 1024 < COUNT * len(PIECE) / 10
