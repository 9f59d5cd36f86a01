from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import CheckError
from goldsmith.toolbox import cpio


def entry(name: str, data: bytes, mode: int = 0o100644) -> bytes:
    fields = [1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = b"070701" + "".join(f"{field:08X}" for field in fields).encode() + name.encode() + b"\0"
    return padded(head) + padded(data)


def padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def initrd(files: dict[str, bytes]) -> bytes:
    inner = b"".join(entry(name, data) for name, data in files.items()) + entry("TRAILER!!!", b"")
    return gzip.compress(inner)


@given(st.dictionaries(st.from_regex(r"[a-z]{1,9}(/[a-z.]{1,9})?", fullmatch=True), st.binary(max_size=40), max_size=5))
def test_every_file_is_found(files: dict[str, bytes]) -> None:
    """Names and contents of any length are read, whatever padding they need."""
    assert {name: data for name, _, data in cpio.entries(initrd(files))} == files


@pytest.mark.parametrize(
    "data",
    [b"", b"no gzip", gzip.compress(b"no cpio"), gzip.compress(entry("a", b"x")), initrd({"a": b"x" * 999})[:60]],
    ids=["empty", "no gzip", "no cpio", "no trailer", "truncated"],
)
def test_a_damaged_initrd_is_refused(data: bytes) -> None:
    """What is not whole is never read as less."""
    with pytest.raises(CheckError, match="initrd"):
        list(cpio.entries(data))
