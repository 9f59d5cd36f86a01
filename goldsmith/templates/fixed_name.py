"""Sees to it that the newest complete base has the fixed name its site wants, after a build and at any later run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.vcenter import naming

if TYPE_CHECKING:
    from goldsmith.wiring import OnSite

BASE = "base"


def give(on: OnSite, key: str) -> str:
    """Give the newest base with this *key* the site's fixed name, if it may have it; return its name in the end.

    It returns nothing where the site wants no fixed name, or has no such base. A build that
    ended between finishing a template and naming it is made good here.
    """
    wanted = on.site.placement.template_name
    if not wanted:
        return ""
    with on.connect() as vcenter:
        holdings = on.finder.holdings(vcenter)
        same = [one for one in holdings.templates(image=on.image.name, phase=BASE) if one.attributes.key == key]
        template = next((one for one in reversed(same) if one.machine.has_snapshot), None)
        if template is None or template.name == wanted:
            return template.name if template else ""
        with on.session.progress.step(f"name {template.name}", f"the site wants the newest base to be called {wanted}"):
            return naming.take(vcenter, holdings.places, template.machine, wanted, now=on.session.now())
