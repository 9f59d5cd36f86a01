"""However a verb ends, its exit code says so, and a reader that went away changes only the code of one that prints."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from goldsmith.errors import ConfigurationError, Exit
from goldsmith.host.signals import Terminated
from goldsmith.host.streams import Lasting
from goldsmith.verbs.ending import carry_out

if TYPE_CHECKING:
    from collections.abc import Callable

    from goldsmith.verbs.flags import Request


pytestmark = pytest.mark.usefixtures("as_before")


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return what carries out a verb that does no more than a function says."""

    def end(body: Callable[[Request], object], *, looks: bool = False, **given: Any) -> int:
        room = ModuleType("goldsmith.verbs.room")
        vars(room)["verb"] = body
        monkeypatch.setitem(sys.modules, room.__name__, room)
        return carry_out("room", "verb", given, looks=looks)

    return end


def raising(error: BaseException) -> Callable[[Request], object]:
    def body(_request: Request) -> None:
        raise error

    return body


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ConfigurationError("there is no site x", next="correct it"), 2, "what:  there is no site x\nnext:"),
        (KeyboardInterrupt(), 130, "interrupted: everything"),
        (Terminated(signal.SIGTERM), 143, "terminated: everything"),
        (Terminated(signal.SIGHUP), 129, "hung up: everything"),
        (OSError(errno.ENOSPC, "No space left on device", "/x"), 4, "where: /x\nwhy:   No space left on device"),
    ],
    ids=["error", "SIGINT", "SIGTERM", "SIGHUP", "disk"],
)
def test_an_end_has_its_code_and_its_words(
    ends: Callable[..., int], capsys: pytest.CaptureFixture[str], error: BaseException, code: int, words: str
) -> None:
    """The four parts of an error, or one line for a signal; no traceback."""
    assert ends(raising(error)) == code
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ""


def test_a_bug_keeps_its_traceback(ends: Callable[..., int]) -> None:
    """Also an error of the network that nobody has turned into words."""
    for bug in (KeyError("x"), ConnectionResetError(errno.ECONNRESET, "reset")):
        with pytest.raises(type(bug)):
            ends(raising(bug))


UNREAD = {
    "build": ({}, False, Exit.DONE),
    "config": ({}, True, Exit.UNREAD),
    "verify --json": ({"json": True}, False, Exit.UNREAD),
    "build --dry-run": ({"dry_run": True}, False, Exit.UNREAD),
}


@pytest.mark.parametrize("verb", UNREAD)
def test_a_reader_that_went_away(
    ends: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    verb: str,
) -> None:
    """What works ends as its work did; what only prints ends as any program does that nobody listens to: silently."""
    given, looks, code = UNREAD[verb]
    reader, writer = os.pipe()
    os.close(reader)
    monkeypatch.setattr(sys, "stdout", _text(writer))
    done = []

    def body(_request: Request) -> None:
        sys.stdout.write("name\n")
        done.append("everything")

    assert ends(body, looks=looks, **given) == code
    assert done == ["everything"]
    assert capsys.readouterr().err == ""
    assert ends(raising(ConfigurationError("x")), looks=looks, **given) == Exit.CONFIGURATION
    os.close(writer)


def test_a_result_that_a_full_disk_does_not_take_is_an_error(
    ends: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever redirected it would take an empty file for the answer."""
    full = os.open("/dev/full", os.O_WRONLY)
    monkeypatch.setattr(sys, "stdout", _text(full))
    assert ends(lambda _: sys.stdout.write("name\n")) == Exit.TOOL
    assert "could not be written" in capsys.readouterr().err
    os.close(full)


def _text(descriptor: int) -> io.TextIOWrapper:
    return io.TextIOWrapper(Lasting(descriptor), "utf-8", write_through=True)
