from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import ConfigurationError
from goldsmith.toolbox import mirrors
from goldsmith.toolbox.mirrors import Mirrors

if TYPE_CHECKING:
    from pathlib import Path

DEB822 = """\
# a comment
Types: deb deb-src
URIs: http://mirror.example.com/debian/
Suites: bookworm
Components: main

Types: deb
Enabled: no
URIs: http://off.example.com/debian

Types: deb-src
URIs: http://source.example.com/debian

Types: deb
URIs: https://mirror.example.com/debian-security
"""


def apt(folder: Path, **files: str) -> Path:
    (folder / "sources.list.d").mkdir(parents=True)
    for name, text in files.items():
        target = folder / "sources.list" if name == "main" else folder / "sources.list.d" / name.replace("__", ".")
        target.write_text(text)
    return folder


def test_both_formats_of_apt_are_read(tmp_path: Path) -> None:
    """Enabled binary sources count, whatever their format; comments, options and sources of source do not."""
    assert list(mirrors.deb822_roots(DEB822)) == [
        "http://mirror.example.com/debian",
        "https://mirror.example.com/debian-security",
    ]
    lines = "# deb http://no/debian x\ndeb [arch=amd64 signed-by=/k] http://m.example.com/debian/ trixie main # why\n"
    assert list(mirrors.one_line_roots(lines + "deb-src http://s/debian x main\ndeb cdrom:[D]/ x main\n")) == [
        "http://m.example.com/debian"
    ]


def test_the_machines_own_mirror_is_used(tmp_path: Path) -> None:
    """Without a variable, packages come from where apt takes them; other vendors' sources are not asked."""
    folder = apt(
        tmp_path / "apt",
        main="deb https://vendor.example.com/tool x main\n",
        debian__sources=DEB822,
        old__disabled="deb http://x/debian x y",
    )
    found = Mirrors.here({}, folder)
    assert (found.debian, found.security) == (
        "http://mirror.example.com/debian",
        "https://mirror.example.com/debian-security",
    )


def test_a_variable_goes_before_the_machine(tmp_path: Path) -> None:
    """A mirror that the operator names is used, and its sibling for security updates where apt knows none."""
    found = Mirrors.here({"GOLDSMITH_DEBIAN_MIRROR": "http://own.example.com/debian/"}, apt(tmp_path / "apt"))
    assert found.root("debian") == "http://own.example.com/debian"
    assert found.root("debian-security") == "http://own.example.com/debian-security"


def test_a_source_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    """One with a login in it may be for root alone; a link may lead nowhere."""
    folder = apt(tmp_path, good__list="deb http://mirror.example.com/debian trixie main\n")
    (folder / "sources.list.d/a.sources").mkdir()
    (folder / "sources.list.d/b.list").symlink_to("nowhere")
    assert list(mirrors._apt_roots(folder)) == ["http://mirror.example.com/debian"]


def test_a_machine_without_apt_uses_the_public_mirror(tmp_path: Path) -> None:
    """On anything but Debian the documented public mirror is used."""
    assert Mirrors.here({}, tmp_path / "none").debian == mirrors.PUBLIC


@pytest.mark.parametrize("value", ["mirror", "ftp://x/debian", "http://x y/debian"])
def test_a_value_that_is_no_address_is_refused(tmp_path: Path, value: str) -> None:
    """A malformed mirror is an error that names the variable, not a failing download later."""
    with pytest.raises(ConfigurationError, match="GOLDSMITH_DEBIAN_MIRROR"):
        Mirrors.here({"GOLDSMITH_DEBIAN_MIRROR": value}, tmp_path)


@given(st.text())
def test_no_file_of_apt_breaks_the_search(text: str) -> None:
    """Whatever stands in apt's files, only addresses come out."""
    found = [*mirrors.deb822_roots(text), *mirrors.one_line_roots(text)]
    assert all(root.startswith(("http://", "https://")) for root in found)
