"""On a vCenter that is shared, nothing of others is believed, and names of any letters are found."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from goldsmith import config, plan
from goldsmith.flow import inputs
from goldsmith.host.workspace import Workspace
from goldsmith.toolbox import lock as locks
from goldsmith.vcenter import marks
from tests.integration import agent, foreign
from tests.integration.inventory import datastore, difference, docker
from tests.integration.test_bad_input import refused, variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from goldsmith.plan import Inputs
    from goldsmith.vcenter.marks import Attributes
    from tests.integration.bystander import Bystander

HERE, THERE = "trusted", "EU/Prod"
"""A site's folder in which nobody else builds, and that of others."""
OWN = "odd"
HOSTILE = "vm\n::error::x\x9b2J\u202e"
SHOWN = "vm\\x0a::error::x\\x9b2J\\u202e"


@pytest.fixture(scope="module")
def wanted(bystander: Bystander) -> Inputs:
    """Return what decides the base that the checkout asks for."""
    workspace = Workspace(root=bystander.root, cache=bystander.cache)
    effective = config.load(None, "debian-13", workspace=workspace, environment=bystander.operator.environment)
    return inputs.base(effective, lock=locks.load(bystander.root / "docker/lock.json"), root=bystander.root)


@contextmanager
def others(bystander: Bystander, wanted: Inputs) -> Iterator[dict[str, str]]:
    """Yield templates that say they are what the checkout asks for, verified, and are not the site's: name to kind."""
    now = datetime.now(UTC)

    def told(build: str) -> Attributes:
        return marks.Attributes(
            image="debian-13", phase="base", key=wanted.key, build=build, inputs=wanted.summary(), status=marks.VERIFIED
        )

    young, future = (plan.build_id(wanted.key, now - timedelta(minutes=minutes)) for minutes in (5, -300))
    made = [
        (THERE, f"debian-13-base-{young}", young, {}, "elsewhere"),
        (HERE, f"debian-13-base-{future}", future, {}, "claimed"),
        (HERE, "prod-db", young, {}, "claimed"),
        (HERE, HOSTILE, young, {}, "claimed"),
        (HERE, f"debian-13-base-k-{young}", young, {"key": "zz"}, "claimed"),
        (HERE, f"debian-13-base-i-{young}", young, {"instance": "0000"}, "foreign"),
    ]
    with bystander.lab.connect() as client:
        there = {ref._moId for ref in foreign.every(client)}
        for where, name, build, changed, _ in made:
            foreign.template(client, where, name, told(build), **changed)
    try:
        yield {name: kind for _, name, _, _, kind in made}
    finally:
        with bystander.lab.connect() as client:
            for ref in foreign.every(client):
                if ref._moId not in there:
                    client._collector.finish(ref.Destroy_Task())


def test_nothing_that_others_say_of_themselves_is_believed(bystander: Bystander, wanted: Inputs) -> None:
    """Copied attributes, a build of the future, a name of one's own, a key that is none, another folder, a clone.

    None of them is the newest, a reason to skip, or what a host is made of; nor does any name give orders to a log.
    """
    operator, site = bystander.operator, variables(bystander, FOLDER=HERE)
    with others(bystander, wanted) as kinds:
        before = bystander.inventory()
        assert json.loads(operator.done("templates", "--json", **site).out) == []
        newest = operator.run("templates", "--newest", "--phase", "base", **site)
        refused(newest, 2, "there is no verified base template")
        planned = operator.done("plan", **site)
        assert "the site has no base template of debian-13 yet" in planned.out
        assert "prod-db does not count" in planned.err
        refused(operator.run("verify", "--phase", "base", "--dry-run", **site), 2, "prod-db does not count")
        rows = json.loads(operator.done("templates", "--everywhere", "--json", **site).out)
        standing = {row["name"]: row["standing"] for row in rows}
        assert {name: standing.get(SHOWN if name == HOSTILE else name) for name in kinds} == kinds
        assert "here" not in standing.values()
        assert all(row["why"] for row in rows)
        shown = operator.done("templates", "--everywhere", **site)
        for text in (planned.err, shown.out, shown.err):
            assert "\x9b" not in text
            assert SHOWN in text or text == shown.err
            assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
        assert json.loads(operator.done("clean", "--dry-run", "--json", **site).out) == []
        assert difference(before, bystander.inventory()) == ""


@pytest.mark.parametrize("verb", ["plan", "templates", "clean"])
def test_places_are_looked_for_where_nothing_would_run(bystander: Bystander, verb: str) -> None:
    """A folder that does not exist is refused, whatever the rest of the vCenter has."""
    refused(bystander.operator.run(verb, **variables(bystander, FOLDER="siteb")), 2, "there is no folder 'siteb'")


