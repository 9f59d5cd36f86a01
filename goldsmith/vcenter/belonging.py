"""Which templates are a site's own: the one answer for plan, build, verification, listing and clean.

Whoever may edit a machine can write our attributes on it, and a vCenter is shared with strangers, other teams and
other sites. So a template is a site's only if it lies directly in the site's folder, was built before now by the
vCenter's own clock, has as a whole a name that this suite gives, and says all of it of itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from goldsmith.errors import RefusedError
from goldsmith.plan import spoken, started
from goldsmith.vcenter import marks, notes
from goldsmith.vcenter.inventory import Tree
from goldsmith.vcenter.marks import Template
from goldsmith.vcenter.places import locate
from goldsmith.work import named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime

    from goldsmith.model import Placement
    from goldsmith.signing import PublicKey
    from goldsmith.vcenter.api import VCenter
    from goldsmith.vcenter.inventory import Machine
    from goldsmith.vcenter.marks import Attributes
    from goldsmith.vcenter.places import Places

CLOCKS = timedelta(hours=1)
"""How far two clocks may be apart: builds' ids have the time of whoever builds."""
BASE = "base"


class Standing(StrEnum):
    """Whose a template is that says it is of this suite."""

    HERE = "here"
    """The site's own."""
    ELSEWHERE = "elsewhere"
    """Finished, and in another folder: another site's, or moved."""
    FOREIGN = "foreign"
    """A copy or clone of a template, with what that said of itself."""
    CLAIMED = "claimed"
    """It says so, and something about it is not as this suite makes it."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What a template is compared with."""

    folder: str
    """The id of the site's folder."""
    fixed_name: str = ""
    """What the site wants its newest base to be called; empty for nothing."""
    now: datetime
    """By the vCenter's clock."""
    keys: tuple[PublicKey, ...] = ()
    """Who may sign for the site; where nobody is named, nothing has to be signed."""


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """A template that says it is of this suite, and what it is."""

    machine: Machine
    standing: Standing
    why: str = ""
    """Why it is not the site's own."""
    attributes: Attributes | None = None
    """What it says, where that can be read."""
    signer: str = ""
    """Whose key of the site's signed it; empty for nobody's."""

    @property
    def proof(self) -> str:
        """How far what it says can be believed."""
        return f"signed by {self.signer}" if self.signer else "claimed, not proved"


def sighting(machine: Machine, scope: Scope) -> Sighting | None:
    """Return what a template is; nothing for what is no template, or says nothing."""
    if not machine.is_template or not marks.claims(machine):
        return None
    attributes, signer = marks.written(machine), marks.signed_by(machine, scope.keys) if scope.keys else None
    standing, why = _judged(machine, attributes, scope)
    if standing is Standing.HERE and scope.keys and signer is None:
        how = "its signature does not fit what it says" if marks.said(machine, "signature") else "it is not signed"
        standing, why = Standing.CLAIMED, f"{how}, and the site counts only what one of its keys has signed"
    name = str(signer) if signer else ""
    return Sighting(machine=machine, standing=standing, why=why, attributes=attributes, signer=name)


def _judged(machine: Machine, attributes: Attributes | None, scope: Scope) -> tuple[Standing, str]:
    if marks.said(machine, "instance") and not marks.owned(machine):
        return Standing.FOREIGN, "its attributes name another machine: it is a copy or a clone"
    if attributes is None:
        return Standing.CLAIMED, f"{', '.join(marks.malformed(machine))} is not what this suite writes"
    if (began := started(attributes.build)) is None or began > scope.now + CLOCKS:
        return Standing.CLAIMED, f"its build {attributes.build} lies in the future"
    if machine.folder != scope.folder:
        return Standing.ELSEWHERE, "it does not lie in the site's folder"
    if not _named(machine.name, attributes, scope):
        return Standing.CLAIMED, "its name is not one that this suite gives"
    return Standing.HERE, ""


def _named(name: str, attributes: Attributes, scope: Scope) -> bool:
    """Return whether the name is a template's own, or the site's fixed one, or that with the date it lost it."""
    fixed = re.escape(scope.fixed_name)
    if fixed and attributes.phase == BASE and re.fullmatch(rf"{fixed}(?:-\d{{8}}-\d{{6}})?", name, re.ASCII):
        return True
    return named(name, id=attributes.build, image=attributes.image, phase=attributes.phase)


