"""stdout and stderr that outlive their reader: what nobody takes any more is dropped, and why is remembered."""

from __future__ import annotations

import io
import os
import select
import sys
from typing import TYPE_CHECKING, TextIO

from goldsmith.errors import ToolError
from goldsmith.host.files import FULL

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class Lasting(io.BufferedIOBase):
    """A descriptor that can always be written to.

    A progress line stands between any two steps of a build and of its clean-up: if writing one could
    fail - ``| head``, a terminal that was closed, a log on a full disk - it would break either.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self.trouble: OSError | None = None
        """Why something was dropped; the first reason counts."""

    @property
    def name(self) -> int:
        """What Python calls a file that it did not open by a name."""
        return self._descriptor

    def writable(self) -> bool:
        """Return that this takes data."""
        return True

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return whether somebody sits at the other end."""
        return os.isatty(self._descriptor)

    def write(self, data: ReadableBuffer) -> int:
        """Write all of *data*, or as much as is taken."""
        rest = memoryview(data).cast("B")
        size = len(rest)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:  # whoever shares the pipe or terminal made it non-blocking
                select.select((), (self._descriptor,), ())
            except OSError as error:
                self.trouble = self.trouble or error
                break
        return size


def install() -> None:
    """Make this process's stdout and stderr last; those that somebody else replaced stay as they are."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is getattr(sys, f"__{name}__"):
            setattr(sys, name, _text(descriptor, getattr(sys, name)))


def _text(descriptor: int, like: TextIO | None) -> TextIO:
    encoding = like.encoding if like else "utf-8"  # there is none when the caller closed the descriptor
    # What an encoding lacks is shown escaped. Written through: a signal handler may interrupt a write at any
    # moment, and a buffer refuses to be entered twice.
    return io.TextIOWrapper(Lasting(descriptor), encoding, errors="backslashreplace", write_through=True)


def trouble(stream: TextIO) -> OSError | None:
    """Return why something written to *stream* did not arrive, if that happened."""
    raw = getattr(stream, "buffer", None)
    return raw.trouble if isinstance(raw, Lasting) else None


def is_unread(stream: TextIO) -> bool:
    """Return whether the reader of *stream* has gone; raises ``ToolError`` where the stream's file is full instead."""
    lost = trouble(stream)
    if lost is None:
        return False
    if lost.errno not in FULL:  # then nobody is at the other end
        return True
    raise ToolError(
        "the result could not be written",
        where="stdout",
        why=str(lost.strerror),
        next="free some space where it is redirected to; what was done is done ('./inv templates' lists what there is)",
    )
