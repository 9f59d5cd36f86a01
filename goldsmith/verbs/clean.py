"""What dead builds left, on a site and on this machine: listed with a reason each, then removed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from goldsmith.builds import Status
from goldsmith.errors import MissingObjectError
from goldsmith.records.gather import STORED
from goldsmith.vcenter import clean as site_clean
from goldsmith.vcenter.clean import Life
from goldsmith.vcenter.inventory import Places, Tree, resolve
from goldsmith.verbs import here, lab, output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from goldsmith.builds import Build
    from goldsmith.vcenter.client import Client
    from goldsmith.verbs.flags import Request
    from goldsmith.wiring import OnSite, Session


@dataclass(frozen=True, kw_only=True)
class Item:
    """One thing to remove, wherever it is."""

    place: str
    kind: str
    name: str
    reason: str
    remove: Callable[[], object]


def clean(request: Request) -> None:
    """List what dead builds left on the site and on this machine, and remove it unless the request is to list only."""
    sweep(here.flow(request).on, dry_run=request.dry_run, as_json=request.json)


def sweep(on: OnSite, *, dry_run: bool, as_json: bool) -> None:
    """List what dead builds left on the site and on this machine, and remove it unless *dry_run*."""
    session = on.session
    containers = list(_containers(session))
    if not dry_run:
        # Before the site is looked at: a tool that outlived its run would go on making things there.
        _remove(session, containers)
    folders = list(_folders(session))
    if not lab.answers(on):
        session.progress.note("the lab is not up, so nothing is left on it")
        _show(session, [*containers, *folders], as_json=as_json)
    else:
        with on.connect() as vcenter:
            there = _on_site(on, vcenter)
            _show(session, [*containers, *there, *folders], as_json=as_json)
            if not dry_run:
                _remove(session, there)
    if not dry_run:
        _remove(session, folders)
        for build in session.builds.all():
            session.builds.forget_lock(build)


def _show(session: Session, items: list[Item], *, as_json: bool) -> None:
    rows = [(item.place, item.kind, item.name, item.reason) for item in items]
    names = ("where", "what", "name", "why")
    if as_json:
        output.json([dict(zip(names, row, strict=True)) for row in rows])
    elif rows:
        output.table(names, rows)
    else:
        session.progress.note("nothing is left of any dead build")


def _remove(session: Session, items: list[Item]) -> None:
    for item in items:
        with session.progress.step(f"remove {item.kind} {item.name}"):
            item.remove()


def _life(session: Session) -> Callable[[str], Life]:
    known = {build.id for build in session.builds.all()}

    def life(build_id: str) -> Life:
        if session.builds.alive(build_id):
            return Life.ALIVE
        return Life.DEAD if build_id in known else Life.UNKNOWN

    return life


def _on_site(on: OnSite, vcenter: Client) -> list[Item]:
    places = resolve(Tree(vcenter.nodes()), on.site.placement)
    if not isinstance(places, Places):
        raise MissingObjectError(
            "the site names what the vCenter does not have",
            where=on.site.server,
            why="\n".join(f"- {problem}" for problem in places),
            next="correct the site's file; names count exactly, upper and lower case too",
        )
    folder, life, now = on.site.placement.iso_folder, _life(on.session), on.session.now()
    media = vcenter.files(places.media_datastore, folder.as_posix(), "goldsmith-*")
    records = vcenter.files(places.datastore, (folder / STORED).as_posix(), "*.tar.gz")
    machines = vcenter.machines()
    found = [
        *site_clean.plan(machines, media, life=life, now=now),
        *site_clean.orphans(machines, records, life=life, now=now),
    ]
    return [
        Item(
            place=on.site.name,
            kind=item.kind,
            name=item.name,
            reason=item.reason,
            remove=partial(site_clean.remove, vcenter, places, [item]),
        )
        for item in found
    ]


def _folders(session: Session) -> Iterator[Item]:
    """Yield the builds nobody works on whose folders still hold secrets."""
    for build in session.builds.all():
        if session.builds.secrets_left(build) and not session.builds.alive(build.id):
            yield Item(
                place="this machine",
                kind="answers, key and medium",
                name=str(session.builds.folder(build)),
                reason=f"nobody works on build {build.id} any more",
                remove=partial(_forget, session, build),
            )


def _forget(session: Session, build: Build) -> None:
    session.builds.forget_secrets(build)
    session.builds.forget_lock(build)
    if build.status is Status.OPEN:
        session.builds.save(replace(build, status=Status.FAILED))


def _containers(session: Session) -> Iterator[Item]:
    """Yield the toolbox runs of dead builds; kill -9 of the suite ends neither them nor their tools."""
    life = _life(session)
    for container, build_id in session.runs():
        # One of another checkout may be at work: only that checkout can tell.
        if life(build_id) is Life.DEAD:
            yield Item(
                place="this machine",
                kind="toolbox container",
                name=container,
                reason=f"nobody works on build {build_id} any more",
                remove=partial(session.end_run, container),
            )
