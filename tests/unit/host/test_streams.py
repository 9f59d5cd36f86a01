"""Whatever is at the other end of stdout and stderr, writing to them ends nothing; what got lost is known."""

from __future__ import annotations

import io
import os
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import ToolError
from goldsmith.host import streams
from goldsmith.host.progress import Lines, Terminal
from goldsmith.host.streams import Lasting

if TYPE_CHECKING:
    from collections.abc import Iterator


def text(descriptor: int, encoding: str = "utf-8") -> io.TextIOWrapper:
    return io.TextIOWrapper(Lasting(descriptor), encoding, errors="backslashreplace", write_through=True)


@contextmanager
def unread() -> Iterator[int]:
    """A pipe whose reader has gone."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@contextmanager
def hung_up() -> Iterator[int]:
    """A terminal that was closed."""
    control, terminal = os.openpty()
    os.close(control)
    yield terminal
    os.close(terminal)


@contextmanager
def full() -> Iterator[int]:
    """A file on a full disk."""
    descriptor = os.open("/dev/full", os.O_WRONLY)
    yield descriptor
    os.close(descriptor)


@contextmanager
def closed() -> Iterator[int]:
    """A descriptor that the caller has closed."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.close(descriptor)
    yield descriptor


ENDS = {"unread": unread, "hung up": hung_up, "full": full, "closed": closed}


@pytest.mark.parametrize("kind", [Lines, Terminal])
@pytest.mark.parametrize("end", ENDS)
def test_progress_never_fails(end: str, kind: type[Lines]) -> None:
    """Steps, notes and brief states go on around work, around its failure and around its clean-up."""
    done = []
    with ENDS[end]() as descriptor:
        stream = text(descriptor)
        progress = kind(stream)
        with suppress(KeyError), progress.step("base", "the site has none"):
            try:
                progress.note("created")
                progress.status("waiting")
                done.append("work")
                raise KeyError
            finally:
                with progress.step("remove it"):
                    done.append("clean-up")
        stream.flush()
        assert streams.trouble(stream) is not None
    assert done == ["work", "clean-up"]


@pytest.mark.parametrize("end", ["unread", "hung up", "closed"])
def test_a_reader_that_has_gone_is_known(end: str) -> None:
    """Who only prints can end without a word."""
    with ENDS[end]() as descriptor:
        stream = text(descriptor)
        assert not streams.is_unread(stream)
        stream.write("x")
        assert streams.is_unread(stream)


def test_a_full_disk_is_no_reader_that_has_gone() -> None:
    """A result that could not be stored is an error: its file is there, and lacks it."""
    with full() as descriptor:
        stream = text(descriptor)
        stream.write("x")
        with pytest.raises(ToolError, match="could not be written") as caught:
            streams.is_unread(stream)
    assert caught.value.why == "No space left on device"


def test_a_stream_that_works_has_no_trouble() -> None:
    """Nor has one that somebody else, such as a test, put in the place of stdout."""
    reader, writer = os.pipe()
    stream = text(writer)
    stream.write("Büro\n")
    assert os.read(reader, 99) == "Büro\n".encode()
    assert streams.trouble(stream) is None
    assert streams.trouble(io.StringIO()) is None
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize(("encoding", "shown"), [("utf-8", "Büro \\udcff"), ("ascii", "B\\xfcro \\udcff")])
def test_what_an_encoding_lacks_is_shown_escaped(encoding: str, shown: str) -> None:
    """A network called Büro-Netz, and bytes of the environment that are no text, can be printed anywhere."""
    reader, writer = os.pipe()
    text(writer, encoding).write("Büro \udcff")
    assert os.read(reader, 99).decode() == shown
    os.close(reader)
    os.close(writer)


def test_all_of_a_long_text_arrives_through_a_pipe_that_is_often_full() -> None:
    """Others who share a pipe may have made it non-blocking: then one write takes a part, or nothing."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    sent = "0123456789" * 50_000
    thread = threading.Thread(target=text(writer).write, args=(sent,))
    thread.start()
    got = b""
    while len(got) < len(sent):
        got += os.read(reader, 4096)
    thread.join()
    assert got.decode() == sent
    os.close(reader)
    os.close(writer)


def test_the_streams_of_this_process_are_made_to_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that it was started with, also where the caller had closed them; one that was replaced is left alone."""
    replaced = io.StringIO()
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "__stdout__", None)
    monkeypatch.setattr(sys, "stderr", replaced)
    streams.install()
    assert isinstance(sys.stdout.buffer, Lasting)
    assert sys.stderr is replaced
    before = sys.stdout
    streams.install()
    assert sys.stdout is before
