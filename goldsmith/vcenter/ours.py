"""What may be deleted: the one place that decides, by everything that is known of a thing and not by a part of it.

Each function returns whose work left a thing behind, or nothing when anything at all about it is not as this suite
makes it. That nobody works on it any more, and that it is still so at the last moment, ``clean`` sees to.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from goldsmith.vcenter import marks, notes
from goldsmith.work import ID_PATTERN, Work, named

if TYPE_CHECKING:
    from goldsmith.vcenter.api import StoredFile
    from goldsmith.vcenter.inventory import Machine, Node

_ID = rf"(?P<build>{ID_PATTERN.pattern})"
_MEDIUM = re.compile(rf"goldsmith-{_ID}(?:\.iso|\.flp|-[0-9a-f]{{6}}\.part)", re.ASCII)
_RECORD = re.compile(rf"(?P<name>[a-z0-9.-]+-{_ID})\.tar\.gz", re.ASCII)
_CLONE = re.compile(rf".+-clone-[12]-{ID_PATTERN.pattern}", re.ASCII)
"""What the clones of a verification are called."""


def unfinished(machine: Machine, folder: Node) -> Work | None:
    """Return whose unfinished machine this is, if it certainly is one.

    It lies directly in the site's *folder*; its whole note is what this suite writes, and was written for a machine
    of its name; its whole name is one that this suite gives; and nothing says that it was ever finished.
    """
    claim = notes.claim(machine)
    if claim is None or machine.folder != folder.ref:
        return None
    if claim.name not in ("", machine.name) or not named(machine.name, id=claim.work.id):
        return None
    if _CLONE.fullmatch(machine.name) and (claim.work.run or not claim.name):
        # A verification makes no templates. Versions before 2026.12 named the build where the run stands now.
        whose = claim.work if claim.work.run else Work(claim.work.build, claim.work.build)
        return None if machine.is_template or marks.owned(machine) else whose
    return None if claim.work.run or _finished(machine, claim.work) else claim.work


def _finished(machine: Machine, work: Work) -> bool:
    """Return whether a machine was finished, whatever became of it since: restored from a backup, for one.

    What it inherited from its base does not count: that names the base's build.
    """
    if marks.owned(machine):
        return True
    own = marks.said(machine, "build") == work.build
    return own and bool(marks.said(machine, "instance") or marks.said(machine, "status") not in ("", marks.CANDIDATE))


def medium(file: StoredFile, folder: PurePosixPath) -> Work | None:
    """Return which build's medium this is, or the part of an upload; media that many builds use are nobody's."""
    path = PurePosixPath(file.path)
    found = _MEDIUM.fullmatch(path.name) if path.parent == folder else None
    return Work(found["build"]) if found else None


def record(file: StoredFile, folder: PurePosixPath) -> tuple[Work, str] | None:
    """Return which build's record this is, and its template's name when it was written."""
    path = PurePosixPath(file.path)
    found = _RECORD.fullmatch(path.name) if path.parent == folder else None
    if found is None or not named(found["name"], id=found["build"]):
        return None
    return Work(found["build"]), found["name"]
