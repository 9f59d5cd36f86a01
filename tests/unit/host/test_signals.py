"""One signal unwinds; those after it cannot break the clean-up, until somebody insists."""

from __future__ import annotations

import os
import signal
from typing import NoReturn

import pytest

from goldsmith.host.signals import PROCESS, Signals, Terminated


@pytest.mark.usefixtures("as_before")
def test_a_signal_that_the_caller_ignores_stays_ignored(heard: Heard) -> None:
    """`nohup ./inv build` outlives its terminal, and a script's background job its Ctrl-C; before, within and after."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    heard.signals.install()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGTERM) == heard.signals.arrive
    heard.signals.restore()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


class DiedError(Exception):
    """Stands for the end of the process."""


class Heard:
    """Signals that go nowhere but here."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.signals = Signals(say=self.said.append, die=self.die)

    def die(self, number: int) -> NoReturn:
        """End, as far as a test can see."""
        raise DiedError(number)


@pytest.fixture
def heard() -> Heard:
    return Heard()


KINDS = [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated), (signal.SIGHUP, Terminated)]


@pytest.mark.parametrize(("number", "kind"), KINDS)
def test_the_first_signal_unwinds(heard: Heard, number: int, kind: type[BaseException]) -> None:
    """Each kind raises, silently: whoever ends says so, and knows which it was."""
    with pytest.raises(kind) as caught:
        heard.signals.arrive(number)
    assert heard.said == []
    assert getattr(caught.value, "number", signal.SIGINT) == number


@pytest.mark.parametrize("first", [signal.SIGHUP, signal.SIGINT])
def test_a_terminal_that_closes_is_not_impatient(heard: Heard, first: int) -> None:
    """The kernel, the shell and the session's end each send SIGHUP: however many come, the clean-up goes on."""
    with pytest.raises((Terminated, KeyboardInterrupt)):
        heard.signals.arrive(first)
    for _ in range(5):
        heard.signals.arrive(signal.SIGHUP)
    assert heard.said == []
    heard.signals.arrive(signal.SIGTERM)
    with pytest.raises(DiedError):
        heard.signals.arrive(signal.SIGTERM)


def test_the_second_is_ignored_and_the_third_ends_at_once(heard: Heard) -> None:
    """Clean-up survives an impatient second Ctrl-C, of whichever kind; a third is meant."""
    with pytest.raises(KeyboardInterrupt):
        heard.signals.arrive(signal.SIGINT)
    heard.signals.arrive(signal.SIGTERM)
    assert "once more" in heard.said[0]
    with pytest.raises(DiedError):
        heard.signals.arrive(signal.SIGTERM)
    assert "clean" in heard.said[1]


def test_a_signal_waits_for_what_must_not_be_interrupted(heard: Heard) -> None:
    """It raises once the outermost block has come to its end, and is announced at once."""
    done = []

    def work() -> None:
        with heard.signals.held_off():
            with heard.signals.held_off():
                heard.signals.arrive(signal.SIGTERM)
                done.append("inner")
            done.append("outer")

    with pytest.raises(Terminated):
        work()
    assert done == ["inner", "outer"]
    assert len(heard.said) == 1


def test_without_a_signal_nothing_is_held(heard: Heard) -> None:
    """What fails within a block fails as it would without."""
    with pytest.raises(ValueError, match="x"), heard.signals.held_off():
        raise ValueError("x")
    assert heard.said == []


def test_a_word_that_nobody_can_read_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The handler speaks where it interrupts a clean-up: with stderr gone, that goes on all the same."""

    def gone(_descriptor: int, _data: bytes) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(os, "write", gone)
    PROCESS._say("still ending")
