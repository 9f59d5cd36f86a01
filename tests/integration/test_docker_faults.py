"""What can break in phase 2: each ends in one error that says what broke, and leaves nothing behind."""

from __future__ import annotations

import json
import signal
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.heard import Heard
from tests.integration.hosts import elsewhere
from tests.integration.inventory import difference, of_status
from tests.integration.spare import IMAGE, Room, copied, snapshot
from tests.integration.test_faults import failed
from tests.integration.test_interruptions import check_ended, stands

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from goldsmith.vcenter.client import Client
    from goldsmith.vcenter.marks import Template
    from tests.integration.bystander import Run
    from tests.integration.conftest import Operator
    from tests.integration.hosts import Host

ADDRESS_ONLY = """\
---
- name: As much of a Docker host as these tests need
  hosts: all
  become: true
  gather_facts: false
  roles:
    - role: data_disk
"""
LOST = """\
---
- name: Seal
  hosts: all
  become: true
  gather_facts: false
  tasks:
    - name: Lose the connection
      ansible.builtin.shell: kill -9 $(pidof sshd sshd-session)
      when: guest_seal_connection_lost | default(false)
      changed_when: true
"""
"""As if the network broke at that moment: the seal has begun, and nobody answers."""


def trimmed(root: Path) -> None:
    """Change the image, so that its base is another one, and leave out of the playbooks what takes long."""
    image = root / "config/images/debian-13.toml"
    image.write_text(image.read_text().replace('    "htop",\n', "", 1))
    (root / "ansible/provision.yml").write_text(ADDRESS_ONLY)
    with (root / "ansible/roles/guest_seal/defaults/main.yml").open("a") as defaults:
        defaults.write("guest_seal_connection_lost: false\n")
    with (root / "ansible/roles/guest_seal/meta/argument_specs.yml").open("a") as specs:
        specs.write('      guest_seal_connection_lost: {type: bool, description: "For this test"}\n')
    seal = root / "ansible/seal.yml"
    seal.write_text(LOST + seal.read_text().removeprefix("---\n"))


