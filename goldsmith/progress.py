"""What people see while work goes on: steps with their reason and time, and lines within a step."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import IO, TYPE_CHECKING, Protocol

from goldsmith.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager


class Progress(Protocol):
    """Receives events; how they look is the business of the one who listens."""

    def step(self, name: str, reason: str = "") -> AbstractContextManager[None]:
        """Announce a step, and at its end say how long it took and whether it failed."""
        ...

    def note(self, text: str) -> None:
        """Tell something worth a line that stays."""
        ...

    def status(self, text: str) -> None:
        """Tell what happens at this moment (bytes fetched, a build's step); may be shown briefly or not at all."""
        ...


class Lines:
    """Plain lines, for logs and CI: ``• iso (its inputs changed)`` … ``✓ iso (14s)``."""

    def __init__(
        self, stream: IO[str] | None = None, redact: Redactor | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream or sys.stderr
        self._redact = redact or Redactor()
        self._clock = clock
        self._depth = 0

    @contextlib.contextmanager
    def step(self, name: str, reason: str = "") -> Iterator[None]:
        """Print the step when it starts and when it ends."""
        self._line(f"• {name} ({reason})" if reason else f"• {name}")
        started = self._clock()
        self._depth += 1
        mark = "✗"
        try:
            yield
            mark = "✓"
        finally:
            self._depth -= 1
            self._line(f"{mark} {name} ({self._clock() - started:.1f}s)")

    def note(self, text: str) -> None:
        """Print a line."""
        self._line(text)

    def status(self, text: str) -> None:
        """Print a line as well: a log has no place for what is only brief."""
        self._line(text)

    def _line(self, text: str) -> None:
        for line in self._redact(text).splitlines():
            self._stream.write("  " * self._depth + line + "\n")
        self._stream.flush()
