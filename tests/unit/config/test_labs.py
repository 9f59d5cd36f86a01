"""A loopback server is the lab that listens there, as long as it is up."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from goldsmith.config import is_loopback, lab_at
from goldsmith.config.problems import Problems
from goldsmith.config.sites import CA_FILE, LAB_MIRROR, from_environment

if TYPE_CHECKING:
    from pathlib import Path

ORIGINS = {
    "VSPHERE_SERVER": "127.0.0.1:20002",
    "VSPHERE_USER": "u",
    "VSPHERE_PASSWORD": "p",
    "CLUSTER": "c",
    "DATACENTER": "d",
    "DATASTORE": "s",
    "NETWORK": "n",
}


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Return a cache that knows a lab with two vCenters, and one that is just being made."""
    for name, text in {
        "mine": json.dumps({"vcenters": [{"server": "127.0.0.1:20000"}, {"server": "127.0.0.1:20002"}]}),
        "broken": "{",
        "older": "{}",
    }.items():
        (tmp_path / "lab" / name).mkdir(parents=True)
        (tmp_path / "lab" / name / "lab.json").write_text(text)
    return tmp_path


@pytest.mark.parametrize("server", ["127.0.0.1:20000", "localhost:20002", "LOCALHOST:20000", "127.1.2.3:20002"])
def test_every_vcenter_of_a_lab_is_found(cache: Path, server: str) -> None:
    """By any name of the loopback address."""
    assert lab_at(server, cache=cache) == "mine"


@pytest.mark.parametrize("server", ["127.0.0.1:20001", "localhost", "vcenter.example.com:20000", "10.0.0.1:20000", ""])
def test_nothing_else_is_taken_for_a_lab(cache: Path, server: str) -> None:
    """Neither another port nor another machine with the same one."""
    assert lab_at(server, cache=cache) is None


def test_a_name_that_only_begins_like_the_loopback_is_none() -> None:
    """A host is compared whole."""
    assert not is_loopback("localhost.example.com")
    assert is_loopback("localhost:443")
    assert is_loopback("[::1]:443")
    assert not is_loopback("[2001:db8::1]:443")


def test_the_environments_site_gets_the_labs_mirror_only_in_a_lab(cache: Path, tmp_path: Path) -> None:
    """Its guests reach no other; everywhere else the default stays."""
    inside = from_environment(ORIGINS, Problems(), cache=cache)
    assert inside.values["guests"] == {"mirror": LAB_MIRROR, "ubuntu_mirror": LAB_MIRROR}
    outside = from_environment(ORIGINS | {"VSPHERE_SERVER": "vcenter.example.com"}, Problems(), cache=cache)
    assert "guests" not in outside.values


def test_the_labs_ca_is_known_unless_another_is_named(cache: Path) -> None:
    """Nobody has to look for the CA of a lab on this very machine; elsewhere none is assumed."""
    assert from_environment(ORIGINS, Problems(), cache=cache).values["ca_file"] == str(cache / "lab/mine/ca.pem")
    for other in ({CA_FILE: "/own.pem"}, {"VSPHERE_SERVER": "vcenter.example.com"}):
        assert "ca_file" not in from_environment(ORIGINS | other, Problems(), cache=cache).values
