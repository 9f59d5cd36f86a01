"""Places are found by their exact path, or all that is wrong is told at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from goldsmith.errors import MissingObjectError
from goldsmith.model import Placement
from goldsmith.vcenter.api import Space
from goldsmith.vcenter.inventory import Kind, Node, Tree
from goldsmith.vcenter.places import Places, Problem, locate, resolve
from tests.unit.vcenter import fakes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GOOD: Mapping[str, str] = {
    "datacenter": "DC0",
    "cluster": "DC0_C0",
    "datastore": "lab-ds",
    "network": "VM Network",
    "folder": "goldsmith",
}


def _resolve(*extra: Node, **changed: str) -> Places | tuple[Problem, ...]:
    return resolve(Tree([*fakes.places(), *extra]), Placement.model_validate({**GOOD, **changed}))


def _found(*extra: Node, **changed: str) -> Places:
    found = _resolve(*extra, **changed)
    assert isinstance(found, Places), found
    return found


def _node(ref: str, kind: Kind, name: str, parent: str, **more: Any) -> Node:
    return Node(ref=ref, kind=kind, name=name, parent=parent, **more)


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


# -- names with a slash, a backslash or a per cent sign ----------------------------------------


def test_the_paths_that_tools_are_told() -> None:
    """A name and an inventory path of the same network give Packer the same words; so do all other places."""
    one, other = (_found(network=name).paths for name in ("VM Network", "/DC0/network/VM Network"))
    assert one == other
    assert (one.datacenter, one.cluster, one.pool, one.folder) == ("DC0", "DC0_C0", "", "goldsmith")
    assert (one.datastore, one.network) == ("/DC0/datastore/lab-ds", "/DC0/network/VM Network")
    assert _found(folder="", resource_pool="builds").paths.pool == "builds"


@pytest.mark.parametrize(
    ("name", "written", "path"),
    [
        ("VLAN 10/20", "VLAN 10/20", "VLAN 10%2f20"),
        ("VLAN 10/20", "VLAN 10%2f20", "VLAN 10%2f20"),
        ("VLAN 10/20", "VLAN 10%2F20", "VLAN 10%2f20"),
        ("10.0.0.0/24 100%", "10.0.0.0/24 100%", "10.0.0.0%2f24 100%25"),
        ("a\\b", "a\\b", "a%5cb"),
        ("100%", "100%", "100%25"),
        ("%2f", "%252f", "%252f"),
        ("[x]*", "[x]*", "\\[x]\\*"),
    ],
)
def test_a_network_of_any_name(name: str, written: str, path: str) -> None:
    """However it is written, the tools get the path that vSphere understands, of which no part is a pattern."""
    odd = _node("odd", Kind.NETWORK, name, "network-f")
    nodes = [replace(one, reachable=one.reachable | {"odd"}) if one.ref == "cl" else one for one in fakes.places()]
    for text in (written, f"/DC0/network/{written}"):
        found = resolve(Tree([*nodes, odd]), Placement.model_validate({**GOOD, "network": text}))
        assert isinstance(found, Places), found
        assert (found.network.ref, found.paths.network) == ("odd", f"/DC0/network/{path}")


def test_a_name_as_the_api_has_it_stays_so_in_paths() -> None:
    """A server that spells a name otherwise than it should is told that name as it spells it."""
    odd = _node("odd", Kind.FOLDER, "50%", "vm-f", spelt="50%")
    assert _found(odd, folder="50%").paths.folder == "50%"


ONE_FOLDER = _node("one", Kind.FOLDER, "EU/Prod", "vm-f")
FOLDERS = (_node("eu", Kind.FOLDER, "EU", "vm-f"), _node("prod", Kind.FOLDER, "Prod", "eu"))


@pytest.mark.parametrize(
    ("there", "written", "ref"),
    [
        ((ONE_FOLDER,), "EU/Prod", "one"),
        ((ONE_FOLDER,), "EU%2fProd", "one"),
        (FOLDERS, "EU/Prod", "prod"),
        ((*FOLDERS, ONE_FOLDER), "EU/Prod", "prod"),
        ((*FOLDERS, ONE_FOLDER), "EU%2fProd", "one"),
    ],
    ids=["one", "one, spelt", "two", "both: two", "both: one"],
)
def test_one_folder_and_a_path_of_two(there: tuple[Node, ...], written: str, ref: str) -> None:
    """A slash separates; where that leads nowhere it is a part of a name, and ``%2f`` always is."""
    found = _found(*there, folder=written)
    assert found.folder.ref == ref
    assert found.paths.folder == ("EU%2fProd" if ref == "one" else "EU/Prod")


def test_a_path_of_two_folders_is_not_the_one_of_that_name() -> None:
    """What is spelt with ``%2f`` means one folder, and no other."""
    found = _resolve(*FOLDERS, folder="EU%2fProd")
    assert isinstance(found, tuple)
    assert found[0].setting == "folder"


def test_two_readings_are_told_apart() -> None:
    """Where several names with slashes fit, none is guessed: each way to write one is shown."""
    left = (_node("a", Kind.FOLDER, "a", "vm-f"), _node("a2", Kind.FOLDER, "b/c", "a"))
    right = (_node("b", Kind.FOLDER, "a/b", "vm-f"), _node("b2", Kind.FOLDER, "c", "b"))
    found = _resolve(*left, *right, folder="a/b/c")
    assert isinstance(found, tuple)
    assert found[0].what == "'a/b/c' may mean 'a%2fb/c' or 'a/b%2fc'"
    assert _found(*left, *right, folder="a%2fb/c").folder.ref == "b2"


def test_a_datacenter_in_a_folder_with_a_slash() -> None:
    """Its path is relative to the root, and a network's inventory path may be written either way."""
    nodes = [replace(one, parent="eu") if one.ref == "dc" else one for one in fakes.places()]
    nodes.append(_node("eu", Kind.FOLDER, "EU/West", "root"))
    for network in ("VM Network", "/EU/West/DC0/network/VM Network", "/EU%2fWest/DC0/network/VM Network"):
        placement = Placement.model_validate({**GOOD, "datacenter": "EU/West/DC0", "network": network})
        found = resolve(Tree(nodes), placement)
        assert isinstance(found, Places), found
        assert (found.paths.datacenter, found.network.ref) == ("EU%2fWest/DC0", "net")