@pytest.fixture(scope="module")
def odd(bystander: Bystander) -> None:
    """Make networks, a folder and a datastore in a datastore cluster whose names no path takes as they are."""
    from goldsmith.vcenter.sdk import vim

    with tempfile.TemporaryDirectory() as empty:
        (Path(empty) / "pod-ds").mkdir()
        docker("cp", f"{empty}/pod-ds", f"{bystander.lab.name}-vcenter:/vmfs/volumes/")
    with bystander.lab.connect() as client:
        datacenter = foreign.datacenter(client)
        [cluster] = datacenter.hostFolder.childEntity
        store = cluster.host[0].configManager.datastoreSystem.CreateLocalDatastore("pod-ds", "/vmfs/volumes/pod-ds")
        pod = datacenter.datastoreFolder.CreateStoragePod("POD")
        client._collector.finish(pod.MoveIntoFolder_Task([store]))
        [switch] = [
            one for one in datacenter.networkFolder.childEntity if isinstance(one, vim.DistributedVirtualSwitch)
        ]
        group = vim.dvs.DistributedVirtualPortgroup.ConfigSpec
        for name in ("VLAN 10%2f20", "10.0.0.0%2f24 100%25"):
            made = switch.AddDVPortgroup_Task([group(name=name, type="earlyBinding", numPorts=8)])
            client._collector.finish(made)
        for name in (THERE, OWN):
            foreign.folder(client, name)


def row(bystander: Bystander, name: str, **site: str) -> dict[str, Any]:
    found = json.loads(bystander.operator.done("templates", "--json", **variables(bystander, **site)).out)
    [one] = [one for one in found if one["name"] == name]
    return dict(one)


def test_names_with_slashes_and_a_datastore_in_a_cluster(bystander: Bystander, odd: None) -> None:
    """A base is forged where the site says, however it is written; each site has its own, under the name it wants.

    A template of another folder is no reason to skip, and keeps its name.
    """
    with bystander.quick():
        first = {"NETWORK": "VLAN 10/20", "FOLDER": "EU/Prod", "DATASTORE": "POD"}
        one = bystander.operator.done("packer-base", **variables(bystander, **first)).out.strip()
        second = {
            "NETWORK": "10.0.0.0/24 100%",
            "FOLDER": OWN,
            "DATASTORE": "pod-ds",
            "BASE_VM_TEMPLATE_NAME": "golden",
        }
        two = bystander.operator.done("packer-base", **variables(bystander, **second)).out.strip()
    assert two == "golden"
    assert row(bystander, one, FOLDER="EU%2fProd")["standing"] == "here"
    again = bystander.operator.done("packer-base", **variables(bystander, **first, BASE_VM_TEMPLATE_NAME=one))
    assert "nothing to do" in again.err
    with bystander.lab.connect() as client:
        names = {vm.name for vm in foreign.folder(client, THERE).childEntity}
        assert names == {one}
        for vm in foreign.every(client):
            if vm.name in {one, two}:
                client._collector.finish(vm.Destroy_Task())


def test_only_what_a_key_of_the_site_signed_counts(bystander: Bystander, tmp_path: Path) -> None:
    """A base is signed by an agent that keeps the key; edited, it is no reason to skip until the edit is undone."""
    path = tmp_path / "team"
    line = bystander.operator.done("signing-key", "--file", str(path)).out.strip()
    with agent.listening(path.read_text(), tmp_path / "agent") as where:
        site = variables(bystander, GOLDSMITH_SIGNING_KEYS=line)
        refused(bystander.operator.run("packer-base", **site, SSH_AUTH_SOCK=""), 2, "nothing can be signed", "ssh-add")
        with bystander.quick():
            name = bystander.operator.done("packer-base", **site, SSH_AUTH_SOCK=str(where)).out.strip()
    site |= {"GOLDSMITH_SIGNING_KEY_FILE": str(path), "SSH_AUTH_SOCK": ""}
    [made] = json.loads(bystander.operator.done("templates", "--json", **site).out)
    assert (made["name"], made["proof"]) == (name, "signed by team")
    skips = f"{name} has the same key"
    assert skips in bystander.operator.done("plan", **site).out
    with bystander.lab.connect() as client:
        [machine] = [one for one in client.machines() if one.name == name]
        client.set_attributes(machine, {"goldsmith.status": "verified"})
        edited = bystander.operator.done("plan", **site)
        assert skips not in edited.out
        assert f"{name} does not count: its signature does not fit what it says" in edited.err
        client.set_attributes(machine, {"goldsmith.status": "candidate"})
        assert skips in bystander.operator.done("plan", **site).out
        client.destroy(machine)


def test_a_console_is_seen_as_a_picture(bystander: Bystander) -> None:
    """Of a machine that runs; the copy on the datastore is gone, and the vCenter says when it was started."""
    from goldsmith.vcenter import convert

    before = datastore(bystander.lab)
    with bystander.lab.connect() as client:
        vm = foreign.machine(client, HERE, "console")
        machine = convert.machine(vm, client._collector.one(vm, convert.MACHINE), {})
        client._collector.finish(vm.PowerOnVM_Task())
        assert client.screenshot(machine).startswith(b"\x89PNG")
        happened = client.last_event(machine)
        assert happened
        assert timedelta() <= client.now() - happened < timedelta(minutes=5)
        client.destroy(machine)
        assert client.again(machine) is None
    assert datastore(bystander.lab) == before
