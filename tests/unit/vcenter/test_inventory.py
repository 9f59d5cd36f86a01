"""Places are found by their exact path, or all that is wrong is told at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from goldsmith.model import Placement
from goldsmith.vcenter.inventory import Kind, Node, Places, Problem, Tree, network_path, resolve
from tests.unit.vcenter import fakes

if TYPE_CHECKING:
    from collections.abc import Mapping

GOOD: Mapping[str, str] = {
    "datacenter": "DC0",
    "cluster": "DC0_C0",
    "datastore": "lab-ds",
    "network": "VM Network",
    "folder": "goldsmith",
}


def _resolve(*extra: Node, **changed: str) -> Places | tuple[Problem, ...]:
    return resolve(Tree([*fakes.places(), *extra]), Placement.model_validate({**GOOD, **changed}))


def test_everything_is_found() -> None:
    """A correct placement gives the ids of all its places, and the cluster's own pool when none is named."""
    found = _resolve(iso_datastore="isos")
    assert isinstance(found, Places)
    refs = (found.cluster.ref, found.pool.ref, found.datastore.ref, found.media_datastore.ref, found.folder.ref)
    assert refs == ("cl", "pool", "ds", "iso-ds", "folder")


@pytest.mark.parametrize("network", ["inner/Deep", "/DC0/network/inner/Deep"])
def test_network_in_a_folder(network: str) -> None:
    """A network is named by its path, absolute or below the datacenter's network folder."""
    found = _resolve(network=network)
    assert isinstance(found, Places)
    assert found.network.ref == "net-b"


def test_no_folder_and_a_named_pool() -> None:
    """An empty folder is the datacenter's own; a pool is named below the cluster's own."""
    found = _resolve(folder="", resource_pool="builds")
    assert isinstance(found, Places)
    assert (found.folder.ref, found.pool.ref) == ("vm-f", "pool-b")


@pytest.mark.parametrize(
    ("changed", "setting", "hint"),
    [
        ({"datacenter": "DCO"}, "datacenter", "did you mean 'DC0' or 'DC1'?"),
        ({"cluster": "dc0_c0"}, "cluster", "did you mean 'DC0_C0'?"),
        ({"cluster": "production"}, "cluster", "there are: DC0_C0"),
        ({"cluster": "DC0_C1"}, "cluster", "did you mean 'DC0_C0'?"),
        ({"datastore": "lab_ds"}, "datastore", "did you mean 'lab-ds'?"),
        ({"iso_datastore": "iso"}, "iso_datastore", "did you mean 'isos'?"),
        ({"network": "Deep"}, "network", "did you mean 'inner/Deep'?"),
        ({"network": "/DC1/network/VM Network"}, "network", ""),
        ({"folder": "goldsmiths"}, "folder", "did you mean 'goldsmith'?"),
        ({"resource_pool": "build"}, "resource_pool", "did you mean 'builds'?"),
        ({"datastore": "far-ds"}, "datastore", "attach it to the cluster's hosts, or name another"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(changed: dict[str, str], setting: str, hint: str) -> None:
    """Whatever the plugin would replace silently or create is a problem of its own setting, with what was meant."""
    found = _resolve(**changed)
    assert isinstance(found, tuple)
    [problem] = found
    assert (problem.setting, problem.hint) == (setting, hint)


def test_all_problems_at_once() -> None:
    """Every wrong name is told in one go."""
    found = _resolve(cluster="x", datastore="x", network="x", folder="x")
    assert isinstance(found, tuple)
    assert [problem.setting for problem in found] == ["cluster", "datastore", "network", "folder"]


def test_two_of_one_path() -> None:
    """A network whose path is not unique is refused: Packer would take either."""
    twin = Node(ref="net-c", kind=Kind.NETWORK, name="VM Network", parent="network-f")
    found = _resolve(twin)
    assert isinstance(found, tuple)
    assert str(found[0]) == "network: 2 objects have the path 'VM Network'"


def test_same_name_of_another_kind() -> None:
    """A distributed switch with its network's name is no ambiguity."""
    switch = Node(ref="dvs", kind=Kind.FOLDER, name="VM Network", parent="network-f")
    assert isinstance(_resolve(switch), Places)


def test_unreadable_area() -> None:
    """A user who may not see a datacenter's own folder is told so."""
    nodes = [node for node in fakes.places() if node.ref != "host-f"]
    found = resolve(Tree(nodes), Placement.model_validate(GOOD))
    assert isinstance(found, tuple)
    assert "/DC0/host cannot be seen" in str(found[0])


def test_network_path_is_the_same_either_way() -> None:
    """A name and an inventory path of the same network give Packer the same words."""
    paths = {
        network_path(Placement.model_validate({**GOOD, "network": name}))
        for name in ("VM Network", "/DC0/network/VM Network")
    }
    assert paths == {"/DC0/network/VM Network"}
