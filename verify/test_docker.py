"""A clone of a Docker host runs containers, as the playbooks were told to set it up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = Path("ansible/roles")
TEST_IMAGE = "goldsmith-verify:latest"
# Made of the guest's own files: nothing is pulled, and it works without a network.
RUN_A_CONTAINER = f"""set -e
libraries=$(ldd /bin/echo | grep -o '/[^ )]*')
tar --create --dereference --directory=/ bin/echo $libraries 2>/dev/null | docker import - {TEST_IMAGE} >/dev/null
trap 'docker image rm {TEST_IMAGE} >/dev/null' EXIT
docker run --rm --network none {TEST_IMAGE} /bin/echo it runs"""


@pytest.fixture(scope="session")
def variables(expected: dict[str, Any]) -> dict[str, Any]:
    """The playbooks' variables as this build set them, over the roles' defaults."""
    found: dict[str, Any] = {}
    for role in ("data_disk", "docker_engine", "docker_images", "host_kernel"):
        found |= yaml.safe_load((ROLES / role / "defaults/main.yml").read_text()) or {}
    found |= yaml.safe_load(Path("ansible/group_vars/all.yml").read_text()) or {}
    if expected["variables"]:
        found |= json.loads(Path(expected["variables"]).read_text())
    flavour = yaml.safe_load((ROLES / "docker_engine/vars" / f"{found['docker_engine_flavour']}.yml").read_text())
    if isinstance(found["docker_engine_packages"], str):
        found["docker_engine_packages"] = flavour["docker_engine_flavour_packages"]
    return found


@pytest.fixture
def info(as_root: Any) -> dict[str, Any]:
    """What the engine says of itself."""
    told: dict[str, Any] = json.loads(as_root("docker info --format '{{json .}}'"))
    return told


def test_the_engine_runs(host: Any) -> None:
    """The engine runs and is started at boot."""
    service = host.service("docker")
    assert service.is_running
    assert service.is_enabled


def test_the_pinned_versions_are_installed(seen: dict[str, Any], variables: dict[str, Any]) -> None:
    """The engine's packages have exactly the pinned versions."""
    there = {row["name"]: row["version"] for row in seen["inventory"]["packages"]}
    wanted = {row["name"]: row["version"] for row in variables["docker_engine_packages"]}
    assert {name: there.get(name) for name in wanted} == wanted


def test_the_pinned_packages_are_held(seen: dict[str, Any], variables: dict[str, Any]) -> None:
    """An upgrade of the system leaves the engine alone."""
    wanted = {row["name"] for row in variables["docker_engine_packages"]} if variables["docker_engine_hold"] else set()
    assert wanted <= set(seen["holds"])


def test_the_engine_is_set_up_as_told(info: dict[str, Any], variables: dict[str, Any]) -> None:
    """Storage driver, log driver, live-restore and address pools are the playbooks'."""
    if variables["docker_engine_storage_driver"]:
        assert info["Driver"] == variables["docker_engine_storage_driver"]
    assert info["LoggingDriver"] == variables["docker_engine_log_driver"]
    assert info["LiveRestoreEnabled"] is not variables["docker_engine_swarm"]
    pools = [(pool["Base"], pool["Size"]) for pool in info["DefaultAddressPools"]]
    assert pools == [(pool["base"], pool["size"]) for pool in variables["docker_engine_address_pools"]]


def test_the_data_lies_on_its_own_disk(as_root: Any, variables: dict[str, Any]) -> None:
    """Images and containers are not on the root disk."""
    if not variables["data_disk_device"]:
        pytest.skip("this image has no data disk")
    for place in variables["data_disk_binds"].values():
        assert as_root(f"findmnt --noheadings --output FSTYPE {place}") == variables["data_disk_fstype"]
        assert as_root(f"stat --format=%d {place}") != as_root("stat --format=%d /")


def test_a_container_runs(as_root: Any) -> None:
    """A container starts, prints, and is gone."""
    assert as_root(RUN_A_CONTAINER) == "it runs"
    assert as_root("docker ps --all --quiet") == ""


def test_the_images_are_there(seen: dict[str, Any], variables: dict[str, Any]) -> None:
    """Each image that was to be in the template is, with the pinned id where one is given."""
    there = {tag: image["Id"] for image in seen["inventory"]["engine"]["images"] for tag in image["RepoTags"] or ()}
    for wanted in variables["docker_images_list"]:
        assert wanted["tag"] in there
        assert wanted.get("id", there[wanted["tag"]]) == there[wanted["tag"]]


def test_nobody_is_root_by_the_docker_group(host: Any, variables: dict[str, Any]) -> None:
    """The docker group has only the members it was given: each of them is as good as root."""
    assert sorted(host.group("docker").members) == sorted(variables["docker_engine_users"])


def test_the_networks_kernel_settings(host: Any, variables: dict[str, Any]) -> None:
    """What containers' networks need of the kernel is set."""
    wanted = variables["host_kernel_sysctl_net"]
    assert {name: host.sysctl(name) for name in wanted} == wanted


def test_the_kernels_settings(host: Any, seen: dict[str, Any], variables: dict[str, Any]) -> None:
    """What the roles set for the whole kernel is set."""
    wanted = variables["host_kernel_sysctl_global"]
    left_out = {name: row["why"] for row in seen["not_applied"] for name in row["items"]}
    if reasons := {why for item, why in left_out.items() if any(name in item for name in wanted)}:
        pytest.skip("; ".join(sorted(reasons)))
    assert {name: host.sysctl(name) for name in wanted} == wanted
