"""The commit in the record is that of this checkout, and a missing one is explained."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from goldsmith.host import git
from goldsmith.host.runner import Completed
from tests.unit.fakes import FakeProgress, FakeRunner

if TYPE_CHECKING:
    from pathlib import Path

DUBIOUS = Completed(returncode=128, stdout="", stderr="fatal: detected dubious ownership in repository at '/x'\n")


@pytest.mark.parametrize(
    ("answer", "commit"),
    [
        (Completed(returncode=0, stdout="0123abc-dirty\n"), "0123abc-dirty"),
        (Completed(returncode=128, stdout="", stderr="fatal: not a git repository"), ""),
        (Completed(returncode=127, stdout="", stderr="env: 'git': No such file or directory"), ""),
    ],
    ids=["repository", "archive", "no git"],
)
def test_a_checkout_without_git_builds_too(tmp_path: Path, answer: Completed, commit: str) -> None:
    """The commit is what git says; an unpacked archive has none, which is no error."""
    progress = FakeProgress()
    assert git.commit(tmp_path, runner=FakeRunner({"env": answer}), tell=progress.note) == commit
    assert progress.notes == []


def test_git_is_asked_about_this_checkout_and_no_other(tmp_path: Path) -> None:
    """Variables of a hook's git lead elsewhere, and so would a repository around an unpacked archive."""
    runner = FakeRunner({"env": "0123abc"})
    git.commit(tmp_path, runner=runner, tell=print)
    [asked] = runner.asked
    assert asked.without == ("GIT_",)
    assert asked.env == {"GIT_CEILING_DIRECTORIES": str(tmp_path.parent)}


def test_a_checkout_that_git_refuses_is_told(tmp_path: Path) -> None:
    """In another user's folder git tells nothing: the record lacks the commit, and it is said why."""
    (tmp_path / ".git").mkdir()
    progress = FakeProgress()
    assert git.commit(tmp_path, runner=FakeRunner({"env": DUBIOUS}), tell=progress.note) == ""
    assert "dubious ownership" in progress.notes[0]
