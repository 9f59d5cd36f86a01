"""A clone is a whole machine: booted, configured, and what the image says."""

from __future__ import annotations

import re
from typing import Any

import pytest
from bench import BY_KEY

KERNELS = {
    "proc-fs-nfsd.mount": "the kernel's module nfsd",
    "run-rpc_pipefs.mount": "the kernel's module sunrpc",
    "systemd-modules-load.service": "the right to load kernel modules",
}
"""Units that cannot start in a container, whose kernel is that of the machine it runs on, and what each lacks."""


def in_container(seen: dict[str, Any]) -> bool:
    """Return whether the guest shares somebody's kernel."""
    return seen["container"] not in {"", "none"}


def test_the_first_boot_ends_well(seen: dict[str, Any]) -> None:
    """Everything started, and no unit failed."""
    excused = set(KERNELS) if in_container(seen) else set()
    failed = set(seen["failed_units"])
    assert sorted(failed - excused) == []
    assert seen["system"] == ("degraded" if failed else "running")


@pytest.mark.parametrize("unit", KERNELS)
def test_the_kernel_serves(seen: dict[str, Any], unit: str) -> None:
    """A unit that depends on the kernel has started, if the guest has it."""
    if in_container(seen) and unit in seen["failed_units"]:
        pytest.skip(f"a container guest ({seen['container']}) lacks {KERNELS[unit]}")
    assert unit not in seen["failed_units"]


def test_the_clone_took_what_it_was_given(seen: dict[str, Any], expected: dict[str, Any]) -> None:
    """cloud-init ended without an error, and its data source is vSphere's guestinfo."""
    if expected["way_in"] == BY_KEY:
        pytest.skip("the image has no cloud-init: its clones are given nothing, and take the operator's key")
    status = seen["cloud_init"]
    assert status.get("status") == "done", status
    assert status.get("errors", []) == []
    assert "vmware" in str(status.get("datasource", "")).lower()


def test_the_clone_has_the_name_it_was_given(seen: dict[str, Any], host: Any, expected: dict[str, Any]) -> None:
    """The host name is the clone's, not the template's."""
    if expected["way_in"] == BY_KEY:
        pytest.skip("the image has no cloud-init: its clones keep the template's name")
    assert seen["hostname"] == expected["clones"][host.backend.host.name]["hostname"]


def test_the_machine_has_an_identity(seen: dict[str, Any]) -> None:
    """The clone has made a machine id and SSH host keys."""
    assert re.fullmatch(r"[0-9a-f]{32}", seen["machine_id"])
    assert any("ed25519" in path for path in seen["host_keys"])


def test_every_package_is_whole(seen: dict[str, Any], family: Any) -> None:
    """No package is half-installed."""
    assert seen["family"]["unfinished"] == ""
    rows = [row for row in seen["inventory"]["packages"] if not family.gone(row["status"])]
    assert {row["name"]: row["status"] for row in rows if not family.installed(row["status"])} == {}


def test_every_listed_package_is_there(seen: dict[str, Any], expected: dict[str, Any], family: Any) -> None:
    """All of the image's packages are installed, by their own names or by others they go by."""
    there = {row["name"] for row in seen["inventory"]["packages"] if family.installed(row["status"])}
    left_out = {item for row in seen["not_applied"] if row["what"] == "packages" for item in row["items"]}
    assert sorted(set(expected["packages"]) - there - set(seen["family"]["provided"]) - left_out) == []


def test_the_versions_are_those_that_were_built(seen: dict[str, Any], expected: dict[str, Any]) -> None:
    """Each package has the version the build recorded."""
    if not expected["versions"]:
        pytest.skip("this phase's build took no inventory to compare with")
    there = {row["name"]: row["version"] for row in seen["inventory"]["packages"]}
    assert {name: there.get(name) for name in expected["versions"]} == expected["versions"]


def test_exactly_these_packages_are_held(seen: dict[str, Any], expected: dict[str, Any]) -> None:
    """The pinned packages are held, and no others are."""
    if seen["engine_id"] and not expected["versions"]:
        pytest.skip("another machine made this template, and has the record of what was held")
    assert sorted(seen["family"]["held"]) == sorted(expected["held"])


def test_the_service_runs(host: Any, service: str) -> None:
    """A service that operators need to reach and manage the machine runs, and starts at boot."""
    found = host.service(service)
    assert found.is_running
    assert found.is_enabled


def test_the_clock_is_kept(seen: dict[str, Any], host: Any, family: Any) -> None:
    """A time daemon runs."""
    if in_container(seen):
        pytest.skip(f"a container guest ({seen['container']}) shares the clock of the machine it runs on")
    assert any(host.service(name).is_running for name in family.CLOCKS)


def test_the_time_zone_is_right(seen: dict[str, Any], expected: dict[str, Any]) -> None:
    """The time zone is the image's."""
    assert seen["timezone"] == expected["timezone"]


def test_the_account_may_become_root(host: Any, expected: dict[str, Any]) -> None:
    """The image's account exists and may use sudo without a password."""
    assert host.user().name == expected["account"]
    assert host.run("sudo -n id -u").stdout.strip() == "0"


def test_nobody_logs_in_without_a_password(seen: dict[str, Any]) -> None:
    """No account has an empty password, and root has none."""
    assert [name for name, state in seen["passwords"].items() if state == "empty"] == []
    assert seen["passwords"]["root"] == "unusable"


def test_what_could_not_be_applied(not_applied: dict[str, Any] | None) -> None:
    """Everything that the roles set could be applied in this guest."""
    if not_applied is None:
        return
    pytest.skip(f"{not_applied['what']} ({', '.join(not_applied['items'])}): {not_applied['why']}")
