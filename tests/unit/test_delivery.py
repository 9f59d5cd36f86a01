"""The rule of delivery: what cannot work is refused while planning, with the way out."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith import delivery
from goldsmith.errors import ConfigurationError
from goldsmith.spec import Delivery, Image, Iso, Placement

UBUNTU: dict[str, Any] = {
    "name": "ubuntu-16.04",
    "os": {
        "family": "ubuntu",
        "release": "16.04",
        "suite": "xenial",
        "installer": "kickseed",
        "guest_type": "ubuntu64Guest",
    },
    "hardware": {"firmware": "bios"},
    "packages": ["ssh"],
}
DEBIAN: dict[str, Any] = {
    "name": "debian-13",
    "os": {
        "family": "debian",
        "release": "13",
        "suite": "trixie",
        "installer": "preseed",
        "guest_type": "debian12_64Guest",
    },
    "packages": ["ssh"],
}
PLACEMENT: dict[str, Any] = {"datacenter": "a", "cluster": "b", "datastore": "c", "network": "d"}


def image(values: dict[str, Any], **more: Any) -> Image:
    return Image.model_validate({**values, **more})


def test_the_installer_decides() -> None:
    """Kickseed is answered from a floppy, a preseed lies in the initrd."""
    assert delivery.delivery(image(UBUNTU)) is Delivery.FLOPPY
    assert delivery.delivery(image(DEBIAN)) is Delivery.INITRD


@pytest.mark.parametrize(
    ("values", "words"),
    [
        pytest.param({**UBUNTU, "hardware": {"firmware": "efi"}}, 'firmware = "bios"', id="EFI"),
        pytest.param({**UBUNTU, "hardware": {"firmware": "efi-secure"}}, 'firmware = "bios"', id="Secure Boot"),
        pytest.param({**DEBIAN, "delivery": "floppy"}, "leave delivery out", id="no floppy driver"),
        pytest.param({**UBUNTU, "delivery": "initrd"}, "leave delivery out", id="the vendor's initrd"),
    ],
)
def test_what_cannot_work_is_refused_with_the_way_out(values: dict[str, Any], words: str) -> None:
    """Each impossible combination ends the planning, and the error says what to change."""
    with pytest.raises(ConfigurationError) as caught:
        delivery.delivery(image(values))
    assert words in caught.value.next


def test_the_sites_own_medium_goes_before_the_images() -> None:
    """ISO_PATH is what the operator made; else the image's ISO is replayed; and Debian's is always composed."""
    iso = Iso(url="https://mirror.example.com/mini.iso", sha256="0" * 64)
    both = image(UBUNTU, iso=iso.model_dump())
    given_place = Placement.model_validate({**PLACEMENT, "iso_path": "iso/x.iso"})
    plain = Placement.model_validate(PLACEMENT)
    assert delivery.boot(both, given_place) == delivery.Given("iso/x.iso")
    assert delivery.boot(both, plain) == delivery.Replayed(iso)
    assert delivery.boot(image(DEBIAN), given_place) == delivery.Composed()


def test_no_boot_medium_at_all() -> None:
    """An image that needs the vendor's medium, and nobody names one: the error names all three ways."""
    with pytest.raises(ConfigurationError) as caught:
        delivery.boot(image(UBUNTU), Placement.model_validate(PLACEMENT))
    assert "ISO_PATH" in caught.value.next
    assert "[iso]" in caught.value.next


def test_more_than_a_floppy_holds() -> None:
    """What does not fit is refused, and the largest files are named."""
    delivery.check_floppy_space({"ks.cfg": 4096, "files/ca/root.crt": 1_400_000})
    with pytest.raises(ConfigurationError, match="bundle") as caught:
        delivery.check_floppy_space({"ks.cfg": 4096, "files/ca/bundle.crt": 1_460_000})
    assert "fewer certificates" in caught.value.next


@given(
    st.dictionaries(st.from_regex(r"([a-z]{1,9}/){0,2}[a-z]{1,20}", fullmatch=True), st.integers(0, 5000), max_size=9)
)
def test_space_counts_whole_clusters(files: dict[str, int]) -> None:
    """Never less than the files' bytes, and always whole clusters."""
    space = delivery.floppy_space(files)
    assert space >= sum(files.values())
    assert space % 512 == 0


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"sha256": "0" * 64}, id="neither"),
        pytest.param({"sha256": "0" * 64, "path": "a.iso", "url": "https://mirror.example.com/a.iso"}, id="both"),
        pytest.param({"sha256": "0" * 63, "path": "a.iso"}, id="short hash"),
        pytest.param({"path": "a.iso"}, id="no hash"),
        pytest.param({"sha256": "0" * 64, "url": "ftp://mirror.example.com/a.iso"}, id="ftp"),
    ],
)
def test_an_iso_is_one_file_with_its_hash(values: dict[str, str]) -> None:
    """A path or a URL, never both, and always with a sha256."""
    with pytest.raises(ValueError, match=r"must be|either|required"):
        Iso.model_validate(values)
