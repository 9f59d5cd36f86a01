"""What the tests of the roles share."""

from __future__ import annotations

from pathlib import Path

ANSIBLE = Path(__file__).parents[2] / "ansible"
