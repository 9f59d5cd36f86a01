"""Whoever reads goes away - `| head`, a closed terminal - or the disk is full: work and clean-up go on to their end."""

from __future__ import annotations

import json
import resource
import signal
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import ToolError
from goldsmith.host.runner import Command, ProcessRunner
from tests.integration.heard import Heard
from tests.integration.inventory import difference
from tests.integration.test_interruptions import at, stands

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.bystander import Bystander


@pytest.fixture(autouse=True)
def undisturbed(bystander: Bystander) -> Iterator[None]:
    """Give every test a vCenter without orders, and leave it so."""
    yield
    bystander.admin().clear_faults()


@pytest.fixture
def templates(bystander: Bystander) -> Iterator[list[str]]:
    """Yield a list for the names of templates that a test makes; they are gone afterwards."""
    made: list[str] = []
    yield made
    with bystander.lab.connect() as client:
        for machine in client.machines():
            if machine.name in made:
                client.destroy(machine)


def newest(bystander: Bystander) -> tuple[str, str]:
    """Return the name of the newest build's template, and what the log of that build has."""
    build = max(path for path in (bystander.root / "build").iterdir() if path.name[:2] == "20")
    return f"debian-13-base-{build.name}", (build / "logs/progress.log").read_text()


def listed(bystander: Bystander) -> list[str]:
    """Return the names of the site's finished templates."""
    return [row["name"] for row in json.loads(bystander.operator.done("templates", "--json").out)]


# -- a build ----------------------------------------------------------------------------------


def test_a_build_outlives_its_reader(bystander: Bystander, templates: list[str]) -> None:
    """`packer-base 2>&1 | head -3` makes its template and ends with its own status; the log has what nobody read."""
    with bystander.quick():
        run = Heard(bystander.operator, "packer-base", "--rebuild")
        run.leave()
        assert run.end() == 0
    name, log = newest(bystander)
    templates.append(name)
    assert name in listed(bystander)
    assert "✓ mark the template" in log
    assert json.loads(bystander.operator.done("clean", "--dry-run", "--json").out) == []


def test_a_build_whose_terminal_is_closed_leaves_nothing(bystander: Bystander) -> None:
    """SIGHUP unwinds as SIGTERM does, although not one line of that can be written any more."""
    before = bystander.inventory()
    admin = bystander.admin()
    admin.put_barrier("PowerOnVM_Task", method="PowerOnVM_Task")
    run = Heard(bystander.operator, "packer-base", "--rebuild", terminal=True)
    stands(admin, "PowerOnVM_Task", run)
    run.leave()
    admin.release("PowerOnVM_Task", refuse=True)
    assert run.end() == 128 + signal.SIGHUP
    assert difference(before, bystander.inventory()) == ""
    assert newest(bystander)[1].splitlines()[-1].endswith("SIGHUP")


def test_a_disk_that_fills_up_hides_no_template(bystander: Bystander, templates: list[str]) -> None:
    """No file can grow any more once the machine is installed: it is finished all the same, and the error names it."""
    admin = bystander.admin()
    with bystander.quick():
        admin.put_barrier("snapshot", method="CreateSnapshot_Task")
        run = Heard(bystander.operator, "packer-base", "--rebuild")
        stands(admin, "snapshot", run)
        resource.prlimit(run.process.pid, resource.RLIMIT_FSIZE, (0, 0))
        admin.release("snapshot")
        assert run.end() == 4
    name, _ = newest(bystander)
    templates.append(name)
    assert name in listed(bystander)
    assert f"stays: {name}" in run.said
    assert "is incomplete: File too large" in run.said
    assert run.said.count("what:  no space is left") == 1
    assert "Traceback" not in run.said
    left = json.loads(bystander.operator.done("clean", "--dry-run", "--json").out)
    assert left == []


# -- clean ------------------------------------------------------------------------------------


@pytest.mark.parametrize("terminal", [False, True], ids=["reader", "terminal"])
def test_clean_goes_on_to_its_end(bystander: Bystander, *, terminal: bool) -> None:
    """With its reader gone it removes everything; with its terminal closed it ends, and the next one does the rest."""
    before = bystander.inventory()
    with at("PowerOnVM_Task", bystander) as killed:
        killed.interrupt(signal.SIGKILL)
        killed.process.wait()
    admin = bystander.admin()
    admin.put_barrier("removal", method="Destroy_Task")
    run = Heard(bystander.operator, "clean", terminal=terminal)
    stands(admin, "removal", run)
    run.leave(1)
    admin.release("removal")
    assert run.end() == (128 + signal.SIGHUP if terminal else 0)
    if terminal:
        bystander.operator.done("clean")
    assert difference(before, bystander.inventory()) == ""


# -- programs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["no-such-program", "/etc/passwd", "/etc/passwd/x", "/"])
def test_a_program_that_cannot_be_started_is_told(name: str) -> None:
    """It is missing, may not be run, or is none: an error in four parts."""
    with pytest.raises(ToolError, match="cannot be started"):
        ProcessRunner().run(Command(argv=(name,)))
