"""`clean` shows all that dead builds left, then removes just that."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from goldsmith.builds import Build, Status
from goldsmith.errors import MissingObjectError, RefusedError
from goldsmith.media.attachments import Attachment, Slot
from goldsmith.vcenter import marks, notes
from goldsmith.vcenter.api import StoredFile
from goldsmith.vcenter.inventory import Kind, Machine
from goldsmith.verbs import clean
from goldsmith.work import Work
from tests.unit.sessions import FakeSession, lab_is_up, session
from tests.unit.vcenter.fakes import BEGAN, BUILD, OTHER_BUILD, finished

if TYPE_CHECKING:
    from pathlib import Path

NAME = f"debian-13-base-{BUILD}"
NOTE = notes.under_way(Work(BUILD), name=NAME, host="here", began=BEGAN)
MEDIUM = Attachment(slot=Slot.CDROM, stored=f"[lab-ds] goldsmith/goldsmith-{BUILD}.iso", secret=True)


@pytest.fixture
def here(tmp_path: Path) -> FakeSession:
    """Return a session whose one dead build left a machine, a medium, a container and answers, beside others' own."""
    made = session(tmp_path)
    lab_is_up(made)
    build = made.builds.save(Build(id=BUILD, image="debian-13", site="lab", key="k", inputs="", attached=(MEDIUM,)))
    answers = made.builds.folder(build) / "answers"
    answers.mkdir()
    (answers / "preseed.cfg").touch()
    made.containers.update({"c1": BUILD, "c2": OTHER_BUILD})
    folder = made.effective(site="lab", image="").site.placement.iso_folder.as_posix()
    made.vcenter.stored.append(StoredFile(path=f"{folder}/goldsmith-{BUILD}.iso", size=1))
    made.vcenter.add(Machine(ref="vm-1", name=NAME, instance_uuid="1", note=NOTE))
    made.vcenter.add(Machine(ref="vm-2", name="production-db", instance_uuid="2"))
    return made


def cleaned(here: FakeSession, *, dry_run: bool = False) -> None:
    clean.sweep(here.on(here.effective(site="lab", image="")), dry_run=dry_run, as_json=True)


def listed(capsys: pytest.CaptureFixture[str]) -> set[str]:
    return {row["what"] for row in json.loads(capsys.readouterr().out)}


def test_everything_a_dead_build_left_is_removed(here: FakeSession, capsys: pytest.CaptureFixture[str]) -> None:
    """Machine, medium and secrets go, other people's machines stay, and a second look finds nothing."""
    cleaned(here)
    assert len(listed(capsys)) == 4
    assert [machine.name for machine in here.vcenter.held.values()] == ["production-db"]
    assert here.vcenter.stored == []
    assert here.containers == {"c2": OTHER_BUILD}
    build = here.builds.load(BUILD)
    assert here.builds.secrets_left(build) == ()
    assert build.status is Status.FAILED
    cleaned(here)
    assert listed(capsys) == set()


def test_a_dry_run_lists_the_same_and_touches_nothing(here: FakeSession, capsys: pytest.CaptureFixture[str]) -> None:
    """What would be removed is told; site and machine stay as they are."""
    cleaned(here, dry_run=True)
    assert len(listed(capsys)) == 4
    assert (here.vcenter.log, here.progress.steps) == ([], [])
    assert here.builds.secrets_left(here.builds.load(BUILD)) != ()


def test_a_build_at_work_is_left_alone(here: FakeSession, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing of a build that somebody works on counts as left."""
    with here.builds.working_on(here.builds.load(BUILD)):
        cleaned(here)
    assert listed(capsys) == set()
    assert here.vcenter.log == []


def test_the_young_build_of_another_machine_is_left_alone(
    here: FakeSession, capsys: pytest.CaptureFixture[str]
) -> None:
    """What this machine does not know cannot be asked whether it lives."""
    young = "20261123-153000-89abcdef"
    name = f"debian-13-base-{young}"
    note = notes.under_way(Work(young), name=name, host="there", began=BEGAN)
    here.vcenter.add(Machine(ref="vm-3", name=name, instance_uuid="3", note=note))
    cleaned(here)
    capsys.readouterr()
    assert "vm-3" in here.vcenter.held


def test_a_lab_that_is_down_hides_nothing_on_this_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a vCenter to ask, the secrets in the build folders are still found and removed."""
    made = session(tmp_path)
    build = made.builds.save(Build(id=BUILD, image="debian-13", site="lab", key="k", inputs=""))
    (made.builds.folder(build) / "keys").mkdir()
    cleaned(made)
    assert listed(capsys) == {"answers, key and medium"}
    assert made.builds.secrets_left(build) == ()
    assert made.vcenter.sessions == 0


def test_a_site_that_names_what_is_not_there_is_told(here: FakeSession) -> None:
    """A vCenter without the site's datastore cannot be searched, and nothing is removed from it."""
    here.vcenter.tree = [
        replace(node, name="other", spelt="") if node.kind is Kind.DATASTORE else node for node in here.vcenter.tree
    ]
    with pytest.raises(MissingObjectError, match="does not have"):
        cleaned(here)
    assert here.vcenter.log == []


@pytest.mark.parametrize("days", [-2, 2])
def test_by_a_wrong_clock_nothing_is_judged(here: FakeSession, days: int) -> None:
    """A vCenter whose clock is days from this machine's: nothing is removed from it, and the difference is said."""
    here.vcenter.clock += timedelta(days=days)
    with pytest.raises(RefusedError, match="do not agree"):
        cleaned(here)
    assert here.vcenter.log == []


def test_a_finished_template_is_repaired_and_stays(here: FakeSession, capsys: pytest.CaptureFixture[str]) -> None:
    """Killed before its note was written, and then restored with another UUID: it is told of, and never removed."""
    here.vcenter.held["vm-1"] = finished(BUILD, ref="vm-1", note=NOTE, status=marks.VERIFIED, instance_uuid="restored")
    cleaned(here)
    assert "virtual machine" not in listed(capsys)
    assert notes.claim(here.vcenter.held["vm-1"]) is None
    assert any("restored" in note for note in here.progress.notes)


def test_runs_of_a_verification_are_told_apart(here: FakeSession, capsys: pytest.CaptureFixture[str]) -> None:
    """A killed run's clones go while another run verifies the same template, and that one's stay."""
    dead, alive = Work(BUILD, "20261123-150100-0123abcd"), Work(BUILD, "20261123-150200-0123abcd")
    for work in (dead, alive):
        name = f"debian-13-base-clone-1-{work.run}"
        note = notes.under_way(work, name=name, host="here", began=BEGAN)
        here.vcenter.add(Machine(ref=name, name=name, instance_uuid=name, note=note))
    with here.builds.holding(dead):
        pass
    with here.builds.holding(alive):
        cleaned(here)
    assert [ref for ref in here.vcenter.held if "clone" in ref] == [f"debian-13-base-clone-1-{alive.run}"]
    capsys.readouterr()
    cleaned(here)
    assert [ref for ref in here.vcenter.held if "clone" in ref] == []


def test_what_changed_since_the_list_is_kept_with_a_word(here: FakeSession, capsys: pytest.CaptureFixture[str]) -> None:
    """When it is looked at again the machine is finished: the step says that it was kept."""
    here.vcenter.later["vm-1"] = finished(BUILD, ref="vm-1", note=NOTE)
    cleaned(here)
    assert "vm-1" in here.vcenter.held
    assert "kept: it is not what it was when it was listed" in here.progress.notes
    assert "virtual machine" in listed(capsys)
