"""The stages of one build: what each leaves for the next, and what it refuses to go on without."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from goldsmith.builds import Build
from goldsmith.errors import CheckError, ConfigurationError
from goldsmith.flow import inputs
from goldsmith.flow.steps import KEY, Steps
from goldsmith.media.attachments import Attachment, Slot
from goldsmith.media.make import ANSWERS
from goldsmith.plan import Inputs, Stage
from tests.unit.sessions import INSIDE, lab_is_up, session
from tests.unit.vcenter.fakes import BUILD

if TYPE_CHECKING:
    from pathlib import Path


def steps(folder: Path, **environment: str) -> Steps:
    here = session(folder, environment={**INSIDE, **environment})
    lab_is_up(here)
    build = here.builds.save(Build(id=BUILD, image="debian-13", site="lab", key="k", inputs=""))
    effective = here.effective(site="lab", image="")
    decided = {"base": inputs.base(effective, lock=here.lock, root=here.workspace.root)}
    return Steps(on=here.on(effective), build=build, inputs=decided)


def test_each_build_has_a_key_of_its_own(tmp_path: Path) -> None:
    """The answers let in exactly the key that lies beside them, which is masked in all that is printed."""
    made = steps(tmp_path)
    made.run(Stage.ANSWERS)
    private = (made.folder / KEY).read_text()
    allowed = (made.folder / ANSWERS / "goldsmith" / "authorized_keys").read_text()
    assert f"goldsmith-build-{BUILD}" in allowed
    assert private not in made.on.session.redact(f"the key: {private}")
    made.run(Stage.ANSWERS)
    assert (made.folder / KEY).read_text() != private


def test_answers_that_are_not_the_planned_ones(tmp_path: Path) -> None:
    """A template that is edited between the plan and its stage ends the build before anything is written."""
    made = steps(tmp_path)
    made.inputs = {"base": Inputs({**made.inputs["base"].parts, "answers": "0" * 64})}
    with pytest.raises(ConfigurationError, match="changed while the build ran"):
        made.run(Stage.ANSWERS)
    assert not (made.folder / ANSWERS).exists()


def test_a_finished_stage_is_noted_on_disk(tmp_path: Path) -> None:
    """Another process that continues the build knows how far it came."""
    made = steps(tmp_path)
    made.run(Stage.ANSWERS)
    assert made.on.session.builds.load(BUILD).stages == ("answers",)


def test_a_medium_that_is_gone_is_not_uploaded(tmp_path: Path) -> None:
    """A build whose medium was deleted by hand is refused before anything is asked of the site."""
    made = steps(tmp_path)
    made.build = replace(made.build, attached=(Attachment(slot=Slot.CDROM, file="media/boot.iso", secret=True),))
    with pytest.raises(CheckError, match="gone"):
        made.run(Stage.UPLOAD)
    assert made.on.session.builds.load(BUILD).secret_media == ()


def test_a_build_without_a_medium_removes_none(tmp_path: Path) -> None:
    """What was never uploaded needs no tool to be removed."""
    made = steps(tmp_path)
    made.remove_media()
    assert made.build.attached == ()


def test_the_medium_is_removed_and_forgotten(tmp_path: Path) -> None:
    """Once it is off the datastore, nobody looks for it again; a medium that many builds use stays."""
    made = steps(tmp_path)
    other = session(tmp_path / "other", script={"/usr/local/bin/goldsmith-entry": ""})
    lab_is_up(other)
    made.on = other.on(made.on.effective)
    iso = Attachment(slot=Slot.CDROM, file="media/boot.iso", stored="[lab-ds] goldsmith/goldsmith-x-0123.iso")
    floppy = Attachment(slot=Slot.FLOPPY, stored=f"[lab-ds] goldsmith/goldsmith-{BUILD}.flp", secret=True)
    made.build = replace(made.build, attached=(iso, floppy))
    made.remove_media()
    assert other.builds.load(BUILD).attached == (iso, replace(floppy, stored=""))
