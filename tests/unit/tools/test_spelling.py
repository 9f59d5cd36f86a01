"""Names and paths are spelt as vSphere spells them, and read back as people see them."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.tools import spelling

NAMES = st.text(st.sampled_from("ab%/\\25fFcC[*? "), max_size=12) | st.text(max_size=12)


@given(NAMES)
def test_a_name_is_one_part_of_a_path(name: str) -> None:
    """Spelt as the API does, it holds no separator, and read back it is the same name."""
    spelt = spelling.escape(name)
    assert "/" not in spelt
    assert "\\" not in spelt
    assert spelling.unescape(spelt) == name


@given(st.lists(NAMES, min_size=1, max_size=3))
def test_the_canonical_path_is_the_same_however_it_is_written(names: list[str]) -> None:
    """It stays as it is when it is spelt again, and people see its names with slashes between them."""
    path = "/".join(map(spelling.escape, names))
    assert spelling.canonical(path) == path
    assert spelling.canonical(path.replace("%2f", "%2F")) == path
    assert spelling.plain(path) == "/".join(names)


@pytest.mark.parametrize(
    ("text", "plain"), [("10%2f20", "10/20"), ("100%25", "100%"), ("100%", "100%"), ("%41", "%41"), ("a%5Cb", "a\\b")]
)
def test_only_three_characters_are_spelt_otherwise(text: str, plain: str) -> None:
    """Whatever else looks like an escape is a part of the name."""
    assert spelling.unescape(text) == plain


@given(st.text(st.sampled_from("ab*?[]- %2f"), min_size=1, max_size=8))
def test_a_literal_path_fits_itself_alone(name: str) -> None:
    """Packer's plugin and govc match names as patterns: what they are told fits the name that is meant."""
    assert pattern(spelling.literal(name), name)
    assert not spelling.is_pattern(name) or spelling.literal(name) != name


def pattern(text: str, name: str) -> bool:
    """Return whether Go's ``path.Match`` takes *name*, where a backslash makes the next character itself."""
    return fnmatch.fnmatchcase(name, text.replace("\\*", "[*]").replace("\\?", "[?]").replace("\\[", "[[]"))


def test_a_machine_is_found_by_its_path() -> None:
    """With a folder, and without one."""
    paths = spelling.Paths(
        datacenter="EU/DC0", cluster="C", pool="", folder="EU%2fProd", datastore="", media_datastore="", network=""
    )
    assert paths.machine("a/b [1]") == "/EU/DC0/vm/EU%2fProd/a%2fb \\[1]"
    assert spelling.Paths(**{**vars(paths), "folder": ""}).machine("x") == "/EU/DC0/vm/x"
