"""What an ISO says of itself, and what is none."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.tools import iso9660


def head(name: bytes = b"XENIAL", blocks: int = 400) -> bytes:
    sector = bytearray(2048)
    sector[0:6] = b"\x01CD001"
    sector[40:72] = name.ljust(32)
    sector[80:84] = blocks.to_bytes(4, "little")
    sector[128:130] = (2048).to_bytes(2, "little")
    return bytes(32768) + bytes(sector) + bytes(2048)


def test_a_volume() -> None:
    """Name and size are read from the primary descriptor."""
    assert iso9660.volume(head()) == iso9660.Volume("XENIAL", 400 * 2048)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(b"", "empty", id="empty"),
        pytest.param(bytes(65536), "zeros", id="a hole"),
        pytest.param(b"PK\x03\x04" + bytes(70000), "no volume descriptor", id="another format"),
        pytest.param(b"x" * 100, "ends after 100 bytes", id="cut off early"),
        pytest.param(head(blocks=0) + b"x", "no volume descriptor", id="no size"),
    ],
)
def test_what_is_no_iso(data: bytes, words: str) -> None:
    """Each is refused with the reason."""
    with pytest.raises(ValueError, match=words):
        iso9660.volume(data)


@given(st.binary(max_size=70000))
def test_any_bytes_are_an_answer(data: bytes) -> None:
    """Whatever the file holds, it is a volume or a reason; never another exception."""
    with contextlib.suppress(ValueError):
        assert iso9660.volume(data).size
