"""Reads what an ISO 9660 image says of itself in its first volume descriptor (ECMA-119, 8.4)."""

from __future__ import annotations

from dataclasses import dataclass

HEAD = 65_536
"""How much of an image is needed to tell, in bytes: the descriptors begin behind the system area of 32 KB."""
_SECTOR = 2048
_FIRST = 16
_PRIMARY = 1
_END = 255


@dataclass(frozen=True)
class Volume:
    """What an image says it is."""

    name: str
    size: int
    """Bytes; a whole image has at least as many."""


def volume(head: bytes) -> Volume:
    """Return what the image that begins with *head* says of itself.

    Raises ``ValueError`` with the reason when it is no such image.
    """
    if not any(head):
        raise ValueError("it is empty" if not head else "its first 64 KB are zeros")
    for start in range(_FIRST * _SECTOR, len(head) - _SECTOR + 1, _SECTOR):
        sector = head[start : start + _SECTOR]
        if sector[1:6] != b"CD001" or sector[0] == _END:
            break
        if sector[0] == _PRIMARY:
            blocks = int.from_bytes(sector[80:84], "little")
            size = int.from_bytes(sector[128:130], "little")
            if not blocks or not size:
                break
            return Volume(sector[40:72].decode("ascii", "replace").strip(), blocks * size)
    if len(head) <= _FIRST * _SECTOR:
        raise ValueError(f"it ends after {len(head)} bytes, before the descriptor of its volume")
    raise ValueError("it has no volume descriptor of ISO 9660 at byte 32768")
