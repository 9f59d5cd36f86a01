"""Writes the ``newc`` cpio archives that a Linux kernel unpacks as its first root file system."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from goldsmith.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAGIC = b"070701"
_TRAILER = "TRAILER!!!"
_DIRECTORY_MODE = stat.S_IFDIR | 0o755


@dataclass(frozen=True)
class File:
    """A regular file as it is to appear in the archive, owned by root."""

    data: bytes
    mode: int = 0o644
    """Permission bits only."""

    def __repr__(self) -> str:
        """Show no content: answers hold secrets."""
        return f"File({len(self.data)} bytes, mode={self.mode:04o})"


def archive(files: Mapping[str, File], *, mtime: int) -> bytes:
    """Return the archive of *files* (relative path → file), the same for the same input.

    Every directory on the way gets an entry of its own: the kernel silently drops
    a file whose directory it has not met. *mtime* is in seconds since 1970.

    Raises ``ConfigurationError`` when a path is absolute, climbs, or is a file and a directory at once.
    """
    paths = {_checked(name): file for name, file in files.items()}
    folders = {str(parent) for path in paths for parent in PurePosixPath(path).parents} - {"."}
    if both := sorted(folders & set(paths)):
        raise ConfigurationError(
            f"{both[0]} is both a file and a directory", where="the files for the installer's initrd"
        )
    modes = {**dict.fromkeys(folders, _DIRECTORY_MODE), **{p: stat.S_IFREG | f.mode for p, f in paths.items()}}
    # Sorted by parts, not by text: "a.b" must not come between "a" and "a/b".
    ordered = sorted(modes, key=lambda name: PurePosixPath(name).parts)
    entries = [
        _entry(name, mode=modes[name], data=paths[name].data if name in paths else b"", inode=number, mtime=mtime)
        for number, name in enumerate(ordered, start=1)
    ]
    return b"".join([*entries, _entry(_TRAILER, mode=0, data=b"", inode=0, mtime=0)])


def _checked(name: str) -> str:
    path = PurePosixPath(name)
    if not name or path.is_absolute() or ".." in path.parts or str(path) in (".", _TRAILER) or "\0" in name:
        raise ConfigurationError(
            f"{name!r} cannot be a file in the installer's initrd",
            why="it must be a path below the root, without '..'",
        )
    return str(path)


def _entry(name: str, *, mode: int, data: bytes, inode: int, mtime: int) -> bytes:
    encoded = name.encode(errors="surrogateescape") + b"\0"
    links = 2 if stat.S_ISDIR(mode) else 1
    # In order: inode, mode, uid, gid, links, mtime, size, four device numbers, name's size, checksum.
    fields = (inode, mode, 0, 0, links, mtime, len(data), 0, 0, 0, 0, len(encoded), 0)
    header = _MAGIC + b"".join(b"%08X" % field for field in fields)
    return _fill(header + encoded) + _fill(data)


def _fill(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % 4)
