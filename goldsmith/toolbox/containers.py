"""Runs tools in the toolbox: what ``docker run`` is given, and how a run gets its secrets."""

from __future__ import annotations

import os
import secrets as random
import shlex
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING

from goldsmith.errors import RefusedError, ToolError
from goldsmith.host.runner import Command
from goldsmith.toolbox import certificates, engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from goldsmith.host.runner import Runner
    from goldsmith.host.workspace import Workspace
    from goldsmith.toolbox.engine import Engine

MARKER = "GOLDSMITH_INSIDE_TOOLBOX"
ENTRY = "/usr/local/bin/goldsmith-entry"
DATA = PurePosixPath("/data")
EXTRA_CA = "/run/extra-ca"
_NOTHING: Mapping[str, str] = MappingProxyType({})
_BUILD, _CHECKOUT = "goldsmith.build", "goldsmith.checkout"
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "ftp_proxy", "all_proxy")
"""The CLI gives those of the user's ``~/.docker/config.json`` to every run, in both spellings, logins included."""
PLATFORM = ("--platform", "linux/amd64")
"""Of every image that is locked, whatever DOCKER_DEFAULT_PLATFORM says."""
_REMOVALS = 50
"""How often one that is being removed is asked to go: in all, some seconds."""


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A folder or file of this machine that a run sees."""

    source: Path
    target: str
    writable: bool = False

    def option(self) -> str:
        """Return the value of ``--mount``, which is a line of CSV and fails if *source* is missing."""
        fields = ["type=bind", f"source={self.source}", f"target={self.target}"]
        if not self.writable:
            fields.append("readonly")
        return ",".join('"' + part.replace('"', '""') + '"' if set(',"\r\n') & set(part) else part for part in fields)


def is_inside(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the suite itself runs in the toolbox, as on a Kubernetes runner."""
    return environment.get(MARKER) == "1"


@dataclass(frozen=True, kw_only=True)
class Toolbox:
    """Builds the commands that run tools in the toolbox image, or directly where the suite is inside of it already."""

    workspace: Workspace
    image: str = ""
    """The id of the image, which no tag can take to another one; not needed inside."""
    engine: Engine | None = None
    """The local engine; none means inside."""
    ca_files: tuple[Path, ...] = ()
    """CA files of the site, besides docker/certs and GOLDSMITH_CA_FILE."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    user: tuple[int, int] = field(default_factory=lambda: (os.getuid(), os.getgid()))
    """Uid and gid of the caller, so that what a run writes is the caller's."""

    def path(self, path: Path) -> str:
        """Return where a run sees *path*.

        Raises ``RefusedError`` when it lies outside of the repository: a run does not see it.
        """
        if self.engine is None:
            return str(path)
        try:
            return str(DATA / path.resolve().relative_to(self.workspace.root.resolve()))
        except ValueError:
            raise RefusedError(
                f"the toolbox cannot see {path.name}",
                where=str(path),
                why=f"it sees only what lies below {self.workspace.root}",
                next="copy the file into the repository",
            ) from None

    def command(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        secrets: Mapping[str, str] | None = None,
        mounts: Iterable[Mount] = (),
        labels: Mapping[str, str] | None = None,
        network: str | None = None,
        interactive: bool = False,
    ) -> Command:
        """Return the command that runs *argv*, whose first word is a tool of the toolbox, or else one of Packer's.

        ``secrets`` become environment variables of the tool alone; they travel over
        stdin, so neither ``docker inspect`` nor a process list shows them. An
        ``interactive`` run takes none: its stdin is the terminal. Raises
        ``RefusedError`` for a remote engine and ``ConfigurationError`` for a file that
        holds no certificates.
        """
        hidden = {**self._proxies(network), **(secrets or {})}
        if interactive and secrets:
            raise ValueError("an interactive run has no place for secrets")
        stdin = None if interactive or not hidden else packed(hidden)
        visible = {**(env or {}), **({"GOLDSMITH_SECRETS": "stdin"} if stdin else {})}
        if self.engine is None:
            return Command(argv=(ENTRY, *argv), env=visible, cwd=self.workspace.root, stdin=stdin)
        name = f"goldsmith-run-{random.token_hex(6)}"
        return Command(
            argv=self._docker(
                engine.local(self.engine),
                argv,
                options=(
                    "--name",
                    name,
                    *_each("--mount", (mount.option() for mount in self._mounts(mounts))),
                    *_each(
                        "--label", (f"{name}={value}" for name, value in {"goldsmith": "1", **(labels or {})}.items())
                    ),
                    *_each("--env", (f"{name}={value}" for name, value in visible.items())),
                    *(("--network", network) if network else ()),
                    *(("--tty",) if interactive else ()),
                ),
            ),
            stdin=stdin,
            # A client that is interrupted while its container is made, or killed, leaves the container.
            ending=self.engine.argv("rm", "--force", name),
        )

    def _docker(self, local: Engine, argv: Sequence[str], *, options: tuple[str, ...]) -> tuple[str, ...]:
        # Root of a rootless engine is the caller; any other uid would be one of its subordinates.
        uid, gid = (0, 0) if local.rootless else self.user
        return local.argv(
            "run", "--rm", "--interactive",
            "--init",  # as process 1, a tool without signal handlers could not be interrupted
            # Signals reach what a shell waits for, as in a terminal, and not the shell alone.
            "--env", "TINI_KILL_PROCESS_GROUP=1",
            "--security-opt", "no-new-privileges",
            "--ulimit", "core=0",  # a dump, which lands in the repository, would hold the tool's secrets
            "--user", f"{uid}:{gid}",
            "--workdir", str(DATA),
            "--tmpfs", "/tmp",  # noqa: S108 - the container's own
            "--pull", "never",
            *PLATFORM,
            # Empty, so that the CLI adds none of its own; what is to count comes on stdin, and replaces these.
            *_each("--env", (f"{name}=" for name in every(PROXIES))),
            *options,
            self.image,
            *argv,
        )  # fmt: skip

    def _mounts(self, more: Iterable[Mount]) -> list[Mount]:
        mounts = [Mount(source=self.workspace.root, target=str(DATA), writable=True), *more]
        builds = self.workspace.builds
        if builds.is_symlink():  # to another disk, say, which a run does not see by itself
            mounts.append(Mount(source=builds.resolve(), target=str(DATA / builds.name), writable=True))
        files = certificates.sources(self.workspace, self.environment, self.ca_files)
        if folder := certificates.folder(self.workspace, files):
            mounts.append(Mount(source=folder, target=EXTRA_CA))
        return mounts

    def _proxies(self, network: str | None) -> dict[str, str]:
        """Return the caller's proxies, which may carry a password; the lab's own network has none."""
        if network or self.engine is None:
            return {}
        return {name: self.environment[name] for name in every(PROXIES) if self.environment.get(name)}


