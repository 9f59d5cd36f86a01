"""Composes a bootable ISO from a prepared tree with mtools and xorriso, and reads xorriso's reports about one."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError

if TYPE_CHECKING:
    from goldsmith.host.runner import Command
    from goldsmith.tools.door import Door

TREE = "iso"
"""Folder of what goes onto the medium."""
EFI_TREE = "efi"
"""Folder of what goes into the FAT image that UEFI boots from."""
OUTPUT = "medium.iso"

# One container run for everything: starting a container costs more than composing does.
# The dates of all files become the medium's, or the same inputs would give other bytes tomorrow.
_SCRIPT = """\
set -eu
cd "$1"
find iso efi -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
mformat -C -i iso/boot/grub/efi.img -T "$4" -h 16 -s 32 -N "$5" -v ESP ::
mcopy -s -m -i iso/boot/grub/efi.img efi/* ::
touch -d "@$SOURCE_DATE_EPOCH" iso/boot/grub/efi.img iso/boot/grub
xorriso -as mkisofs -quiet -r -J -V "$2" --modification-date="$3" \
 -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table \
 -eltorito-alt-boot -e boot/grub/efi.img -no-emul-boot \
 -o medium.iso iso
"""

_SECTOR_BYTES = 512
_SPARE_SECTORS = 512
"""Room in the FAT image for its own tables and directories."""


@dataclass(frozen=True, kw_only=True)
class Compose:
    """What the script needs to know; the tree holds the rest."""

    folder: str
    """Relative to the repository; has ``iso`` and ``efi``, and gets ``medium.iso``."""
    volume_id: str
    """At most 32 of A-Z, 0-9 and _."""
    epoch: int
    """The date of everything on the medium, in seconds since 1970."""
    efi_bytes: int
    """The size of the files that go into the FAT image."""


def compose(door: Door, what: Compose) -> Command:
    """Return the command that makes ``medium.iso``, byte for byte the same for the same tree, name and date."""
    sectors = _rounded(-(-what.efi_bytes // _SECTOR_BYTES) + _SPARE_SECTORS, to=16 * 32)
    serial = f"{what.epoch & 0xFFFFFFFF:08x}"
    return door.command(
        ("sh", "-c", _SCRIPT, "compose", what.folder, what.volume_id, _date(what.epoch), str(sectors), serial),
        # mtools writes local times.
        env={"SOURCE_DATE_EPOCH": str(what.epoch), "TZ": "UTC", "LC_ALL": "C"},
    )


# Joliet and Rock Ridge, because installers differ in which names they read. A serial number of the volume is its
# date, which is the lock's.
_DISC = """\
set -eu
umask 077
rm -f "$2"
find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
xorriso -as mkisofs -quiet -r -J -V "$3" --modification-date="$4" -o "$2" "$1"
"""


def data_disc(door: Door, *, folder: str, output: str, label: str, epoch: int) -> Command:
    """Return the command that makes *output* of the files in *folder*, all dated *epoch*; it does not boot.

    Paths are relative to the repository; *label* is the volume's name (at most 32 characters).
    """
    return door.command(
        ("sh", "-c", _DISC, "disc", folder, output, label, _date(epoch)),
        env={"SOURCE_DATE_EPOCH": str(epoch), "TZ": "UTC", "LC_ALL": "C"},
    )


def _date(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y%m%d%H%M%S00")


def report(door: Door, iso: str) -> Command:
    """Return the command that prints how *iso* boots: its El Torito table and its system area."""
    return door.command(
        ("xorriso", "-indev", iso, "-report_el_torito", "plain", "-report_el_torito", "as_mkisofs",
         "-report_system_area", "plain"),
    )  # fmt: skip


@dataclass(frozen=True)
class BootImage:
    """One entry of the El Torito table."""

    platform: str
    """``BIOS`` or ``UEFI``."""
    path: str


def boot_images(printed: str) -> tuple[BootImage, ...]:
    """Return the boot images that a report lists, in their order."""
    platforms: dict[str, str] = {}
    paths: dict[str, str] = {}
    for line in printed.splitlines():
        head, _, values = line.partition(":")
        words = values.split()
        match head.split():
            case ["El", "Torito", "boot", "img"] if len(words) > 1 and words[0].isdigit():
                platforms[words[0]] = words[1]
            case ["El", "Torito", "img", "path"] if len(words) > 1:
                paths[words[0]] = words[1]
            case _:
                pass
    return tuple(BootImage(platform, paths.get(number, "")) for number, platform in platforms.items())


def options(printed: str) -> tuple[str, ...]:
    """Return the mkisofs options that recreate how the medium boots, as a report lists them.

    Raises ``CheckError`` when it cannot be read: names in it are those on the medium.
    """
    try:
        return tuple(word for line in printed.splitlines() if line.startswith("-") for word in shlex.split(line))
    except ValueError as error:
        raise CheckError(
            "how the medium boots cannot be read",
            where="xorriso -report_el_torito as_mkisofs",
            why=str(error),
            next="give another medium: a path on this one has odd characters",
        ) from None


def _rounded(value: int, *, to: int) -> int:
    return -(-value // to) * to
