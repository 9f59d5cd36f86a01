"""Whatever call of the vCenter fails, for whatever reason: one error of four parts, and nothing that clean leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.inventory import difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.bystander import Bystander

SOON = {"GOLDSMITH_IP_WAIT_TIMEOUT": "60s", "GOLDSMITH_SSH_TIMEOUT": "30s", "GOLDSMITH_SHUTDOWN_TIMEOUT": "20s"}
BEFORE = (
    ("CreateContainerView", "soap"),
    ("HasPrivilegeOnEntities", "soap"),
    ("PUT", "soap"),
    ("MoveDatastoreFile_Task", "task"),
    ("ReconfigVM_Task", "soap"),
)
"""Calls of a build until the machine is powered on, in about their order, and how each fails."""
AFTER = ("CreateSnapshot_Task", "SetField")
"""Calls of what comes after an installation."""


@pytest.fixture(autouse=True)
def healed(bystander: Bystander) -> Iterator[None]:
    """Leave a vCenter without orders."""
    yield
    bystander.admin().clear_faults()


def fails(bystander: Bystander, method: str, mode: str) -> None:
    """Run a build during which *method* fails at every call; check what it says and leaves."""
    before = bystander.inventory()
    admin = bystander.admin()
    admin.add_fault(method=method, fault="InvalidState", mode=mode, message="refused for the test")
    result = bystander.start("packer-base", "--rebuild", **SOON).end(300)
    [rule] = admin.faults()
    admin.clear_faults()
    assert rule["hits"], f"no call of {method} was made"
    assert result.code == 4, result.err
    assert result.error()["why"]
    bystander.operator.done("clean")
    assert difference(before, bystander.inventory()) == ""


@pytest.mark.parametrize(("method", "mode"), BEFORE)
def test_a_call_before_the_installation_fails(bystander: Bystander, method: str, mode: str) -> None:
    """Each is told, and what was made until then is removed."""
    fails(bystander, method, mode)


@pytest.mark.parametrize("method", AFTER)
def test_a_call_after_the_installation_fails(bystander: Bystander, method: str) -> None:
    """An installed machine that cannot become a template is removed."""
    with bystander.quick():
        fails(bystander, method, "soap")
