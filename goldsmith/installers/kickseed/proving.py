"""Lets the real kickseed read a rendered ``ks.cfg``, in the installer's own shell, before a medium is made of it."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.host.workspace import SECRET_MODE, write_if_changed
from goldsmith.installers.answers import BUILD_KEY_COMMENT
from goldsmith.installers.kickseed import parser
from goldsmith.media import composed
from goldsmith.toolbox import deb
from goldsmith.toolbox.fetch import path as path_of
from goldsmith.tools import netboot

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.host.runner import Runner
    from goldsmith.installers.answers import Answers
    from goldsmith.installers.kickseed.parser import Reading
    from goldsmith.media.workbench import Workbench
    from goldsmith.tools.door import Door


_INSTALLER = "13"
"""The pinned installer whose shell kickseed runs in: Debian's, for Ubuntu's own is not packaged there."""
_KICKSEED = "kickseed-common"
_NO_PASSWORD = ("!", "*")
"""As a crypted password: nothing that is typed fits it."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where kickseed and the shell it runs in come from."""

    initrd: Path
    """The installer's, compressed."""
    udeb: Path
    """The package kickseed-common."""


def read(text: str, sources: Sources, *, folder: Path, root: Path, runner: Runner, door: Door) -> Reading:
    """Return what the real kickseed makes of a ``ks.cfg``; *folder* is used for it and removed afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
    try:
        initrd = gzip.decompress(sources.initrd.read_bytes())
        write_if_changed(folder / "busybox", parser.from_initrd(initrd, parser.BUSYBOX), mode=0o700)
        for entry, data in deb.members(sources.udeb):
            if entry.isreg() and entry.name.startswith(parser.LIBRARY):
                write_if_changed(folder / entry.name.removeprefix(parser.LIBRARY), data)
        write_if_changed(folder / parser.ANSWER_FILE, text, mode=SECRET_MODE)
        done = runner.run(parser.parse(door, folder.relative_to(root).as_posix()))
        return parser.verdict(done.stdout)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def prove(rendered: Answers, work: Workbench) -> Reading:
    """Return what the real kickseed makes of the answers, and warn where nobody could log in to a clone.

    Raises ``CheckError`` with everything that it does not know or ignores.
    """
    [row] = [row for row in work.lock.sections.media.udebs if row.name == _KICKSEED]
    work.fetch([row])
    vendor = composed.vendor(work.lock, release=_INSTALLER, workspace=work.workspace, fetch=work.fetch)
    verdict = read(
        rendered.files[parser.ANSWER_FILE],
        Sources(initrd=vendor / netboot.INITRD, udeb=path_of(work.workspace, row)),
        folder=work.folder / "answers/.kickseed",
        root=work.root,
        runner=work.runner,
        door=work.door,
    )
    parser.judge(verdict)
    work.progress.note(f"kickseed understands every directive: {len(verdict.answers)} answers")
    if locked_out(rendered, verdict):
        work.progress.note(
            "nobody will be able to log in to clones of this template: it has no password and no operator's key;\n"
            "  AUTOMATION_USER_CRYPTED_PASSWORD or GUEST_AUTHORIZED_KEYS (guests.authorized_keys) gives one"
        )
    return verdict


def locked_out(rendered: Answers, verdict: Reading) -> bool:
    """Return whether only the build's own key, which is removed in the end, opens the account: no cloud-init here."""
    keys = rendered.files["files/authorized_keys"].splitlines()
    password = verdict.value("passwd/user-password-crypted") or _NO_PASSWORD[0]
    return password in _NO_PASSWORD and all(key.split()[-1].startswith(BUILD_KEY_COMMENT) for key in keys)
