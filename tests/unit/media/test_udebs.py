"""A mirror either has the modules of the installer's kernel, or the suite says so before anything is uploaded."""

from __future__ import annotations

import pytest

from goldsmith.errors import CheckError, GoldsmithError, MissingObjectError, ToolError, UnreachableError
from goldsmith.host.runner import Completed
from goldsmith.media import udebs
from tests.unit.fakes import FakeDoor

URL = "http://mirror.example.com/debian/dists/trixie/main/debian-installer/binary-amd64/Packages"
RELEASE = "6.12.107+deb13-amd64"


def test_the_address_is_the_index_of_installer_modules() -> None:
    """A slash at the end of the mirror's address makes no difference."""
    assert udebs.index_url("http://mirror.example.com/debian/", "trixie") == URL
    command = udebs.kernels(FakeDoor(), mirror="http://mirror.example.com/debian", suite="trixie")
    assert command.argv[-1] == URL
    assert command.env == {"LC_ALL": "C"}


def test_the_sites_proxy_is_used() -> None:
    """What the guests will use is what is asked, and a login in it is not for process lists."""
    door, proxy = FakeDoor(), "http://user:pass@proxy.example.com:3128"
    command = udebs.kernels(door, mirror="http://m/debian", suite="trixie", proxy=proxy)
    assert door.given == [{"http_proxy": proxy, "https_proxy": proxy}]
    assert proxy not in f"{command}"


def test_a_mirror_with_the_modules_passes() -> None:
    """Others may be there as well."""
    udebs.check(Completed(returncode=0, stdout=f"6.12.94+deb13-amd64\n{RELEASE}\n"), release=RELEASE, url=URL)


@pytest.mark.parametrize("listed", ["", "6.12.107+deb13-rt-amd64\n", "6.12.1070+deb13-amd64\n"])
def test_modules_of_other_kernels_do_not_count(listed: str) -> None:
    """The installer takes modules of exactly its own kernel; the way out is to relock."""
    with pytest.raises(CheckError, match="gone from the mirror") as caught:
        udebs.check(Completed(returncode=0, stdout=listed), release=RELEASE, url=URL)
    assert "relock" in caught.value.next
    assert RELEASE in caught.value.why


@pytest.mark.parametrize(
    ("status", "said", "family", "words"),
    [
        (22, "curl: (22) The requested URL returned error: 404", MissingObjectError, "no installer modules"),
        (22, "curl: (22) The requested URL returned error: 503", UnreachableError, "does not answer"),
        (6, "curl: (6) Could not resolve host: mirror.example.com", UnreachableError, "does not answer"),
        (7, "curl: (7) Failed to connect to mirror.example.com port 80", UnreachableError, "does not answer"),
        (28, "curl: (28) Connection timed out", UnreachableError, "does not answer"),
        (65, "", UnreachableError, "not a mirror"),
        (125, "docker: Cannot connect to the Docker daemon at unix:///x.", UnreachableError, "Docker engine"),
        (127, "bash: line 1: curl: command not found", ToolError, "cannot be asked"),
    ],
)
def test_each_way_to_fail_has_its_own_words(status: int, said: str, family: type[GoldsmithError], words: str) -> None:
    """The exit code tells a silent mirror from a wrong one and from a broken tool."""
    with pytest.raises(family, match=words) as caught:
        udebs.check(Completed(returncode=status, stdout="", stderr=said), release=RELEASE, url=URL)
    assert caught.value.exit_code is family.exit_code
    assert caught.value.where == ("" if status == 125 else URL)
    assert caught.value.next
