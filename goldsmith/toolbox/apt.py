"""Installing Debian packages on this machine: the command lines, and whether it may be done at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from goldsmith.host.runner import Command

if TYPE_CHECKING:
    from collections.abc import Mapping

FAMILY = frozenset({"debian", "ubuntu"})
_LOCK_SECONDS = 300
"""How long apt waits for another apt, such as the machine's unattended upgrade."""
_QUIET = {"DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_MODE": "a", "LC_ALL": "C.UTF-8"}


def update() -> Command:
    """Return the command that reads the package indexes.

    One broken source of many makes it fail; installing then tells whether that matters.
    """
    return Command(
        argv=("apt-get", "-q", "-o", f"DPkg::Lock::Timeout={_LOCK_SECONDS}", "update"),
        env=_QUIET,
        fetches=True,
    )


def install(*packages: str) -> Command:
    """Return the command that installs *packages* (``name`` or ``name/suite``) and what they depend on."""
    return Command(
        argv=(
            "apt-get", "-q", "-y",
            "-o", f"DPkg::Lock::Timeout={_LOCK_SECONDS}",
            "-o", "Dpkg::Options::=--force-confdef",  # never ask about a changed configuration file:
            "-o", "Dpkg::Options::=--force-confold",  # keep the machine's
            "install", "--no-install-recommends",
            *packages,
        ),
        env=_QUIET,
        fetches=True,
    )  # fmt: skip


def is_forbidden(environment: Mapping[str, str]) -> bool:
    """Tell whether the operator forbids installing anything (``GOLDSMITH_NO_INSTALL``)."""
    return environment.get("GOLDSMITH_NO_INSTALL", "") not in {"", "0"}


def release(text: str) -> dict[str, str]:
    """Parse an os-release file, whose values may be quoted like a shell's."""
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


def is_root() -> bool:
    """Tell whether this process may install packages."""
    return os.geteuid() == 0
