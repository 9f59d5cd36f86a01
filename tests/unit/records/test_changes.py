"""What changed between two templates is all that changed, and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from goldsmith.records.changes import Change, between

NAMES = st.sampled_from(["bash", "curl", "docker.io", "libc6", "vim"])
VALUES = st.sampled_from(["1", "2", "2.1~rc1"])


def inventory(packages: dict[str, str], units: dict[str, str], files: dict[str, str]) -> dict[str, Any]:
    return {
        "packages": [{"name": name, "version": version, "architecture": "amd64"} for name, version in packages.items()],
        "units": units,
        "etc": {
            f"/etc/{name}": {"mode": "0644", "owner": "root", "sha256": value * 12} for name, value in files.items()
        },
    }


TABLES = st.dictionaries(NAMES, VALUES)
INVENTORIES = st.builds(inventory, TABLES, TABLES, TABLES)


@given(INVENTORIES)
def test_nothing_changed_between_a_template_and_itself(one: dict[str, Any]) -> None:
    """A rebuild with the same result has no changes."""
    assert not between(one, one).any


@given(INVENTORIES, INVENTORIES)
def test_changes_mirror(one: dict[str, Any], two: dict[str, Any]) -> None:
    """What came one way goes the other way."""
    there, back = between(one, two), between(two, one)
    for kind in ("packages", "units", "files"):
        turned = [Change(name=row.name, before=row.after, after=row.before) for row in getattr(back, kind)]
        assert list(getattr(there, kind)) == turned


@given(TABLES, TABLES)
def test_every_difference_of_packages_is_told(one: dict[str, str], two: dict[str, str]) -> None:
    """Applying the changes to the old state gives the new one."""
    state = {f"{name}:amd64": version for name, version in one.items()}
    for row in between(inventory(one, {}, {}), inventory(two, {}, {})).packages:
        assert state.get(row.name, "") == row.before
        if row.after:
            state[row.name] = row.after
        else:
            del state[row.name]
    assert state == {f"{name}:amd64": version for name, version in two.items()}


def test_what_each_machine_makes_for_itself_is_no_change() -> None:
    """Host keys and machine ids differ always, so they say nothing."""
    own = {"/etc/ssh/ssh_host_rsa_key": {"mode": "0600", "owner": "root"}, "/etc/machine-id": {"link": "elsewhere"}}
    assert not between({"etc": own}, {"etc": {}}).any
