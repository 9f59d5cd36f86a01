"""Finds the places that a site names, exactly; or says all that is wrong with the names.

A name counts exactly. In a path only slashes separate names; one that is a part of a name is written ``%2f``, as
vSphere itself does (``%5c`` for a backslash, ``%25`` for a per cent sign). A path that leads nowhere when it is read
so is taken as people see names: ``VLAN 10/20`` is the network of that name where there is no folder ``VLAN 10``.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.errors import MissingObjectError
from goldsmith.tools import spelling
from goldsmith.tools.spelling import Paths
from goldsmith.vcenter.inventory import Kind, Node, Tree

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from goldsmith.model import Placement
    from goldsmith.vcenter.api import Space, VCenter


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
    paths: Paths
    placement: Placement
    """What was asked for, with the datastore that was chosen of a datastore cluster: asked again, it is the same."""


def locate(vcenter: VCenter, placement: Placement) -> Places:
    """Return the places of a site.

    Raises ``MissingObjectError`` naming everything that does not exist.
    """
    found = resolve(Tree(vcenter.nodes()), placement, vcenter.space)
    if isinstance(found, Places):
        return found
    more = f" ({len(found)} problems)" if len(found) > 1 else ""
    raise MissingObjectError(
        f"the site names what the vCenter does not have{more}",
        where="the site's placement (or CLUSTER, DATACENTER, DATASTORE, FOLDER, NETWORK, RESOURCE_POOL)",
        why="\n".join(f"- {problem}" for problem in found),
        next="correct the site's file; names count exactly, upper and lower case too",
    )


def resolve(
    tree: Tree, placement: Placement, space: Callable[[Node], Space] | None = None
) -> Places | tuple[Problem, ...]:
    """Find every place a site names, exactly; or return all that is wrong.

    Exactly, because the vSphere plugin takes the default pool for one that it
    cannot find and creates a folder that is misspelt. *space* tells how a datastore
    stands: of a datastore cluster, the member with the most free space is taken.
    """
    search = _Search(tree, space)
    datacenter = search.find("datacenter", tree.root, Kind.DATACENTER, placement.datacenter)
    places = _within(search, datacenter, placement) if datacenter else None
    if places:
        search.problems += (*_unreachable(places), *_unspeakable(places))
    return places if places and not search.problems else tuple(search.problems)


def _within(search: _Search, datacenter: Node, placement: Placement) -> Places | None:
    areas = [search.area(datacenter, name) for name in ("host", "datastore", "network", "vm")]
    if None in areas:
        return None
    hosts, stores, networks, vms = (area for area in areas if area)
    cluster = search.find("cluster", hosts, Kind.CLUSTER, placement.cluster)
    own = search.find("resource_pool", cluster, Kind.POOL, "Resources") if cluster else None
    named = placement.resource_pool
    pool = search.find("resource_pool", own, Kind.POOL, named) if own and named else own
    datastore = media = search.datastore("datastore", stores, placement.datastore, cluster)
    if placement.media_datastore != placement.datastore:
        media = search.datastore("iso_datastore", stores, placement.media_datastore, cluster)
    network = search.network(datacenter, networks, placement.network)
    folder = vms if not placement.folder else search.find("folder", vms, Kind.FOLDER, placement.folder)
    if not (cluster and own and pool and datastore and media and network and folder):
        return None
    path = search.below
    return Places(
        root=search.tree.root, datacenter=datacenter, cluster=cluster, pool=pool,
        datastore=datastore, media_datastore=media, network=network, folder=folder,
        placement=placement.model_copy(update=search.chosen),
        paths=Paths(
            datacenter=path(datacenter, search.tree.root), cluster=path(cluster, hosts), pool=path(pool, own),
            folder=path(folder, vms), datastore=path(datastore), media_datastore=path(media), network=path(network),
        ),
    )  # fmt: skip


class _Search:
    """Looks places up one by one and collects what is missing, so that all of it is told at once."""

    def __init__(self, tree: Tree, space: Callable[[Node], Space] | None) -> None:
        self.tree = tree
        self.problems: list[Problem] = []
        self.chosen: dict[str, str] = {}
        """By setting, the datastore that was taken of a datastore cluster."""
        self._space = space

    def problem(self, setting: str, what: str, hint: str = "") -> None:
        """Note what is wrong with a setting."""
        self.problems.append(Problem(setting=setting, what=what, hint=hint))

    def below(self, node: Node, top: Node | None = None) -> str:
        """Return the path of a place for Packer and govc, below *top* where it is given."""
        path = self.tree.path(node.ref)
        return spelling.literal(path if top is None else path.removeprefix(self.tree.path(top.ref)).lstrip("/"))

    def find(self, setting: str, top: Node, kind: Kind, path: str) -> Node | None:
        """Return the one place of *kind* that *path* means; note what is wrong where there is none, or more."""
        there = self.tree.of_kind(top, kind)
        return self._one(setting, path, there, _meant(path, there), f"there is no {kind} {path!r}")

    def _one(
        self, setting: str, path: str, there: Mapping[str, list[Node]], meant: Sequence[str], nothing: str
    ) -> Node | None:
        found = [node for one in meant for node in there[one]]
        if len(found) == 1:
            return found[0]
        if len(meant) > 1:
            self.problem(setting, f"{path!r} may mean {' or '.join(map(repr, meant))}", "write which one")
        elif found:
            self.problem(setting, f"{len(found)} objects have the path {path!r}")
        else:
            self.problem(setting, nothing, _suggest(path, there))
        return None

    def area(self, datacenter: Node, name: str) -> Node | None:
        """Return a datacenter's own folder of hosts, datastores, networks or VMs; every datacenter has the four."""
        found = self.tree.of_kind(datacenter, Kind.FOLDER).get(name)
        if not found:
            what = f"the folder /{datacenter.name}/{name} cannot be seen"
            self.problem("datacenter", what, "the user needs at least Read-only on it")
            return None
        return found[0]

    def network(self, datacenter: Node, networks: Node, text: str) -> Node | None:
        """Return the network that a name, a path below the datacenter's networks or an inventory path means."""
        area = f"{self.tree.path(networks.ref)}/"
        if not text.startswith("/"):
            return self.find("network", networks, Kind.NETWORK, text)
        # The datacenter's name may have a slash of its own, however that is written.
        for begin in (area, spelling.plain(area), f"/{datacenter.name}/network/"):
            if text.startswith(begin):
                return self.find("network", networks, Kind.NETWORK, text.removeprefix(begin))
        self.problem("network", f"{text!r} does not lie below {spelling.plain(area)}")
        return None

    def datastore(self, setting: str, stores: Node, text: str, cluster: Node | None) -> Node | None:
        """Return the datastore of this name or path, or of a datastore cluster the one with the most free space.

        In a datacenter no two datastores have one name, so that it counts wherever its owner lies.
        """
        there = self.tree.of_kind(stores, Kind.DATASTORE)
        name = spelling.unescape(text)
        meant = _meant(text, there) or [path for path, nodes in there.items() if nodes[0].name == name]
        pods = self.tree.of_kind(stores, Kind.POD)
        if meant or not (inside := _meant(text, pods)):
            return self._one(setting, text, there, meant, f"there is no datastore {text!r}")
        pod = self._one(setting, text, pods, inside, "")
        return self._freest(setting, stores, pod, cluster) if pod else None

    def _freest(self, setting: str, stores: Node, pod: Node, cluster: Node | None) -> Node | None:
        members = [node for nodes in self.tree.of_kind(pod, Kind.DATASTORE).values() for node in nodes]
        seen = [node for node in members if not (cluster and cluster.reachable) or node.ref in cluster.reachable]
        spaces = [(space, node) for node in seen if self._space and (space := self._space(node)).usable]
        if not spaces:
            what = f"the datastore cluster {pod.name!r} has no datastore that can be used"
            self.problem(setting, what, "its members must be accessible, and the cluster's hosts must see them")
            return None
        _, node = max(spaces, key=lambda item: (item[0].free_bytes, item[1].name))
        self.chosen[setting] = self.tree.path(node.ref).removeprefix(self.tree.path(stores.ref)).lstrip("/")
        return node


