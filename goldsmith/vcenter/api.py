"""What goldsmith asks of a vCenter; the real one is ``goldsmith.vcenter.client``, tests use a strict fake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

    from goldsmith.vcenter.clones import CloneOrder
    from goldsmith.vcenter.inventory import Machine, Node, Power


@dataclass(frozen=True, kw_only=True)
class Space:
    """How a datastore stands."""

    accessible: bool
    in_maintenance: bool
    free_bytes: int

    @property
    def usable(self) -> bool:
        """Whether anything can be put there."""
        return self.accessible and not self.in_maintenance


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file on a datastore; *path* is relative to the datastore."""

    path: str
    size: int
    modified: datetime | None = None
    """When it was last written, as the datastore's host says."""


@dataclass(frozen=True, kw_only=True)
class Vitals:
    """What can be seen of a machine from outside."""

    power: Power
    tools: str
    """``guestToolsRunning``, ``guestToolsNotRunning`` or another word of vSphere's."""
    address: str


class VCenter(Protocol):
    """A logged-in session.

    Every method raises ``UnreachableError`` when the vCenter stops answering or
    ends the session, and ``ToolError`` when it refuses what is asked.
    """

    def nodes(self) -> Sequence[Node]:
        """Return the places of the whole inventory (no machines)."""
        ...

    def now(self) -> datetime:
        """Return the time of the vCenter's own clock."""
        ...

    def machines(self, folder: Node | None = None) -> Sequence[Machine]:
        """Return the virtual machines and templates that may be this suite's, by their names or attributes.

        Those of the whole vCenter, or those that lie directly in *folder*.
        """
        ...

    def again(self, machine: Machine) -> Machine | None:
        """Return a machine as it is now, by its reference; nothing once it is gone."""
        ...

    def child(self, folder: Node, name: str) -> Machine | None:
        """Return the machine or template of this name that lies directly in *folder*."""
        ...

    def missing_privileges(self, wanted: Mapping[str, Collection[str]]) -> Mapping[str, Sequence[str]]:
        """Return, by object id, which of the wanted privileges the user lacks on it."""
        ...

    def space(self, datastore: Node) -> Space:
        """Return how a datastore stands."""
        ...

    def files(self, datastore: Node, folder: str, pattern: str = "*") -> Sequence[StoredFile]:
        """Return the files in *folder* (none when there is no such folder), without what lies deeper."""
        ...

    def define_attributes(self, names: Collection[str]) -> None:
        """Create the custom attributes for virtual machines that do not exist yet."""
        ...

    def set_attributes(self, machine: Machine, values: Mapping[str, str]) -> None:
        """Write custom attributes, in the order given."""
        ...

    def set_note(self, machine: Machine, text: str) -> None:
        """Replace the machine's note."""
        ...

    def rename(self, machine: Machine, name: str) -> None:
        """Give the machine or template another name."""
        ...

    def fetch(self, datacenter: str, datastore: Node, path: str) -> bytes:
        """Return a small file of a datastore, such as a record; *datacenter* is its inventory path.

        Raises ``MissingObjectError`` when it is not there.
        """
        ...

    def vitals(self, machine: Machine) -> Vitals:
        """Return what can be seen of a machine."""
        ...

    def screenshot(self, machine: Machine) -> bytes:
        """Return the console of a running machine as a PNG."""
        ...

    def events(self, machine: Machine, limit: int = 10) -> Sequence[str]:
        """Return what the vCenter says of a machine, newest last; each event is one line."""
        ...

    def last_event(self, machine: Machine) -> datetime | None:
        """Return when something last happened with a machine, by the vCenter's clock, as far as it remembers."""
        ...

    def removed(self, datacenter: Node) -> frozenset[str]:
        """Return the names of the machines that a datacenter had and removed, as far as the vCenter remembers."""
        ...

    def destroy(self, machine: Machine) -> None:
        """Power the machine off if it runs, and delete it with its disks; it may be gone already."""
        ...

    def clone(self, orders: Sequence[CloneOrder]) -> Sequence[Machine]:
        """Make and start linked clones, all at once; return them in the order asked for.

        Interrupted, it waits until what was under way has ended.
        Raises ``CheckError`` when a template has not exactly one snapshot to hang a clone on.
        """
        ...

    def addresses(
        self, machines: Sequence[Machine], *, seconds: float, tell: Callable[[str], None]
    ) -> Mapping[str, str]:
        """Wait until each machine can be reached; return the addresses by the machines' names.

        Raises ``CheckError`` when a machine powers off, or has no address after *seconds*.
        """
        ...

    def settle(self, machine: Machine) -> None:
        """Wait until what is being done with a machine has ended: a clone of it appears only then."""
        ...

    def delete_file(self, datacenter: Node, datastore: Node, path: str) -> None:
        """Delete one file of a datastore; it may be gone already."""
        ...
