"""A fixed name goes from the old template to the new one, and nothing is deleted."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from goldsmith.errors import RefusedError
from goldsmith.spec import Placement
from goldsmith.vcenter import naming
from goldsmith.vcenter.inventory import Machine, Places, Tree, resolve
from tests.unit.vcenter.fakes import BUILD, FakeVCenter

NOW = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
PLACEMENT = Placement(datacenter="DC0", cluster="DC0_C0", datastore="lab-ds", network="VM Network", folder="goldsmith")


def machine(name: str, *, is_template: bool) -> Machine:
    return Machine(ref=f"vm-{name}", name=name, is_template=is_template)


def site() -> tuple[FakeVCenter, Places, Machine]:
    vcenter = FakeVCenter()
    places = resolve(Tree(vcenter.nodes()), PLACEMENT)
    assert isinstance(places, Places)
    return vcenter, places, vcenter.add(machine(f"u-base-{BUILD}", is_template=True))


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
    with pytest.raises(RefusedError, match="no template"):
        naming.check(vcenter, places, "golden")
    with pytest.raises(RefusedError, match="no template"):
        naming.take(vcenter, places, made, "golden", now=NOW)
    assert vcenter.log == []
