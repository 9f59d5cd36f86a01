"""Media on the lab's datastore, with the real govc of the toolbox."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from goldsmith.host.progress import Lines
from goldsmith.host.redact import Redactor
from goldsmith.host.runner import ProcessRunner
from goldsmith.host.workspace import Workspace
from goldsmith.stages import upload
from goldsmith.tools import govc
from goldsmith.wiring import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from goldsmith.media.store import Store
    from tests.integration.conftest import Operator

BUILDS = ("20261123-120000-00000001", "20261123-120000-00000002")
SHA256 = "ab" * 32
SIZE = 200_000_000
"""Long enough that two uploads overlap."""


@pytest.fixture
def session(operator: Operator, lab: dict[str, Any]) -> Session:
    redact, environment = Redactor(), dict(operator.environment)
    workspace, runner = Workspace.here(environment), ProcessRunner(redact)
    return Session(
        workspace=workspace, environment=environment, redact=redact, progress=Lines(redact=redact), runner=runner
    )


@pytest.fixture
def store(session: Session) -> Store:
    on = session.on(session.effective(site="lab", image="debian-13"))
    folder = PurePosixPath("goldsmith/upload-test")
    return on.store(folder, on.site.placement.media_datastore, door=session.toolbox(on.site))


@pytest.fixture
def medium(session: Session) -> Iterator[Path]:
    session.workspace.builds.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=session.workspace.builds, prefix="upload-test-") as name:
        path = Path(name) / "generic.iso"
        with path.open("wb") as file:
            file.truncate(SIZE)
        yield path


def test_two_builds_upload_one_reusable_medium_at_once(store: Store, medium: Path, session: Session) -> None:
    """Both end with the same whole file, and nothing else is left; a third build uploads nothing."""

    def once(build_id: str) -> str:
        return upload.reusable_medium(store, medium, stem="generic", sha256=SHA256, build_id=build_id)

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(once, BUILDS)
    assert first == second == once("20261123-120000-00000003")
    listing = session.runner.run(govc.size(store.door, store.access, store.folder.as_posix()), check=False)
    assert govc.parse_size(listing) == SIZE
    assert ".part" not in listing.stdout
    upload.remove(store, first)
