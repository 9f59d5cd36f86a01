"""Phase 2: one command makes a Docker host of the base; what changes repeats no more than it must."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

from tests.integration.hosts import elsewhere, variables

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.conftest import Operator
    from tests.integration.hosts import Host


JQ = "pool/main/j/jq/jq_"


def stages(operator: Operator) -> dict[str, dict[str, Any]]:
    """Return what `plan` says of each stage."""
    return {row["stage"]: row for row in json.loads(operator.done("plan", "--json").out)["stages"]}


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
    assert b"What=/dev/sdb" in unit.stdout


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
    planned = stages(elsewhere(worker, tmp_path, variables("docker_engine_swarm = true")))
    assert not planned["base"]["run"]
    assert planned["docker"]["run"]
    assert planned["docker"]["reason"] == f"changed since {host.name}: variables"
    assert host.admin.mutations(since=host.seen) == []


def test_one_package_of_the_image_repeats_both_phases(host: Host, worker: Operator, tmp_path: Path) -> None:
    """What the installer installs is in the base, and so in every host made of it."""

    def change(root: Path) -> None:
        image = root / "config/images/debian-13.toml"
        image.write_text(image.read_text().replace("packages = [", 'packages = [\n    "jq",', 1))

    planned = stages(elsewhere(worker, tmp_path, change))
    assert planned["base"]["run"]
    assert planned["base"]["reason"].startswith("changed since debian-13-base-")
    assert planned["base"]["reason"].endswith(": answers")
    assert planned["docker"]["run"]
    assert planned["docker"]["reason"] == f"changed since {host.name}: base"


def test_another_jq_in_the_toolbox_repeats_neither_phase(host: Host, worker: Operator, tmp_path: Path) -> None:
    """The toolbox is another one then, but nothing that a guest gets depends on its jq."""

    def change(root: Path) -> None:
        file = root / "docker/lock.json"
        lock = json.loads(file.read_text())
        [row] = [row for row in lock["sections"]["toolbox"]["debs"] if row["path"].startswith(JQ)]
        row |= {"version": "1.8.1-1", "sha256": "ab" * 32, "path": f"{JQ}1.8.1-1_amd64.deb"}
        file.write_text(json.dumps(lock))

    other = elsewhere(worker, tmp_path, change)
    planned = stages(other)
    assert not [name for name, row in planned.items() if row["run"]]
    assert f"{host.name} has the same key" in planned["docker"]["reason"]
    # The change is one: the toolbox that these stages would run in is not the one that is built.
    assert "would build the toolbox image" in other.done("build-image", "--dry-run").err


def test_a_package_that_is_gone_is_named_and_leaves_nothing(host: Host, worker: Operator, tmp_path: Path) -> None:
    """A role that fails half-way is told by its task with Ansible's last lines; the clone is removed."""
    before = host.others()
    packages = 'docker_engine_packages = [{ name = "docker.io", version = "99.9-1" }]'
    failed = elsewhere(worker, tmp_path, variables(packages)).run("packer-docker")
    assert failed.code == 4, failed.err
    error = failed.error()
    assert "Ansible failed at the task: apt :" in error["what"]
    assert "99.9-1" in error["why"]
    assert host.others() == before


def test_a_clone_without_an_address_is_given_up(host: Host, worker: Operator, tmp_path: Path) -> None:
    """When no address comes in time, that is said of the clone; it is removed."""
    before = host.others()
    other = elsewhere(worker, tmp_path, variables("docker_engine_swarm = true"))
    failed = other.run("packer-docker", GOLDSMITH_IP_WAIT_TIMEOUT="1s")
    assert failed.code == 4, failed.err
    assert "the clone never reported an address" in failed.error()["what"]
    assert host.others() == before