@pytest.fixture(scope="module")
def room(worker: Operator, host: Host, lab: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Yield somebody with a checkout of their own, after the session's Docker host was made."""
    checkout = elsewhere(worker, tmp_path_factory.mktemp("checkout"), trimmed)
    found = Room(checkout, of_status(json.dumps(lab)))
    yield found
    found.leave()


@pytest.fixture(autouse=True)
def based(room: Room) -> Iterator[str]:
    """Yield the name of a base for each test, and take every order back at its end."""
    yield room.base()
    room.admin().outage(on=False)
    room.admin().clear_faults()


@dataclass
class Held:
    """A verb that stands at a call of the vCenter, before it runs."""

    room: Room
    method: str
    run: Run
    gone: bool = False

    @property
    def build(self) -> str:
        """The id of the build it works on."""
        return max(path.name for path in (self.room.root / "build").iterdir())

    def go(self, *, refuse: bool = False) -> None:
        """Let the call run, or send it away."""
        if not self.gone:
            self.gone = True
            self.room.admin().release(self.method, refuse=refuse)


@contextmanager
def at(method: str, room: Room, *argv: str, on: str = "*") -> Iterator[Held]:
    """Hold a verb at a call of the vCenter; one that nobody waits for any more at the block's end never runs."""
    admin = room.admin()
    admin.put_barrier(method, method=method, object=on)
    held = Held(room, method, room.start(*argv))
    try:
        stands(admin, method, held.run)
        yield held
    finally:
        held.go(refuse=True)
        held.run.end()


def spare(room: Room, client: Client) -> Template:
    """Return the base that the room's builds clone."""
    return room.bases(client)[-1]


# -- the base ---------------------------------------------------------------------------------


def test_the_base_is_deleted_after_the_plan(room: Room) -> None:
    """The error says that it is gone, and that the same command forges it again."""
    with room.site() as (client, _), at("HasPrivilegeOnEntities", room, "packer-docker") as held:
        client.destroy(spare(room, client).machine)
        held.go()
        error = failed(held.run.end(), 2, "the base template is gone")
    assert "forges the base again" in error["next"] or "is forged again" in error["next"]


def test_the_base_is_deleted_before_packer_clones_it(room: Room) -> None:
    """What vSphere answers then names an object by its id alone: the error says which one that was."""
    before = room.inventory()
    room.admin().add_fault(
        method="CloneVM_Task",
        fault="ManagedObjectNotFound",
        message="The object 'vim.VirtualMachine:vm-99' has already been deleted or has not been completely created",
    )
    error = failed(room.operator.run("packer-docker"), 4, "the base template, or its snapshot, is gone")
    assert "forges the base again" in error["next"] or "is forged again" in error["next"]
    assert difference(before, room.inventory()) == ""


def test_the_snapshot_of_the_base_is_removed(room: Room) -> None:
    """Without it no linked clone can be made; which base it was is said."""
    with at("HasPrivilegeOnEntities", room, "packer-docker") as held:
        with room.site() as (client, _):
            base = spare(room, client)
            client._collector.finish(client._vm(base.machine).RemoveAllSnapshots_Task())
        held.go()
        result = held.run.end()
    with room.site() as (client, _):
        snapshot(client, client._vm(base.machine))
    failed(result, 2, "the base template has no snapshot", base.name)


def test_what_inherits_our_attributes_is_no_template(room: Room, host: Host, based: str) -> None:
    """A copy of a verified host carries its attributes; it is neither listed, offered, planned with nor cleaned."""
    name = "production-docker"
    with room.site() as (client, places):
        source = client.child(places.folder, host.name)
        assert source is not None
        copy = copied(client, places, source, name)
    try:
        assert copy.attributes.keys() >= {"goldsmith.build", "goldsmith.status", "goldsmith.instance"}
        assert name not in room.operator.done("templates", "--json").out
        offered = room.operator.done("templates", "--image", IMAGE, "--phase", "docker", "--newest").out
        assert offered == f"{host.name}\n"
        planned = room.operator.done("plan", "--json").out
        assert f"{based} has the same key" in planned
        assert name not in planned
        assert name not in room.operator.done("clean", "--dry-run", "--json").out
        assert room.operator.run("verify", "--template", name).code == 2
    finally:
        with room.site() as (client, _):
            client.destroy(copy)


# -- the clone --------------------------------------------------------------------------------


def test_the_data_disk_is_missing(room: Room) -> None:
    """A clone whose second disk somebody took away is told by the role that needs it."""
    from goldsmith.vcenter.sdk import vim

    before = room.inventory()
    with at("PowerOnVM_Task", room, "packer-docker") as held:
        with room.site() as (client, places):
            [name] = [row["name"] for row in room.admin().vms() if row["name"].endswith(held.build)]
            clone = client.child(places.folder, name)
            assert clone is not None
            devices = client._read(client._vm(clone), "config.hardware.device")["config.hardware.device"]
            disk = [device for device in devices if isinstance(device, vim.vm.device.VirtualDisk)][-1]
            change = vim.vm.device.VirtualDeviceSpec(operation="remove", device=disk, fileOperation="destroy")
            client._collector.finish(client._vm(clone).ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=[change])))
        held.go()
        result = held.run.end()
    error = failed(result, 4, "the clone does not see its data disk")
    assert "data_disk" in error["what"]
    assert difference(before, room.inventory()) == ""


def test_ssh_drops_while_it_is_sealed(room: Room) -> None:
    """A connection that breaks half-way is told as that; of the clone nobody knows how far it came, so it goes."""
    image = room.root / "config/images/debian-13.toml"
    text = image.read_text()
    before = room.inventory()
    image.write_text(text + "\n[docker.variables]\nguest_seal_connection_lost = true\n")
    try:
        result = room.operator.run("packer-docker")
    finally:
        image.write_text(text)
    error = failed(result, 4, "the connection to the clone broke")
    assert "Lose the connection" in error["what"]
    assert difference(before, room.inventory()) == ""


# -- the session ------------------------------------------------------------------------------


