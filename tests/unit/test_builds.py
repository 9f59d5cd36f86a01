"""A build's folder tells what it was, and whether somebody still works on it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.builds import Build, Builds, Status, seconds_of
from goldsmith.errors import ConfigurationError, RefusedError
from goldsmith.host.files import FileError
from goldsmith.host.workspace import Workspace
from goldsmith.work import Life, Work, label

if TYPE_CHECKING:
    from pathlib import Path

BUILD = Build(id="20261123-120000-01234567", image="debian-13", site="lab", key="k", inputs="answers=1")
SAME = {"image": "debian-13", "site": "lab", "key": "k"}


@pytest.fixture
def builds(tmp_path: Path) -> Builds:
    return Builds(Workspace(root=tmp_path, cache=tmp_path / "cache"))


def test_a_build_is_read_as_it_was_saved(builds: Builds) -> None:
    """State survives the process."""
    saved = builds.save(BUILD.with_stage("answers").with_stage("answers"))
    assert builds.load(BUILD.id) == saved
    assert saved.stages == ("answers",)


@pytest.mark.parametrize("wrong", ["20261123-120000-99999999", "../etc", ""])
def test_an_unknown_build_is_named_with_the_known_ones(builds: Builds, wrong: str) -> None:
    """A wrong --build shows which there are, and never leaves the build folder."""
    builds.save(BUILD)
    with pytest.raises(ConfigurationError, match=BUILD.id):
        builds.load(wrong)


def test_only_an_open_build_of_the_same_inputs_is_continued(builds: Builds) -> None:
    """A piece run alone continues the newest unfinished build, not a failed or another one."""
    builds.save(replace(BUILD, id="20261123-130000-01234567", status=Status.FAILED))
    builds.save(replace(BUILD, id="20261123-140000-01234567", key="other"))
    builds.save(BUILD)
    assert builds.newest_open(**SAME) == BUILD


def test_a_build_without_its_answers_is_not_continued(builds: Builds) -> None:
    """It ended while the disk was full: its secrets could be deleted, that it ended could not be written."""
    build = builds.save(BUILD.with_stage("answers"))
    assert builds.newest_open(**SAME) is None
    (builds.folder(build) / "answers").mkdir()
    assert builds.newest_open(**SAME) == build


def test_a_build_of_another_vcenter_is_not_continued(builds: Builds) -> None:
    """Every lab is called "lab": what tells them apart is the server."""
    builds.save(replace(BUILD, server="127.0.0.1:20000"))
    assert builds.newest_open(**SAME, server="127.0.0.1:20002") is None
    assert builds.newest_open(**SAME, server="127.0.0.1:20000") is not None


def test_a_build_is_seen_alive_whatever_cache_is_used(builds: Builds, tmp_path: Path) -> None:
    """Two users of one checkout have a cache each; `clean` of one must not end the other's build."""
    builds.save(BUILD)
    with builds.working_on(BUILD):
        assert Builds(Workspace(root=tmp_path, cache=tmp_path / "another")).alive(BUILD.id)


def test_a_build_lives_as_long_as_its_process_holds_it(builds: Builds) -> None:
    """`clean` must never take what a living build needs, and always what a dead one left."""
    builds.save(BUILD)
    assert not builds.alive(BUILD.id)
    with builds.working_on(BUILD):
        assert builds.alive(BUILD.id)
        assert builds.newest_open(**SAME) is None
        with pytest.raises(RefusedError), builds.working_on(BUILD):
            pass
    assert not builds.alive(BUILD.id)


def test_a_build_forgets_its_secrets(builds: Builds) -> None:
    """Answers, key and medium go; logs and state stay."""
    folder = builds.folder(builds.save(BUILD))
    for name in ("answers", "media", "keys", "logs"):
        (folder / name).mkdir()
    assert len(builds.secrets_left(BUILD)) == 3
    builds.forget_secrets(BUILD)
    assert builds.secrets_left(BUILD) == ()
    assert (folder / "logs").is_dir()


def test_a_run_is_alive_dead_or_unknown(builds: Builds) -> None:
    """A verification leaves its lock's file when it is killed: by that, its clones are known to be nobody's."""
    run = Work(builds.save(BUILD).id, "20261123-130000-01234567")
    assert builds.life(run) is Life.UNKNOWN
    with builds.holding(run):
        assert builds.life(run) is Life.ALIVE
        assert builds.life(Work(BUILD.id)) is Life.DEAD
        builds.forget_runs(BUILD)
        with pytest.raises(RefusedError), builds.holding(run):
            pass
    assert builds.life(run) is Life.DEAD
    builds.forget_runs(BUILD)
    assert builds.life(run) is Life.UNKNOWN


def test_asking_after_a_build_leaves_nothing(builds: Builds, tmp_path: Path) -> None:
    """Looking at the work of another machine makes no folder for it."""
    assert builds.life(Work(BUILD.id)) is Life.UNKNOWN
    assert builds.life(Work(BUILD.id, BUILD.id)) is Life.UNKNOWN
    assert not builds.folder(BUILD).exists()


