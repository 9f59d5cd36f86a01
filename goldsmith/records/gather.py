"""Gathers what a template's record needs from the build's folder, the lock and the site, and puts it in its places."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from goldsmith import builds, guests, plan
from goldsmith.errors import CheckError
from goldsmith.installers import door
from goldsmith.records import write
from goldsmith.records.record import Ancestor, CheckResult, Record, Source, Stage, Toolbox
from goldsmith.stages import upload
from goldsmith.toolbox.lock import tool_versions
from goldsmith.vcenter import marks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from goldsmith.records.write import Previous, Written
    from goldsmith.stages.verify import Verdict
    from goldsmith.vcenter.marks import Template
    from goldsmith.wiring import OnSite, Session

_DIRTY = "-dirty"
STORED = "records"
"""Folder on the datastore, below that of the boot media."""


def keep(on: OnSite, verdict: Verdict, folder: Path) -> Written:
    """Write record, package list, inventory and page; store them on the site, and their digest in the attributes."""
    template = verdict.template
    for name, seconds in verdict.seconds.items():
        builds.note_seconds(folder, f"verify: {name}", seconds)
    family = door.of(on.image).guest(on.image).family
    written = write.write(
        folder,
        draft(on, verdict, folder),
        inventory(verdict),
        previous(on.session, template),
        purl_type=guests.of(family).PURL_TYPE,
    )
    placement, build = on.site.placement, template.attributes.build
    store = on.store(
        placement.iso_folder / STORED, placement.datastore, door=on.toolbox(build), log=folder / "logs/record.log"
    )
    upload.companion(store, written.archive, name=f"{template.name}.tar.gz", build_id=build)
    with on.connect() as vcenter:
        vcenter.set_attributes(template.machine, {marks.PREFIX + "record": written.digest})
    return written


def draft(on: OnSite, verdict: Verdict, folder: Path) -> Record:
    """Return the record as far as it is known before its companions are written."""
    attributes = verdict.template.attributes
    began = plan.started(attributes.build)
    if began is None:
        raise CheckError(
            f"{verdict.template.name} does not say when it was built",
            where=f"{marks.PREFIX}build = {attributes.build}",
            why="the attribute was edited: it is no build's id any more",
            next="set it back to what the template's name ends with",
        )
    return Record(
        template=verdict.template.name,
        image=attributes.image,
        phase="docker" if attributes.phase == "docker" else "base",
        site=on.site.name,
        build=attributes.build,
        key=attributes.key,
        inputs=parts(on.session, verdict.template),
        built=f"{began:%Y-%m-%dT%H:%M:%SZ}",
        source=Source(commit=attributes.commit.removesuffix(_DIRTY), dirty=attributes.commit.endswith(_DIRTY)),
        toolbox=_toolbox(on.session),
        lineage=tuple(_lineage(on.session, verdict.template)),
        stages=tuple(Stage(name=name, seconds=seconds) for name, seconds in builds.seconds_of(folder).items()),
        checks=tuple(
            CheckResult(
                name=check.name,
                says=check.says,
                outcome=check.outcome.value,
                reason=check.reason,
                seconds=check.seconds,
            )
            for check in verdict.checks
        ),
    )


def parts(session: Session, template: Template) -> dict[str, str]:
    """Return the parts of the template's key: whole where this checkout made it, else in the template's short form."""
    attributes = template.attributes
    for build in session.builds.all():
        if build.id == attributes.build and build.parts:
            return dict(build.parts)
    return dict(part.split("=", 1) for part in attributes.inputs.split() if "=" in part)


def inventory(verdict: Verdict) -> dict[str, Any]:
    """Return what the first clone holds."""
    seen = _json(verdict.folder / "clone-1.json")
    found: dict[str, Any] = seen.get("inventory", {"packages": []})
    return found


def previous(session: Session, template: Template) -> Previous | None:
    """Return the newest earlier build of the image and phase whose inventory this machine still has."""
    mine = template.attributes
    for build in reversed(session.builds.all()):
        same = (build.image, build.phase) == (mine.image, mine.phase)
        if same and build.id < mine.build and (found := _json(session.builds.folder(build) / write.INVENTORY)):
            return write.Previous(name=build.template or build.name, inventory=found)
    return None


def _toolbox(session: Session) -> Toolbox:
    identity = session.lock.identities.get("toolbox")
    return Toolbox(
        reference=session.toolbox_built() or "",
        config_digest=identity.config_digest if identity else "",
        tools=tool_versions(session.lock),
    )


def _lineage(session: Session, template: Template) -> Iterator[Ancestor]:
    parent = template.attributes.parent
    # The newest first: a fixed name was that of older bases, too.
    known = reversed(session.builds.all())
    base = next(
        (one for one in known if (one.template == parent if parent else one.id == template.attributes.build)), None
    )
    boot = next((one for one in base.attached if not one.secret and one.stored), None) if base else None
    if boot:
        yield Ancestor(kind="installer", name=boot.stored, sha256=boot.sha256)
    else:
        for row in session.lock.sections.media.debs:
            if "netboot" in row.name:
                yield Ancestor(kind="installer", name=f"{row.name} {row.version}", sha256=row.sha256)
    if parent:
        told = _json(session.builds.folder(base) / write.RECORD) if base else {}
        yield Ancestor(kind="base", name=parent, key=str(told.get("key", "")))


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found
