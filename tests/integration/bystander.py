"""A checkout and a lab apart from all others, for tests that kill, wait and clean: nobody else's builds are near."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from goldsmith.host.workspace import Workspace
from goldsmith.lab.admin import Admin
from tests.integration import inventory
from tests.integration.conftest import DEFAULT_SIGNALS, INVOKE, ROOT, Operator, Result

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK_INSTALLER = Path(__file__).with_name("quick-install")
_PACKAGES = re.compile(r"^packages = \[.*?^\]", re.DOTALL | re.MULTILINE)


def copy(to: Path) -> Path:
    """Copy this checkout, without what it built; its image asks for no packages of its own."""
    image = checkout(to) / "config/images/debian-13.toml"
    image.write_text(_PACKAGES.sub("packages = []", image.read_text()))
    return to


def checkout(to: Path) -> Path:
    """Copy this checkout as it is, without what it built."""
    listed = subprocess.run(
        ("git", "-C", str(ROOT), "ls-files", "--cached", "--others", "--exclude-standard", "-z"),
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, to / name)
    return to


class Run:
    """A verb that runs in a process group of its own, as one started from a shell; what it prints goes to files."""

    under: tuple[str, ...] = DEFAULT_SIGNALS
    """The program that starts it."""

    def __init__(self, operator: Operator, *argv: str, **extra: str) -> None:
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=operator.root.parent))
        self._out, self._err = folder / "out", folder / "err"
        with self._out.open("w") as out, self._err.open("w") as err:
            self.process = subprocess.Popen(
                (*self.under, str(INVOKE), "--search-root", str(operator.root), *argv),
                env={**operator.environment, **extra},
                cwd=operator.root,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        """What it has printed for people so far."""
        return self._err.read_text()

    def interrupt(self, number: signal.Signals = signal.SIGINT, *, group: bool = True) -> None:
        """Send a signal, to the whole process group as a terminal does, or to the process alone."""
        (os.killpg if group else os.kill)(self.process.pid, number)

    def end(self, seconds: float = 120) -> Result:
        """Wait until it has ended."""
        code = self.process.wait(seconds)
        return Result(code, self._out.read_text(), self._err.read_text())


@dataclass(frozen=True)
class Bystander:
    """An operator in a checkout and a lab of their own."""

    operator: Operator
    lab: inventory.Lab

    @property
    def root(self) -> Path:
        """The checkout."""
        return self.operator.root

    @property
    def cache(self) -> Path:
        """The cache, which they share with everybody."""
        return Workspace.here(self.operator.environment).cache

    def admin(self, vcenter: str = "lab") -> Admin:
        """Return a vCenter, seen from behind."""
        token = Path(self.lab.told["token_file"]).read_text().strip()
        return Admin(url=self.lab.told["admin"], token=token, vcenter=vcenter)

    def inventory(self) -> dict[str, list[str]]:
        """Return everything that a build can leave."""
        return inventory.snapshot(
            self.lab, self.root, self.cache, [str(one["name"]) for one in self.lab.told["vcenters"]]
        )

    def start(self, *argv: str, **extra: str) -> Run:
        """Start a verb."""
        return Run(self.operator, *argv, **extra)

    @contextmanager
    def quick(self) -> Iterator[None]:
        """Let machines be installed by a stand-in that takes a few seconds, for what comes after an installation."""
        vcenter = f"{self.lab.name}-vcenter"
        with tempfile.TemporaryDirectory() as folder:
            real = Path(folder) / "install"
            inventory.docker("cp", f"{vcenter}:/lab/install", str(real))
            inventory.docker("cp", str(QUICK_INSTALLER), f"{vcenter}:/lab/install")
            try:
                yield
            finally:
                inventory.docker("cp", str(real), f"{vcenter}:/lab/install")
