"""The verbs about signatures: a pair of keys, and whether a template is what its record says."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError, ConfigurationError, MissingObjectError, RefusedError, UnreachableError
from goldsmith.host import reading
from goldsmith.host.workspace import SECRET_MODE, write_if_changed
from goldsmith.records import audit as auditing
from goldsmith.records.audit import Finding, State
from goldsmith.records.record import stored_as
from goldsmith.vcenter.clean import RECORDS
from goldsmith.verbs import here, output
from goldsmith.wiring import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from goldsmith.records.audit import Kept
    from goldsmith.records.record import Ancestor
    from goldsmith.vcenter.api import VCenter
    from goldsmith.verbs.flags import Request
    from goldsmith.wiring import OnSite


def signing_key(request: Request) -> None:
    """Make a pair of keys: the private one into a file, the public one to be named by the site."""
    make_key(Session.here(), request.file)


def make_key(session: Session, file: str) -> None:
    """Make a pair of keys; see :func:`signing_key`."""
    from goldsmith.tools import sshkey

    if not file:
        raise ConfigurationError(
            "a private key needs a file",
            where="--file",
            why="it is a secret, and is neither printed nor put anywhere by itself",
            next="name one that does not exist, outside of the repository: --file ~/.ssh/goldsmith-signing",
        )
    path = reading.expanded(Path(file))
    if path.exists():
        raise RefusedError(
            "there is a file already",
            where=str(path),
            why="a key that was replaced could sign nothing any more",
            next="name another file; sites list the public halves of both keys while one replaces the other",
        )
    pair = sshkey.generate(path.name)
    session.redact.add(pair.private)
    write_if_changed(path, pair.private, mode=SECRET_MODE)
    session.progress.note(f"the private key is {path}: GOLDSMITH_SIGNING_KEY_FILE names it; add this to signing_keys:")
    sys.stdout.write(f"{pair.public}\n")


def audit(request: Request) -> None:
    """Compare a template with its record, its package list and what it was made of, back to the installer."""
    compare(here.flow(request).on, request.template, as_json=request.json)


def compare(on: OnSite, name: str, *, as_json: bool) -> None:
    """Print what comes of comparing the template *name*; see :func:`audit`.

    Raises ``CheckError`` when something was tampered with.
    """
    if not name:
        raise ConfigurationError(
            "it is not said which template is meant",
            where="--template",
            why="an audit is of one template and its lineage",
            next="'./inv templates' lists those that there are",
        )
    findings = _compared(on, name)
    rows = [(one.what, one.state.value, one.why) for one in findings]
    if as_json:
        output.json([{"what": what, "state": state, "why": why} for what, state, why in rows])
    else:
        output.table(("what", "is", "why"), rows)
    if wrong := [f"- {one.what}: {one.why}" for one in findings if one.state is State.TAMPERED]:
        raise CheckError(
            f"{name} is not what it says",
            where=on.site.name,
            why="\n".join(wrong),
            next="do not use it; build another one, and find out who changed it",
        )


def _compared(on: OnSite, name: str) -> list[Finding]:
    local = _local(on, name)
    try:
        with on.connect() as vcenter:
            return list(_on_site(on, name, local, vcenter))
    except (UnreachableError, ConfigurationError) as trouble:
        if local is None or isinstance(trouble, MissingObjectError):
            raise
        why = trouble.what
    read, findings = auditing.record(name, local, on.site.keys)
    found = auditing.lineage(read, on.site.keys, _pinned(on), lambda one: _of_build(on, one.build)) if read else ()
    return [Finding(f"template {name}", State.UNKNOWN, f"it was not looked at: {why}"), *findings, *found]


def _on_site(on: OnSite, name: str, local: Kept | None, vcenter: VCenter) -> Iterator[Finding]:
    holdings = on.finder.holdings(vcenter, everywhere=True)

    def stored(template: str) -> Kept:
        path = (on.finder.placement.iso_folder / RECORDS / stored_as(template)).as_posix()
        places = holdings.places
        return auditing.in_archive(vcenter.fetch(places.paths.datacenter, places.datastore, path))

    def find(ancestor: Ancestor) -> Kept | None:
        found = _of_build(on, ancestor.build)
        with suppress(MissingObjectError):
            return found or stored(ancestor.name)
        return None

    kept = local or stored(name)
    read, findings = auditing.record(name, kept, on.site.keys)
    yield from findings
    if read:
        # Two may have one name in two folders: the site's own is meant, where there is one.
        named = [one for one in holdings.sightings if one.machine.name == name]
        named.sort(key=lambda one: one.machine.folder != holdings.scope.folder)
        yield from auditing.template(name, named[0] if named else None, kept, read)
        yield from auditing.lineage(read, on.site.keys, _pinned(on), find)


def _local(on: OnSite, name: str) -> Kept | None:
    """Return the record that this checkout has of a template, known by its name or its build's id."""
    builds = on.session.builds
    named = (build for build in reversed(builds.all()) if name in (build.template, build.name))
    return next((kept for build in named if (kept := auditing.in_folder(builds.folder(build)))), None)


def _of_build(on: OnSite, build_id: str) -> Kept | None:
    build = on.session.builds.find(build_id)
    return auditing.in_folder(on.session.builds.folder(build)) if build else None


def _pinned(on: OnSite) -> dict[str, str]:
    """Return the sha256 of the installers that lock and configuration name, by the names that records have of them."""
    found = {f"{row.name} {row.version}": row.sha256 for row in on.session.lock.sections.media.debs}
    placement = on.finder.placement
    if placement.iso_path and placement.iso_sha256:
        found[f"[{placement.media_datastore}] {placement.iso_path}"] = placement.iso_sha256
    if on.image.iso:
        found["the image's ISO"] = on.image.iso.sha256
    return found