def packed(secrets: Mapping[str, str]) -> bytes:
    """Return *secrets* as the entry script reads them: ``NAME=VALUE``, each ended by NUL.

    Raises ``ValueError`` for what cannot be an environment variable.
    """
    for name, value in secrets.items():
        if not name.isidentifier() or not name.isascii() or "\0" in value:
            raise ValueError(f"{name!r} cannot be handed over")
    return b"".join(f"{name}={value}\0".encode() for name, value in secrets.items())


def every(names: Iterable[str]) -> tuple[str, ...]:
    """Return *names* in both spellings that programs look for."""
    return tuple(spelling for name in names for spelling in (name, name.upper()))


def _each(option: str, values: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for value in values for word in (option, value))


def labels(checkout: Path, build: str) -> dict[str, str]:
    """Return the labels of a build's runs; two checkouts may have builds of one image in the same second."""
    return {_BUILD: build, _CHECKOUT: str(checkout)}


def runs(checkout: Path, build: str = "", *, runner: Runner, engine: Engine) -> tuple[tuple[str, str], ...]:
    """Return the runs of a checkout's builds, or of one: the container's id, and the build's."""
    wanted = (f"{_BUILD}={build}" if build else _BUILD, f"{_CHECKOUT}={checkout}")
    filters = _each("--filter", (f"label={label}" for label in wanted))
    argv = engine.argv("ps", "--all", *filters, "--format", f'{{{{.ID}}}} {{{{.Label "{_BUILD}"}}}}')
    lines = runner.run(Command(argv=argv)).stdout.splitlines()
    return tuple((container, of) for container, _, of in (line.partition(" ") for line in lines))


def remove(container: str, *, runner: Runner, engine: Engine) -> None:
    """Remove a container and see it gone; it may be ending, or be gone, by itself. Raises ``ToolError``."""
    order = Command(argv=engine.argv("rm", "--force", container))
    done = runner.run(order, check=False)
    for _ in range(_REMOVALS):
        if "already in progress" not in done.stderr:
            break
        # The engine itself removes what has ended (--rm), and takes no second order meanwhile.
        runner.run(Command(argv=engine.argv("wait", container)), check=False)
        done = runner.run(order, check=False)
    if done.returncode == 0 or "No such container" in done.stderr:
        return
    raise ToolError(
        f"the toolbox container {container} cannot be removed",
        where=shlex.join(order.argv),
        why=done.stderr.strip(),
        next="repeat that by hand; './inv clean' tries it again, too",
    )


@dataclass(frozen=True)
class SiteDoor:
    """The toolbox as the builds of one site use it: on that site's network, marked with the build."""

    toolbox: Toolbox
    network: str | None
    labels: Mapping[str, str]
    mounts: tuple[Mount, ...] = ()

    def command(
        self, argv: tuple[str, ...], *, env: Mapping[str, str] = _NOTHING, secrets: Mapping[str, str] = _NOTHING
    ) -> Command:
        """Return the command that runs *argv*; see :class:`goldsmith.tools.door.Door`."""
        return self.toolbox.command(
            argv, env=env, secrets=secrets, mounts=self.mounts, labels=self.labels, network=self.network
        )

    def seeing(self, folder: Path, target: str) -> SiteDoor:
        """Return the same door, through which *folder* of this machine is seen as *target*."""
        return replace(self, mounts=(*self.mounts, Mount(source=folder, target=target)))