MEDIUM = {"slot": "cdrom", "file": "media/boot.iso", "stored": f"[ds] iso/goldsmith-{BUILD.id}.iso", "secret": True}
STRANGE: dict[str, Any] = {
    "id of another build": {"id": "20261123-120000-89abcdef"},
    "id that leads away": {"id": "../../victim"},
    "id that is a number": {"id": 5},
    "id that is a broken pattern": {"id": "("},
    "phase that leads away": {"phase": "../../victim"},
    "file that leads away": {"attached": [MEDIUM | {"file": "../../victim"}]},
    "file elsewhere": {"attached": [MEDIUM | {"file": "/etc/passwd"}]},
    "medium of another build": {"attached": [MEDIUM | {"stored": "[ds] goldsmith-20261123-120000-89abcdef.iso"}]},
    "medium of somebody else": {"attached": [MEDIUM | {"stored": "[ds] iso/debian.iso"}]},
    "medium beside ours": {"attached": [MEDIUM | {"stored": f"[ds] goldsmith-{BUILD.id}-IMPORTANT.vmdk"}]},
    "slot that no machine has": {"attached": [MEDIUM | {"slot": "usb"}]},
    "medium that is a number": {"attached": [5]},
    "status that is none": {"status": "alive"},
    "stages that are none": {"stages": 5},
    "further key": {"owner": "me"},
}


@pytest.mark.parametrize("kind", STRANGE)
def test_a_state_that_no_run_has_written_is_no_build(builds: Builds, kind: str) -> None:
    """Folders are emptied and media deleted by what a state says: it is believed about its own build alone."""
    folder = builds.folder(builds.save(BUILD))
    state = json.loads((folder / "build.json").read_text())
    (folder / "build.json").write_text(json.dumps(state | {"attached": [MEDIUM]}))
    assert len(builds.all()) == 1
    (folder / "build.json").write_text(json.dumps(state | STRANGE[kind]))
    assert builds.all() == ()


@pytest.mark.parametrize("content", ["{", "[5]", "[" * 100_000, "\0"])
def test_a_broken_state_file_is_no_build(builds: Builds, content: str) -> None:
    """A file cut off by a full disk, or made to break its reader, stops nothing but itself."""
    folder = builds.folder(builds.save(BUILD))
    for name in ("build.json", "times.json"):
        (folder / name).write_text(content)
    assert builds.all() == ()
    assert seconds_of(folder) == {}


def test_a_folder_that_is_a_link_is_no_build(builds: Builds, tmp_path: Path) -> None:
    """What lies at its other end is nobody's answers and keys."""
    folder = builds.folder(builds.save(BUILD))
    folder.rename(tmp_path / folder.name)
    folder.symlink_to(tmp_path / folder.name)
    assert builds.all() == ()


def test_builds_may_lie_on_another_disk(builds: Builds, tmp_path: Path) -> None:
    """The folder of all builds may be a link, also to a folder that is still to be made; nowhere is an error."""
    builds.workspace.builds.symlink_to(tmp_path / "disk")
    first = builds.reserve("0123456789abcdef", datetime(2026, 11, 23, tzinfo=UTC))
    builds.save(replace(BUILD, id=first))
    assert (tmp_path / "disk" / first / "build.json").is_file()
    assert [build.id for build in builds.all()] == [first]
    builds.workspace.builds.unlink()
    builds.workspace.builds.symlink_to(tmp_path / "no/disk")
    with pytest.raises(FileError, match="cannot be used"):
        builds.reserve("0123456789abcdef", datetime(2026, 11, 23, tzinfo=UTC))


def test_a_lock_that_is_a_link_empties_nothing(builds: Builds, tmp_path: Path) -> None:
    """Nobody works on such a build, nobody takes it for dead, and the file at the other end stays as it is."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (builds.folder(builds.save(BUILD)) / ".lock").symlink_to(victim)
    assert builds.alive(BUILD.id)
    with pytest.raises(FileError) as caught, builds.working_on(BUILD):
        pass
    assert "symbolic link" in caught.value.next
    assert victim.read_text() == "precious"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ""),
        ({"CI_COMMIT_BRANCH": "Feature/Über_x", "CI_PIPELINE_ID": "4711"}, "feature-ber-x-4711"),
        ({"GITHUB_REF_NAME": "main", "GITHUB_RUN_ID": "12"}, "main-12"),
        ({"CI_PIPELINE_ID": "7"}, "7"),
    ],
)
def test_ci_tells_branch_and_pipeline(environment: dict[str, str], expected: str) -> None:
    """Whatever a branch is called, the label has only small letters, digits and dashes."""
    assert label(environment) == expected


@given(st.text(max_size=90), st.text(max_size=30))
def test_names_of_ci_builds_fit(branch: str, pipeline: str) -> None:
    """A name has at most 80 characters, ends with the build's id, and needs no quoting."""
    labelled = label({"CI_COMMIT_BRANCH": branch, "CI_PIPELINE_ID": pipeline})
    build = replace(BUILD, image="i" * 40, phase="docker", label=labelled)
    assert len(build.name) <= 80
    assert re.fullmatch(r"i{40}-docker(-[a-z0-9]+)*-20261123-120000-01234567", build.name)


def test_two_builds_of_one_second_have_ids_of_their_own(builds: Builds) -> None:
    """The same image on two vCenters has one key: who comes second in a second gets the next one's id."""
    now = datetime(2026, 11, 23, 12, 0, 59, tzinfo=UTC)
    key = "0123456789abcdef"
    assert builds.reserve(key, now) == "20261123-120059-01234567"
    assert builds.reserve(key, now) == "20261123-120100-01234567"
