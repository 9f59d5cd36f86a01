"""A lab of its own for the tests, and the verbs as an operator types them."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from goldsmith.config import secrets, sites

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.integration.bystander import Bystander
    from tests.integration.hosts import Host

ROOT = Path(__file__).resolve().parents[2]
INVOKE = Path(sys.executable).with_name("invoke")
DEFAULT_SIGNALS: tuple[str, ...] = ("env", "--default-signal=INT,TERM,HUP")
"""Starts a program that takes signals also where these tests run in the background, which ignores some."""
_SECRETS = (secrets.PASSWORD, secrets.PASSWORD_HASH)
_FOREIGN = {*sites.DESCRIBING, sites.USER, sites.CA_FILE, "GOLDSMITH_SITE", *_SECRETS, *(f"{s}_FILE" for s in _SECRETS)}
"""The variables of whoever runs the tests that would lead them to another site."""


@dataclass(frozen=True)
class Result:
    """How a verb ended and what it printed."""

    code: int
    out: str
    err: str

    def error(self) -> dict[str, str]:
        """Return the four parts of the error the verb ended with: there is one, on one screen, and no traceback."""
        assert "Traceback" not in self.err, self.err
        start = self.err.rindex("what:  ")
        lines = self.err[start:].rstrip().splitlines()
        assert len(lines) <= 40, self.err
        parts: dict[str, str] = {}
        label = ""
        for line in lines:
            if line[:7].strip().rstrip(":") in {"what", "where", "why", "next"}:
                label = line[:7].strip().rstrip(":")
            parts[label] = (parts.get(label, "") + "\n" + line[7:]).strip()
        assert parts.keys() >= {"what", "why", "next"}, self.err
        return parts


@dataclass(frozen=True)
class Operator:
    """Somebody at a shell: runs verbs with an environment of their own."""

    environment: Mapping[str, str]
    root: Path = ROOT
    """The checkout they stand in."""

    def start(self, *argv: str, **extra: str) -> subprocess.Popen[str]:
        """Start a verb and return its process."""
        return subprocess.Popen(
            (str(INVOKE), "--search-root", str(self.root), *argv),
            env={**self.environment, **extra},
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *argv: str, **extra: str) -> Result:
        """Run a verb to its end."""
        process = self.start(*argv, **extra)
        out, err = process.communicate()
        return Result(process.returncode, out, err)

    def done(self, *argv: str, **extra: str) -> Result:
        """Run a verb that must succeed."""
        result = self.run(*argv, **extra)
        assert result.code == 0, result.err
        return result


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let the modules of one lab follow each other in one process, and those of the other run beside them.

    (xdist's own way to group tests renames them, which pytest does not let it any more.)
    """
    from xdist.scheduler import LoadScopeScheduling

    class ByLab(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            text = (ROOT / nodeid.partition("::")[0]).read_text(encoding="utf-8")
            return "bystander" if "bystander: Bystander" in text else "operator"

    return ByLab(config, log)


def free_port(count: int = 2) -> int:
    """Return the first of *count* neighbouring free ports of the loopback address.

    They lie below those that the system gives to outgoing connections, any of which may be taken a moment later.
    """
    while True:
        port = random.randrange(20_000, 32_000)  # noqa: S311 - a port is no secret
        with contextlib.ExitStack() as held, contextlib.suppress(OSError):
            for offset in range(count):
                held.enter_context(socket.socket()).bind(("127.0.0.1", port + offset))
            return port


@pytest.fixture(scope="session")
def operator() -> Operator:
    """Return an operator whose lab is not the developer's own, and who has named no site."""
    environment = {name: value for name, value in os.environ.items() if name not in _FOREIGN}
    environment |= {"GOLDSMITH_LAB": f"goldsmith-test-{os.getpid()}", "GOLDSMITH_LAB_PORT": str(free_port())}
    return Operator(environment)


@pytest.fixture(scope="session")
def lab(operator: Operator) -> Iterator[dict[str, Any]]:
    """Yield the state of a running lab; it is gone after the tests."""
    try:
        operator.done("lab-up")
        yield json.loads(operator.done("lab-status", "--json").out)
    finally:
        operator.done("lab-down")


@pytest.fixture(scope="session")
def worker(operator: Operator) -> Operator:
    """Return an operator in a CI job, with the password hash that the base of this session has."""
    from tests.integration.test_base import HASH

    ci = {"CI_COMMIT_BRANCH": "Feature/x", "CI_PIPELINE_ID": "4711"}
    return replace(operator, environment={**operator.environment, **ci, "AUTOMATION_USER_CRYPTED_PASSWORD": HASH})


@pytest.fixture(scope="session")
def host(worker: Operator, lab: dict[str, Any]) -> Host:
    """Forge the Docker template of debian-13, on the session's base where that was forged before."""
    from tests.integration import hosts

    return hosts.forged(worker, lab)


@pytest.fixture(scope="session")
def bystander(operator: Operator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bystander]:
    """Yield somebody with a checkout and a lab of two vCenters of their own, for tests that kill, wait and clean."""
    from tests.integration import bystander as room
    from tests.integration import inventory

    root = room.copy(tmp_path_factory.mktemp("checkout"))
    mine = {"GOLDSMITH_LAB": f"goldsmith-test-{os.getpid()}b", "GOLDSMITH_LAB_PORT": str(free_port(3))}
    alone = Operator({**operator.environment, **mine}, root)
    try:
        alone.done("lab-up", "--vcenters", "2")
        yield room.Bystander(alone, inventory.of_status(alone.done("lab-status", "--json").out))
    finally:
        alone.done("lab-down")
