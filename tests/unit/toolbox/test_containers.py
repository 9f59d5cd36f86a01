from __future__ import annotations

import csv
import io
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import RefusedError, ToolError
from goldsmith.host.runner import Completed
from goldsmith.toolbox.containers import ENTRY, Mount, Toolbox, is_inside, labels, packed, remove, runs
from goldsmith.toolbox.engine import Engine
from tests.unit.fakes import FakeRunner
from tests.unit.toolbox import packages

if TYPE_CHECKING:
    from goldsmith.host.workspace import Workspace

PASSWORD = "hunter2hunter2"


def engine(*, remote: bool = False, rootless: bool = False) -> Engine:
    return Engine(
        cli="/usr/bin/docker",
        endpoint="unix:///var/run/docker.sock",
        version="26.1.5",
        architecture="x86_64",
        storage="overlay2",
        rootless=rootless,
        remote=remote,
        buildx="0.13.1",
        compose="2.26.1",
    )


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return packages.workspace(tmp_path)


def toolbox(
    space: Workspace, running: Engine | None = None, environment: dict[str, str] | None = None, *, inside: bool = False
) -> Toolbox:
    return Toolbox(
        workspace=space,
        image="sha256:0123456789ab",
        engine=None if inside else running or engine(),
        environment=environment or {},
        user=(501, 20),
    )


def test_secrets_travel_over_stdin_only(space: Workspace) -> None:
    """A secret is in no argument, no environment of docker, and no line that could be replayed."""
    command = toolbox(space).command(("govc", "ls"), secrets={"GOVC_PASSWORD": PASSWORD})
    assert PASSWORD not in f"{command!r} {command.replay()} {command.env}"
    assert command.stdin == f"GOVC_PASSWORD={PASSWORD}\0".encode()
    assert "GOLDSMITH_SECRETS=stdin" in command.argv


def test_a_run_without_secrets_waits_for_none(space: Workspace) -> None:
    """Without secrets the entry script is not told to read any."""
    command = toolbox(space).command(("version",))
    assert command.stdin is None
    assert not any("GOLDSMITH_SECRETS" in word for word in command.argv)


def test_the_run_is_the_callers(space: Workspace) -> None:
    """The repository is at /data, writable, under the caller's uid; the image's entry gets the words as they are."""
    argv = toolbox(space).command(("build", "a b.pkr.hcl"), labels={"goldsmith.build": "7"}, network="host").argv
    assert argv[:2] == ("/usr/bin/docker", "run")
    assert argv[-3:] == ("sha256:0123456789ab", "build", "a b.pkr.hcl")
    pairs = list(itertools.pairwise(argv))
    for pair in (
        ("--user", "501:20"),
        ("--workdir", "/data"),
        ("--ulimit", "core=0"),
        ("--tmpfs", "/tmp"),  # noqa: S108 - the container's own
        ("--mount", f"type=bind,source={space.root},target=/data"),
        ("--pull", "never"),  # a tag that is gone is asked of a public registry otherwise
        ("--platform", "linux/amd64"),  # so is another platform's image
        ("--ulimit", "core=0"),
        ("--label", "goldsmith=1"),
        ("--label", "goldsmith.build=7"),
        ("--network", "host"),
    ):
        assert pair in pairs
    assert "--rm" in argv


def test_a_run_sees_builds_on_another_disk(space: Workspace, tmp_path: Path) -> None:
    """Where build/ is a link, its other end is mounted there; else nothing is."""
    assert not any("target=/data/build" in word for word in toolbox(space).command(("version",)).argv)
    (tmp_path / "disk").mkdir()
    space.builds.symlink_to(tmp_path / "disk")
    assert f"type=bind,source={tmp_path / 'disk'},target=/data/build" in toolbox(space).command(("version",)).argv


def test_root_of_a_rootless_engine_is_the_caller(space: Workspace) -> None:
    """On a rootless engine uid 0 is the caller; any other would own what is written."""
    argv = toolbox(space, engine(rootless=True)).command(("version",)).argv
    assert argv[argv.index("--user") + 1] == "0:0"


def test_a_remote_engine_is_refused(space: Workspace) -> None:
    """An engine elsewhere has no repository to mount."""
    with pytest.raises(RefusedError, match="remote"):
        toolbox(space, engine(remote=True)).command(("version",))


def test_inside_the_toolbox_no_container_is_started(space: Workspace) -> None:
    """On a runner that is the toolbox, the tool runs directly, through the same entry."""
    command = toolbox(space, inside=True).command(("govc", "ls"), env={"A": "1"}, secrets={"P": PASSWORD})
    assert command.argv == (ENTRY, "govc", "ls")
    assert command.env == {"A": "1", "GOLDSMITH_SECRETS": "stdin"}
    assert command.stdin == f"P={PASSWORD}\0".encode()
    assert is_inside({"GOLDSMITH_INSIDE_TOOLBOX": "1"})
    assert not is_inside({})


