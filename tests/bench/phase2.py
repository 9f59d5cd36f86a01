"""What the suite costs in phase 2: beyond Packer, beyond booting, with nothing to do, and among many machines."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.stages import docker
from goldsmith.tools import packer, sshkey
from goldsmith.workspace import SECRET_MODE, write_if_changed
from tests.bench import processes
from tests.bench.figures import Figure
from tests.bench.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from goldsmith.config import Effective
    from goldsmith.wiring import Session
    from tests.bench.processes import Cost

INV = str(ROOT / "inv")
_TIMES = 3


@dataclass(frozen=True)
class Pair:
    """A Packer stage through the suite, and Packer alone with the same files."""

    suite: float
    """Seconds."""
    bare: float


def measured(environment: Mapping[str, str], base: Pair, *, machines: int) -> Iterator[Figure]:
    """Measure phase 2 on the lab, whose base is forged; *base* is the best pair of phase 1."""
    made = processes.run(INV, "packer-docker", environment=environment)
    name = made.out.strip()
    host = Pair(made.stage("docker"), _bare(name, environment).wall)
    both = (base.suite + host.suite) / (base.bare + host.bare)
    yield Figure(name="docker stage / bare packer build", unit="", goal=1.05, values=(host.suite / host.bare,))
    yield Figure(name="both Packer stages / two bare runs", unit="", goal=1.05, values=(both,))
    yield _verification(name, environment)
    yield from _nothing_to_do(environment)
    if machines:
        processes.run(sys.executable, "-m", "tests.bench.many", str(machines), environment=environment)
        yield _repeated(f"templates, {machines} machines", 2.0, environment, "templates")


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
    from goldsmith.wiring import Session

    session = Session.here()
    known = state.read(session.workspace.cache / "lab" / session.lab_name)
    assert known is not None
    behind = admin.Admin.of(known)
    before = len(behind.mutations())
    yield _repeated("build, unchanged", 1.0, environment, "build")
    calls = len(behind.mutations()) - before
    yield Figure(name="mutating calls of unchanged builds", unit="", goal=0, values=(calls,))


def _bare(name: str, environment: Mapping[str, str]) -> Cost:
    """Run Packer alone with the variables of the suite's build, a key of its own, and the same playbooks."""
    from goldsmith.wiring import Session

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
    try:
        return _packer(session, effective, file.relative_to(ROOT).as_posix(), str(values["vm_name"]))
    finally:
        key.unlink()
        key.parent.rmdir()


def _packer(session: Session, effective: Effective, file: str, name: str) -> Cost:
    credentials = session.credentials(effective)
    password = credentials.password.get_secret_value()
    command = session.toolbox(effective.site, build=name[-24:]).command(
        ("packer", "build", "-color=false", "-only=docker.*", f"-var-file={file}", packer.TEMPLATES),
        env=packer.ENVIRONMENT,
        secrets={packer.PASSWORD_VARIABLE: password, "GOVC_USERNAME": credentials.user, "GOVC_PASSWORD": password},
    )
    environment = {**session.environment, **command.env}
    cost = processes.run(*command.argv, environment=environment, stdin=command.stdin or b"")
    with session.connect(effective.site, credentials) as vcenter:
        for machine in vcenter.machines():
            if machine.name == name:
                vcenter.destroy(machine)
    return cost
