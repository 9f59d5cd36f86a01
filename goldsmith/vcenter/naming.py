"""Gives a finished template the fixed name a site wants: the one that had it goes on under a dated name."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from goldsmith.errors import ConfigurationError, GoldsmithError, RefusedError
from goldsmith.vcenter.privileges import RENAMING

if TYPE_CHECKING:
    from datetime import datetime

    from goldsmith.vcenter.api import VCenter
    from goldsmith.vcenter.inventory import Machine
    from goldsmith.vcenter.places import Places


def check(vcenter: VCenter, places: Places, name: str) -> None:
    """Refuse a fixed *name* that could not be given: known before anything is made.

    Raises ``RefusedError`` when something else than a template has it, ``ConfigurationError``
    when the user may not rename anything.
    """
    if not name:
        return
    if vcenter.missing_privileges({places.folder.ref: RENAMING}):
        raise ConfigurationError(
            f"the user may not give a template the name {name}",
            where=f"folder {places.folder.name} (BASE_VM_TEMPLATE_NAME, or the site's placement.template_name)",
            why=f"the privilege {', '.join(sorted(RENAMING))} is missing there",
            next="add it to the user's role, or give no fixed name: templates then keep their unique ones",
        )
    holder = vcenter.child(places.folder, name)
    if holder is not None and not holder.is_template:
        raise RefusedError(
            f"the name {name} belongs to a virtual machine that is not a template",
            where=f"folder {places.folder.name} (BASE_VM_TEMPLATE_NAME, or the site's placement.template_name)",
            why="its name would be taken from it for the new template",
            next="give another name, or rename that machine",
        )


def take(vcenter: VCenter, places: Places, machine: Machine, name: str, *, now: datetime) -> str:
    """Name the finished *machine* as the site wants it, and return its name.

    Between the two steps, the new template has its own unique name and the old one a dated
    name: nothing is ever without a name of its own, or deleted. When the second step is
    refused, the old one gets its name back; when nobody is left to do either, the next run
    finds the new template and begins again.
    """
    if not name or machine.name == name:
        return machine.name
    check(vcenter, places, name)
    holder = vcenter.child(places.folder, name)
    if holder is not None:
        vcenter.rename(holder, f"{name}-{now:%Y%m%d-%H%M%S}")
    try:
        vcenter.rename(machine, name)
    except GoldsmithError:
        if holder is not None:
            with contextlib.suppress(GoldsmithError):
                vcenter.rename(holder, name)
        raise
    return name
