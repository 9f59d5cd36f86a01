"""Signals that end a run: the first one unwinds, no later one breaks the clean-up; and how a thread stops a command."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING, NoReturn, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ENOUGH = 3
"""How many signals end the process at once, whatever it is doing."""


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived; unwinds like ``KeyboardInterrupt`` does, so that every ``with`` cleans up."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number
        """Which of them."""


class Signals:
    """What this process does about SIGINT, SIGTERM and SIGHUP, once :meth:`install` was called.

    The first signal raises in the main thread, or at the end of the
    :meth:`held_off` block it arrives in. The second is ignored with a message,
    because what the first one started is a clean-up. The third ends the process
    where it stands, as kill -9 would.

    A terminal that closes sends SIGHUP more than once, by itself and through its
    shell: nobody is impatient there, so that it counts only where it is the first.
    """

    def __init__(self, *, say: Callable[[str], None], die: Callable[[int], NoReturn]) -> None:
        self._say = say
        self._die = die
        self._arrived = 0
        self._holding = 0
        self._due: int | None = None

    def install(self) -> None:
        """Take over these signals; one that the caller had ignored, as nohup does with SIGHUP, stays ignored."""
        for number in _ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self.arrive)

    @staticmethod
    def restore() -> None:
        """Let these signals end the process as they do by default: there is nothing left to be cleaned up."""
        for number in _ENDING:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)

    def arrive(self, number: int, _frame: FrameType | None = None) -> None:
        """Handle one signal."""
        if self._arrived and number == signal.SIGHUP:
            return
        self._arrived += 1
        if self._arrived >= ENOUGH:
            self._say("left as it is; './inv clean' removes what this run had started")
            self._die(number)
        if self._arrived > 1:
            self._say("still ending what this run started; once more leaves everything as it is")
        elif self._holding:
            self._due = number
            self._say("ending, as soon as this is cleaned up; twice more leaves everything as it is")
        else:
            _raise(number)

    @contextlib.contextmanager
    def held_off(self) -> Iterator[None]:
        """Let what happens in the block come to its end: a signal that arrives in it raises afterwards."""
        self._holding += 1
        try:
            yield
        finally:
            self._holding -= 1
            due = self._due
            if due is not None and not self._holding:
                self._due = None
                _raise(due)


def _raise(number: int) -> NoReturn:
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    raise Terminated(number)


def _say(text: str) -> None:
    # Not by the stream, of which another line may be half written. Nobody may be there to read it: whatever
    # were raised here would break the clean-up that the handler interrupted.
    with contextlib.suppress(OSError):
        os.write(2, f"\n{text}\n".encode())


def _die(number: int) -> NoReturn:
    os._exit(128 + number)


PROCESS = Signals(say=_say, die=_die)
"""The one of this process; inert until installed."""


class Process(Protocol):
    """A program that runs, and leads a process group of its own."""

    @property
    def pid(self) -> int:
        """Its id, and its group's."""
        ...

    def poll(self) -> int | None:
        """Return its status once it has ended."""
        ...


class Stop:
    """Lets another thread interrupt a running command, which then ends as after Ctrl-C: by its own status."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = False
        self._process: Process | None = None

    @property
    def asked(self) -> bool:
        """Whether somebody asked."""
        return self._asked

    def ask(self) -> None:
        """Interrupt the command now, or as soon as it starts."""
        with self._lock:
            self._asked = True
            self._interrupt()

    @contextlib.contextmanager
    def reaching(self, process: Process) -> Iterator[None]:
        """Make *process* the one to interrupt within the block."""
        with self._lock:
            self._process = process
            self._interrupt()
        try:
            yield
        finally:
            with self._lock:
                self._process = None

    def _interrupt(self) -> None:
        if self._asked and self._process is not None and self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGINT)
