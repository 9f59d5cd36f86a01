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
        self,
        stream: IO[str] | None = None,
        redact: Redactor | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stream = stream or sys.stderr
        self._redact = redact or Redactor()
        self._clock = clock
        self._depth = 0

    @contextlib.contextmanager
    def step(self, name: str, reason: str = "") -> Iterator[None]:
        """Print the step when it starts and when it ends."""
        self._lines(f"• {name} ({reason})" if reason else f"• {name}")
        started = self._clock()
        self._depth += 1
        mark = "✗"
        try:
            yield
            mark = "✓"
        finally:
            self._depth -= 1
            self._lines(f"{mark} {name} ({self._clock() - started:.1f}s)")

    def note(self, text: str) -> None:
        """Print a line."""
        self._lines(text)

    def status(self, text: str) -> None:
        """Print a line as well: a log has no place for what is only brief."""
        self._lines(text)

    def _lines(self, text: str) -> None:
        for line in self._redact(text).splitlines():
            self.write("  " * self._depth + line)

    def write(self, line: str) -> None:
        """Put one finished line out; a terminal overrides this."""
        self.stream.write(line + "\n")
        self.stream.flush()


class Terminal(Lines):
    """Lines with colour, and what is only brief on one line that moves; for people at a terminal."""

    def __init__(self, stream: IO[str] | None = None, redact: Redactor | None = None) -> None:
        from rich.console import Console

        super().__init__(stream, redact)
        self._console = Console(file=self.stream, highlight=False)
        self._spinner = self._console.status("")

    @contextlib.contextmanager
    def step(self, name: str, reason: str = "") -> Iterator[None]:
        """Show the step, and a spinner with its name until something more precise is known."""
        with super().step(name, reason):
            self._spinner.update(name)
            if self._depth == 1:
                self._spinner.start()
            try:
                yield
            finally:
                if self._depth == 1:
                    self._spinner.stop()

    def status(self, text: str) -> None:
        """Show *text* until the next one."""
        from rich.text import Text

        self._spinner.update(Text(self._redact(text).splitlines()[-1] if text else ""))

    def write(self, line: str) -> None:
        """Print a line above the spinner, its mark in colour."""
        from rich.text import Text

        styles = {"✓": "green", "✗": "bold red", "•": "bold"}
        self._console.print(Text(line, style=styles.get(line.lstrip()[:1], "")), soft_wrap=True)


def for_people(redact: Redactor, stream: IO[str] | None = None) -> Progress:
    """Return what suits *stream* (stderr): colours and a spinner on a terminal, plain lines elsewhere."""
    target = stream or sys.stderr
    return Terminal(target, redact) if target.isatty() else Lines(target, redact)
