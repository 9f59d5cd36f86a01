"""Phase 1: forges the base template, from a boot medium that installs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith import forging
from goldsmith.forging import Recipe
from goldsmith.tools import packer
from goldsmith.vcenter import naming, preflight
from goldsmith.vcenter.inventory import network_path

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.forging import Doors, Job
    from goldsmith.vcenter.door import VCenter
    from goldsmith.vcenter.inventory import Places
    from goldsmith.vcenter.templates import Template


@dataclass(frozen=True, kw_only=True)
class Request:
    """One build's phase 1."""

    job: Job
    medium: preflight.Medium
    finish_script: Path


def variable_file(request: Request, *, began: str) -> str:
    """Return the text of Packer's variable file; the same as ``render`` writes."""
    job = request.job
    run = packer.Install(
        name=job.build.name,
        note=job.note(began),
        network=network_path(job.site.placement),
        user=job.user,
        private_key=job.inside(job.private_key),
        iso_path=request.medium.path,
        floppy=request.medium.floppy,
        finish_script=job.inside(request.finish_script),
        timeouts=job.timeouts,
    )
    return packer.variable_file(packer.variables(job.image, job.site, run))


def forge(request: Request, doors: Doors) -> Template:
    """Make the base template and return it, finished and marked; see :func:`goldsmith.forging.forge`."""
    job = request.job

    def check(vcenter: VCenter) -> Places:
        places = preflight.check(vcenter, job.site.placement, job.image.hardware, request.medium)
        naming.check(vcenter, places, job.site.placement.template_name)
        return places

    recipe = Recipe(
        check=check,
        variables=lambda began: variable_file(request, began=began),
    )
    return forging.forge(job, recipe, doors)
