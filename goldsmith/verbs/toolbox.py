"""The verbs about the toolbox: its image, a shell in it, and its lock."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from goldsmith.host.runner import interact
from goldsmith.wiring import Session

if TYPE_CHECKING:
    from goldsmith.verbs.flags import Request


def build_image(request: Request) -> None:
    """Build the toolbox image."""
    session = Session.here()
    if request.dry_run:
        built = session.toolbox_built()
        session.progress.note(f"nothing to do: {built} is built" if built else "would build the toolbox image")
        return
    sys.stdout.write(session.builder.ensure("toolbox") + "\n")


def shell(_request: Request) -> None:
    """Open a shell in the toolbox."""
    session = Session.here()
    toolbox = session.toolbox().toolbox
    status = interact(toolbox.command(("bash",), interactive=True), session.redact)
    if status:
        session.progress.note(f"the shell ended with status {status}")


def lock(request: Request) -> None:
    """Write the lock again, and record what the images made from it must be."""
    from goldsmith.toolbox import images, relock

    session = Session.here()
    if request.dry_run:
        resolves = "" if request.identity else "resolve docker/wanted.toml again, "
        session.progress.note(f"would {resolves}build the images and write docker/lock.json")
        return
    if not request.identity:
        relock.relock(
            workspace=session.workspace,
            mirrors=session.mirrors,
            runner=session.runner,
            progress=session.progress,
            now=session.now(),
        )
    for image in images.ALL:
        if image.reproducible:
            session.builder.record(image.name)
