"""What dead builds left on a site: found by the marks every build sets, listed with a reason, then removed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from goldsmith.builds import ID_PATTERN
from goldsmith.plan import started
from goldsmith.vcenter.marks import attributes_of, build_under_way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from goldsmith.vcenter.api import StoredFile, VCenter
    from goldsmith.vcenter.inventory import Machine, Places

FOREIGN_AGE = timedelta(days=1)
"""A build of another machine cannot be asked whether it lives; none takes this long."""


_MEDIUM = re.compile(rf"goldsmith-(?P<build>{ID_PATTERN.pattern})[.-]")
"""A build's medium, or a part of it that was still being uploaded; reusable media carry no build's id."""


_RECORD = re.compile(rf"-(?P<build>{ID_PATTERN.pattern})\.tar\.gz$")
"""A template's record, which lies beside the templates and is called like its own."""


class Life(StrEnum):
    """Whether somebody still works on a build, as far as this machine can tell."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"
    """There is no such build on this machine."""


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """One thing to remove, and the sentence that says why."""

    kind: str
    name: str
    reason: str
    machine: Machine | None = None
    file: StoredFile | None = None
    record: StoredFile | None = None


def plan(
    machines: Iterable[Machine],
    media: Iterable[StoredFile],
    *,
    life: Callable[[str], Life],
    now: datetime,
    foreign_age: timedelta = FOREIGN_AGE,
) -> list[Leftover]:
    """Return what dead builds left: unfinished machines, and media that bear a build's id.

    A machine counts only if its note says that a build is under way *and* its
    name ends with that build's id; a finished template never does, nor does
    anything that was cloned from one.
    """
    found = []
    for machine in machines:
        build = unfinished_build(machine)
        if build and (reason := _dead(build, life, now, foreign_age)):
            kind = "unfinished template" if machine.is_template else "virtual machine"
            found.append(Leftover(kind=kind, name=machine.name, reason=reason, machine=machine))
    for file in media:
        named = _MEDIUM.match(file.path.rsplit("/", 1)[-1])
        if named and (reason := _dead(named["build"], life, now, foreign_age)):
            found.append(Leftover(kind="boot medium", name=file.path, reason=reason, file=file))
    return found


def orphans(
    machines: Iterable[Machine],
    records: Iterable[StoredFile],
    *,
    life: Callable[[str], Life],
    now: datetime,
    foreign_age: timedelta = FOREIGN_AGE,
) -> list[Leftover]:
    """Return the records whose template is gone: nobody can ask any more what they would tell."""
    known = [attributes_of(machine) for machine in machines]
    there = {attributes.build for attributes in known if attributes}
    found = []
    for file in records:
        named = _RECORD.search(file.path)
        if named and named["build"] not in there and _dead(named["build"], life, now, foreign_age):
            found.append(Leftover(kind="record", name=file.path, reason="its template is gone", record=file))
    return found


def unfinished_build(machine: Machine) -> str | None:
    """Return the build that was making *machine* and did not finish it, if any."""
    build = build_under_way(machine.note)
    if build is None or not ID_PATTERN.fullmatch(build) or not machine.name.endswith(f"-{build}"):
        return None
    return None if attributes_of(machine) else build


def remove(vcenter: VCenter, places: Places, leftovers: Sequence[Leftover]) -> None:
    """Remove what :func:`plan` found. Machines go first: they hold the media."""
    for item in leftovers:
        if item.machine is not None:
            vcenter.destroy(item.machine)
    for item in leftovers:
        if item.file is not None:
            vcenter.delete_file(places.datacenter, places.media_datastore, item.file.path)
        if item.record is not None:
            vcenter.delete_file(places.datacenter, places.datastore, item.record.path)


def _dead(build: str, life: Callable[[str], Life], now: datetime, foreign_age: timedelta) -> str:
    """Return why nobody needs what *build* left, or nothing when somebody may."""
    match life(build):
        case Life.ALIVE:
            return ""
        case Life.DEAD:
            return f"nobody works on build {build} any more"
        case Life.UNKNOWN:
            began = started(build)
            if began is None or now - began <= foreign_age:
                return ""  # what cannot be dated may be of this very moment
            return f"build {build} of another machine began {(now - began).days} days ago"
