"""Logs: files that take lines for as long as they can."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path


class Log:
    """A file that lines are added to within the block.

    A disk that is full ends no installation: the line is dropped, which leaves a gap, and why is kept.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self.trouble: OSError | None = None
        """Why lines are missing; the first reason counts."""

    def __enter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # Not through a link: whoever can place one decides which file grows.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
            self._descriptor = os.open(self._path, flags, 0o644)
        except OSError as error:
            self.trouble = error
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def line(self, text: str) -> None:
        """Add a line, at once and whole, or not at all."""
        if self._descriptor < 0:
            return
        try:
            os.write(self._descriptor, text.encode(errors="backslashreplace") + b"\n")
        except OSError as error:
            self.trouble = self.trouble or error
