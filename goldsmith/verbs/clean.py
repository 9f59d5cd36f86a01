"""What dead builds left, on a site and on this machine: listed with a reason each, then removed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from goldsmith.builds import Status
from goldsmith.errors import RefusedError
from goldsmith.vcenter import belonging
from goldsmith.vcenter import clean as site_clean
from goldsmith.verbs import here, lab, output
from goldsmith.work import Life, Work

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
    remove: Callable[[], str | None]
    """Looks again, and removes it or returns why it is kept."""


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
            there = _on_site(on, vcenter, dry_run=dry_run)
            _show(session, [*containers, *there, *folders], as_json=as_json)
            if not dry_run:
                _remove(session, there)
    if not dry_run:
        _remove(session, folders)
        for build in session.builds.all():
            session.builds.forget_lock(build)
            if build.server == on.site.server:
                session.builds.forget_runs(build)


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
            if kept := item.remove():
                session.progress.note(f"kept: {kept}")


def _on_site(on: OnSite, vcenter: Client, *, dry_run: bool) -> list[Item]:
    session, holdings = on.session, on.finder.holdings(vcenter)
    if dry_run:
        belonging.same_time(holdings.scope, session.now(), server=on.site.server)
    else:
        tell = session.progress.note
        belonging.put_right(vcenter, holdings, now=session.now(), server=on.site.server, tell=tell)
    sweep = site_clean.Sweep(
        vcenter=vcenter,
        places=holdings.places,
        scope=holdings.scope,
        life=session.builds.life,
        holding=session.builds.holding,
    )
    return [
        Item(place=on.site.name, kind=item.kind, name=item.name, reason=item.reason, remove=partial(sweep.remove, item))
        for item in sweep.plan(on.finder.placement.iso_folder)
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


def _forget(session: Session, build: Build) -> str | None:
    try:
        with session.builds.working_on(build):
            session.builds.forget_secrets(build)
            if build.status is Status.OPEN:
                session.builds.save(replace(build, status=Status.FAILED))
    except RefusedError:
        return f"somebody works on build {build.id} again"
    return None


def _containers(session: Session) -> Iterator[Item]:
    """Yield the toolbox runs of dead builds; kill -9 of the suite ends neither them nor their tools."""
    for container, build_id in session.runs():
        # One of another checkout may be at work: only that checkout can tell.
        if session.builds.life(Work(build_id)) is Life.DEAD:
            yield Item(
                place="this machine",
                kind="toolbox container",
                name=container,
                reason=f"nobody works on build {build_id} any more",
                remove=partial(session.end_run, container),
            )
