"""`clean` takes what dead builds left, and nothing that is somebody else's."""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.integration import bystander as room
from tests.integration.conftest import Operator
from tests.integration.inventory import difference, docker
from tests.integration.test_interruptions import at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.bystander import Bystander

DEAD = "20250101-120000-0123abcd"
"""A build of long ago that no checkout knows."""
YOUNG = "20991231-120000-0123abcd"
"""A build of another machine that may still be at work."""


@contextmanager
def machines(bystander: Bystander, **notes: str) -> Iterator[None]:
    """Make machines with these names and notes, and remove those that are still there afterwards."""
    from goldsmith.vcenter.sdk import vim

    def each(names: set[str]) -> dict[str, Any]:
        found = client._collector.every(client._content.rootFolder, {vim.VirtualMachine: ("name",)})
        return {values["name"]: ref for ref, values in found if values["name"] in names}

    names = {name.replace("_", "-") for name in notes}
    with bystander.lab.connect() as client:
        datacenter = client._content.rootFolder.childEntity[0]
        pool = datacenter.hostFolder.childEntity[0].resourcePool
        for name, note in notes.items():
            files = vim.vm.FileInfo(vmPathName="[lab-ds]")
            spec = vim.vm.ConfigSpec(name=name.replace("_", "-"), annotation=note, files=files, guestId="otherGuest64")
            client._collector.finish(datacenter.vmFolder.CreateVM_Task(spec, pool))
    try:
        yield
    finally:
        with bystander.lab.connect() as client:
            for machine in each(names).values():
                client._collector.finish(machine.Destroy_Task())


@contextmanager
def files(bystander: Bystander, folder: Path, *names: str) -> Iterator[None]:
    """Put files into the folder of boot media."""
    where = "/vmfs/volumes/lab-ds/goldsmith"
    vcenter = f"{bystander.lab.name}-vcenter"
    (folder / "goldsmith").mkdir()
    for name in names:
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


def note(build: str) -> str:
    """Return the note of a machine that *build* is making."""
    return f"goldsmith: build {build} is under way\nbegan some day on some machine"


def listed(operator: Operator) -> list[str]:
    """Return the names of what `clean` would remove."""
    return sorted(item["name"] for item in json.loads(operator.done("clean", "--dry-run", "--json").out))


def test_only_what_bears_every_mark_is_taken(bystander: Bystander, tmp_path: Path) -> None:
    """A name alone, a note alone, a young build of another machine, a stranger's file: all of them stay."""
    before = bystander.inventory()
    ours = f"debian-13-base-{DEAD}"
    made = {
        ours: note(DEAD),
        f"like-ours-{DEAD}": "somebody's own machine",
        "clone-of-an-unfinished-one": note(DEAD),
        f"debian-13-base-{YOUNG}": note(YOUNG),
    }
    media = (f"goldsmith-{DEAD}.iso", f"goldsmith-{DEAD}-abc123.part", f"goldsmith-{YOUNG}.iso", "goldsmith.iso",
             "generic-0123456789ab.iso", f"copy-of-goldsmith-{DEAD}.iso")  # fmt: skip
    with machines(bystander, **made), files(bystander, tmp_path, *media):
        everything = bystander.inventory()
        expected = sorted([ours, f"goldsmith/goldsmith-{DEAD}.iso", f"goldsmith/goldsmith-{DEAD}-abc123.part"])
        assert listed(bystander.operator) == expected
        assert difference(everything, bystander.inventory()) == ""
        bystander.operator.done("clean")
        gone = difference(everything, bystander.inventory()).splitlines()
        assert all(line.startswith("- ") and DEAD in line for line in gone), gone
        assert listed(bystander.operator) == []
    assert difference(before, bystander.inventory()) == ""


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
