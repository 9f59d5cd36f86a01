"""Fingerprints of the keys in an armoured OpenPGP file, without gpg: the toolbox has none."""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PUBLIC_KEY = 6  # packet tag of a primary key (RFC 9580, 5); subkeys are 14
BEGIN, END = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"


def _dearmour(text: str) -> Iterator[bytes]:
    """Yield the bytes of each armoured block; ValueError when one is damaged."""
    for block in text.split(BEGIN)[1:]:
        body, end, _ = block.partition(END)
        if not end:
            raise ValueError("an armoured block has no end")
        # A blank line ends the armour's headers; the last line may be a checksum.
        _, _, data = body.replace("\r\n", "\n").partition("\n\n")
        lines = [line.strip() for line in data.splitlines() if line.strip() and not line.startswith("=")]
        try:
            yield base64.b64decode("".join(lines), validate=True)
        except binascii.Error as error:
            raise ValueError(f"an armoured block is damaged: {error}") from error


def _length(data: bytes, at: int) -> tuple[int, int]:
    """Return the length that a new-format packet header gives at *at*, and where the body begins."""
    first = data[at]
    if first < 192:  # noqa: PLR2004 - the limits of RFC 9580, 4.2.1
        return first, at + 1
    if first < 224:  # noqa: PLR2004
        return ((first - 192) << 8) + data[at + 1] + 192, at + 2
    if first == 255:  # noqa: PLR2004
        return int(struct.unpack_from(">I", data, at + 1)[0]), at + 5
    raise ValueError("packets of unknown length are no keys")


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and body of each packet."""
    at = 0
    while at < len(data):
        header = data[at]
        if not header & 0x80:
            raise ValueError("this is no OpenPGP packet")
        if header & 0x40:
            tag, (size, body) = header & 0x3F, _length(data, at + 1)
        else:
            tag, width = (header >> 2) & 0x0F, 1 << (header & 3)
            if width == 8:  # noqa: PLR2004 - old format, indeterminate length
                raise ValueError("packets of unknown length are no keys")
            body = at + 1 + width
            size = int.from_bytes(data[at + 1 : body], "big")
        if body + size > len(data):
            raise ValueError("a packet is cut short")
        yield tag, data[body : body + size]
        at = body + size


def fingerprints(text: str) -> list[str]:
    """Return the fingerprints (hexadecimal, upper case) of the primary keys, in the file's order.

    Raises ValueError when the text is damaged or a key is neither version 4 nor 6.
    """
    found = []
    for block in _dearmour(text):
        try:
            bodies = [body for tag, body in _packets(block) if tag == PUBLIC_KEY]
        except (IndexError, struct.error) as error:
            raise ValueError("a packet is cut short") from error
        for body in bodies:
            if body[:1] == b"\x04":
                digest = hashlib.sha1(b"\x99" + struct.pack(">H", len(body)) + body, usedforsecurity=False)
            elif body[:1] == b"\x06":
                digest = hashlib.sha256(b"\x9b" + struct.pack(">I", len(body)) + body)
            else:
                raise ValueError("a key of an old version cannot be pinned")
            found.append(digest.hexdigest().upper())
    return found


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[[str], list[str]]]:
        """Return the filters by name."""
        return {"openpgp_fingerprints": fingerprints}
