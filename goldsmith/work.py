"""Who works on something: the names that say so, and whether they still do."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from goldsmith.errors import RefusedError
from goldsmith.host.files import FileError
from goldsmith.host.workspace import holding
from goldsmith.model.values import SLUG

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ID_PATTERN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
"""The id of a build, and of a run of a verification."""
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"

_CI = (("CI_COMMIT_BRANCH", "CI_PIPELINE_ID"), ("GITHUB_REF_NAME", "GITHUB_RUN_ID"))
_LABEL_LENGTH = 24
"""Of a branch's name, so that the pipeline's id beside it is never cut off."""


@dataclass(frozen=True)
class Work:
    """A build, or a run that verifies what a build made."""

    build: str
    run: str = ""
    """Of a verification: its own id, which two at once do not share."""

    @property
    def id(self) -> str:
        """What the names of machines end with."""
        return self.run or self.build

    def lock(self, folder: Path) -> Path:
        """Return the lock in the build's own *folder*: who sees the build sees that somebody works on it.

        That of a run stays until it is forgotten, and says that the run was here.
        """
        return folder / (f"verify/{self.run}.lock" if self.run else ".lock")

    def __str__(self) -> str:
        return f"run {self.run} (verifies build {self.build})" if self.run else f"build {self.build}"


class Life(StrEnum):
    """Whether somebody still works on it, as far as this machine can tell."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"
    """This machine does not know it."""


def life(work: Work, folder: Path, *, known: bool) -> Life:
    """Return whether a process on this machine works on it at this moment; *known* says that the build is one here."""
    path = work.lock(folder)
    there = os.path.lexists(path)
    over = Life.DEAD if (there if work.run else known) else Life.UNKNOWN
    if not there:
        return over
    try:
        with holding(path, what=str(work), wait=False):
            return over
    except (RefusedError, FileError):  # held; or something that no run has put there, so that nobody can tell
        return Life.ALIVE


def named(name: str, *, id: str, image: str = "", phase: str = "") -> bool:  # noqa: A002 - the part's name
    """Return whether *name* is, as a whole, one that this suite gives: ``<image>-<phase>[-label]-<id>``.

    Where *image* and *phase* are given, they must be these.
    """
    begin = re.escape(image) if image else SLUG
    middle = re.escape(phase) if phase else "(?:base|docker)"
    return re.fullmatch(rf"{begin}-{middle}(?:-{_LABEL})?-{re.escape(id)}", name) is not None


def label(environment: Mapping[str, str]) -> str:
    """Return branch and pipeline id as GitLab or GitHub tell them, in letters that any name may have; else nothing."""
    for branch, pipeline in _CI:
        words = (environment.get(branch, "")[:_LABEL_LENGTH], environment.get(pipeline, ""))
        found = [plain for word in words if (plain := re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-"))]
        if found:
            return "-".join(found)
    return ""
