"""A fixed name goes from the old template to the new one, and nothing is deleted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from goldsmith.errors import ConfigurationError, RefusedError, ToolError
from goldsmith.vcenter import naming
from goldsmith.vcenter.inventory import Machine
from goldsmith.vcenter.places import Places, locate
from tests.unit.vcenter.fakes import BUILD, PLACEMENT, FakeVCenter

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)


def machine(name: str, *, is_template: bool) -> Machine:
    return Machine(ref=f"vm-{name}", name=name, is_template=is_template)


def site() -> tuple[FakeVCenter, Places, Machine]:
    vcenter = FakeVCenter()
    return vcenter, locate(vcenter, PLACEMENT), vcenter.add(machine(f"u-base-{BUILD}", is_template=True))


def test_the_old_one_is_kept_under_a_dated_name() -> None:
    """First the old one makes room, then the new one takes the name; nothing else happens."""
    vcenter, places, made = site()
    vcenter.add(machine("golden", is_template=True))
    assert naming.take(vcenter, places, made, "golden", now=NOW) == "golden"
    assert vcenter.log == ["rename golden to golden-20261123-170000", f"rename u-base-{BUILD} to golden"]


def test_no_fixed_name() -> None:
    """Without one, the template keeps its unique name."""
    vcenter, places, made = site()
    assert naming.take(vcenter, places, made, "", now=NOW) == made.name
    assert vcenter.log == []


def test_a_virtual_machine_keeps_its_name() -> None:
    """A name that a running machine has is refused, before and after."""
    vcenter, places, made = site()
    vcenter.add(machine("golden", is_template=False))
    with pytest.raises(RefusedError, match="not a template"):
        naming.check(vcenter, places, "golden")
    with pytest.raises(RefusedError, match="not a template"):
        naming.take(vcenter, places, made, "golden", now=NOW)
    assert vcenter.log == []


@dataclass
class Refusing(FakeVCenter):
    """Gives one machine no other name."""

    refused: str = ""

    def rename(self, machine: Machine, name: str) -> None:
        """Rename any other machine."""
        if machine.ref == self.refused:
            raise ToolError("the name is taken")
        super().rename(machine, name)


def test_a_second_step_that_is_refused() -> None:
    """The old template gets its name back, and the new one keeps its own."""
    _, places, made = site()
    vcenter = Refusing(refused=made.ref)
    vcenter.add(made)
    vcenter.add(machine("golden", is_template=True))
    with pytest.raises(ToolError, match="taken"):
        naming.take(vcenter, places, made, "golden", now=NOW)
    assert sorted(one.name for one in vcenter.held.values()) == ["golden", made.name]


def test_a_user_who_may_not_rename() -> None:
    """Told before anything is made, with the privilege's name; without a fixed name it does not matter."""
    vcenter, places, _ = site()
    vcenter.denied = {places.folder.ref: {"VirtualMachine.Config.Rename"}}
    with pytest.raises(ConfigurationError, match="may not give") as caught:
        naming.check(vcenter, places, "golden")
    assert "VirtualMachine.Config.Rename" in caught.value.why
    naming.check(vcenter, places, "")
