"""Media reach the datastore whole under their final name, and no two builds get into each other's way."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath

import pytest

from goldsmith.errors import CheckError, ConfigurationError, MissingObjectError, UnreachableError
from goldsmith.host.runner import Completed
from goldsmith.media.store import Store
from goldsmith.stages import upload
from goldsmith.tools import govc
from goldsmith.work import ID_PATTERN
from tests.unit.fakes import FakeDoor, FakeProgress, FakeRunner

BUILD = "20261123-120000-01234567"
SHA256 = "ab" * 32
REUSABLE = "[lab-ds] goldsmith/iso/rocky-9-abababababab.iso"
ABSENT = Completed(returncode=1, stdout="", stderr="govc: file [lab-ds] goldsmith/iso/x was not found\n")
TAKEN = Completed(returncode=1, stdout="Moving…Error: *types.FileAlreadyExists\ngovc: *types.FileAlreadyExists\n")
STORED = Completed(returncode=0, stdout="")


def _listed(size: int) -> Completed:
    return Completed(
        returncode=0, stdout=json.dumps([{"folderPath": "[x]", "file": [{"path": "x", "fileSize": size}]}])
    )


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    path = tmp_path / "build/b/media/b.iso"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"medium")
    return path


def _store(tmp_path: Path, runner: FakeRunner) -> Store:
    return Store(
        access=govc.Access(server="vc", user="u", password="hunter2", datacenter="DC0", datastore="lab-ds"),
        folder=PurePosixPath("goldsmith/iso"),
        root=tmp_path,
        runner=runner,
        door=FakeDoor(),
        progress=FakeProgress(),
    )


def _notes(store: Store) -> list[str]:
    assert isinstance(store.progress, FakeProgress)
    return store.progress.notes


def test_a_builds_medium_is_one_command_and_bears_its_id(tmp_path: Path, medium: Path) -> None:
    """A second upload of the same build replaces the first, which may hold other answers."""
    runner = FakeRunner({"bash -c": STORED})
    path = upload.build_medium(_store(tmp_path, runner), medium, build_id=BUILD)
    assert path == f"[lab-ds] goldsmith/iso/goldsmith-{BUILD}.iso"
    [command] = runner.asked
    file, folder, part, name, replace = command.argv[4:]
    assert (file, folder, replace) == ("build/b/media/b.iso", "goldsmith/iso", "true")
    assert name == f"goldsmith/iso/goldsmith-{BUILD}.iso"
    assert re.fullmatch(rf"goldsmith/iso/goldsmith-{BUILD}-[0-9a-f]{{6}}\.part", part)


def test_temporary_names_are_distinct_and_tell_their_build(tmp_path: Path, medium: Path) -> None:
    """Two uploads never write to one file, and what a killed one left is found by the build's id."""
    runner = FakeRunner({"bash -c": STORED})
    store = _store(tmp_path, runner)
    for _ in range(20):
        upload.build_medium(store, medium, build_id=BUILD)
    parts = {command.argv[6] for command in runner.asked}
    assert len(parts) == 20
    assert {tuple(ID_PATTERN.findall(part)) for part in parts} == {(BUILD,)}


def test_a_reusable_medium_that_is_there_is_left_alone(tmp_path: Path, medium: Path) -> None:
    """Its name carries the content's hash and the size is right: nothing on the site changes."""
    runner = FakeRunner({"govc datastore.ls": _listed(6)})
    store = _store(tmp_path, runner)
    assert upload.reusable_medium(store, medium, stem="rocky-9", sha256=SHA256, build_id=BUILD) == REUSABLE
    assert _notes(store) == [f"{REUSABLE} is there already"]


def test_a_reusable_medium_that_is_missing_is_uploaded_and_replaces_nothing(tmp_path: Path, medium: Path) -> None:
    """Under a temporary name of this build, then renamed."""
    runner = FakeRunner({"govc datastore.ls": ABSENT, "bash -c": STORED})
    store = _store(tmp_path, runner)
    assert upload.reusable_medium(store, medium, stem="rocky-9", sha256=SHA256, build_id=BUILD) == REUSABLE
    assert runner.asked[1].argv[7:] == ("goldsmith/iso/rocky-9-abababababab.iso", "false")
    assert BUILD in runner.asked[1].argv[6]


