"""What goes into a running program and what comes out of it."""

from __future__ import annotations

import contextlib
import io
import re
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

_CHUNK = 1 << 16
_LINE_END = re.compile(rb"\r?\n|\r(?=[^\n])")
"""A lone carriage return ends a line as well: that is how tools redraw their progress."""


def feed(stdin: IO[bytes] | None, data: bytes | None, ready: threading.Event | None = None) -> None:
    """Write *data* to the child's stdin, once *ready* is set, from a thread: neither side waits for the other."""
    if stdin is None:
        return

    def write() -> None:
        if ready:
            ready.wait()
        # The child may end without reading: that is its own affair, its status tells.
        with contextlib.suppress(BrokenPipeError), stdin:
            stdin.write(data or b"")

    threading.Thread(target=write, daemon=True).start()


def lines(stdout: IO[bytes] | None) -> Iterator[str]:
    """Yield what the child prints, line by line, as it appears."""
    assert isinstance(stdout, io.BufferedReader)  # noqa: S101 - the runner always asks for a pipe
    rest = b""
    while chunk := stdout.read1(_CHUNK):
        *whole, rest = _LINE_END.split(rest + chunk)
        yield from (line.decode(errors="replace") for line in whole)
    if rest:
        yield rest.decode(errors="replace").rstrip("\r")
