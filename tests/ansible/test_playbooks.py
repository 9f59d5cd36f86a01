"""The playbooks as Ansible and its linter read them. Both come from the environment: see docs/reference/ansible.md."""

from __future__ import annotations

import json
import os
import re
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


def render(tmp_path: Path, text: str, *, flavour: str = "docker.io", **variables: Any) -> Any:
    """Render a template with docker_engine's variables by the real engine, on this machine; return it as JSON."""
    source, playbook, made = (tmp_path / name for name in ("source.j2", "render.yml", "made.json"))
    source.write_text(text)
    role = ANSIBLE / "roles/docker_engine"
    engine = ANSIBLE / "families/apt/vars/engines" / f"{flavour}.yml"
    play = {
        "hosts": "localhost",
        "connection": "local",
        "gather_facts": False,
        "vars": {"ansible_facts": {"distribution_release": "trixie", "distribution_major_version": "13"}},
        "vars_files": [str(file) for file in (role / "defaults/main.yml", role / "vars/main.yml", engine)],
        "tasks": [{"ansible.builtin.template": {"src": str(source), "dest": str(made)}}],
    }
    playbook.write_text(json.dumps([play]))
    (tmp_path / "vars.json").write_text(json.dumps(variables))
    interpreter = f"ansible_python_interpreter={sys.executable}"
    done = run(
        tmp_path, program("ansible-playbook"), "-i", "localhost,", "-e", interpreter,
        "-e", f"@{tmp_path / 'vars.json'}", str(playbook),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(made.read_text())


def daemon(tmp_path: Path, **variables: Any) -> dict[str, Any]:
    """Return daemon.json as the role writes it."""
    rendered = render(tmp_path, (ANSIBLE / "roles/docker_engine/templates/daemon.json.j2").read_text(), **variables)
    return dict(rendered)


def test_linter_is_content(tmp_path: Path) -> None:
    """Profile production, without a single finding."""
    done = run(tmp_path, program("ansible-lint"), "--offline", "--strict", "--nocolor")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("playbook", ["provision.yml", "seal.yml"])
def test_syntax(tmp_path: Path, playbook: str) -> None:
    """Ansible can read each playbook with all its roles."""
    done = run(tmp_path, program("ansible-playbook"), "--syntax-check", "-i", "guest,", playbook)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("playbook", ["provision.yml", "seal.yml"])
@pytest.mark.parametrize(("family", "is_so"), [("pacman", "pacman"), ("", "not set")])
def test_a_family_that_has_no_folder_is_refused_at_once(tmp_path: Path, playbook: str, family: str, is_so: str) -> None:
    """One sentence names it and those that there are; nothing else was done."""
    # Were it not refused, check mode would keep the playbook from changing this machine.
    done = run(
        tmp_path, program("ansible-playbook"), "--check", "--connection", "local", "-i", "guest,",
        "-e", f"ansible_python_interpreter={sys.executable}", "-e", "ansible_become=false",
        "-e", f"guest_family={family}", playbook,
    )  # fmt: skip
    assert done.returncode != 0
    assert f"guest_family is {is_so}; the playbooks know apt" in " ".join(done.stdout.split())
    assert re.search(r"changed=0 .* failed=1 ", done.stdout)
    assert re.findall(r"^TASK \[(?!Gathering)(.*)\]", done.stdout, re.MULTILINE) == [
        "Look which families there are",
        "Name them",
    ]


def test_only_builtin_modules() -> None:
    """No collection has to be fetched for a build."""
    foreign = ("community.", "ansible.posix.", "containers.")
    for path in ANSIBLE.rglob("*.yml"):
        assert not any(name in path.read_text() for name in foreign), path


@pytest.mark.parametrize(("swarm", "live"), [(False, True), (True, False)])
def test_swarm_turns_live_restore_off(tmp_path: Path, *, swarm: bool, live: bool) -> None:
    """Swarm refuses to work with live-restore, everybody else wants it."""
    assert daemon(tmp_path, docker_engine_swarm=swarm)["live-restore"] is live


def test_what_is_not_asked_for_is_not_written(tmp_path: Path) -> None:
    """Mirrors, proxies and metrics appear with a value only; extra settings win."""
    written = daemon(tmp_path, docker_engine_daemon_extra={"icc": True})
    assert not {"registry-mirrors", "proxies", "metrics-addr"} & set(written)
    assert written["icc"] is True
    assert written["storage-driver"] == "overlay2"


def test_daemon_json_has_what_the_cis_benchmark_wants(tmp_path: Path) -> None:
    """Points 2.2, 2.3, 2.5, 2.14 and 2.16 by default; 2.8 and 2.9 where they are asked for."""
    written = daemon(tmp_path)
    points = {"icc": False, "log-level": "info", "no-new-privileges": True, "userland-proxy": False}
    assert {name: written[name] for name in points} == points
    assert not {"default-ulimits", "userns-remap", "insecure-registries", "hosts"} & set(written)
    limits = {"nofile": {"Name": "nofile", "Soft": 65536, "Hard": 524288}}
    asked = daemon(tmp_path, docker_engine_userns_remap="default", docker_engine_ulimits=limits)
    assert (asked["userns-remap"], asked["default-ulimits"]) == ("default", limits)


@pytest.mark.parametrize("flavour", ["docker.io", "docker-ce", "mcr"])
def test_a_flavour_fits_the_role(tmp_path: Path, flavour: str) -> None:
    """Exact versions or none, to be given; a pinned key for Docker's repository; no conflict with itself."""
    names = ("packages", "conflicts", "repo", "repo_key_fingerprint", "repo_url")
    text = "{{ {" + ", ".join(f"'{name}': docker_engine_{name}" for name in names) + "} | to_json }}"
    role = render(tmp_path, text, flavour=flavour)
    versions = {row["name"]: row["version"] for row in role["packages"]}
    assert len(versions) == len(role["packages"])
    assert not set(versions) & set(role["conflicts"])
    assert role["repo_url"] == ""
    match flavour:
        case "docker-ce":
            assert re.fullmatch(r"[0-9A-F]{40}", role["repo_key_fingerprint"])
            assert re.fullmatch(r"5:[0-9.]+-[0-9]+~debian\.13~trixie", versions["docker-ce"])
            assert role["repo"] == {"suites": "trixie", "components": "stable"}
        case "mcr":
            assert set(versions.values()) == {""}
        case _:
            assert role["repo"] == {}
            assert all(versions.values())
