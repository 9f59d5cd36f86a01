"""Our files behind the vendor's initrd, and what the vendor's kernel says it is."""

from __future__ import annotations

import gzip
import io
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import CheckError
from goldsmith.toolbox.cpio import entries
from goldsmith.tools import cpio, initrd

if TYPE_CHECKING:
    from pathlib import Path


def _kernel(release: bytes, *, magic: bytes = b"HdrS", pointer: int = 0x3000) -> bytes:
    head = bytearray(0x8000)
    head[0x202:0x206] = magic
    head[0x20E:0x210] = pointer.to_bytes(2, "little")
    text = release + b" (somebody@example.com) #1 SMP\0"
    head[pointer + 0x200 : pointer + 0x200 + len(text)] = text
    return bytes(head)


def test_the_segment_is_the_same_each_time_and_carries_no_date() -> None:
    """Gzip would otherwise write the time of its run into the header."""
    files = {"preseed.cfg": cpio.File(b"d-i x/y string z\n")}
    segment = initrd.segment(files, mtime=5)
    assert segment == initrd.segment(files, mtime=5)
    assert segment[4:8] == bytes(4)
    assert [(name, data) for name, _, data in entries(segment)] == [("preseed.cfg", b"d-i x/y string z\n")]


def test_the_vendors_initrd_comes_first_and_unchanged(tmp_path: Path) -> None:
    """What comes later wins, so answers can replace files of the installer, and never the other way round."""
    vendor = tmp_path / "initrd.gz"
    vendor.write_bytes(gzip.compress(b"vendor"))
    out = io.BytesIO()
    initrd.append(vendor, b"ours", to=out)
    assert out.getvalue() == vendor.read_bytes() + b"ours"


def test_the_release_is_the_first_word_of_the_kernels_version(tmp_path: Path) -> None:
    """It is what uname prints, and what the names of the installer's modules contain."""
    kernel = tmp_path / "linux"
    kernel.write_bytes(_kernel(b"6.12.107+deb13-amd64"))
    assert initrd.kernel_release(kernel) == "6.12.107+deb13-amd64"


@pytest.mark.parametrize(
    "content",
    [b"", b"MZ", _kernel(b"6.1", magic=b"none"), _kernel(b"6.1", pointer=0), _kernel(b"")],
    ids=["empty", "short", "no header", "no pointer", "no text"],
)
def test_something_else_than_a_kernel_is_refused(tmp_path: Path, content: bytes) -> None:
    """A changed package layout is noticed here, not when a machine fails to boot."""
    kernel = tmp_path / "linux"
    kernel.write_bytes(content)
    with pytest.raises(CheckError, match="cannot be read"):
        initrd.kernel_release(kernel)
