"""What dead builds left on a site: listed with a reason, then looked at again and removed."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from goldsmith.errors import RefusedError
from goldsmith.plan import spoken, started
from goldsmith.vcenter import marks, ours
from goldsmith.work import Life

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

    from goldsmith.vcenter.api import StoredFile, VCenter
    from goldsmith.vcenter.belonging import Scope
    from goldsmith.vcenter.inventory import Machine, Node
    from goldsmith.vcenter.places import Places
    from goldsmith.work import Work

FOREIGN_AGE = timedelta(days=1)
"""Work of another machine cannot be asked whether it goes on; none takes this long."""
SILENT_AGE = timedelta(days=7)
"""The same where the vCenter remembers nothing of it, so that only the id has a date, of whoever's clock."""
RECORDS = "records"
"""Folder of the records, below that of the media."""


@dataclass(frozen=True, kw_only=True)
class Leftover:
    """One thing to remove, whose work left it, and the sentence that says why."""

    kind: str
    name: str
    reason: str
    work: Work
    machine: Machine | None = None
    file: StoredFile | None = None
    on: Node | None = None
    """The datastore of the file."""


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """A site, looked at for what dead builds left."""

    vcenter: VCenter
    places: Places
    scope: Scope
    life: Callable[[Work], Life]
    holding: Callable[[Work], AbstractContextManager[object]]
    """Keeps everybody else on this machine off some work within a block; raises ``RefusedError`` where they are."""

    def plan(self, folder: PurePosixPath) -> list[Leftover]:
        """Return what is left; *folder* is that of the media. Machines come first: they hold the media."""
        return [*self._machines(), *self._media(folder), *self._records(folder / RECORDS)]

    def _machines(self) -> Iterator[Leftover]:
        for machine in self.vcenter.machines(self.places.folder):
            work = ours.unfinished(machine, self.places.folder)
            if work and (reason := self._over(work, partial(self.vcenter.last_event, machine))):
                kind = "unfinished template" if machine.is_template else "virtual machine"
                yield Leftover(kind=kind, name=machine.name, reason=reason, work=work, machine=machine)

    def _media(self, folder: PurePosixPath) -> Iterator[Leftover]:
        for datastore, inside in ((self.places.media_datastore, folder), (self.places.datastore, folder / RECORDS)):
            for file in self.vcenter.files(datastore, inside.as_posix(), "goldsmith-*"):
                work = ours.medium(file, inside)
                if work and (reason := self._over(work, partial(_modified, file))):
                    yield Leftover(kind="medium", name=file.path, reason=reason, work=work, file=file, on=datastore)

    def _records(self, folder: PurePosixPath) -> Iterator[Leftover]:
        """Yield the records whose template the vCenter itself removed: one that is not seen may still be there."""
        for file in self.vcenter.files(self.places.datastore, folder.as_posix(), "*.tar.gz"):
            whose = ours.record(file, folder)
            if whose and self._removed_by_the_vcenter(*whose) and self._over(whose[0], partial(_modified, file)):
                reason = f"the vCenter removed {whose[1]}"
                yield Leftover(
                    kind="record", name=file.path, reason=reason, work=whose[0], file=file, on=self.places.datastore
                )

    @cached_property
    def _removed(self) -> frozenset[str]:
        return self.vcenter.removed(self.places.datacenter)

    def _removed_by_the_vcenter(self, work: Work, name: str) -> bool:
        """Return whether a template is certainly gone: its removal is remembered, and neither it nor a file is left.

        A machine that was only taken out of the inventory has its files, and may come back.
        """
        if name not in self._removed:
            return False
        there = any(
            machine.name == name or marks.said(machine, "build") == work.build for machine in self.vcenter.machines()
        )
        return not there and not self.vcenter.files(self.places.datastore, name)

    def _over(self, work: Work, touched: Callable[[], datetime | None]) -> str:
        """Return why nobody needs any more what some work left, or nothing when somebody may.

        For work that this machine does not know, the vCenter's own dates count: *touched* is when something
        last happened with the thing. The clock of whoever works on it may be days behind.
        """
        match self.life(work):
            case Life.ALIVE:
                return ""
            case Life.DEAD:
                return f"nobody works on {work} any more"
            case Life.UNKNOWN:
                began = started(work.id)
                if began is None:
                    return ""  # what cannot be dated may be of this very moment
                last = touched()
                age = self.scope.now - max(began, last or began)
                return f"{work} of another machine did nothing for {spoken(age)}" if age > _limit(last) else ""

    def remove(self, item: Leftover) -> str:
        """Look at it again, and remove it if it is still what it was; return why it is kept, or nothing.

        Minutes lie between the list and this: a machine may have been finished since, and its build be at work again.
        """
        was = self.life(item.work)
        try:
            with self.holding(item.work) if was is Life.DEAD else contextlib.nullcontext():
                if item.machine is not None:
                    return self._remove_machine(item, item.machine, foreign=was is not Life.DEAD)
                return self._remove_file(item, foreign=was is not Life.DEAD)
        except RefusedError:
            return f"somebody works on {item.work}"

    def _remove_machine(self, item: Leftover, machine: Machine, *, foreign: bool) -> str:
        now = self.vcenter.again(machine)
        if now is None:
            return ""
        if ours.unfinished(now, self.places.folder) != item.work:
            return "it is not what it was when it was listed"
        if foreign and not self._over(item.work, partial(self.vcenter.last_event, now)):
            return f"{item.work} is at work again"
        self.vcenter.destroy(now)
        return ""

    def _remove_file(self, item: Leftover, *, foreign: bool) -> str:
        file, datastore = item.file, item.on
        if file is None or datastore is None:
            return "it is nothing that can be removed"
        path = PurePosixPath(file.path)
        now = [one for one in self.vcenter.files(datastore, path.parent.as_posix(), path.name) if one.path == file.path]
        if not now:
            return ""
        if now[0] != file or (foreign and not self._over(item.work, partial(_modified, now[0]))):
            return "it was written again since it was listed"
        whose = ours.record(file, path.parent)
        if whose and not self._removed_by_the_vcenter(*whose):
            return "its template is there again"
        self.vcenter.delete_file(self.places.datacenter, datastore, file.path)
        return ""


def _modified(file: StoredFile) -> datetime | None:
    return file.modified


def _limit(last: datetime | None) -> timedelta:
    return SILENT_AGE if last is None else FOREIGN_AGE
