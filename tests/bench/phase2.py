"""What the suite costs in phase 2: beyond Packer, beyond booting, with nothing to do, and among many machines."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.host.workspace import SECRET_MODE, write_if_changed
from goldsmith.stages import docker
from goldsmith.tools import packer, sshkey
from goldsmith.wiring import Session
from tests.bench import bare, pairs, processes
from tests.bench.figures import Figure
from tests.bench.pairs import Run
from tests.bench.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.bench.pairs import Pair
    from tests.bench.processes import Cost

INV = str(ROOT / "inv")
_TIMES = 3


def measured(environment: Mapping[str, str], base: Sequence[Pair], *, machines: int) -> Iterator[Figure]:
    """Measure phase 2 on the lab, whose base is forged; *base* are the pairs of phase 1, of which it makes as many."""
    hosts = Hosts(environment)
    # Not counted: the first clone of a template pays for what all later ones use.
    hosts.suite()
    found = list(pairs.measured(len(base), hosts.suite, hosts.bare))
    yield from pairs.figures("docker", found)
    yield pairs.both(base, found)
    yield _verification(hosts.name, environment)
    yield from _nothing_to_do(environment)
    if machines:
        processes.run(sys.executable, "-m", "tests.bench.many", str(machines), environment=environment)
        yield _repeated(f"templates, {machines} machines", 2.0, environment, "templates")


@dataclass
class Hosts:
    """Makes the Docker host again and again on the same base."""

    environment: Mapping[str, str]
    name: str = ""
    """The last one that the suite made."""

    def suite(self) -> Run:
        """Make it through the suite, which makes none as long as there is one."""
        if self.name:
            session = Session.here()
            effective = session.effective(site="lab", image="")
            bare.destroy(session, effective, self.name)
        cost = processes.run(INV, "packer-docker", environment=self.environment)
        self.name = cost.out.strip()
        return pairs.told("suite", Run(cost.stage("docker"), cost.packer))

    def bare(self) -> Run:
        """Make it by Packer alone, and remove it."""
        cost = _bare(self.name)
        return pairs.told("bare", Run(cost.wall, cost.packer))


def _repeated(name: str, goal: float, environment: Mapping[str, str], *argv: str) -> Figure:
    processes.run(INV, *argv, environment=environment)
    costs = [processes.run(INV, *argv, environment=environment) for _ in range(_TIMES)]
    return Figure(
        name=name, unit="s", goal=goal, values=tuple(cost.wall for cost in costs), cpu=tuple(cost.cpu for cost in costs)
    )


def _verification(name: str, environment: Mapping[str, str]) -> Figure:
    """Measure all of ``verify`` but the time in which the clones boot: checks, removal, marks and the record."""
    beyond = []
    for _ in range(_TIMES):
        cost = processes.run(INV, "verify", "--template", name, "--json", environment=environment)
        beyond.append(cost.stage("verify") - json.loads(cost.out)["seconds"]["boot"])
    return Figure(name="verify beyond booting", unit="s", goal=3.0, values=tuple(beyond))


def _nothing_to_do(environment: Mapping[str, str]) -> Iterator[Figure]:
    from goldsmith.lab import admin, state

    session = Session.here()
    known = state.read(session.workspace.cache / "lab" / session.lab_name)
    assert known is not None
    behind = admin.Admin.of(known)
    before = len(behind.mutations())
    yield _repeated("build, unchanged", 0.4, environment, "build")
    calls = len(behind.mutations()) - before
    yield Figure(name="mutating calls of unchanged builds", unit="", goal=0, values=(calls,))


def _bare(name: str) -> Cost:
    """Run Packer alone with the variables of the suite's build, a key of its own, and the same playbooks."""
    session = Session.here()
    effective = session.effective(site="lab", image="")
    build = name[-24:]
    folder = session.workspace.build(build)
    values = json.loads((folder / "packer" / "docker.pkrvars.json").read_text(encoding="utf-8"))
    pair, key = sshkey.generate("bench"), folder / "keys" / "bench"
    key.parent.mkdir(mode=0o700)
    write_if_changed(key, pair.private, mode=SECRET_MODE)
    values |= {
        "vm_name": f"bench-{build}",
        "ssh_private_key_file": key.relative_to(ROOT).as_posix(),
        "guestinfo": docker.guestinfo(pair.public, f"bench-{build}"),
        "results": (folder / "bench").relative_to(ROOT).as_posix(),
    }
    file = folder / "packer" / "bare.pkrvars.json"
    file.write_text(packer.variable_file(values), encoding="utf-8")
    credentials = session.credentials(effective)
    govc = {"GOVC_USERNAME": credentials.user, "GOVC_PASSWORD": credentials.password.get_secret_value()}
    try:
        return bare.packer_alone(
            session, effective, file, build=build, phase="docker", name=str(values["vm_name"]), secrets=govc
        )
    finally:
        key.unlink()
        key.parent.rmdir()
