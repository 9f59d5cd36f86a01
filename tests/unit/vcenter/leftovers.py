"""Generators of what dead builds leave on a site, and of what is nearly that: none of the latter may be deleted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from goldsmith.vcenter import marks, notes
from goldsmith.vcenter.api import StoredFile
from goldsmith.vcenter.inventory import Machine, Power
from goldsmith.work import Life, Work
from tests.unit.vcenter.fakes import BEGAN, BUILD, FOLDER, KEY, OTHER_BUILD, FakeVCenter, finished

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = FakeVCenter.clock
LONG_AGO = NOW - timedelta(days=3)
JUST_NOW = NOW - timedelta(hours=1)
MEDIA = "goldsmith"
RECORDS = f"{MEDIA}/records"

_IDS = st.builds(
    lambda moment, digits: f"{moment:%Y%m%d-%H%M%S}-{digits:08x}",
    # Further back than anything a vCenter may have forgotten.
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the bounds
    st.integers(0, 2**32 - 1),
)
_IMAGES = st.sampled_from(["debian-13", "ubuntu-16.04", "a", "base", "x-base-y"])
_LABELS = st.sampled_from(["", "main-7", "feature-x-4711", "docker"])
_HOSTS = st.sampled_from(["builder", "ci-7.example.com", "Büro PC"])


@dataclass(frozen=True)
class Thing:
    """A machine or a file, whose work it is, and what is known of that."""

    work: Work
    life: Life
    machine: Machine | None = None
    file: StoredFile | None = None
    happened: datetime | None = None
    """When the vCenter says that something last happened with the machine."""
    removed: bool = False
    """For a record: whether the vCenter remembers that it removed the template."""

    def with_machine(self, **changed: Any) -> Thing:
        """Return the same with another machine."""
        assert self.machine
        return replace(self, machine=replace(self.machine, **changed))

    @property
    def clone(self) -> bool:
        """Whether it is a clone of a verification."""
        return self.machine is not None and "-clone-" in self.machine.name

    @property
    def old(self) -> bool:
        """Whether a version before 2026.12 left it, whose notes name no machine."""
        return self.machine is not None and "\nbegan " in self.machine.note


@st.composite
def lives(draw: st.DrawFn) -> tuple[Life, datetime | None]:
    """Return what is known of work that is over: here it is dead; elsewhere, the vCenter's own dates are old."""
    if draw(st.booleans()):
        return Life.DEAD, draw(st.sampled_from([None, LONG_AGO, JUST_NOW]))
    return Life.UNKNOWN, draw(st.sampled_from([None, LONG_AGO]))


@st.composite
def machines(draw: st.DrawFn) -> Thing:
    """Return an unfinished machine, or a clone, of work that is over: it must be removed."""
    image, phase = draw(_IMAGES), draw(st.sampled_from(["base", "docker"]))
    build, run = draw(_IDS), draw(_IDS)
    clone, old = draw(st.booleans()), draw(st.booleans())
    label = f"clone-{draw(st.integers(1, 2))}" if clone else draw(_LABELS)
    # Earlier versions named clones after the template's build.
    work = Work(build, run if not old else build) if clone else Work(build)
    name = "-".join(part for part in (image, phase, label, work.id) if part)
    note = notes.under_way(Work(build) if old else work, name=name, host=draw(_HOSTS), began=BEGAN)
    note = note.replace(f"\n{name} ", "\n") if old else note
    uuid = f"uuid-{work.id}"
    life, happened = draw(lives())
    machine = Machine(
        ref=f"vm-{work.id}", name=name, folder=FOLDER, instance_uuid=uuid, note=note,
        is_template=False if clone else draw(st.booleans()), has_snapshot=draw(st.booleans()),
        power=draw(st.sampled_from(list(Power))), attributes=draw(_attributes(work, clone=clone, phase=phase)),
    )  # fmt: skip
    # Whether clones of earlier versions are needed, nothing here knows: their template's build is over.
    life = Life.UNKNOWN if clone and old else life
    return Thing(work, life, machine=machine, happened=LONG_AGO if life is Life.UNKNOWN and happened else happened)


