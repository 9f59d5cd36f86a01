"""What the boot test needs: QEMU with UEFI firmware, and a composer that works as the verbs do."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from goldsmith.runner import Command, ProcessRunner
from goldsmith.stages import media
from goldsmith.wiring import Session

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from goldsmith.tools import cpio

PACKAGES = ("qemu-system-x86", "ovmf")
NEEDED = ("/usr/bin/qemu-system-x86_64", "/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd")


@dataclass(frozen=True)
class Composer:
    """Composes media from the lock's files, in the toolbox."""

    session: Session
    folder: Path

    @cached_property
    def vendor(self) -> Path:
        """The folder of the vendor's files."""
        session = self.session
        return media.vendor(session.lock, release="13", workspace=session.workspace, fetch=session.fetch)

    @property
    def kernel(self) -> str:
        """The release of the installer's kernel."""
        return media.kernel(self.vendor)

    def __call__(self, answers: Mapping[str, cpio.File], *, kernel_options: tuple[str, ...]) -> media.Medium:
        """Compose a medium with *answers*."""
        request = media.Request(
            vendor=self.vendor,
            answers=answers,
            root=self.session.workspace.root,
            output=self.folder / "boot.iso",
            epoch=self.session.lock.source_date_epoch,
            kernel_options=kernel_options,
        )
        return media.compose(request, runner=self.session.runner, door=self.session.toolbox())


@pytest.fixture(scope="session", autouse=True)
def _emulator() -> None:
    """Make sure QEMU and the firmware are there; as root on Debian they are installed."""
    if all(map(os.path.exists, NEEDED)):
        return
    if os.geteuid() or not shutil.which("apt-get"):
        pytest.fail(f"install {' and '.join(PACKAGES)} for this session: it needs {', '.join(NEEDED)}")
    runner = ProcessRunner()
    runner.run(Command(argv=("apt-get", "update")))
    runner.run(
        Command(
            argv=("apt-get", "install", "--yes", "--no-install-recommends", *PACKAGES),
            env={"DEBIAN_FRONTEND": "noninteractive"},
        )
    )


@pytest.fixture
def composer() -> Iterator[Composer]:
    """Compose into a folder of the repository, because the toolbox sees nothing else; it is removed afterwards."""
    session = Session.here()
    session.workspace.builds.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=session.workspace.builds, prefix="boot-test-") as name:
        yield Composer(session, Path(name))
