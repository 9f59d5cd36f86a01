"""Sees to it that the newest complete base has the fixed name its site wants, after a build and at any later run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.vcenter import marks, naming
from goldsmith.vcenter.inventory import Places, Tree, resolve

if TYPE_CHECKING:
    from goldsmith.vcenter.api import VCenter
    from goldsmith.vcenter.marks import Template
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
        places = resolve(Tree(vcenter.nodes()), on.site.placement)
        template = _newest(vcenter, on.image.name, key)
        if template is None or not isinstance(places, Places) or template.name == wanted:
            return template.name if template else ""
        own = f"{on.image.name}-{BASE}-{template.attributes.build}"
        if not naming.may_take(template.name, wanted, own=own):
            on.session.progress.note(
                f"the newest base is called {template.name}, which somebody chose; --rebuild makes one named {wanted}"
            )
            return template.name
        with on.session.progress.step(f"name {template.name}", f"the site wants the newest base to be called {wanted}"):
            return naming.take(vcenter, places, template.machine, wanted, now=on.session.now())


def _newest(vcenter: VCenter, image: str, key: str) -> Template | None:
    found = marks.find(vcenter.machines(), image=image, phase=BASE)
    same = [template for template in found if template.attributes.key == key and template.machine.has_snapshot]
    return same[-1] if same else None
