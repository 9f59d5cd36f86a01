"""How answers and boot medium reach an installer: pure decisions that refuse what cannot work before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from goldsmith.errors import ConfigurationError
from goldsmith.spec import Delivery, Firmware, Installer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldsmith.spec import Image, Iso, Placement

FLOPPY_BYTES = 1_474_560
"""A 3.5" HD floppy: 80 tracks, 2 sides, 18 sectors of 512 bytes."""
_CLUSTER = 512
_DATA_CLUSTERS = FLOPPY_BYTES // _CLUSTER - 33
"""What is left for files behind the boot sector, two tables of nine sectors and the root folder of fourteen."""
_NAME_PART = 13
"""Characters of a long name that one entry of a folder holds."""
_ENTRIES_A_CLUSTER = _CLUSTER // 32


@dataclass(frozen=True)
class Composed:
    """The suite composes the boot medium, with the answers in it, for each build anew."""


@dataclass(frozen=True)
class Given:
    """The boot medium lies on the site's media datastore already, made by somebody's hand."""

    path: str
    """Relative to the datastore."""
    sha256: str = ""
    """Of the whole file, where it is known."""


@dataclass(frozen=True)
class Replayed:
    """The boot medium is the vendor's with other kernel options; many builds use it."""

    iso: Iso


Boot = Composed | Given | Replayed


def delivery(image: Image) -> Delivery:
    """Return how the answers of *image* reach its installer.

    Raises ``ConfigurationError`` for a combination that no machine could be installed with.
    """
    chosen = image.delivery or _usual(image.os.installer)
    match chosen:
        case Delivery.FLOPPY:
            _check_floppy(image)
        case Delivery.INITRD:
            _check_initrd(image)
        case never:
            assert_never(never)
    return chosen


def boot(image: Image, placement: Placement) -> Boot:
    """Return where the boot medium of *image* comes from.

    Raises ``ConfigurationError`` when the installer needs the vendor's medium and none is named.
    """
    if delivery(image) is Delivery.INITRD:
        return Composed()
    if placement.iso_path:
        return Given(placement.iso_path, placement.iso_sha256)
    if image.iso:
        return Replayed(image.iso)
    raise ConfigurationError(
        f"the image {image.name} has no boot medium",
        where=f"config/images/{image.name}.toml",
        why=f"{image.os.installer} starts from the vendor's medium, and neither the site nor the image names one",
        next="name one on the site's datastore: ISO_PATH, or placement.iso_path in the site's file;\n"
        "or let the suite make it from the vendor's: [iso] with path or url, and sha256, in the image's file",
    )


def floppy_space(files: Mapping[str, int]) -> int:
    """Return how many bytes of a floppy *files* (path to size) take: whole clusters, and those of their folders."""
    folders: dict[str, int] = {}
    for path in files:
        parts = path.split("/")
        for depth, name in enumerate(parts):
            folder = "/".join(parts[:depth])
            seen = "/".join(parts[: depth + 1])
            if depth == len(parts) - 1 or seen not in folders:
                folders[folder] = folders.get(folder, 2) + 1 + -(-len(name) // _NAME_PART)
            if depth < len(parts) - 1:
                folders.setdefault(seen, 2)
    clusters = sum(-(-size // _CLUSTER) for size in files.values())
    clusters += sum(-(-entries // _ENTRIES_A_CLUSTER) for folder, entries in folders.items() if folder)
    return clusters * _CLUSTER


def check_floppy_space(files: Mapping[str, int]) -> None:
    """Raise ``ConfigurationError`` when *files* (path to size in bytes) do not fit onto a floppy."""
    needed, there = floppy_space(files), _DATA_CLUSTERS * _CLUSTER
    if needed <= there:
        return
    largest = sorted(files.items(), key=lambda item: -item[1])[:5]
    raise ConfigurationError(
        "the answers do not fit onto a floppy",
        where="delivery = floppy",
        why="\n".join(
            [f"they take {needed} bytes, a floppy has {there}; the largest:"]
            + [f"  {path}: {size} bytes" for path, size in largest]
        ),
        next="name fewer certificates or keys in the site's file; what is large belongs into a package",
    )


def _usual(installer: Installer) -> Delivery:
    match installer:
        case Installer.PRESEED:
            return Delivery.INITRD
        case Installer.KICKSEED:
            return Delivery.FLOPPY
    assert_never(installer)


def _check_floppy(image: Image) -> None:
    where = f"config/images/{image.name}.toml: delivery"
    if image.os.installer is not Installer.KICKSEED:
        raise ConfigurationError(
            f"the installer of {image.os.family} {image.os.release} cannot read a floppy",
            where=where,
            why="its kernel has no floppy driver (none since Debian 12)",
            next="leave delivery out: the answers then go into the boot medium's initrd",
        )
    if image.hardware.firmware is not Firmware.BIOS:
        raise ConfigurationError(
            "a machine with EFI firmware shows no floppy drive to its installer",
            where=f"config/images/{image.name}.toml: hardware.firmware = {image.hardware.firmware}",
            why="the answers of this image are delivered on a floppy, which is a legacy of BIOS machines",
            next='set hardware.firmware = "bios", or use a release whose installer needs no floppy',
        )


def _check_initrd(image: Image) -> None:
    if image.os.installer is not Installer.PRESEED:
        raise ConfigurationError(
            f"the answers for {image.os.installer} cannot go into the initrd",
            where=f"config/images/{image.name}.toml: delivery",
            why="its boot medium is the vendor's, used by many builds, and answers hold secrets of one",
            next="leave delivery out: the answers then go onto a virtual floppy",
        )
