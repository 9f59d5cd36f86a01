"""The command that composes a medium, and the reports that say how one boots."""

from __future__ import annotations

from pathlib import Path

from goldsmith.tools import xorriso
from goldsmith.tools.xorriso import BootImage, Compose
from tests.unit.fakes import FakeDoor

REPORT = (Path(__file__).parents[2] / "recorded/xorriso/medium.txt").read_text()
WHAT = Compose(folder="build/b/media/.compose-x", volume_id="GOLDSMITH", epoch=1_700_000_000, efi_bytes=3_364_152)


def test_dates_and_serials_follow_from_the_epoch_alone() -> None:
    """The same inputs make the same bytes, today and next year."""
    command = xorriso.compose(FakeDoor(), WHAT)
    assert command.argv[4:] == ("build/b/media/.compose-x", "GOLDSMITH", "2023111422132000", "7168", "6553f100")
    assert command.env == {"SOURCE_DATE_EPOCH": "1700000000", "TZ": "UTC", "LC_ALL": "C"}


def test_the_efi_image_has_room_for_its_files() -> None:
    """It grows with the boot loaders, and its size fits the geometry mtools is told."""
    for efi_bytes in (1, 1_000_000, 3_364_152, 20_000_000):
        sectors = int(xorriso.compose(FakeDoor(), Compose(**{**vars(WHAT), "efi_bytes": efi_bytes})).argv[7])
        assert sectors * 512 > efi_bytes + 200_000
        assert sectors % (16 * 32) == 0


def test_a_report_tells_what_each_firmware_boots() -> None:
    """One image for BIOS, one for UEFI."""
    assert xorriso.boot_images(REPORT) == (
        BootImage("BIOS", "/isolinux/isolinux.bin"),
        BootImage("UEFI", "/boot/grub/efi.img"),
    )


def test_a_report_tells_the_options_that_recreate_a_medium() -> None:
    """Quotes are the report's, not the options'."""
    options = xorriso.options(REPORT)
    assert options[:4] == ("-V", "GOLDSMITH", "--modification-date=2023111422132000", "-c")
    assert options[-5:] == ("-e", "/boot/grub/efi.img", "-no-emul-boot", "-boot-load-size", "7168")


def test_a_medium_that_boots_nowhere_has_no_images() -> None:
    """An empty report is no error."""
    assert xorriso.boot_images("") == ()
    assert xorriso.options("Volume id : 'X'\n") == ()