def test_the_loser_of_a_race_uses_the_winners_file(tmp_path: Path, medium: Path) -> None:
    """Renaming fails because the other build was first: same name and size is the same content."""
    runner = FakeRunner({"govc datastore.ls": [ABSENT, _listed(6)], "bash -c": TAKEN})
    store = _store(tmp_path, runner)
    assert upload.reusable_medium(store, medium, stem="rocky-9", sha256=SHA256, build_id=BUILD) == REUSABLE
    assert _notes(store) == [f"{REUSABLE} was put there by another build in the meantime"]


@pytest.mark.parametrize("answers", [[_listed(5)], [ABSENT, _listed(5)]], ids=["before", "after"])
def test_the_right_name_with_another_size_is_an_error(tmp_path: Path, medium: Path, answers: list[Completed]) -> None:
    """Nobody may boot from it, and nobody's file is overwritten."""
    runner = FakeRunner({"govc datastore.ls": [*answers], "bash -c": TAKEN})
    with pytest.raises(CheckError, match="wrong size") as caught:
        upload.reusable_medium(_store(tmp_path, runner), medium, stem="rocky-9", sha256=SHA256, build_id=BUILD)
    assert caught.value.where == REUSABLE
    assert "5 bytes, the medium to upload 6" in caught.value.why


@pytest.mark.parametrize(
    ("said", "family"),
    [
        ("govc: ServerFaultCode: Login failure", UnreachableError),
        ("govc: datastore 'lab-ds' not found", MissingObjectError),
        ("govc: ServerFaultCode: Permission to perform this operation was denied.", ConfigurationError),
        ("govc: *types.FileAlreadyExists", Exception),
    ],
)
def test_failures_name_the_place(tmp_path: Path, medium: Path, said: str, family: type[Exception]) -> None:
    """Which vCenter, datacenter, datastore and file; a build's own medium accepts no stranger's file either."""
    failed = Completed(returncode=1, stdout="", stderr=f"{said}\n")
    store = _store(tmp_path, FakeRunner({"bash -c": failed, "govc datastore.rm": failed, "govc datastore.ls": failed}))
    for attempt in (
        lambda: upload.build_medium(store, medium, build_id=BUILD),
        lambda: upload.remove(store, f"[lab-ds] goldsmith/iso/goldsmith-{BUILD}.iso"),
        lambda: upload.reusable_medium(store, medium, stem="rocky-9", sha256=SHA256, build_id=BUILD),
    ):
        with pytest.raises(family) as caught:
            attempt()
        assert "vc, datacenter DC0, [lab-ds] goldsmith/iso/" in str(caught.value)
        assert "hunter2" not in str(caught.value)


def test_removing_names_the_file_alone(tmp_path: Path) -> None:
    """The path as vSphere writes it becomes one relative to the datastore; already gone is fine for govc -f."""
    runner = FakeRunner({"govc datastore.rm": STORED})
    upload.remove(_store(tmp_path, runner), f"[lab-ds] goldsmith/iso/goldsmith-{BUILD}.iso")
    assert runner.lines == [f"govc datastore.rm -f goldsmith/iso/goldsmith-{BUILD}.iso"]


def test_progress_is_told_in_steps(tmp_path: Path, medium: Path) -> None:
    """A real upload's hundred lines become about ten."""
    recorded = (Path(__file__).parents[2] / "recorded/govc/upload.txt").read_text()
    store = _store(tmp_path, FakeRunner({"bash -c": Completed(returncode=0, stdout=recorded)}))
    upload.build_medium(store, medium, build_id=BUILD)
    assert isinstance(store.progress, FakeProgress)
    told = [int(state.split()[1]) for state in store.progress.states]
    assert told == sorted(set(told))
    assert 5 <= len(told) <= 10
