"""Makes an ISO anew with a few files changed, which boots as before: all else stays as it is, and where it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from goldsmith.host.runner import Command
    from goldsmith.tools.door import Door

# xorriso prints each path quoted for a shell, which is what eval takes apart again.
_EXTRACT = """\
set -eu
iso=$1 folder=$2
mkdir -p "$folder"
found=$(xorriso -indev "$iso" -find / -type f -name '*.cfg' -exec echo -- 2>"$folder/.log" &&
  xorriso -indev "$iso" -find / -maxdepth 1 -type f -name md5sum.txt -exec echo -- 2>>"$folder/.log") || {
  cat "$folder/.log" >&2; exit 1; }
eval "set -- $(echo "$found" | tr '\\n' ' ')"
[ $# -gt 0 ] || { rm "$folder/.log"; exit 0; }
for path; do set -- "$@" -extract "$path" "$folder$path"; shift; done
xorriso -osirrox on -indev "$iso" "$@" 2>>"$folder/.log" || { cat "$folder/.log" >&2; exit 1; }
rm "$folder/.log"
chmod -R u+rwX "$folder"
"""

# What lies on the medium stays where it is, boot images too: xorriso appends the new files and a new directory tree,
# and points to it from the volume descriptors. The system area before them (MBR, GPT, partition tables), which
# xorriso may adapt to the new size, is put back as it was. Nothing is forced onto the disk every few MB, which costs
# half of the time: what a power cut leaves is a .part that nobody takes for a medium.
_CHANGE = """\
set -eu
iso=$1 copy=$2 folder=$3 date=$4
shift 4
for path; do
  touch -h -d "@$SOURCE_DATE_EPOCH" "$folder/$path"
  set -- "$@" -map "$folder/$path" "/$path"
  shift
done
joliet=off
if xorriso -indev "$iso" -toc 2>&1 | grep -q '^ISO offers.*Joliet'; then joliet=on; fi
xorriso -stdio_sync off -dev "$copy" -joliet "$joliet" -volume_date m "$date" -boot_image any keep "$@" -commit -end
dd if="$iso" of="$copy" bs=32768 count=1 conv=notrunc status=none
"""

# The system area is what lies before the volume descriptors (ECMA-119, 6.2.1): 16 sectors of 2048 bytes.
_REPORT = """\
set -eu
xorriso -indev "$1" -report_el_torito plain -report_system_area plain
printf 'System area sha256 : %s\\n' "$(head -c 32768 "$1" | sha256sum)"
"""


def extract(door: Door, iso: str, folder: str) -> Command:
    """Return the command that copies the boot loaders' configurations and ``md5sum.txt`` of *iso* into *folder*."""
    return door.command(("sh", "-c", _EXTRACT, "extract", iso, folder), env={"LC_ALL": "C"})


def change(door: Door, iso: str, *, copy: str, folder: str, files: Iterable[str], epoch: int) -> Command:
    """Return the command that puts *files* from *folder* into *copy*, which is one of *iso*, in place of its own.

    The same inputs give the same bytes: what is new is dated *epoch*.
    """
    date = datetime.fromtimestamp(epoch, UTC).strftime("%Y%m%d%H%M%S00")
    return door.command(
        ("sh", "-c", _CHANGE, "change", iso, copy, folder, date, *sorted(files)),
        env={"SOURCE_DATE_EPOCH": str(epoch), "TZ": "UTC", "LC_ALL": "C"},
    )


def report(door: Door, iso: str) -> Command:
    """Return the command that prints all that makes *iso* boot: El Torito, MBR, GPT, and a sum of its system area."""
    return door.command(("sh", "-c", _REPORT, "report", iso), env={"LC_ALL": "C"})


_SIZE_DECIDES = ("System area options", "System area summary", "ISO image size/512", "El Torito catalog")
"""What xorriso derives from the medium's size, or what lies elsewhere now."""


def structure(printed: str) -> tuple[str, ...]:
    """Return what must be the same before and after: every line but those that the medium's size decides."""
    kept = (line for line in printed.splitlines() if line.startswith(("El Torito", "System area", "MBR", "GPT")))
    return tuple(line for line in kept if not line.startswith(_SIZE_DECIDES))