@st.composite
def _attributes(draw: st.DrawFn, work: Work, *, clone: bool, phase: str) -> dict[str, str]:
    """Return what an unfinished machine has: nothing, a base's that it inherited, or its own in part."""
    base = finished(OTHER_BUILD, status=draw(st.sampled_from([marks.VERIFIED, marks.CANDIDATE]))).attributes
    if clone or (phase == "docker" and draw(st.booleans())):
        return dict(base)
    own = marks.Attributes(image="debian-13", phase=phase, key=KEY, build=work.build)
    written = list(own.values(Machine(ref="", name="", instance_uuid="")).items())[: draw(st.integers(0, 11))]
    return {**(base if phase == "docker" else {}), **dict(written), "goldsmith.instance": ""} if written else {}


def _own(thing: Thing, uuid: str, **told: str) -> dict[str, str]:
    attributes = marks.Attributes(image="debian-13", phase="base", key=KEY, build=thing.work.build, **told)
    return attributes.values(Machine(ref="", name="", instance_uuid=uuid))


def _uuid(thing: Thing) -> str:
    assert thing.machine
    return thing.machine.instance_uuid


def _name(thing: Thing) -> str:
    assert thing.machine
    return thing.machine.name


def _note(thing: Thing) -> str:
    assert thing.machine
    return thing.machine.note


TOUCHES: dict[str, Callable[[Thing], Thing]] = {
    "in another folder": lambda thing: thing.with_machine(folder="vm-f"),
    "in a vApp": lambda thing: thing.with_machine(folder="vapp"),
    "no note": lambda thing: thing.with_machine(note=""),
    "another note": lambda thing: thing.with_machine(note="production, do not delete"),
    "a note with ours in it": lambda thing: thing.with_machine(note=f"production, do not delete\n{_note(thing)}"),
    "a note with more than ours": lambda thing: thing.with_machine(note=f"{_note(thing)}\nkeep this one, please"),
    "a blank more": lambda thing: thing.with_machine(note=f"{_note(thing)} "),
    "another build's note": lambda thing: thing.with_machine(note=_note(thing).replace(thing.work.id, OTHER_BUILD)),
    "a stranger's name": lambda thing: thing.with_machine(name=f"prod-db-{thing.work.id}"),
    "a copy's name": lambda thing: thing.with_machine(name=f"{_name(thing)}-copy"),
    "a name in capitals": lambda thing: thing.with_machine(name=_name(thing).upper()),
    "a third build's name": lambda thing: thing.with_machine(name=_name(thing).replace(thing.work.id, BUILD)),
    "a name of its own": lambda thing: thing.with_machine(name="golden"),
    "finished": lambda thing: thing.with_machine(attributes=_own(thing, _uuid(thing))),
    "finished and verified": lambda thing: thing.with_machine(
        attributes=_own(thing, _uuid(thing), status=marks.VERIFIED), is_template=True
    ),
    "somebody works on it": lambda thing: replace(thing, life=Life.ALIVE),
    "at work elsewhere": lambda thing: replace(thing, life=Life.UNKNOWN, happened=JUST_NOW),
}
"""What makes an unfinished machine, whichever it is, one that must stay."""
TOUCHES_OF_BUILDS: dict[str, Callable[[Thing], Thing]] = {
    "restored": lambda thing: thing.with_machine(attributes=_own(thing, "before"), is_template=True),
    "restored and verified": lambda thing: thing.with_machine(attributes=_own(thing, "before", status=marks.VERIFIED)),
    "finished by another build": lambda thing: thing.with_machine(
        attributes={**_own(thing, _uuid(thing)), "goldsmith.build": OTHER_BUILD}
    ),
    "judged": lambda thing: thing.with_machine(attributes=_own(thing, "", status=marks.FAILED)),
}
TOUCHES_OF_CLONES: dict[str, Callable[[Thing], Thing]] = {
    "a template": lambda thing: thing.with_machine(is_template=True),
    "a template's own attributes": lambda thing: thing.with_machine(attributes=_own(thing, _uuid(thing))),
}
TOUCHES_OF_NAMED: dict[str, Callable[[Thing], Thing]] = {
    # A clone inherits the note, and may be called like another of this suite's machines.
    "a clone of it": lambda thing: thing.with_machine(name=f"x-{_name(thing)}"),
    "a clone with a label": lambda thing: thing.with_machine(
        name=_name(thing).replace(f"-{thing.work.id}", f"-copy-{thing.work.id}")
    ),
}


