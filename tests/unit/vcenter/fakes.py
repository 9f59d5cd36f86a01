"""A vCenter in memory, behind the same door as the real one."""

# ruff: noqa: D102, ARG002 - the methods and their arguments are the door's, and described there

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from goldsmith.errors import GoldsmithError, ToolError
from goldsmith.vcenter.api import Space, StoredFile, Vitals
from goldsmith.vcenter.inventory import Kind, Machine, Node, Power

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from goldsmith.vcenter.clones import CloneOrder

BUILD = "20261123-150000-0123abcd"
OTHER_BUILD = "20261122-090000-0123abcd"


def places() -> list[Node]:
    """Return an inventory: one datacenter with everything a site of the tests names, and a second, empty one."""

    def node(ref: str, kind: Kind, name: str, parent: str, *reachable: str) -> Node:
        return Node(ref=ref, kind=kind, name=name, parent=parent, reachable=frozenset(reachable))

    return [
        node("root", Kind.ROOT, "", ""),
        node("dc", Kind.DATACENTER, "DC0", "root"),
        node("dc-b", Kind.DATACENTER, "DC1", "root"),
        *(node(f"{name}-f", Kind.FOLDER, name, "dc") for name in ("vm", "host", "datastore", "network")),
        node("cl", Kind.CLUSTER, "DC0_C0", "host-f", "ds", "iso-ds", "net", "net-b"),
        node("pool", Kind.POOL, "Resources", "cl"),
        node("pool-b", Kind.POOL, "builds", "pool"),
        node("ds", Kind.DATASTORE, "lab-ds", "datastore-f"),
        node("iso-ds", Kind.DATASTORE, "isos", "datastore-f"),
        node("far-ds", Kind.DATASTORE, "far-ds", "datastore-f"),
        node("net", Kind.NETWORK, "VM Network", "network-f"),
        node("inner", Kind.FOLDER, "inner", "network-f"),
        node("net-b", Kind.NETWORK, "Deep", "inner"),
        node("folder", Kind.FOLDER, "goldsmith", "vm-f"),
    ]


@dataclass
class FakeVCenter:
    """Keeps machines, files and attributes; ``log`` has every change in order."""

    tree: list[Node] = field(default_factory=places)
    held: dict[str, Machine] = field(default_factory=dict)
    stored: list[StoredFile] = field(default_factory=list)
    denied: dict[str, set[str]] = field(default_factory=dict)
    datastore: Space = field(default_factory=lambda: Space(accessible=True, in_maintenance=False, free_bytes=1024**4))
    seen: Vitals = field(default_factory=lambda: Vitals(power=Power.ON, tools="guestToolsNotRunning", address=""))
    log: list[str] = field(default_factory=list)
    sessions: int = 0
    trouble: GoldsmithError | None = None
    """Raised by every change, when set."""
    ordered: list[CloneOrder] = field(default_factory=list)
    """The clones that were asked for."""
    interrupted: bool = False
    """Whether Ctrl-C arrives while the first clone is made."""
    unreachable: GoldsmithError | None = None
    """Raised instead of addresses, when set."""

    @contextlib.contextmanager
    def connect(self) -> Iterator[FakeVCenter]:
        """Count a session."""
        self.sessions += 1
        yield self

    def add(self, machine: Machine) -> Machine:
        """Put a machine into the inventory."""
        self.held[machine.ref] = machine
        return machine

    def _changed(self, what: str) -> None:
        if self.trouble:
            raise self.trouble
        self.log.append(what)

    def nodes(self) -> Sequence[Node]:
        return self.tree

    def machines(self, datacenter: Node | None = None) -> Sequence[Machine]:
        return list(self.held.values())

    def child(self, folder: Node, name: str) -> Machine | None:
        return next((machine for machine in self.held.values() if machine.name == name), None)

    def missing_privileges(self, wanted: Mapping[str, Collection[str]]) -> Mapping[str, Sequence[str]]:
        return {
            ref: sorted(denied & set(wanted[ref]))
            for ref, denied in self.denied.items()
            if denied & set(wanted.get(ref, ()))
        }

    def space(self, datastore: Node) -> Space:
        return self.datastore

    def files(self, datastore: Node, folder: str, pattern: str = "*") -> Sequence[StoredFile]:
        inside = [file for file in self.stored if file.path.rpartition("/")[0] == folder]
        return [file for file in inside if fnmatchcase(file.path.rpartition("/")[2], pattern)]

    def define_attributes(self, names: Collection[str]) -> None:
        self._changed("define")

    def set_attributes(self, machine: Machine, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            self._changed(f"set {name}")
            now = self.held[machine.ref]
            self.held[machine.ref] = replace(now, attributes={**now.attributes, name: value})

    def set_note(self, machine: Machine, text: str) -> None:
        self._changed(f"note {machine.name}")
        self.held[machine.ref] = replace(self.held[machine.ref], note=text)

    def rename(self, machine: Machine, name: str) -> None:
        self._changed(f"rename {machine.name} to {name}")
        self.held[machine.ref] = replace(self.held[machine.ref], name=name)

    def vitals(self, machine: Machine) -> Vitals:
        return self.seen

    def screenshot(self, machine: Machine) -> bytes:
        return b"\x89PNG"

    def events(self, machine: Machine, limit: int = 10) -> Sequence[str]:
        return [f"{machine.name} was looked at"]

    def destroy(self, machine: Machine) -> None:
        self._changed(f"destroy {machine.name}")
        if machine.ref not in self.held:
            raise ToolError("it is gone")
        del self.held[machine.ref]

    def clone(self, orders: Sequence[CloneOrder]) -> Sequence[Machine]:
        made = []
        for order in orders:
            if any(machine.name == order.name for machine in self.held.values()):
                raise ToolError("the vCenter refuses a request", why=f"DuplicateName: {order.name}")
            self._changed(f"clone {order.source.name} as {order.name}")
            self.ordered.append(order)
            inherited = dict(order.source.attributes)
            machine = Machine(
                ref=f"clone-{order.name}", name=order.name, instance_uuid=f"uuid-{order.name}",
                power=Power.ON, note=order.note, attributes=inherited,
            )  # fmt: skip
            made.append(self.add(machine))
            if self.interrupted:
                raise KeyboardInterrupt
        return made

    def addresses(
        self, machines: Sequence[Machine], *, seconds: float, tell: Callable[[str], None]
    ) -> Mapping[str, str]:
        if self.unreachable:
            raise self.unreachable
        return {machine.name: f"192.0.2.{number}" for number, machine in enumerate(machines, 1)}

    def settle(self, machine: Machine) -> None:
        self.log.append(f"settle {machine.name}")

    def delete_file(self, datacenter: Node, datastore: Node, path: str) -> None:
        self._changed(f"delete [{datastore.name}] {path}")
        self.stored = [file for file in self.stored if file.path != path]
