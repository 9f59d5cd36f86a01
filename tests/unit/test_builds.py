"""A build's folder tells what it was, and whether somebody still works on it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.builds import Build, Builds, Status, label
from goldsmith.errors import ConfigurationError, RefusedError
from goldsmith.host.workspace import Workspace

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


def test_a_broken_state_file_is_no_build(builds: Builds) -> None:
    """A file cut off by a full disk stops nothing but itself."""
    folder = builds.folder(builds.save(BUILD))
    (folder / "build.json").write_text("{")
    assert builds.all() == ()


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
