"""The newest complete base has the name its site wants, whichever run comes to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.lab.state import Login, State
from goldsmith.templates import fixed_name
from tests.unit.sessions import INSIDE, PASSWORD, ROOT, FakeSession, session
from tests.unit.vcenter.fakes import BUILD, OTHER_BUILD, finished

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.vcenter.inventory import Machine

KEY = "0123abcd" * 8
CA = ROOT / "tests" / "recorded" / "certificates" / "corporate-root.crt"
ORIGIN = {
    "VSPHERE_SERVER": "127.0.0.1:18443",
    "VSPHERE_USER": "u",
    "VSPHERE_PASSWORD": PASSWORD,
    "CLUSTER": "DC0_C0",
    "DATACENTER": "DC0",
    "DATASTORE": "lab-ds",
    "FOLDER": "goldsmith",
    "NETWORK": "VM Network",
    "BASE_VM_TEMPLATE_NAME": "golden",
}


def there(here: FakeSession, name: str, build: str, *, key: str = KEY) -> Machine:
    """Put a finished base into the vCenter."""
    return here.vcenter.add(finished(build, key=key, ref=name, name=name))


def given(folder: Path, *bases: tuple[str, str], wanted: str = "golden") -> tuple[str, FakeSession]:
    """Return the name that the newest of *bases* (name and build) has in the end, and the session."""
    here = session(folder, environment={**INSIDE, **ORIGIN, "BASE_VM_TEMPLATE_NAME": wanted})
    login = Login(name="lab", server="127.0.0.1:18443", user="u", password=PASSWORD, datastore="lab-ds")
    lab = State(name="goldsmith-lab", settings="0" * 12, admin="", token="t", vcenters=(login,))
    lab.write(here.workspace.cache / "lab" / "goldsmith-lab", CA.read_text())
    for name, build in bases:
        there(here, name, build)
    return fixed_name.give(here.on(here.effective(site="", image="")), KEY), here


def test_a_build_that_ended_before_its_template_was_named(tmp_path: Path) -> None:
    """The next run does what is missing, and keeps the old one."""
    name, here = given(tmp_path, ("golden", OTHER_BUILD), (f"debian-13-base-{BUILD}", BUILD))
    assert name == "golden"
    assert here.vcenter.held[f"debian-13-base-{BUILD}"].name == "golden"
    assert here.vcenter.held["golden"].name.startswith("golden-2026")


def test_one_that_was_put_aside(tmp_path: Path) -> None:
    """Its configuration is back: it gets the name back."""
    name, _ = given(tmp_path, ("golden-20261122-100000", BUILD))
    assert name == "golden"


def test_a_name_that_somebody_chose(tmp_path: Path) -> None:
    """It stays, and is no template that the site would name."""
    name, here = given(tmp_path, ("friday", BUILD))
    assert name == ""
    assert here.vcenter.log == []


def test_nothing_to_name(tmp_path: Path) -> None:
    """No such base, no wish, or the name already: nothing is changed."""
    for folder, bases, wanted in (
        ("none", (), "golden"),
        ("no wish", ((f"debian-13-base-{BUILD}", BUILD),), ""),
        ("already", (("golden", BUILD),), "golden"),
    ):
        _, here = given(tmp_path / folder, *bases, wanted=wanted)
        assert here.vcenter.log == []
