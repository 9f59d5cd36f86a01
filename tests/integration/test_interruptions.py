"""Ctrl-C, SIGTERM, SIGHUP and kill -9 at every stage, each held there by an event: nothing new stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.integration.bystander import Run
from tests.integration.inventory import difference, docker

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.lab.admin import Admin
    from tests.integration.bystander import Bystander
    from tests.integration.conftest import Result
    from tests.integration.heard import Heard

Hold = Callable[["Bystander"], AbstractContextManager["Run"]]
"""Starts a build and holds it somewhere within the block."""


@pytest.fixture(autouse=True)
def undisturbed(bystander: Bystander) -> Iterator[None]:
    """Give every test a vCenter without orders, and leave it so."""
    yield
    for vcenter in ("lab", "lab2"):
        admin = bystander.admin(vcenter)
        admin.outage(on=False)
        admin.clear_faults()


# -- where a build is held --------------------------------------------------------------------


@contextmanager
def at(method: str, bystander: Bystander) -> Iterator[Run]:
    """Hold a build at a call of the vCenter, before it runs; a call that nobody waits for any more never runs."""
    admin = bystander.admin()
    admin.put_barrier(method, method=method)
    run = bystander.start("packer-base", "--rebuild")
    try:
        stands(admin, method, run)
        yield run
    finally:
        admin.release(method, refuse=True)
        run.end()


def stands(admin: Admin, barrier: str, run: Run | Heard) -> None:
    """Wait until somebody stands at a barrier, as long as the run that should come there lives."""
    while not admin.wait_at(barrier):
        assert run.process.poll() is None, run.said


@contextmanager
def in_answers(bystander: Bystander) -> Iterator[Run]:
    """Hold a build while it renders: a file that it reads then is a pipe that nobody writes to."""
    with piped(bystander.root / "kickstart/preseed/questions-13.txt") as (pipe, text):
        run = bystander.start("packer-base", "--rebuild")
        writer = reach(run, "• answers", pipe, text)
        try:
            yield run
        finally:
            os.close(writer)
            run.end()


@contextmanager
def in_media(bystander: Bystander) -> Iterator[Run]:
    """Hold a build while a tool asks the mirror, which does not answer."""
    with piped(bystander.root / "kickstart/preseed/questions-13.txt") as (pipe, text):
        run = bystander.start("packer-base", "--rebuild")
        writer = reach(run, "• answers", pipe, text)
        with silent(f"{bystander.lab.name}-vcenter"), starts(f"goldsmith.checkout={bystander.root}"):
            os.write(writer, text)
            os.close(writer)
        try:
            yield run
        finally:
            subprocess.run(("docker", "unpause", f"{bystander.lab.name}-vcenter"), check=False, capture_output=True)
            run.end()


@contextmanager
def installing(bystander: Bystander) -> Iterator[Run]:
    """Hold a build in an installation, which takes long enough by itself."""
    admin = bystander.admin()
    seen = max((event["seq"] for event in admin.events()), default=0)
    run = bystander.start("packer-base", "--rebuild")
    while not any(event["detail"] == {"event": "installing"} for event in admin.events(since=seen)):
        assert run.process.poll() is None, run.said
        admin.events(since=max((event["seq"] for event in admin.events()), default=0), wait=True)
    try:
        yield run
    finally:
        run.end()


@contextmanager
def piped(file: Path) -> Iterator[tuple[Path, bytes]]:
    """Put a named pipe in the place of a file."""
    text = file.read_bytes()
    file.unlink()
    os.mkfifo(file)
    try:
        yield file, text
    finally:
        file.unlink()
        file.write_bytes(text)


def reach(run: Run, line: str, pipe: Path, text: bytes) -> int:
    """Feed readers of *pipe* until *run* has printed *line*; return the pipe's open end for the reader after that."""
    while True:
        writer = os.open(pipe, os.O_WRONLY)  # returns when somebody opened it to read
        if line in run.said:
            return writer
        # Who only looked whether the file is there is gone again by now; the next one reads.
        with suppress(BrokenPipeError):
            os.write(writer, text)
        os.close(writer)


@contextmanager
def silent(container: str) -> Iterator[None]:
    """Freeze a container; who asks it waits."""
    docker("pause", container)
    yield


@contextmanager
def starts(label: str) -> Iterator[None]:
    """Wait at the block's end until a container with *label* has started since its beginning."""
    with subprocess.Popen(
        ("docker", "events", "--filter", "event=start", "--filter", f"label={label}", "--format", "{{.ID}}"),
        stdout=subprocess.PIPE,
        text=True,
    ) as events:
        assert events.stdout is not None
        try:
            yield
            assert events.stdout.readline()
        finally:
            events.terminate()


STAGES: dict[str, Hold] = {
    "plan": partial(at, "CreateContainerView"),
    "answers": in_answers,
    "media": in_media,
    "upload": partial(at, "PUT"),
    "rename of the medium": partial(at, "MoveDatastoreFile_Task"),
    "preflight": partial(at, "HasPrivilegeOnEntities"),
    "create": partial(at, "CreateVM_Task"),
    "hardware": partial(at, "ReconfigVM_Task"),
    "power on": partial(at, "PowerOnVM_Task"),
    "install": installing,
}
AFTER: dict[str, Hold] = {
    "snapshot": partial(at, "CreateSnapshot_Task"),
    "template": partial(at, "MarkAsTemplate"),
    "mark": partial(at, "SetField"),
}
"""What comes after an installation."""


# -- Ctrl-C, SIGTERM, SIGHUP ------------------------------------------------------------------


