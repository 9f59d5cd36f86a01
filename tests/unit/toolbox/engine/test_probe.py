"""Which docker is used, and how its answers are read; the answers were recorded from a real one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.host.runner import TIMED_OUT, Completed
from goldsmith.toolbox.engine.probe import DEFAULT_ENDPOINT, Probe, candidates, number, parse, probe
from tests.unit.fakes import FakeRunner

RECORDED = Path(__file__).parents[3] / "recorded/docker"
READY = (RECORDED / "info-26.json").read_text()
SILENT = Completed(returncode=1, stdout=(RECORDED / "info-silent.json").read_text(), stderr="")


def without_plugins() -> str:
    info = json.loads(READY)
    info["ClientInfo"]["Plugins"] = None
    return json.dumps(info)


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    path.chmod(0o755)
    return path


def test_every_docker_is_a_candidate_once_and_in_the_order_of_path(tmp_path: Path) -> None:
    """Links to the same program count once; what cannot be executed does not count."""
    first, second = executable(tmp_path / "a/docker"), executable(tmp_path / "b/docker")
    (tmp_path / "c").mkdir()
    (tmp_path / "c/docker").symlink_to(second)
    (tmp_path / "d").mkdir()
    (tmp_path / "d/docker").write_text("")
    path = ":".join(str(tmp_path / name) for name in "dabcx")
    assert candidates({"PATH": path}, elsewhere=(str(first),)) == [str(first), str(second)]


def test_a_folder_that_may_not_be_looked_into_is_passed_over(tmp_path: Path) -> None:
    """As by a shell: PATH may name another user's home, or something that no file system takes for a name."""
    docker = executable(tmp_path / "docker")
    assert candidates({"PATH": f"/{'x' * 5000}:/dev/null:{tmp_path}"}, elsewhere=()) == [str(docker)]


def test_the_usual_places_count_when_path_leads_nowhere(tmp_path: Path) -> None:
    """Cron and sudo shorten PATH; docker is found all the same."""
    docker = executable(tmp_path / "usr/bin/docker")
    assert candidates({}, elsewhere=(str(docker), "/nonexistent/docker")) == [str(docker)]


def test_a_docker_without_buildx_is_passed_over() -> None:
    """A static CLI without plugins earlier on PATH does not hide the one that has them."""
    runner = FakeRunner({"/static/docker info": without_plugins(), "/usr/bin/docker info": READY})
    said = probe(runner, {}, clis=["/static/docker", "/usr/bin/docker"])
    assert (said.cli, said.version, said.plugins["buildx"]) == ("/usr/bin/docker", "26.1.5+dfsg1", "0.13.1+ds1")


def test_the_first_docker_that_fits_is_the_only_one_asked() -> None:
    """A warm start asks once."""
    runner = FakeRunner({"/a/docker info": READY})
    assert probe(runner, {}, clis=["/a/docker", "/b/docker"], plugins=("buildx", "compose")).cli == "/a/docker"
    assert len(runner.asked) == 1


def test_a_docker_without_plugins_is_better_than_a_look_alike() -> None:
    """What speaks for an engine is reported, so that the error names the right thing."""
    runner = FakeRunner({"/podman/docker info": '{"host": {}, "store": {}}', "/a/docker info": without_plugins()})
    said = probe(runner, {}, clis=["/podman/docker", "/a/docker"])
    assert (said.cli, said.is_docker, dict(said.plugins)) == ("/a/docker", True, {})


def test_a_look_alike_is_told_from_docker() -> None:
    """Podman's docker command answers with JSON of its own."""
    runner = FakeRunner({"/podman/docker info": '{"host": {}, "store": {}}'})
    assert not probe(runner, {}, clis=["/podman/docker"]).is_docker


def test_the_endpoint_of_a_context_is_asked_for() -> None:
    """A context other than the default may name another machine."""
    info = json.loads(READY)
    info["ClientInfo"]["Context"] = "build-farm"
    runner = FakeRunner({"/d info": json.dumps(info), "/d context inspect": "ssh://build@farm.example.com\n"})
    said = probe(runner, {}, clis=["/d"])
    assert (said.endpoint, said.is_remote, said.is_default) == ("ssh://build@farm.example.com", True, False)


@pytest.mark.parametrize(
    ("endpoint", "remote", "default"),
    [
        ("", False, True),
        ("unix:///var/run/docker.sock", False, True),
        ("unix:///run/user/1000/docker.sock", False, False),
        ("npipe:////./pipe/docker_engine", False, False),
        ("tcp://127.0.0.1:2375", True, False),
        ("ssh://root@10.0.0.1", True, False),
    ],
)
def test_docker_host_decides_what_is_remote(endpoint: str, remote: bool, default: bool) -> None:  # noqa: FBT001 - a table
    """Only a socket of this machine is local; a forwarded port may lead anywhere."""
    said = probe(FakeRunner({"/d info": READY}), {"DOCKER_HOST": endpoint}, clis=["/d"])
    assert (said.is_remote, said.is_default) == (remote, default)


def test_a_silent_engine_leaves_what_the_cli_said() -> None:
    """Without an engine the CLI still tells its plugins and its complaint."""
    said = parse("/d", SILENT, endpoint=DEFAULT_ENDPOINT)
    assert (said.version, set(said.plugins)) == ("", {"buildx", "compose"})
    assert "Is the docker daemon running?" in said.error


def test_an_engine_that_hangs_is_reported_as_silent() -> None:
    """The deadline's end is part of the error."""
    said = parse("/d", Completed(returncode=TIMED_OUT, stdout=""), endpoint="ssh://h")
    assert said.version == ""
    assert "30 s" in said.error


def test_rootless_engines_are_told() -> None:
    """The user for containers differs there."""
    info = json.loads(READY)
    info["SecurityOptions"].append("name=rootless")
    assert parse("/d", Completed(returncode=0, stdout=json.dumps(info)), endpoint=DEFAULT_ENDPOINT).rootless


def test_a_plugin_that_does_not_run_is_none() -> None:
    """A plugin for another architecture is listed with an error."""
    info = json.loads(READY)
    info["ClientInfo"]["Plugins"][0]["Err"] = "exec format error"
    assert set(parse("/d", Completed(returncode=0, stdout=json.dumps(info)), endpoint="").plugins) == {"compose"}


FIELDS = ("ClientInfo", "Plugins", "Name", "ServerErrors", "SecurityOptions", "ServerVersion", "Driver")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@given(json_values, st.sampled_from([0, 1]))
def test_any_json_is_read_without_a_failure(value: object, status: int) -> None:
    """A CLI of another age may answer in any shape."""
    assert isinstance(parse("/d", Completed(returncode=status, stdout=json.dumps(value)), endpoint=""), Probe)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("26.1.5+dfsg1", (26, 1, 5)), ("v0.13.1", (0, 13, 1)), ("24.04", (24, 4)), ("", ()), ("dev", ())],
)
def test_versions_are_compared_by_their_numbers(text: str, expected: tuple[int, ...]) -> None:
    """Suffixes of distributions do not matter."""
    assert number(text) == expected
