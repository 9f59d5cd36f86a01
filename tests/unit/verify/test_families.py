"""A family of packages has one place in the playbooks and one in the checks; nothing else knows any."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from goldsmith import guests
from goldsmith.guests.guest import Family
from tests.unit.ansible.conftest import ANSIBLE, module

if TYPE_CHECKING:
    from pathlib import Path

VERIFY = ANSIBLE.parent / "verify"
FAMILIES = sorted(path.name for path in (ANSIBLE / "families").iterdir() if path.is_dir())
COMMON = sorted(
    path
    for folder in (ANSIBLE, VERIFY)
    for path in folder.rglob("*")
    if path.is_file() and path.suffix in {".py", ".yml", ".j2", ".cfg"} and "families" not in path.parts
)
OF_A_FAMILY = re.compile(r"\b(apt|apt-get|apt-mark|deb|debian|debconf|dpkg|ubuntu|dnf|rpm|yum|zypper)\b", re.IGNORECASE)
ALLOWED = (
    "unknown to Debian 12's",  # a version of cloud-init
    "Ubuntu 16.04",  # the oldest Python
)


def parts(family: str) -> set[str]:
    """Return what a family's folder holds that the roles call or read, each by its path."""
    folder = ANSIBLE / "families" / family
    return {
        path.relative_to(folder).as_posix()
        for name in ("tasks", "vars", "files")
        for path in (folder / name).glob("*.*")
    }


def test_each_family_has_its_checks() -> None:
    """What the playbooks can set up, the checks can look at and the suite can record, and the other way round."""
    assert sorted(path.stem for path in (VERIFY / "families").glob("*.py")) == FAMILIES
    assert sorted(Family) == FAMILIES
    assert all(guests.of(family).PURL_TYPE for family in Family)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_has_all_that_the_roles_ask_for(family: str) -> None:
    """Whatever a role includes from a family, and whatever word of it a role uses, is there."""
    text = "\n".join(path.read_text() for path in COMMON if path.suffix == ".yml")
    included = {f"tasks/{name}.yml" for name in re.findall(r"tasks_from: (\w+)", text)}
    assert included | {"vars/words.yml", "files/packages.py"} == parts(family)
    words = yaml.safe_load((ANSIBLE / "families" / family / "vars/words.yml").read_text())
    assert set(re.findall(r"\bfamily\.(?!yml\b)(\w+)", text)) == set(words)


@pytest.mark.parametrize("path", COMMON, ids=lambda path: path.relative_to(ANSIBLE.parent).as_posix())
def test_what_is_common_knows_no_family(path: Path) -> None:
    """Another family is an addition: no role, playbook or check names one."""
    lines = [line for line in path.read_text().splitlines() if not any(allowed in line for allowed in ALLOWED)]
    assert [line for line in lines if OF_A_FAMILY.search(line)] == []


@pytest.mark.parametrize(
    ("status", "installed", "gone"),
    [("ii ", True, False), ("hi ", True, False), ("rc ", False, True), ("iU ", False, False), ("iF ", False, False)],
)
def test_what_dpkg_calls_installed(status: str, *, installed: bool, gone: bool) -> None:
    """A package that is held is installed, one that is half-configured is not."""
    apt = module(VERIFY / "families/apt.py")
    assert (apt.installed(status), apt.gone(status)) == (installed, gone)


def test_other_names_of_packages_count() -> None:
    """Ubuntu 16.04 has no package "man": man-db goes by that name. What was removed goes by none."""
    apt = module(VERIFY / "families/apt.py")
    listed = "ii \tman, man-browser (= 2.7.5-1)\nii \t\nhi \tawk\nrc \tmail-transport-agent\n"
    assert apt.provided(listed) == ["awk", "man", "man-browser"]
