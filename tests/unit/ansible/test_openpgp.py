"""Fingerprints of OpenPGP keys."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from types import ModuleType


def armoured(*packets: bytes) -> str:
    """Return packets as a key file."""
    text = base64.b64encode(b"".join(packets)).decode()
    head, tail = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"
    return f"{head}\nVersion: test\n\n{text}\n=abcd\n{tail}\n"


def packet(tag: int, body: bytes, *, old: bool = False) -> bytes:
    """Return one packet with a four-byte (new) or two-byte (old) length."""
    if old:
        return bytes([0x80 | tag << 2 | 1]) + len(body).to_bytes(2, "big") + body
    return bytes([0xC0 | tag, 255]) + len(body).to_bytes(4, "big") + body


@pytest.mark.parametrize("old", [False, True])
def test_primary_keys_only(openpgp: ModuleType, *, old: bool) -> None:
    """User ids, subkeys and signatures are no primary keys."""
    body = b"\x04" + b"k" * 50
    text = armoured(packet(6, body, old=old), packet(13, b"name"), packet(14, b"\x04sub"), packet(2, b"sig"))
    wanted = hashlib.sha1(b"\x99\x00\x33" + body, usedforsecurity=False).hexdigest().upper()
    assert openpgp.fingerprints(text) == [wanted]


def test_a_second_key_is_seen(openpgp: ModuleType) -> None:
    """A file with a foreign key behind the right one does not pass for the right one."""
    first, second = packet(6, b"\x04one"), packet(6, b"\x04two")
    assert len(openpgp.fingerprints(armoured(first, second))) == 2
    assert len(openpgp.fingerprints(armoured(first) + armoured(second))) == 2


@given(st.text())
def test_any_text_gives_keys_or_a_value_error(openpgp: ModuleType, text: str) -> None:
    """Whatever is in the file: never another exception."""
    try:
        openpgp.fingerprints("-----BEGIN PGP PUBLIC KEY BLOCK-----" + text)
    except ValueError:
        return


@given(st.binary(max_size=80))
def test_any_packets_give_keys_or_a_value_error(openpgp: ModuleType, data: bytes) -> None:
    """Damaged packets as well."""
    try:
        found = openpgp.fingerprints(armoured(data))
    except ValueError:
        return
    assert all(len(one) in {40, 64} for one in found)
