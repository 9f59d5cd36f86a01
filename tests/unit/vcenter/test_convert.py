"""What a vCenter answers becomes values that hold no surprise."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from goldsmith.vcenter import convert
from goldsmith.vcenter.inventory import Kind
from goldsmith.vcenter.sdk import vim


@pytest.mark.parametrize(
    ("api", "plain"),
    [
        ("VLAN 10%2f20", "VLAN 10/20"),
        ("10.0.0.0%2F24 100%25", "10.0.0.0/24 100%"),
        ("a%5cb", "a\\b"),
        ("100%", "100%"),
        ("%41 %ff", "%41 %ff"),
        ("a\nb\x1b[2J\u202ec", "a\\x0ab\\x1b[2J\\u202ec"),
    ],
)
def test_names(api: str, plain: str) -> None:
    """People see what vSphere spelt otherwise; paths keep it; control characters are shown and carried out nowhere."""
    node = convert.node(vim.Network("network-1"), {"name": api})
    assert (node.name, node.spelt) == (plain, api)
    assert convert.machine(vim.VirtualMachine("vm-1"), {"name": api}, {}).name == plain


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        (vim.StoragePod, Kind.POD),
        (vim.Folder, Kind.FOLDER),
        (vim.ClusterComputeResource, Kind.CLUSTER),
        (vim.dvs.DistributedVirtualPortgroup, Kind.NETWORK),
        (vim.VirtualApp, Kind.POOL),
    ],
)
def test_kinds(type_: type, kind: Kind) -> None:
    """A datastore cluster is a kind of folder for the API, and none for whoever looks for a folder."""
    assert convert.node(type_("x-1"), {"name": "x"}).kind is kind


def test_a_machine() -> None:
    """It knows where it lies, and what was written on it."""
    written = [SimpleNamespace(key=7, value="v"), SimpleNamespace(key=8, value="w")]
    values = {"name": "a", "parent": vim.Folder("group-1"), "config.instanceUuid": "u", "customValue": written}
    machine = convert.machine(vim.VirtualMachine("vm-1"), values, {7: "goldsmith.key"})
    assert (machine.ref, machine.folder, machine.attributes) == ("vm-1", "group-1", {"goldsmith.key": "v"})
