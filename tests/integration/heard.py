"""A verb whose output somebody reads, through a pipe or at a terminal, and who goes away before it ends."""

from __future__ import annotations

import os
import select
import subprocess
import threading
from typing import TYPE_CHECKING

from tests.integration.conftest import DEFAULT_SIGNALS, INVOKE

if TYPE_CHECKING:
    from tests.integration.conftest import Operator

_LOOK = 0.05
"""Seconds until the reader sees that it is to go."""


class Heard:
    """A verb that runs in a process group of its own, and its reader.

    At a *terminal* it leads the session: closing the terminal sends it SIGHUP, and fails all that it writes.
    """

    def __init__(self, operator: Operator, *argv: str, terminal: bool = False) -> None:
        self._ours, theirs = os.openpty() if terminal else os.pipe()
        under = ("setsid", "--ctty") if terminal else ()
        self.process = subprocess.Popen(
            (*under, *DEFAULT_SIGNALS, str(INVOKE), "--search-root", str(operator.root), *argv),
            env={**operator.environment, "TERM": "xterm"},
            cwd=operator.root,
            stdin=theirs if terminal else subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            start_new_session=not terminal,
        )
        os.close(theirs)
        self._said = b""
        self._heard = threading.Event()
        self._gone = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def said(self) -> str:
        """What was read."""
        return self._said.decode(errors="replace")

    def leave(self, lines: int = 3) -> None:
        """Read some lines, as ``head`` does, and go away."""
        while self.said.count("\n") < lines:
            assert self._thread.is_alive(), self.said
            self._heard.wait(_LOOK)
            self._heard.clear()
        self._gone.set()
        self._thread.join()

    def end(self, seconds: float = 120) -> int:
        """Wait until it has ended, and return its exit code."""
        return self.process.wait(seconds)

    def _listen(self) -> None:
        try:
            while not self._gone.is_set():
                # Nobody else's read may hold the pipe open when it is to be closed.
                if not select.select((self._ours,), (), (), _LOOK)[0]:
                    continue
                data = os.read(self._ours, 1 << 16)
                if not data:
                    return
                self._said += data
                self._heard.set()
        except OSError:  # a terminal whose last program has ended
            return
        finally:
            os.close(self._ours)
