"""Checks for contributors: `./nox` runs the default ones, `./nox -l` lists all.

Every session uses the launcher's own `.venv` (pinned by hash), so that nothing
is installed twice. No session touches a real vCenter.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import nox

if TYPE_CHECKING:
    from collections.abc import Mapping

nox.options.default_venv_backend = "none"
nox.options.stop_on_first_error = False
nox.options.sessions = ["lint", "types", "contracts", "unit", "lab", "integration"]

ROOT = Path(__file__).parent
BIN = ROOT / ".venv" / "bin"
ANSIBLE_TESTS = "tests/ansible"
_SHOWN = 5
"""How many arguments of a command are shown: a list of 200 files hides what else is said."""
_SHELL = re.compile(rb"#!\s*(/usr/bin/env |/usr/bin/|/bin/)(sh|bash)\b|# shellcheck shell=")


def tracked(session: nox.Session, *patterns: str) -> list[str]:
    """Return the tracked files that match *patterns*."""
    listed = session.run("git", "ls-files", "--", *patterns, silent=True, log=False, external=True)
    return sorted(name for name in (listed or "").split() if (ROOT / name).is_file())


def shell_scripts(session: nox.Session) -> list[str]:
    """Return the tracked files that a shell runs, whatever they are called; templates are checked as rendered."""
    names = [name for name in tracked(session, ".") if not name.endswith(".j2")]
    return [name for name in names if _SHELL.match((ROOT / name).open("rb").readline())]


def tool(session: nox.Session, name: str, *arguments: str, env: Mapping[str, str] | None = None) -> None:
    """Run one of the environment's own tools, never one that happens to be on PATH."""
    session.log(f"{name} {' '.join(arguments[:_SHOWN])}" + (" …" if len(arguments) > _SHOWN else ""))
    session.run(str(BIN / name), *arguments, log=False, external=True, env=env)


@nox.session
def lint(session: nox.Session) -> None:
    """Style of Python, shell, Dockerfiles, YAML, spelling, and Packer's files."""
    tool(session, "ruff", "check")
    tool(session, "ruff", "format", "--check", "-q")
    # What a script sources lies in the machine it runs on (the installer's confmodule), not here.
    tool(session, "shellcheck", "--exclude=SC1091", *shell_scripts(session))
    # Docker's own build check needs a newer builder than Debian's; hadolint reads the same files.
    tool(session, "hadolint", *tracked(session, "*Dockerfile"))
    tool(session, "yamllint", "--strict", *tracked(session, "*.yaml", "*.yml"))
    tool(session, "codespell", *tracked(session, "*.py", "*.md", "*.go", "*.toml", "*.hcl", "*.sh", "*.j2"))
    session.run(str(BIN / "python"), "-m", "tests.lint.packer", external=True)


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    tool(session, "mypy")


@nox.session
def contracts(session: nox.Session) -> None:
    """Imports point one way."""
    tool(session, "lint-imports")


@nox.session
def unit(session: nox.Session) -> None:
    """Unit tests: no process, no socket, no Docker."""
    tool(session, "pytest", "tests/unit", *session.posargs)


@nox.session
def lab(session: nox.Session) -> None:
    """Tests of the simulated vCenter, in the pinned Go toolchain."""
    session.run(str(BIN / "python"), "-m", "tests.lint.labd", external=True)


@nox.session
def integration(session: nox.Session) -> None:
    """The operators' verbs against the lab: real Packer, govc, SSH, TLS, installer."""
    # The two halves use a lab each and wait for different things: beside each other they fill two cores.
    tool(session, "pytest", "tests/integration", "--numprocesses=2", "--dist=loadscope", *session.posargs)


@nox.session(default=False)
def race(session: nox.Session) -> None:
    """Tests of the simulated vCenter under Go's race detector (needs Go and a C compiler)."""
    if not (shutil.which("go") and shutil.which("gcc")):
        session.error("the race detector needs Go and a C compiler on PATH")
    with session.chdir(ROOT / "lab" / "vcenter"):
        session.run("go", "test", "-race", "./...", external=True, env={"CGO_ENABLED": "1"})


@nox.session(default=False)
def boot(session: nox.Session) -> None:
    """Boot the composed medium in QEMU under BIOS and UEFI Secure Boot (several minutes)."""
    tool(session, "pytest", "tests/boot", *session.posargs)


@nox.session(default=False, venv_backend="venv", reuse_venv=True)
def ansible(session: nox.Session) -> None:
    """The roles: ansible-lint's profile production, every flavour, and real guests of a lab (several minutes)."""
    # Installing the linter takes as long as everything else the environment has, so that it has one of its own.
    session.install("--quiet", "--require-hashes", "--requirement", f"{ANSIBLE_TESTS}/requirements.txt")
    session.env["PATH"] = os.pathsep.join((session.bin, os.environ["PATH"]))
    tool(session, "pytest", ANSIBLE_TESTS, *session.posargs)


@nox.session(default=False)
def hostile(session: nox.Session) -> None:
    """Fuzzers, mirrors that lie, an apt that believes anything, and canaries in a lab's build (several minutes)."""
    # Every property of the unit tests, with many more examples than each run of theirs has time for.
    tool(session, "pytest", "tests/unit", "-m", "hypothesis", "--numprocesses=2", env={"GOLDSMITH_EXAMPLES": "500"})
    tool(session, "pytest", "tests/hostile", *session.posargs)


@nox.session(default=False)
def report(session: nox.Session) -> None:
    """The page about a template in headless Chromium, at desktop and phone width."""
    tool(session, "pytest", "tests/report", *session.posargs)


@nox.session(default=False)
def fresh(session: nox.Session) -> None:
    """Run the README's two commands in a pristine Debian 12 root of their own."""
    session.run(str(BIN / "python"), "scripts/fresh.py", *session.posargs, external=True)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure what the suite adds to its tools; prints a table and JSON."""
    session.run(str(BIN / "python"), "-m", "tests.bench", *session.posargs, external=True)


@nox.session(name="lock-requirements", default=False)
def lock_requirements(session: nox.Session) -> None:
    """Write each requirements.txt again from its requirements.in, pinned by hash."""
    session.run(str(BIN / "python"), "-m", "pip", "install", "--quiet", "pip-tools", external=True)
    for folder in (".", ANSIBLE_TESTS):
        wanted = Path(folder) / "requirements.in"
        tool(
            session,
            "pip-compile",
            "--generate-hashes",
            "--allow-unsafe",
            "--strip-extras",
            "--no-emit-index-url",
            "--no-emit-find-links",
            "--no-header",
            "--upgrade",
            f"--output-file={wanted.with_suffix('.txt')}",
            str(wanted),
        )


os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
