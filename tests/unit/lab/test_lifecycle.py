from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import RefusedError, ToolError
from goldsmith.host.runner import Completed
from goldsmith.host.workspace import Workspace
from goldsmith.lab import containers, state
from goldsmith.lab.lifecycle import Lab, running
from goldsmith.lab.settings import Settings
from tests.unit.fakes import FakeProgress, FakeRunner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldsmith.host.runner import Command
    from tests.unit.fakes import Answer

LIST = "docker container ls --all --no-trunc"
IDS = "docker container ls --all --quiet"
NOTHING = {IDS: "", "docker image ls": "", "docker network ls": "", "docker volume ls": "", "docker container rm": ""}
COMPOSE = "docker compose"


@dataclass(frozen=True)
class FakeEngine:
    """An engine without a machine."""

    endpoint: str = "unix:///var/run/docker.sock"
    rootless: bool = False

    def argv(self, *arguments: str) -> tuple[str, ...]:
        """Return the command line as the real one builds it."""
        return ("docker", *arguments)


def lab(tmp_path: Path, script: Mapping[str, Answer | list[Answer]], *, count: int = 1) -> tuple[Lab, FakeRunner]:
    runner = FakeRunner(script)
    made = Lab(
        settings=Settings.here({}, count=count),
        engine=FakeEngine(),
        workspace=Workspace(root=tmp_path / "root", cache=tmp_path / "cache"),
        runner=runner,
        progress=FakeProgress(),
        ensure=lambda name: f"goldsmith-{name}:1",
    )
    return made, runner


def row(name: str, *, settings: str, state: str = "running", status: str = "Up 2 minutes", vm: str = "") -> str:
    labels = f"goldsmith=1,goldsmith.lab=goldsmith-lab,goldsmith.lab.settings={settings}"
    labels += f",goldsmith.lab.vm={vm}" if vm else ""
    return json.dumps({"Names": name, "Image": "i", "State": state, "Status": status, "Labels": labels})


def up_rows(settings: str, *, health: str = "(healthy)") -> str:
    return "\n".join(
        (
            row("goldsmith-lab-pause", settings=settings),
            row("goldsmith-lab-vcenter", settings=settings, status=f"Up 1 minute {health}"),
        )
    )


def digest(made: Lab) -> str:
    told = made.settings.compose(
        image="goldsmith-lab-vcenter:1", guest_image="goldsmith-lab-guest:1", socket=containers.SOCKET
    )
    return told["GOLDSMITH_LAB_SETTINGS"]


def known(made: Lab, settings: str) -> state.State:
    login = state.Login(name="lab", server="127.0.0.1:18443", user="u", password="hunter2", datastore="lab-ds")
    found = state.State(
        name="goldsmith-lab", settings=settings, admin="http://127.0.0.1:18444", token="t", vcenters=(login,)
    )
    found.write(made.folder, "CA")
    return found


def copied(command: Command) -> Completed:
    """Docker's cp: the file's content is its own name."""
    source, to = command.argv[-2:]
    Path(to).write_text(f"content of {Path(source).name}\n")
    return Completed(returncode=0, stdout="")


def test_a_lab_that_is_up_is_left_alone(tmp_path: Path) -> None:
    """When everything runs as wanted, lab-up asks the engine once and changes nothing."""
    made, runner = lab(tmp_path, {LIST: up_rows("later")})
    made, runner = lab(tmp_path, {LIST: up_rows(digest(made))})
    expected = known(made, digest(made))
    assert made.up() == expected
    assert len(runner.asked) == 1


def test_starting_keeps_what_clients_need(tmp_path: Path) -> None:
    """A fresh lab's CA, token and passwords are copied out of the vCenter and kept."""
    made, _ = lab(tmp_path, {LIST: "", COMPOSE: "", "docker cp": copied}, count=2)
    found = made.up()
    assert found.token == "content of token"
    assert [one.password for one in found.vcenters] == ["content of lab.password", "content of lab2.password"]
    assert (made.folder / "ca.pem").read_text() == "content of ca.pem\n"
    assert state.read(made.folder) == found


def test_passwords_are_in_no_command(tmp_path: Path) -> None:
    """No command line and no variable that compose gets carries a secret."""
    made, runner = lab(tmp_path, {LIST: "", COMPOSE: "", "docker cp": copied})
    made.up()
    said = "\n".join(command.replay() for command in runner.asked)
    assert "content of" not in said


