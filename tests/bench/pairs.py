"""Packer through the suite beside Packer alone: the same files, the same lab, one after the other."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

GOAL = 1.05


@dataclass(frozen=True)
class Run:
    """One run of Packer."""

    wall: float
    """Seconds until everything around it had ended, too."""
    own: float
    """Of these, what Packer itself says that its build took."""


@dataclass(frozen=True)
class Pair:
    """A Packer stage through the suite, and ``packer build`` alone."""

    suite: Run
    bare: Run

    @property
    def ratio(self) -> float:
        """How many times as long the suite took."""
        return self.suite.wall / self.bare.wall

    @property
    def alike(self) -> float:
        """The same, had the guest needed the same time in both: it varies by more than what is looked for."""
        return (self.suite.wall - self.suite.own + self.bare.own) / self.bare.wall


def told(what: str, run: Run) -> Run:
    """Say how long a run took, as soon as it has ended."""
    sys.stderr.write(f"{what}: {run.wall:.1f} s, of these Packer {run.own:.1f} s\n")
    return run


def measured(count: int, suite: Callable[[], Run], bare: Callable[[], Run]) -> Iterator[Pair]:
    """Yield *count* pairs in the order suite, bare, bare, suite, ...: what grows over time counts for both."""
    for number in range(count):
        if number % 2 == 0:
            first = suite()
            yield Pair(first, bare())
        else:
            alone = bare()
            yield Pair(suite(), alone)


def figures(stage: str, pairs: Sequence[Pair]) -> Iterator[Figure]:
    """Return the ratios of one stage's pairs."""
    name = f"stage {stage} / bare packer build"
    yield Figure(name=name, unit="", goal=GOAL, values=tuple(pair.ratio for pair in pairs))
    yield Figure(name=f"{name}, alike", unit="", goal=GOAL, values=tuple(pair.alike for pair in pairs))
    yield Figure(name=f"bare packer build, {stage}", unit="s", values=tuple(pair.bare.wall for pair in pairs))


def both(base: Sequence[Pair], docker: Sequence[Pair]) -> Figure:
    """Return the ratio of whole builds: both stages by two runs of Packer alone, each the least of its kind."""
    suite = sum(min(pair.suite.wall for pair in pairs) for pairs in (base, docker))
    bare = sum(min(pair.bare.wall for pair in pairs) for pairs in (base, docker))
    return Figure(name="both Packer stages / two bare runs", unit="", goal=GOAL, values=(suite / bare,))
