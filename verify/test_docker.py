"""A clone of a Docker host runs containers, as the playbooks were told to set it up."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

import pytest
import questions

# Points of the CIS Docker Benchmark that a template can settle: what a setting of daemon.json must be.
HARDENED = {"icc": False, "log-level": "info", "no-new-privileges": True, "userland-proxy": False}


@pytest.fixture(scope="session")
def variables(expected: dict[str, Any]) -> dict[str, Any]:
    """The playbooks' variables as this build set them, over the roles' defaults."""
    return questions.variables(expected)


@pytest.fixture
def info(answer: Any) -> dict[str, Any]:
    """What the engine says of itself."""
    told: dict[str, Any] = json.loads(answer("info"))
    return told


def test_the_engine_runs(host: Any) -> None:
    """The Docker engine runs, and starts at boot."""
    service = host.service("docker")
    assert service.is_running
    assert service.is_enabled


def test_the_pinned_versions_are_installed(seen: dict[str, Any], variables: dict[str, Any]) -> None:
    """The engine's packages have exactly the pinned versions."""
    there = {row["name"]: row["version"] for row in seen["inventory"]["packages"]}
    wanted = {row["name"]: row["version"] for row in variables["docker_engine_packages"]}
    assert {name: there.get(name) for name in wanted} == wanted


def test_the_pinned_packages_are_held(seen: dict[str, Any], variables: dict[str, Any]) -> None:
    """The engine's packages are held: an upgrade of the system leaves them alone."""
    wanted = {row["name"] for row in variables["docker_engine_packages"]} if variables["docker_engine_hold"] else set()
    assert wanted <= set(seen["family"]["held"])


def test_the_engine_is_set_up_as_told(info: dict[str, Any], variables: dict[str, Any]) -> None:
    """Storage driver, log driver, live-restore and address pools are as the playbooks set them."""
    if variables["docker_engine_storage_driver"]:
        assert info["Driver"] == variables["docker_engine_storage_driver"]
    assert info["LoggingDriver"] == variables["docker_engine_log_driver"]
    assert info["LiveRestoreEnabled"] is not variables["docker_engine_swarm"]
    pools = [(pool["Base"], pool["Size"]) for pool in info["DefaultAddressPools"]]
    assert pools == [(pool["base"], pool["size"]) for pool in variables["docker_engine_address_pools"]]


def test_the_engine_is_hardened(answer: Any, info: dict[str, Any], variables: dict[str, Any]) -> None:
    """The engine meets CIS Docker Benchmark 2.2, 2.3, 2.5, 2.8, 2.14 and 2.16."""
    daemon, network = json.loads(answer("daemon.json")), json.loads(answer("bridge"))
    more = variables["docker_engine_daemon_extra"]
    wanted: dict[str, Any] = HARDENED | {"default-ulimits": variables["docker_engine_ulimits"] or None} | more
    assert {name: daemon.get(name) for name in wanted} == wanted
    assert network["com.docker.network.bridge.enable_icc"] == str(wanted["icc"]).lower()
    assert ("name=no-new-privileges" in info["SecurityOptions"]) is wanted["no-new-privileges"]
    insecure = set(info["RegistryConfig"]["InsecureRegistryCIDRs"]) - {"127.0.0.0/8", "::1/128"}  # the engine's own
    assert not insecure or "insecure-registries" in more


def test_only_root_may_change_the_engine(answer: Any) -> None:
    """Only root may change the engine's units, configuration and sockets (CIS Docker Benchmark 3)."""
    rows = [line.rsplit(" ", 2) for line in answer("modes").splitlines()]
    assert {"/etc/docker/daemon.json", "/run/docker.sock"} <= {path for path, _, _ in rows}
    for path, owner, mode in rows:
        [allowed] = [limit for pattern, limit in questions.MODES.items() if PurePosixPath(path).match(pattern)]
        most = allowed.split()
        assert (owner, int(mode, 8) & ~int(most[1], 8)) == (most[0], 0), f"{path} is {owner} {mode}, not {allowed}"


def test_the_data_lies_on_its_own_disk(answer: Any, variables: dict[str, Any]) -> None:
    """Container images and containers lie on the data disk, not on the root disk."""
    if not variables["data_disk_device"]:
        pytest.skip("this image has no data disk")
    for place in variables["data_disk_binds"].values():
        fstype, device = answer(f"disk of {place}").split()
        assert fstype == variables["data_disk_fstype"]
        assert device != answer("root disk")


def test_a_container_runs(answer: Any, as_root: Any) -> None:
    """A container starts, prints, and is gone."""
    assert answer("container") == "it runs"
    assert as_root("docker ps --all --quiet") == ""


def test_the_images_are_there(seen: dict[str, Any], variables: dict[str, Any]) -> None:
    """The container images the playbooks list are there, with the pinned id where one is given."""
    there = {tag: image["Id"] for image in seen["inventory"]["engine"]["images"] for tag in image["RepoTags"] or ()}
    for wanted in variables["docker_images_list"]:
        assert wanted["tag"] in there
        assert wanted.get("id", there[wanted["tag"]]) == there[wanted["tag"]]


def test_nobody_is_root_by_the_docker_group(host: Any, variables: dict[str, Any]) -> None:
    """The docker group has only the members it was given: each of them is as good as root."""
    assert sorted(host.group("docker").members) == sorted(variables["docker_engine_users"])


def test_kernel_settings_for_networks(host: Any, variables: dict[str, Any]) -> None:
    """The kernel settings that containers' networks need are in force."""
    wanted = variables["host_kernel_sysctl_net"]
    assert {name: host.sysctl(name) for name in wanted} == wanted


def test_settings_of_the_whole_kernel(host: Any, seen: dict[str, Any], variables: dict[str, Any]) -> None:
    """The roles' settings for the whole kernel are in force."""
    wanted = variables["host_kernel_sysctl_global"]
    left_out = {name: row["why"] for row in seen["not_applied"] for name in row["items"]}
    if reasons := {why for item, why in left_out.items() if any(name in item for name in wanted)}:
        pytest.skip("; ".join(sorted(reasons)))
    assert {name: host.sysctl(name) for name in wanted} == wanted