@pytest.mark.parametrize(("kind", "name", "setting"), [("dc", "DC[0]", "datacenter"), ("ds", "ds [1]", "datastore")])
def test_names_that_packer_cannot_be_told(kind: str, name: str, setting: str) -> None:
    """They are refused in a sentence, before anything is made."""
    nodes = [replace(one, name=name, spelt=name) if one.ref == kind else one for one in fakes.places()]
    found = resolve(Tree(nodes), Placement.model_validate({**GOOD, setting: name}))
    assert isinstance(found, tuple)
    assert [problem.setting for problem in found] == [setting]


# -- datastores within something -----------------------------------------------------------------

POD = _node("pod-ds", Kind.POD, "POD", "datastore-f")


def _pod(*members: str) -> list[Node]:
    """Return an inventory whose datastores *members* lie in a datastore cluster."""
    moved = [replace(one, parent="pod-ds") if one.ref in members else one for one in fakes.places()]
    return [*moved, POD]


def _in_pod(space: Callable[[Node], Space] | None = None, **changed: str) -> Places | tuple[Problem, ...]:
    return resolve(Tree(_pod("ds", "iso-ds", "far-ds")), Placement.model_validate({**GOOD, **changed}), space)


@pytest.mark.parametrize("written", ["lab-ds", "POD/lab-ds"])
def test_a_datastore_in_a_datastore_cluster(written: str) -> None:
    """Its name alone is enough, and files on it are written with that name."""
    found = _in_pod(datastore=written)
    assert isinstance(found, Places), found
    assert found.paths.datastore == "/DC0/datastore/POD/lab-ds"
    assert found.datastore.stored("goldsmith/x.iso") == "[lab-ds] goldsmith/x.iso"


def free(*, usable: str = "", **bytes_free: int) -> Callable[[Node], Space]:
    return lambda node: Space(
        accessible=node.ref != usable, in_maintenance=False, free_bytes=bytes_free.get(node.ref.replace("-", "_"), 0)
    )


def test_of_a_datastore_cluster_the_member_with_the_most_space_is_taken() -> None:
    """One that no host of the cluster sees never is; asked for again by what was found, it is the same."""
    found = _in_pod(free(ds=5, iso_ds=7, far_ds=9), datastore="POD")
    assert isinstance(found, Places), found
    assert (found.datastore.ref, found.media_datastore.ref) == ("iso-ds", "iso-ds")
    assert found.placement.datastore == "POD/isos"
    again = resolve(Tree(_pod("ds", "iso-ds", "far-ds")), found.placement, free(ds=9))
    assert isinstance(again, Places)
    assert again.datastore.ref == "iso-ds"


def test_media_may_have_a_cluster_of_their_own_choice() -> None:
    """Each of the two settings chooses for itself."""
    found = _in_pod(free(ds=5, iso_ds=7), datastore="lab-ds", iso_datastore="POD")
    assert isinstance(found, Places), found
    assert (found.datastore.ref, found.media_datastore.ref) == ("ds", "iso-ds")


def test_a_datastore_cluster_that_has_no_place() -> None:
    """Where no member can be used, it is said in a sentence."""
    nodes = [one for one in _pod("ds") if one.ref != "iso-ds"]
    found = resolve(Tree(nodes), Placement.model_validate({**GOOD, "datastore": "POD"}), free(usable="ds"))
    assert isinstance(found, tuple)
    assert "has no datastore that can be used" in found[0].what


def test_everything_that_is_wrong_is_one_error() -> None:
    """Whoever needs the places gets them, or one error with all names."""
    wrong = Placement.model_validate({**GOOD, "cluster": "x", "network": "y"})
    with pytest.raises(MissingObjectError, match="2 problems") as caught:
        locate(fakes.FakeVCenter(), wrong)
    assert len(caught.value.why.splitlines()) == 2
