"""What Debian's installer needs of an image, and what it leaves."""

from __future__ import annotations

import pytest

from goldsmith.errors import ConfigurationError
from goldsmith.guests.guest import WayIn
from goldsmith.installers import door
from goldsmith.installers.preseed import INSTALLER
from goldsmith.media.attachments import Composed, Initrd
from tests.unit.installers.images import PLACEMENT, SITE, image

NAME = "debian-13"


@pytest.mark.parametrize("delivery", ["floppy", "cd", "guestinfo"])
def test_answers_go_into_the_initrd_alone(delivery: str) -> None:
    """Its netboot kernel reads neither floppies nor a second CD; the error says so, and what to do."""
    with pytest.raises(ConfigurationError) as caught:
        door.check(image(NAME, delivery=delivery), SITE)
    assert "leave delivery out" in caught.value.next
    door.check(image(NAME, delivery="initrd"), SITE)


def test_the_medium_is_composed_whatever_lies_on_the_site() -> None:
    """ISO_PATH is for installers that start from a vendor's medium."""
    by_hand = PLACEMENT.model_copy(update={"iso_path": "iso/x.iso"})
    assert INSTALLER.boot(image(NAME), by_hand) == Composed(release="13", suite="trixie")
    assert INSTALLER.carrier(image(NAME)) == Initrd()


def test_it_leaves_a_system_that_cloud_init_lets_people_into() -> None:
    """cloud-init is among what every image gets."""
    guest = INSTALLER.guest(image(NAME))
    assert guest.way_in is WayIn.CLOUD_INIT
    assert "cloud-init" in guest.always
