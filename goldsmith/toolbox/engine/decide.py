"""What to do about the engine that was found, or not found: facts in, a decision out."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from goldsmith.errors import GoldsmithError, UnreachableError
from goldsmith.toolbox.engine.probe import number
from goldsmith.toolbox.engine.system import NEXT_RELEASE, Method, method, packages

if TYPE_CHECKING:
    from goldsmith.toolbox.engine.probe import Probe
    from goldsmith.toolbox.engine.system import Host

OLDEST_ENGINE = (23,)
"""The first whose own BuildKit knows what docker/Dockerfile uses without a frontend image."""


@dataclass(frozen=True)
class Use:
    """An engine answers and has what is needed."""


@dataclass(frozen=True)
class Start:
    """The engine is installed on this machine and does not run."""


@dataclass(frozen=True)
class Install:
    """This machine has no engine, and may be given one."""


@dataclass(frozen=True)
class Stop:
    """The operator has to do something first."""

    error: GoldsmithError


Decision = Use | Start | Install | Stop


def decide(probe: Probe, machine: Host, *, plugins: tuple[str, ...] = ("buildx",)) -> Decision:
    """Return what to do. An engine that works is never touched, nor one that is somewhere else."""
    if not probe.is_docker:
        return Stop(_look_alike(probe, machine))
    if probe.version:
        return _about_answering(probe, machine, plugins)
    if "permission denied" in probe.error.lower():
        return Stop(_denied(probe, machine))
    if not probe.is_default or _is_confused(probe):
        return Stop(_silent_elsewhere(probe))
    return _about_none(probe, machine)


def _about_none(probe: Probe, machine: Host) -> Decision:
    if not machine.is_root or machine.forbidden:
        return Stop(_missing(probe, machine))
    if machine.dockerd:
        return Start()
    if machine.has_socket and not probe.cli:
        return Stop(_no_cli(machine))
    return Install() if method(machine) is not Method.BY_HAND else Stop(_missing(probe, machine))


def _is_confused(probe: Probe) -> bool:
    """Tell whether the CLI fails before it looks for an engine, over a context that is gone."""
    return "context" in probe.error.lower() and "resolve" in probe.error.lower()


def _about_answering(probe: Probe, machine: Host, plugins: tuple[str, ...]) -> Decision:
    if number(probe.version) < OLDEST_ENGINE:
        return Stop(
            UnreachableError(
                f"the Docker engine {probe.version} is too old",
                where=probe.endpoint,
                why=f"goldsmith needs {OLDEST_ENGINE[0]} or newer; an engine that runs is never replaced by goldsmith",
                next=f"upgrade it: {installing(machine)}",
            )
        )
    missing = [name for name in plugins if name not in probe.plugins]
    if missing:
        return Stop(
            UnreachableError(
                f"docker has no {' and no '.join(missing)}",
                where=f"{probe.cli} (engine {probe.version} at {probe.endpoint})",
                why="the engine works, and a Docker that works is never changed by goldsmith",
                next=f"install {_plugin_packages(machine, missing)}",
            )
        )
    return Use()


def _plugin_packages(machine: Host, missing: list[str]) -> str:
    upstream = " ".join(f"docker-{name}-plugin" for name in missing)
    match method(machine):
        case Method.OWN_ARCHIVE | Method.NEXT_RELEASE:
            ours = [name for name in packages(machine) if any(plugin in name for plugin in missing)]
            return f"{' '.join(ours)} (with docker.io), or {upstream} (with docker-ce)"
        case Method.BY_HAND:
            return f"{upstream}, or the plugins your Docker's vendor offers"
        case never:
            assert_never(never)


def _look_alike(probe: Probe, machine: Host) -> GoldsmithError:
    return UnreachableError(
        "docker is not Docker here",
        where=probe.cli,
        why="it answers as another program does (podman has such a command); its images would have other identities",
        next=f"install Docker, or put its CLI earlier on PATH:\n{by_hand(machine)}",
    )


def _denied(probe: Probe, machine: Host) -> GoldsmithError:
    return UnreachableError(
        "this user may not use the Docker engine",
        where=probe.endpoint,
        why=probe.error,
        next=f"sudo usermod -aG docker {shlex.quote(machine.user)} and log in again (members are as good as root),\n"
        "or use a rootless engine: DOCKER_HOST=unix://$XDG_RUNTIME_DIR/docker.sock",
    )


def _silent_elsewhere(probe: Probe) -> GoldsmithError:
    return UnreachableError(
        "the Docker engine does not answer",
        where=probe.endpoint,
        why=probe.error or "docker is not installed, so nothing could ask it",
        next="start that engine; or unset DOCKER_HOST and DOCKER_CONTEXT, and 'docker context use default'",
    )


def _no_cli(machine: Host) -> GoldsmithError:
    return UnreachableError(
        "there is no docker command",
        where=f"PATH={machine.path}",
        why="an engine's socket is there (/var/run/docker.sock), so another engine must not be installed",
        next="install the command and its plugins alone: docker-cli docker-buildx docker-compose",
    )


def _missing(probe: Probe, machine: Host) -> GoldsmithError:
    if machine.forbidden:
        barred = "GOLDSMITH_NO_INSTALL forbids installing or starting one"
    elif method(machine) is Method.BY_HAND:
        barred = (
            f"goldsmith installs one only on Debian (12 or newer) and Ubuntu (22.04 or newer), not on {machine.name}"
        )
    else:
        barred = "only root can install and start one"
    return UnreachableError(
        "no Docker engine answers",
        where=probe.endpoint,
        why=f"{probe.error or 'docker is not installed'}\n{barred}",
        next=by_hand(machine),
    )


def by_hand(machine: Host) -> str:
    """Return how an operator gets an engine on this machine to run: starts it, or installs it first."""
    if machine.kernel == "Darwin":
        return "install Docker Desktop, OrbStack or Colima with buildx and compose, and start it"
    start = "sudo systemctl enable --now docker" if machine.has_systemd else "sudo dockerd &"
    if machine.dockerd:
        return f"start it: {start}"
    lines = [installing(machine), f"start it: {start}"]
    if method(machine) is not Method.BY_HAND and not machine.is_root and not machine.forbidden:
        lines.append("or run the same command as root: goldsmith then does both")
    return "\n".join(lines)


def installing(machine: Host) -> str:
    """Return how an operator installs, or upgrades, an engine on this machine."""
    match method(machine):
        case Method.OWN_ARCHIVE:
            return f"sudo apt-get install {' '.join(packages(machine))}"
        case Method.NEXT_RELEASE:
            return (
                f"with Debian's suite {NEXT_RELEASE} added to apt: sudo apt-get install {' '.join(packages(machine))}"
            )
        case Method.BY_HAND:
            return "install Docker 23 or newer with its plugins buildx and compose: https://docs.docker.com/engine/install/"
        case never:
            assert_never(never)
