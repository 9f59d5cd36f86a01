"""A clone of a template of the lab, on which the toolbox's own Ansible runs the playbooks as a build does."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from goldsmith.host.progress import Lines
from goldsmith.host.redact import Redactor
from goldsmith.host.runner import ProcessRunner
from goldsmith.host.workspace import SECRET_MODE, Workspace, write_if_changed
from goldsmith.tools import sshkey
from goldsmith.vcenter import clones
from goldsmith.vcenter.places import locate
from goldsmith.wiring import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from goldsmith.config import Effective
    from goldsmith.host.runner import Completed, Runner
    from goldsmith.toolbox.containers import SiteDoor
    from goldsmith.vcenter.inventory import Machine
    from tests.integration.conftest import Operator

_TASK = re.compile(r"^(?:TASK|RUNNING HANDLER) \[(.*)\]")
_RECAP = re.compile(r"^\S+\s+: ok=\d+ +changed=(\d+) ", re.MULTILINE)
_SSH = (
    *("-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
    *("-o", "LogLevel=ERROR", "-o", "ConnectionAttempts=60", "-o", "ConnectTimeout=5"),
)


@dataclass(frozen=True)
class Play:
    """One run of a playbook."""

    code: int
    text: str
    """Everything that Ansible said."""

    @property
    def changed(self) -> list[str]:
        """The tasks that changed something, in order; handlers among them."""
        found: list[str] = []
        task = ""
        for line in self.text.splitlines():
            if match := _TASK.match(line):
                task = match[1]
            elif line.startswith("changed: ") and task not in found:
                found.append(task)
        return found

    @property
    def recap(self) -> int:
        """How many tasks changed something, as Ansible counts them."""
        [count] = _RECAP.findall(self.text)
        return int(count)


@dataclass(frozen=True)
class Guest:
    """A machine that runs, and the key that opens it."""

    door: SiteDoor
    runner: Runner
    root: Path
    folder: Path
    """Where its key lies, and what playbooks are given: below the repository, which is what the toolbox sees."""
    user: str
    address: str

    def inside(self, path: Path) -> str:
        """Return *path* as the toolbox sees it."""
        return path.relative_to(self.root).as_posix()

    def play(self, variables: Mapping[str, Any], *more: str, playbook: str = "ansible/provision.yml") -> Play:
        """Run a playbook with *variables*, as packer/docker.pkr.hcl does."""
        file = self.folder / "variables.json"
        file.write_text(json.dumps(variables))
        argv = (
            "ansible-playbook", "--inventory", f"{self.address},", "--user", self.user,
            "--private-key", self.inside(self.folder / "key"), "--extra-vars", f"@{self.inside(file)}", *more, playbook,
        )  # fmt: skip
        env = {"ANSIBLE_CONFIG": "ansible/ansible.cfg", "ANSIBLE_HOME": "/tmp/ansible", "ANSIBLE_NOCOLOR": "1"}  # noqa: S108 - of the toolbox
        done = self.runner.run(self.door.command(argv, env=env), check=False)
        return Play(done.returncode, f"{done.stdout}\n{done.stderr}")

    def sh(self, script: str) -> str:
        """Run a script as root and return what it prints; it must succeed."""
        done = self.run(script)
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout.strip()

    def run(self, script: str) -> Completed:
        """Run a script as root."""
        key = self.inside(self.folder / "key")
        remote = f"sudo -n sh -euc {shlex.quote(script)}"
        return self.runner.run(
            self.door.command(("ssh", "-i", key, *_SSH, f"{self.user}@{self.address}", remote)), check=False
        )


@contextlib.contextmanager
def clone(operator: Operator, template: str, *names: str) -> Iterator[list[Guest]]:
    """Yield linked clones of a template that run and take a key; they are gone afterwards."""
    environment = dict(operator.environment)
    redact = Redactor()
    session = Session(Workspace.here(environment), environment, redact, Lines(), ProcessRunner(redact))
    effective = session.effective(site="", image="")
    folder = session.workspace.root / "build" / "guests" / operator.environment["GOLDSMITH_LAB"]
    folder.mkdir(parents=True, exist_ok=True)
    pair = sshkey.generate("goldsmith-test")
    write_if_changed(folder / "key", pair.private, mode=SECRET_MODE)
    try:
        with _machines(session, effective, template, names, pair.public) as addresses:
            door, user = session.toolbox(effective.site), effective.image.account.name
            yield [Guest(door, session.runner, session.workspace.root, folder, user, addresses[name]) for name in names]
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def _machines(
    session: Session, effective: Effective, template: str, names: tuple[str, ...], public_key: str
) -> Iterator[Mapping[str, str]]:
    site = effective.site
    credentials = session.credentials(effective)
    made: list[Machine] = []
    try:
        with session.connect(site, credentials) as vcenter:
            places = locate(vcenter, site.placement)
            source = vcenter.child(places.folder, template)
            assert source
            orders = [
                clones.CloneOrder(
                    source=source,
                    name=name,
                    note="of a test",
                    folder=places.folder.ref,
                    pool=places.pool.ref,
                    datastore=places.datastore.ref,
                    guestinfo=clones.guestinfo(name=name, public_key=public_key),
                )
                for name in names
            ]
            made += vcenter.clone(orders)
            addresses = vcenter.addresses(made, seconds=120, tell=lambda _: None)
        yield addresses
    finally:
        with session.connect(site, credentials) as vcenter:
            for machine in made:
                vcenter.destroy(machine)