@st.composite
def nearly_machines(draw: st.DrawFn) -> Thing:
    """Return a machine that is an unfinished one but for one thing, or several: it must stay."""
    thing = draw(machines())
    touches = TOUCHES | (TOUCHES_OF_CLONES if thing.clone else TOUCHES_OF_BUILDS)
    touches |= {} if thing.old else TOUCHES_OF_NAMED
    for name in draw(st.lists(st.sampled_from(sorted(touches)), min_size=1, max_size=2, unique=True)):
        thing = touches[name](thing)
    return thing


# -- files -----------------------------------------------------------------------------------


@st.composite
def media(draw: st.DrawFn) -> Thing:
    """Return a medium of a build, or the part of an upload, that nobody needs: it must be removed."""
    build = draw(_IDS)
    end = draw(st.sampled_from([".iso", ".flp"]) | st.integers(0, 2**24 - 1).map("-{:06x}.part".format))
    life, _ = draw(lives())
    modified = draw(st.sampled_from([None, LONG_AGO]))
    folder = draw(st.sampled_from([MEDIA, RECORDS]))
    return Thing(Work(build), life, file=StoredFile(path=f"{folder}/goldsmith-{build}{end}", size=1, modified=modified))


@st.composite
def nearly_media(draw: st.DrawFn) -> Thing:
    """Return a file that has a build's id and is no medium of it, or is needed: it must stay."""
    thing = draw(media())
    assert thing.file
    build = thing.work.build
    names = [
        f"goldsmith-{build}-IMPORTANT-backup.vmdk", f"goldsmith-{build}.iso.bak", f"goldsmith-{build}-abc12.part",
        f"goldsmith-{build}-ABC123.part", f"goldsmith-{build}.vmdk", f"goldsmith-{build}", f"x-goldsmith-{build}.iso",
        f"goldsmith-{build}0.iso", f"goldsmith-{build}-0123456789ab.iso", f"goldsmith-debian-13-{build[:12]}.iso",
        f"{build}.iso", f"Goldsmith-{build}.iso", f"goldsmith-{build}.ISO", f"old/goldsmith-{build}.iso",
    ]  # fmt: skip
    file = thing.file
    other = st.sampled_from(names).map(lambda name: replace(thing, file=replace(file, path=f"{MEDIA}/{name}")))
    needed = st.sampled_from(
        [
            replace(thing, life=Life.ALIVE),
            replace(thing, life=Life.UNKNOWN, file=replace(thing.file, modified=JUST_NOW)),
        ]
    )
    return draw(other | needed)


@st.composite
def records(draw: st.DrawFn) -> Thing:
    """Return the record of a template that the vCenter removed: it must be removed, too."""
    build = draw(_IDS)
    name = "-".join(
        part for part in (draw(_IMAGES), draw(st.sampled_from(["base", "docker"])), draw(_LABELS), build) if part
    )
    life, _ = draw(lives())
    file = StoredFile(path=f"{RECORDS}/{name}.tar.gz", size=1, modified=draw(st.sampled_from([None, LONG_AGO])))
    return Thing(Work(build), life, file=file, removed=True)


@st.composite
def nearly_records(draw: st.DrawFn) -> Thing:
    """Return a record whose template is there, or is only not seen, or somebody else's file: it must stay."""
    thing = draw(records())
    assert thing.file
    build, name = thing.work.build, thing.file.path.rpartition("/")[2].removesuffix(".tar.gz")
    renamed = finished(build, name="golden")
    return draw(
        st.sampled_from(
            [
                replace(thing, removed=False),
                replace(thing, life=Life.ALIVE),
                replace(thing, life=Life.UNKNOWN, file=replace(thing.file, modified=JUST_NOW)),
                replace(thing, machine=renamed),
                replace(thing, machine=replace(renamed, folder="vm-f")),
                replace(thing, machine=Machine(ref=f"vm-{build}", name=name, folder="vm-f")),
                *(
                    replace(thing, file=replace(thing.file, path=f"{RECORDS}/{other}"))
                    for other in ("golden.tar.gz", f"notes-{build}.tar.gz", f"{name}.tar.gz.part", f"old/{name}.tar.gz")
                ),
            ]
        )
    )
