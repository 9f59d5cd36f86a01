"""Two clones of one candidate, each looked at once before the checks begin.

Runs in the toolbox with the repository as working folder; GOLDSMITH_EXPECTED
names the file that says what is expected.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import questions
import yaml

HERE = Path(__file__).parent
ANSIBLE = HERE.parent / "ansible"
SEAL = ANSIBLE / "roles" / "guest_seal"
BY_KEY = "operators-key"
"""The way into clones that are given nothing: no name, no key of their own."""


@dataclass(frozen=True)
class Bench:
    """What is expected, and what was seen of each clone, by its name in the SSH configuration."""

    expected: dict[str, Any]
    seen: dict[str, dict[str, Any]]


BENCH = pytest.StashKey[Bench]()


def items(expected: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the seal's list as it holds for these clones: the family's own lines, and those of every guest."""
    words = yaml.safe_load((ANSIBLE / "families" / expected["family"] / "vars/words.yml").read_text())
    found: list[dict[str, Any]] = yaml.safe_load((SEAL / "vars/main.yml").read_text())["guest_seal_items"]
    # A base installs through the site's proxy, and so do its clones; phase 2's seal takes it away.
    keeps = expected["phase"] == "base" or questions.variables(expected)["guest_seal_keep_proxy"]
    return [item for item in [*words["seal_items"], *found] if not (keeps and item.get("proxy"))]


def of_family(expected: dict[str, Any]) -> Any:
    """Return the module of ``families/`` that knows the guest's packages."""
    return importlib.import_module(f"families.{expected['family']}")


def observer(expected: dict[str, Any]) -> str:
    """Return the program that a clone runs to look at itself."""
    order = {
        "seal": (SEAL / "files" / "seal.py").read_text(),
        "inventory": (ANSIBLE / "roles/guest_inventory/files/inventory.py").read_text(),
        "packages": (ANSIBLE / "families" / expected["family"] / "files/packages.py").read_text(),
        "family": (HERE / "families" / f"{expected['family']}.py").read_text(),
        "items": items(expected),
        "locked": expected["locked"],
        "questions": questions.of(expected),
    }
    return f"{(HERE / 'observe.py').read_text()}\nmain({order!r})\n"


def observe(clone: str, expected: dict[str, Any], program: str) -> dict[str, Any]:
    """Return what a clone shows. The SSH connection stays open for the checks."""
    ssh(clone, expected, "true")
    reached = time.time()
    # Before 3.7 Python reads no names of files but ASCII's where the locale is C.
    found: dict[str, Any] = json.loads(ssh(clone, expected, "sudo -n env LC_ALL=C.UTF-8 python3 -", program))
    # An address is reported while sshd and all else still starts. By this machine's clock: the clone's may be another.
    found["booted_at"] = reached + found.pop("booting_seconds")
    return found


def ssh(clone: str, expected: dict[str, Any], command: str, stdin: str = "") -> str:
    """Return what *command* prints on a clone; the first one waits until the clone can be reached."""
    argv = ("ssh", "-F", expected["ssh_config"], clone, command)
    done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise pytest.UsageError(f"{clone} cannot be looked at: {done.stderr.strip()[-1500:]}")
    return done.stdout


def pytest_configure(config: pytest.Config) -> None:
    """Look at the clones, both at once: the checks only compare."""
    expected = json.loads(Path(os.environ["GOLDSMITH_EXPECTED"]).read_text())
    program = observer(expected)
    with ThreadPoolExecutor() as pool:
        looks = {clone: pool.submit(observe, clone, expected, program) for clone in expected["clones"]}
        seen = {clone: look.result() for clone, look in looks.items()}
    config.stash[BENCH] = Bench(expected, seen)
    folder = Path(expected["folder"])
    for clone, document in seen.items():
        # Not the answers: an engine's configuration may name a proxy with its password.
        kept = {name: value for name, value in document.items() if name != "answers"}
        (folder / f"{clone}.json").write_text(json.dumps(kept, indent=1) + "\n")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One check for each line of the lists that are data."""
    bench = metafunc.config.stash[BENCH]
    for shown in {"absent", "unique"} & set(metafunc.fixturenames):
        rows = [item for item in items(bench.expected) if item["in_clone"] == shown]
        metafunc.parametrize(shown, rows, ids=[item["id"] for item in rows])
    if "service" in metafunc.fixturenames:
        metafunc.parametrize("service", of_family(bench.expected).SERVICES)
    if "not_applied" in metafunc.fixturenames:
        rows = next(iter(bench.seen.values()))["not_applied"]
        ids = [row["what"].replace(" ", "-") for row in rows]
        metafunc.parametrize("not_applied", rows or [None], ids=ids or ["nothing"])


@pytest.fixture(scope="session")
def bench(request: pytest.FixtureRequest) -> Bench:
    """What is expected and what was seen."""
    return request.config.stash[BENCH]


@pytest.fixture(scope="session")
def expected(bench: Bench) -> dict[str, Any]:
    """What is expected."""
    return bench.expected


@pytest.fixture(scope="session")
def family(expected: dict[str, Any]) -> Any:
    """What the guest's family of packages has of its own: a module of ``families/``."""
    return of_family(expected)


@pytest.fixture
def seen(bench: Bench, host: Any) -> dict[str, Any]:
    """What was seen of the clone that a check is about."""
    return bench.seen[host.backend.host.name]


@pytest.fixture
def answer(seen: dict[str, Any]) -> Any:
    """Return what gives the clone's answer to a question, by its name."""

    def given(name: str) -> str:
        told = seen["answers"][name]
        assert told["status"] == 0, told["err"]
        return str(told["out"])

    return given


@pytest.fixture
def pair(bench: Bench) -> tuple[dict[str, Any], dict[str, Any]]:
    """What was seen of both clones."""
    one, two = bench.seen.values()
    return one, two


@pytest.fixture
def as_root(host: Any) -> Any:
    """Return what runs a command as root on the clone, and returns its output."""

    def run(command: str, *words: str) -> str:
        done = host.run("sudo -n sh -c %s", host.backend.quote(command, *words) if words else command)
        assert done.rc == 0, done.stderr
        return str(done.stdout).strip()

    return run


@pytest.fixture(autouse=True)
def says(request: pytest.FixtureRequest, record_property: Any) -> None:
    """Put each check's sentence into the report."""
    name = request.node.originalname.removeprefix("test_").replace("_", " ")
    sentence = (request.function.__doc__ or name).strip().splitlines()[0]
    record_property("says", sentence)
