"""What people see while work goes on: steps with their reason and time, and lines within a step."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Protocol

from goldsmith import terminal
from goldsmith.host.logs import Log
from goldsmith.host.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from rich.text import Text


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

    def kept(self, path: Path) -> AbstractContextManager[None]:
        """Keep within the block what stays also in the file *path*, and how the block ended; some readers go away."""
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
        self._log: Log | None = None

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
        """Print a line as well: what goes into a file or a CI job has no place for what is only brief."""
        for line in self._indented(text):
            self.write(line)

    @contextlib.contextmanager
    def kept(self, path: Path) -> Iterator[None]:
        """Add each line that stays to a log, with the time and without colour."""
        outer = self._log
        with Log(path) as log:
            self._log = log
            try:
                yield
            except BaseException as error:
                self._keep(self._redact(str(error)) or type(error).__name__)
                raise
            finally:
                self._log = outer

    def _lines(self, text: str) -> None:
        for line in self._indented(text):
            self.write(line)
            self._keep(line)

    def _indented(self, text: str) -> Iterator[str]:
        for line in self.shown(text).split("\n") if text else ():
            yield "  " * self._depth + line

    def _keep(self, text: str) -> None:
        if self._log is not None:
            now = datetime.now(UTC).strftime("%H:%M:%S")
            for line in text.splitlines():
                self._log.line(f"{now} {line}")

    def shown(self, text: str) -> str:
        """Return *text* as it may be put out: without secrets, and without anything that controls a terminal."""
        return terminal.lines(self._redact(text).strip("\n"))

    def write(self, line: str) -> None:
        """Put one finished line out; a terminal overrides this."""
        self.stream.write(line + "\n")
        self.stream.flush()


class Folding(Lines):
    """Plain lines whose outermost steps can be folded in a CI job's log: each kind of CI has its own marks."""

    @contextlib.contextmanager
    def step(self, name: str, reason: str = "") -> Iterator[None]:
        """Wrap an outermost step's lines into what can be folded."""
        with contextlib.nullcontext() if self._depth else self._folded(name, reason), super().step(name, reason):
            yield

    def _folded(self, name: str, reason: str) -> AbstractContextManager[None]:
        raise NotImplementedError


class GitLab(Folding):
    """Folds into the sections of a GitLab job's log."""

    _sections = 0

    @contextlib.contextmanager
    def _folded(self, name: str, _reason: str) -> Iterator[None]:
        # A section's name must be its own within the log, and may hold few characters.
        self._sections += 1
        section = f"{re.sub(r'[^A-Za-z0-9_.-]+', '_', self._redact(name))}_{self._sections}"
        self._mark("start", section)
        try:
            yield
        finally:
            self._mark("end", section)

    def _mark(self, what: str, section: str) -> None:
        self.stream.write(f"\x1b[0Ksection_{what}:{int(self._time())}:{section}\r\x1b[0K")
        self.stream.flush()

    @staticmethod
    def _time() -> float:
        return time.time()


class GitHub(Folding):
    """Folds into the groups of a GitHub workflow's log, which do not nest."""

    @contextlib.contextmanager
    def _folded(self, name: str, reason: str) -> Iterator[None]:
        title = self.shown(f"{name} ({reason})" if reason else name).replace("\n", " ")
        self.write(f"::group::{title}")
        try:
            yield
        finally:
            self.write("::endgroup::")


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
            self._spinner.update(self._text(name))
            if self._depth == 1:
                self._spinner.start()
            try:
                yield
            finally:
                if self._depth == 1:
                    self._spinner.stop()

    def status(self, text: str) -> None:
        """Show *text* until the next one."""
        self._spinner.update(self._text(text))

    def _text(self, text: str) -> Text:
        """Return the last line of *text*, in which no bracket is markup."""
        from rich.text import Text

        return Text(self.shown(text).rpartition("\n")[2])

    def write(self, line: str) -> None:
        """Print a line above the spinner, its mark in colour."""
        from rich.text import Text

        styles = {"✓": "green", "✗": "bold red", "•": "bold"}
        self._console.print(Text(line, style=styles.get(line.lstrip()[:1], "")), soft_wrap=True)


def for_people(
    redact: Redactor, stream: IO[str] | None = None, environment: Mapping[str, str] = os.environ
) -> Progress:
    """Return what suits *stream* (stderr): colour on a terminal, groups to fold in a CI job, else plain lines."""
    target = stream or sys.stderr
    if target.isatty():
        return Terminal(target, redact)
    if environment.get("GITLAB_CI"):
        return GitLab(target, redact)
    if environment.get("GITHUB_ACTIONS"):
        return GitHub(target, redact)
    return Lines(target, redact)
