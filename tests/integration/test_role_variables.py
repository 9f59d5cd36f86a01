"""Ansible itself validates what the roles declare: defaults pass, and what goldsmith refuses, it refuses as well."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from goldsmith.stages import docker
from goldsmith.wiring import Session
from tests.unit.installers.images import image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from goldsmith.host.runner import Completed

_NO_TASK = "none-of-their-own"
"""With this tag alone, no task of a role runs; the looks at its variables, which are no tasks of theirs, do."""


@pytest.fixture(scope="module")
def session() -> Session:
    return Session.here()


@pytest.fixture
def folder(session: Session) -> Iterator[Path]:
    session.workspace.builds.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=session.workspace.builds, prefix="variables-") as name:
        yield Path(name)


def played(session: Session, folder: Path, **more: Any) -> Completed:
    """Let the toolbox's Ansible look at the variables of both playbooks, as phase 2 gives them, and *more*.

    What the family says is read by a task, which does not run here.
    """
    family = session.workspace.root / "ansible/families/apt/vars/words.yml"
    values = docker.variables(image("debian-13")) | {"family": yaml.safe_load(family.read_text())} | more
    (folder / "vars.json").write_text(json.dumps(values))
    inside = folder.relative_to(session.workspace.root).as_posix()
    argv = ("ansible-playbook", "--inventory", "localhost,", "--connection", "local", "--tags", _NO_TASK)
    given = ("-e", "ansible_become=false", "-e", f"@{inside}/vars.json", "ansible/provision.yml", "ansible/seal.yml")
    env = {"ANSIBLE_CONFIG": "ansible/ansible.cfg", "ANSIBLE_HOME": "/tmp/ansible", "HOME": "/tmp"}  # noqa: S108 - the container's
    return session.runner.run(session.toolbox().command((*argv, *given), env=env), check=False)


def test_the_variables_of_an_image_pass(session: Session, folder: Path) -> None:
    """Every role looks at its own before its first task; expressions among the defaults can be read by then."""
    done = played(session, folder, docker_engine_swarm=True, docker_engine_registry_mirrors=["https://m.example"])
    assert done.returncode == 0, done.stdout
    roles = sorted(path.name for path in (session.workspace.root / "ansible/roles").iterdir())
    assert [role for role in roles if f"{role} : Validating arguments" not in done.stdout] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("docker_engine_proxies", {"http_proxy": "http://p:1"}),
        ("docker_engine_address_pools", [{"base": "10.0.0.0/8"}]),
        ("docker_engine_swarm", "perhaps"),
        ("data_disk_fstype", "ntfs"),
    ],
)
def test_what_goldsmith_refuses_ansible_refuses(session: Session, folder: Path, name: str, value: Any) -> None:
    """One file says what a role takes, and both read it."""
    done = played(session, folder, **{name: value})
    assert done.returncode != 0
    assert name in done.stdout
