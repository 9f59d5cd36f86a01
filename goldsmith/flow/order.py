"""What an operator wants of a build, and how long it may wait."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.errors import ConfigurationError
from goldsmith.plan import Stage
from goldsmith.tools.packer import Timeouts

if TYPE_CHECKING:
    from collections.abc import Mapping
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


_WAITING = {
    "ip_wait": "GOLDSMITH_IP_WAIT_TIMEOUT",
    "ip_settle": "GOLDSMITH_IP_SETTLE_TIMEOUT",
    "ssh": "GOLDSMITH_SSH_TIMEOUT",
    "shutdown": "GOLDSMITH_SHUTDOWN_TIMEOUT",
}


def timeouts(environment: Mapping[str, str], *, lab: bool) -> Timeouts:
    """Return how long Packer waits; the lab, where an installation takes a minute, gives up sooner.

    Raises ``ConfigurationError`` for a time that Packer could not read.
    """
    usual = {"ip_wait": "10m", "ssh": "5m"} if lab else {}
    named = {field: environment[name] for field, name in _WAITING.items() if environment.get(name)}
    try:
        return Timeouts(**(usual | named))
    except ValueError as error:
        raise ConfigurationError(
            "a time-out cannot be read",
            where=", ".join(_WAITING[field] for field in named),
            why=str(error),
            next="write it as 90s, 60m or 1h30m, or unset it",
        ) from None
