"""What a vCenter holds, as plain values: places with their paths, and virtual machines."""

from __future__ import annotations

import difflib
from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from goldsmith.model import Placement


class Kind(StrEnum):
    """The kinds of places that a build needs; the words are the operator's."""

    ROOT = "root"
    DATACENTER = "datacenter"
    CLUSTER = "cluster"
    POOL = "resource pool"
    DATASTORE = "datastore"
    NETWORK = "network"
    FOLDER = "folder"


@dataclass(frozen=True, kw_only=True)
class Node:
    """One place of the inventory; *ref* is its managed object id, the same for one vCenter's lifetime."""

    ref: str
    kind: Kind
    name: str
    parent: str
    reachable: frozenset[str] = frozenset()
    """For a cluster: the ids of the datastores and networks its hosts see."""


class Power(StrEnum):
    """Whether a machine runs."""

    ON = "on"
    OFF = "off"
    SUSPENDED = "suspended"


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A virtual machine or template."""

    ref: str
    name: str
    instance_uuid: str = ""
    is_template: bool = False
    power: Power = Power.OFF
    note: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    has_snapshot: bool = False
    size_bytes: int = 0
    """What it takes of its datastores by itself; 0 where the vCenter does not tell."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that stands in a build's way: the setting it comes from, what is wrong, what would be right."""

    setting: str
    what: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.setting}: {self.what}" + (f" ({self.hint})" if self.hint else "")


@dataclass(frozen=True, kw_only=True)
class Places:
    """The places of a site, found."""

    root: Node
    datacenter: Node
    cluster: Node
    pool: Node
    datastore: Node
    media_datastore: Node
    network: Node
    folder: Node


class Tree:
    """The places of a vCenter, addressable by path."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._nodes = {node.ref: node for node in nodes}

    @cached_property
    def root(self) -> Node:
        """The root folder, on which global privileges count."""
        return next(node for node in self._nodes.values() if node.kind is Kind.ROOT)

    @cached_property
    def _children(self) -> Mapping[str, list[Node]]:
        children: dict[str, list[Node]] = defaultdict(list)
        for node in self._nodes.values():
            children[node.parent].append(node)
        return children

    def below(self, top: Node) -> dict[str, list[Node]]:
        """Return everything below *top* by its path relative to it; some kinds may share a path."""
        found: dict[str, list[Node]] = defaultdict(list)
        waiting = [("", top)]
        while waiting:
            prefix, node = waiting.pop()
            for child in self._children[node.ref]:
                path = f"{prefix}{child.name}"
                found[path].append(child)
                waiting.append((f"{path}/", child))
        return found

    def of_kind(self, top: Node, kind: Kind) -> dict[str, list[Node]]:
        """Return what is of *kind* below *top*, by relative path."""
        below = self.below(top).items()
        return {path: same for path, nodes in below if (same := [node for node in nodes if node.kind is kind])}


def network_path(placement: Placement) -> str:
    """Return the inventory path of the site's network, whichever way it is given."""
    if placement.network.startswith("/"):
        return placement.network
    return f"/{placement.datacenter}/network/{placement.network}"


class _Search:
    """Looks places up one by one and collects what is missing, so that all of it is told at once."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.problems: list[Problem] = []

    def find(self, setting: str, top: Node, kind: Kind, path: str) -> Node | None:
        there = self.tree.of_kind(top, kind)
        found = there.get(path, [])
        if len(found) == 1:
            return found[0]
        if found:
            self.problems.append(Problem(setting=setting, what=f"{len(found)} objects have the path {path!r}"))
        else:
            what = f"there is no {kind} {path!r}"
            self.problems.append(Problem(setting=setting, what=what, hint=_suggest(path, there)))
        return None

    def area(self, datacenter: Node, name: str) -> Node | None:
        """Return a datacenter's own folder of hosts, datastores, networks or VMs; every datacenter has the four."""
        found = self.tree.of_kind(datacenter, Kind.FOLDER).get(name)
        if not found:
            what = f"the folder /{datacenter.name}/{name} cannot be seen"
            self.problems.append(
                Problem(setting="datacenter", what=what, hint="the user needs at least Read-only on it")
            )
            return None
        return found[0]


