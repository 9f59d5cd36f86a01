"""Which of a site's templates is meant: by name, the newest, the newest that is verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.errors import MissingObjectError
from goldsmith.vcenter import belonging, marks

if TYPE_CHECKING:
    from goldsmith.vcenter.belonging import Holdings
    from goldsmith.vcenter.marks import Template
    from goldsmith.wiring import OnSite

PHASES = ("docker", "base")
"""In the order in which a candidate is looked for: a Docker host is what people wait for."""


def choose(on: OnSite, *, name: str, phase: str) -> Template:
    """Return the template *name*, or the newest of the image (of *phase*, when it is given) that did not fail.

    Raises ``MissingObjectError`` when there is none.
    """
    with on.connect() as vcenter:
        holdings = on.finder.holdings(vcenter)
        belonging.same_time(holdings.scope, on.session.now(), server=on.site.server)
    image = on.image.name
    for wanted in (phase,) if phase else PHASES:
        found = holdings.templates(image=image, phase=wanted, failed=bool(name))
        fitting = [template for template in found if name in ("", template.name)]
        if fitting:
            return fitting[-1]
    told = [f"{one.machine.name} does not count: {one.why}" for one in holdings.others(image=image, name=name)]
    raise MissingObjectError(
        f"there is no template {name}" if name else f"there is no{' ' + phase if phase else ''} template of {image}",
        where=on.site.name,
        why="\n".join(told) or ("none has that name" if name else "none was built, or all of them failed"),
        next="'./inv templates' lists the site's, with --everywhere all others; './inv packer-base' forges a base",
    )


def unverified(on: OnSite) -> Template | None:
    """Return the image's newest Docker template that did not fail, if nobody has verified it yet."""
    with on.connect() as vcenter:
        found = on.finder.holdings(vcenter).templates(image=on.image.name, phase=PHASES[0])
    newest = found[-1] if found else None
    return newest if newest and newest.attributes.status != marks.VERIFIED else None


def newest_verified(holdings: Holdings, *, image: str, phase: str, site: str) -> str:
    """Return the name of the newest verified template of an image, of the last phase unless *phase* says which.

    Raises ``MissingObjectError`` when none is verified.
    """
    wanted = phase or PHASES[0]
    found = holdings.templates(image=image, phase=wanted, failed=True)
    verified = [template for template in found if template.attributes.status == marks.VERIFIED]
    if verified:
        return verified[-1].name
    others = [f"{template.name} is {template.attributes.status}" for template in found]
    raise MissingObjectError(
        f"there is no verified {wanted} template of {image}",
        where=site,
        why="\n".join(others) or "there is none at all",
        next="'./inv verify' checks the newest candidate; '--phase' names another phase",
    )
