"""The verbs about a site: its effective configuration, and whether it has what a build needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.verbs import here, output
from goldsmith.wiring import Session

if TYPE_CHECKING:
    from goldsmith.verbs.flags import Request


def config(request: Request) -> None:
    """Print the effective configuration and its sources."""
    from goldsmith.config import as_json, describe

    session = Session.here()
    effective = session.effective(site=request.site, image=request.image)
    if request.json:
        output.json(as_json(effective, session.workspace.root))
    else:
        output.table(("key", "value", "from"), describe(effective, session.workspace.root))


def preflight(request: Request) -> None:
    """Check that the site has what a build needs."""
    from goldsmith.vcenter import preflight as check

    flow = here.ready(here.flow(request), request)
    site = flow.on.site
    with flow.on.connect() as vcenter:
        check.check(vcenter, flow.on.finder.placement, flow.on.image.hardware)
    flow.session.progress.note(f"{site.name} ({site.server}) has everything a build needs")
