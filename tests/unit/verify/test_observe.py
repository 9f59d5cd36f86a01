"""How a clone looks at itself, whatever its age."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.ansible.conftest import ANSIBLE, module

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture(scope="module")
def observe() -> ModuleType:
    """The program that a clone runs."""
    return module(ANSIBLE.parent / "verify/observe.py")


@pytest.mark.parametrize(
    "says",
    [
        pytest.param(["running"], id="waits"),
        pytest.param(["", "initializing", "starting", "running"], id="refuses to wait"),
        pytest.param(["starting", "starting", "running"], id="does not wait"),
    ],
)
def test_the_end_of_the_first_boot_is_waited_for(observe: ModuleType, says: list[str]) -> None:
    """Also by a systemd that has no --wait (Ubuntu 16.04's): it is asked until everything was started."""
    asked: list[tuple[str, ...]] = []
    slept: list[float] = []

    def ask(*argv: str) -> str:
        asked.append(argv)
        return says[len(asked) - 1] + "\n"

    assert observe.booted(ask, slept.append) == "running"
    assert ["--wait" in argv for argv in asked] == [True] + [False] * (len(says) - 1)
    assert len(slept) == len(says) - 1


def test_units_are_named_without_marks(observe: ModuleType) -> None:
    """Older versions of systemd mark what failed, in front of its name."""
    marked = "\u25cf rng-tools.service loaded failed failed\n* a.mount loaded failed failed\n\nb.service loaded\n"
    assert observe.units(marked) == ["rng-tools.service", "a.mount", "b.service"]


def test_a_program_that_the_guest_does_not_have_says_nothing(observe: ModuleType) -> None:
    """An image without cloud-init is looked at all the same."""
    assert observe.said("no-such-program-anywhere", "status") == ""
