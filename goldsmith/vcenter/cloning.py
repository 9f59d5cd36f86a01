"""How clones are made and waited for: the requests behind :mod:`goldsmith.vcenter.clones`."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from goldsmith.errors import CheckError
from goldsmith.vcenter import convert
from goldsmith.vcenter.clones import Card, Sight, waiting
from goldsmith.vcenter.inventory import Power
from goldsmith.vcenter.sdk import reference, stub_of, vim

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from goldsmith.vcenter.clones import CloneOrder
    from goldsmith.vcenter.collector import Collector
    from goldsmith.vcenter.inventory import Machine

_LINKED = "createNewChildDiskBacking"
_WATCHED = ("runtime.powerState", "guest.toolsRunningStatus", "guest.ipAddress", "guest.net")


def clone(collector: Collector, root: Any, orders: Sequence[CloneOrder]) -> list[Any]:
    """Make and start linked clones, all at once; return the new machines in the order asked for.

    Interrupted, it cancels what is under way and waits until that has ended, so
    that nothing appears after the caller has cleaned up.

    Raises ``CheckError`` when a template has no snapshot to hang a clone on.
    """
    stub = stub_of(root)
    tasks: list[Any] = []
    try:
        for order in orders:
            source = vim.VirtualMachine(order.source.ref, stub)
            tasks.append(
                source.CloneVM_Task(
                    folder=vim.Folder(order.folder, stub), name=order.name, spec=_spec(collector, source, order, stub)
                )
            )
        return [collector.finish(task) for task in tasks]
    except BaseException:
        for task in tasks:
            with contextlib.suppress(Exception):
                task.CancelTask()
        for task in tasks:
            with contextlib.suppress(Exception):
                collector.finish(task)
        raise


def _spec(collector: Collector, source: Any, order: CloneOrder, stub: Any) -> Any:
    place = vim.vm.RelocateSpec(
        pool=vim.ResourcePool(order.pool, stub),
        datastore=vim.Datastore(order.datastore, stub),
        diskMoveType=_LINKED,
    )
    extra = [vim.option.OptionValue(key=key, value=value) for key, value in order.guestinfo.items()]
    return vim.vm.CloneSpec(
        location=place,
        snapshot=_snapshot(collector, source, order),
        config=vim.vm.ConfigSpec(annotation=order.note, extraConfig=extra),
        powerOn=True,
        template=False,
    )


def _snapshot(collector: Collector, source: Any, order: CloneOrder) -> Any:
    known = collector.one(source, ("snapshot",)).get("snapshot")
    roots = list(known.rootSnapshotList) if known else []
    if len(roots) != 1 or roots[0].childSnapshotList:
        found = ", ".join(root.name for root in roots) or "none"
        raise CheckError(
            f"{order.source.name} cannot be cloned",
            where=order.source.name,
            why=f"a template of this suite has exactly one snapshot, on which clones hang; it has: {found}",
            next="somebody changed the template; build it again with --rebuild",
        )
    return roots[0].snapshot


def addresses(
    collector: Collector,
    machines: Sequence[Machine],
    stub: Any,
    *,
    seconds: float,
    tell: Callable[[str], None],
) -> Mapping[str, str]:
    """Wait until each machine can be reached; return the addresses by the machines' names.

    The vCenter tells each change as it happens.
    Raises ``CheckError`` when a machine powers off, or has no address after *seconds*.
    """
    deadline = time.monotonic() + seconds
    names = {machine.ref: machine.name for machine in machines}
    subjects = [vim.VirtualMachine(machine.ref, stub) for machine in machines]
    seen: dict[str, dict[str, Any]] = {ref: {} for ref in names}
    for changes in collector.changes(subjects, _WATCHED, until=deadline):
        for subject, values in changes:
            seen[reference(subject)].update(values)
        sights = {names[ref]: sight(values) for ref, values in seen.items()}
        found = {name: one.usable() for name, one in sights.items()}
        if all(found.values()):
            return found
        if off := [name for name, one in sights.items() if one.power is not Power.ON]:
            raise _silent(off, sights, "powered off by itself while it was booting")
        tell(waiting(name for name, address in found.items() if not address))
    sights = {names[ref]: sight(values) for ref, values in seen.items()}
    late = [name for name, one in sights.items() if not one.usable()]
    raise _silent(late, sights, f"no address was reported within {seconds:.0f} seconds")


def _silent(names: Sequence[str], sights: Mapping[str, Sight], why: str) -> CheckError:
    seen = [f"{name}: powered {sights[name].power}, tools: {sights[name].tools}" for name in names]
    return CheckError(
        "a clone of the candidate cannot be reached",
        where=", ".join(names),
        why="\n".join([why, *seen]),
        next="look at its console with --keep-failed: does it boot, get an address, and run open-vm-tools?",
    )


def sight(values: Mapping[str, Any]) -> Sight:
    """Return what the properties of a machine tell."""
    return Sight(
        power=convert.POWER.get(str(values.get("runtime.powerState")), Power.OFF),
        tools=str(values.get("guest.toolsRunningStatus") or "unknown"),
        address=str(values.get("guest.ipAddress") or ""),
        cards=tuple(
            Card(device=int(card.deviceConfigId), addresses=tuple(map(str, card.ipAddress or ())))
            for card in values.get("guest.net") or ()
        ),
    )
