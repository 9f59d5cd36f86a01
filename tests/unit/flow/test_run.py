"""A build runs what its plan names, in order, alone; and what is up to date is not touched."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from goldsmith.builds import Build, Status
from goldsmith.errors import ConfigurationError, MissingObjectError, RefusedError, UnreachableError
from goldsmith.flow.order import Order
from goldsmith.flow.run import Flow
from goldsmith.host.files import FileError
from goldsmith.plan import Stage
from goldsmith.vcenter import marks, notes
from goldsmith.work import Work
from tests.unit.fakes import full_disk
from tests.unit.sessions import FakeSession, lab_is_up, session
from tests.unit.vcenter.fakes import BEGAN, BUILD, finished

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.plan import Plan
    from goldsmith.vcenter.inventory import Machine


@pytest.fixture
def here(tmp_path: Path) -> FakeSession:
    made = session(tmp_path)
    lab_is_up(made)
    return made


@pytest.fixture
def flow(here: FakeSession) -> Flow:
    return Flow(on=here.on(here.effective(site="lab", image="")))


def template(here: FakeSession, flow: Flow, **changes: Any) -> Machine:
    """Put a finished base template of the flow's inputs onto the site."""
    now = flow.inputs()["base"]
    return here.vcenter.add(finished(BUILD, **{"key": now.key, "inputs": now.summary(), **changes}))


def open_build(flow: Flow, **changes: Any) -> Build:
    now = flow.inputs()["base"]
    build = Build(
        id=BUILD,
        image="debian-13",
        site="lab",
        key=now.key,
        inputs=now.summary(),
        server=flow.on.site.server,
    )
    return flow.session.builds.save(replace(build, **changes))


def test_an_unchanged_template_means_that_nothing_is_done(here: FakeSession, flow: Flow) -> None:
    """With the same key on the site, a build starts no step, changes nothing there, and leaves no folder."""
    made = template(here, flow)
    told: list[Plan] = []
    assert flow.forge(Order(), told.append) is None
    assert made.name in told[0].steps[-1].reason
    assert (here.vcenter.log, here.progress.steps, here.builds.all()) == ([], [], ())


def test_an_unknown_build_is_refused_although_nothing_would_run(here: FakeSession, flow: Flow) -> None:
    """Who names a build wants that one."""
    template(here, flow)
    with pytest.raises(ConfigurationError, match="no build"):
        flow.forge(Order(build="20260101-000000-0123abcd"), lambda _: None)


@pytest.mark.parametrize(
    "changes",
    [
        {"folder": "vm-f"},
        {"name": "prod-db"},
        {"instance_uuid": "another"},
        {"key": "zz"},
        {"attributes": {"goldsmith.image": "debian-13", "goldsmith.key": "zz"}},
    ],
    ids=["another folder", "renamed", "copied", "no key", "no attributes"],
)
def test_a_template_that_is_not_the_sites_is_no_reason_to_skip(
    here: FakeSession, flow: Flow, changes: dict[str, Any]
) -> None:
    """Wherever its attributes were copied to or it was moved: it is told that it does not count, and a build runs."""
    made = template(here, flow, **changes)
    assert flow.plan(Order()).runs
    assert any(made.name in note for note in here.progress.notes) is (made.folder != "vm-f")


def test_a_template_of_the_future_is_no_reason_to_skip(here: FakeSession, flow: Flow) -> None:
    """By the vCenter's clock no build can have begun there."""
    here.vcenter.add(finished("20991231-235959-0123abcd", key=flow.inputs()["base"].key))
    assert flow.plan(Order()).runs


def test_a_site_whose_folder_is_not_there_is_refused_where_nothing_would_run(here: FakeSession, flow: Flow) -> None:
    """Another folder of the vCenter has the template, and the site's own does not exist."""
    made = template(here, flow)
    here.vcenter.tree = [
        replace(one, name="other", spelt="other") if one.ref == made.folder else one for one in here.vcenter.tree
    ]
    with pytest.raises(MissingObjectError, match="does not have"):
        flow.plan(Order())


def test_by_a_wrong_clock_no_build_is_begun(here: FakeSession, flow: Flow) -> None:
    """Its id would lie in the past or the future; looking at the plan changes nothing, and so does no harm."""
    here.vcenter.clock += timedelta(hours=5)
    with pytest.raises(RefusedError, match="do not agree"):
        flow.forge(Order(), lambda _: None)
    assert here.builds.all() == ()
    assert flow.plan(Order()).runs


def test_the_note_of_a_finished_template_is_repaired_by_the_next_build(here: FakeSession, flow: Flow) -> None:
    """A run was killed between its last attribute and the note; a plan alone changes nothing."""
    name = f"debian-13-base-{BUILD}"
    made = template(here, flow, note=notes.under_way(Work(BUILD), name=name, host="here", began=BEGAN))
    assert not flow.plan(Order()).runs
    assert here.vcenter.log == []
    assert flow.forge(Order(), lambda _: None) is None
    assert notes.claim(here.vcenter.held[made.ref]) is None
    assert "was repaired" in here.progress.notes[-1]


