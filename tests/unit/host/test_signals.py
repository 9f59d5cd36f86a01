"""One signal unwinds; those after it cannot break the clean-up, until somebody insists."""

from __future__ import annotations

import signal
from typing import NoReturn

import pytest

from goldsmith.host.signals import Signals, Terminated


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


@pytest.mark.parametrize(("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)])
def test_the_first_signal_unwinds(heard: Heard, number: int, kind: type[BaseException]) -> None:
    """Both kinds raise, silently: whoever ends says so."""
    with pytest.raises(kind):
        heard.signals.arrive(number)
    assert heard.said == []


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
