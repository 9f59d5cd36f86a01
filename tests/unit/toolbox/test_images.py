"""What shapes an image, and what of it the lock records."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldsmith.toolbox import images
from goldsmith.toolbox import lock as locks

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", [image.name for image in images.ALL if image.reproducible])
def test_what_is_reproducible_has_an_identity(name: str) -> None:
    """A lock names what such an image must come out as, in its present state."""
    lock = locks.load(ROOT / "docker" / "lock.json")
    assert lock.identities[name].of == images.digest(images.image(name), lock, ROOT), "run './inv lock --identity'"
