"""However a process is started, it works with the same care."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from goldsmith.host import start

pytestmark = pytest.mark.usefixtures("as_before")


@pytest.mark.parametrize(("theirs", "mode"), [(0o000, 0o755), (0o002, 0o755), (0o022, 0o755), (0o077, 0o700)])
def test_others_may_write_nothing_that_a_run_makes(tmp_path: Path, theirs: int, mode: int) -> None:
    """A medium that others can change before its upload is theirs; what the caller forbids stays forbidden."""
    os.umask(theirs)
    start.settle()
    (tmp_path / "media").mkdir()
    assert (tmp_path / "media").stat().st_mode & 0o777 == mode


def test_nothing_is_dumped() -> None:
    """A core dump of the suite, or of a tool that it starts, would hold passwords; the hard limit stays."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    start.settle()
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, hard)


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path, closed: int) -> None:
    """Else what is written to stderr would end up in a lock or a build's state."""
    kept = os.dup(closed)
    os.close(closed)
    try:
        start.settle()
        with (tmp_path / "x").open("w") as file:
            assert file.fileno() > 2
        assert os.fstat(closed).st_rdev == Path(os.devnull).stat().st_rdev
    finally:
        os.dup2(kept, closed)
        os.close(kept)
