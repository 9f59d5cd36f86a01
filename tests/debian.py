"""What a long session needs of the machine: there already, or installed as root on Debian."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from goldsmith.host.runner import ProcessRunner
from goldsmith.toolbox import apt

if TYPE_CHECKING:
    from collections.abc import Callable


def need(*packages: str, there: Callable[[], bool]) -> None:
    """Install *packages* unless what is wanted of them is *there*; fails the test where that may not be done."""
    if there():
        return
    if not apt.is_root() or apt.is_forbidden(os.environ) or not shutil.which("apt-get"):
        pytest.fail(f"install {' and '.join(packages)} for this session")
    runner = ProcessRunner()
    runner.run(apt.update(), check=False)  # one broken source of many need not matter
    runner.run(apt.install(*packages))
    assert there(), f"{' and '.join(packages)} did not bring what is wanted of them"
