"""What the tests of the roles' own programs share."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from types import ModuleType

ANSIBLE = Path(__file__).parents[3] / "ansible"


def module(path: Path) -> ModuleType:
    """Load a program of a role, which lies in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="session")
def seal() -> ModuleType:
    """The program that seals."""
    return module(ANSIBLE / "roles/guest_seal/files/seal.py")


@pytest.fixture(scope="session")
def openpgp() -> ModuleType:
    """The filter that reads keys."""
    return module(ANSIBLE / "filter_plugins/openpgp.py")


@pytest.fixture(scope="session")
def items() -> list[dict[str, Any]]:
    """The list of what is sealed in a guest of apt's family."""
    words = yaml.safe_load((ANSIBLE / "families/apt/vars/words.yml").read_text())
    loaded = yaml.safe_load((ANSIBLE / "roles/guest_seal/vars/main.yml").read_text())
    return [*words["seal_items"], *loaded["guest_seal_items"]]
