"""The images are the same whoever builds them, and whenever: nothing of the day of the build is in them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from goldsmith.toolbox import images
from goldsmith.toolbox import lock as locks
from tests.integration.conftest import ROOT

if TYPE_CHECKING:
    from tests.integration.conftest import Operator

LOCK = locks.load(ROOT / "docker" / "lock.json")
ENGINES = ("/.dockerenv", "/etc/hosts", "/etc/hostname", "/etc/mtab", "/etc/resolv.conf")
"""What the Docker engine puts into every container."""


def printed(name: str, *argv: str) -> str:
    """Return what a program of the image *name* prints; the image must be there."""
    reference = images.reference(name, images.digest(images.image(name), LOCK, ROOT))
    command = ("docker", "run", "--rm", "--network", "none", "--user", "0:0", "--entrypoint", argv[0])
    return subprocess.run((*command, reference, *argv[1:]), capture_output=True, check=True, text=True).stdout


@pytest.fixture(scope="module", autouse=True)
def _built(operator: Operator, lab: dict[str, Any]) -> None:
    assert lab["up"]
    operator.done("build-image")


@pytest.mark.parametrize("name", ["toolbox", "lab-guest"])
def test_passwords_are_as_old_as_the_lock(name: str) -> None:
    """The one date that packages' scripts write into files: the day on which each password was last changed."""
    changed = {line.split(":")[2] for line in printed(name, "cat", "/etc/shadow").splitlines()}
    assert changed == {str(LOCK.source_date_epoch // 86_400)}


@pytest.mark.parametrize("name", ["toolbox", "lab-guest"])
def test_no_file_is_younger_than_the_lock(name: str) -> None:
    """Times of files are what most often differs from one build to the next."""
    left_out = [word for path in ("/proc", "/sys", "/dev", *ENGINES) for word in ("-path", path, "-prune", "-o")]
    # The engine itself makes mount points, and so touches the folders in which they lie.
    younger = ("!", "-type", "d", "-newermt", f"@{LOCK.source_date_epoch}")
    found = printed(name, "find", "/", "-xdev", *left_out, *younger, "-print")
    assert found == ""
