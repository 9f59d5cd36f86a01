"""The checks' results as people compare them: one line for each check, with the clones side by side."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from goldsmith.records.record import CheckResult

OUTCOMES = ("failed", "skipped", "passed")
"""The worst comes first."""
_GROUPS = {
    "guest": "The guest",
    "docker": "Docker",
    "hygiene": "Nothing of the build is left",
    "clones": "Two clones are two machines",
}
"""What the modules of checks are about; an operator's own go by their name."""
_BOTH = 2
_CLONE = re.compile(r"(?P<clone>clone-\d+)(?:-(?P<about>.*))?", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One check, of each clone or of all of them together."""

    group: str
    title: str
    says: str
    about: str
    """Which of several things it was made for, such as a unit."""
    cells: dict[str, CheckResult]
    """The results by clone; under an empty name what holds of all together."""

    @property
    def worst(self) -> str:
        """The outcome that counts for the whole line."""
        return min((cell.outcome for cell in self.cells.values()), key=OUTCOMES.index)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A check that did not pass, why, and where."""

    row: Row
    outcome: str
    where: str
    reason: str


def rows(checks: Iterable[CheckResult]) -> Sequence[Row]:
    """Return one row for each check, in the order they first ran; its name says which clone it ran on."""
    found: list[Row] = []
    for check in checks:
        group, title, of = _apart(check.name)
        clone, about = (on["clone"], on["about"] or "") if (on := _CLONE.fullmatch(of)) else ("", of)
        # Two modules of an operator may have one name: neither's result takes the other's place.
        same = (row for row in found if (row.group, row.title, row.about) == (group, title, about))
        row = next((row for row in same if clone not in row.cells), None)
        if row is None:
            row = Row(group=group, title=title, says=check.says or title, about=about, cells={})
            found.append(row)
        row.cells[clone] = check
    return found


def _apart(name: str) -> tuple[str, str, str]:
    """Return the module of a check, what it is called, and what it was run with: ``guest: a service (clone-1-ssh)``."""
    group, colon, rest = name.partition(": ")
    title, _, of = (rest if colon else name).partition(" (")
    return (group if colon else ""), title, of.removesuffix(")")


def clones(found: Iterable[Row]) -> Sequence[str]:
    """Return the clones that were looked at."""
    return sorted({clone for row in found for clone in row.cells if clone})


def grouped(found: Iterable[Row]) -> Mapping[str, Sequence[Row]]:
    """Return the rows by what they are about."""
    groups: dict[str, list[Row]] = {}
    for row in found:
        groups.setdefault(_GROUPS.get(row.group, row.group or "Checks of your own"), []).append(row)
    return groups


def findings(found: Sequence[Row]) -> Iterator[Finding]:
    """Yield what failed, then what was skipped; what both clones say alike comes once, in the words of the first."""
    for outcome in ("failed", "skipped"):
        for row in found:
            alike: dict[str, dict[str, str]] = {}
            for clone, cell in row.cells.items():
                if cell.outcome == outcome:
                    # An assertion names the clone it was made on.
                    alike.setdefault(cell.reason.replace(clone, "") if clone else cell.reason, {})[clone] = cell.reason
            for reasons in alike.values():
                where = ", ".join(reasons) if len(reasons) < _BOTH else "both clones"
                yield Finding(row=row, outcome=outcome, where=where, reason=next(iter(reasons.values())))
