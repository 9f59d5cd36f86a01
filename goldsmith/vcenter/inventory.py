"""What a vCenter holds, as plain values: places with their paths, and virtual machines."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from goldsmith.tools.spelling import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Kind(StrEnum):
    """The kinds of places that a build needs; the words are the operator's."""

    ROOT = "root"
    DATACENTER = "datacenter"
    CLUSTER = "cluster"
    POOL = "resource pool"
    DATASTORE = "datastore"
    POD = "datastore cluster"
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
    spelt: str = ""
    """The name as the API writes it, of which paths are made; left out, as it should write it."""

    def __post_init__(self) -> None:
        """Spell the name where nobody has said how."""
        object.__setattr__(self, "spelt", self.spelt or escape(self.name))

    def stored(self, path: str) -> str:
        """Return a file on this datastore as vSphere writes it."""
        return f"[{self.spelt}] {path}".rstrip()


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
    folder: str = ""
    """The id of the folder it lies in; empty within a vApp."""
    instance_uuid: str = ""
    is_template: bool = False
    power: Power = Power.OFF
    note: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    has_snapshot: bool = False
    size_bytes: int = 0
    """What it takes of its datastores by itself; 0 where the vCenter does not tell."""


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

    def path(self, ref: str) -> str:
        """Return the inventory path of a place, as the API spells it; empty for what cannot be seen."""
        node = self._nodes.get(ref)
        if node is None or node.kind is Kind.ROOT:
            return ""
        return f"{self.path(node.parent)}/{node.spelt}"

    def below(self, top: Node) -> dict[str, list[Node]]:
        """Return everything below *top* by its path relative to it, as the API spells it; kinds may share a path."""
        found: dict[str, list[Node]] = defaultdict(list)
        waiting = [("", top)]
        while waiting:
            prefix, node = waiting.pop()
            for child in self._children[node.ref]:
                path = f"{prefix}{child.spelt}"
                found[path].append(child)
                waiting.append((f"{path}/", child))
        return found

    def of_kind(self, top: Node, kind: Kind) -> dict[str, list[Node]]:
        """Return what is of *kind* below *top*, by relative path."""
        below = self.below(top).items()
        return {path: same for path, nodes in below if (same := [node for node in nodes if node.kind is kind])}
