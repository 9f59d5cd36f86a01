"""Which ``docker`` to use, what it talks to, and what that says about itself; nothing here changes anything."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldsmith.host.runner import TIMED_OUT, Command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldsmith.host.runner import Completed, Runner

DEFAULT_ENDPOINT = "unix:///var/run/docker.sock"
DEADLINE = 30.0
"""Seconds an engine may take to say how it is; one behind ssh, or on a busy machine, needs some."""
_ELSEWHERE = ("/usr/bin/docker", "/usr/local/bin/docker")
"""Where packages and installers put it, should PATH not lead there."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What one ``docker`` said. Without ``cli`` there is none; without ``version`` no engine answered."""

    cli: str = ""
    is_docker: bool = True
    """False for look-alikes such as podman's ``docker``, whose builds would differ."""
    endpoint: str = DEFAULT_ENDPOINT
    version: str = ""
    plugins: Mapping[str, str] = field(default_factory=dict)
    """Versions of the CLI's plugins by name: buildx, compose."""
    architecture: str = ""
    storage: str = ""
    rootless: bool = False
    error: str = ""
    """What the CLI complained about."""

    @property
    def is_remote(self) -> bool:
        """Tell whether the engine runs on another machine, where this one's files are not."""
        return not self.endpoint.startswith(("unix://", "npipe://"))

    @property
    def is_default(self) -> bool:
        """Tell whether nothing points away from the engine that packages install."""
        return self.endpoint in {DEFAULT_ENDPOINT, "unix:///run/docker.sock"}


def candidates(environment: Mapping[str, str], elsewhere: tuple[str, ...] = _ELSEWHERE) -> list[str]:
    """Return every different ``docker`` of PATH in order, then those in the usual places."""
    folders = [folder for folder in environment.get("PATH", "").split(os.pathsep) if folder]
    found: dict[Path, str] = {}
    for path in (*(Path(folder) / "docker" for folder in folders), *map(Path, elsewhere)):
        # As a shell passes over a folder that it may not look into, which Path.is_file reports.
        if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113 - see above
            found.setdefault(path.resolve(), str(path))
    return list(found.values())


def ask(cli: str) -> Command:
    """Return the command that tells about CLI, plugins and engine in one go."""
    return Command(argv=(cli, "info", "--format", "{{json .}}"), timeout=DEADLINE)


def endpoint(cli: str) -> Command:
    """Return the command that tells what the current context, or DOCKER_HOST, points to."""
    return Command(argv=(cli, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"), timeout=DEADLINE)


def probe(
    runner: Runner,
    environment: Mapping[str, str],
    *,
    plugins: tuple[str, ...] = ("buildx",),
    clis: list[str] | None = None,
) -> Probe:
    """Return the first ``docker`` that has *plugins*; else the first that is Docker; else what there is.

    *clis* replaces the search for ``docker`` on this machine.
    """
    seen: list[Probe] = []
    for cli in candidates(environment) if clis is None else clis:
        said = _probe(runner, environment, cli)
        if said.is_docker and all(name in said.plugins for name in plugins):
            return said
        seen.append(said)
    return next((said for said in seen if said.is_docker), seen[0] if seen else _without_cli(environment))


def _without_cli(environment: Mapping[str, str]) -> Probe:
    return Probe(endpoint=environment.get("DOCKER_HOST") or DEFAULT_ENDPOINT)


def _probe(runner: Runner, environment: Mapping[str, str], cli: str) -> Probe:
    completed = runner.run(ask(cli), check=False)
    info = _json(completed.stdout)
    pointed = environment.get("DOCKER_HOST", "")
    context = str(_mapping(info.get("ClientInfo")).get("Context", ""))
    if not pointed and context not in {"", "default"}:
        pointed = runner.run(endpoint(cli), check=False).stdout.strip()
    return parse(cli, completed, endpoint=pointed or DEFAULT_ENDPOINT)


def parse(cli: str, completed: Completed, *, endpoint: str) -> Probe:
    """Read the answer to :func:`ask`. Without an engine the CLI still prints its half, and ends with 1."""
    info = _json(completed.stdout)
    client = _mapping(info.get("ClientInfo"))
    complaints = [*_list(info.get("ServerErrors")), *completed.stderr.strip().splitlines()]
    if completed.returncode == TIMED_OUT:
        complaints.append(f"it did not answer within {DEADLINE:.0f} s")
    return Probe(
        cli=cli,
        is_docker=bool(client) or not info,
        endpoint=endpoint,
        version=str(info.get("ServerVersion", "")) if completed.returncode == 0 else "",
        plugins={
            str(plugin.get("Name")): str(plugin.get("Version", ""))
            for plugin in map(_mapping, _list(client.get("Plugins")))
            if not plugin.get("Err")  # a plugin that is there and does not run
        },
        architecture=str(info.get("Architecture", "")),
        storage=str(info.get("Driver", "")),
        rootless=any("rootless" in str(option) for option in _list(info.get("SecurityOptions"))),
        error="\n".join(dict.fromkeys(map(str, complaints))),
    )


def number(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version, for comparing: ``26.1.5+dfsg1`` is ``(26, 1, 5)``."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def _json(text: str) -> dict[str, Any]:
    try:
        return _mapping(json.loads(text))
    except ValueError:
        return {}


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
