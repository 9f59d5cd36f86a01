"""`clean` takes what dead builds left, and nothing that is somebody else's."""

from __future__ import annotations

import json
import shutil
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from goldsmith.builds import Build, Builds, Status
from goldsmith.host.workspace import Workspace
from goldsmith.vcenter import notes
from goldsmith.work import Work
from tests.integration import bystander as room
from tests.integration import foreign
from tests.integration.conftest import Operator
from tests.integration.inventory import datastore, difference, docker
from tests.integration.test_interruptions import at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.bystander import Bystander

DEAD = "20250101-120000-0123abcd"
"""A build of long ago that the checkout knows, and that nobody works on."""
ELSEWHERE = "20250101-120000-89abcdef"
"""A build of a machine whose clock is behind: its id is old, and what it makes is new."""
SITE = "goldsmith"
"""The site's folder, of machines and of media."""


@contextmanager
def machines(bystander: Bystander, *made: tuple[str, str, str]) -> Iterator[None]:
    """Make machines of these folders, names and notes, and remove those that are still there afterwards."""
    with bystander.lab.connect() as client:
        there = {ref._moId: ref for ref in foreign.every(client)}
        for folder, name, text in made:
            foreign.machine(client, folder, name, note=text)
    try:
        yield
    finally:
        with bystander.lab.connect() as client:
            for ref in foreign.every(client):
                if ref._moId not in there:
                    client._collector.finish(ref.Destroy_Task())


@pytest.fixture
def dead(bystander: Bystander) -> Iterator[Work]:
    """Yield a build that the checkout knows."""
    builds = Builds(Workspace(root=bystander.root, cache=bystander.cache))
    build = builds.save(Build(id=DEAD, image="debian-13", site="lab", key="k", inputs="", status=Status.FAILED))
    yield Work(DEAD)
    shutil.rmtree(builds.folder(build))


@contextmanager
def files(bystander: Bystander, folder: Path, *names: str) -> Iterator[None]:
    """Put files into the folder of boot media."""
    where = "/vmfs/volumes/lab-ds/goldsmith"
    vcenter = f"{bystander.lab.name}-vcenter"
    for name in names:
        (folder / "goldsmith" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "goldsmith" / name).write_text("x")
    docker("cp", str(folder / "goldsmith"), f"{vcenter}:{where.rpartition('/')[0]}/")
    try:
        yield
    finally:
        with bystander.lab.connect() as client:
            datacenter = client._content.rootFolder.childEntity[0]
            for name in names:
                path = f"[lab-ds] goldsmith/{name}"
                client._content.fileManager.DeleteDatastoreFile_Task(path, datacenter)


def note(work: Work, name: str) -> str:
    """Return the note of a machine under way."""
    return notes.under_way(work, name=name, host="somewhere", began="2025-01-01 12:00 UTC")


def listed(operator: Operator) -> list[str]:
    """Return the names of what `clean` would remove."""
    return sorted(item["name"] for item in json.loads(operator.done("clean", "--dry-run", "--json").out))


def test_only_what_is_certainly_ours_is_taken(bystander: Bystander, tmp_path: Path, dead: Work) -> None:
    """Of machines and files that have one or several of the marks, only those go that have all of them."""
    before = bystander.inventory()
    ours, old, clone = (f"debian-13-base-{part}{DEAD}" for part in ("", "main-7-", "clone-1-"))
    ours_note, young = note(dead, ours), f"debian-13-base-{ELSEWHERE}"
    made = (
        (SITE, ours, ours_note),
        # As versions before 2026.12 wrote it.
        (SITE, old, ours_note.replace(f"{ours} began", "began")),
        (SITE, clone, ours_note),
        (SITE, f"prod-db-{DEAD}", note(dead, f"prod-db-{DEAD}")),
        (SITE, f"debian-12-base-{DEAD}", f"production, do not delete\n{note(dead, f'debian-12-base-{DEAD}')}"),
        (SITE, f"like-ours-{DEAD}", "somebody's own machine"),
        (SITE, young, note(Work(ELSEWHERE), young)),
        ("", f"debian-11-base-{DEAD}", note(dead, f"debian-11-base-{DEAD}")),
    )
    media = (
        f"goldsmith-{DEAD}.iso", f"goldsmith-{DEAD}-abc123.part", f"goldsmith-{ELSEWHERE}.iso", "goldsmith.iso",
        "generic-0123456789ab.iso", f"copy-of-goldsmith-{DEAD}.iso", f"goldsmith-{DEAD}-IMPORTANT-backup.vmdk",
    )  # fmt: skip
    with machines(bystander, *made), files(bystander, tmp_path, *media):
        everything = bystander.inventory()
        expected = [ours, old, f"{SITE}/goldsmith-{DEAD}.iso", f"{SITE}/goldsmith-{DEAD}-abc123.part"]
        assert listed(bystander.operator) == sorted(expected)
        assert difference(everything, bystander.inventory()) == ""
        bystander.operator.done("clean")
        gone = difference(everything, bystander.inventory()).splitlines()
        assert all(line.startswith("- ") and DEAD in line for line in gone), gone
        assert listed(bystander.operator) == []
    assert difference(before, bystander.inventory()) == ""


def test_a_record_goes_when_the_vcenter_says_that_its_template_went(
    bystander: Bystander, tmp_path: Path, dead: Work
) -> None:
    """One whose template was never seen stays, and so does one whose template was only taken out of the inventory."""
    gone, unseen, unregistered = (f"debian-13-base-{part}{DEAD}" for part in ("a-", "b-", "c-"))
    with bystander.lab.connect() as client:
        client._collector.finish(foreign.machine(client, SITE, gone).Destroy_Task())
        foreign.machine(client, SITE, unregistered).UnregisterVM()
    stored = [f"{name}.tar.gz" for name in (gone, unseen, unregistered)]
    with files(bystander, tmp_path, *(f"records/{name}" for name in stored)):
        assert listed(bystander.operator) == [f"{SITE}/records/{gone}.tar.gz"]
        bystander.operator.done("clean")
        there = datastore(bystander.lab)
        assert [name for name in stored if any(name in line for line in there)] == stored[1:]
    with bystander.lab.connect() as client:
        where = f"[lab-ds] {unregistered}"
        client._content.fileManager.DeleteDatastoreFile_Task(where, foreign.datacenter(client))


def test_a_living_build_is_left_alone_from_anywhere(bystander: Bystander, tmp_path: Path) -> None:
    """Neither its own checkout nor another one takes machine, medium, container, answers or key of a living build."""
    other = Operator(bystander.operator.environment, room.copy(tmp_path / "other"))
    with at("PowerOnVM_Task", bystander) as run:
        before = bystander.inventory()
        for operator in (bystander.operator, other):
            assert listed(operator) == []
            operator.done("clean")
        assert difference(before, bystander.inventory()) == ""
        assert run.process.poll() is None
        run.interrupt(signal.SIGINT)
    assert run.end().code == 130
