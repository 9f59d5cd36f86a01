"""Looks at a boot medium made by hand that lies on the datastore: is it there, an ISO, and whole."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError, MissingObjectError
from goldsmith.tools import govc, iso9660

if TYPE_CHECKING:
    from goldsmith.host.runner import Runner
    from goldsmith.tools.door import Door


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where it should lie, and how to get there."""

    access: govc.Access
    path: str
    """Relative to the datastore."""
    runner: Runner
    door: Door
    sha256: str = ""
    """What it must be; empty when nobody knows."""

    def __str__(self) -> str:
        """Return the path as vSphere writes it."""
        return self.access.stored(self.path)


@dataclass(frozen=True)
class Found:
    """What was seen of it."""

    path: str
    """As vSphere writes it."""
    size: int
    """Bytes."""
    volume: str
    """The name it gives itself."""


def examine(place: Place) -> Found:
    """Return what the medium is, having read its first 64 KB only, unless its sha256 is known.

    Raises ``MissingObjectError`` when it is not there, and ``CheckError`` when it is not an
    ISO image, was cut off, or does not match its sha256.
    """
    size = govc.parse_size(place.runner.run(govc.size(place.door, place.access, place.path), check=False))
    if size is None:
        raise MissingObjectError(
            "the boot medium is not on the datastore",
            where=f"{place} (ISO_PATH, or the site's placement.iso_path)",
            why="there is no such file",
            next="upload it, or correct the path; it is relative to the datastore, and upper and lower case count",
        )
    done = place.runner.run(govc.head(place.door, place.access, place.path, count=iso9660.HEAD), check=False)
    if done.returncode != 0:
        raise govc.explain(done.stdout + done.stderr)
    try:
        volume = iso9660.volume(base64.b64decode(done.stdout))
    except (ValueError, binascii.Error) as error:
        raise CheckError(
            "the boot medium is not an ISO image",
            where=str(place),
            why=str(error),
            next="name the ISO of an installer, with ks=floppy on its kernel line",
        ) from None
    if size < volume.size:
        raise CheckError(
            "the boot medium is cut off",
            where=str(place),
            why=f"it has {size} bytes, and says of itself that it has {volume.size}",
            next="upload it again",
        )
    if place.sha256:
        _compare(place)
    return Found(path=str(place), size=size, volume=volume.name)


def _compare(place: Place) -> None:
    done = place.runner.run(govc.sha256(place.door, place.access, place.path), check=False)
    if done.returncode != 0:
        raise govc.explain(done.stdout + done.stderr)
    if (found := done.stdout.strip()) != place.sha256:
        raise CheckError(
            "the boot medium does not match its pinned sha256",
            where=str(place),
            why=f"sha256 is     {found}\nit must be    {place.sha256}",
            next="correct ISO_SHA256 (the site's placement.iso_sha256), or upload the ISO that is meant",
        )
