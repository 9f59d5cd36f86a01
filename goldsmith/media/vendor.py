"""A vendor's ISO, which is not in the lock: found on this machine or fetched, and checked against its sha256."""

from __future__ import annotations

import hashlib
import shutil
from typing import TYPE_CHECKING, Protocol

from goldsmith.errors import CheckError, MissingObjectError, ToolError, UnreachableError
from goldsmith.host import reading
from goldsmith.toolbox.http import BrokenError, GoneError, Http, StartError
from goldsmith.tools import iso9660, netboot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from goldsmith.host.progress import Progress
    from goldsmith.host.workspace import Workspace
    from goldsmith.media.workbench import Workbench
    from goldsmith.model import Iso

SEEN_AS = "/run/vendor"
"""Where the toolbox sees the folder of a vendor's ISO."""
_TRIES = 3
"""How often in a row a source may stop without having told anything new."""
LARGEST = 32_000_000_000
"""No vendor's ISO has more bytes; what goes on may never end."""
_PIECE = 1 << 20
_TELL = 250_000_000
"""Progress is told each time this many bytes have come."""


def file(iso: Iso, work: Workbench) -> Path:
    """Return the vendor's ISO on this machine, fetched where it is an address, whole and the one that is meant.

    Raises ``MissingObjectError`` when there is no such file, and what :func:`fetch` and :func:`check` raise.
    """
    if iso.path is not None:
        found = work.root / "config" / "images" / reading.expanded(iso.path)
    else:
        found = fetch(iso.url, iso.sha256, workspace=work.workspace, progress=work.progress)
    if not found.is_file():
        raise MissingObjectError(
            "the vendor's ISO does not exist",
            where=str(found),
            why=f"iso.path of the image {work.image.name} names it",
            next="correct iso.path (relative to the image's file), or give iso.url",
        )
    check(found, iso.sha256)
    # The toolbox sees the folder of the file, where a link into another folder would point to nothing.
    return found.resolve()


def copy(source: Path, target: Path) -> str:
    """Copy the vendor's ISO into a build's folder, which is what the toolbox sees; return its sha256."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    except OSError as error:
        raise ToolError(
            "the boot medium cannot be written",
            where=str(part),
            why=str(error),
            next="free as much space there as the vendor's ISO takes, and run the same command again",
        ) from None
    finally:
        part.unlink(missing_ok=True)
    return netboot.sha256(target)


def check(file: Path, sha256: str) -> None:
    """Make sure that the vendor's ISO is whole, and the one that is meant. Raises ``CheckError``."""
    with file.open("rb") as stream:
        head = stream.read(iso9660.HEAD)
    try:
        volume = iso9660.volume(head)
    except ValueError as error:
        raise CheckError(
            "the file is not an ISO image", where=str(file), why=str(error), next="name another file"
        ) from None
    size = file.stat().st_size
    if size < volume.size:
        raise CheckError(
            "the vendor's ISO is cut off",
            where=str(file),
            why=f"it has {size} bytes, and says of itself that it has {volume.size}",
            next="fetch it again",
        )
    if (found := netboot.sha256(file)) != sha256:
        raise CheckError(
            "the ISO does not match its pinned sha256",
            where=str(file),
            why=f"sha256 is     {found}\nit must be    {sha256}",
            next="compare both with the vendor's signed list; then correct iso.sha256 in the image's file, or the file",
        )


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
            "the ISO does not match its pinned sha256",
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
                    if size + len(piece) > LARGEST:
                        raise _endless(url, part)
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


def _endless(url: str, part: Path) -> CheckError:
    part.unlink()
    return CheckError(
        "the ISO does not match its pinned sha256",
        where=url,
        why=f"it goes on after {LARGEST / 1e9:.0f} GB, which no ISO has",
        next="check the address: something else may answer there, or on the way",
    )


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