def check_ended(result: Result, code: int) -> None:
    """A signal ends a run with its own status, one line, and nothing that looks like a crash."""
    assert result.code == code, result.err
    assert "Traceback" not in result.err, result.err
    assert "what:" not in result.err, result.err
    assert result.err.rstrip().splitlines()[-1].startswith(("interrupted", "terminated", "hung up")), result.err
    assert result.out == ""


def interrupted(bystander: Bystander, hold: Hold, number: signal.Signals, *, group: bool) -> None:
    before = bystander.inventory()
    with hold(bystander) as run:
        run.interrupt(number, group=group)
        if hold is in_answers or hold is in_media:
            check_ended(run.end(), 128 + number)
    check_ended(run.end(), 128 + number)
    assert difference(before, bystander.inventory()) == ""


@pytest.mark.parametrize("stage", STAGES)
def test_ctrl_c_leaves_nothing(bystander: Bystander, stage: str) -> None:
    """As from a terminal, which signals the whole group."""
    interrupted(bystander, STAGES[stage], signal.SIGINT, group=True)


@pytest.mark.parametrize(
    ("stage", "number"), [("upload", signal.SIGTERM), ("install", signal.SIGTERM), ("install", signal.SIGHUP)]
)
def test_a_signal_to_the_process_alone_leaves_nothing(bystander: Bystander, stage: str, number: signal.Signals) -> None:
    """SIGTERM as from a CI system; SIGHUP as when a session is lost, and its tools know nothing of it."""
    interrupted(bystander, STAGES[stage], number, group=False)


class WithoutHangups(Run):
    """A verb that outlives its terminal."""

    under = ("nohup",)


def test_an_ignored_sighup_ends_nothing(bystander: Bystander) -> None:
    """As under nohup: the build stands where it stood, until something else ends it."""
    before, admin = bystander.inventory(), bystander.admin()
    admin.put_barrier("power on", method="PowerOnVM_Task")
    run = WithoutHangups(bystander.operator, "packer-base", "--rebuild")
    stands(admin, "power on", run)
    run.interrupt(signal.SIGHUP)
    run.interrupt(signal.SIGTERM)
    admin.release("power on", refuse=True)
    check_ended(run.end(), 128 + signal.SIGTERM)
    assert difference(before, bystander.inventory()) == ""


@pytest.mark.parametrize(("stage", "number"), [("snapshot", signal.SIGINT), ("template", signal.SIGTERM)])
def test_after_the_installation_nothing_is_left_either(
    bystander: Bystander, stage: str, number: signal.Signals
) -> None:
    """A machine that is installed and not marked is no template: it goes."""
    with bystander.quick():
        interrupted(bystander, AFTER[stage], number, group=True)


# -- kill -9 ----------------------------------------------------------------------------------


def killed(bystander: Bystander, hold: Hold) -> None:
    before = bystander.inventory()
    with hold(bystander) as run:
        run.interrupt(signal.SIGKILL)
        run.process.wait()
    between = difference(before, bystander.inventory())
    listed = json.loads(bystander.operator.done("clean", "--dry-run", "--json").out)
    assert all(item["why"] for item in listed)
    assert bool(listed) == bool(between), between
    cleaned = bystander.operator.done("clean")
    for item in listed:
        assert item["name"] in cleaned.out + cleaned.err, cleaned
    assert difference(before, bystander.inventory()) == ""
    assert "nothing is left" in bystander.operator.done("clean").err


@pytest.mark.parametrize("stage", STAGES)
def test_clean_removes_what_kill_9_left(bystander: Bystander, stage: str) -> None:
    """A tool that outlived the suite is ended first, or it would go on."""
    killed(bystander, STAGES[stage])


def test_clean_removes_a_template_that_was_not_marked_whole(bystander: Bystander) -> None:
    """Killed while the attributes are written: what is there already names no finished template."""
    with bystander.quick():
        killed(bystander, AFTER["mark"])


# -- the vCenter goes away ---------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["plan", "upload", "preflight", "create", "power on", "install"])
def test_a_lost_vcenter_is_told_and_cleaned_up_after(bystander: Bystander, stage: str) -> None:
    """The error says that the vCenter does not answer, what may be left is named, and `clean` removes it later."""
    before = bystander.inventory()
    admin = bystander.admin()
    with STAGES[stage](bystander) as run:
        admin.outage(on=True)
        result = run.end()
        admin.outage(on=False)
    assert result.code == 5, result.err
    assert "does not answer" in result.error()["what"], result.err
    left = json.loads(bystander.operator.done("clean", "--dry-run", "--json").out)
    assert all(item["name"] in result.err for item in left), (left, result.err)
    bystander.operator.done("clean")
    assert difference(before, bystander.inventory()) == ""


def test_an_ended_session_is_told(bystander: Bystander) -> None:
    """An administrator ends every login while a machine is installed: the error says so, and nothing is left."""
    before = bystander.inventory()
    with installing(bystander) as run:
        bystander.admin().expire_sessions()
        result = run.end()
    assert result.code == 5, result.err
    assert "session" in result.error()["what"], result.err
    assert difference(before, bystander.inventory()) == ""


# -- an impatient operator -----------------------------------------------------------------------


def test_a_second_ctrl_c_does_not_break_the_clean_up(bystander: Bystander) -> None:
    """It is answered with a line; the machine is removed all the same."""
    before = bystander.inventory()
    admin = bystander.admin()
    admin.put_barrier("removal", method="Destroy_Task")
    with installing(bystander) as run:
        run.interrupt()
        stands(admin, "removal", run)
        run.interrupt()
        while "still ending" not in run.said:
            assert run.process.poll() is None, run.said
        admin.release("removal")
        result = run.end()
    check_ended(result, 130)
    assert difference(before, bystander.inventory()) == ""
