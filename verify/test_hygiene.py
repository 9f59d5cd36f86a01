"""Nothing of the build is left in a clone: each line of the seal's list, asked of the booted machine."""

from __future__ import annotations

from typing import Any


def test_what_was_sealed_is_gone(seen: dict[str, Any], absent: dict[str, Any]) -> None:
    """What the seal removed has not come back."""
    assert seen["sealed"][absent["id"]]["faults"] == [], absent["why"]


def test_no_key_of_a_build_opens_the_clone(as_root: Any) -> None:
    """No authorized key carries the mark of a build."""
    found = as_root("grep -rlE ' goldsmith-build-' /root/.ssh /home/*/.ssh /etc/ssh 2>/dev/null || true")
    assert found == ""