def test_proxies_are_handed_on_except_to_the_lab(space: Workspace) -> None:
    """The caller's proxies, which may carry a password, travel as secrets do; the lab's network needs none."""
    box = toolbox(space, environment={"https_proxy": f"http://u:{PASSWORD}@proxy:3128"})
    command = box.command(("version",))
    assert PASSWORD.encode() in (command.stdin or b"")
    assert PASSWORD not in " ".join(command.argv)
    assert box.command(("version",), network="container:goldsmith-lab-pause").stdin is None


@pytest.mark.parametrize("network", [None, "container:goldsmith-lab-pause"])
def test_the_users_docker_configuration_adds_no_proxy(space: Workspace, network: str | None) -> None:
    """Every proxy that the CLI would add is there, and empty: what counts arrives on stdin."""
    box = toolbox(space, environment={"https_proxy": f"http://u:{PASSWORD}@proxy:3128"})
    words = box.command(("version",), network=network).argv
    for name in ("http", "https", "no", "ftp", "all"):
        assert {f"{name}_proxy=", f"{name.upper()}_PROXY="} <= set(words)


def test_an_interactive_run_has_the_terminal(space: Workspace) -> None:
    """A shell gets a terminal, and no secrets that would take its stdin."""
    box = toolbox(space)
    assert "--tty" in box.command(("bash",), interactive=True).argv
    with pytest.raises(ValueError, match="interactive"):
        box.command(("bash",), secrets={"A": "b"}, interactive=True)


def test_paths_of_the_repository_are_translated(space: Workspace) -> None:
    """A file of the repository is below /data; one outside cannot be seen, and that is said at once."""
    box = toolbox(space)
    assert box.path(space.root / "build" / "x.iso") == "/data/build/x.iso"
    with pytest.raises(RefusedError, match="cannot see"):
        box.path(Path("/etc/passwd"))
    assert toolbox(space, inside=True).path(Path("/etc/passwd")) == "/etc/passwd"


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda name: "\0" not in name))
def test_any_folder_can_be_mounted(name: str) -> None:
    """Commas, quotes and newlines in a path reach Docker as part of the path."""
    option = Mount(source=Path("/x") / name.strip("/"), target="/y").option()
    [fields] = csv.reader(io.StringIO(option, newline=""))
    assert fields == ["type=bind", f"source={Path('/x') / name.strip('/')}", "target=/y", "readonly"]


@given(
    st.dictionaries(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True), st.text().filter(lambda v: "\0" not in v))
)
def test_secrets_unpack_as_they_were(secrets: dict[str, str]) -> None:
    """Values with newlines, equals signs and quotes arrive unchanged."""
    try:
        data = packed(secrets).decode()
    except UnicodeEncodeError:
        return  # a lone surrogate, which no environment variable of text can hold
    assert dict(pair.split("=", 1) for pair in data.split("\0")[:-1]) == secrets


@pytest.mark.parametrize("pair", [("A B", "x"), ("1", "x"), ("A", "x\0y"), ("É", "x")], ids=str)
def test_what_is_no_variable_is_not_handed_over(pair: tuple[str, str]) -> None:
    """A name or value that the entry script would split or refuse never gets there."""
    with pytest.raises(ValueError, match="cannot be handed over"):
        packed(dict([pair]))


BUSY = Completed(returncode=1, stdout="", stderr="Error: removal of container x is already in progress")
GONE = Completed(returncode=1, stdout="", stderr="Error response from daemon: No such container: x")


def test_the_runs_of_a_checkout_are_found_by_their_labels() -> None:
    """Those of another checkout may be at work: only that one can tell."""
    runner = FakeRunner({"/usr/bin/docker ps --all": "0123 build-1\n4567 build-2\n"})
    assert runs(Path("/here"), runner=runner, engine=engine()) == (("0123", "build-1"), ("4567", "build-2"))
    runs(Path("/here"), "build-1", runner=runner, engine=engine())
    assert "label=goldsmith.build=build-1" in runner.asked[1].argv
    assert all("label=goldsmith.checkout=/here" in command.argv for command in runner.asked)
    assert labels(Path("/here"), "build-1") == {"goldsmith.build": "build-1", "goldsmith.checkout": "/here"}


def test_a_container_that_is_going_is_seen_gone() -> None:
    """Whoever asks while the engine removes it waits for it to end, and asks again; one that is gone is no trouble."""
    runner = FakeRunner({"/usr/bin/docker rm --force x": [BUSY, BUSY, GONE], "/usr/bin/docker wait x": ["0", GONE]})
    remove("x", runner=runner, engine=engine())
    assert runner.unused == []


def test_a_container_that_stays_is_told() -> None:
    """The engine's own words, and what to repeat by hand."""
    refused = Completed(returncode=1, stdout="", stderr="Error response from daemon: driver failed")
    with pytest.raises(ToolError) as caught:
        remove("x", runner=FakeRunner({"/usr/bin/docker rm": refused}), engine=engine())
    assert caught.value.why == refused.stderr
    assert "rm --force x" in caught.value.where
