"""No secret shows where others could see it: looked for while Packer runs, and after the build."""

from __future__ import annotations

import os
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.inventory import docker
from tests.integration.test_interruptions import stands

if TYPE_CHECKING:
    from tests.integration.bystander import Bystander, Run
    from tests.integration.conftest import Result

HASH = "$6$goldsmith$" + "Zq9k" * 21 + "k1"
PRIVATE = ("answers/", "media/", "keys/")
"""Where a build keeps secrets while it runs, in files for its owner alone."""


@dataclass
class Watched:
    """A build, with every text that others could have read, by where it stood."""

    secrets: dict[str, str]
    during: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    modes: dict[str, int] = field(default_factory=dict)
    """The permissions of the files with secrets, while the build ran."""
    result: Result | None = None

    def found(self, texts: dict[str, str]) -> list[str]:
        """Return which secret stands where."""
        return [f"{name} in {where}" for where, text in texts.items() for name, value in self.secrets.items()
                if value in text]  # fmt: skip


@pytest.fixture(scope="module")
def watched(bystander: Bystander, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Build once, looking around at the moment before the machine is powered on, and at the end."""
    file = tmp_path_factory.mktemp("secret") / "hash"
    file.write_text(HASH + "\n")
    file.chmod(0o600)
    admin = bystander.admin()
    with bystander.quick():
        admin.put_barrier("power", method="PowerOnVM_Task")
        run = bystander.start("packer-base", "--rebuild", AUTOMATION_USER_CRYPTED_PASSWORD_FILE=str(file))
        stands(admin, "power", run)
        [key] = (bystander.root / "build").glob("*/keys/id_ed25519")
        seen = Watched({"password": bystander.lab.password(), "hash": HASH, "private key": key.read_text().split()[6]})
        folder = key.parents[1]
        assert docker("ps", "-q", "--filter", f"label=goldsmith.build={folder.name}"), "the toolbox was not running"
        seen.during = around(bystander, run) | logs(folder)
        seen.modes = {
            str(path.relative_to(folder)): path.stat().st_mode & 0o777
            for path in folder.rglob("*")
            if path.is_file() and path.relative_to(folder).as_posix().startswith(PRIVATE)
        }
        admin.release("power")
        seen.result = run.end(300)
    assert seen.result.code == 0, seen.result.err
    said = {"stdout": seen.result.out, "stderr": seen.result.err}
    seen.after = said | whole(folder) | datastore(bystander) | template(bystander, seen.result.out.strip())
    return seen


def around(bystander: Bystander, run: Run) -> dict[str, str]:
    """Return what anybody on the machine could read: arguments, containers, images, and the suite's environment."""
    found = {}
    network = f"container:{bystander.lab.name}-pause".encode()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            arguments = (process / "cmdline").read_bytes()
            found[f"arguments of {process.name}"] = arguments.decode(errors="replace")
            # Tools run in a session of their own; another lab's are another test's.
            if os.getsid(int(process.name)) == run.process.pid or network in arguments:
                found[f"environment of {process.name}"] = (process / "environ").read_bytes().decode(errors="replace")
    runs = docker("ps", "-q", "--filter", f"label=goldsmith.checkout={bystander.root}")
    for container in [*runs, *docker("ps", "-aq", "--filter", f"label=goldsmith.lab={bystander.lab.name}")]:
        shown = subprocess.run(("docker", "inspect", container), check=False, capture_output=True, text=True)
        found[f"container {container}"] = shown.stdout
    for image in docker("images", "-q", "goldsmith-toolbox"):
        found[f"image {image}"] = "\n".join([*docker("history", "--no-trunc", image), *docker("inspect", image)])
    return found


def logs(folder: Path) -> dict[str, str]:
    """Return a build's files but those that are meant to hold its secrets."""
    return {name: text for name, text in whole(folder).items() if not name.startswith(PRIVATE)}


def whole(folder: Path) -> dict[str, str]:
    """Return every file of a build's folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes().decode(errors="replace")
        for path in folder.rglob("*")
        if path.is_file()
    }


def datastore(bystander: Bystander) -> dict[str, str]:
    """Return everything on the datastores, as one text."""
    with tempfile.TemporaryFile() as tar:
        subprocess.run(("docker", "cp", f"{bystander.lab.name}-vcenter:/vmfs/volumes", "-"), check=True, stdout=tar)
        tar.seek(0)
        return {"datastores": tar.read().decode(errors="replace")}


def template(bystander: Bystander, name: str) -> dict[str, str]:
    """Return all that a vCenter tells of a machine's configuration."""
    from goldsmith.vcenter.sdk import vim

    wanted = {vim.VirtualMachine: ("name", "config", "customValue", "summary", "guest")}
    with bystander.lab.connect() as client:
        found = client._collector.every(client._content.rootFolder, wanted)
        [text] = [repr(values) for _, values in found if values["name"] == name]
    return {"the template": text}


def test_while_packer_runs_no_secret_shows(watched: Watched) -> None:
    """Neither in arguments, nor in what Docker tells of containers and the image, nor in logs."""
    assert watched.found(watched.during) == []


def test_the_files_with_secrets_are_for_their_owner_alone(watched: Watched) -> None:
    """Answers, medium and key exist at that moment, and nobody else may read them."""
    assert {name.split("/")[0] for name in watched.modes} == {"answers", "media", "keys"}
    assert set(watched.modes.values()) == {0o600}


def test_after_the_build_no_secret_is_left(watched: Watched) -> None:
    """Neither printed, nor in the build's folder, on a datastore, or in the template's configuration."""
    assert watched.found(watched.after) == []
    assert "datastores" in watched.after
    assert "the template" in watched.after
    assert not [name for name in watched.after if name.startswith(PRIVATE)]
