"""The list of what is sealed, and the program that goes through it, on a directory that plays the guest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

DOES = {"run", "remove", "clear", "truncate", "empty", "write", "link", "strip", "lock", "enabled"}

# What a build leaves in a guest, and for each file what must be there afterwards (None: nothing).
LEFT = {
    "/etc/machine-id": ("0123456789abcdef0123456789abcdef\n", ""),
    "/etc/ssh/ssh_host_ed25519_key": ("private", None),
    "/etc/ssh/sshd_config": ("UsePAM yes\n", "UsePAM yes\n"),
    "/etc/hostname": ("debian-13-base\n", "localhost\n"),
    "/etc/apt/apt.conf": ('Acquire::http::Proxy "http://proxy.example.com:3128";\n', None),
    "/etc/apt/apt.conf.d/10periodic": ('APT::Periodic::Enable "1";\n', 'APT::Periodic::Enable "1";\n'),
    "/home/automationuser/.ssh/authorized_keys": (
        "ssh-ed25519 AAAA ops@example.com\nssh-ed25519 BBBB goldsmith-build-20261123-154500-deadbeef\n",
        "ssh-ed25519 AAAA ops@example.com\n",
    ),
    "/root/.ssh/authorized_keys": ('command="no" ssh-ed25519 BBBB goldsmith-build-1\n', None),
    "/home/automationuser/.bash_history": ("passwd\n", None),
    "/home/automationuser/.bashrc": ("alias ll=ls\n", "alias ll=ls\n"),
    "/root/.docker/config.json": ("{}", None),
    "/var/log/installer/cdebconf/questions.dat": ("hash", None),
    "/var/log/dpkg.log": ("installed\n", ""),
    "/var/log/dpkg.log.1": ("installed\n", None),
    "/var/log/apt/history.log": ("installed\n", ""),
    "/var/lib/dhcp/dhclient.leases": ("lease", None),
    "/var/lib/systemd/random-seed": ("seed", None),
    "/var/lib/docker/engine-id": ("id", None),
    "/var/lib/docker/image/overlay2/repositories.json": ("{}", "{}"),
    "/var/lib/dbus/machine-id": ("0123", ""),
    "/var/crash/note": ("x", None),
}


@pytest.fixture
def guest(tmp_path: Path) -> Path:
    """A directory with what a build leaves."""
    for name, (before, _) in LEFT.items():
        path = tmp_path / name[1:]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(before)
    return tmp_path


def test_every_line_says_why_and_what_a_clone_shows(items: list[dict[str, Any]]) -> None:
    """Each line has a name of its own, a reason, something to do, and a claim about clones."""
    assert len({item["id"] for item in items}) == len(items)
    for item in items:
        assert len(item["why"].split()) > 3, item["id"]
        assert item["in_clone"] in {"absent", "unique", "regrows"}, item["id"]
        assert DOES & set(item), item["id"]
        assert set(item) <= DOES | {"id", "why", "in_clone", "needs", "proxy"}, item["id"]


def test_what_is_sealed_is_gone_and_the_rest_stays(seal: ModuleType, items: list[dict[str, Any]], guest: Path) -> None:
    """Identities, keys of builds, and traces go; operators' keys and settings stay."""
    report = seal.Seal(root=str(guest)).all(items)
    assert report["ok"], report
    for name, (_, after) in LEFT.items():
        path = guest / name[1:]
        if path.is_symlink():  # D-Bus's, which the next test looks at
            continue
        assert (path.read_text() if path.exists() else None) == after, name


def test_dbus_has_no_identity_of_its_own(seal: ModuleType, items: list[dict[str, Any]], guest: Path) -> None:
    """D-Bus's copy becomes a link to the only one."""
    report = seal.Seal(root=str(guest)).all([item for item in items if item["id"] == "machine-id-dbus"])
    assert report["ok"], report
    assert (guest / "var/lib/dbus/machine-id").readlink().as_posix() == "/etc/machine-id"


def test_sealing_twice_changes_nothing(seal: ModuleType, items: list[dict[str, Any]], guest: Path) -> None:
    """The second pass finds everything as it wants it."""
    seal.Seal(root=str(guest)).all(items)
    again = seal.Seal(root=str(guest)).all(items)
    assert again["ok"], again
    assert [row["changed"] for row in again["items"]] == [[] for _ in items]


def test_a_line_that_cannot_be_done_is_reported_and_the_others_are_done(seal: ModuleType, guest: Path) -> None:
    """One fault neither hides nor prevents the rest."""
    (guest / "trap").mkdir()
    items = [
        {"id": "bad", "why": "a directory is no file", "empty": ["/missing"]},
        {"id": "good", "why": "after it", "remove": ["/var/crash/note"]},
    ]
    report = seal.Seal(root=str(guest)).all(items)
    assert not report["ok"]
    assert [row["faults"] for row in report["items"]] == [["/missing is missing"], []]
    assert not (guest / "var/tmp/note").exists()


@pytest.mark.parametrize(
    ("line", "goes"),
    [
        ("ssh-ed25519 AAAA goldsmith-build-20261123-154500-deadbeef", True),
        ('restrict,command="x" ssh-ed25519 AAAA goldsmith-build-1 ', True),
        ("ssh-ed25519 AAAA goldsmith-builder@example.com", False),
        ("ssh-ed25519 AAAA ops who watch goldsmith-build-1 closely", False),
        ("# goldsmith-build is gone", False),
    ],
)
def test_only_keys_of_builds_go(
    seal: ModuleType, items: list[dict[str, Any]], tmp_path: Path, line: str, *, goes: bool
) -> None:
    """The comment of a build's key decides, and it is the end of its line."""
    keys = tmp_path / "root/.ssh/authorized_keys"
    keys.parent.mkdir(parents=True)
    keys.write_text(f"ssh-ed25519 CCCC ops@example.com\n{line}\n")
    seal.Seal(root=str(tmp_path)).all([item for item in items if item["id"] == "build-key"])
    assert (line not in keys.read_text()) is goes
