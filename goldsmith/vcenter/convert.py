"""What a vCenter answers, as this package's own values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldsmith import terminal
from goldsmith.tools import spelling
from goldsmith.vcenter.inventory import Kind, Machine, Node, Power
from goldsmith.vcenter.sdk import reference, vim
from goldsmith.work import ID_PATTERN

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

MACHINE = (
    "name",
    "parent",
    "config.annotation",
    "config.instanceUuid",
    "config.template",
    "customValue",
    "runtime.powerState",
    "snapshot",
    "summary.storage.unshared",
)
"""The properties that :func:`machine` reads."""
POWER = {"poweredOn": Power.ON, "poweredOff": Power.OFF, "suspended": Power.SUSPENDED}


def plain(name: Any) -> str:
    """Return a name as people see it; one with control characters means nothing but to be shown."""
    return terminal.line(spelling.unescape(str(name)))


def node(ref: Any, values: Mapping[str, Any]) -> Node:
    """Return a place from the properties read of it."""
    kinds = {
        vim.Datacenter: Kind.DATACENTER,
        vim.ComputeResource: Kind.CLUSTER,
        vim.ResourcePool: Kind.POOL,
        vim.Datastore: Kind.DATASTORE,
        vim.Network: Kind.NETWORK,
        vim.StoragePod: Kind.POD,  # a kind of folder, and so before it
        vim.Folder: Kind.FOLDER,
    }
    return Node(
        ref=reference(ref),
        kind=next(kind for type_, kind in kinds.items() if isinstance(ref, type_)),
        name=plain(values.get("name", "")),
        spelt=str(values.get("name", "")),
        parent=reference(values.get("parent")),
        reachable=frozenset(map(reference, (*values.get("datastore", ()), *values.get("network", ())))),
    )


def may_be_ours(values: Mapping[str, Any], ours: Collection[int]) -> bool:
    """Return whether a machine carries one of our attributes (keys *ours*), or the id of a build in its name."""
    marked = any(item.key in ours for item in values.get("customValue") or ())
    return marked or ID_PATTERN.search(plain(values.get("name", ""))) is not None


def machine(ref: Any, values: Mapping[str, Any], names: Mapping[int, str]) -> Machine:
    """Return a machine from the properties read of it; *names* are the custom attributes' by key."""
    return Machine(
        ref=reference(ref),
        name=plain(values.get("name", "")),
        folder=reference(values.get("parent")),
        instance_uuid=str(values.get("config.instanceUuid", "")),
        is_template=bool(values.get("config.template", False)),
        power=POWER.get(str(values.get("runtime.powerState")), Power.OFF),
        note=str(values.get("config.annotation") or ""),
        attributes={names[item.key]: str(item.value) for item in values.get("customValue") or () if item.key in names},
        has_snapshot=values.get("snapshot") is not None,
        size_bytes=int(values.get("summary.storage.unshared") or 0),
    )
