"""Measured values beside their goals, as a table and as JSON."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One thing that was measured, some times over."""

    name: str
    unit: str
    values: tuple[float, ...]
    goal: float | None = None
    """The most it should be, if there is such a thing; shown, never asserted: this may be a busy machine."""
    cpu: tuple[float, ...] = ()
    """Seconds of processor time of the same runs, which other work on the machine disturbs less."""
    load: float = field(default_factory=lambda: round(os.getloadavg()[0], 1))
    """Load average when it was measured."""

    @property
    def least(self) -> float:
        """The least value: what is left when nobody disturbs."""
        return min(self.values)

    @property
    def verdict(self) -> str:
        """Whether the least value reaches the goal."""
        return "" if self.goal is None else "ok" if self.least <= self.goal else "over"

    def row(self) -> tuple[str, ...]:
        """Return the cells of the table."""
        numbers = (f"{value:.2f}" for value in (self.least, median(self.values)))
        cpu = f"{min(self.cpu):.2f}" if self.cpu else ""
        goal = f"<= {self.goal:g} {self.unit}".rstrip() if self.goal is not None else ""
        return (self.name, *numbers, cpu, goal, self.verdict, f"{self.load:.1f}", str(len(self.values)))

    def as_json(self) -> dict[str, Any]:
        """Return everything for machines."""
        return {
            "name": self.name,
            "unit": self.unit,
            "values": [round(value, 3) for value in self.values],
            "cpu_seconds": [round(value, 3) for value in self.cpu],
            "min": round(self.least, 3),
            "median": round(median(self.values), 3),
            "goal": self.goal,
            "verdict": self.verdict,
            "load": self.load,
        }


HEADINGS = ("figure", "min", "median", "cpu s", "goal", "", "load", "runs")


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as lines of text."""
    rows = [HEADINGS, *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
