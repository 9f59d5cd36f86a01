"""Of a generated site, everything that dead builds left is removed, and nothing else, whatever it looks like."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldsmith.errors import RefusedError
from goldsmith.vcenter import notes
from goldsmith.vcenter.api import StoredFile
from goldsmith.vcenter.belonging import Scope
from goldsmith.vcenter.clean import Sweep
from goldsmith.vcenter.inventory import Machine
from goldsmith.vcenter.places import locate
from goldsmith.work import Life, Work
from tests.unit.vcenter import leftovers
from tests.unit.vcenter.fakes import BEGAN, BUILD, FOLDER, PLACEMENT, FakeVCenter
from tests.unit.vcenter.leftovers import JUST_NOW, LONG_AGO, MEDIA, TOUCHES, Thing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from goldsmith.vcenter.clean import Leftover


class World:
    """A site with things on it, and who works on what."""

    def __init__(self, *things: Thing) -> None:
        self.vcenter = FakeVCenter()
        self.lives = {thing.work: thing.life for thing in things}
        self.held: list[Work] = []
        for thing in things:
            if thing.machine:
                self.vcenter.add(thing.machine)
                self.vcenter.happened |= {thing.machine.ref: thing.happened} if thing.happened else {}
            if thing.file:
                self.vcenter.stored.append(thing.file)
            if thing.removed and thing.file:
                self.vcenter.gone.add(thing.file.path.rpartition("/")[2].removesuffix(".tar.gz"))

    @contextlib.contextmanager
    def holding(self, work: Work) -> Iterator[None]:
        """Hold a lock that somebody alive has."""
        if self.lives.get(work) is Life.ALIVE:
            raise RefusedError("held")
        self.held.append(work)
        yield

    @property
    def sweep(self) -> Sweep:
        """The site, as `clean` looks at it."""
        places = locate(self.vcenter, PLACEMENT)
        scope = Scope(folder=places.folder.ref, now=self.vcenter.clock)
        return Sweep(
            vcenter=self.vcenter, places=places, scope=scope, holding=self.holding,
            life=lambda work: self.lives.get(work, Life.UNKNOWN),
        )  # fmt: skip

    def plan(self) -> list[Leftover]:
        """Return what would be removed."""
        return self.sweep.plan(PurePosixPath(MEDIA))

    def clean(self) -> list[str]:
        """Remove what is left, and return why something is kept."""
        sweep = self.sweep
        return [why for item in sweep.plan(PurePosixPath(MEDIA)) if (why := sweep.remove(item))]

    @property
    def there(self) -> set[str]:
        """Everything that is on the site."""
        return {*self.vcenter.held, *(file.path for file in self.vcenter.stored)}


def kept(things: list[Thing]) -> set[str]:
    machines = {thing.machine.ref for thing in things if thing.machine}
    return machines | {thing.file.path for thing in things if thing.file}


OURS = st.one_of(leftovers.machines(), leftovers.media(), leftovers.records())
NEARLY = st.one_of(leftovers.nearly_machines(), leftovers.nearly_media(), leftovers.nearly_records())


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.just(True), OURS) | st.tuples(st.just(False), NEARLY),
        max_size=10,
        unique_by=(lambda one: one[1].work.id, lambda one: one[1].work.build),
    )
)
def test_of_a_site_exactly_what_dead_builds_left_is_removed(things: list[tuple[bool, Thing]]) -> None:
    """Everything of ours goes; of what is nearly ours, nothing does; what goes, goes in the hold of its lock."""
    ours, nearly = ([thing for mine, thing in things if mine is wanted] for wanted in (True, False))
    world = World(*ours, *nearly)
    assert world.clean() == []
    assert world.there == kept(nearly)
    assert {thing.work for thing in ours if thing.life is Life.DEAD} == set(world.held)
    assert world.plan() == []


@given(leftovers.machines(), st.sampled_from(sorted(TOUCHES)))
def test_what_changes_after_the_list_stays(thing: Thing, touch: str) -> None:
    """Between list and removal a machine is finished, moved, renamed, or its build goes on: it is kept, with a word."""
    world = World(thing)
    sweep = world.sweep
    [item] = sweep.plan(PurePosixPath(MEDIA))
    now = TOUCHES[touch](thing)
    assert now.machine
    world.vcenter.held[now.machine.ref] = now.machine
    world.vcenter.happened |= {now.machine.ref: now.happened} if now.happened else {}
    world.lives[thing.work] = now.life
    assert sweep.remove(item) != ""
    assert world.there == kept([now])


@given(leftovers.media() | leftovers.records(), st.sampled_from(["written again", "alive", "gone"]))
def test_a_file_that_changes_after_the_list_stays(thing: Thing, how: str) -> None:
    """A medium that is uploaded again is not the one that was listed; one that is gone is no trouble."""
    world = World(thing)
    sweep = world.sweep
    [item] = sweep.plan(PurePosixPath(MEDIA))
    assert thing.file
    if how == "written again":
        world.vcenter.stored = [replace(thing.file, size=2)]
    elif how == "alive":
        world.lives[thing.work] = Life.ALIVE
    else:
        world.vcenter.stored = []
    assert bool(sweep.remove(item)) is (how != "gone")
    assert len(world.vcenter.stored) == (how != "gone")


@given(leftovers.records())
def test_a_record_whose_template_comes_back_stays(thing: Thing) -> None:
    """Registered again between list and removal, it is seen, and its record is kept."""
    world = World(thing)
    sweep = world.sweep
    [item] = sweep.plan(PurePosixPath(MEDIA))
    world.vcenter.add(Machine(ref="back", name=item.name.rpartition("/")[2].removesuffix(".tar.gz"), folder="vm-f"))
    assert "again" in sweep.remove(item)
    assert len(world.vcenter.stored) == 1


@given(leftovers.records())
def test_a_template_that_was_only_unregistered_keeps_its_record(thing: Thing) -> None:
    """Its files are on the datastore, so that it may come back."""
    assert thing.file
    name = thing.file.path.rpartition("/")[2].removesuffix(".tar.gz")
    world = World(thing)
    world.vcenter.stored.append(replace(thing.file, path=f"{name}/{name}.vmdk"))
    assert world.plan() == []


def test_machines_go_before_the_media_they_hold() -> None:
    """And before what was written of them."""
    work = Work(BUILD)
    note = notes.under_way(work, name=f"debian-13-base-{BUILD}", host="here", began=BEGAN)
    machine = Machine(ref="vm-1", name=f"debian-13-base-{BUILD}", folder=FOLDER, instance_uuid="u", note=note)
    world = World(Thing(work, Life.DEAD, machine=machine))
    world.vcenter.stored = [StoredFile(path=f"{MEDIA}/goldsmith-{BUILD}.iso", size=1, modified=LONG_AGO)]
    world.clean()
    assert world.vcenter.log == [f"destroy {machine.name}", f"delete [lab-ds] {MEDIA}/goldsmith-{BUILD}.iso"]


@pytest.mark.parametrize(
    ("id_", "happened", "goes"),
    [
        (f"{FakeVCenter.clock - timedelta(days=2):%Y%m%d-%H%M%S}-0123abcd", JUST_NOW, False),
        (f"{FakeVCenter.clock - timedelta(days=2):%Y%m%d-%H%M%S}-0123abcd", LONG_AGO, True),
        (f"{FakeVCenter.clock - timedelta(days=2):%Y%m%d-%H%M%S}-0123abcd", None, False),
        (f"{FakeVCenter.clock - timedelta(days=8):%Y%m%d-%H%M%S}-0123abcd", None, True),
        (f"{FakeVCenter.clock + timedelta(days=2):%Y%m%d-%H%M%S}-0123abcd", LONG_AGO, False),
        ("99999999-999999-0123abcd", LONG_AGO, False),
    ],
    ids=["a host two days behind", "dead", "young, nothing remembered", "old, nothing remembered", "ahead", "no date"],
)
def test_of_work_elsewhere_the_vcenters_own_dates_count(id_: str, happened: object, *, goes: bool) -> None:
    """A live build of a host whose clock is behind has an old id and young events; what cannot be dated stays."""
    work = Work(id_)
    name = f"debian-13-base-{id_}"
    note = notes.under_way(work, name=name, host="elsewhere", began=BEGAN)
    machine = Machine(ref="vm-1", name=name, folder=FOLDER, instance_uuid="u", note=note)
    thing = Thing(work, Life.UNKNOWN, machine=machine)
    world = World(replace(thing, happened=happened))  # type: ignore[arg-type] # the table's
    assert bool(world.plan()) is goes


def test_the_reason_says_whose_it_is() -> None:
    """A list that people read before they let it be removed."""
    work = Work(BUILD, "20261101-000000-0123abcd")
    name = f"debian-13-base-clone-1-{work.run}"
    note = notes.under_way(work, name=name, host="elsewhere", began=BEGAN)
    machine = Machine(ref="vm-1", name=name, folder=FOLDER, instance_uuid="u", note=note)
    thing = Thing(work, Life.UNKNOWN, machine=machine, happened=LONG_AGO)
    [found] = World(thing).plan()
    assert found.reason == f"run {work.run} (verifies build {BUILD}) of another machine did nothing for 3 days"
    [found] = World(replace(thing, life=Life.DEAD)).plan()
    assert found.reason == f"nobody works on run {work.run} (verifies build {BUILD}) any more"
