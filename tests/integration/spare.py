"""A base template in seconds: a clone of the session's own, marked as the base that a changed checkout asks for."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from goldsmith import config, plan
from goldsmith.flow import inputs
from goldsmith.host.workspace import Workspace
from goldsmith.toolbox import lock as locks
from goldsmith.vcenter import belonging, marks
from goldsmith.vcenter.places import locate
from tests.integration.bystander import Bystander

if TYPE_CHECKING:
    from collections.abc import Iterator

    from goldsmith.config import Effective
    from goldsmith.vcenter.client import Client
    from goldsmith.vcenter.inventory import Machine
    from goldsmith.vcenter.marks import Template
    from goldsmith.vcenter.places import Places

IMAGE = "debian-13"
SNAPSHOT = "goldsmith"


@dataclass(frozen=True)
class Room(Bystander):
    """An operator with a checkout of their own in the session's lab, whose image differs, and so its base."""

    def effective(self) -> Effective:
        """Return the configuration that the checkout has."""
        workspace = Workspace(root=self.root, cache=self.cache)
        return config.load(None, IMAGE, workspace=workspace, environment=self.operator.environment)

    def key(self) -> str:
        """Return the key of the base that the checkout asks for."""
        return inputs.base(self.effective(), lock=locks.load(self.root / "docker/lock.json"), root=self.root).key

    @contextmanager
    def site(self) -> Iterator[tuple[Client, Places]]:
        """Log in to the vCenter, and find the site's places."""
        with self.lab.connect() as client:
            yield client, locate(client, self.effective().site.placement)

    def every(self, client: Client) -> list[Template]:
        """Return the bases that the site has."""
        return belonging.look(client, self.effective().site.placement).templates(image=IMAGE, phase="base")

    def bases(self, client: Client) -> list[Template]:
        """Return the bases that this checkout would clone."""
        return [one for one in self.every(client) if one.attributes.key == self.key()]

    def leave(self) -> None:
        """Remove the bases of this checkout."""
        with self.site() as (client, _):
            for base in self.bases(client):
                client.destroy(base.machine)

    def base(self) -> str:
        """Return the name of such a base, made of the session's own where there is none."""
        with self.site() as (client, places):
            if there := self.bases(client):
                return there[-1].name
            [*_, source] = self.every(client)
            key = self.key()
            build = plan.build_id(key, datetime.now(UTC))
            machine = copied(client, places, source.machine, f"{IMAGE}-base-{build}")
            attributes = replace(source.attributes, key=key, build=build, inputs="", parent="")
            marks.mark(client, machine, attributes, built="by a test", tell=print)
            return machine.name


def copied(client: Client, places: Places, source: Machine, name: str) -> Machine:
    """Make a template that is a linked clone of *source*, with whatever that had of attributes, and a snapshot."""
    from goldsmith.vcenter.sdk import vim

    where = vim.vm.RelocateSpec(
        pool=client._object(vim.ResourcePool, places.pool.ref),
        datastore=client._object(vim.Datastore, places.datastore.ref),
        diskMoveType="createNewChildDiskBacking",
    )
    snapshot_of = client._collector.one(client._vm(source), ("snapshot",))["snapshot"].rootSnapshotList[0].snapshot
    spec = vim.vm.CloneSpec(location=where, snapshot=snapshot_of, powerOn=False, template=False)
    folder = client._object(vim.Folder, places.folder.ref)
    vm = client._collector.finish(client._vm(source).CloneVM_Task(folder=folder, name=name, spec=spec))
    snapshot(client, vm)
    vm.MarkAsTemplate()
    made = client.child(places.folder, name)
    assert made is not None
    return made


def snapshot(client: Client, vm: Any) -> None:
    """Take the snapshot that clones hang on."""
    client._collector.finish(vm.CreateSnapshot_Task(name=SNAPSHOT, description="", memory=False, quiesce=False))
