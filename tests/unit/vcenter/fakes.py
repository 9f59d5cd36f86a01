"""A vCenter in memory, behind the same door as the real one."""

# ruff: noqa: D102, ARG002 - the methods and their arguments are the door's, and described there

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from goldsmith.errors import GoldsmithError, MissingObjectError, ToolError
from goldsmith.model import Placement
from goldsmith.vcenter import marks
from goldsmith.vcenter.api import Space, StoredFile, Vitals
from goldsmith.vcenter.inventory import Kind, Machine, Node, Power

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from goldsmith.vcenter.clones import CloneOrder

FOLDER = "folder"
"""The id of the site's folder."""
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
        node(FOLDER, Kind.FOLDER, "goldsmith", "vm-f"),
    ]


PLACEMENT = Placement(datacenter="DC0", cluster="DC0_C0", datastore="lab-ds", network="VM Network", folder="goldsmith")
KEY = "ab" * 32
BEGAN = "2026-11-23 15:00 UTC"


def finished(
    build: str = BUILD, *, image: str = "debian-13", phase: str = "base", key: str = KEY, **changed: Any
) -> Machine:
    """Return a finished template of a build; of what is *changed*, what a template says is what it is told to say."""
    told = {name: changed.pop(name) for name in ("status", "parent", "commit", "inputs", "reason") if name in changed}
    machine = Machine(
        ref=f"vm-{build}", name=f"{image}-{phase}-{build}", folder=FOLDER, instance_uuid=f"uuid-{build}",
        is_template=True, has_snapshot=True,
    )  # fmt: skip
    attributes = marks.Attributes(image=image, phase=phase, key=key, build=build, **told)
    return replace(machine, **{"attributes": attributes.values(machine), **changed})


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
    away: GoldsmithError | None = None
    """Raised instead of a session, when set."""
    no_note: BaseException | None = None
    """Raised instead of writing a note, when set."""
    ordered: list[CloneOrder] = field(default_factory=list)
    """The clones that were asked for."""
    interrupted: bool = False
    """Whether Ctrl-C arrives while the first clone is made."""
    unreachable: GoldsmithError | None = None
    """Raised instead of addresses, when set."""
    clock: datetime = datetime(2026, 11, 23, 16, tzinfo=UTC)
    happened: dict[str, datetime] = field(default_factory=dict)
    """When something last happened with a machine, by its reference; nothing is remembered of the others."""
    later: dict[str, Machine] = field(default_factory=dict)
    """What a machine is when it is looked at again, by its reference."""
    contents: dict[str, bytes] = field(default_factory=dict)
    """What files hold, by their path."""
    gone: set[str] = field(default_factory=set)
    """The machines that were removed, by name."""
    hidden: set[str] = field(default_factory=set)
    """The machines that the account may not see, by reference."""

    @contextlib.contextmanager
    def connect(self) -> Iterator[FakeVCenter]:
        """Count a session."""
        if self.away:
            raise self.away
        self.sessions += 1
        yield self

    def add(self, machine: Machine) -> Machine:
        """Put a machine into the inventory; one that lies nowhere goes into the site's folder."""
        self.held[machine.ref] = machine if machine.folder else replace(machine, folder=FOLDER)
        return self.held[machine.ref]

    def _changed(self, what: str) -> None:
        if self.trouble:
            raise self.trouble
        self.log.append(what)

    def nodes(self) -> Sequence[Node]:
        return self.tree

    def now(self) -> datetime:
        return self.clock

    def machines(self, folder: Node | None = None) -> Sequence[Machine]:
        seen = [machine for machine in self.held.values() if machine.ref not in self.hidden]
        return [machine for machine in seen if folder is None or machine.folder == folder.ref]

    def again(self, machine: Machine) -> Machine | None:
        if now := self.later.pop(machine.ref, None):
            self.held[machine.ref] = now
        return self.held.get(machine.ref)

    def child(self, folder: Node, name: str) -> Machine | None:
        return next((machine for machine in self.machines(folder) if machine.name == name), None)

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
        if self.no_note:
            raise self.no_note
        self._changed(f"note {machine.name}")
        self.held[machine.ref] = replace(self.held[machine.ref], note=text)

    def rename(self, machine: Machine, name: str) -> None:
        self._changed(f"rename {machine.name} to {name}")
        self.held[machine.ref] = replace(self.held[machine.ref], name=name)

    def fetch(self, datacenter: str, datastore: Node, path: str) -> bytes:
        if path not in self.contents:
            raise MissingObjectError("the file is not on the datastore", where=path)
        return self.contents[path]

    def vitals(self, machine: Machine) -> Vitals:
        return self.seen

    def screenshot(self, machine: Machine) -> bytes:
        return b"\x89PNG"

    def events(self, machine: Machine, limit: int = 10) -> Sequence[str]:
        return [f"{machine.name} was looked at"]

    def last_event(self, machine: Machine) -> datetime | None:
        return self.happened.get(machine.ref)

    def removed(self, datacenter: Node) -> frozenset[str]:
        return frozenset(self.gone)

    def destroy(self, machine: Machine) -> None:
        self._changed(f"destroy {machine.name}")
        if machine.ref not in self.held:
            raise ToolError("it is gone")
        self.gone.add(self.held.pop(machine.ref).name)

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
                folder=order.folder, power=Power.ON, note=order.note, attributes=inherited,
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
