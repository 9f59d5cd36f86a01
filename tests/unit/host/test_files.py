"""What the system says about files of our own reaches people in four parts; a file that is something else is none."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from goldsmith.errors import Exit
from goldsmith.host import files
from goldsmith.host.workspace import holding, write_if_changed
from goldsmith.tools import netboot


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """Also where the system only says why: a disk is full when data is written, not when a file is opened."""
    with pytest.raises(files.FileError) as caught, files.ours(tmp_path / "build.json"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    error = caught.value
    assert (error.where, error.why) == (str(tmp_path / "build.json"), "No space left on device")
    assert "free some space" in error.next
    assert error.exit_code is Exit.TOOL


@pytest.mark.parametrize("path", ["/proc/nope/x", "/dev/null/x"])
def test_a_folder_that_cannot_be_made_is_an_error_in_four_parts(path: str) -> None:
    """Locks and states alike, wherever somebody put the cache."""
    with pytest.raises(files.FileError, match="cannot be used"):
        write_if_changed(Path(path), "x")
    with pytest.raises(files.FileError, match="cannot be used"), holding(Path(path), what="x"):
        pass


def test_an_error_nobody_expected_says_which_line_used_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The system names no file when a disk turns out to be full, or broken, while it is read or written."""

    def broken(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(hashlib, "file_digest", broken)
    (tmp_path / "x").touch()
    with pytest.raises(OSError, match="Input/output") as caught:
        netboot.sha256(tmp_path / "x")
    found = files.explained(caught.value)
    assert found is not None
    assert "tools/netboot.py, line" in found.where
    assert found.why == "Input/output error"


@pytest.mark.parametrize("error", [ConnectionResetError(errno.ECONNRESET, "reset"), OSError("of a library")])
def test_what_is_about_no_file_is_a_bug(error: OSError) -> None:
    """It keeps its traceback."""
    assert files.explained(error) is None


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[" * 100_000, b"9" * 5_000, b"[5]"])
def test_what_is_no_json_object_is_an_empty_one(tmp_path: Path, content: bytes) -> None:
    """Cut off, no text, nested too deep, too long a number, not an object; and what is not there."""
    (tmp_path / "x").write_bytes(content)
    assert files.read_object(tmp_path / "x") == {}
    assert files.read_object(tmp_path / "y") == {}


def test_an_object_is_returned_as_it_is(tmp_path: Path) -> None:
    """What it must hold is for its reader to say."""
    (tmp_path / "x").write_text('{"a": [5]}')
    assert files.read_object(tmp_path / "x") == {"a": [5]}
