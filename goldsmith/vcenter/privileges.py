"""Which privileges each phase needs, and on which of the site's objects.

The same table stands, with reasons, in docs/reference/privileges.md; a test compares them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldsmith.vcenter.inventory import Node
    from goldsmith.vcenter.places import Places

GLOBAL = frozenset(
    {
        "Global.ManageCustomFields",
        "Global.SetCustomField",
    }
)
"""On the root folder: custom attributes belong to the whole vCenter."""

FOLDER = frozenset(
    {
        "Global.SetCustomField",
        "VirtualMachine.Config.AddNewDisk",
        "VirtualMachine.Config.AddRemoveDevice",
        "VirtualMachine.Config.AdvancedConfig",
        "VirtualMachine.Config.Annotation",
        "VirtualMachine.Config.CPUCount",
        "VirtualMachine.Config.EditDevice",
        "VirtualMachine.Config.Memory",
        "VirtualMachine.Config.Resource",
        "VirtualMachine.Config.Settings",
        "VirtualMachine.Interact.DeviceConnection",
        "VirtualMachine.Interact.PowerOff",
        "VirtualMachine.Interact.PowerOn",
        "VirtualMachine.Interact.SetCDMedia",
        "VirtualMachine.Inventory.Create",
        "VirtualMachine.Inventory.Delete",
        "VirtualMachine.Provisioning.MarkAsTemplate",
        "VirtualMachine.State.CreateSnapshot",
    }
)
"""On the folder of the virtual machines, and what lies in it."""

CLONING = frozenset({"VirtualMachine.Inventory.CreateFromExisting", "VirtualMachine.Provisioning.DeployTemplate"})
"""On the same folder, for phase 2."""

FLOPPY = frozenset({"VirtualMachine.Interact.SetFloppyMedia"})
"""There as well, where the answers are on a floppy."""

RENAMING = frozenset({"VirtualMachine.Config.Rename"})
"""There as well, where the site gives its newest template a fixed name."""

DATASTORE = frozenset({"Datastore.AllocateSpace", "Datastore.Browse", "Datastore.FileManagement"})
"""On the datastore of the machines and on that of the media; removing a file asks for it on the datacenter's folder."""

NETWORK = frozenset({"Network.Assign"})
"""On the network."""

POOL = frozenset({"Resource.AssignVMToPool"})
"""On the resource pool."""


def wanted(places: Places, *, cloning: bool = False, floppy: bool = False) -> Mapping[Node, frozenset[str]]:
    """Return the privileges a build needs on each of its places; *cloning* in phase 2, *floppy* for legacy images."""
    return {
        places.root: GLOBAL,
        places.folder: FOLDER | (CLONING if cloning else frozenset()) | (FLOPPY if floppy else frozenset()),
        places.datastore: DATASTORE,
        places.media_datastore: DATASTORE,
        places.network: NETWORK,
        places.pool: POOL,
    }
