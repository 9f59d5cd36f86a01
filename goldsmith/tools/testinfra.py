"""Runs checks of several machines with pytest and testinfra in the toolbox, over one SSH connection to each."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def argv(aliases: Iterable[str], *, folder: str, checks: Iterable[str]) -> tuple[str, ...]:
    """Return the argv that runs *checks* on every machine; *folder* holds the SSH configuration, and gets the report.

    All paths are relative to the repository.
    """
    return (
        "python3", "-m", "pytest",
        "-c", "verify/pytest.ini", "--rootdir", "verify",
        "-p", "bench",
        f"--hosts={','.join(f'ssh://{alias}' for alias in aliases)}",
        f"--ssh-config={folder}/ssh_config",
        f"--junitxml={folder}/junit.xml",
        *checks,
    )  # fmt: skip


def environment(folder: str) -> dict[str, str]:
    """Return the environment of the run."""
    return {
        "GOLDSMITH_EXPECTED": f"{folder}/expected.json",
        # The repository is mounted: nothing of the checks' own is left in it.
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": "verify",
    }


def ssh_config(addresses: Mapping[str, str], *, folder: str, key: str, user: str) -> str:
    """Return an SSH configuration that knows machines by alias, and keeps one connection to each.

    *key* is the private key's file, relative to the repository like *folder*.
    Raises ``CheckError`` for an address that is none: whatever else it is would become a part of the file.
    """
    return "".join(
        f"Host {alias}\n"
        f"  HostName {_plain(address)}\n"
        f"  User {user}\n"
        f"  IdentityFile {key}\n"
        "  IdentitiesOnly yes\n"
        "  BatchMode yes\n"
        # A clone's host key is made at its first boot: nobody can know it before.
        "  StrictHostKeyChecking accept-new\n"
        f"  UserKnownHostsFile {folder}/known_hosts\n"
        # An address is reported before sshd listens.
        "  ConnectTimeout 5\n"
        "  ConnectionAttempts 60\n"
        "  ServerAliveInterval 10\n"
        "  LogLevel ERROR\n"
        "  ControlMaster auto\n"
        "  ControlPath /tmp/goldsmith-%C\n"
        "  ControlPersist 60\n"
        for alias, address in addresses.items()
    )


def _plain(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        parsed = None
    if parsed is None or getattr(parsed, "scope_id", None) is not None:
        raise CheckError(
            "a machine reports an address that cannot be used",
            where=address,
            why="it must be an IPv4 or IPv6 address without a scope",
            next="look at the machine's network cards in the vSphere Client",
        )
    return str(parsed)