def _suggest(path: str, there: Mapping[str, list[Node]]) -> str:
    """Say what was probably meant: the same name elsewhere, a similar one, or simply all there is."""
    if not there:
        return "there is none at all, or the user may not see it"
    elsewhere = [known for known in there if _last(known) == _last(path)]
    folded = {known.casefold(): known for known in there}  # names count exactly, mistakes are often of case
    alike = difflib.get_close_matches(path.casefold(), folded, n=3, cutoff=0.6)
    if close := sorted(elsewhere or [folded[name] for name in alike]):
        return "did you mean " + " or ".join(map(repr, close)) + "?"
    names = sorted(there)
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""  # noqa: PLR2004 - what fits on a line
    return "there are: " + ", ".join(names[:8]) + more


def _last(path: str) -> str:
    return path.rsplit("/", 1)[-1]


def resolve(tree: Tree, placement: Placement) -> Places | tuple[Problem, ...]:
    """Find every place a site names, exactly; or return all that is wrong.

    Exactly, because the vSphere plugin takes the default pool for one that it
    cannot find and creates a folder that is misspelt.
    """
    search = _Search(tree)
    datacenter = search.find("datacenter", tree.root, Kind.DATACENTER, placement.datacenter)
    if datacenter is None:
        return tuple(search.problems)
    places = _within(search, datacenter, placement)
    return places if places and not search.problems else tuple(search.problems)


def _within(search: _Search, datacenter: Node, placement: Placement) -> Places | None:
    areas = [search.area(datacenter, name) for name in ("host", "datastore", "network", "vm")]
    if None in areas:
        return None
    hosts, stores, networks, vms = (area for area in areas if area)
    cluster = search.find("cluster", hosts, Kind.CLUSTER, placement.cluster)
    pool = _pool(search, cluster, placement.resource_pool) if cluster else None
    datastore = search.find("datastore", stores, Kind.DATASTORE, placement.datastore)
    media = datastore
    if placement.media_datastore != placement.datastore:
        media = search.find("iso_datastore", stores, Kind.DATASTORE, placement.media_datastore)
    network = _network(search, networks, placement)
    folder = vms if not placement.folder else search.find("folder", vms, Kind.FOLDER, placement.folder)
    if not (cluster and pool and datastore and media and network and folder):
        return None
    found = Places(
        root=search.tree.root, datacenter=datacenter, cluster=cluster, pool=pool,
        datastore=datastore, media_datastore=media, network=network, folder=folder,
    )  # fmt: skip
    search.problems += _unreachable(found)
    return found


def _pool(search: _Search, cluster: Node, path: str) -> Node | None:
    own = search.find("resource_pool", cluster, Kind.POOL, "Resources")
    return search.find("resource_pool", own, Kind.POOL, path) if own and path else own


def _network(search: _Search, networks: Node, placement: Placement) -> Node | None:
    area = f"/{placement.datacenter}/network/"
    path = network_path(placement)
    if not path.startswith(area):
        what = f"{path!r} does not lie below {area}"
        search.problems.append(Problem(setting="network", what=what))
        return None
    return search.find("network", networks, Kind.NETWORK, path.removeprefix(area))


def _unreachable(places: Places) -> list[Problem]:
    """Return what the cluster's hosts do not see, although it exists."""
    if not places.cluster.reachable:
        return []  # nothing is known of it
    wanted = [("datastore", places.datastore), ("network", places.network)]
    if places.media_datastore != places.datastore:
        wanted.append(("iso_datastore", places.media_datastore))
    return [
        Problem(
            setting=setting,
            what=f"no host of the cluster {places.cluster.name!r} sees {node.name!r}",
            hint="attach it to the cluster's hosts, or name another",
        )
        for setting, node in wanted
        if node.ref not in places.cluster.reachable
    ]
