"""A build starts only where it can end well."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from goldsmith.errors import ConfigurationError, Exit, MissingObjectError
from goldsmith.model import Hardware
from goldsmith.vcenter import privileges
from goldsmith.vcenter.api import Space, StoredFile
from goldsmith.vcenter.preflight import GIB, Medium, check, space_needed
from tests.unit.vcenter.fakes import PLACEMENT, FakeVCenter

MEDIUM = Medium(stored="[lab-ds] goldsmith/m.iso", size=7)
ROOT = Path(__file__).parents[3]


def _vcenter() -> FakeVCenter:
    return FakeVCenter(stored=[StoredFile(path="goldsmith/m.iso", size=7)])


def test_a_ready_site_changes_nothing() -> None:
    """A site that is ready gives its places, and the look itself changes nothing."""
    vcenter = _vcenter()
    assert check(vcenter, PLACEMENT, Hardware(), [MEDIUM]).folder.name == "goldsmith"
    assert vcenter.log == []


def test_missing_objects_are_told_together() -> None:
    """Names that do not exist end in one configuration error that names each of them."""
    wrong = PLACEMENT.model_copy(update={"cluster": "nope", "folder": "nope"})
    with pytest.raises(MissingObjectError) as caught:
        check(_vcenter(), wrong, Hardware())
    assert caught.value.exit_code is Exit.CONFIGURATION
    assert "- cluster:" in caught.value.why
    assert "- folder:" in caught.value.why
    assert "(2 problems)" in caught.value.what


@pytest.mark.parametrize(
    ("stored", "words"),
    [
        ([], "[lab-ds] goldsmith/m.iso does not exist"),
        ([StoredFile(path="goldsmith/m.iso", size=6)], "6 bytes there, 7 here"),
    ],
    ids=["gone", "truncated"],
)
def test_medium(stored: list[StoredFile], words: str) -> None:
    """A boot medium that is gone or has another size is found before any machine exists."""
    vcenter = FakeVCenter(stored=stored)
    with pytest.raises(MissingObjectError, match=re.escape(words)):
        check(vcenter, PLACEMENT, Hardware(), [MEDIUM])


@pytest.mark.parametrize(
    ("space", "words"),
    [
        (Space(accessible=False, in_maintenance=False, free_bytes=GIB**2), "is not accessible"),
        (Space(accessible=True, in_maintenance=True, free_bytes=GIB**2), "is in maintenance mode"),
        (Space(accessible=True, in_maintenance=False, free_bytes=3 * GIB), "3.0 GiB free, 12.0 GiB needed"),
    ],
    ids=["unreachable", "maintenance", "full"],
)
def test_datastore(space: Space, words: str) -> None:
    """A datastore that cannot take the machine is refused with the figures."""
    vcenter = _vcenter()
    vcenter.datastore = space
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        check(vcenter, PLACEMENT, Hardware())


def test_medium_of_a_stored_path() -> None:
    """A path as vSphere writes it names the file on its datastore."""
    assert Medium(stored="[isos] goldsmith/a b.iso").path == "goldsmith/a b.iso"


def test_space_counts_what_is_written() -> None:
    """A thin disk counts by what an installation writes, a small one by its size; memory has its swap file."""
    assert space_needed(Hardware(disk_mib=512_000, memory_mib=1024)) == 9 * GIB
    assert space_needed(Hardware(disk_mib=8192, memory_mib=2048)) == 10 * GIB


def test_privileges_are_told_by_object() -> None:
    """Each missing privilege is named with the object it is missing on, custom attributes included."""
    vcenter = _vcenter()
    vcenter.denied = {"root": {"Global.ManageCustomFields"}, "net": {"Network.Assign"}, "ds": {"Unrelated"}}
    with pytest.raises(ConfigurationError) as caught:
        check(vcenter, PLACEMENT, Hardware())
    assert caught.value.why.splitlines() == [
        "- privileges: the user lacks Global.ManageCustomFields on the vCenter itself (root folder)",
        "- privileges: the user lacks Network.Assign on network 'VM Network'",
    ]


def test_the_page_of_privileges_is_the_table() -> None:
    """What the preflight asks for and what docs/reference/privileges.md lists are the same."""
    page = (ROOT / "docs/reference/privileges.md").read_text(encoding="utf-8")
    sections = {
        "The vCenter itself": privileges.GLOBAL,
        "The VM folder": privileges.FOLDER,
        "Clones": privileges.CLONING,
        "The datastores": privileges.DATASTORE,
        "The network": privileges.NETWORK,
        "The resource pool": privileges.POOL,
    }
    for title, names in sections.items():
        [section] = re.findall(rf"^## {title}\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
        assert set(re.findall(r"^\| `([\w.]+)`", section, re.MULTILINE)) == names, title
