"""No program that is started shows a secret, or is given one that it has no use for."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldsmith.host.children import VisibleSecretError, inherited, refuse_visible
from goldsmith.host.redact import Redactor
from goldsmith.host.runner import Command, ProcessRunner, interact
from goldsmith.toolbox import apt, wheels
from goldsmith.toolbox.engine.probe import ask
from goldsmith.toolbox.relock import go
from scripts import bootstrap

SECRET = "Kx7!pVq2/%"


@pytest.mark.parametrize(
    "command",
    [
        Command(argv=("docker", "run", "--env", f"PASSWORD={SECRET}")),
        Command(argv=("docker", "run", "--env", "http_proxy=http://u:Kx7%21pVq2%2F%25@proxy:3128")),
        Command(argv=("govc", "ls"), env={"GOVC_PASSWORD": SECRET}),
        Command(argv=("curl", "http://unknown:login@proxy:3128")),
    ],
    ids=["an argument", "within a URL", "a variable", "a login that nobody said"],
)
def test_a_command_that_shows_a_secret_is_never_started(command: Command) -> None:
    """It is a bug, and says so without the secret; the guard of unit tests would see a process."""
    redact = Redactor([SECRET])
    for start in (lambda: ProcessRunner(redact, {}).run(command), lambda: interact(command, redact, {})):
        with pytest.raises(VisibleSecretError) as caught:
            start()
        assert SECRET not in str(caught.value)
        assert "login" not in str(caught.value)


def test_what_is_secret_may_travel_on_stdin() -> None:
    """Standard input is seen by nobody else."""
    command = Command(argv=("docker", "run"), stdin=SECRET.encode())
    refuse_visible(command.argv, command.env, Redactor([SECRET]))


@pytest.mark.parametrize("word", ["goldsmith", "data", "root", "trixie", "debian-13"])
def test_a_password_that_is_an_ordinary_word_stops_nothing(word: str) -> None:
    """Somebody has such a password, and the words of commands are not theirs."""
    refuse_visible(("docker", "run", "--label", f"{word}=1", f"/{word}", word), {"PATH": f"/{word}"}, Redactor([word]))


def test_children_do_not_inherit_secrets() -> None:
    """Neither by name nor by value; who fetches gets the ways to the network, and everything else stays."""
    login = f"http://u:{SECRET}@proxy:3128"
    ways = {"https_proxy": login, "HTTP_PROXY": login, "ALL_PROXY": login, "PIP_INDEX_URL": login, "GOPROXY": login}
    kept = {"PATH": "/bin", "GOLDSMITH_CACHE_DIR": "/cache", "DOCKER_HOST": "unix:///x", "http_proxy": "http://p:1"}
    names = ("VSPHERE_PASSWORD", "VSPHERE_USER", "AUTOMATION_USER_CRYPTED_PASSWORD", "GOVC_PASSWORD", "PKR_VAR_x")
    dropped = {**dict.fromkeys((*names, "GOLDSMITH_SIGNING_KEY"), "weak"), "GUEST_HTTP_PROXY": login, "COPY": SECRET}
    assert inherited(kept | ways | dropped, Redactor([SECRET])) == kept
    assert inherited(kept | ways | dropped, Redactor([SECRET]), fetches=True) == kept | ways


def test_who_fetches_is_known() -> None:
    """Apt, pip and go take their way from the environment; Docker's client, which is asked most often, needs none."""
    commands = [
        apt.update(),
        apt.install("x"),
        wheels.download(Path("/x")),
        go.list_command(Path("go"), Path("/x"), Path("/y")),
    ]
    commands += [bootstrap.install(Path("/x"), Path("/y"))]
    assert all(command.fetches for command in commands)
    assert not ask("docker").fetches


def test_what_leads_a_program_astray_is_not_inherited() -> None:
    """Git answers for another repository where GIT_DIR is set."""
    environment = {"GIT_DIR": "/x", "GIT_WORK_TREE": "/y", "GITHUB_ACTIONS": "1"}
    assert inherited(environment, Redactor(), without=("GIT_",)) == {"GITHUB_ACTIONS": "1"}
