"""Reads the newc cpio archives that an initrd is made of."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADER_BYTES = 110
_MAGIC = b"070701"
_TRAILER = "TRAILER!!!"


def entries(initrd: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Yield path, mode and content of each entry of a gzip-compressed initrd.

    Raises ``CheckError`` when it is damaged.
    """
    try:
        yield from _unpacked(gzip.decompress(initrd))
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise _damaged(str(error)) from None


def _unpacked(data: bytes) -> Iterator[tuple[str, int, bytes]]:
    at = 0
    while data[at : at + 6] == _MAGIC:
        fields = [int(data[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        mode, size, name_size = fields[1], fields[6], fields[11]
        name = data[at + _HEADER_BYTES : at + _HEADER_BYTES + name_size - 1].decode()
        at = _aligned(at + _HEADER_BYTES + name_size)
        if name == _TRAILER:
            return
        yield name.removeprefix("./").strip("/"), mode, data[at : at + size]
        at = _aligned(at + size)
    raise _damaged("it ends without a trailer")


def _aligned(offset: int) -> int:
    """Headers and contents begin at multiples of four."""
    return (offset + 3) // 4 * 4


def _damaged(why: str) -> CheckError:
    return CheckError(
        "the initrd of the installer cannot be read", why=why, next="remove it from the cache; it is then fetched again"
    )
