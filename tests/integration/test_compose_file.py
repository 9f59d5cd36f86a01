"""The lab's compose file by itself, as pytest-docker starts it: what a test suite beside this one would do."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING
from urllib.request import HTTPSHandler, ProxyHandler, build_opener

import pytest

from goldsmith.lab import containers
from goldsmith.lab.settings import STATE, Settings
from goldsmith.wiring import Session
from tests.integration.conftest import ROOT, free_port
from tests.integration.inventory import docker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_docker.plugin import Services

NAME = "goldsmith-test-compose"


@pytest.fixture(scope="session")
def settings() -> Iterator[Settings]:
    """Yield a lab, whose variables the compose file finds in the environment."""
    session = Session.here()
    chosen = Settings(name=NAME, port=free_port())
    variables = chosen.compose(
        image=session.builder.ensure("lab-vcenter"),
        guest_image=session.builder.ensure("lab-guest"),
        socket=containers.socket(session.engine),
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        yield chosen


@pytest.fixture(scope="session")
def docker_compose_command(settings: Settings) -> str:
    """Return the docker that has compose; the lab's variables are set before it runs."""
    assert settings.name == NAME
    return " ".join(Session.here().lab_engine.argv("compose"))


@pytest.fixture(scope="session")
def docker_compose_file() -> str:
    """Return the file under test."""
    return str(ROOT / "lab/compose.yaml")


@pytest.fixture(scope="session")
def docker_compose_project_name() -> str:
    """Return the lab's name, as lab-up uses it."""
    return NAME


@pytest.fixture(scope="session")
def docker_setup() -> str:
    """Start the lab and wait until it is healthy; its images exist."""
    return "up --wait --quiet-pull"


def test_the_services_start_and_can_be_trusted(docker_services: Services, settings: Settings, tmp_path: Path) -> None:
    """The published port is the one that was asked for, and TLS there is verified by the CA that the lab made."""
    [vcenter] = settings.vcenters
    assert docker_services.port_for("pause", vcenter.port) == vcenter.port
    docker("cp", f"{NAME}-vcenter:{STATE}/ca.pem", str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    direct = build_opener(ProxyHandler({}), HTTPSHandler(context=context))
    with direct.open(f"https://{vcenter.server}/about") as answer:
        assert answer.status == 200
    with direct.open(f"http://127.0.0.1:{settings.admin_port}/healthz") as answer:
        assert answer.read().strip() == b"ok"
