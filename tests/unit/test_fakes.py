"""The fakes and the guard are strict."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import ToolError
from goldsmith.host.runner import Command, Completed
from tests.unit.fakes import FakeRunner, UnscriptedCommandError

if TYPE_CHECKING:
    from pathlib import Path


def test_a_command_outside_the_script_is_refused() -> None:
    """A program the test does not name cannot be run, not even one whose name merely begins alike."""
    runner = FakeRunner({"docker info": ""})
    with pytest.raises(UnscriptedCommandError, match="docker infos"):
        runner.run(Command(argv=("docker", "infos")))


def test_the_longest_key_answers() -> None:
    """A specific answer wins over a general one."""
    runner = FakeRunner({"docker": "general", "docker info": "specific"})
    assert runner.run(Command(argv=("docker", "info", "-f"))).stdout == "specific"
    assert runner.run(Command(argv=("docker", "ps"))).stdout == "general"


def test_a_list_of_answers_is_used_up() -> None:
    """Asking more often than scripted is refused, and what was not asked for is named."""
    runner = FakeRunner({"govc about": [Completed(returncode=3, stdout=""), "ok"], "true": ""})
    assert runner.run(Command(argv=("govc", "about")), check=False).returncode == 3
    assert runner.unused == ["govc about", "true"]
    runner.run(Command(argv=("govc", "about")))
    assert runner.unused == ["true"]
    with pytest.raises(UnscriptedCommandError, match="too often"):
        runner.run(Command(argv=("govc", "about")))


def test_a_failure_is_raised_as_by_the_real_runner() -> None:
    """A status other than 0 is an error when it is checked."""
    with pytest.raises(ToolError, match="status 2"):
        FakeRunner({"false": 2}).run(Command(argv=("false",)))


def test_streamed_lines_reach_the_log_and_the_listener(tmp_path: Path) -> None:
    """Lines are handed over one by one and kept in the log."""
    heard: list[str] = []
    FakeRunner({"x": "a\nb\n"}).run(Command(argv=("x",)), log=tmp_path / "logs/x.log", on_line=heard.append)
    assert heard == ["a", "b"]
    assert (tmp_path / "logs/x.log").read_text() == "a\nb\n"


def test_the_guard_stops_sockets() -> None:
    """Opening a socket fails a unit test at once."""
    with pytest.raises(pytest.fail.Exception, match="socket"):
        socket.socket()
    _forgive()


def test_the_guard_stops_processes() -> None:
    """Starting a process fails a unit test at once."""
    with pytest.raises(pytest.fail.Exception, match=r"os\.system"):
        os.system("true")  # noqa: S605 - this must be stopped
    _forgive()


def test_the_guard_remembers_what_the_code_swallowed() -> None:
    """A failure that the code under test hides is reported when the test ends."""
    with contextlib.suppress(BaseException):
        socket.socket()
    assert len(_forgive()) == 1


def _forgive() -> list[str]:
    """Return and forget what the guard saw in this test, which provoked it on purpose."""
    from tests.unit.conftest import _guard

    seen = list(_guard.seen)
    _guard.seen.clear()
    return seen
