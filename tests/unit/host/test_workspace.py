"""Files appear whole, with the right mode, and only when they change; locks exclude."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import ConfigurationError, RefusedError
from goldsmith.host.files import FileError
from goldsmith.host.workspace import SECRET_MODE, Workspace, holding, write_if_changed
from tests.unit.fakes import full_disk

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"GOLDSMITH_CACHE_DIR": "/c", "XDG_CACHE_HOME": "/x"}, "/c"),
        ({"XDG_CACHE_HOME": "/x"}, "/x/goldsmith"),
        ({"XDG_CACHE_HOME": ""}, None),
        ({"XDG_CACHE_HOME": "relative"}, None),
    ],
)
def test_the_environment_names_the_cache(environment: dict[str, str], expected: str | None) -> None:
    """The own variable wins over XDG's, and an empty variable counts as unset."""
    cache = str(Workspace.here(environment).cache)
    assert cache == expected if expected else cache.endswith("/.cache/goldsmith")


def test_a_file_is_written_only_when_it_changes(tmp_path: Path) -> None:
    """An unchanged file keeps its time, so that nothing downstream is redone."""
    path = tmp_path / "new" / "file"
    assert write_if_changed(path, "text")
    before = path.stat().st_mtime_ns
    assert not write_if_changed(path, b"text")
    assert path.stat().st_mtime_ns == before
    assert write_if_changed(path, "other")


def test_a_secret_file_is_never_readable_by_others(tmp_path: Path) -> None:
    """A file that turned secret is tightened even when its content is the same."""
    path = tmp_path / "file"
    write_if_changed(path, "x")
    assert write_if_changed(path, "x", mode=SECRET_MODE)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_cache_that_is_nowhere_is_refused(tmp_path: Path) -> None:
    """A user who does not exist, links in a circle: one sentence, and which variable names it."""
    (tmp_path / "circle").symlink_to("circle")
    for value in ("~nobody-of-this-name/cache", str(tmp_path / "circle/cache")):
        with pytest.raises(ConfigurationError) as caught:
            Workspace.here({"GOLDSMITH_CACHE_DIR": value})
        assert caught.value.where == f"GOLDSMITH_CACHE_DIR={value}"


def test_a_lock_keeps_what_its_file_holds(tmp_path: Path) -> None:
    """Another program's file of that name is not emptied, and one that may only be read serves as well."""
    file = tmp_path / "x.lock"
    file.write_text("precious")
    file.chmod(0o444)
    with holding(file, what="x"), pytest.raises(RefusedError), holding(file, what="x", wait=False):
        pass
    assert file.read_text() == "precious"


def test_a_lock_whose_file_is_removed_meanwhile_is_taken_again(tmp_path: Path) -> None:
    """Who held it before removes it at its end: a lock on a file that nobody can find any more holds nobody off."""
    file = tmp_path / "x.lock"
    first, second = threading.Event(), threading.Event()

    def wait() -> None:
        with holding(file, what="x", on_wait=first.set):
            second.set()

    with holding(file, what="x"):
        thread = threading.Thread(target=wait)
        thread.start()
        first.wait()
        file.unlink()
    thread.join()
    assert second.is_set()
    assert file.exists()


def test_a_file_that_does_not_fit_changes_nothing(tmp_path: Path) -> None:
    """The old content stays whole, no part of the new one is left, and the error names the file."""
    path = tmp_path / "file"
    path.touch()
    with full_disk(), pytest.raises(FileError, match="no space is left") as caught:
        write_if_changed(path, "text")
    assert caught.value.where == str(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_lock_excludes_a_second_run(tmp_path: Path) -> None:
    """Who does not want to wait is refused while the lock is held, and not afterwards."""
    workspace = Workspace(root=tmp_path, cache=tmp_path / "cache")
    refused = pytest.raises(RefusedError, match="site-image")
    with workspace.locked("site-image"), refused, workspace.locked("site-image", wait=False):
        pass
    with workspace.locked("site-image", wait=False):
        pass
