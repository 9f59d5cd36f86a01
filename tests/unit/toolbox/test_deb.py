from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import CheckError
from goldsmith.toolbox import deb
from tests.unit.toolbox import packages

NAMES = st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){0,3}", fullmatch=True)
WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


def stored(folder: Path, data: bytes) -> Path:
    path = folder / "hello_1.0_amd64.deb"
    path.write_bytes(data)
    return path


def test_files_are_found_and_hard_links_followed(tmp_path: Path) -> None:
    """A file is returned under the name asked for, also when the package only links it."""
    path = stored(tmp_path, packages.package({"usr/a": b"one"}, links={"usr/b": "usr/a"}))
    assert deb.extract(path, ["usr/a", "usr/b"]) == {"usr/a": b"one", "usr/b": b"one"}


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A package without a file that is asked of it is refused, and the file named."""
    path = stored(tmp_path, packages.package({"usr/a": b""}))
    with pytest.raises(CheckError, match="usr/nothing"):
        deb.extract(path, ["usr/a", "usr/nothing"])


def test_members_have_plain_names(tmp_path: Path) -> None:
    """Names and the targets of hard links come without the leading dot."""
    path = stored(tmp_path, packages.package({"etc/x": b"1"}, links={"etc/y": "etc/x"}))
    assert [(entry.name, entry.linkname, data) for entry, data in deb.members(path)] == [
        ("etc/x", "", b"1"),
        ("etc/y", "etc/x", b""),
    ]


def test_control_files_are_read(tmp_path: Path) -> None:
    """The control member's files are returned by name."""
    path = stored(tmp_path, packages.package({}, control="Package: hello\nVersion: 1\n"))
    assert deb.control(path) == {"control": b"Package: hello\nVersion: 1\n"}


@pytest.mark.parametrize("keep", [0, 4, 30, 80, 200], ids=lambda keep: f"{keep} bytes")
def test_a_truncated_package_is_refused(tmp_path: Path, keep: int) -> None:
    """Whatever a download left of a package, reading it ends in an error that says so."""
    path = stored(tmp_path, packages.package({"usr/a": bytes(range(256)) * 40})[:keep])
    with pytest.raises(CheckError, match="is not a Debian package"):
        deb.extract(path, ["usr/a"])


@given(st.dictionaries(NAMES, st.binary(max_size=300), min_size=1, max_size=5))
def test_every_file_comes_back(files: dict[str, bytes]) -> None:
    """The members of an archive are those it was made of, whatever their sizes."""
    named = {name.replace("/", "-")[:15]: data for name, data in files.items()}
    archive = io.BytesIO(packages.ar(named))
    found = {name: member.read() for name, member in deb.ar_members(archive, Path("x.deb"))}
    assert found == named


@given(st.lists(st.dictionaries(st.from_regex(r"[A-Z][a-z-]{1,10}", fullmatch=True), WORDS, min_size=1), max_size=4))
def test_paragraphs_come_back(stanzas: list[dict[str, str]]) -> None:
    """Parsing what was written gives the same stanzas."""
    text = "\n".join("".join(f"{name}: {value}\n" for name, value in stanza.items()) for stanza in stanzas)
    assert list(deb.paragraphs(text)) == stanzas


def test_continuation_lines_belong_to_their_field() -> None:
    """A line that begins with a space continues the field before it."""
    assert list(deb.paragraphs("A: 1\n more\nB: 2\n")) == [{"A": "1\n more", "B": "2"}]
