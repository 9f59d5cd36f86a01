"""What changed between two templates is all that changed, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import CheckError
from goldsmith.guests.guest import Family
from goldsmith.records.changes import Change, Changes, Kind, between, contents

NAMES = st.sampled_from(["bash", "curl", "docker.io", "libc6", "vim"])
VALUES = st.sampled_from(["1", "2", "2.1~rc1"])
BACK = {
    Kind.ADDED: Kind.REMOVED,
    Kind.REMOVED: Kind.ADDED,
    Kind.UPGRADED: Kind.DOWNGRADED,
    Kind.DOWNGRADED: Kind.UPGRADED,
    Kind.CHANGED: Kind.CHANGED,
}


def inventory(
    packages: dict[str, str], units: dict[str, str], files: dict[str, str], images: dict[str, str]
) -> dict[str, Any]:
    return {
        "packages": [{"name": name, "version": version, "architecture": "amd64"} for name, version in packages.items()],
        "units": units,
        "etc": {
            f"/etc/{name}": {"mode": "0644", "owner": "root", "sha256": value * 12} for name, value in files.items()
        },
        "engine": {"images": [{"Id": f"sha256:{value * 12}", "RepoTags": [name]} for name, value in images.items()]},
    }


def packages(*rows: tuple[str, str, str, str]) -> dict[str, Any]:
    names = ("name", "version", "architecture", "status")
    return {"packages": [dict(zip(names, row, strict=True)) for row in rows]}


def different(one: dict[str, Any], two: dict[str, Any]) -> Changes:
    return between(contents(one, Family.APT), contents(two, Family.APT), Family.APT)


TABLES = st.dictionaries(NAMES, VALUES)
INVENTORIES = st.builds(inventory, TABLES, TABLES, TABLES, TABLES)


@given(INVENTORIES)
def test_nothing_changed_between_a_template_and_itself(one: dict[str, Any]) -> None:
    """A rebuild with the same result has no changes."""
    assert different(one, one) == Changes()


@given(INVENTORIES, INVENTORIES)
def test_changes_mirror(one: dict[str, Any], two: dict[str, Any]) -> None:
    """What came one way goes the other way."""
    there, back = different(one, two), different(two, one)
    for kind in ("packages", "units", "files", "images"):
        turned = [
            Change(name=row.name, kind=BACK[row.kind], before=row.after, after=row.before)
            for row in getattr(back, kind)
        ]
        assert list(getattr(there, kind)) == turned


@given(TABLES, TABLES)
def test_every_difference_of_packages_is_found(one: dict[str, str], two: dict[str, str]) -> None:
    """Applying the changes to the old state gives the new one."""
    state = dict(one)
    for row in different(inventory(one, {}, {}, {}), inventory(two, {}, {}, {})).packages:
        assert state.get(row.name, "") == row.before
        if row.kind is Kind.REMOVED:
            del state[row.name]
        else:
            state[row.name] = row.after
    assert state == two


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        *(
            ("1.0", "1.1"),
            ("1.9", "1.10"),
            ("1.0~rc1", "1.0"),
            ("1.0", "1.0a"),
            ("1.0a", "1.0+b"),
            ("1.0-1", "1.0-1+b1"),
        ),
        *(("9.0", "1:0.1"), ("1.0-2", "1.0-10"), ("1.2-3", "1.2.1-1"), ("5.2.37-2+b5", "5.2.37-2+b10")),
        *(("1.0-1~deb13u1", "1.0-1"), ("2.36-9+deb12u9", "2.36-9+deb12u10"), ("1.0", "9" * 5000)),
    ],
)
def test_a_version_goes_up_as_dpkg_counts(older: str, newer: str) -> None:
    """Tilde before nothing, nothing before letters, numbers as numbers, the epoch before all; however long they are."""
    one, two = (inventory({"a": version}, {}, {}, {}) for version in (older, newer))
    assert [row.kind for row in different(one, two).packages] == [Kind.UPGRADED]
    assert [row.kind for row in different(two, one).packages] == [Kind.DOWNGRADED]


def test_a_removed_package_is_gone_whatever_it_left() -> None:
    """A package that left its configuration behind is still listed; one that is held is there."""
    one = packages(("telnet", "1", "amd64", "ii "), ("curl", "1", "amd64", "ii "))
    two = packages(("telnet", "1", "amd64", "rc "), ("curl", "1", "amd64", "hi "))
    assert [(row.name, row.kind) for row in different(one, two).packages] == [("telnet", Kind.REMOVED)]


def test_an_architecture_is_named_where_there_are_two() -> None:
    """A name alone would stand for both."""
    one = packages(("libc6", "1", "amd64", "ii"), ("libc6", "1", "i386", "ii"), ("curl", "1", "all", "ii"))
    two = packages(("libc6", "1", "amd64", "ii"), ("libc6", "2", "i386", "ii"), ("curl", "2", "amd64", "ii"))
    assert [row.name for row in different(one, two).packages] == ["curl", "libc6:i386"]


def test_of_a_file_only_what_differs_is_said() -> None:
    """Who reads that a mode changed need not compare hashes."""
    before = {"mode": "0644", "owner": "root", "sha256": "ab" * 32}
    [mode] = different({"etc": {"/etc/a": before}}, {"etc": {"/etc/a": {**before, "mode": "0600"}}}).files
    assert (mode.before, mode.after) == ("mode 0644", "mode 0600")
    [content] = different({"etc": {"/etc/a": before}}, {"etc": {"/etc/a": {**before, "sha256": "cd" * 32}}}).files
    assert (content.before, content.after) == ("content abababababab", "content cdcdcdcdcdcd")
    [link] = different({"etc": {"/etc/a": before}}, {"etc": {"/etc/a": {"link": "b"}}}).files
    assert (link.before, link.after) == ("content abababababab, mode 0644, owner root", "link to b")


def test_what_each_machine_makes_for_itself_is_no_change() -> None:
    """Host keys and machine ids differ always, so they say nothing."""
    own = {"/etc/ssh/ssh_host_rsa_key": {"mode": "0600", "owner": "root"}, "/etc/machine-id": {"link": "elsewhere"}}
    assert different({"etc": own}, {"etc": {}}) == Changes()


@pytest.mark.parametrize(
    "made",
    [
        {"packages": None},
        {"packages": [{}]},
        {"packages": [1]},
        {"packages": [{"name": "a", "version": "1"}, {"name": "a", "version": "2"}]},
        {"units": None},
        {"units": ["ssh.service"]},
        {"etc": None},
        {"etc": {"/etc/x": {"sha256": None}}},
        {"engine": {"images": [{}]}},
    ],
)
def test_what_is_no_inventory_is_refused_in_words(made: dict[str, Any]) -> None:
    """A guest wrote it, and a file of an earlier build can be changed."""
    with pytest.raises(CheckError, match="an inventory cannot be read"):
        contents(made, Family.APT)
