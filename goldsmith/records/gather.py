"""Gathers what a template's record needs from the build's folder, the lock and the site, and puts it in its places."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from goldsmith import builds, plan
from goldsmith.errors import CheckError
from goldsmith.host.files import read_object
from goldsmith.installers import door
from goldsmith.records import changes, write
from goldsmith.records import record as records
from goldsmith.records.page import Previous
from goldsmith.records.record import Ancestor, CheckResult, Record, Source, Stage, Toolbox
from goldsmith.stages import upload
from goldsmith.toolbox.lock import tool_versions
from goldsmith.vcenter import marks
from goldsmith.vcenter.clean import RECORDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from goldsmith.builds import Build
    from goldsmith.model import Site
    from goldsmith.records.write import Written
    from goldsmith.stages.verify import Verdict
    from goldsmith.vcenter.marks import Template
    from goldsmith.wiring import OnSite, Session

_DIRTY = "-dirty"


def keep(on: OnSite, verdict: Verdict, folder: Path) -> Written:
    """Write record, package list, inventory and page; store them on the site, and their digest in the attributes."""
    template = verdict.template
    build = template.attributes.build
    for name, seconds in verdict.seconds.items():
        builds.note_seconds(folder, f"verify: {name}", seconds)
    before, signer = previous(on.session, on.site, template), on.effective.signer
    written = write.write(folder, draft(on, verdict, folder), inventory(verdict), before, signer)
    datastore = on.finder.places().paths.datastore
    store = on.store(
        on.finder.placement.iso_folder / RECORDS, datastore, door=on.toolbox(build), log=folder / "logs/record.log"
    )
    upload.companion(store, written.archive, name=records.stored_as(template.name), build_id=build)
    with on.connect() as vcenter:
        marks.say(vcenter, template, ("record",), signer, record=written.digest)
    return written


def draft(on: OnSite, verdict: Verdict, folder: Path) -> Record:
    """Return the record as far as it is known before its companions are written."""
    attributes = verdict.template.attributes
    began = plan.started(attributes.build)
    if began is None:
        raise CheckError(
            f"{verdict.template.name} does not say when it was built",
            where=f"{marks.PREFIX}build = {attributes.build}",
            why="the attribute was edited: it is no longer a build's id",
            next="set it back to what the template's name ends with",
        )
    return Record(
        template=verdict.template.name,
        image=attributes.image,
        phase="docker" if attributes.phase == "docker" else "base",
        site=on.site.name,
        family=door.of(on.image).guest(on.image).family,
        build=attributes.build,
        key=attributes.key,
        inputs=parts(on.session, verdict.template),
        built=f"{began:%Y-%m-%dT%H:%M:%SZ}",
        source=Source(commit=attributes.commit.removesuffix(_DIRTY), dirty=attributes.commit.endswith(_DIRTY)),
        toolbox=_toolbox(on.session),
        lineage=tuple(_lineage(on, verdict.template)),
        stages=_stages(folder),
        size_bytes=verdict.template.machine.size_bytes,
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
    build = session.builds.find(attributes.build)
    if build and build.parts:
        return dict(build.parts)
    return dict(part.split("=", 1) for part in attributes.inputs.split() if "=" in part)


def inventory(verdict: Verdict) -> dict[str, Any]:
    """Return what the first clone holds."""
    seen = read_object(verdict.folder / "clone-1.json")
    found: dict[str, Any] = _encodable(seen.get("inventory", {"packages": []}))
    return found


def _encodable(value: Any) -> Any:
    """Return *value* with the bytes of names that are not UTF-8 spelt out: a file of ``/etc`` may have one."""
    match value:
        case str():
            return value.encode(errors="backslashreplace").decode()
        case dict():
            return {_encodable(name): _encodable(entry) for name, entry in value.items()}
        case list():
            return [_encodable(entry) for entry in value]
        case _:
            return value


def previous(session: Session, site: Site, template: Template) -> Previous | None:
    """Return the newest earlier template of the image and phase that was verified, as far as this machine has it."""
    mine = template.attributes
    for build in _earlier(session, site, mine.build):
        if (build.image, build.phase) != (mine.image, mine.phase) or build.id == mine.build:
            continue
        text = _text(session.builds.folder(build) / write.RECORD)
        inventory = read_object(session.builds.folder(build) / write.INVENTORY)
        with contextlib.suppress(CheckError):
            if inventory and (found := records.load(text)).verified:
                return Previous(record=found, contents=changes.contents(inventory, found.family))
    return None


def _earlier(session: Session, site: Site, build_id: str) -> Iterator[Build]:
    """Yield the builds for *site* that this machine knows, from *build_id* back, the newest first."""
    for build in reversed(session.builds.all()):
        if (build.site, build.server) == (site.name, site.server) and build.id <= build_id:
            yield build


def _toolbox(session: Session) -> Toolbox:
    identity = session.lock.identities.get("toolbox")
    return Toolbox(
        reference=session.toolbox_built() or "",
        config_digest=identity.config_digest if identity else "",
        tools=tool_versions(session.lock),
    )


def _lineage(on: OnSite, template: Template) -> Iterator[Ancestor]:
    mine = template.attributes
    # A fixed name was that of older bases, too: the newest that there was is the one.
    known = _earlier(on.session, on.site, mine.build)
    base = next((one for one in known if (one.template == mine.parent if mine.parent else one.id == mine.build)), None)
    boot = next((one for one in base.attached if one.stored and not one.secret), None) if base else None
    if boot:
        yield Ancestor(kind="installer", name=boot.stored, sha256=boot.sha256)
    else:
        yield from _installer(on)
    if mine.parent:
        yield _base(on.session, base) if base else Ancestor(kind="base", name=mine.parent)


def _installer(on: OnSite) -> Iterator[Ancestor]:
    """Yield the installer of a medium that is made for one build: the first of the files that it is made of."""
    lock = on.session.lock
    for name, sha256 in list(door.of(on.image).pins(on.image, lock).items())[:1]:
        versions = [row.version for row in lock.sections.media.debs if row.name == name]
        yield Ancestor(kind="installer", name=" ".join([name, *versions]), sha256=sha256)


def _base(session: Session, base: Build) -> Ancestor:
    folder = session.builds.folder(base)
    text = _text(folder / write.RECORD)
    return Ancestor(
        kind="base",
        name=base.template,
        key=base.key,
        sha256=records.digest(text) if text else "",
        build=base.id,
        stages=_stages(folder),
    )


def _stages(folder: Path) -> tuple[Stage, ...]:
    return tuple(Stage(name=name, seconds=seconds) for name, seconds in builds.seconds_of(folder).items())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
