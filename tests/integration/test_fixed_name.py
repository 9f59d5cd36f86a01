"""BASE_VM_TEMPLATE_NAME on two vCenters at once, and when a run is killed while names change hands."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from goldsmith.tools import netboot, sshkey
from goldsmith.wiring import Session
from tests.integration import handmade
from tests.integration.origin import variables
from tests.integration.test_base import HASH, Forged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from goldsmith.lab.admin import Admin
    from tests.integration.bystander import Bystander, Run

KEYS = {name: sshkey.generate(f"{name}@example.com").public for name in ("lab", "lab2")}
FIXED = "golden"
ASK = ("packer-base", "--image", "ubuntu-16.04")


@pytest.fixture(scope="module")
def sites(bystander: Bystander) -> Iterator[dict[str, dict[str, str]]]:
    """Yield the variables of two vCenters that differ in everything: one has a hand-made ISO, one has the image's."""
    sites = {
        name: variables(bystander.lab, name)
        | {"GUEST_AUTHORIZED_KEYS": KEYS[name], "AUTOMATION_USER_CRYPTED_PASSWORD": HASH}
        for name in KEYS
    }
    handmade.put({**bystander.operator.environment, **sites["lab"]}, name="xenial.iso")
    sites["lab"] |= {"ISO_PATH": "iso/xenial.iso", "BASE_VM_TEMPLATE_NAME": FIXED}
    session = Session.here()
    image = bystander.root / "config/images/ubuntu-16.04.toml"
    text = image.read_text()
    with tempfile.TemporaryDirectory(dir=session.workspace.builds, prefix="handmade-") as folder:
        vendor = handmade.vendors(session, Path(folder))
        image.write_text(f'{text}\n[iso]\npath = "{vendor}"\nsha256 = "{netboot.sha256(vendor)}"\n')
        try:
            yield sites
        finally:
            image.write_text(text)


@pytest.fixture(scope="module")
def forged(bystander: Bystander, sites: Mapping[str, Mapping[str, str]]) -> dict[str, Forged]:
    """Forge on both vCenters at the same time."""
    with bystander.quick():
        runs = {name: bystander.start(*ASK, **given) for name, given in sites.items()}
        results = {name: run.end(300) for name, run in runs.items()}
    for result in results.values():
        assert result.code == 0, result.err
    return {name: Forged(result.out.strip(), result, bystander.admin(name), 0) for name, result in results.items()}


def names(admin: Admin) -> set[str]:
    """Return the names of the image's templates and machines on a vCenter."""
    every = {str(row["name"]) for row in admin.vms()}
    return {name for name in every if name.startswith((FIXED, "ubuntu-16.04"))}


def test_two_vcenters_at_once(forged: Mapping[str, Forged]) -> None:
    """Each has the template that its own variables describe, under its own name, and nothing of the other's."""
    assert forged["lab"].name == FIXED
    assert forged["lab2"].name.startswith("ubuntu-16.04-base-")
    for name, one in forged.items():
        assert names(one.admin) == {one.name}
        assert one.read("/home/automationuser/.ssh/authorized_keys") == f"{KEYS[name]}\n"


def test_the_images_iso_is_replayed_and_stays(forged: Mapping[str, Forged]) -> None:
    """Where no ISO_PATH is given, the image's ISO is uploaded with other words, for all builds to come."""
    stored = [call for call in forged["lab2"].admin.mutations() if "goldsmith-ubuntu-16.04-" in str(call)]
    assert stored
    removed = [call for call in stored if call["method"] in {"DeleteDatastoreFile_Task", "DELETE"}]
    assert not any(".iso" in str(call) for call in removed)
    assert not any("goldsmith-ubuntu-16.04-" in str(call) for call in forged["lab"].admin.mutations())


def killed(bystander: Bystander, barrier: str, run: Run) -> None:
    """Kill a run that stands at a barrier; what it asked for is refused."""
    admin = bystander.admin()
    while not admin.wait_at(barrier):
        assert run.process.poll() is None, run.said
    run.interrupt(signal.SIGKILL)
    run.process.wait()
    admin.release(barrier, refuse=True)


def test_a_run_that_is_killed_while_names_change_hands(
    bystander: Bystander, forged: Mapping[str, Forged], sites: Mapping[str, Mapping[str, str]]
) -> None:
    """Killed before the first of the two steps, and the next run between them: nothing is lost at any moment.

    Nor does ``clean`` take any of them; and the run after that puts everything right without building anything.
    """
    admin, given = bystander.admin(), sites["lab"]
    first = forged["lab"].row()["ref"]

    admin.put_barrier("first step", method="Rename_Task", object=FIXED)
    with bystander.quick():
        run = bystander.start(*ASK, "--rebuild", **given)
        killed(bystander, "first step", run)
    [own] = names(admin) - {FIXED}
    assert own.startswith("ubuntu-16.04-base-")

    admin.put_barrier("second step", method="Rename_Task", object=own)
    killed(bystander, "second step", bystander.start(*ASK, **given))
    [dated] = names(admin) - {own}
    assert dated.startswith(f"{FIXED}-2")

    bystander.operator.done("clean", **given)
    assert names(admin) == {own, dated}

    run_again = bystander.operator.done(*ASK, **given)
    assert f"name {own}" in run_again.err
    assert "• base" not in run_again.err
    assert names(admin) == {FIXED, dated}
    assert {row["name"]: row["ref"] for row in admin.vms()}[dated] == first
    again = bystander.operator.done(*ASK, **given)
    assert "nothing to do" in again.err
    assert names(admin) == {FIXED, dated}
