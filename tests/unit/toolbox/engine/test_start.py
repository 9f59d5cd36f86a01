"""How an installed engine is started and waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import UnreachableError
from goldsmith.host.runner import Completed
from goldsmith.toolbox.engine import start
from goldsmith.toolbox.engine.start import PATIENCE, detached, died, forget_dead, leave_root_cgroup, wait
from goldsmith.toolbox.engine.system import Host
from tests.unit.fakes import FakeProgress, FakeRunner

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """Time that passes only by sleeping."""

    now = 0.0

    def __call__(self) -> float:
        """Return the seconds slept."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let *seconds* pass."""
        self.now += seconds


def test_waiting_ends_when_the_engine_serves() -> None:
    """The third question is answered."""
    answers = iter([False, False, True])
    clock = Clock()
    assert wait(lambda: next(answers), alive=lambda: True, clock=clock, sleep=clock.sleep)
    assert clock.now < 1


def test_waiting_ends_at_once_when_the_engine_dies() -> None:
    """A dockerd that ended is not waited for."""
    clock = Clock()
    assert not wait(lambda: False, alive=lambda: False, clock=clock, sleep=clock.sleep)
    assert clock.now == 0


def test_waiting_ends_with_the_patience() -> None:
    """An engine that neither serves nor dies is given up."""
    clock = Clock()
    assert not wait(lambda: False, alive=lambda: True, clock=clock, sleep=clock.sleep)
    assert PATIENCE <= clock.now < PATIENCE + 1


def test_the_last_words_of_this_start_are_shown(tmp_path: Path) -> None:
    """Complaints of earlier starts stand in the same log, and are not shown."""
    log = tmp_path / "dockerd.log"
    log.write_text("old complaint\n")
    begin = log.stat().st_size
    log.write_text("old complaint\nfailed to start: no iptables\n")
    text = died("/usr/sbin/dockerd", log, begin).render()
    assert "no iptables" in text
    assert "old complaint" not in text


def test_an_engine_without_a_log_is_reported(tmp_path: Path) -> None:
    """The error names the log that is missing."""
    assert "none.log" in died("dockerd", tmp_path / "none.log", 0).render()


def test_paths_are_arguments_and_not_part_of_the_script(tmp_path: Path) -> None:
    """Spaces and quotes in a path cannot change what the shell does."""
    command = detached("/opt/my docker/dockerd", tmp_path / "a'b.log", path="/bin")
    assert command.argv[:2] == ("sh", "-c")
    assert "docker" not in command.argv[2]
    assert command.argv[-2:] == ("/opt/my docker/dockerd", str(tmp_path / "a'b.log"))


def test_systemd_starts_the_service() -> None:
    """With systemd nothing is started behind its back."""
    runner = FakeRunner({"systemctl start docker": ""})
    start.start(runner, Host(has_systemd=True), {}, FakeProgress())
    assert runner.lines == ["systemctl start docker"]


def test_a_service_that_fails_shows_its_journal() -> None:
    """The journal's last lines are the evidence."""
    runner = FakeRunner(
        {"systemctl start docker": 1, "journalctl": Completed(returncode=0, stdout="dockerd: no space left")}
    )
    with pytest.raises(UnreachableError, match="no space left"):
        start.start(runner, Host(has_systemd=True), {}, FakeProgress())


@pytest.mark.parametrize(
    ("state", "name", "kept"),
    [("S", "dockerd", True), ("Z", "dockerd", False), ("S", "bash", False), (None, "", False)],
    ids=["runs", "zombie", "number reused", "gone"],
)
def test_only_pid_files_of_dead_engines_are_removed(tmp_path: Path, state: str | None, name: str, kept: bool) -> None:  # noqa: FBT001 - a table
    """A running engine's pid file is its lock."""
    pidfile = tmp_path / "docker.pid"
    pidfile.write_text("42\n")
    if state is not None:
        (tmp_path / "42").mkdir()
        (tmp_path / "42/stat").write_text(f"42 (a ) name) {state} 1 42 42 0\n")
        (tmp_path / "42/comm").write_text(f"{name}\n")
    forget_dead("dockerd", pidfile, proc=tmp_path)
    assert pidfile.exists() is kept


def test_a_container_with_cgroup_v2_makes_room_for_containers(tmp_path: Path) -> None:
    """Its processes move into a group of their own, and the controllers are handed down."""
    (tmp_path / "cgroup.type").write_text("domain\n")
    (tmp_path / "cgroup.controllers").write_text("cpu memory pids\n")
    (tmp_path / "cgroup.procs").write_text("1\n")
    leave_root_cgroup(tmp_path)
    assert (tmp_path / "init/cgroup.procs").read_text() == "1"
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"


def test_a_machine_of_its_own_keeps_its_cgroups(tmp_path: Path) -> None:
    """The true root group has no type; moving its processes would disturb the machine."""
    (tmp_path / "cgroup.controllers").write_text("cpu\n")
    leave_root_cgroup(tmp_path)
    assert not (tmp_path / "init").exists()
