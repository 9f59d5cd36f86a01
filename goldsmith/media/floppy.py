"""Makes a floppy image with the answers of one build, and knows how much of it they take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.errors import ConfigurationError
from goldsmith.host.workspace import SECRET_MODE
from goldsmith.tools import mtools

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from goldsmith.media.workbench import Workbench

BYTES = 1_474_560
"""A 3.5" HD floppy: 80 tracks, 2 sides, 18 sectors of 512 bytes."""
_CLUSTER = 512
_DATA_CLUSTERS = BYTES // _CLUSTER - 33
"""What is left for files behind the boot sector, two tables of nine sectors and the root folder of fourteen."""
_NAME_PART = 13
"""Characters of a long name that one entry of a folder holds."""
_ENTRIES_A_CLUSTER = _CLUSTER // 32


@dataclass(frozen=True)
class Contents:
    """What goes onto a floppy."""

    files: Mapping[str, Path]
    """Path on the floppy to the file; all of them lie in one folder of the repository."""
    label: str


def compose(contents: Contents, output: Path, work: Workbench) -> int:
    """Make the floppy image, readable for its owner only; return how many bytes its files take.

    Raises ``ConfigurationError`` when more is to be put onto it than fits.
    """
    sizes = {name: path.stat().st_size for name, path in contents.files.items()}
    check_space(sizes)
    name, first = next(iter(contents.files.items()))
    folder = first.parents[name.count("/")]
    output.parent.mkdir(parents=True, exist_ok=True)
    part = output.with_suffix(".part")
    command = mtools.floppy(
        work.door,
        folder=folder.relative_to(work.root).as_posix(),
        files=sizes,
        image=part.relative_to(work.root).as_posix(),
        label=contents.label,
        epoch=work.lock.source_date_epoch,
    )
    work.runner.run(command, log=work.log)
    part.chmod(SECRET_MODE)
    part.replace(output)
    return space(sizes)


def space(files: Mapping[str, int]) -> int:
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


def check_space(files: Mapping[str, int]) -> None:
    """Raise ``ConfigurationError`` when *files* (path to size in bytes) do not fit onto a floppy."""
    needed, there = space(files), _DATA_CLUSTERS * _CLUSTER
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
        next="name fewer certificates or keys in the site's file; what is large belongs in a package",
    )
