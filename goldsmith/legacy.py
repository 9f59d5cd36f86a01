"""The steps that only a build from a floppy has: kickseed reads its answers; the ISO gets other options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.errors import MissingObjectError
from goldsmith.stages import floppy, media, replay
from goldsmith.stages.answers import BUILD_KEY_COMMENT
from goldsmith.toolbox import vendor_iso
from goldsmith.toolbox.fetch import path as path_of
from goldsmith.tools import kickseed, netboot

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.config import Effective
    from goldsmith.spec import Image, Iso
    from goldsmith.stages.answers import Answers
    from goldsmith.tools.kickseed import Verdict
    from goldsmith.wiring import Session, SiteDoor

_INSTALLER = "13"
"""The pinned installer whose shell kickseed runs in: Debian's, for Ubuntu's own is not packaged there."""
_KICKSEED = "kickseed-common"
LOCKED = "!"
"""As a crypted password: there is none."""
_VENDOR = "/run/vendor"
"""Where the toolbox sees the folder of a vendor's ISO."""


def read_by_kickseed(session: Session, rendered: Answers, *, folder: Path, door: SiteDoor) -> Verdict:
    """Return what the real kickseed makes of the answers; it works in *folder*, which is gone afterwards.

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
    if locked_out(rendered, verdict):
        session.progress.note(
            "nobody will be able to log in to clones of this template: it has no password and no operator's key;\n"
            "  AUTOMATION_USER_CRYPTED_PASSWORD or GUEST_AUTHORIZED_KEYS (guests.authorized_keys) gives one"
        )
    return verdict


def locked_out(rendered: Answers, verdict: Verdict) -> bool:
    """Return whether only the build's own key, which is removed in the end, opens the account: no cloud-init here."""
    keys = rendered.files["files/authorized_keys"].splitlines()
    password = verdict.value("passwd/user-password-crypted") or LOCKED
    return password in {LOCKED, "*"} and all(key.split()[-1].startswith(BUILD_KEY_COMMENT) for key in keys)


def words(image: Image) -> tuple[str, ...]:
    """Return what the installer's kernel is told beside the vendor's own words."""
    # The language is asked before anything is read from a floppy, so the kernel's line answers it.
    return ("ks=floppy", "priority=critical", f"locale={image.localisation.locale}")


def boot_medium(session: Session, effective: Effective, iso: Iso, *, output: Path, door: SiteDoor) -> str:
    """Make the boot medium from the vendor's ISO, and return its sha256; many builds use the same."""
    if iso.path is not None:
        file = session.workspace.root / "config" / "images" / iso.path.expanduser()
    else:
        file = vendor_iso.fetch(iso.url, iso.sha256, workspace=session.workspace, progress=session.progress)
    if not file.is_file():
        raise MissingObjectError(
            "the vendor's ISO is not there",
            where=str(file),
            why=f"iso.path of the image {effective.image.name} names it",
            next="correct iso.path (relative to the image's file), or give iso.url",
        )
    replay.check(file, iso.sha256)
    request = replay.Request(
        source=file,
        seen_as=f"{_VENDOR}/{file.name}",
        words=words(effective.image),
        root=session.workspace.root,
        output=output,
        epoch=session.lock.source_date_epoch,
        log=output.parent.parent / "logs/media.log",
    )
    return replay.make(request, runner=session.runner, door=door.seeing(file.parent, _VENDOR))
