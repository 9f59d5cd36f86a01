"""Everything that can be known to go wrong before Packer starts, looked at once and told at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.errors import ConfigurationError, MissingObjectError
from goldsmith.vcenter import privileges
from goldsmith.vcenter.places import Problem, locate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from goldsmith.model import Hardware, Placement
    from goldsmith.vcenter.api import VCenter
    from goldsmith.vcenter.inventory import Node
    from goldsmith.vcenter.places import Places

GIB = 1024**3
_INSTALLED_GIB = 8
"""What an installed base takes of its thin disk at most; the rest is allocated when it is written."""


@dataclass(frozen=True, kw_only=True)
class Medium:
    """A medium as it must lie on the site's media datastore."""

    stored: str
    """As vSphere writes it, ``[datastore] folder/name``."""
    size: int | None = None
    """In bytes, where it is known."""
    floppy: bool = False
    """Whether it is a floppy image, for whose drive other privileges are needed."""

    @property
    def path(self) -> str:
        """The path relative to the datastore."""
        return self.stored.rpartition("] ")[2]


def check(
    vcenter: VCenter,
    placement: Placement,
    hardware: Hardware,
    media: Sequence[Medium] = (),
    *,
    cloning: bool = False,
) -> Places:
    """Return the site's places when a build can start; *cloning* asks for what phase 2 needs besides.

    Raises ``MissingObjectError`` when something the site names does not exist,
    ``ConfigurationError`` when everything exists and something is not fit for it.
    Each names all problems of its kind.
    """
    found = locate(vcenter, placement)
    missing = tuple(problem for one in media for problem in _missing_medium(vcenter, found.media_datastore, one))
    forbidden = _forbidden(vcenter, found, media, cloning=cloning)
    problems = (*missing, *_full(vcenter, found, hardware), *forbidden)
    if problems:
        family = MissingObjectError if missing else ConfigurationError
        raise family(
            _count(problems, "the site is not ready for a build"),
            where=f"datacenter {placement.datacenter}",
            why="\n".join(f"- {problem}" for problem in problems),
            next="nothing was started; run the same command again when this is solved\n"
            "(privileges: docs/reference/privileges.md)",
        )
    return found


def _count(problems: tuple[Problem, ...], text: str) -> str:
    return text if len(problems) == 1 else f"{text} ({len(problems)} problems)"


def _full(vcenter: VCenter, places: Places, hardware: Hardware) -> Iterable[Problem]:
    needed = space_needed(hardware)
    space = vcenter.space(places.datastore)
    name = places.datastore.name
    if not space.accessible:
        yield Problem(setting="datastore", what=f"{name!r} is not accessible")
    elif space.in_maintenance:
        yield Problem(setting="datastore", what=f"{name!r} is in maintenance mode")
    elif space.free_bytes < needed:
        free = f"{space.free_bytes / GIB:.1f} GiB free, {needed / GIB:.1f} GiB needed"
        yield Problem(setting="datastore", what=f"{name!r} has too little space", hint=free)


def space_needed(hardware: Hardware) -> int:
    """Return how many bytes a base takes while it is built: its swap file, and what is written of the thin disk."""
    return hardware.memory_mib * 1024**2 + min(hardware.disk_mib * 1024**2, _INSTALLED_GIB * GIB)


def _missing_medium(vcenter: VCenter, datastore: Node, medium: Medium) -> Iterable[Problem]:
    folder, _, name = medium.path.rpartition("/")
    where = datastore.stored(medium.path)
    there = next((file for file in vcenter.files(datastore, folder, name) if file.path == medium.path), None)
    if there is None:
        yield Problem(setting="medium", what=f"{where} does not exist", hint="upload it again: iso-upload")
    elif medium.size is not None and there.size != medium.size:
        sizes = f"{there.size} bytes there, {medium.size} here"
        yield Problem(setting="medium", what=f"{where} is not the one that was built", hint=sizes)


def _forbidden(vcenter: VCenter, places: Places, media: Sequence[Medium], *, cloning: bool) -> Iterable[Problem]:
    wanted = privileges.wanted(places, cloning=cloning, floppy=any(one.floppy for one in media))
    lacking = vcenter.missing_privileges({node.ref: names for node, names in wanted.items()})
    for node in wanted:
        if short := lacking.get(node.ref):
            on = f"{node.kind} {node.name!r}" if node.name else "the vCenter itself (root folder)"
            yield Problem(setting="privileges", what=f"the user lacks {', '.join(short)} on {on}")
