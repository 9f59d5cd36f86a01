from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SHARE = ROOT / "lab/guest/share"
INSTALLERS = sorted((SHARE / "installers").iterdir())


def test_every_module_the_installers_take_is_locked() -> None:
    """What the guests' installers run, or take questions from, is named by what the lock is made of."""
    wanted = tomllib.loads((ROOT / "docker" / "wanted.toml").read_text())["media"]
    taken: dict[str, set[str]] = {"run": set(), "templates": set()}
    for file in SHARE.rglob("udebs"):
        for line in file.read_text().splitlines():
            if line and not line.startswith("#"):
                name, use = line.split()
                taken[use].add(name)
    assert taken["run"] <= set(wanted["udebs"])
    assert taken["templates"] == set(wanted["templates"])


@pytest.mark.parametrize("folder", INSTALLERS, ids=lambda folder: folder.name)
def test_an_installer_can_be_asked_and_run(folder: Path) -> None:
    """The lab starts these two of every folder, and nothing else in it."""
    for name in ("recognise", "run"):
        assert (folder / name).stat().st_mode & 0o111, f"{folder.name}/{name} cannot be executed"


@pytest.mark.parametrize("folder", INSTALLERS, ids=lambda folder: folder.name)
def test_nothing_shared_knows_an_installer(folder: Path) -> None:
    """An installer is added or removed with its folder: no other file names that, nor does the d-i which two share."""
    shared = [file for file in SHARE.rglob("*") if file.is_file() and folder not in file.parents]
    assert [file.name for file in shared if f"installers/{folder.name}" in file.read_text()] == []


def test_the_shared_d_i_reads_no_kickstart() -> None:
    """What only kickseed does lies in kickseed's folder."""
    assert [file.name for file in (SHARE / "d-i").rglob("*") if file.is_file() and "kick" in file.read_text()] == []