def test_the_plan_says_which_input_changed(here: FakeSession, flow: Flow) -> None:
    """A template of other answers is named, and so is the part that differs."""
    before = flow.inputs()["base"].summary().replace("answers=", "answers=0")
    made = template(here, flow, key="ab" * 32, inputs=before)
    planned = flow.plan(Order())
    assert planned.runs
    assert planned.steps[-1].reason == f"changed since {made.name}: answers"


@pytest.mark.parametrize(
    "order", [Order(rebuild=True), Order(max_age=timedelta(minutes=1))], ids=["rebuild", "too-old"]
)
def test_an_operator_can_ask_for_more_than_the_key_does(here: FakeSession, flow: Flow, order: Order) -> None:
    """--rebuild and --max-age run an unchanged base all the same."""
    template(here, flow)
    assert flow.plan(order).runs


def test_a_site_without_login_is_planned_as_empty(here: FakeSession, flow: Flow) -> None:
    """A lab that is down is known to hold nothing, so planning needs no session."""
    assert flow.plan(Order(), empty=True).runs
    assert here.vcenter.sessions == 0


def test_a_lab_that_is_down_cannot_be_built_on(tmp_path: Path) -> None:
    """Building needs a login; without the lab's state there is none, and nothing is begun."""
    made = session(tmp_path)
    flow = Flow(on=made.on(made.effective(site="lab", image="")))
    with pytest.raises(UnreachableError, match="not up"):
        flow.forge(Order(), lambda _: None)
    assert made.builds.all() == ()


def test_two_builds_of_one_image_and_site_exclude_each_other(flow: Flow) -> None:
    """With --no-wait the second one is refused at once."""
    with flow.alone(Order()), pytest.raises(RefusedError), flow.alone(Order(wait=False)):
        pass


def test_a_piece_leaves_an_open_build_that_only_its_owner_reads(here: FakeSession, flow: Flow) -> None:
    """Rendering alone ends with a build that can be continued; its answers and key are private."""
    build = flow.piece(Order(until=Stage.ANSWERS))
    assert (build.status, build.stages) == (Status.OPEN, ("answers",))
    kept = {here.builds.log(build), here.builds.folder(build) / "build.json", here.builds.folder(build) / "times.json"}
    written = [path for path in here.builds.folder(build).rglob("*") if path.is_file() and path not in kept]
    assert {path.stat().st_mode & 0o077 for path in written} == {0}
    assert {"preseed.cfg", "id_ed25519"} <= {path.name for path in written}


def test_an_unfinished_build_is_continued(flow: Flow) -> None:
    """A second piece goes on with the first one's build, whose finished stages are not run again."""
    first = flow.piece(Order(until=Stage.ANSWERS))
    again = flow.piece(Order(until=Stage.ANSWERS))
    assert again == first


def test_an_unfinished_build_of_another_place_is_not_continued(here: FakeSession, flow: Flow) -> None:
    """Its medium lies in another datacenter, or on another datastore: a build of this place makes its own."""
    first = flow.piece(Order(until=Stage.ANSWERS))
    here.builds.save(replace(first, place="DC1 [lab-ds]"))
    assert flow.piece(Order(until=Stage.ANSWERS)).id != first.id


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"image": "other"}, "a build of other"),
        ({"site": "elsewhere"}, "on elsewhere"),
        ({"server": "vc.example.com"}, "vc.example.com"),
        ({"place": "DC1 [lab-ds]"}, "its media lie in DC1 [lab-ds]"),
        ({"status": Status.DONE}, "it is done"),
        ({"key": "0" * 64, "inputs": "answers=0"}, "changed since it began"),
    ],
    ids=["image", "site", "server", "place", "finished", "inputs"],
)
def test_a_named_build_must_fit(flow: Flow, changes: dict[str, Any], why: str) -> None:
    """--build is refused with the reason, and the build stays as it was."""
    before = open_build(flow, **changes)
    with pytest.raises(ConfigurationError) as caught:
        flow.piece(Order(until=Stage.ANSWERS, build=BUILD))
    assert why in caught.value.why
    assert flow.session.builds.load(BUILD) == before


def test_a_full_disk_hides_neither_the_template_nor_the_secrets(tmp_path: Path) -> None:
    """What was finished on the site is told with the error, the secrets go, and only the state stays as it was."""
    made = session(tmp_path)
    lab_is_up(made)
    flow = Flow(on=made.on(made.effective(site="lab", image="")))
    build = open_build(flow)
    (made.builds.folder(build) / "answers").mkdir()
    machine = template(made, flow)

    def work() -> None:
        with flow._ended(build, Order(), flow.inputs()) as steps:
            attributes = marks.written(machine)
            assert attributes
            steps.template = marks.Template(machine=machine, attributes=attributes)
            steps._save(replace(build, template=machine.name))

    with full_disk(), pytest.raises(FileError, match="no space is left") as caught:
        work()
    assert caught.value.where.endswith(f"{BUILD}/build.json")
    finished, unsaved = made.progress.notes
    assert machine.name in finished
    assert "failed" in unsaved
    assert made.builds.secrets_left(build) == ()
    assert made.builds.load(BUILD) == build