def test_a_lab_that_somebody_else_started_is_used(tmp_path: Path) -> None:
    """Another user's lab, with the same images and settings, says itself how to log in, and stays as it is."""
    made, _ = lab(tmp_path, {})
    made, runner = lab(tmp_path, {LIST: up_rows(digest(made)), "docker cp": copied})
    found = made.up(replace=False)
    assert found == state.read(made.folder)
    assert found.vcenters[0].password == "content of lab.password"
    assert not [line for line in runner.lines if " rm " in line or line.startswith(COMPOSE)]


def test_another_lab_is_not_replaced_by_who_only_needs_one(tmp_path: Path) -> None:
    """What runs with other images may be somebody's work: it stays, and the error gives both ways out."""
    made, runner = lab(tmp_path, {LIST: up_rows("other")})
    with pytest.raises(RefusedError) as caught:
        made.up(replace=False)
    assert "GOLDSMITH_LAB=" in caught.value.next
    assert "./inv lab-up" in caught.value.next
    assert len(runner.asked) == 1


def test_what_a_killed_run_left_is_replaced_by_anybody(tmp_path: Path) -> None:
    """A lab that does not run is nobody's."""
    made, _ = lab(tmp_path, {})
    rows = up_rows("other", health="(unhealthy)")
    made, runner = lab(tmp_path, {**NOTHING, LIST: rows, IDS: "c1\n", COMPOSE: "", "docker cp": copied})
    made.up(replace=False)
    assert "docker container rm --force --volumes c1" in runner.lines


@pytest.mark.parametrize(
    ("settings", "health"), [("other", "(healthy)"), ("", "(unhealthy)")], ids=["other-settings", "unhealthy"]
)
def test_another_lab_of_this_name_makes_room(tmp_path: Path, settings: str, health: str) -> None:
    """What runs with other images, or is ill, is removed before the lab is started."""
    made, _ = lab(tmp_path, {})
    rows = up_rows(settings or digest(made), health=health)
    made, runner = lab(tmp_path, {**NOTHING, LIST: rows, IDS: "c1\nc2\n", COMPOSE: "", "docker cp": copied})
    known(made, settings or digest(made))
    made.up()
    removed = runner.lines.index("docker container rm --force --volumes c1 c2")
    started = next(index for index, line in enumerate(runner.lines) if line.startswith(COMPOSE))
    assert removed < started


def test_a_taken_port_is_said_to_be_one(tmp_path: Path) -> None:
    """The engine's port error becomes a refusal that names the variable, and nothing is left behind."""
    said = "Bind for 127.0.0.1:18443 failed: port is already allocated"
    failed = Completed(returncode=1, stdout="", stderr=said)
    made, runner = lab(
        tmp_path, {**NOTHING, LIST: "", COMPOSE: failed, "docker network ls": "n1", "docker network rm": ""}
    )
    with pytest.raises(RefusedError) as caught:
        made.up()
    assert "GOLDSMITH_LAB_PORT" in caught.value.next
    assert "docker network rm n1" in runner.lines
    assert not made.folder.exists()


def test_a_lab_that_does_not_start_says_what_its_vcenter_said(tmp_path: Path) -> None:
    """The vCenter's own last words are part of the error."""
    said = Completed(returncode=0, stdout="", stderr="labd: docker: permission denied")
    failed = Completed(returncode=1, stdout="", stderr="dependency failed to start")
    made, _ = lab(tmp_path, {**NOTHING, LIST: "", COMPOSE: failed, "docker logs": said})
    with pytest.raises(ToolError, match="permission denied"):
        made.up()


def test_down_removes_all_that_bears_the_label(tmp_path: Path) -> None:
    """The vCenter goes first, then guests, images, networks and volumes, and the state; also without any state."""
    script = {**NOTHING, IDS: "c1", "docker image ls": "i1\ni1", "docker network ls": "n1", "docker volume ls": "v1"}
    made, runner = lab(tmp_path, {**script, "docker image rm": "", "docker network rm": "", "docker volume rm": ""})
    known(made, "x")
    assert made.down()
    assert [line for line in runner.lines if " rm " in line] == [
        "docker container rm --force --volumes goldsmith-lab-vcenter",
        "docker container rm --force --volumes c1",
        "docker image rm --force i1",
        "docker network rm n1",
        "docker volume rm --force v1",
    ]
    assert not made.folder.exists()


