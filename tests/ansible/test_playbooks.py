"""The playbooks as Ansible and its linter read them. Both come from the environment: see docs/reference/ansible.md."""

from __future__ import annotations

import json
import os
import shutil
import subprocess  # noqa: TID251 - the linter and Ansible are what is tested
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.ansible.conftest import ANSIBLE

BIN = Path(sys.executable).parent


def program(name: str) -> str:
    """Return a program of this environment, or of PATH; a test without it says so."""
    found = shutil.which(name, path=f"{BIN}{os.pathsep}{os.environ['PATH']}")
    if found is None:
        pytest.skip(f"{name} is not installed here")
    return found


def run(tmp_path: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run a program in ansible/ with a home of its own."""
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(ANSIBLE / "ansible.cfg"),
        "ANSIBLE_HOME": str(tmp_path / "home"),
        "ANSIBLE_NOCOLOR": "1",
        "NO_COLOR": "1",
    }
    return subprocess.run(
        argv, cwd=ANSIBLE, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def render(tmp_path: Path, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run docker_engine's daemon.json through the real template engine, on this machine and without a guest."""
    playbook = tmp_path / "render.yml"
    defaults, values = (ANSIBLE / "roles/docker_engine" / part / "main.yml" for part in ("defaults", "vars"))
    flavour = ANSIBLE / "roles/docker_engine/vars/docker.io.yml"
    task = {
        "ansible.builtin.template": {
            "src": str(ANSIBLE / "roles/docker_engine/templates/daemon.json.j2"),
            "dest": str(tmp_path / "daemon.json"),
        }
    }
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars_files": [str(defaults), str(values), str(flavour)],
        "tasks": [task],
    }
    playbook.write_text(json.dumps([play]))
    (tmp_path / "vars.json").write_text(json.dumps(variables))
    interpreter = f"ansible_python_interpreter={sys.executable}"
    return run(
        tmp_path, program("ansible-playbook"), "-i", "localhost,", "-e", interpreter,
        "-e", f"@{tmp_path / 'vars.json'}", str(playbook),
    )  # fmt: skip


def test_linter_is_content(tmp_path: Path) -> None:
    """Profile production, without a single finding."""
    done = run(tmp_path, program("ansible-lint"), "--offline", "--strict", "--nocolor")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("playbook", ["provision.yml", "seal.yml"])
def test_syntax(tmp_path: Path, playbook: str) -> None:
    """Ansible can read each playbook with all its roles."""
    done = run(tmp_path, program("ansible-playbook"), "--syntax-check", "-i", "guest,", playbook)
    assert done.returncode == 0, done.stderr


def test_only_builtin_modules() -> None:
    """No collection has to be fetched for a build."""
    foreign = ("community.", "ansible.posix.", "containers.")
    for path in ANSIBLE.rglob("*.yml"):
        assert not any(name in path.read_text() for name in foreign), path


@pytest.mark.parametrize(("swarm", "live"), [(False, True), (True, False)])
def test_swarm_turns_live_restore_off(tmp_path: Path, *, swarm: bool, live: bool) -> None:
    """Swarm refuses to work with live-restore, everybody else wants it."""
    done = render(tmp_path, docker_engine_swarm=swarm)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "daemon.json").read_text())["live-restore"] is live


def test_what_is_not_asked_for_is_not_written(tmp_path: Path) -> None:
    """Mirrors, proxies and metrics appear with a value only; extra settings win."""
    done = render(tmp_path, docker_engine_daemon_extra={"icc": True})
    assert done.returncode == 0, done.stdout + done.stderr
    daemon = json.loads((tmp_path / "daemon.json").read_text())
    assert not {"registry-mirrors", "proxies", "metrics-addr"} & set(daemon)
    assert daemon["icc"] is True
    assert daemon["storage-driver"] == "overlay2"
