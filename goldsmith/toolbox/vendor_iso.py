"""Fetches a vendor's ISO that is not in the lock: one file, named by its image with its sha256."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError, UnreachableError
from goldsmith.toolbox.http import BrokenError, GoneError, Http, Source

if TYPE_CHECKING:
    from goldsmith.progress import Progress
    from goldsmith.workspace import Workspace


def fetch(url: str, sha256: str, *, workspace: Workspace, progress: Progress, source: Source | None = None) -> Path:
    """Return the file of *url* in the store of downloads, fetched unless it is there; its hash is checked on the way.

    Raises ``CheckError`` when the address has another file, ``UnreachableError`` when it has none.
    """
    target = workspace.downloads / sha256
    if target.is_file():
        return target
    workspace.downloads.mkdir(parents=True, exist_ok=True)
    progress.note(f"fetching {url}")
    with tempfile.NamedTemporaryFile(dir=workspace.downloads, prefix=".partial-", delete=False) as file:
        part = Path(file.name)
        total = hashlib.sha256()
        try:
            for piece in (source or Http()).read(url):
                total.update(piece)
                file.write(piece)
            file.flush()
            _judge(url, sha256, total.hexdigest())
            part.chmod(0o644)
            part.replace(target)
        except (GoneError, BrokenError) as error:
            raise UnreachableError(
                "the vendor's ISO cannot be fetched",
                where=url,
                why=str(error),
                next="check the address and the proxy, or fetch it by hand and name the file: iso.path",
            ) from None
        finally:
            part.unlink(missing_ok=True)
    return target


def _judge(url: str, expected: str, found: str) -> None:
    if found != expected:
        raise CheckError(
            "the vendor's ISO is another one",
            where=url,
            why=f"sha256 is     {found}\nit must be    {expected}",
            next="compare both with the vendor's signed list; then correct iso.sha256 in the image's file",
        )
