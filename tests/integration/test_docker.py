"""Phase 2: one command makes a Docker host of the base; what changes repeats no more than it must."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from goldsmith.lab.admin import Admin
from tests.integration.conftest import ROOT
from tests.integration.test_base import HASH

if TYPE_CHECKING:
    from tests.integration.conftest import Operator, Result


@dataclass(frozen=True)
class Host:
    """A Docker template, and the run that made it."""

    name: str
    run: Result
    admin: Admin
    seen: int
    """The number of the last mutating call of that run."""

    @property
    def folder(self) -> Path:
        """The build's folder."""
        return ROOT / "build" / self.name[-24:]

    def read(self, name: str) -> Any:
        """Return a JSON file that the playbooks wrote."""
        return json.loads((self.folder / "ansible" / name).read_text(encoding="utf-8"))

    def others(self) -> set[str]:
        """Return the names of all machines but this one."""
        return {row["name"] for row in self.admin.vms()} - {self.name}


@pytest.fixture(scope="module")
def worker(operator: Operator) -> Operator:
    """Return an operator in a CI job, with the password hash that the base of this session has."""
    ci = {"CI_COMMIT_BRANCH": "Feature/x", "CI_PIPELINE_ID": "4711"}
    return replace(operator, environment={**operator.environment, **ci, "AUTOMATION_USER_CRYPTED_PASSWORD": HASH})


@pytest.fixture(scope="module")
def host(worker: Operator, lab: dict[str, Any]) -> Host:
    """Forge the Docker template of debian-13, on the session's base where that was forged before."""
    admin = Admin(url=lab["admin"], token=Path(lab["token_file"]).read_text().strip())
    run = worker.done("packer-docker")
    return Host(run.out.strip(), run, admin, admin.mutations()[-1]["seq"])


def changed(worker: Operator, folder: Path, variables: str) -> Operator:
    """Return the operator in a copy of the checkout whose image has *variables* for Ansible."""
    listed = subprocess.run(("git", "-C", str(ROOT), "ls-files", "-z"), capture_output=True, text=True, check=True)
    for name in listed.stdout.rstrip("\0").split("\0"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copy2(ROOT / name, folder / name)
    with (folder / "config/images/debian-13.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n[docker.variables]\n{variables}\n")
    return replace(worker, root=folder)


def test_the_template_is_named_and_marked(host: Host, worker: Operator) -> None:
    """Its name carries image, phase, branch, pipeline and build; beside it stands the base it was made of."""
    assert re.fullmatch(r"debian-13-docker-feature-x-4711-\d{8}-\d{6}-[0-9a-f]{8}", host.name)
    told = {row["phase"]: row for row in json.loads(worker.done("templates", "--json").out)}
    assert told["docker"]["name"] == host.name
    assert told["base"]["name"].startswith("debian-13-base-")


def test_the_engine_runs_on_its_own_disk(host: Host) -> None:
    """The engine, exactly as pinned, keeps its data on the second disk, a sparse file beside the machine."""
    inventory = host.read("inventory.json")
    packages = {row["name"]: row["version"] for row in inventory["packages"]}
    assert packages["docker.io"].startswith("26.1.5")
    assert inventory["engine"]
    [row] = [row for row in host.admin.vms() if row["name"] == host.name]
    unit = subprocess.run(
        ("docker", "cp", f"{row['container']}:/etc/systemd/system/srv-dockerdata.mount", "-"),
        capture_output=True, check=True,
    )  # fmt: skip
    assert b"What=/run/lab/disks/1.img" in unit.stdout


def test_what_cannot_be_applied_is_said(host: Host) -> None:
    """Kernel modules and global settings do not apply to the lab's guests: each is recorded with its reason."""
    left_out = host.read("not-applied.json")
    assert {row["role"] for row in left_out} >= {"host_kernel"}
    assert all(row["why"] for row in left_out)
    assert "not applied: kernel modules" in host.run.err + (host.folder / "logs/docker.log").read_text()


def test_the_host_is_sealed(host: Host) -> None:
    """Every line of the seal's list holds, and the build's key is not left in the build's folder."""
    assert [row["id"] for row in host.read("seal.json")["items"] if row["faults"]] == []
    assert not (host.folder / "keys").exists()
    text = "\n".join(path.read_text(errors="replace") for path in host.folder.rglob("*") if path.is_file())
    assert "PRIVATE KEY" not in text


def test_guestinfo_is_emptied_before_the_seal(host: Host) -> None:
    """The key was given by guestinfo, and is taken out by govc while the machine runs."""
    calls = [call for call in host.admin.mutations() if host.name in str(call)]
    methods = [call["method"] for call in calls]
    assert methods.index("PowerOnVM_Task") < len(methods) - 1 - methods[::-1].index("ReconfigVM_Task")
    assert any("govc" in str(call).lower() for call in calls if call["method"] == "ReconfigVM_Task")


def test_a_second_run_changes_nothing_and_says_why(host: Host, worker: Operator) -> None:
    """Nothing changed, so `build` does nothing: no mutating call, and both reasons name template and key."""
    again = worker.done("build")
    assert host.admin.mutations(since=host.seen) == []
    assert f"{host.name} has the same key" in again.err
    assert "nothing to do" in again.err
    assert again.out == ""


def test_one_ansible_variable_repeats_phase_two_only(host: Host, worker: Operator, tmp_path: Path) -> None:
    """The base stays as it is when only Ansible is told something else."""
    other = changed(worker, tmp_path, "docker_engine_swarm = true")
    planned = {row["stage"]: row for row in json.loads(other.done("plan", "--json").out)["stages"]}
    assert not planned["base"]["run"]
    assert planned["docker"]["run"]
    assert planned["docker"]["reason"] == f"changed since {host.name}: variables"
    assert host.admin.mutations(since=host.seen) == []


def test_a_package_that_is_gone_is_named_and_leaves_nothing(host: Host, worker: Operator, tmp_path: Path) -> None:
    """A role that fails half-way is told by its task with Ansible's last lines; the clone is removed."""
    before = host.others()
    packages = 'docker_engine_packages = [{ name = "docker.io", version = "99.9-1" }]'
    failed = changed(worker, tmp_path, packages).run("packer-docker")
    assert failed.code == 4, failed.err
    error = failed.error()
    assert "Ansible failed at the task: docker_engine :" in error["what"]
    assert "99.9-1" in error["why"]
    assert host.others() == before


def test_a_clone_without_an_address_is_given_up(host: Host, worker: Operator, tmp_path: Path) -> None:
    """When no address comes in time, that is said of the clone; it is removed."""
    before = host.others()
    other = changed(worker, tmp_path, "docker_engine_swarm = true")
    failed = other.run("packer-docker", GOLDSMITH_IP_WAIT_TIMEOUT="1s")
    assert failed.code == 4, failed.err
    assert "the clone never reported an address" in failed.error()["what"]
    assert host.others() == before
