from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import CheckError, ToolError, UnreachableError
from goldsmith.toolbox import fetch
from goldsmith.toolbox.http import BrokenError, GoneError, Http
from goldsmith.toolbox.mirrors import Mirrors
from tests.unit.fakes import FakeProgress, FakeRunner
from tests.unit.toolbox import packages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from goldsmith.host.runner import Command, Completed
    from goldsmith.host.workspace import Workspace
    from goldsmith.toolbox.lock import Row

MIRRORS = Mirrors(
    debian="http://m/debian",
    security="http://m/debian-security",
    snapshot="http://s/archive",
    moment="20260101T000000Z",
    go=("http://g",),
)
ROW = packages.deb_row(b"content")
ADDRESS = f"http://m/debian/{ROW.path}"
OLD = f"http://s/archive/debian/20260101T000000Z/{ROW.path}"


class FakeSource:
    """Answers addresses from a script, one answer after another, and refuses all others."""

    def __init__(self, script: dict[str, Sequence[bytes | Exception]]) -> None:
        self.script = {url: list(answers) for url, answers in script.items()}
        self.asked: list[str] = []

    def read(self, url: str) -> Iterator[bytes]:
        """Yield the next answer in two pieces, or raise it."""
        self.asked.append(url)
        answers = self.script.get(url)
        assert answers, f"not in the script: {url}"
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        yield answer[: len(answer) // 2]
        yield answer[len(answer) // 2 :]


def run(space: Workspace, source: FakeSource, *rows: Row, runner: FakeRunner | None = None) -> FakeProgress:
    progress = FakeProgress()
    fetch.fetch(
        rows or (ROW,),
        workspace=space,
        mirrors=MIRRORS,
        progress=progress,
        runner=runner or FakeRunner(),
        source=source,
        sleep=lambda _: None,
    )
    return progress


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return packages.workspace(tmp_path)


def left(space: Workspace) -> list[str]:
    return sorted(path.name for path in space.downloads.iterdir())


def test_a_file_is_fetched_once(space: Workspace) -> None:
    """What is in the cache is not asked for again."""
    source = FakeSource({ADDRESS: [b"content"]})
    run(space, source)
    run(space, source)
    assert source.asked == [ADDRESS]
    assert fetch.path(space, ROW).read_bytes() == b"content"


def test_a_damaged_file_in_the_cache_is_replaced(space: Workspace) -> None:
    """A file that changed in the cache is noticed by its content, not trusted by its name."""
    fetch.path(space, ROW).write_bytes(b"CONTENT")
    run(space, FakeSource({ADDRESS: [b"content"]}))
    assert fetch.path(space, ROW).read_bytes() == b"content"


def test_other_bytes_never_enter_the_cache(space: Workspace) -> None:
    """A file with another hash is refused with both hashes, and nothing of it stays."""
    with pytest.raises(CheckError) as caught:
        run(space, FakeSource({ADDRESS: [b"CONTENT"]}))
    assert ROW.sha256 in caught.value.why
    assert packages.sha256(b"CONTENT") in caught.value.why
    assert left(space) == []


def test_an_answer_that_does_not_end_is_not_written(space: Workspace) -> None:
    """What is more than the locked size is wrong already: no disk is filled to find out."""

    class Endless:
        given = 0

        def read(self, _url: str) -> Iterator[bytes]:
            while True:
                self.given += 1
                yield b"content"

    source = Endless()
    with pytest.raises(CheckError, match="more than the locked 7 bytes"):
        fetch.fetch(
            [ROW], workspace=space, mirrors=MIRRORS, progress=FakeProgress(), runner=FakeRunner(), source=source
        )
    assert source.given == 2
    assert left(space) == []


def test_an_interrupted_download_is_tried_again(space: Workspace) -> None:
    """An answer that ends early, or none, is no reason to give up at once."""
    source = FakeSource({ADDRESS: [b"con", BrokenError("reset"), b"content"]})
    run(space, source)
    assert len(source.asked) == 3


def test_a_mirror_that_stays_away_is_unreachable(space: Workspace) -> None:
    """After some tries at every source the error says what each of them said."""
    tries: list[bytes | Exception] = [BrokenError("no route")] * fetch.ATTEMPTS
    with pytest.raises(UnreachableError) as caught:
        run(space, FakeSource({ADDRESS: tries, OLD: list(tries)}))
    assert "no route" in caught.value.why
    assert "GOLDSMITH_DEBIAN_MIRROR" in caught.value.next
    assert left(space) == []


def test_a_superseded_package_comes_from_the_snapshot(space: Workspace) -> None:
    """What the mirror no longer has is asked of the snapshot archive, without trying the mirror again."""
    source = FakeSource({ADDRESS: [GoneError("HTTP 404")], OLD: [b"content"]})
    run(space, source)
    assert source.asked == [ADDRESS, OLD]


def test_a_file_that_is_nowhere_asks_for_a_new_lock(space: Workspace) -> None:
    """When all sources answer and none has the file, the way out is a new lock."""
    gone = {ADDRESS: [GoneError("HTTP 404")], OLD: [GoneError("HTTP 404")]}
    with pytest.raises(UnreachableError, match="invoke lock"):
        run(space, FakeSource({url: list(answers) for url, answers in gone.items()}))


def test_a_full_disk_is_told(space: Workspace) -> None:
    """No space left is said as such, with the folder, and leaves nothing half-written."""
    full = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(ToolError, match="no space is left") as caught:
        run(space, FakeSource({ADDRESS: [full]}))
    assert str(space.downloads) in caught.value.where
    assert left(space) == []


def test_what_a_killed_run_left_is_removed(space: Workspace) -> None:
    """Partial files of a run that was killed do not pile up."""
    (space.downloads / ".partial-x").write_bytes(b"con")
    run(space, FakeSource({ADDRESS: [b"content"]}))
    assert left(space) == [ROW.sha256]


def test_go_modules_come_from_the_proxies_in_turn(space: Workspace) -> None:
    """A module's address is the proxy's with the path as it is locked."""
    row = packages.go_row(b"module")
    source = FakeSource({f"http://g/{row.path}": [b"module"]})
    run(space, source, row)
    assert source.asked == ["http://g/example.com/!mod/@v/v1.0.0.zip"]


def test_wheels_come_through_pip_and_are_checked(space: Workspace) -> None:
    """Pip is given the exact hashes and no leave to resolve, and its files are hashed all the same."""
    row = packages.wheel_row(b"wheel")
    listed: list[str] = []

    def pip(command: Command) -> Completed:
        from goldsmith.host.runner import Completed

        folder = Path(command.argv[command.argv.index("--dest") + 1])
        listed.append((folder / "requirements.txt").read_text())
        (folder / row.file).write_bytes(b"wheel")
        assert {"--require-hashes", "--no-deps", ":all:"} <= set(command.argv)
        assert int(command.argv[4]) < 1 << 27  # no file that it writes gets longer
        return Completed(returncode=0, stdout="")

    import sys

    run(space, FakeSource({}), row, runner=FakeRunner({f"{sys.executable} -P -c": pip}))
    assert listed == [f"pip==1.0 --hash=sha256:{row.sha256}\n"]
    assert fetch.path(space, row).read_bytes() == b"wheel"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", CheckError),
        ("ERROR: No matching distribution found for pip==1.0", UnreachableError),
        ("ERROR: No space left on device", ToolError),
        ("ERROR: Could not install packages due to an OSError: [Errno 27] File too large: '/x'", CheckError),
    ],
    ids=["other bytes", "not there", "full disk", "more bytes"],
)
def test_what_pip_says_is_told_apart(space: Workspace, said: str, kind: type[Exception]) -> None:
    """Each way pip fails ends in the error of its kind."""
    import sys

    from goldsmith.host.runner import Completed

    runner = FakeRunner({f"{sys.executable} -P": Completed(returncode=1, stdout="", stderr=said)})
    with pytest.raises(kind):
        run(space, FakeSource({}), packages.wheel_row(b"wheel"), runner=runner)


def test_progress_is_told_without_flooding(space: Workspace) -> None:
    """Many files give about twenty lines, and the last one says all are there."""
    rows = [packages.deb_row(f"{n}".encode(), name=f"p{n}") for n in range(200)]
    source = FakeSource({f"http://m/debian/{row.path}": [f"{n}".encode()] for n, row in enumerate(rows)})
    progress = run(space, source, *rows)
    assert len(progress.states) <= 21
    assert "200 of 200 files" in progress.states[-1]


def test_a_file_proxy_is_read_without_a_socket(tmp_path: Path) -> None:
    """A Go proxy may be a folder; what it lacks is gone rather than broken."""
    (tmp_path / "a b").write_bytes(b"x")
    assert b"".join(Http({}).read((tmp_path / "a b").as_uri())) == b"x"
    with pytest.raises(GoneError):
        list(Http({}).read((tmp_path / "none").as_uri()))