def test_the_session_ends_while_packer_waits(room: Room) -> None:
    """An administrator ends every login while the clone starts: the error says so, and the clone is gone."""
    before = room.inventory()
    with at("PowerOnVM_Task", room, "packer-docker") as held:
        room.admin().expire_sessions()
        held.go()
        result = held.run.end()
    failed(result, 5, "session")
    assert difference(before, room.inventory()) == ""


@pytest.mark.parametrize("method", ["CloneVM_Task", "CreateContainerView"])
def test_the_session_ends_while_verifying(room: Room, host: Host, method: str) -> None:
    """It says nothing of the candidate, whose mark stays; no clone is left, not even one that was being made."""
    before = room.inventory()
    with at(method, room, "verify", "--template", host.name) as held:
        room.admin().expire_sessions()
        held.go()
        result = held.run.end()
    failed(result, 5, "ended the session")
    assert difference(before, room.inventory()) == ""


# -- interruptions ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "number", "group"),
    [("CloneVM_Task", signal.SIGINT, True), ("PowerOnVM_Task", signal.SIGTERM, False)],
    ids=["clone", "power on"],
)
def test_an_interrupted_phase_two_leaves_nothing(
    room: Room, method: str, number: signal.Signals, *, group: bool
) -> None:
    """Ctrl-C as from a terminal, SIGTERM as from a CI system: neither clone nor key nor container stays."""
    before = room.inventory()
    with at(method, room, "packer-docker") as held:
        held.run.interrupt(number, group=group)
    check_ended(held.run.end(), 128 + number)
    assert difference(before, room.inventory()) == ""


SECOND_CLONE = "*-clone-2-*"
"""Where verification stands when the first clone runs already."""


def test_an_interrupted_verification_leaves_no_clone(room: Room, host: Host) -> None:
    """Nothing was found out, so the candidate's mark stays as it was."""
    before = room.inventory()
    with at("CloneVM_Task", room, "verify", "--template", host.name, on=SECOND_CLONE) as held:
        held.run.interrupt(signal.SIGTERM, group=False)
    check_ended(held.run.end(), 128 + signal.SIGTERM)
    assert difference(before, room.inventory()) == ""
    assert status(room, host) == "verified"


@pytest.mark.parametrize(("method", "verb"), [("SetField", "packer-docker"), ("CloneVM_Task", "verify")])
def test_clean_removes_what_kill_9_left(room: Room, host: Host, method: str, verb: str) -> None:
    """A template without its whole mark, a clone, keys, containers: what was there before is there, and no more."""
    before = room.inventory()
    argv, on = ((verb, "--template", host.name), SECOND_CLONE) if verb == "verify" else ((verb,), "*")
    with at(method, room, *argv, on=on) as held:
        held.run.interrupt(signal.SIGKILL)
        held.run.process.wait()
    listed = json.loads(room.operator.done("clean", "--dry-run", "--json").out)
    assert {row["where"] for row in listed} >= {"lab", "this machine"}, listed
    room.operator.done("clean")
    assert difference(before, room.inventory()) == ""


@pytest.mark.parametrize("verb", ["packer-docker", "verify"])
@pytest.mark.parametrize("terminal", [False, True], ids=["reader", "terminal"])
def test_nobody_listens_any_more(room: Room, host: Host, verb: str, *, terminal: bool) -> None:
    """A reader that goes away leaves a verb its own end, here a failure; a closed terminal ends it; both clean up."""
    before, admin = room.inventory(), room.admin()
    argv, on = ((verb, "--template", host.name), SECOND_CLONE) if verb == "verify" else ((verb,), "*")
    admin.put_barrier("clone", method="CloneVM_Task", object=on)
    run = Heard(room.operator, *argv, terminal=terminal)
    stands(admin, "clone", run)
    run.leave(1)
    admin.release("clone", refuse=True)
    assert run.end() == (128 + signal.SIGHUP if terminal else 4)
    assert difference(before, room.inventory()) == ""
    assert status(room, host) == "verified"


def status(room: Room, host: Host) -> str:
    """Return what the site tells of the session's host."""
    [row] = [row for row in json.loads(room.operator.done("templates", "--json").out) if row["name"] == host.name]
    return str(row["status"])
