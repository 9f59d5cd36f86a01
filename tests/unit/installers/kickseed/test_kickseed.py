"""What kickseed needs of an image and a site, and what it leaves."""

from __future__ import annotations

import pytest

from goldsmith.errors import ConfigurationError
from goldsmith.guests.guest import WayIn
from goldsmith.installers import door
from goldsmith.installers.kickseed import INSTALLER
from goldsmith.media.attachments import Floppy, HandMade, Replayed
from goldsmith.model import Iso
from tests.unit.installers.images import PLACEMENT, SITE, image

NAME = "ubuntu-16.04"
ISO = {"url": "https://mirror.example.com/mini.iso", "sha256": "0" * 64}


@pytest.mark.parametrize(
    ("changes", "way_out"),
    [
        pytest.param({"hardware": {"firmware": "efi"}}, 'firmware = "bios"', id="EFI"),
        pytest.param({"hardware": {"firmware": "efi-secure"}}, 'firmware = "bios"', id="Secure Boot"),
        pytest.param({"delivery": "initrd"}, "leave delivery out", id="the vendor's initrd"),
        pytest.param({"delivery": "guestinfo"}, "leave delivery out", id="guestinfo"),
    ],
)
def test_what_cannot_work_is_refused_with_the_way_out(changes: dict[str, object], way_out: str) -> None:
    """Each impossible combination ends the planning, and the error says what to change."""
    with pytest.raises(ConfigurationError) as caught:
        door.check(image(NAME, **changes), SITE)
    assert way_out in caught.value.next


def test_the_sites_own_medium_goes_before_the_images() -> None:
    """ISO_PATH is what the operator made; else the image's ISO is replayed, with the words that a floppy needs."""
    both = image(NAME, iso=ISO)
    by_hand = PLACEMENT.model_copy(update={"iso_path": "iso/x.iso"})
    assert INSTALLER.boot(both, by_hand) == HandMade("iso/x.iso")
    words = ("ks=floppy", "priority=critical", "locale=en_US.UTF-8")
    assert INSTALLER.boot(both, PLACEMENT) == Replayed(Iso.model_validate(ISO), words)
    assert isinstance(INSTALLER.carrier(both), Floppy)


def test_no_boot_medium_at_all() -> None:
    """An image that needs the vendor's medium, and nobody names one: the error names all the ways."""
    with pytest.raises(ConfigurationError) as caught:
        INSTALLER.boot(image(NAME), PLACEMENT)
    assert "ISO_PATH" in caught.value.next
    assert "[iso]" in caught.value.next


def test_it_leaves_a_system_without_cloud_init() -> None:
    """Clones take the operators' keys alone, nothing is added to the image's packages, and its Python is its own."""
    guest = INSTALLER.guest(image(NAME))
    assert (guest.way_in, guest.always, guest.python) == (WayIn.OPERATORS_KEY, (), (3, 5))
