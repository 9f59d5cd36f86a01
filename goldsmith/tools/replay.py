"""Makes an ISO anew with a few files changed: xorriso replays how it boots, and copies the rest as it is."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from goldsmith.runner import Command
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

# Written in one pass, as a stream; neither size nor memory is a limit. Nothing is forced onto the disk every few
# MB, which costs half of the time: what a power cut leaves is a .part that nobody takes for a medium.
_REPLAY = """\
set -eu
in=$1 out=$2 folder=$3 date=$4
shift 4
for path; do
  touch -h -d "@$SOURCE_DATE_EPOCH" "$folder/$path"
  set -- "$@" -map "$folder/$path" "/$path"
  shift
done
rm -f "$out"
xorriso -stdio_sync off -indev "$in" -outdev "$out" -volume_date m "$date" -boot_image any replay "$@" -commit -end
"""


def extract(door: Door, iso: str, folder: str) -> Command:
    """Return the command that copies the boot loaders' configurations and ``md5sum.txt`` of *iso* into *folder*."""
    return door.command(("sh", "-c", _EXTRACT, "extract", iso, folder), env={"LC_ALL": "C"})


def replay(door: Door, iso: str, *, to: str, folder: str, files: Iterable[str], epoch: int) -> Command:
    """Return the command that writes *iso* anew, with *files* from *folder* in place of its own.

    The same inputs give the same bytes: what is new is dated *epoch*.
    """
    date = datetime.fromtimestamp(epoch, UTC).strftime("%Y%m%d%H%M%S00")
    return door.command(
        ("sh", "-c", _REPLAY, "replay", iso, to, folder, date, *sorted(files)),
        env={"SOURCE_DATE_EPOCH": str(epoch), "TZ": "UTC", "LC_ALL": "C"},
    )


def report(door: Door, iso: str) -> Command:
    """Return the command that prints all that makes *iso* boot: El Torito, MBR and GPT."""
    return door.command(
        ("xorriso", "-indev", iso, "-report_el_torito", "plain", "-report_system_area", "plain"), env={"LC_ALL": "C"}
    )


def structure(printed: str) -> tuple[str, ...]:
    """Return what must be the same before and after: kinds, paths and flags, not where on the medium they lie.

    Of a GPT, its boot images and EFI partitions: xorriso leaves out a partition that only
    covers the ISO itself, and the table's GUIDs are made of the medium's date.
    """
    kept = []
    gpt: dict[str, dict[str, list[str]]] = {}
    for line in printed.splitlines():
        head, _, values = line.partition(":")
        words = shlex.split(values, posix=False) if "'" not in values else values.split()
        match head.split():
            case ["El", "Torito", "boot", "img"] if words and words[0].isdigit():
                # Number, platform, bootable, emulation, load segment, hard disk type; then size and place.
                kept.append(" ".join((head.strip(), *words[:6])))
            case ["MBR", "partition"] if words and words[0].isdigit():
                kept.append(" ".join((head.strip(), *words[:3])))  # number, status, type; then place and size
            case ["El", "Torito", "img", *_] | ["System", "area", *_] | ["MBR", "partition", "path"]:
                kept.append(" ".join((head.strip(), *words)))
            case ["MBR", *_] if "partition" not in head:
                kept.append(" ".join((head.strip(), *words)))
            case ["GPT", *about] if words and words[0].isdigit():
                gpt.setdefault(words[0], {})[" ".join(about)] = words[1:]
            case _:
                pass
    return (*kept, *sorted(filter(None, map(_partition, gpt.values()))))


_EFI_SYSTEM = "28732ac11ff8d211ba4b00a0c93ec93b"
"""The type of a partition that firmware boots from, as xorriso prints its bytes."""


def _partition(told: dict[str, list[str]]) -> str:
    """Return what counts of one partition of a GPT; nothing for one that no firmware boots from."""
    kind, place = (" ".join(told.get(name, ())) for name in ("type GUID", "partition path"))
    if not place and kind != _EFI_SYSTEM:
        return ""
    flags = " ".join(told.get("partition flags", ()))
    return f"GPT partition {place or 'appended'} type {kind} flags {flags}"
