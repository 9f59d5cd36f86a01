"""Fetches a vendor's ISO that is not in the lock: one file, named by its image with its sha256."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from goldsmith.errors import CheckError, ToolError, UnreachableError
from goldsmith.toolbox.http import BrokenError, GoneError, Http, StartError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from goldsmith.progress import Progress
    from goldsmith.workspace import Workspace

_TRIES = 3
"""How often in a row a source may stop without having told anything new."""
_PIECE = 1 << 20
_TELL = 250_000_000
"""Progress is told each time this many bytes have come."""


class Resumable(Protocol):
    """Reads addresses, from any byte on; tests have their own."""

    def read(self, url: str, *, start: int = 0) -> Iterator[bytes]:
        """Yield the content of *url* from byte *start* on, in pieces.

        Raises ``GoneError`` when there is none, ``StartError`` when it cannot begin there, and ``BrokenError``
        when it ends too early.
        """
        ...


def fetch(url: str, sha256: str, *, workspace: Workspace, progress: Progress, source: Resumable | None = None) -> Path:
    """Return the file of *url* in the store of downloads, fetched unless it is there; its hash is checked on the way.

    What came before a connection broke is kept, and the next try, or the next run, goes on behind it.
    Raises ``CheckError`` when the address has another file, ``UnreachableError`` when it has none.
    """
    target = workspace.downloads / sha256
    name = f"iso-{sha256[:16]}"
    with workspace.locked(name, on_wait=lambda: progress.note(f"another run fetches {url}; waiting for it")):
        if target.is_file():
            return target
        workspace.downloads.mkdir(parents=True, exist_ok=True)
        part = workspace.downloads / f".partial-{name}"
        progress.note(f"fetching {url}")
        try:
            _fill(part, url, sha256, source or Http(), progress)
        except (GoneError, BrokenError) as error:
            raise _unreachable(url, part, error) from None
        except OSError as error:
            raise ToolError(
                "the vendor's ISO cannot be stored",
                where=str(part),
                why=str(error),
                next="make room there, or name another cache: GOLDSMITH_CACHE_DIR",
            ) from None
        part.chmod(0o644)
        part.replace(target)
    return target


def _fill(part: Path, url: str, sha256: str, source: Resumable, progress: Progress) -> None:
    """Make *part* the whole file. One that does not fit is removed; one that broke off stays."""
    resumed = part.is_file() and part.stat().st_size > 0
    found = _rest(part, url, source, progress)
    if found != sha256 and resumed:
        # What an earlier run left may have been of another file.
        part.unlink()
        found = _rest(part, url, source, progress)
    if found != sha256:
        part.unlink()
        raise CheckError(
            "the vendor's ISO is another one",
            where=url,
            why=f"sha256 is     {found}\nit must be    {sha256}",
            next="compare both with the vendor's signed list; then correct iso.sha256 in the image's file",
        )


def _rest(part: Path, url: str, source: Resumable, progress: Progress) -> str:
    """Fetch what *part* lacks, and return the sha256 of the whole."""
    total, size = _beginning(part)
    farthest, failures, told = size, 0, size
    with part.open("ab") as file:
        while True:
            try:
                for piece in source.read(url, start=size):
                    file.write(piece)
                    total.update(piece)
                    size += len(piece)
                    if size >= told + _TELL:
                        told = size
                        progress.status(f"fetched {size / 1e6:.0f} MB")
            except BrokenError as error:
                failures = 0 if size > farthest else failures + 1
                farthest = max(size, farthest)
                if failures == _TRIES:
                    raise
                if isinstance(error, StartError):
                    file.truncate(0)
                    total, size = hashlib.sha256(), 0
            else:
                return total.hexdigest()


def _beginning(part: Path) -> tuple[hashlib._Hash, int]:
    """Return the hash and the size of what is there of a file already."""
    total, size = hashlib.sha256(), 0
    if part.is_file():
        with part.open("rb") as file:
            while piece := file.read(_PIECE):
                total.update(piece)
                size += len(piece)
    return total, size


def _unreachable(url: str, part: Path, error: Exception) -> UnreachableError:
    size = part.stat().st_size if part.is_file() else 0
    if not size:
        part.unlink(missing_ok=True)
    kept = f"\nwhat came is kept ({size / 1e6:.0f} MB): the next run goes on behind it" if size else ""
    return UnreachableError(
        "the vendor's ISO cannot be fetched",
        where=url,
        why=f"{error}{kept}",
        next="check the address and the proxy, or fetch it by hand and name the file: iso.path",
    )
