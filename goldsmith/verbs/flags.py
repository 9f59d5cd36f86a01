"""What an operator asks for: the flags of the verbs, read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.errors import ConfigurationError
from goldsmith.plan import Stage, parse_age

if TYPE_CHECKING:
    from datetime import timedelta

    from goldsmith.flow.order import Order


@dataclass(frozen=True, kw_only=True)
class Request:
    """The flags of a verb; each verb reads those it has."""

    image: str = ""
    site: str = ""
    build: str = ""
    rebuild: bool = False
    max_age: str = ""
    keep_failed: bool = False
    no_wait: bool = False
    dry_run: bool = False
    json: bool = False
    full: bool = False
    identity: bool = False
    phase: str = ""
    newest: bool = False
    everywhere: bool = False
    file: str = ""
    template: str = ""
    checks: tuple[str, ...] = ()
    vcenters: str = "1"

    def age(self) -> timedelta | None:
        """Return ``--max-age`` as a span. Raises ``ConfigurationError`` when it cannot be read."""
        try:
            return parse_age(self.max_age) if self.max_age else None
        except ValueError as error:
            raise ConfigurationError(
                "--max-age cannot be read", where=f"--max-age {self.max_age}", why=str(error), next="for example: 7d"
            ) from None

    def order(self, until: Stage = Stage.BASE) -> Order:
        """Return what is wanted of a build."""
        from goldsmith.flow.order import Order

        return Order(
            until=until,
            build=self.build,
            rebuild=self.rebuild,
            max_age=self.age(),
            keep_failed=self.keep_failed,
            wait=not self.no_wait,
            full=self.full,
        )

    def vcenter_count(self) -> int:
        """Return ``--vcenters``. Raises ``ConfigurationError`` when it is not a number."""
        if self.vcenters.isascii() and self.vcenters.isdigit():
            return int(self.vcenters)
        raise ConfigurationError(
            "--vcenters must be a number",
            where=f"--vcenters {self.vcenters}",
            why="it says how many simulated vCenters to run",
            next="for example: 2",
        )

    def known_phase(self) -> str:
        """Return ``--phase``, empty when it is not given. Raises ``ConfigurationError`` for an unknown one."""
        from goldsmith.flow.order import PHASES

        if self.phase and self.phase not in PHASES:
            raise ConfigurationError(
                f"there is no phase {self.phase}",
                where=f"--phase {self.phase}",
                why=f"allowed: {', '.join(PHASES)}",
                next="correct it, or leave it out",
            )
        return self.phase
