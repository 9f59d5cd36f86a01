"""Measures the suite on a lab of its own, and prints a table and JSON."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from goldsmith.wiring import Session
from tests.bench import pairs, phase2, processes, replay
from tests.bench.figures import Figure, table
from tests.bench.pairs import Run
from tests.bench.processes import ROOT, Cost

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

INV = str(ROOT / "inv")
RESULT = ROOT / "build" / "bench.json"
FOREIGN = ("VSPHERE_", "GOLDSMITH_SITE", "GOLDSMITH_IMAGE", "AUTOMATION_USER_", "PYTHONDONTWRITEBYTECODE")
"""Variables that would change what is measured: another site, or modules compiled anew at each start."""
_QUICK = 5
_SPARE = 1.2
"""How much more space than the file itself an upload needs to be tried."""


def main() -> int:
    """Measure what was asked for; return the exit status."""
    asked = _arguments()
    figures: list[Figure] = []
    with _lab(port=asked.port) as environment:
        try:
            for measured in _measured(asked, environment):
                figures.append(measured)
                sys.stderr.write(f"{'  '.join(measured.row())}\n")
        finally:
            told = {"cores": os.cpu_count(), "figures": [figure.as_json() for figure in figures]}
            RESULT.parent.mkdir(exist_ok=True)
            RESULT.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(f"{table(figures)}\n\n{json.dumps(told, ensure_ascii=False)}\n")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--pairs", type=int, default=2, help="pairs of complete builds, the suite's and bare Packer's")
    parser.add_argument("--machines", type=int, default=10_000, help="machines in the vCenter for 'templates'; 0: none")
    parser.add_argument("--gigabytes", type=int, default=10, help="size of the sparse file to upload; 0 uploads none")
    parser.add_argument("--replay", type=int, default=3, help="size of the ISO to replay, in GB; 0 replays none")
    parser.add_argument("--port", type=int, default=28443, help="the first of the bench lab's ports")
    return parser.parse_args()


def _measured(asked: argparse.Namespace, environment: Mapping[str, str]) -> Iterator[Figure]:
    yield _quick("inv --list", 0.15, environment, "--list")
    yield _quick("lab-up when up", 1.0, environment, "lab-up")
    yield _quick("build-image when built", 1.0, environment, "build-image")
    if asked.pairs:
        bases = _Bases(environment)
        found = list(pairs.measured(asked.pairs, bases.suite, bases.bare))
        yield from (*pairs.figures("base", found), *bases.figures())
        yield _quick("packer-base, unchanged", 1.0, environment, "packer-base")
        yield from phase2.measured(environment, found, machines=asked.machines)
    if asked.replay:
        yield from replay.measured(asked.replay, pairs=max(asked.pairs, 2))
    if asked.gigabytes:
        yield from _uploaded(asked.gigabytes, environment)


def _quick(name: str, goal: float, environment: Mapping[str, str], *argv: str) -> Figure:
    processes.run(INV, *argv, environment=environment)  # compiles modules, fills the machine's caches
    costs = [processes.run(INV, *argv, environment=environment) for _ in range(_QUICK)]
    return _seconds(name, goal, costs)


def _seconds(name: str, goal: float, costs: Sequence[Cost]) -> Figure:
    return Figure(
        name=name, unit="s", goal=goal, values=tuple(cost.wall for cost in costs), cpu=tuple(cost.cpu for cost in costs)
    )


@dataclass
class _Bases:
    """Makes the base again and again."""

    environment: Mapping[str, str]
    suites: list[Cost] = field(default_factory=list)

    def suite(self) -> Run:
        """Make it through the suite."""
        self.suites.append(processes.run(INV, "packer-base", "--rebuild", environment=self.environment))
        cost = self.suites[-1]
        return pairs.told("suite", Run(cost.stage("base"), cost.packer))

    def bare(self) -> Run:
        """Run Packer alone with the variables of the suite's last build, on a medium of the suite's making."""
        from tests.bench.bare import Bare

        build_id = processes.run(INV, "iso-upload", environment=self.environment).out.strip()
        session = Session.here()
        effective = session.effective(site="lab", image="")
        finished = self.suites[-1].out.strip().rpartition("-base-")[2]
        variables = session.workspace.build(finished) / "packer" / "base.pkrvars.json"
        bare = Bare(session, effective, session.builds.load(build_id))
        try:
            cost = bare.run(variables, f"bench-{build_id}")
        finally:
            bare.forget()
        return pairs.told("bare", Run(cost.wall, cost.packer))

    def figures(self) -> Iterator[Figure]:
        """Return what the suite's runs cost besides Packer."""
        rest = tuple(cost.wall - cost.stage("base") for cost in self.suites)
        yield Figure(name="all else of packer-base", unit="s", goal=2.0, values=rest)
        composed = tuple(cost.stage("media") for cost in self.suites)
        yield Figure(name="compose, as stage", unit="s", goal=2.0, values=composed)
        peaks = tuple(cost.peak for cost in self.suites)
        yield Figure(name="peak memory of packer-base", unit="MB", goal=150, values=peaks)


def _uploaded(gigabytes: int, environment: Mapping[str, str]) -> Iterator[Figure]:
    size = gigabytes * 10**9
    folder = ROOT / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < size * _SPARE:
        sys.exit(f"the lab's datastore would need {size * _SPARE / 1e9:.0f} GB of space; --gigabytes 0 leaves this out")
    file = folder / "sparse.iso"
    try:
        with file.open("wb") as sparse:
            sparse.truncate(size)
        cost = processes.run(sys.executable, "-m", "tests.bench.upload", str(file), environment=environment)
    finally:
        shutil.rmtree(folder)
    yield Figure(name=f"peak memory, upload of {gigabytes} GB", unit="MB", goal=150, values=(cost.peak,))
    yield Figure(name=f"upload of {gigabytes} GB", unit="s", values=(cost.wall,), cpu=(cost.cpu,))


@contextlib.contextmanager
def _lab(*, port: int) -> Iterator[Mapping[str, str]]:
    """Yield the environment of an operator with a lab of the bench's own, which is gone afterwards."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        del os.environ[name]
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # nox sets it; operators' Pythons keep what they compile
    os.environ["GOLDSMITH_LAB"], os.environ["GOLDSMITH_LAB_PORT"] = f"goldsmith-bench-{os.getpid()}", str(port)
    try:
        processes.run(INV, "lab-up", environment=os.environ)
        yield os.environ
    finally:
        processes.run(INV, "lab-down", environment=os.environ)


if __name__ == "__main__":
    sys.exit(main())
