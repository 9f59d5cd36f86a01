"""A Docker host as the session's tests share it, and copies of the checkout in which something is changed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldsmith.lab.admin import Admin
from tests.integration.bystander import checkout
from tests.integration.conftest import ROOT, Operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.conftest import Result


@dataclass(frozen=True)
class Host:
    """A Docker template, and the run that made it."""

    name: str
    run: Result
    admin: Admin
    seen: int
    """The number of the last mutating call of that run."""

    @property
    def folder(self) -> Path:
        """The build's folder."""
        return ROOT / "build" / self.name[-24:]

    def read(self, name: str) -> Any:
        """Return a JSON file that the playbooks wrote."""
        return json.loads((self.folder / "ansible" / name).read_text(encoding="utf-8"))

    def others(self) -> set[str]:
        """Return the names of all machines but this one."""
        return {row["name"] for row in self.admin.vms()} - {self.name}


def forged(worker: Operator, lab: dict[str, Any]) -> Host:
    """Forge the Docker template of debian-13, on the session's base where that was forged before."""
    admin = behind(lab)
    run = worker.done("packer-docker")
    return Host(run.out.strip(), run, admin, admin.mutations()[-1]["seq"])


def behind(lab: dict[str, Any]) -> Admin:
    """Return the lab's first vCenter, seen from behind."""
    return Admin(url=lab["admin"], token=Path(lab["token_file"]).read_text().strip())


def elsewhere(worker: Operator, folder: Path, change: Callable[[Path], object]) -> Operator:
    """Return the operator in a copy of the checkout, after *change* was made to it."""
    change(checkout(folder))
    return replace(worker, root=folder)


def variables(text: str) -> Callable[[Path], object]:
    """Return the change that gives Ansible further variables."""

    def change(root: Path) -> None:
        with (root / "config/images/debian-13.toml").open("a", encoding="utf-8") as file:
            file.write(f"\n[docker.variables]\n{text}\n")

    return change
