"""Gives a finished template the fixed name a site wants: the one that had it goes on under a dated name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.errors import RefusedError

if TYPE_CHECKING:
    from datetime import datetime

    from goldsmith.vcenter.door import VCenter
    from goldsmith.vcenter.inventory import Machine, Places


def check(vcenter: VCenter, places: Places, name: str) -> None:
    """Refuse a fixed *name* that something else than a template has: known before anything is made."""
    holder = vcenter.child(places.folder, name) if name else None
    if holder is not None and not holder.is_template:
        raise RefusedError(
            f"the name {name} belongs to a virtual machine that is no template",
            where=f"folder {places.folder.name} (BASE_VM_TEMPLATE_NAME, or the site's placement.template_name)",
            why="its name would be taken from it for the new template",
            next="give another name, or rename that machine",
        )


def take(vcenter: VCenter, places: Places, machine: Machine, name: str, *, now: datetime) -> str:
    """Name the finished *machine* as the site wants it, and return its name.

    Until the last of the two steps, the new template has its own unique name and the old
    one its old or its dated name: nothing is ever without a name of its own, or deleted.
    """
    if not name or machine.name == name:
        return machine.name
    check(vcenter, places, name)
    holder = vcenter.child(places.folder, name)
    if holder is not None:
        vcenter.rename(holder, f"{name}-{now:%Y%m%d-%H%M%S}")
    vcenter.rename(machine, name)
    return name
