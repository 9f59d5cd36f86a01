"""Resolves and fetches Python wheels with pip, so that its index, proxy and CA settings apply."""

from __future__ import annotations

import hashlib
import re
import sys
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError, ToolError, UnreachableError
from goldsmith.host.runner import Command
from goldsmith.toolbox.lock import WheelRow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from goldsmith.host.runner import Runner

PYTHON = "3.13"
"""The Python inside the image (Debian 13's), which is not the one this runs on."""
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_12_x86_64", "any")
_SPARE = 1 << 26
"""What else pip writes has fewer bytes: the pages of an index, and what its cache puts around a file."""
_LARGEST = 1 << 30
"""No wheel is longer, in bytes."""
# pip looks at a file's hash when it has it whole; one that never ends would fill the disk before.
_PIP = """\
import resource, runpy, sys
most = int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""


def download(target: Path, *words: str, most: int = _LARGEST) -> Command:
    """Return a ``pip download`` of wheels for the image into *target*, none of which has more than *most* bytes."""
    platforms = tuple(word for platform in PLATFORMS for word in ("--platform", platform))
    return Command(
        argv=(
            sys.executable, "-P", "-c", _PIP, str(most + _SPARE), "download",
            "--quiet", "--disable-pip-version-check", "--no-input",
            "--only-binary", ":all:",  # a source package would run its own code
            "--implementation", "cp", "--python-version", PYTHON, *platforms,
            "--dest", str(target),
            *words,
        ),
        fetches=True,
    )  # fmt: skip


def resolve(requirements: Iterable[str], *, folder: Path, runner: Runner) -> list[WheelRow]:
    """Return the newest *requirements* and what they need; the files are left in *folder*."""
    runner.run(download(folder, *requirements))
    return sorted((row_of(path) for path in folder.glob("*.whl")), key=lambda row: row.name)


def requirements(rows: Iterable[WheelRow]) -> str:
    """Return the requirements file that accepts exactly *rows*."""
    return "".join(f"{row.name}=={row.version} --hash=sha256:{row.sha256}\n" for row in rows)


def fetch(rows: Iterable[WheelRow], *, folder: Path, runner: Runner) -> None:
    """Download exactly *rows* into *folder*.

    Raises ``CheckError`` when the index has other bytes, ``UnreachableError`` when it cannot be reached or lacks them.
    """
    rows = list(rows)
    listed = folder / "requirements.txt"
    listed.write_text(requirements(rows))
    most = max((row.size for row in rows), default=0)
    try:
        runner.run(download(folder, "--require-hashes", "--no-deps", "--requirement", str(listed), most=most))
    except ToolError as error:
        raise _explained(error) from None


def _explained(error: ToolError) -> CheckError | UnreachableError | ToolError:
    if "DO NOT MATCH THE HASHES" in error.why or "File too large" in error.why:
        return CheckError(
            "a wheel is not the locked one",
            where=error.where,
            why=error.why,
            next="ask the owner of the package index why its file changed; 'invoke lock' accepts the new one",
        )
    if "No module named pip" in error.why or "No space left" in error.why:
        return error
    return UnreachableError(
        "pip cannot fetch the locked wheels",
        where=error.where,
        why=error.why,
        next="check pip's index and proxy settings ('pip config list'); 'invoke lock' locks what the index has now",
    )


def row_of(path: Path) -> WheelRow:
    """Return the row of a downloaded wheel, whose name is ``name-version-…``."""
    name, version, _ = path.name.split("-", 2)
    data = path.read_bytes()
    return WheelRow(
        name=re.sub(r"[-_.]+", "-", name).lower(),
        version=version,
        file=path.name,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