@dataclass(frozen=True, kw_only=True)
class Holdings:
    """A site as it is at one moment: its places, the vCenter's time, and the templates that are there."""

    places: Places
    scope: Scope
    sightings: tuple[Sighting, ...]
    folders: Mapping[str, str] = field(default_factory=dict)
    """The inventory path of the folders that templates lie in, by id; known where all of the vCenter was looked at."""

    def templates(self, *, image: str, phase: str, failed: bool = False) -> list[Template]:
        """Return the site's finished templates, oldest build first; *failed* ones only when they are asked for."""
        own = (
            Template(machine=one.machine, attributes=one.attributes)
            for one in self.sightings
            if one.standing is Standing.HERE and one.attributes
        )
        found = [item for item in own if (item.attributes.image, item.attributes.phase) == (image, phase)]
        found = [item for item in found if failed or item.attributes.status != marks.FAILED]
        return sorted(found, key=lambda item: item.attributes.build)

    def others(self, *, image: str = "", name: str = "") -> Iterator[Sighting]:
        """Yield what looks like a template of the image, or has the name, and is not the site's own."""
        for one in self.sightings:
            same = name == one.machine.name if name else image in ("", marks.said(one.machine, "image"))
            if same and one.standing is not Standing.HERE:
                yield one


def look(
    vcenter: VCenter, placement: Placement, keys: tuple[PublicKey, ...] = (), *, everywhere: bool = False
) -> Holdings:
    """Return a site's templates, and with *everywhere* those of the whole vCenter as well; *keys* sign for the site.

    Raises ``MissingObjectError`` when the site names what does not exist.
    """
    places = locate(vcenter, placement)
    scope = Scope(folder=places.folder.ref, fixed_name=placement.template_name, now=vcenter.now(), keys=keys)
    machines = vcenter.machines() if everywhere else vcenter.machines(places.folder)
    found = tuple(one for machine in machines if (one := sighting(machine, scope)))
    tree = Tree(vcenter.nodes()) if everywhere else None
    folders = {one.machine.folder: tree.path(one.machine.folder) for one in found} if tree else {}
    return Holdings(places=places, scope=scope, sightings=found, folders=folders)


class Finder:
    """Looks for a site's places and templates; a datastore that it chose of a cluster stays chosen."""

    def __init__(
        self,
        connect: Callable[[], AbstractContextManager[VCenter]],
        placement: Placement,
        keys: tuple[PublicKey, ...] = (),
    ) -> None:
        self._connect = connect
        self._asked = placement
        self._keys = keys
        self._places: Places | None = None

    @property
    def placement(self) -> Placement:
        """What the site says, and once it was looked at, which datastore of a cluster."""
        return self._places.placement if self._places else self._asked

    def places(self) -> Places:
        """Return the site's places as they were last found; they are looked for only where nobody has.

        Raises ``MissingObjectError`` when the site names what does not exist.
        """
        if self._places is None:
            with self._connect() as vcenter:
                self._places = locate(vcenter, self._asked)
        return self._places

    def holdings(self, vcenter: VCenter, *, everywhere: bool = False) -> Holdings:
        """Return the places and the templates as they are now; see :func:`look`."""
        found = look(vcenter, self.placement, self._keys, everywhere=everywhere)
        self._places = found.places
        return found


def same_time(scope: Scope, now: datetime, *, server: str) -> None:
    """Refuse to make or remove anything where this machine's clock, *now*, and the vCenter's are far apart.

    Raises ``RefusedError``.
    """
    apart = abs(now - scope.now)
    if apart > CLOCKS:
        raise RefusedError(
            "the clocks of this machine and of the vCenter do not agree",
            where=server,
            why=f"here it is {now:%Y-%m-%d %H:%M} UTC, there {scope.now:%Y-%m-%d %H:%M} UTC: {spoken(apart)} apart\n"
            "a build's id has the time, by which templates are ordered and left machines are judged",
            next="set the clock that is wrong (NTP), then run the same command again",
        )


def put_right(vcenter: VCenter, holdings: Holdings, *, now: datetime, server: str, tell: Callable[[str], None]) -> None:
    """Do what comes before anything is made or removed; see :func:`same_time` and :func:`repair`."""
    same_time(holdings.scope, now, server=server)
    for told in repair(vcenter, holdings):
        tell(told)


def repair(vcenter: VCenter, holdings: Holdings) -> Iterator[str]:
    """Mend the notes of templates that were finished and still say they are being built; yield what there is to say.

    A run that is killed between the last attribute and the note leaves one. Where such a template was then restored
    from a backup, or cloned and its original removed, its attributes name another machine: whether it is the same
    may only a person say.
    """
    for one in holdings.sightings:
        claim, attributes = notes.claim(one.machine), one.attributes
        inside = one.machine.folder == holdings.scope.folder
        if not (claim and attributes and inside and attributes.build == claim.work.build) or claim.work.run:
            continue
        built = f"{started(attributes.build):%Y-%m-%d %H:%M} UTC"
        vcenter.set_note(one.machine, marks.note(attributes, built=built))
        if one.standing is Standing.HERE:
            yield f"{one.machine.name} is finished; its note said that it is being built, and was repaired"
        else:
            way = f"if it was restored from a backup, set its goldsmith.instance to {one.machine.instance_uuid}"
            way = "build another one, which can be signed" if holdings.scope.keys else way
            what = f"{one.machine.name} was finished ({attributes.status}) and is kept, but does not count"
            yield f"{what}: {one.why};\n{way}"
