"""A log takes lines for as long as it can, and what it cannot take ends nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from goldsmith.host.logs import Log
from tests.unit.fakes import full_disk

if TYPE_CHECKING:
    from pathlib import Path


def test_lines_are_added(tmp_path: Path) -> None:
    """The folder is made, and what an earlier run wrote stays."""
    for text in ("one", "two \udcff"):
        with Log(tmp_path / "logs/x.log") as log:
            log.line(text)
            assert log.trouble is None
    assert (tmp_path / "logs/x.log").read_text() == "one\ntwo \\udcff\n"


def test_a_full_disk_only_leaves_a_gap(tmp_path: Path) -> None:
    """The work whose log it is goes on, and why lines are missing can be told."""
    with full_disk(), Log(tmp_path / "x.log") as log:
        log.line("lost")
    assert log.trouble is not None
    assert log.trouble.strerror == "File too large"


@pytest.mark.parametrize("kind", ["link", "folder", "not a folder"])
def test_a_place_that_takes_no_log_is_passed_over(tmp_path: Path, kind: str) -> None:
    """A link is not followed: nobody else decides which file grows."""
    target, place = tmp_path / "target", tmp_path / "logs/x.log"
    target.touch()
    match kind:
        case "link":
            place.parent.mkdir()
            place.symlink_to(target)
        case "folder":
            place.mkdir(parents=True)
        case _:
            place.parent.touch()
    with Log(place) as log:
        log.line("x")
    assert log.trouble is not None
    assert target.read_bytes() == b""
