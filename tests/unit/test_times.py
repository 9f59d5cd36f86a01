"""Stages' times are kept, and the next build is told what is usual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith import builds

if TYPE_CHECKING:
    from pathlib import Path


def test_the_usual_time_is_the_middle_of_the_newest(tmp_path: Path) -> None:
    """One slow build does not spoil it, old ones are forgotten, and a build without the stage says nothing."""
    folders = [tmp_path / str(number) for number in range(8)]
    for folder, seconds in zip(folders, (900, 900, 10, 11, 12, 13, 500), strict=False):
        builds.note_seconds(folder, "base", seconds)
    assert builds.usual_seconds(folders, "base") == 12
    assert builds.usual_seconds(folders, "docker") is None


def test_a_repeated_stage_counts_by_its_last_time(tmp_path: Path) -> None:
    """A piece that runs again replaces its time, and stands last."""
    builds.note_seconds(tmp_path, "media", 9)
    builds.note_seconds(tmp_path, "upload", 2)
    builds.note_seconds(tmp_path, "media", 4)
    assert list(builds.seconds_of(tmp_path).items()) == [("upload", 2), ("media", 4)]


def test_a_damaged_file_is_no_obstacle(tmp_path: Path) -> None:
    """Times are nice to have: whatever lies there, a build goes on."""
    for text in ("", "[]", '{"base": "x"}', "null"):
        (tmp_path / "times.json").write_text(text)
        assert builds.seconds_of(tmp_path) == {}