def test_down_of_nothing_is_no_error(tmp_path: Path) -> None:
    """A lab that is not there is down."""
    made, _ = lab(tmp_path, NOTHING)
    assert not made.down()


def test_status_of_a_dead_lab_is_down_with_its_leftovers(tmp_path: Path) -> None:
    """A vCenter that was killed is not up, and its guests are still told."""
    rows = row("goldsmith-lab-lab-vm-1", settings="", vm="web-1") + "\n" + row("goldsmith-lab-pause", settings="x")
    made, _ = lab(tmp_path, {LIST: rows})
    known(made, "x")
    up, there = made.status()
    assert up is None
    assert [one.vm for one in there if one.vm] == ["web-1"]


def test_the_socket_of_a_rootless_engine_is_its_own() -> None:
    """Only a rootless engine has its socket elsewhere; Docker Desktop's path is inside its VM."""
    rootless = FakeEngine(endpoint="unix:///run/user/1000/docker.sock", rootless=True)
    desktop = FakeEngine(endpoint="unix:///Users/a/.docker/run/docker.sock")
    assert containers.socket(rootless) == "/run/user/1000/docker.sock"
    assert containers.socket(desktop) == containers.SOCKET


DIGEST = "0123456789ab"
LOOK = "docker inspect goldsmith-lab-pause goldsmith-lab-vcenter goldsmith-lab-guest:1"


def shown(settings: str, *, health: str = "healthy", up: bool = True) -> str:
    labels = {"goldsmith.lab.settings": settings}
    pause = {"State": {"Running": up}, "Config": {"Labels": labels}}
    vcenter = {"State": {"Running": True, "Health": {"Status": health}}, "Config": {"Labels": labels}}
    return json.dumps([pause, vcenter, {"RepoTags": ["goldsmith-lab-guest:1"], "Config": {"Labels": None}}])


def looked(made: Lab, runner: FakeRunner) -> state.State | None:
    images = ("goldsmith-lab-guest:1",)
    return running(made.settings, cli="docker", images=images, workspace=made.workspace, runner=runner)


def test_one_question_is_enough_for_a_lab_that_is_up(tmp_path: Path) -> None:
    """A lab as it should be is known by its state and a single process."""
    made, _ = lab(tmp_path, {})
    there = known(made, DIGEST)
    runner = FakeRunner({LOOK: shown(DIGEST)})
    assert looked(made, runner) == there
    assert len(runner.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Completed(returncode=1, stdout="[]", stderr="Error: No such object: goldsmith-lab-guest:1"),
        shown("other"),
    ],
    ids=["something-is-missing", "other-settings"],
)
def test_any_doubt_means_that_the_lab_is_not_known_to_be_up(tmp_path: Path, answer: Answer) -> None:
    """Whatever is not just as it should be is left to the thorough way."""
    made, _ = lab(tmp_path, {})
    known(made, DIGEST)
    assert looked(made, FakeRunner({LOOK: answer})) is None


@pytest.mark.parametrize(
    "answer",
    [shown(DIGEST, health="unhealthy"), shown(DIGEST, health="starting"), shown(DIGEST, up=False)],
    ids=["unhealthy", "starting", "stopped"],
)
def test_a_lab_that_is_not_well_is_not_up(tmp_path: Path, answer: Answer) -> None:
    """Both containers run, and the vCenter's health check passes."""
    made, _ = lab(tmp_path, {})
    known(made, DIGEST)
    assert looked(made, FakeRunner({LOOK: answer})) is None


def test_docker_is_not_asked_about_a_lab_this_machine_does_not_know(tmp_path: Path) -> None:
    """Without a state there is nothing to confirm."""
    made, runner = lab(tmp_path, {})
    assert looked(made, runner) is None
    assert runner.asked == []


def test_a_busy_lab_is_no_lost_lab(tmp_path: Path) -> None:
    """Who only needs a lab takes it though its health check fails just now; who wants it right does not."""
    made, _ = lab(tmp_path, {})
    there = known(made, DIGEST)
    runner = FakeRunner({LOOK: shown(DIGEST, health="unhealthy")})

    def found(*, healthy: bool) -> state.State | None:
        return running(
            made.settings,
            cli="docker",
            images=("goldsmith-lab-guest:1",),
            workspace=made.workspace,
            runner=runner,
            healthy=healthy,
        )

    assert found(healthy=False) == there
    assert found(healthy=True) is None
