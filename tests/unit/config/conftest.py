"""What the tests of the configuration share."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from goldsmith.host.workspace import Workspace
from tests.unit.config.loaded import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    shutil.copytree(ROOT / "config", tmp_path / "config")
    return Workspace(root=tmp_path, cache=tmp_path / "cache")
