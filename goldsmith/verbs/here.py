"""What most verbs begin with: this run, and the image and the site that are meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.verbs import lab
from goldsmith.wiring import Session

if TYPE_CHECKING:
    from goldsmith.flow.run import Flow
    from goldsmith.verbs.flags import Request


def flow(request: Request) -> Flow:
    """Return the image and the site that are meant, in this run."""
    from goldsmith.flow.run import Flow

    session = Session.here()
    effective = session.effective(site=request.site, image=request.image)
    for note in effective.notes:
        session.progress.note(note)
    return Flow(on=session.on(effective))


def ready(planned: Flow, request: Request) -> Flow:
    """Return *planned* with its site up: the lab is started on demand, and then known by its state."""
    if not planned.on.site.is_lab:
        return planned
    from goldsmith.flow.run import Flow

    lab.on_demand(planned.session)
    effective = planned.session.effective(site=request.site, image=request.image)
    return Flow(on=planned.session.on(effective))
