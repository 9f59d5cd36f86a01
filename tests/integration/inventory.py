"""Everything that a build can leave behind, as it is at one moment: comparable, with a readable difference."""

from __future__ import annotations

import hashlib
import json
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goldsmith.vcenter import session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from goldsmith.vcenter.client import Client

_KEPT = ("build.json", "times.json", "logs/", "packer/", "ansible/", "verify/", "console.png")
"""What a build's folder keeps on purpose: none of it is secret."""


@dataclass(frozen=True)
class Lab:
    """A lab that is up, as ``lab-status --json`` shows it."""

    told: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The lab's name."""
        return str(self.told["name"])

    def vcenter(self, name: str = "lab") -> Mapping[str, Any]:
        """Return how one of its vCenters is reached."""
        [found] = [one for one in self.told["vcenters"] if one["name"] == name]
        return dict(found)

    def password(self, name: str = "lab") -> str:
        """Return a vCenter's password."""
        return Path(self.vcenter(name)["password_file"]).read_text().strip()

    @contextmanager
    def connect(self, name: str = "lab") -> Iterator[Client]:
        """Log in to one of its vCenters."""
        one = self.vcenter(name)
        ca_file = Path(self.told["ca_file"])
        with session.connect(one["server"], user=one["user"], password=self.password(name), ca_file=ca_file) as client:
            yield client


def docker(*arguments: str) -> list[str]:
    """Return the lines that a docker command prints."""
    return subprocess.run(("docker", *arguments), check=True, capture_output=True, text=True).stdout.splitlines()


def machines(lab: Lab, vcenter: str = "lab") -> list[str]:
    """Return the machines and templates of a vCenter by reference, name, kind and note."""
    from goldsmith.vcenter.sdk import vim

    with lab.connect(vcenter) as client:
        found = client._collector.every(
            client._content.rootFolder, {vim.VirtualMachine: ("name", "config.template", "config.annotation")}
        )
        return sorted(
            f"{ref._moId} {values['name']} {'template' if values.get('config.template') else 'machine'} "
            + hashlib.sha256(str(values.get("config.annotation")).encode()).hexdigest()[:8]
            for ref, values in found
        )


def datastore(lab: Lab, vcenter: str = "lab") -> list[str]:
    """Return the files of a vCenter's datastore with their sizes, folders left out."""
    from goldsmith.vcenter.sdk import vim

    browsing = vim.host.DatastoreBrowser
    asked = browsing.SearchSpec(
        matchPattern=["*"],
        details=browsing.FileInfo.Details(fileType=False, fileSize=True, modification=False, fileOwner=False),
    )
    with lab.connect(vcenter) as client:
        root = client._content.rootFolder
        [(_, values)] = [
            found
            for found in client._collector.every(root, {vim.Datastore: ("name", "browser")})
            if found[1]["name"] == lab.vcenter(vcenter)["datastore"]
        ]
        where = f"[{values['name']}]"
        results = client._collector.finish(values["browser"].SearchDatastoreSubFolders_Task(where, asked))
        return sorted(
            f"{result.folderPath} {file.path} {file.fileSize}"
            for result in results
            for file in result.file or ()
            if not isinstance(file, browsing.FolderInfo)
        )


def containers(lab: Lab) -> list[str]:
    """Return the lab's guests, and every toolbox container that has the lab's network, running or not."""
    guests = docker("ps", "-a", "--filter", f"label=goldsmith.lab={lab.name}", "--format", "{{.Names}} {{.State}}")
    [pause] = docker("inspect", "--format", "{{.Id}}", f"{lab.name}-pause")
    runs = docker("ps", "-aq", "--filter", "label=goldsmith=1", "--filter", "name=goldsmith-run-")
    shown = []
    for run in runs:
        # One of another test's or person's lab may go at any moment.
        done = subprocess.run(
            ("docker", "inspect", "--format", "{{.HostConfig.NetworkMode}} {{json .Config.Cmd}}", run),
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        mode, _, command = done.stdout.partition(" ")
        if mode in (f"container:{pause}", f"container:{lab.name}-pause"):
            shown.append(f"toolbox: {command.strip()[:120]}")
    return sorted([*guests, *shown])


def images(lab: Lab) -> list[str]:
    """Return the images that the lab made of its guests."""
    return sorted(docker("images", "--filter", f"label=goldsmith.lab={lab.name}", "--format", "{{.ID}}"))


def folders(root: Path) -> list[str]:
    """Return what the build folder of a checkout holds besides logs and states."""
    found = []
    for path in (root / "build").rglob("*"):
        parts = path.relative_to(root / "build").parts
        inside = "/".join(parts[1:])
        if path.is_dir() and not path.is_symlink():
            inside += "/"
        if len(parts) > 1 and not inside.startswith(_KEPT):
            found.append("/".join(parts))
    return sorted(found)


def locks(cache: Path, server: str) -> list[str]:
    """Return the lock files for a vCenter that somebody holds."""
    from goldsmith.errors import RefusedError
    from goldsmith.host.workspace import holding

    held = []
    for path in (cache / "locks").glob(f"*{server.replace(':', '_')}*"):
        try:
            with holding(path, what=path.name, wait=False):
                pass
        except RefusedError:
            held.append(path.name)
    return sorted(held)


def snapshot(lab: Lab, root: Path, cache: Path, vcenters: Iterable[str] = ("lab",)) -> dict[str, list[str]]:
    """Return everything, place by place; two are equal when a run left nothing and took nothing."""
    found = {
        "containers": containers(lab),
        "images": images(lab),
        "build folder": folders(root),
        "temporary files in the cache": sorted(str(path) for path in cache.glob("**/.*.??????*") if path.is_file()),
    }
    for name in vcenters:
        found[f"datastore of {name}"] = datastore(lab, name)
        found[f"machines of {name}"] = machines(lab, name)
        found[f"locks of {name}"] = locks(cache, lab.vcenter(name)["server"])
    return found


def difference(before: Mapping[str, list[str]], after: Mapping[str, list[str]]) -> str:
    """Return what came and went, a line each; empty when nothing did."""
    lines = []
    for place in sorted({*before, *after}):
        old, new = set(before.get(place, ())), set(after.get(place, ()))
        lines += [f"- {place}: {one}" for one in sorted(old - new)]
        lines += [f"+ {place}: {one}" for one in sorted(new - old)]
    return "\n".join(lines)


def of_status(text: str) -> Lab:
    """Return the lab that ``lab-status --json`` printed."""
    return Lab(json.loads(text))
