from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import CheckError, ConfigurationError
from goldsmith.host.runner import Command, Completed
from goldsmith.toolbox.mirrors import Mirrors
from goldsmith.toolbox.relock.apt import Apt, udeb_closure, udeb_row
from tests.unit.fakes import FakeRunner

if TYPE_CHECKING:
    from pathlib import Path

MIRRORS = Mirrors(debian="http://m/debian", security="http://m/debian-security")
HASH = "0" * 64


def apt(folder: Path, runner: FakeRunner | None = None, *, component: str = "main") -> Apt:
    return Apt(
        folder=folder,
        mirrors=MIRRORS,
        suite="stable",
        codename="trixie",
        arch="amd64",
        runner=runner or FakeRunner(),
        component=component,
    )


def test_rows_are_read_from_apts_list(tmp_path: Path) -> None:
    """Addresses become repository and path; the escapes of epochs and plus signs are undone."""
    output = (
        "Reading package lists...\n"
        f"'http://m/debian/pool/main/b/b/b_1.2%2bdeb13u1_amd64.deb' b_2%3a1.2+deb13u1_amd64.deb 7 SHA256:{HASH}\n"
        f"'http://m/debian-security/pool/x_1_all.deb' x_1_all.deb 8 SHA256:{HASH}\n"
    )
    first, second = apt(tmp_path).rows(output, group="g")
    assert (first.name, first.version, first.repo) == ("b", "2:1.2+deb13u1", "debian")
    assert first.path == "pool/main/b/b/b_1.2+deb13u1_amd64.deb"
    assert (second.repo, second.path, second.size) == ("debian-security", "pool/x_1_all.deb", 8)


def test_a_package_from_elsewhere_is_refused(tmp_path: Path) -> None:
    """A file outside of the mirrors could not be fetched by others."""
    with pytest.raises(ConfigurationError, match="outside of the mirrors"):
        list(apt(tmp_path).rows(f"'http://other/x_1_all.deb' x_1_all.deb 8 SHA256:{HASH}\n", group="g"))


def test_nothing_of_the_machine_plays_a_part(tmp_path: Path) -> None:
    """State, lists, sources and preferences are apt's own folders; only its network settings stay the machine's."""
    argv = apt(tmp_path).command("update").argv
    for option in ("Dir::State", "Dir::State::status", "Dir::Etc::sourcelist", "Dir::Etc::sourceparts", "Dir::Cache"):
        assert any(word.startswith(f"{option}={tmp_path}") for word in argv), option
    assert "Acquire::ForceHash=SHA256" in argv
    assert not any("trusted" in word.lower() or "unauthenticated" in word.lower() for word in argv)


def test_every_source_is_signed(tmp_path: Path) -> None:
    """No source is read without a signature by Debian's keys; installer modules have no updates of their own."""
    ordinary = apt(tmp_path).sources().splitlines()
    assert [line.split()[2:] for line in ordinary] == [
        ["http://m/debian", "stable", "main"],
        ["http://m/debian", "stable-updates", "main"],
        ["http://m/debian-security", "stable-security", "main"],
    ]
    modules = apt(tmp_path, component="main/debian-installer").sources().splitlines()
    assert len(modules) == 1
    assert all("signed-by=" in line for line in ordinary + modules)


@pytest.mark.parametrize("name", ["forky", "trixie-backports"])
def test_another_release_under_the_same_name_is_refused(tmp_path: Path, name: str) -> None:
    """The day "stable" becomes the next Debian, locking stops instead of mixing two."""

    def update(_: Command) -> Completed:
        (tmp_path / "lists" / "m_dists_stable_InRelease").write_text(f"Suite: stable\nCodename: {name}\n")
        return Completed(returncode=0, stdout="")

    with pytest.raises(CheckError, match=name):
        apt(tmp_path, FakeRunner({"apt-get": update})).prepare()


def test_a_modules_row_is_its_stanza() -> None:
    """The installer modules' index has all a row needs."""
    stanza = {"Package": "x-udeb", "Version": "1:2", "Architecture": "all", "Size": "3", "SHA256": HASH}
    row = udeb_row({**stanza, "Filename": "pool/x.udeb"}, group="installer")
    assert (row.name, row.version, row.size, row.path) == ("x-udeb", "1:2", 3, "pool/x.udeb")


def test_present_modules_are_not_taken_again() -> None:
    """What the installer has already is left out, unless it is asked for by name; virtual names are skipped."""
    index = {"a": {"Depends": "b (>= 1), c | d, virtual"}, "b": {"Depends": "e"}, "c": {}, "d": {}, "e": {}}
    assert udeb_closure(["a", "c"], index, frozenset({"b", "c"})) == ["a", "c"]
    assert udeb_closure(["a"], index, frozenset()) == ["a", "b", "c", "e"]


@given(st.dictionaries(st.sampled_from("abcdef"), st.lists(st.sampled_from("abcdefg")), max_size=6))
def test_every_need_is_met_or_unknown(needs: dict[str, list[str]]) -> None:
    """The closure is closed: whatever a member needs is in it, or is in no index at all; circles end."""
    index = {name: {"Depends": ", ".join(words)} for name, words in needs.items()}
    found = udeb_closure("abc", index, frozenset())
    assert all(need in found or need not in index for name in found for need in needs[name])
