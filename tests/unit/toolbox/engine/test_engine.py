"""The door to Docker: what callers get, and what they are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldsmith.errors import RefusedError, UnreachableError
from goldsmith.host.runner import Completed
from goldsmith.toolbox.engine import Engine, ensure, find, local
from tests.unit.fakes import FakeProgress, FakeRunner

RECORDED = Path(__file__).parents[3] / "recorded/docker"
READY = (RECORDED / "info-26.json").read_text()
SILENT = Completed(returncode=1, stdout=(RECORDED / "info-silent.json").read_text(), stderr="")


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    """Return a docker that stands first on PATH."""
    path = tmp_path / "docker"
    path.write_text("")
    path.chmod(0o755)
    return path


def test_a_docker_that_works_is_used_after_one_question(docker: Path) -> None:
    """Nothing is announced, nothing else is run; the engine's facts are the recorded ones."""
    runner, progress = FakeRunner({f"{docker} info": READY}), FakeProgress()
    engine = ensure(runner, {"PATH": str(docker.parent)}, progress, plugins=("buildx", "compose"))
    assert engine == Engine(
        cli=str(docker),
        endpoint="unix:///var/run/docker.sock",
        version="26.1.5+dfsg1",
        architecture="x86_64",
        storage="overlay2",
        rootless=False,
        remote=False,
        buildx="0.13.1+ds1",
        compose="2.26.1-4",
    )
    assert engine.argv("ps", "-a") == (str(docker), "ps", "-a")
    assert len(runner.asked) == 1
    assert (progress.steps, progress.notes) == ([], [])


def test_a_silent_engine_elsewhere_is_an_error_and_nothing_is_run(docker: Path) -> None:
    """The endpoint is named; no package is installed, no engine started."""
    runner = FakeRunner({f"{docker} info": SILENT})
    environment = {"PATH": str(docker.parent), "DOCKER_HOST": "tcp://farm.example.com:2376"}
    with pytest.raises(UnreachableError, match=r"farm\.example\.com"):
        ensure(runner, environment, FakeProgress())
    assert find(runner, environment) is None


def test_a_remote_engine_is_used_but_not_for_the_toolbox(docker: Path) -> None:
    """It answers, and cannot see the repository: whoever mounts it asks with local()."""
    environment = {"PATH": str(docker.parent), "DOCKER_HOST": "ssh://farm.example.com"}
    engine = find(FakeRunner({f"{docker} info": READY}), environment)
    assert engine is not None
    assert engine.remote
    with pytest.raises(RefusedError, match="DOCKER_HOST"):
        local(engine)


def test_a_local_engine_is_passed_on(docker: Path) -> None:
    """local() returns what it was given."""
    engine = find(FakeRunner({f"{docker} info": READY}), {"PATH": str(docker.parent)})
    assert engine is not None
    assert local(engine) is engine
