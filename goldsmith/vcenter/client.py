"""A logged-in vCenter session: the only code that makes API calls."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, cast

from goldsmith.vcenter import cloning, console, convert, history
from goldsmith.vcenter.api import Space, StoredFile, Vitals
from goldsmith.vcenter.collector import Collector
from goldsmith.vcenter.download import download
from goldsmith.vcenter.faults import explained
from goldsmith.vcenter.inventory import Kind, Node, Power
from goldsmith.vcenter.marks import PREFIX
from goldsmith.vcenter.sdk import reference, stub_of, vim, vmodl

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from goldsmith.vcenter.clones import CloneOrder
    from goldsmith.vcenter.inventory import Machine


class Client:
    """Implements :class:`goldsmith.vcenter.api.VCenter`."""

    def __init__(self, server: str, content: Any, session: Any, tls: ssl.SSLContext) -> None:
        self.server = server
        self._content = content
        self._session = session
        self._tls = tls
        self._collector = Collector(content)

    # -- reading --------------------------------------------------------------

    def nodes(self) -> Sequence[Node]:
        """Return the places of the whole inventory."""
        root = self._content.rootFolder
        wanted: dict[Any, tuple[str, ...]] = {
            vim.Datacenter: ("name", "parent"),
            vim.ComputeResource: ("name", "parent", "datastore", "network"),
            vim.ResourcePool: ("name", "parent"),
            vim.Datastore: ("name", "parent"),
            vim.Network: ("name", "parent"),
            vim.Folder: ("name", "parent"),
        }
        with explained(self.server):
            found = [convert.node(ref, values) for ref, values in self._collector.every(root, wanted)]
        return [Node(ref=reference(root), kind=Kind.ROOT, name="", parent=""), *found]

    def now(self) -> datetime:
        """Return the time of the vCenter's own clock."""
        with explained(self.server):
            return cast("datetime", self._object(vim.ServiceInstance, "ServiceInstance").CurrentTime())

    def machines(self, folder: Node | None = None) -> Sequence[Machine]:
        """Return the machines and templates that may be this suite's, of the vCenter or directly in one folder.

        Reading everything of 10,000 machines takes many seconds, so only their
        names and attributes are read at first, and the rest of those that count.
        """
        top = self._content.rootFolder if folder is None else self._object(vim.Folder, folder.ref)
        with explained(self.server):
            names = self._attribute_names()
            ours = {key for key, name in names.items() if name.startswith(PREFIX)}
            brief = self._collector.every(top, {vim.VirtualMachine: ("name", "customValue")}, deep=folder is None)
            found = [ref for ref, values in brief if convert.may_be_ours(values, ours)]
            return [convert.machine(ref, values, names) for ref, values in self._still_there(found)]

    def again(self, machine: Machine) -> Machine | None:
        """Return a machine as it is now; nothing once it is gone."""
        with explained(self.server):
            names = self._attribute_names()
            try:
                values = self._collector.one(self._vm(machine), convert.MACHINE)
            except vmodl.fault.ManagedObjectNotFound:
                return None
            return convert.machine(self._vm(machine), values, names)

    def child(self, folder: Node, name: str) -> Machine | None:
        """Return the machine or template of this name that lies directly in *folder*."""
        with explained(self.server):
            found = self._content.searchIndex.FindChild(self._object(vim.Folder, folder.ref), name)
            if not isinstance(found, vim.VirtualMachine):
                return None
            return convert.machine(found, self._collector.one(found, convert.MACHINE), self._attribute_names())

    def missing_privileges(self, wanted: Mapping[str, Collection[str]]) -> Mapping[str, Sequence[str]]:
        """Return, by object id, which of the wanted privileges the session lacks on it."""
        every = sorted({privilege for privileges in wanted.values() for privilege in privileges})
        # The server tells by the id alone what an object is; the type here only shapes the request.
        entities = [self._object(vim.ManagedEntity, ref) for ref in wanted]
        with explained(self.server):
            answers = self._content.authorizationManager.HasPrivilegeOnEntities(entities, self._session.key, every)
        lacking: dict[str, Sequence[str]] = {}
        for answer in answers or ():
            ref = reference(answer.entity)
            denied = {item.privId for item in answer.privAvailability if not item.isGranted}
            if short := sorted(denied & set(wanted[ref])):
                lacking[ref] = short
        return lacking

    def space(self, datastore: Node) -> Space:
        """Return how a datastore stands."""
        values = self._read(
            self._object(vim.Datastore, datastore.ref),
            "summary.accessible",
            "summary.maintenanceMode",
            "summary.freeSpace",
        )
        return Space(
            accessible=bool(values.get("summary.accessible")),
            in_maintenance=values.get("summary.maintenanceMode", "normal") not in ("normal", ""),
            free_bytes=int(values.get("summary.freeSpace", 0)),
        )

    def files(self, datastore: Node, folder: str, pattern: str = "*") -> Sequence[StoredFile]:
        """Return the files in *folder* that match *pattern*."""
        store = self._object(vim.Datastore, datastore.ref)
        browser = self._read(store, "browser")["browser"]
        asked = vim.host.DatastoreBrowser.SearchSpec(
            matchPattern=[pattern],
            details=vim.host.DatastoreBrowser.FileInfo.Details(
                fileType=False, fileSize=True, modification=True, fileOwner=False
            ),
        )
        where = datastore.stored(folder)
        with explained(self.server):
            try:
                result = self._collector.finish(browser.SearchDatastore_Task(where, asked))
            except vim.fault.FileNotFound:
                return []
        prefix = f"{folder.strip('/')}/".lstrip("/")
        return [
            StoredFile(path=f"{prefix}{file.path}", size=int(file.fileSize or 0), modified=file.modification)
            for file in result.file or ()
            if not isinstance(file, vim.host.DatastoreBrowser.FolderInfo)
        ]

    def vitals(self, machine: Machine) -> Vitals:
        """Return what can be seen of a machine."""
        values = self._read(self._vm(machine), "runtime.powerState", "guest.toolsRunningStatus", "guest.ipAddress")
        return Vitals(
            power=convert.POWER.get(str(values.get("runtime.powerState")), Power.OFF),
            tools=str(values.get("guest.toolsRunningStatus") or "unknown"),
            address=str(values.get("guest.ipAddress") or ""),
        )

    def events(self, machine: Machine, limit: int = 10) -> Sequence[str]:
        """Return what the vCenter says of a machine, newest last."""
        with explained(self.server):
            return history.texts(self._content, self._vm(machine), limit)

    def last_event(self, machine: Machine) -> datetime | None:
        """Return when something last happened with a machine, by the vCenter's clock, as far as it remembers."""
        with explained(self.server):
            return history.newest(self._content, self._vm(machine))

    def removed(self, datacenter: Node) -> frozenset[str]:
        """Return the names of the machines that a datacenter had and removed, as far as the vCenter remembers."""
        with explained(self.server):
            return history.removed(self._content, self._object(vim.Datacenter, datacenter.ref))

    def screenshot(self, machine: Machine) -> bytes:
        """Return the console of a running machine as a PNG; the copy on the datastore is removed again."""
        with explained(self.server):
            return console.screenshot(self._collector, self._content, self._vm(machine), self.server, self._tls)

    def fetch(self, datacenter: str, datastore: Node, path: str) -> bytes:
        """Return a small file of a datastore, such as a record; *datacenter* is its inventory path."""
        cookie, name = str(stub_of(self._content.rootFolder).cookie), datastore.spelt
        with explained(self.server):
            return download(self.server, self._tls, cookie, datacenter=datacenter, datastore=name, path=path)

    # -- changing -------------------------------------------------------------

    def define_attributes(self, names: Collection[str]) -> None:
        """Create the custom attributes for virtual machines that do not exist yet."""
        with explained(self.server):
            manager = self._content.customFieldsManager
            known = {field.name for field in manager.field or ()}
            for name in names:
                # Another run may define it at this moment: that is as good.
                with contextlib.suppress(vim.fault.DuplicateName):
                    if name not in known:
                        manager.AddFieldDefinition(name, vim.VirtualMachine)

    def set_attributes(self, machine: Machine, values: Mapping[str, str]) -> None:
        """Write custom attributes, in the order given."""
        with explained(self.server):
            manager = self._content.customFieldsManager
            keys = {field.name: field.key for field in manager.field or ()}
            for name, value in values.items():
                manager.SetField(self._vm(machine), keys[name], value)

    def set_note(self, machine: Machine, text: str) -> None:
        """Replace the machine's note."""
        with explained(self.server):
            self._collector.finish(self._vm(machine).ReconfigVM_Task(vim.vm.ConfigSpec(annotation=text)))

    def rename(self, machine: Machine, name: str) -> None:
        """Give the machine another name."""
        with explained(self.server):
            self._collector.finish(self._vm(machine).Rename_Task(newName=name))

    def destroy(self, machine: Machine) -> None:
        """Power the machine off if it runs, and delete it with its disks."""
        vm = self._vm(machine)
        with explained(self.server), _gone_is_fine():
            # Off already, or going off by itself: the state may change between asking and telling.
            with contextlib.suppress(vim.fault.InvalidPowerState):
                if not machine.is_template:
                    self._collector.finish(vm.PowerOffVM_Task())
            self._collector.finish(vm.Destroy_Task())

    def clone(self, orders: Sequence[CloneOrder]) -> Sequence[Machine]:
        """Make and start linked clones, all at once."""
        with explained(self.server):
            made = cloning.clone(self._collector, self._content.rootFolder, orders)
            names = self._attribute_names()
            return [convert.machine(vm, self._collector.one(vm, convert.MACHINE), names) for vm in made]

    def addresses(
        self, machines: Sequence[Machine], *, seconds: float, tell: Callable[[str], None]
    ) -> Mapping[str, str]:
        """Wait until each machine can be reached; return the addresses by the machines' names."""
        stub = stub_of(self._content.rootFolder)
        with explained(self.server):
            return cloning.addresses(self._collector, machines, stub, seconds=seconds, tell=tell)

    def settle(self, machine: Machine) -> None:
        """Wait until what is being done with a machine has ended, however that ends."""
        with explained(self.server), _gone_is_fine():
            recent = self._collector.one(self._vm(machine), ("recentTask",)).get("recentTask") or ()
            for task, values in list(self._collector.each(recent, ("info.state",))):
                if values.get("info.state") in ("queued", "running"):
                    with contextlib.suppress(vmodl.MethodFault):
                        self._collector.finish(task)

    def delete_file(self, datacenter: Node, datastore: Node, path: str) -> None:
        """Delete one file of a datastore."""
        where = self._object(vim.Datacenter, datacenter.ref)
        with explained(self.server), contextlib.suppress(vim.fault.FileNotFound):
            manager = self._content.fileManager
            self._collector.finish(manager.DeleteDatastoreFile_Task(datastore.stored(path), where))

    # -- how ------------------------------------------------------------------

    def _still_there(self, found: Sequence[Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Yield what is known of machines, but for those that another run has removed since they were found."""
        try:
            yield from list(self._collector.each(found, convert.MACHINE))
        except vmodl.fault.ManagedObjectNotFound:
            for ref in found:
                with _gone_is_fine():
                    yield ref, self._collector.one(ref, convert.MACHINE)

    def _attribute_names(self) -> dict[int, str]:
        return {field.key: str(field.name) for field in self._content.customFieldsManager.field or ()}

    def _object(self, kind: Callable[..., Any], ref: str) -> Any:
        return kind(ref, stub_of(self._content.rootFolder))

    def _read(self, subject: Any, *paths: str) -> dict[str, Any]:
        with explained(self.server):
            return self._collector.one(subject, paths)

    def _vm(self, machine: Machine) -> Any:
        return self._object(vim.VirtualMachine, machine.ref)


@contextlib.contextmanager
def _gone_is_fine() -> Iterator[None]:
    with contextlib.suppress(vmodl.fault.ManagedObjectNotFound):
        yield
