"""Phase 1: forges the base template from what an installer is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith import forging
from goldsmith.forging import Recipe
from goldsmith.media.attachments import Slot
from goldsmith.tools import packer
from goldsmith.vcenter import naming, preflight

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from goldsmith.forging import Effects, Job
    from goldsmith.media.attachments import Attachment
    from goldsmith.tools.spelling import Paths
    from goldsmith.vcenter.api import VCenter
    from goldsmith.vcenter.marks import Template
    from goldsmith.vcenter.places import Places


@dataclass(frozen=True, kw_only=True)
class Installation:
    """One build's phase 1."""

    job: Job
    attached: tuple[Attachment, ...]
    """What the machine is installed with, all of it on the site."""
    finish_script: Path

    def stored(self, slot: Slot) -> list[str]:
        """Return the media in drives of this kind, as vSphere writes their paths; the one that boots comes first."""
        return [one.stored for one in self.attached if one.slot is slot]


def variable_file(order: Installation, *, began: str, paths: Paths) -> str:
    """Return the text of Packer's variable file."""
    job = order.job
    run = packer.Install(
        name=job.build.name,
        note=job.note(began),
        paths=paths,
        user=job.user,
        private_key=job.inside(job.private_key),
        iso_paths=tuple(order.stored(Slot.CDROM)),
        floppy=next(iter(order.stored(Slot.FLOPPY)), ""),
        finish_script=job.inside(order.finish_script),
        timeouts=job.timeouts,
    )
    return packer.variable_file(packer.variables(job.image, job.site, run))


def media(order: Installation) -> Iterator[preflight.Medium]:
    """Yield the media as they must lie on the site."""
    for one in order.attached:
        if one.slot is not Slot.SETTING:
            size = (order.job.folder / one.file).stat().st_size if one.file else None
            yield preflight.Medium(stored=one.stored, size=size, floppy=one.slot is Slot.FLOPPY)


def secrets(order: Installation) -> dict[str, str]:
    """Return the environment that the answers need where they are settings: they, and who empties them again."""
    job = order.job
    settings = {
        one.setting: (job.folder / one.file).read_text(encoding="utf-8")
        for one in order.attached
        if one.slot is Slot.SETTING
    }
    if not settings:
        return {}
    return {**packer.settings(settings), "GOVC_USERNAME": job.user, "GOVC_PASSWORD": job.password}


def forge(order: Installation, effects: Effects) -> Template:
    """Make the base template and return it, finished and marked; see :func:`goldsmith.forging.forge`."""
    job = order.job
    found: list[Paths] = []

    def check(vcenter: VCenter) -> Places:
        places = preflight.check(vcenter, job.site.placement, job.image.hardware, tuple(media(order)))
        naming.check(vcenter, places, job.site.placement.template_name)
        found.append(places.paths)
        return places

    recipe = Recipe(
        check=check,
        variables=lambda began: variable_file(order, began=began, paths=found[-1]),
        secrets=secrets(order),
    )
    return forging.forge(job, recipe, effects)
