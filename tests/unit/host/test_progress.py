"""Steps show their reason, their end, and no secret."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import ToolError
from goldsmith.host.progress import Lines, for_people
from goldsmith.host.redact import Redactor

if TYPE_CHECKING:
    from pathlib import Path


def lines(secret: str = "") -> tuple[Lines, io.StringIO]:
    stream, ticks = io.StringIO(), iter(range(0, 1000, 7))
    return Lines(stream, Redactor([secret]), clock=lambda: float(next(ticks))), stream


def test_a_step_tells_its_reason_and_its_time() -> None:
    """What runs, why, what happened in it, and how long it took."""
    progress, stream = lines()
    with progress.step("media", "its inputs changed"):
        progress.note("composed")
    assert stream.getvalue().splitlines() == ["• media (its inputs changed)", "  composed", "✓ media (7.0s)"]


def test_a_failed_step_is_marked() -> None:
    """The step an error passes through is the one marked, and the error goes on."""
    progress, stream = lines()
    with pytest.raises(KeyError), progress.step("upload"):
        raise KeyError
    assert "✗ upload" in stream.getvalue()


def test_no_secret_is_shown() -> None:
    """Progress passes through the same filter as logs."""
    progress, stream = lines("hunter2")
    progress.note("the password is hunter2")
    assert "hunter2" not in stream.getvalue()


def test_what_stays_is_kept_in_a_log_as_well(tmp_path: Path) -> None:
    """Whoever closed the terminal reads there what went on, and how it ended: with the time, and without secrets."""
    progress, stream = lines("hunter2")
    progress.note("before")

    def work() -> None:
        with progress.kept(tmp_path / "logs/progress.log"), progress.step("base", "hunter2"):
            progress.status("10 %")
            progress.note("created")
            raise ToolError("Packer failed", why="hunter2")

    with pytest.raises(ToolError):
        work()
    progress.note("after")
    kept = [line[9:] for line in (tmp_path / "logs/progress.log").read_text().splitlines()]
    assert kept == ["• base (********)", "  created", "✗ base (7.0s)", "what:  Packer failed", "why:   ********"]
    assert "  10 %" in stream.getvalue().splitlines()


def test_a_log_gets_plain_lines() -> None:
    """Colours and spinners belong on terminals only."""
    assert type(for_people(Redactor(), io.StringIO(), {})) is Lines


def test_a_terminal_gets_colour_and_the_same_words() -> None:
    """What a log says, a terminal says as well."""

    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Tty()
    progress = for_people(Redactor(["hunter2"]), stream, {"GITLAB_CI": "true"})
    with progress.step("base", "the site has none"):
        progress.status("waiting for hunter2")
        progress.note("created [the VM]")
    assert "base (the site has none)" in stream.getvalue()
    assert "created [the VM]" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


def test_gitlab_folds_each_outermost_step() -> None:
    """Every section that begins ends, also around a failure; inner steps have none; two of one name differ."""
    stream = io.StringIO()
    progress = for_people(Redactor(), stream, {"GITLAB_CI": "true"})
    with progress.step("base", "the site has none"), progress.step("power on"):
        progress.note("running")
    with pytest.raises(KeyError), progress.step("base"):
        raise KeyError
    begun = re.findall(r"\x1b\[0Ksection_start:\d+:(\S+?)\r\x1b\[0K", stream.getvalue())
    assert begun == ["base_1", "base_2"]
    assert re.findall(r"\x1b\[0Ksection_end:\d+:(\S+?)\r\x1b\[0K", stream.getvalue()) == begun


def test_github_folds_each_outermost_step() -> None:
    """Groups do not nest there: only the outermost step has one, and it ends around a failure, too."""
    stream = io.StringIO()
    progress = for_people(Redactor(["hunter2"]), stream, {"GITHUB_ACTIONS": "true"})
    with pytest.raises(KeyError), progress.step("base", "hunter2"), progress.step("power on"):
        raise KeyError
    marks = [line for line in stream.getvalue().splitlines() if line.startswith("::")]
    assert marks == ["::group::base (********)", "::endgroup::"]
