"""What an operator wants of a build."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.plan import Stage

if TYPE_CHECKING:
    from datetime import timedelta

PHASES: dict[str, tuple[Stage, ...]] = {
    "base": (Stage.ANSWERS, Stage.MEDIA, Stage.UPLOAD, Stage.BASE),
    "docker": (Stage.DOCKER,),
}
"""The stages of each phase; each phase is a build of its own, with an id, a key and a folder."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What the operator wants of a build."""

    until: Stage = Stage.BASE
    """The last stage to run; a piece that ends earlier leaves its build open."""
    build: str = ""
    rebuild: bool = False
    max_age: timedelta | None = None
    keep_failed: bool = False
    wait: bool = True
    full: bool = False
    """Whether phase 2 makes a full clone."""

    @property
    def phases(self) -> tuple[str, ...]:
        """The phases that lead to the last stage, in order."""
        names = tuple(PHASES)
        return names[: next(at for at, name in enumerate(names, start=1) if self.until in PHASES[name])]
