"""Every installer is complete, and knows no other: the contract of the folder ``installers``."""

from __future__ import annotations

import ast
import inspect
import re
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import ConfigurationError
from goldsmith.guests.guest import Guest
from goldsmith.installers import door
from goldsmith.model import Firmware
from tests.unit.installers.images import ROOT, SITE, image

if TYPE_CHECKING:
    from goldsmith.model import Image

IMAGES = {path.stem: image(path.stem) for path in sorted((ROOT / "config/images").glob("*.toml"))}


def of(name: str) -> list[Image]:
    """Return the images that an installer installs."""
    return [one for one in IMAGES.values() if one.os.installer == name]


@pytest.mark.parametrize("name", door.NAMES)
def test_each_installer_has_all_its_places(name: str) -> None:
    """Templates with a script that ends a base, tests, what the lab needs, an image, and a row in the docs."""
    places = (
        f"kickstart/{name}/clone-ready.sh",
        f"tests/unit/installers/{name}",
        f"lab/guest/share/installers/{name}/recognise",
        f"lab/guest/share/installers/{name}/run",
    )
    assert [place for place in places if not (ROOT / place).exists()] == []
    assert of(name), "no image file uses it"
    assert f"| `{name}` |" in (ROOT / "docs/explanation/media.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", door.NAMES)
def test_each_installer_fills_the_protocol(name: str) -> None:
    """Every method of the Protocol, with as many parameters; and what it leaves is known."""
    installer = door.of(of(name)[0])
    wanted = {key: value for key, value in vars(door.Installer).items() if inspect.isfunction(value) and key[0] != "_"}
    for method, declared in wanted.items():
        found = inspect.signature(getattr(type(installer), method))
        assert len(found.parameters) == len(inspect.signature(declared).parameters), method
    for one in of(name):
        guest = installer.guest(one)
        assert isinstance(guest, Guest)
        assert guest.finish_script.is_file()


@pytest.mark.parametrize("name", door.NAMES)
def test_installers_do_not_know_each_other(name: str) -> None:
    """No module of one installer imports another's."""
    others = [f"goldsmith.installers.{other}" for other in door.NAMES if other != name]
    for path in (ROOT / "goldsmith/installers" / name).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            imported = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            assert not any(imported.startswith(other) for other in others), path


def test_nobody_else_asks_for_an_installer_or_takes_a_family_for_granted() -> None:
    """Outside of ``installers`` and ``guests`` no code names an installer, Debian's tools, or the family of an image.

    The toolbox is made of Debian's packages and the launchers run on Debian machines: that is about this
    machine, not about guests. The vendor's media are composed by ``media``, of what an installer says.
    """
    names = "|".join(door.NAMES)
    words = rf"os\.installer|os\.family ?[!=]=|\"(?:{names}|deb|dpkg|apt|apt-get)\"|preseed\.cfg|ks\.cfg|dpkg"
    asked = re.compile(words)
    own = ("installers/", "guests/", "toolbox/", "model/", "config/")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sorted((ROOT / "goldsmith").rglob("*.py"))
        if not path.relative_to(ROOT / "goldsmith").as_posix().startswith(own)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if asked.search(line)
    ]
    assert found == []


@pytest.mark.parametrize("name", IMAGES)
def test_the_images_of_the_repository_can_be_installed(name: str) -> None:
    """Nothing is impossible about them."""
    door.check(IMAGES[name], SITE)


@pytest.mark.parametrize(
    "change",
    [
        {"account": {"name": "root"}},
        {"localisation": {"timezone": "Nowhere/Place"}},
        {"localisation": {"locale": "xx_YY"}},
        {"localisation": {"keyboard": "nowhere"}},
        {"os": {"release": "99"}},
        {"os": {"suite": "nowhere"}},
    ],
    ids=str,
)
@pytest.mark.parametrize("name", door.NAMES)
def test_each_installer_refuses_what_its_releases_do_not_have(name: str, change: dict[str, dict[str, str]]) -> None:
    """The types take any such name: which of them exist is a release's own affair, and is said while planning."""
    with pytest.raises(ConfigurationError) as caught:
        door.check(image(of(name)[0].name, **change), SITE)
    assert caught.value.next


def test_what_is_impossible_is_said_all_at_once() -> None:
    """Two mistakes end in one error that names both, and both ways out."""
    both = image("ubuntu-16.04", delivery="initrd", hardware={"firmware": "efi"})
    with pytest.raises(ConfigurationError) as caught:
        door.check(both, SITE)
    assert "2 problems" in caught.value.what
    assert "leave delivery out" in caught.value.next
    assert 'firmware = "bios"' in caught.value.next
    assert both.hardware.firmware is Firmware.EFI
