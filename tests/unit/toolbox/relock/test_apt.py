from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import CheckError, ConfigurationError
from goldsmith.host.runner import Command, Completed
from goldsmith.toolbox.mirrors import Mirrors
from goldsmith.toolbox.relock.apt import Apt, network, udeb_closure, udeb_row
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
    """State, lists, sources, preferences and the whole configuration are apt's own; a lax one counts for nothing."""
    command = apt(tmp_path).command("update")
    assert command.env["APT_CONFIG"] == f"{tmp_path}/apt.conf"
    assert "-o" not in command.argv
    text = replace(apt(tmp_path), way=network(LAX)).configuration()
    for option in ("State", "State::status", "Etc::main", "Etc::parts", "Etc::sourcelist", "Etc::sourceparts", "Cache"):
        assert f'\nDir::{option} "{tmp_path}' in f"\n{text}", option
    assert 'Acquire::ForceHash "SHA256";' in text
    assert len(re.findall(r'^(Acquire|APT)::.*(Allow|Unauthenticated).* "false";$', text, re.MULTILINE)) == 4
    assert "trusted.gpg" not in text


LAX = """\
Acquire::AllowInsecureRepositories "true";
APT::Get::AllowUnauthenticated "1";
Acquire::http::Proxy "http://proxy:3128/";
Acquire::http::Proxy::m.example.com "DIRECT";
Acquire::https::m.example.com::CaInfo "/etc/ca.pem";
Acquire::https::Verify-Peer "false";
Acquire::Check-Valid-Until "false";
Acquire::http::Proxy-Auto-Detect "/bin/x";
Dir::Bin::gpg "/bin/true";
APT::Key::gpgvcommand "/bin/true";
"""


def test_the_machines_way_to_the_mirrors_stays() -> None:
    """Proxies and authorities stay, and that a mirror may keep an old state; what else apt believes does not."""
    assert network(LAX) == {
        "Acquire::http::Proxy": "http://proxy:3128/",
        "Acquire::http::Proxy::m.example.com": "DIRECT",
        "Acquire::https::m.example.com::CaInfo": "/etc/ca.pem",
        "Acquire::Check-Valid-Until": "false",
    }


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


def updated(tmp_path: Path, **codenames: str) -> FakeRunner:
    """Return what answers for an apt that has verified the index of each suite, which says such a codename."""

    def update(_: Command) -> Completed:
        for suite, codename in codenames.items():
            file = tmp_path / "lists" / f"m_dists_{suite.replace('_', '-')}_InRelease"
            file.write_text(f"Suite: stable\nCodename: {codename}\n")
        return Completed(returncode=0, stdout="")

    return FakeRunner({"apt-get": update})


@pytest.mark.parametrize("name", ["forky", "trixie-backports"])
def test_another_release_under_the_same_name_is_refused(tmp_path: Path, name: str) -> None:
    """The day "stable" becomes the next Debian, locking stops instead of mixing two."""
    runner = updated(tmp_path, stable=name, stable_updates="trixie-updates", stable_security="trixie-security")
    with pytest.raises(CheckError, match=name):
        apt(tmp_path, runner).prepare()


def test_a_source_without_a_signed_index_is_refused(tmp_path: Path) -> None:
    """What apt has not verified it does not keep; that it ended well says nothing, where it was told to be lax."""
    with pytest.raises(CheckError, match="not signed") as caught:
        apt(tmp_path, updated(tmp_path, stable="trixie", stable_updates="trixie-updates")).prepare()
    assert "stable-security" in caught.value.why
    signed = updated(tmp_path, stable="trixie", stable_updates="trixie-updates", stable_security="trixie-security")
    apt(tmp_path, signed).prepare()


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
