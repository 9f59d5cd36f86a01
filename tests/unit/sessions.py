"""A session without a machine around it: the real configuration and templates, a folder of its own, fakes for doors."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldsmith.host.redact import Redactor
from goldsmith.host.workspace import Workspace
from goldsmith.lab import state
from goldsmith.wiring import Session
from tests.unit.fakes import FakeProgress, FakeRunner
from tests.unit.vcenter.fakes import FakeVCenter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from goldsmith.model import Credentials, Site
    from tests.unit.fakes import Answer

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 23, 16, tzinfo=UTC)
PASSWORD = "the-labs-own-password"
INSIDE = {"GOLDSMITH_INSIDE_TOOLBOX": "1", "PATH": ""}
"""The environment of a suite that needs no Docker."""


@dataclass(frozen=True)
class FakeSession(Session):
    """A session whose vCenter is in memory, and whose clock stands still."""

    progress: FakeProgress
    runner: FakeRunner
    vcenter: FakeVCenter = field(default_factory=FakeVCenter)
    containers: dict[str, str] = field(default_factory=dict)
    """The toolbox containers that the engine has: id to the build's id."""

    def runs(self, build: str = "") -> tuple[tuple[str, str], ...]:
        """Return the containers of builds, or of one."""
        return tuple((container, of) for container, of in self.containers.items() if build in ("", of))

    def end_run(self, container: str) -> None:
        """Remove a container."""
        del self.containers[container]

    def connect(self, site: Site, credentials: Credentials) -> AbstractContextManager[Any]:  # noqa: ARG002 - the door's
        """Count a session of the fake vCenter, which only the lab's own password opens."""
        assert credentials.password.get_secret_value() == PASSWORD
        return self.vcenter.connect()

    @staticmethod
    def now() -> datetime:
        """Return the same time every time."""
        return NOW


def session(
    folder: Path, *, environment: Mapping[str, str] = INSIDE, script: Mapping[str, Answer | list[Answer]] | None = None
) -> FakeSession:
    """Return a session in *folder*; *script* is what its runner answers, by default nothing."""
    root = folder / "root"
    root.mkdir(parents=True)
    for name in ("config", "docker", "kickstart", "packer"):
        (root / name).symlink_to(ROOT / name)
    return FakeSession(
        workspace=Workspace(root=root, cache=folder / "cache"),
        environment=environment,
        redact=Redactor(),
        progress=FakeProgress(),
        runner=FakeRunner(script),
    )


def lab_is_up(of: Session) -> state.State:
    """Write what a lab that is up leaves on this machine."""
    login = state.Login(name="lab", server="127.0.0.1:18443", user="u", password=PASSWORD, datastore="lab-ds")
    known = state.State(
        name="goldsmith-lab", settings="0" * 12, admin="http://127.0.0.1:18444", token="t", vcenters=(login,)
    )
    known.write(of.workspace.cache / "lab" / "goldsmith-lab", "CA")
    return known
