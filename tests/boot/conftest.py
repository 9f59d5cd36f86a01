"""What the boot test needs: QEMU with UEFI firmware, and a composer that works as the verbs do."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from goldsmith.wiring import Session
from tests import debian
from tests.composing import Composer

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = ("qemu-system-x86", "ovmf")
NEEDED = ("/usr/bin/qemu-system-x86_64", "/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd")


@pytest.fixture(scope="session", autouse=True)
def _emulator() -> None:
    """Make sure QEMU and the firmware are there; as root on Debian they are installed."""
    debian.need(*PACKAGES, there=lambda: all(map(os.path.exists, NEEDED)))


@pytest.fixture
def composer() -> Iterator[Composer]:
    """Compose into a folder of the repository, because the toolbox sees nothing else; it is removed afterwards."""
    session = Session.here()
    session.workspace.builds.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=session.workspace.builds, prefix="boot-test-") as name:
        yield Composer(session, Path(name))
