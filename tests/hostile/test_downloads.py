"""A mirror, or what stands between, may send anything: nothing is unpacked on the way, and no answer fills the disk."""

from __future__ import annotations

import gzip
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import CheckError
from goldsmith.host.redact import Redactor
from goldsmith.host.runner import ProcessRunner
from goldsmith.toolbox import fetch, wheels
from goldsmith.toolbox.http import BrokenError, Http
from goldsmith.toolbox.mirrors import Mirrors
from tests.unit.fakes import FakeProgress
from tests.unit.toolbox import packages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Answer = Callable[[BaseHTTPRequestHandler], None]

ROW = packages.deb_row(b"content")
BOMB = gzip.compress(bytes(1 << 26))
"""64 MB of zeros, in 65 kB."""


@contextmanager
def mirror(answer: Answer) -> Iterator[str]:
    """Yield the address of a mirror that answers every question in one way."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            with_suppressed(lambda: answer(self))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def with_suppressed(write: Callable[[], None]) -> None:
    """Let the reader go away: that is what is wanted of it."""
    try:
        write()
    except (BrokenPipeError, ConnectionResetError):
        return


def compressed(handler: BaseHTTPRequestHandler) -> None:
    """Send little that becomes much, though nobody asked for it."""
    handler.send_header("Content-Encoding", "gzip")
    handler.send_header("Content-Length", str(len(BOMB)))
    handler.end_headers()
    handler.wfile.write(BOMB)


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Send without end; a gigabyte is enough for a test that fails."""
    handler.end_headers()
    for _ in range(1 << 10):
        handler.wfile.write(bytes(1 << 20))


def broken(handler: BaseHTTPRequestHandler) -> None:
    """Promise more than there is."""
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b"x")


@pytest.mark.parametrize("answer", [compressed, endless])
def test_no_answer_fills_the_disk(answer: Answer, tmp_path: Path) -> None:
    """What is longer than the locked file is refused after as many bytes, and nothing of it stays."""
    space = packages.workspace(tmp_path)
    with mirror(answer) as address, pytest.raises(CheckError, match="is not the locked file"):
        fetch.fetch([ROW], workspace=space, mirrors=Mirrors(debian=address), progress=FakeProgress())
    assert list(space.downloads.iterdir()) == []


def test_bytes_arrive_as_they_were_sent() -> None:
    """A file that is compressed itself is not unpacked because its server says so."""
    with mirror(compressed) as address:
        assert b"".join(Http({}).read(address)) == BOMB


def test_a_connection_that_breaks_is_told() -> None:
    """Whatever the library underneath calls it."""
    with mirror(broken) as address, pytest.raises(BrokenError):
        list(Http({}).read(address))


def test_a_login_in_a_mirrors_address_is_not_shown(tmp_path: Path) -> None:
    """Errors name the address; who prints them does so through the filter, which knows any URL's login."""
    space = packages.workspace(tmp_path)
    with mirror(endless) as address:
        there = Mirrors(debian=address.replace("//", "//user:canary-password@"))
        with pytest.raises(CheckError) as caught:
            fetch.fetch([ROW], workspace=space, mirrors=there, progress=FakeProgress())
    assert "canary" in caught.value.render()
    assert "canary" not in Redactor()(caught.value.render())


def test_a_wheel_that_does_not_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pip itself looks at a hash when it has the whole."""
    row = packages.wheel_row(b"wheel", name="pip")

    def index(handler: BaseHTTPRequestHandler) -> None:
        if handler.path.endswith(".whl"):
            endless(handler)
            return
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        handler.wfile.write(f'<a href="/{row.file}#sha256={row.sha256}">{row.file}</a>'.encode())

    with mirror(index) as address:
        for name, value in {"INDEX_URL": address, "EXTRA_INDEX_URL": "", "CONFIG_FILE": "/dev/null"}.items():
            monkeypatch.setenv(f"PIP_{name}", value)
        monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "cache"))
        with pytest.raises(CheckError, match="not the locked one"):
            wheels.fetch([row], folder=tmp_path, runner=ProcessRunner())
    sizes = [file.stat().st_size for file in tmp_path.rglob("*") if file.is_file()]
    assert sum(sizes) < 1 << 28
