"""What of a lab the Docker engine has: command lines to ask it, and what it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from goldsmith.host.runner import Command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from goldsmith.host.runner import Completed
    from goldsmith.lab.settings import Settings

SOCKET = "/var/run/docker.sock"
OWN = ("pause", "vcenter")
"""The containers of a lab that are no guests; their names begin with the lab's."""
_PATIENCE = 30.0
"""Seconds an engine may take to answer; one that takes longer is asked again, and explained, by who starts a lab."""
KINDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "container": (("container", "ls", "--all", "--quiet"), ("container", "rm", "--force", "--volumes")),
    "image": (("image", "ls", "--quiet"), ("image", "rm", "--force")),
    "network": (("network", "ls", "--quiet"), ("network", "rm")),
    "volume": (("volume", "ls", "--quiet"), ("volume", "rm", "--force")),
}
"""How each kind of object is listed and removed, in the order in which they let go of each other."""


class Engine(Protocol):
    """The Docker engine's command line."""

    @property
    def endpoint(self) -> str:
        """Its address."""
        ...

    @property
    def rootless(self) -> bool:
        """Whether its root is the caller."""
        ...

    def argv(self, *arguments: str) -> tuple[str, ...]:
        """Return the command line of ``docker`` with *arguments*."""
        ...


@dataclass(frozen=True, kw_only=True)
class Container:
    """One container of a lab."""

    name: str
    image: str
    running: bool
    healthy: bool
    """Its health check passes; what has none is as healthy as it is running."""
    labels: Mapping[str, str]

    @property
    def vm(self) -> str:
        """The VM that it is, if it is a guest."""
        return self.labels.get("goldsmith.lab.vm", "")

    @property
    def settings(self) -> str:
        """The digest of what the lab was started with."""
        return self.labels.get("goldsmith.lab.settings", "")


def containers(engine: Engine, settings: Settings) -> Command:
    """Return the command that lists a lab's containers, for :func:`parse`."""
    return Command(
        argv=engine.argv("container", "ls", "--all", "--no-trunc", *_filter(settings), "--format", "{{json .}}")
    )


def parse(text: str) -> tuple[Container, ...]:
    """Return the containers of ``docker container ls --format '{{json .}}'``."""
    return tuple(_container(json.loads(line)) for line in text.splitlines() if line.strip())


def _container(row: Mapping[str, str]) -> Container:
    running, status = row["State"] == "running", row.get("Status", "")
    watched = any(word in status for word in ("(healthy)", "(unhealthy)", "(health: "))
    return Container(
        name=row["Names"].split(",")[0],
        image=row["Image"],
        running=running,
        healthy="(healthy)" in status if watched else running,
        labels=dict(part.partition("=")[::2] for part in row.get("Labels", "").split(",") if part),
    )


def look(cli: str, settings: Settings, *images: str) -> Command:
    """Return the command that shows a lab's two own containers, and *images*, for :func:`is_whole`.

    One process, and none of Docker's plugins: it costs a tenth of what ``docker info`` does.
    """
    own = (f"{settings.name}-{part}" for part in OWN)
    return Command(argv=(cli, "inspect", *own, *images), timeout=_PATIENCE)


def is_whole(said: Completed, digest: str, *, healthy: bool = True) -> bool:
    """Tell from the answer to :func:`look` whether everything is there, runs, and was started so.

    Without *healthy*, a health check that fails does not count: on a busy machine it may.
    """
    if said.returncode != 0:  # one of them does not exist
        return False
    found: list[dict[str, Any]] = json.loads(said.stdout)
    own = [one for one in found if "State" in one]  # an image has none
    return len(own) == len(OWN) and all(
        one["State"]["Running"]
        # What has no health check is as healthy as it is running.
        and (not healthy or one["State"].get("Health", {}).get("Status", "healthy") == "healthy")
        and one["Config"]["Labels"].get("goldsmith.lab.settings") == digest
        for one in own
    )


def listing(engine: Engine, settings: Settings, kind: str) -> Command:
    """Return the command that prints the ids of a lab's objects of one kind."""
    return Command(argv=engine.argv(*KINDS[kind][0], *_filter(settings)))


def removal(engine: Engine, kind: str, ids: tuple[str, ...]) -> Command:
    """Return the command that removes objects of one kind."""
    return Command(argv=engine.argv(*KINDS[kind][1], *ids))


def start(engine: Engine, settings: Settings, file: Path, variables: Mapping[str, str]) -> Command:
    """Return the command that starts a lab and waits until it answers."""
    argv = engine.argv(
        "compose", "--progress", "plain", "--project-name", settings.name, "--file", str(file),
        "up", "--detach", "--wait", "--wait-timeout", "120", "--pull", "never", "--quiet-pull",
    )  # fmt: skip
    return Command(argv=argv, env=variables)


def copy_out(engine: Engine, container: str, path: str, to: Path) -> Command:
    """Return the command that copies a file out of a container."""
    return Command(argv=engine.argv("cp", "--quiet", f"{container}:{path}", str(to)))


def logs(engine: Engine, container: str) -> Command:
    """Return the command that prints the last lines a container said."""
    return Command(argv=engine.argv("logs", "--tail", "20", container))


def socket(engine: Engine) -> str:
    """Return the engine's socket as the engine's own machine names it; Docker Desktop's is inside its VM."""
    return engine.endpoint.removeprefix("unix://") if engine.rootless else SOCKET


def _filter(settings: Settings) -> tuple[str, ...]:
    return ("--filter", f"label=goldsmith.lab={settings.name}")
