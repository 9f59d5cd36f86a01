"""Starts and removes a lab, and tells what of it there is."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError, RefusedError, ToolError, UnreachableError
from goldsmith.lab import containers, state
from goldsmith.lab import settings as settings_room

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from goldsmith.host.progress import Progress
    from goldsmith.host.runner import Runner
    from goldsmith.host.workspace import Workspace
    from goldsmith.lab.containers import Container, Engine
    from goldsmith.lab.settings import Settings
    from goldsmith.lab.state import State

WARNING = (
    "the lab's guests are privileged containers, and its vCenter holds the engine's socket:\n"
    "whoever controls the lab is root on this machine"
)
_TAKEN = ("port is already allocated", "address already in use", "ports are not available")


def running(
    settings: Settings,
    *,
    cli: str,
    workspace: Workspace,
    runner: Runner,
    images: tuple[str, ...] = (),
    healthy: bool = True,
) -> State | None:
    """Return the state of the lab of this name if it is up as its state says, and *images* exist; nothing in doubt.

    One question to any ``docker``, where :class:`Lab` first needs to know all about engine and plugins.
    """
    try:
        known = state.read(settings_room.folder(settings, workspace.cache))
    except CheckError:
        return None
    if known is None:
        return None
    said = runner.run(containers.look(cli, settings, *images), check=False)
    return known if containers.is_whole(said, known.settings, healthy=healthy) else None


@dataclass(frozen=True, kw_only=True)
class Lab:
    """The lab of one name on this machine."""

    settings: Settings
    engine: Engine
    workspace: Workspace
    runner: Runner
    progress: Progress
    ensure: Callable[[str], str] = field(repr=False)
    """Builds an image if it is not there, and returns its reference."""

    @cached_property
    def folder(self) -> Path:
        """Where this machine keeps what it knows of the lab."""
        return settings_room.folder(self.settings, self.workspace.cache)

    def up(self, *, replace: bool = True) -> State:
        """Start the lab unless it is up; one that runs with other settings or images is restarted.

        Raises ``RefusedError`` when a port is taken, or when such a lab is somebody's and must not be replaced;
        ``ToolError`` when it does not start.
        """
        variables = self._variables()
        wanted = variables["GOLDSMITH_LAB_SETTINGS"]
        with self.workspace.locked(f"lab-{self.settings.name}"):
            there, known = self._containers(), self._known()
            if self._is_up(there, wanted):
                # Without a state of it here, another user or cache started it: the lab itself says how to log in.
                return known if known and known.settings == wanted else self._read_out(wanted)
            if not replace and any(self._is_up(there, one.settings) for one in there):
                raise self._somebodys()
            reason = "it ran with other settings, or was left by a run that was killed" if there or known else ""
            if reason:
                self._sweep(reason)
            try:
                return self._start(variables, reason or "it is not up")
            except BaseException:
                self._sweep("it did not start")
                raise

    def down(self) -> bool:
        """Remove everything of the lab, in whatever state it is; return whether there was anything."""
        with self.workspace.locked(f"lab-{self.settings.name}"):
            return self._sweep()

    def status(self) -> tuple[State | None, tuple[Container, ...]]:
        """Return the state of a lab that is up, and its containers."""
        there = self._containers()
        known = self._known()
        return (known if known and self._is_up(there, known.settings) else None), there

    def _variables(self) -> Mapping[str, str]:
        guest, image = self.ensure("lab-guest"), self.ensure("lab-vcenter")
        return self.settings.compose(image=image, guest_image=guest, socket=containers.socket(self.engine))

    def _known(self) -> State | None:
        try:
            return state.read(self.folder)
        except CheckError:  # as good as none: a new lab is created
            return None

    def _containers(self) -> tuple[Container, ...]:
        return containers.parse(self.runner.run(containers.containers(self.engine, self.settings)).stdout)

    def _is_up(self, there: tuple[Container, ...], digest: str) -> bool:
        own = {one.name for one in there if one.running and one.healthy and one.settings == digest}
        return own >= {f"{self.settings.name}-{part}" for part in containers.OWN}

    def _start(self, variables: Mapping[str, str], reason: str) -> State:
        file = self.workspace.root / "lab" / "compose.yaml"
        log = self.workspace.cache / "logs" / f"{self.settings.name}.log"
        log.unlink(missing_ok=True)
        with self.progress.step(f"lab {self.settings.name}", reason):
            self.progress.note(WARNING)
            try:
                self.runner.run(containers.start(self.engine, self.settings, file, variables), log=log)
            except ToolError as error:
                raise self._explained(error) from None
            return self._read_out(variables["GOLDSMITH_LAB_SETTINGS"])

    def _somebodys(self) -> RefusedError:
        return RefusedError(
            f"a lab called {self.settings.name} runs here, and is not this one's",
            where=f"containers {self.settings.name}-*; nothing is known of it in {self.folder}",
            why="another user, cache or checkout started it, with other images or settings",
            next="name another one: GOLDSMITH_LAB=my-lab GOLDSMITH_LAB_PORT=19443;\n"
            "or './inv lab-up' replaces it, with everything that is in it",
        )

    def _explained(self, error: ToolError) -> Exception:
        if taken := [line for line in error.why.splitlines() if any(word in line for word in _TAKEN)]:
            return RefusedError(
                f"a port of the lab is taken: {self.settings.ports} on 127.0.0.1",
                where="GOLDSMITH_LAB_PORT",
                why=taken[-1].strip(),
                next="end what listens there (another lab: GOLDSMITH_LAB=its-name ./inv lab-down),\n"
                f"or give other ports: GOLDSMITH_LAB_PORT={self.settings.port + 100} ./inv lab-up",
            )
        said = self.runner.run(containers.logs(self.engine, f"{self.settings.name}-vcenter"), check=False)
        return ToolError(
            "the lab does not start",
            where=error.where,
            why="\n".join(part for part in (error.why, said.stderr.strip(), said.stdout.strip()) if part),
            next="the last lines are what the simulated vCenter said; GOLDSMITH_LAB_PORT gives other ports",
        )

    def _read_out(self, digest: str) -> State:
        """Copy out of the vCenter what its clients need, and keep it."""
        with tempfile.TemporaryDirectory(prefix="goldsmith-lab-") as temporary:
            ca = self._file(state.CA, Path(temporary))
            found = state.State(
                name=self.settings.name,
                settings=digest,
                admin=f"http://127.0.0.1:{self.settings.admin_port}",
                token=self._file(state.TOKEN, Path(temporary)).strip(),
                vcenters=tuple(
                    state.Login(
                        name=one.name,
                        server=one.server,
                        user=settings_room.USER,
                        password=self._file(f"{one.name}.password", Path(temporary)).strip(),
                        datastore=one.datastore,
                    )
                    for one in self.settings.vcenters
                ),
            )
        found.write(self.folder, ca)
        return found

    def _file(self, name: str, folder: Path) -> str:
        to = folder / name
        source = f"{settings_room.STATE}/{name}"
        self.runner.run(containers.copy_out(self.engine, f"{self.settings.name}-vcenter", source, to))
        try:
            return to.read_text(encoding="utf-8")
        except OSError as error:
            raise UnreachableError(
                "the lab's vCenter does not say how to log in",
                where=f"{self.settings.name}-vcenter:{source}",
                why=str(error),
                next="./inv lab-down && ./inv lab-up creates a new one",
            ) from None

    def _sweep(self, reason: str = "") -> bool:
        """Remove whatever bears the lab's label, and its state; the vCenter first, or it would restart guests."""
        any_left = self.folder.exists()
        state.forget(self.folder)
        vcenter = f"{self.settings.name}-vcenter"
        self.runner.run(containers.removal(self.engine, "container", (vcenter,)), check=False)
        for kind in containers.KINDS:
            listed = self.runner.run(containers.listing(self.engine, self.settings, kind)).stdout
            if ids := tuple(dict.fromkeys(listed.split())):
                if not any_left and reason:
                    self.progress.note(f"removing what is left of the lab {self.settings.name}: {reason}")
                any_left = True
                # Something may vanish by itself between listing and removing; what stays is found next.
                self.runner.run(containers.removal(self.engine, kind, ids), check=False)
        return any_left
