"""An error names the very key that is wrong, however deep it lies, with its line."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from goldsmith.config.files import Table, lines
from goldsmith.config.parsing import parse
from goldsmith.config.problems import Problems
from goldsmith.model import Image, Site
from tests.unit.installers.images import ROOT

IMAGE = (ROOT / "config/images/ubuntu-16.04.toml").read_text(encoding="utf-8")
LINES = IMAGE.count("\n")
SITE = 'server = "vc"\n[placement]\ndatacenter = "a"\ncluster = "b"\ndatastore = "c"\nnetwork = "d"\n'


def told(text: str, kind: type[Any]) -> list[str]:
    """Return what is noted of a file with *text*; lines are counted from the text's last part on."""
    values = tomllib.loads(text)
    places = {key: f"file:{line}" for key, line in lines(text)}
    problems = Problems()
    table = Table(source="file", values={"name": "x", **values}, places=places, folder=Path())
    assert parse(kind, table, problems) is None
    return problems.found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[iso]\nurl = "http://m/x.iso"', "1: iso.sha256 is missing; it is required"),
        ('[iso]\npath = "x.iso"\nsha256 = "0"', "3: iso.sha256 = '0' must be a sha256"),
        ('[iso]\npath = "x.iso"\nsha265 = "0"', "3: iso.sha265 = '0': unknown key; did you mean 'sha256'?"),
        ("iso = 1", "1: iso = 1 must be a table"),
        ("[docker]\nimages = 1", "2: docker.images = 1 must be a list"),
        ("[docker]\nimages = [1]", "2: docker.images[0] = 1 must be a table"),
        ("[[docker.images]]", "1: docker.images[0].tag is missing"),
        ('[[docker.images]]\ntag = "a"\nreff = "b"', "3: docker.images[0].reff = 'b': unknown key; did you mean"),
        ('[[docker.images]]\ntag = "a"\nref = "b"', "3: docker.images[0].ref = 'b' must be a reference with a digest"),
        ('[[docker.images]]\ntag = "a"\n', "1: docker.images[0] = "),
        ('[[docker.images]] # one\ntag = "a"\narchive = 1', "3: docker.images[0].archive = 1 must be text"),
        ('[docker]\ndata_disk_mib = "x"\nengine = "podman"', "2: docker.data_disk_mib = 'x' must be a whole number"),
        ("[docker.variables]\nx = 2026-01-01", "2: docker.variables.x = "),
    ],
)  # fmt: skip
def test_keys_below_optional_tables_and_in_lists(text: str, expected: str) -> None:
    """Each with its own name, its place in the list, and its line; what is known is that table's."""
    number, _, words = expected.partition(":")
    first = IMAGE.replace("\n[os]", f"\n{text}\n\n[os]", 1) if text.startswith("iso =") else f"{IMAGE}{text}\n"
    line = int(number) + (LINES if first.startswith(IMAGE) else IMAGE[: IMAGE.index("\n[os]")].count("\n") + 1)
    assert any(found.startswith(f"file:{line}:{words}") for found in told(first, Image)), told(first, Image)


def test_each_table_of_a_list_has_its_own_line() -> None:
    """The second one's mistake is told of the second one."""
    good = f'[[docker.images]]\ntag = "a"\nref = "x@sha256:{"0" * 64}"\n'
    [found] = told(f'{IMAGE}{good}[[docker.images]]\ntag = "b"\nref = 1\n', Image)
    assert found == f"file:{LINES + 6}: docker.images[1].ref = 1 must be text"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('iso_sha256 = "x"', "file:7: placement.iso_sha256 = 'x' must be a sha256"),
        ("iso_path = 1", "file:7: placement.iso_path = 1 must be text"),
        ('[guests]\nno_proxy = ["a", "b c"]', "file:8: guests.no_proxy[1] = 'b c' must be a host"),
        ("[guests]\nmirror = 1", "file:8: guests.mirror = 1 must be text"),
        ("[guests]\nssh_private_key_file = 1", "file:8: guests.ssh_private_key_file = ******** must be a path"),
        ("[guests.more]\nx = 1", "file:7: guests.more = {'x': 1}: unknown key"),
    ],
)
def test_values_that_may_be_empty(text: str, expected: str) -> None:
    """A union of types is told as what is meant by it, not by its parts."""
    [found] = told(f"{SITE}{text}\n", Site)
    assert found.startswith(expected)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('["a]"]\nx = 1', '"a]"'),
        ('"\\u001b[0]\\nwhat: all is well" = 1', '"\\u001b[0]\\nwhat: all is well"'),
        (f"cpus = 0x{'F' * 4000}", "too long or too deep to be shown"),
        (f"python.{'a.' * 3000}a = 1", "too long or too deep to be shown"),
        (f"cpus = '{'a' * 100_000}'", "aaa..."),
    ],
    ids=["brackets", "control characters", "a huge number", "a deep table", "a long text"],
)
def test_odd_keys_and_values_are_told(line: str, expected: str) -> None:
    """On one line each, whatever stands in them."""
    found = told(f"{line}\n", Image)
    assert any(expected in one for one in found)
    assert not [one for one in found if "\n" in one or "\x1b" in one]
