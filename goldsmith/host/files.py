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
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NEXT = {
    **dict.fromkeys(_FULL, "free some space there, then run the same command again: finished stages are not repeated"),
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
    """Let what fails within the block be about *path*. Raises ``FileError`` for an ``OSError``."""
    try:
        yield
    except OSError as error:
        raise _error(error, os.fspath(error.filename or path)) from None


def explained(error: OSError) -> FileError | None:
    """Return what an error that nobody expected says to an operator; nothing where it is about no file, but a bug."""
    if error.errno is None or isinstance(error, ConnectionError | TimeoutError):
        return None
    return _error(error, os.fspath(error.filename) if isinstance(error.filename, str | bytes) else _line(error))


def _error(error: OSError, where: str | bytes) -> FileError:
    return FileError(
        "a file that goldsmith needs cannot be used",
        where=os.fsdecode(where),
        why=error.strerror or str(error),
        next=_NEXT.get(error.errno or 0, _LOOK),
    )


def _line(error: OSError) -> str:
    """Return the line that used the file: writing to a disk that is full names none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    return f"{own[-1].filename}, line {own[-1].lineno}" if own else ""


def read_json(path: Path) -> Any:
    """Return the content of a JSON file that a run left, of whatever kind; nothing where it cannot be read as JSON."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):  # the last is what 100,000 brackets end in
        return None
