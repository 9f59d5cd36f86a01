"""The steps that only a build from a floppy has: kickseed reads its answers; the ISO gets other options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.stages import floppy, media
from goldsmith.toolbox.fetch import path as path_of
from goldsmith.tools import kickseed, netboot

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.stages.answers import Answers
    from goldsmith.wiring import Session, SiteDoor

_INSTALLER = "13"
"""The pinned installer whose shell kickseed runs in: Debian's, for Ubuntu's own is not packaged there."""
_KICKSEED = "kickseed-common"


def read_by_kickseed(session: Session, rendered: Answers, *, folder: Path, door: SiteDoor) -> None:
    """Let the real kickseed read the answers; it works in *folder*, which is gone afterwards.

    Raises ``CheckError`` with everything that it does not know or ignores.
    """
    [row] = [row for row in session.lock.sections.media.udebs if row.name == _KICKSEED]
    session.fetch([row])
    vendor = media.vendor(session.lock, release=_INSTALLER, workspace=session.workspace, fetch=session.fetch)
    verdict = floppy.read(
        rendered.files[kickseed.ANSWER_FILE],
        floppy.Parser(initrd=vendor / netboot.INITRD, udeb=path_of(session.workspace, row)),
        folder=folder,
        root=session.workspace.root,
        runner=session.runner,
        door=door,
    )
    kickseed.judge(verdict)
    session.progress.note(f"kickseed understands every directive: {len(verdict.answers)} answers")
