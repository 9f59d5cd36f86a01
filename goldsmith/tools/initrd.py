"""An installer's kernel and initrd: which kernel it is, and our files added behind the vendor's."""

from __future__ import annotations

import gzip
import shutil
from typing import IO, TYPE_CHECKING

from goldsmith.errors import CheckError
from goldsmith.tools import cpio

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_SETUP_BYTES = 0x8000
"""The setup code at the head of a kernel image is at most this long (64 sectors)."""


def segment(files: Mapping[str, cpio.File], *, mtime: int) -> bytes:
    """Return *files* as a compressed cpio segment; the kernel unpacks it over what came before.

    The same input gives the same bytes: gzip's own time stamp is left out.
    """
    # Level 6: answers are small, and xorriso does not compress any further.
    return gzip.compress(cpio.archive(files, mtime=mtime), compresslevel=6, mtime=0)


def append(vendor: Path, addition: bytes, *, to: IO[bytes]) -> None:
    """Write the *vendor*'s initrd followed by *addition*: a kernel takes any number of compressed segments."""
    with vendor.open("rb") as source:
        shutil.copyfileobj(source, to, 1 << 20)
    to.write(addition)


def kernel_release(kernel: Path) -> str:
    """Return the release (``6.12.107+deb13-amd64``) that a bzImage says it is, as ``uname -r`` will print it.

    The offsets are those of the Linux boot protocol (Documentation/arch/x86/boot.rst).
    Raises ``CheckError`` when the file is no such kernel.
    """
    with kernel.open("rb") as file:
        head = file.read(_SETUP_BYTES)
    pointer = int.from_bytes(head[0x20E:0x210], "little")
    text = head[pointer + 0x200 :].split(b"\0", 1)[0].split(b" ", 1)[0].decode("ascii", "replace")
    if head[0x202:0x206] != b"HdrS" or not pointer or not text:
        raise CheckError(
            "the installer's kernel cannot be read",
            where=str(kernel),
            why="it has no header of the Linux boot protocol",
            next="the installer package changed its layout: lock another version of it",
        )
    return text
