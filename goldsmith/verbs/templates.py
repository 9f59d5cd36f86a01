"""The verbs about templates: list them, and verify one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.verbs import here, output

if TYPE_CHECKING:
    from goldsmith.verbs.flags import Request


def verify(request: Request) -> None:
    """Boot two clones of a template, check and compare them, and mark the template."""
    from goldsmith.templates import choosing, verification

    phase = request.known_phase()
    flow = here.ready(here.flow(request), request)
    chosen = choosing.choose(flow.on, name=request.template, phase=phase)
    if request.dry_run:
        flow.session.progress.note(f"would boot two clones of {chosen.name}, check and destroy them")
        return
    verdict = verification.check(flow.on, chosen, keep_failed=request.keep_failed, own=request.checks)
    output.verdict(verdict, as_json=request.json)


def templates(request: Request) -> None:
    """List the templates of the site, or print the name of the newest verified one and nothing else."""
    from goldsmith.templates import choosing

    phase = request.known_phase()
    flow = here.ready(here.flow(request), request)
    with flow.on.connect() as vcenter:
        holdings = flow.on.finder.holdings(vcenter, everywhere=request.everywhere)
    if request.newest:
        output.lines(choosing.newest_verified(holdings, image=flow.image, phase=phase, site=flow.site))
        return
    rows = output.templates(holdings, image=request.image, phase=phase, everywhere=request.everywhere)
    if request.json:
        output.json(rows)
    else:
        output.templates_table(rows, everywhere=request.everywhere)