def _meant(text: str, there: Mapping[str, list[Node]]) -> list[str]:
    """Return which of the paths *text* means: read as a path, and where that leads nowhere, as people see names."""
    exact = spelling.canonical(text)
    if found := [path for path in there if spelling.canonical(path) == exact]:
        return found
    return sorted(path for path in there if spelling.plain(path) == text)


def _suggest(path: str, there: Mapping[str, list[Node]]) -> str:
    """Say what was probably meant: the same name elsewhere, a similar one, or simply all there is."""
    if not there:
        return "there is none at all, or the user may not see it"
    shown = [spelling.plain(known) for known in there]
    elsewhere = [known for known in shown if _last(known) == _last(path)]
    folded = {known.casefold(): known for known in shown}  # names count exactly, mistakes are often of case
    alike = difflib.get_close_matches(path.casefold(), folded, n=3, cutoff=0.6)
    if close := sorted(elsewhere or [folded[name] for name in alike]):
        return "did you mean " + " or ".join(map(repr, close)) + "?"
    names = sorted(shown)
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""  # noqa: PLR2004 - what fits on a line
    return "there are: " + ", ".join(names[:8]) + more


def _last(path: str) -> str:
    return path.rsplit("/", 1)[-1]


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


def _unspeakable(places: Places) -> list[Problem]:
    """Return the names that Packer's plugin cannot be told, whichever way they are written."""
    problems = [
        Problem(setting=setting, what=f"a name with a square bracket, {node.name!r}, cannot be written as [name] path")
        for node, setting in {places.media_datastore: "iso_datastore", places.datastore: "datastore"}.items()
        if set("[]") & set(node.name)
    ]
    if spelling.is_pattern(places.datacenter.name):
        what = f"Packer's plugin takes {places.datacenter.name!r} for a pattern, because of * ? or ["
        problems.append(Problem(setting="datacenter", what=what, hint="rename the datacenter"))
    return problems
