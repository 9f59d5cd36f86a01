from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_every_module_the_installer_takes_is_locked() -> None:
    """What the guest's installer runs, or takes questions from, is named by what the lock is made of."""
    wanted = tomllib.loads((ROOT / "docker" / "wanted.toml").read_text())["media"]
    taken: dict[str, set[str]] = {"run": set(), "templates": set()}
    for line in (ROOT / "lab" / "guest" / "share" / "installer" / "udebs").read_text().splitlines():
        if line and not line.startswith("#"):
            name, use = line.split()
            taken[use].add(name)
    assert taken["run"] <= set(wanted["udebs"])
    assert taken["templates"] == set(wanted["templates"])
