"""What matters about this machine when it has no Docker engine: its release, its init, who we are."""

from __future__ import annotations

import getpass
import os
import platform
import shutil
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from goldsmith.toolbox import apt
from goldsmith.toolbox.engine.probe import number

if TYPE_CHECKING:
    from collections.abc import Mapping

NEXT_RELEASE = "trixie"
"""The Debian release whose engine is new enough for Debian 12, whose own (20.10) is not."""
_SYSTEM_FOLDERS = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin"


class Method(Enum):
    """How an engine comes onto this machine."""

    OWN_ARCHIVE = "the release's own packages"
    NEXT_RELEASE = "the packages of the next release"
    BY_HAND = "the operator's own way"


@dataclass(frozen=True, kw_only=True)
class Host:
    """Facts about this machine and this user."""

    kernel: str = "Linux"
    distribution: str = ""
    """``ID`` of os-release: debian, ubuntu, fedora ..."""
    release: str = ""
    """``VERSION_ID``; Debian's testing and unstable have none."""
    name: str = ""
    user: str = ""
    path: str = ""
    is_root: bool = False
    forbidden: bool = False
    has_systemd: bool = False
    has_socket: bool = False
    """A socket stands where an engine's is by default."""
    has_apparmor: bool = False
    dockerd: str = ""

    @classmethod
    def here(cls, environment: Mapping[str, str]) -> Host:
        """Look at this machine."""
        system = apt.release(_read("/etc/os-release") or _read("/usr/lib/os-release"))
        return cls(
            kernel=platform.system(),
            distribution=system.get("ID", ""),
            release=system.get("VERSION_ID", ""),
            name=system.get("PRETTY_NAME", "") or platform.system(),
            user=_user(),
            path=environment.get("PATH", ""),
            is_root=apt.is_root(),
            forbidden=apt.is_forbidden(environment),
            has_systemd=Path("/run/systemd/system").is_dir(),
            has_socket=Path("/var/run/docker.sock").is_socket(),
            has_apparmor=_read("/sys/module/apparmor/parameters/enabled").startswith("Y"),
            dockerd=shutil.which("dockerd", path=f"{environment.get('PATH', '')}:{_SYSTEM_FOLDERS}") or "",
        )


def method(machine: Host) -> Method:
    """Tell how an engine comes onto *machine*."""
    release = number(machine.release)
    if machine.distribution == "ubuntu" and release >= (22, 4):
        return Method.OWN_ARCHIVE
    if machine.distribution == "debian" and (not release or release >= (13,)):
        return Method.OWN_ARCHIVE
    if machine.distribution == "debian" and release >= (12,):
        return Method.NEXT_RELEASE
    return Method.BY_HAND


def packages(machine: Host) -> tuple[str, ...]:
    """Return the packages with engine, buildx and compose; empty where goldsmith installs none."""
    # Without its parser, an engine on a kernel with AppArmor starts no container at all.
    extra = ("iptables", "ca-certificates", *(("apparmor",) if machine.has_apparmor else ()))
    if method(machine) is Method.BY_HAND:
        return ()
    if machine.distribution == "ubuntu":
        return ("docker.io", "docker-buildx", "docker-compose-v2", *extra)
    wanted = ("docker.io", "docker-cli", "docker-buildx", "docker-compose", "containerd")
    suffix = f"/{NEXT_RELEASE}" if method(machine) is Method.NEXT_RELEASE else ""
    return (*(f"{name}{suffix}" for name in wanted), *extra)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a uid without a passwd entry
        return str(os.getuid())


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""
