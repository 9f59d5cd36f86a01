"""What two clones are compared with."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.ansible.conftest import ANSIBLE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The plugin, as the toolbox's pytest finds it: from the repository, with verify/ among the modules."""
    monkeypatch.chdir(ANSIBLE.parent)
    monkeypatch.syspath_prepend(ANSIBLE.parent / "verify")
    return importlib.import_module("bench")


@pytest.mark.parametrize(
    ("phase", "keep", "sealed"), [("base", False, False), ("docker", False, True), ("docker", True, False)]
)
def test_a_proxy_is_missed_only_where_the_seal_took_it(
    bench: Any, tmp_path: Path, phase: str, *, keep: bool, sealed: bool
) -> None:
    """A base and its clones install through the site's proxy, and a Docker host does when it was told to."""
    variables = tmp_path / "variables.json"
    variables.write_text(json.dumps({"docker_engine_flavour": "docker.io", "guest_seal_keep_proxy": keep}))
    items = bench.items({"phase": phase, "family": "apt", "variables": str(variables)})
    assert ("apt-proxy" in {item["id"] for item in items}) is sealed


def test_a_clone_is_looked_at_with_the_seals_list_and_its_familys(bench: Any) -> None:
    """The program that a clone gets can be compiled, and has all that it is handed."""
    expected = {"phase": "base", "family": "apt", "variables": "", "locked": []}
    program = bench.observer(expected)
    compile(program, "observer", "exec")
    for part in ("def packages()", "def look()", "class Seal", "def units()", "ssh-host-keys", "package-lists"):
        assert part in program
