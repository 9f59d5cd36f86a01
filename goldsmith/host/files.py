"""Files of our own that cannot be used: what the system says becomes an error in four parts, here and nowhere else."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldsmith.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Iterator

_PACKAGE = Path(__file__).resolve().parents[1]
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says of a file that cannot grow."""
_NEXT = {
    **dict.fromkeys(FULL, "free some space there, then run the same command again: finished stages are not repeated"),
    errno.ELOOP: "remove it: a symbolic link is not followed where goldsmith writes",
}
_LOOK = (
    "let this user read and write there, then run the same command again;\n"
    "GOLDSMITH_CACHE_DIR names another folder for the cache"
)


class FileError(ToolError):
    """A file of goldsmith's own - a build's, the cache's - cannot be read or written."""


@contextlib.contextmanager
def ours(path: Path) -> Iterator[None]:
    """Let what fails within the block be about *path*. Raises ``FileError`` for an ``OSError`` about a file."""
    try:
        yield
    except OSError as error:
        if found := explained(error, str(path)):
            raise found from None
        raise


def explained(error: OSError, where: str = "") -> FileError | None:
    """Return what an error says to an operator; nothing where it is about no file.

    *where* is the place where the system names none, else the line of ours at which it happened.
    """
    if error.errno is None or isinstance(error, ConnectionError | TimeoutError):
        return None
    named = isinstance(error.filename, str | bytes)
    return FileError(
        "no space is left" if error.errno in FULL else "a file that goldsmith needs cannot be used",
        where=os.fsdecode(error.filename) if named else where or _line(error),
        why=error.strerror or str(error),
        next=_NEXT.get(error.errno, _LOOK),
    )


def _line(error: OSError) -> str:
    """Return the line that used the file: writing to a disk that is full names none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    return f"{own[-1].filename}, line {own[-1].lineno}" if own else ""


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file that a run left; an empty one where the file is missing or something else."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):  # the last is what 100,000 brackets end in
        return {}
    return found if isinstance(found, dict) else {}
