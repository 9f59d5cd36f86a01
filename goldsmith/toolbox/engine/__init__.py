"""The Docker engine: found, judged, and on a bare Debian or Ubuntu machine installed and started."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from goldsmith.errors import RefusedError, UnreachableError
from goldsmith.host.workspace import holding
from goldsmith.toolbox.engine import install, start
from goldsmith.toolbox.engine.decide import Decision, Install, Start, Stop, Use, decide
from goldsmith.toolbox.engine.probe import Probe, probe
from goldsmith.toolbox.engine.system import Host

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from goldsmith.host.progress import Progress
    from goldsmith.host.runner import Runner

LOCK = Path("/run/lock/goldsmith-engine.lock")
INSTALL_LOG = Path("/var/log/goldsmith-install.log")


@dataclass(frozen=True, kw_only=True)
class Engine:
    """An engine that answers, and the command that speaks to it."""

    cli: str
    """The ``docker`` that has the plugins; not always the first on PATH."""
    endpoint: str
    version: str
    architecture: str
    """As the engine's machine names it: ``x86_64``, ``aarch64``."""
    storage: str
    """``overlay2`` is the classic store, ``overlayfs`` the one of containerd."""
    rootless: bool
    """Its root is the caller; files made by uid 0 in a container are then the caller's."""
    remote: bool
    """It cannot see this machine's files, so no folder can be mounted."""
    buildx: str
    compose: str
    """Version of the plugin; empty without."""

    def argv(self, *arguments: str) -> tuple[str, ...]:
        """Return the command line of ``docker`` with *arguments*."""
        return (self.cli, *arguments)


def local(engine: Engine) -> Engine:
    """Return *engine*; raises ``RefusedError`` for one that cannot see the repository."""
    if engine.remote:
        raise RefusedError(
            "a remote Docker engine cannot see this repository",
            where=engine.endpoint,
            why="the toolbox runs with the repository mounted, which needs an engine on this machine",
            next="unset DOCKER_HOST, or 'docker context use default'; or run goldsmith on the engine's own machine",
        )
    return engine


def find(runner: Runner, environment: Mapping[str, str], *, plugins: tuple[str, ...] = ("buildx",)) -> Engine | None:
    """Return the engine if one can be used as things are; changes nothing and explains nothing."""
    said = probe(runner, environment, plugins=plugins)
    return _engine(said) if isinstance(decide(said, Host(), plugins=plugins), Use) else None


def ensure(
    runner: Runner,
    environment: Mapping[str, str],
    progress: Progress,
    *,
    plugins: tuple[str, ...] = ("buildx",),
) -> Engine:
    """Return an engine that answers and has *plugins*, installing or starting one where that is allowed.

    It is allowed to root on Debian and Ubuntu, when nothing points to another engine
    and ``GOLDSMITH_NO_INSTALL`` is not set. Raises ``UnreachableError`` otherwise.
    """
    said = probe(runner, environment, plugins=plugins)
    match _decide(said, environment, plugins):
        case Use():
            return _engine(said)
        case Stop(error):
            raise error
        case Install() | Start():
            with _alone(progress):
                said = _bring_up(runner, environment, progress, plugins)
            if said.storage == "vfs":
                progress.note(
                    "this engine copies whole images (storage driver vfs): /var/lib/docker lies on an overlay"
                )
            return _engine(said)
        case never:
            assert_never(never)


def _decide(said: Probe, environment: Mapping[str, str], plugins: tuple[str, ...]) -> Decision:
    return decide(said, Host.here(environment), plugins=plugins)


def _bring_up(runner: Runner, environment: Mapping[str, str], progress: Progress, plugins: tuple[str, ...]) -> Probe:
    """Do what the decision says until an engine answers: after installing it may run already, or not."""
    for _ in ("install", "start"):
        said = probe(runner, environment, plugins=plugins)
        match _decide(said, environment, plugins):
            case Use():
                return said
            case Stop(error):
                raise error
            case Install():
                install.install(runner, Host.here(environment), progress, log=INSTALL_LOG)
            case Start():
                start.start(runner, Host.here(environment), environment, progress)
            case never:
                assert_never(never)
    said = probe(runner, environment, plugins=plugins)
    match _decide(said, environment, plugins):
        case Use():
            return said
        case Stop(error):
            raise error
        case _:
            raise UnreachableError(
                "the Docker engine was started and does not answer",
                where=said.endpoint,
                why=said.error,
                next=f"read {start.LOG}, or 'journalctl -u docker'",
            )


def _engine(said: Probe) -> Engine:
    return Engine(
        cli=said.cli,
        endpoint=said.endpoint,
        version=said.version,
        architecture=said.architecture,
        storage=said.storage,
        rootless=said.rootless,
        remote=said.is_remote,
        buildx=said.plugins.get("buildx", ""),
        compose=said.plugins.get("compose", ""),
    )


@contextlib.contextmanager
def _alone(progress: Progress) -> Iterator[None]:
    """Only one run at a time installs or starts; the others find the work done."""
    waits = partial(progress.note, "another run prepares the Docker engine; waiting for it")
    with holding(LOCK, what="Docker engine", on_wait=waits):
        yield
