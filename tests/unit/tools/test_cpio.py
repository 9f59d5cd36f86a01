"""The archive holds what it was given, in a form the kernel accepts, and always the same bytes."""

from __future__ import annotations

import gzip
import stat
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import ConfigurationError
from goldsmith.toolbox.cpio import entries
from goldsmith.tools import cpio

EPOCH = 1_700_000_000
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=8).filter(
    lambda name: name not in (".", "..", "TRAILER!!!") and name == name.strip("/")
)
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
FILES = st.builds(cpio.File, st.binary(max_size=40), st.sampled_from([0o600, 0o644, 0o755]))


def _apart(files: dict[str, cpio.File]) -> bool:
    """Tell whether no path is a folder of another."""
    return not any(other.startswith(f"{path}/") for path in files for other in files)


TREES = st.dictionaries(PATHS, FILES, max_size=6).filter(_apart)


def _read(archive: bytes) -> list[tuple[str, int, bytes]]:
    return list(entries(gzip.compress(archive)))


@given(TREES)
def test_what_goes_in_comes_out(files: dict[str, cpio.File]) -> None:
    """Every file is found with its content and mode by another reader."""
    found = {name: (mode, data) for name, mode, data in _read(cpio.archive(files, mtime=EPOCH)) if stat.S_ISREG(mode)}
    assert found == {name: (stat.S_IFREG | file.mode, file.data) for name, file in files.items()}


@given(TREES)
def test_folders_come_before_what_is_in_them(files: dict[str, cpio.File]) -> None:
    """The kernel has met every folder by the time it unpacks a file of it: it would drop the file without a word."""
    met = {"."}
    for name, mode, _ in _read(cpio.archive(files, mtime=EPOCH)):
        assert str(PurePosixPath(name).parent) in met
        if stat.S_ISDIR(mode):
            met.add(name)


@given(TREES)
def test_order_of_the_input_does_not_matter(files: dict[str, cpio.File]) -> None:
    """The same files make the same bytes, in whatever order they were rendered."""
    backwards = dict(reversed(files.items()))
    assert cpio.archive(files, mtime=EPOCH) == cpio.archive(backwards, mtime=EPOCH)


@given(TREES)
def test_everything_begins_at_a_multiple_of_four(files: dict[str, cpio.File]) -> None:
    """The kernel wants headers and contents aligned."""
    assert len(cpio.archive(files, mtime=EPOCH)) % 4 == 0


def test_header_is_the_documented_one() -> None:
    """Owner root, one link, the given date: field by field as the format's description has it."""
    archive = cpio.archive({"f": cpio.File(b"data", 0o600)}, mtime=EPOCH)
    assert archive[:110] == (
        b"070701"
        b"00000001"  # inode
        b"00008180"  # regular file, 0600
        b"00000000" b"00000000"  # root, root
        b"00000001"  # links
        b"6553F100"  # mtime
        b"00000004"  # size
        b"00000000" b"00000000" b"00000000" b"00000000"  # devices
        b"00000002"  # the name's size, with its end
        b"00000000"
    )  # fmt: skip


@pytest.mark.parametrize("name", ["", "/etc/passwd", "../up", "a/../../b", ".", "TRAILER!!!", "nul\0"])
def test_paths_out_of_the_root_are_refused(name: str) -> None:
    """No name of an answer can reach what is not ours, or end the archive early."""
    with pytest.raises(ConfigurationError):
        cpio.archive({name: cpio.File(b"")}, mtime=EPOCH)


def test_a_file_that_is_also_a_folder_is_refused() -> None:
    """The kernel would keep one of the two; nobody could say which."""
    with pytest.raises(ConfigurationError, match="both a file and a directory"):
        cpio.archive({"a": cpio.File(b""), "a/b": cpio.File(b"")}, mtime=EPOCH)


def test_content_does_not_show_in_messages() -> None:
    """Answers hold secrets, and representations end up in tracebacks."""
    assert "hunter2" not in repr(cpio.File(b"hunter2"))
