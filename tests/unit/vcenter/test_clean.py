"""Clean removes what dead builds left, and never anything else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.model import Placement
from goldsmith.vcenter import clean, marks
from goldsmith.vcenter.api import StoredFile
from goldsmith.vcenter.clean import Leftover, Life
from goldsmith.vcenter.inventory import Machine, Places, Tree, resolve
from tests.unit.vcenter.fakes import BUILD, FakeVCenter

NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
NOTE = marks.note_under_way(BUILD, host="here", began="now")
UNFINISHED = Machine(ref="vm-1", name=f"debian-13-base-{BUILD}", instance_uuid="uuid-1", note=NOTE)
DONE = marks.Attributes(image="debian-13", phase="base", key="ab" * 32, build=BUILD).values(UNFINISHED)


def _plan(
    *machines: Machine, media: tuple[str, ...] = (), life: Life = Life.DEAD, now: datetime = NOW
) -> list[Leftover]:
    files = [StoredFile(path=path, size=1) for path in media]
    return clean.plan(machines, files, life=lambda _: life, now=now)


@pytest.mark.parametrize("is_template", [False, True], ids=["machine", "template"])
def test_unfinished_machines_of_dead_builds(is_template: bool) -> None:  # noqa: FBT001 - a case of the table
    """What a killed run left is found, also when Packer had just made it a template, and the reason is said."""
    [found] = _plan(replace(UNFINISHED, is_template=is_template))
    assert found.machine is not None
    assert found.reason == f"nobody works on build {BUILD} any more"


@pytest.mark.parametrize(
    "changed",
    [
        {"note": ""},
        {"note": "about " + NOTE},
        {"name": "production-db"},
        {"name": "debian-13-base-20261123-150000-99999999"},
        {"attributes": DONE, "is_template": True},
    ],
    ids=[
        "no mark",
        "another note",
        "clone under another name",
        "another build's name",
        "finished, note not yet written",
    ],
)
def test_what_is_not_ours_stays(changed: dict[str, object]) -> None:
    """Without the build's mark in both note and name, or with a finished template's attributes, nothing is touched."""
    machine = replace(UNFINISHED, **changed)  # type: ignore[arg-type] # the fields' names are the table's business
    assert _plan(machine) == []


def test_living_builds_stay() -> None:
    """What a run on this machine still works on is not touched."""
    assert _plan(UNFINISHED, media=(f"goldsmith/goldsmith-{BUILD}.iso",), life=Life.ALIVE) == []


@pytest.mark.parametrize(("hours", "expected"), [(23, 0), (26, 1)])
def test_builds_of_other_machines(hours: int, expected: int) -> None:
    """Another machine's build cannot be asked: only its age makes it dead."""
    now = datetime(2026, 11, 23, 15, tzinfo=UTC) + timedelta(hours=hours)
    assert len(_plan(UNFINISHED, life=Life.UNKNOWN, now=now)) == expected


def test_what_cannot_be_dated_stays() -> None:
    """A build of another machine whose id names no time may have begun a moment ago."""
    edited = "99999999-999999-0123abcd"
    note = marks.note_under_way(edited, host="elsewhere", began="now")
    machine = replace(UNFINISHED, name=f"debian-13-base-{edited}", note=note)
    medium = f"goldsmith/goldsmith-{edited}.iso"
    assert _plan(machine, media=(medium,), life=Life.UNKNOWN, now=NOW + timedelta(days=1000)) == []
    assert len(_plan(machine, media=(medium,), life=Life.DEAD)) == 2


def test_media() -> None:
    """Media that bear a dead build's id are found, finished or not; reusable ones and other people's are kept."""
    ours = (f"goldsmith/goldsmith-{BUILD}.iso", f"goldsmith/goldsmith-{BUILD}-12ab34.part")
    others = ("goldsmith/debian-ab12cd34ef56.iso", f"goldsmith/notes-{BUILD}.txt", f"goldsmith/goldsmith-{BUILD}0.iso")
    assert tuple(item.name for item in _plan(media=ours + others)) == ours


def _orphans(*paths: str, machines: tuple[Machine, ...] = (), life: Life = Life.DEAD, now: datetime = NOW) -> list[str]:
    files = [StoredFile(path=path, size=1) for path in paths]
    return [item.name for item in clean.orphans(machines, files, life=lambda _: life, now=now)]


def test_records_go_with_their_templates() -> None:
    """A record stays as long as its template does, whatever that is called by now; other people's files always do."""
    record, foreign = f"goldsmith/records/debian-13-base-{BUILD}.tar.gz", "goldsmith/records/notes.tar.gz"
    template = replace(UNFINISHED, name="golden", attributes=DONE, is_template=True)
    assert _orphans(record, foreign, machines=(template,)) == []
    assert _orphans(record, foreign) == [record]
    assert _orphans(record, life=Life.ALIVE) == []
    assert _orphans(record, life=Life.UNKNOWN) == []
    assert _orphans(record, life=Life.UNKNOWN, now=NOW + timedelta(days=9)) == [record]


def test_a_build_id_in_a_folder_is_no_mark() -> None:
    """Only the file's own name counts, not the folder an operator put it in."""
    assert _plan(media=(f"goldsmith-{BUILD}/windows.iso",)) == []


@given(st.text(), st.text())
def test_no_text_makes_a_machine_ours(name: str, note: str) -> None:
    """Whatever people write into names and notes, no machine without our mark is taken."""
    if "goldsmith: build" not in note:
        assert clean.unfinished_build(replace(UNFINISHED, name=name, note=note)) is None


def test_remove_takes_machines_before_media() -> None:
    """Machines go first, because they hold the media."""
    vcenter = FakeVCenter()
    vcenter.add(UNFINISHED)
    medium = f"goldsmith/goldsmith-{BUILD}.iso"
    vcenter.stored = [StoredFile(path=medium, size=1)]
    places = resolve(
        Tree(vcenter.nodes()),
        Placement(datacenter="DC0", cluster="DC0_C0", datastore="lab-ds", network="VM Network"),
    )
    assert isinstance(places, Places)
    found = clean.plan(vcenter.machines(), vcenter.stored, life=lambda _: Life.DEAD, now=NOW)
    clean.remove(vcenter, places, found)
    assert vcenter.log == [f"destroy {UNFINISHED.name}", f"delete [lab-ds] {medium}"]
    assert not vcenter.held
