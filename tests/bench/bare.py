"""Packer alone: the command line that somebody without the suite would type, on what a build left."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from goldsmith.builds import Status
from goldsmith.flow.steps import Steps
from goldsmith.tools import packer
from goldsmith.tools.door import NOTHING
from tests.bench import processes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from goldsmith.builds import Build
    from goldsmith.config import Effective
    from goldsmith.wiring import Session
    from tests.bench.processes import Cost


def packer_alone(
    session: Session,
    effective: Effective,
    file: Path,
    *,
    build: str,
    phase: str,
    name: str,
    secrets: Mapping[str, str] = NOTHING,
) -> Cost:
    """Run ``packer build`` of one phase with the variable *file*, and remove the template *name* that it makes."""
    password = session.credentials(effective).password.get_secret_value()
    variables = f"-var-file={file.relative_to(session.workspace.root)}"
    command = session.toolbox(effective.site, build=build).command(
        ("packer", "build", "-color=false", f"-only={phase}.*", variables, packer.TEMPLATES),
        env=packer.ENVIRONMENT,
        secrets={packer.PASSWORD_VARIABLE: password, **secrets},
    )
    environment = {**session.environment, **command.env}
    cost = processes.run(*command.argv, environment=environment, stdin=command.stdin or b"")
    destroy(session, effective, name)
    return cost


def destroy(session: Session, effective: Effective, name: str) -> None:
    """Remove the machine or template *name*."""
    with session.connect(effective.site, session.credentials(effective)) as vcenter:
        for machine in vcenter.machines():
            if machine.name == name:
                vcenter.destroy(machine)


@dataclass(frozen=True)
class Bare:
    """Runs Packer on the medium and with the key of an open build, and with the other variables of the suite's own."""

    session: Session
    effective: Effective
    build: Build
    """An open build, whose medium lies on the datastore."""

    def run(self, variables: Path, name: str) -> Cost:
        """Build a template called *name* with the variable file of a finished build, and remove it."""
        root, folder = self.session.workspace.root, self.session.builds.folder(self.build)
        values: dict[str, Any] = json.loads(variables.read_text(encoding="utf-8"))
        key = (folder / "keys" / "id_ed25519").relative_to(root).as_posix()
        values |= {"vm_name": name, "iso_paths": [self.build.attached[0].stored], "ssh_private_key_file": key}
        file = folder / "packer" / "bare.pkrvars.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(packer.variable_file(values), encoding="utf-8")
        return packer_alone(self.session, self.effective, file, build=self.build.id, phase="base", name=name)

    def forget(self) -> None:
        """Remove the medium and the key, as the end of a whole build does."""
        steps = Steps(on=self.session.on(self.effective), build=self.build, inputs={})
        steps.remove_media()
        self.session.builds.forget_secrets(self.build)
        self.session.builds.save(replace(steps.build, status=Status.FAILED))
