"""Makes floppy images with mtools: nothing is mounted, and the same files give the same bytes."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from goldsmith.host.runner import Command
    from goldsmith.tools.door import Door

# Names are given one by one, in a fixed order: mcopy -s takes a folder's in the order the disk has them.
_SCRIPT = """\
set -eu
folder=$1 image=$2 label=$3 serial=$4
shift 4
rm -f "$image"
(umask 077 && mformat -C -f 1440 -N "$serial" -v "$label" -i "$image" ::)
for name; do
  path=$folder/$name
  touch -h -d "@$SOURCE_DATE_EPOCH" "$path"
  if [ -d "$path" ]; then mmd -i "$image" "::$name"; else mcopy -m -i "$image" "$path" "::$name"; fi
done
"""


def floppy(door: Door, *, folder: str, files: Iterable[str], image: str, label: str, epoch: int) -> Command:
    """Return the command that makes the 1.44 MB *image* of *files* (relative to *folder*), all dated *epoch*.

    Paths are relative to the repository. The volume's serial number is made of *epoch*
    too, as mtools' own would be of the time.
    """
    paths = sorted(map(PurePosixPath, files))
    folders = {parent for path in paths for parent in path.parents} - {PurePosixPath()}
    names = [*sorted(folders), *paths]
    serial = f"{epoch & 0xFFFFFFFF:08x}"
    return door.command(
        ("sh", "-c", _SCRIPT, "floppy", folder, image, label, serial, *map(str, names)),
        # mtools writes local times.
        env={"SOURCE_DATE_EPOCH": str(epoch), "TZ": "UTC", "LC_ALL": "C"},
    )
