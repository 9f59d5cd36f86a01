"""A candidate is verified only by clones that passed, and no clone outlives its verification."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from xml.sax import saxutils

import pytest

from goldsmith.errors import CheckError, ToolError, UnreachableError
from goldsmith.forging import Effects
from goldsmith.guests.guest import Family, WayIn
from goldsmith.host.redact import MASK, Redactor
from goldsmith.host.runner import Completed
from goldsmith.model import Image, Os
from goldsmith.stages import verify
from goldsmith.vcenter import belonging, marks, notes, ours
from goldsmith.vcenter.inventory import Kind, Machine, Node
from goldsmith.work import Work
from tests.unit.fakes import FakeDoor, FakeProgress, FakeRunner
from tests.unit.vcenter.fakes import BEGAN, BUILD, FOLDER, PLACEMENT, FakeVCenter, finished

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.host.runner import Command

SECRET = "Kx7!'canary'&<>"
RUN = "20261123-153000-fedcba98"
SITE = Node(ref=FOLDER, kind=Kind.FOLDER, name="goldsmith", parent="vm-f")
PASSED = '<testsuite><testcase classname="test_guest" name="test_a" time="1"/></testsuite>'
FAILED = (
    '<testsuite><testcase classname="test_guest" name="test_a" time="1">'
    '<failure message="it is not">x</failure></testcase></testsuite>'
)


class Bench:
    """A candidate on a site, and pytest as a function of what it leaves."""

    def __init__(self, root: Path, report: str = PASSED, status: int = 0) -> None:
        self.vcenter = FakeVCenter()
        self.machine = self.vcenter.add(finished(BUILD, ref="t"))
        attributes = marks.written(self.machine)
        assert attributes
        self.gone: list[bool] = []
        self.report, self.status = report, status
        self.progress = FakeProgress()
        self.runner = FakeRunner({"python3 -m pytest": self._pytest})
        self.hidden: list[str] = []
        self.key_seen = ""
        self.folder = root / "build" / BUILD
        self.request = verify.Verification(
            template=marks.Template(machine=self.machine, attributes=attributes),
            work=Work(BUILD, RUN),
            image=Image(
                name="debian-13",
                os=Os(
                    family="debian",
                    release="13",
                    suite="trixie",
                    installer="preseed",
                    guest_type="debian12_64Guest",
                ),
                packages=("curl",),
            ),
            placement=PLACEMENT,
            expected=verify.Expected(account="automationuser", packages=("curl",), family=Family.APT),
            way_in=WayIn.CLOUD_INIT,
            root=root,
            folder=self.folder,
            host="here",
            gone=lambda: self.gone.append(True),
        )
        self.effects = Effects(
            connect=self.vcenter.connect,
            toolbox=FakeDoor(),
            runner=self.runner,
            progress=self.progress,
            now=lambda: datetime(2026, 11, 23, 15, tzinfo=UTC),
            clock=lambda: 0.0,
            hide=self.hidden.append,
            redact=Redactor([SECRET]),
        )

    def _pytest(self, _: Command) -> Completed:
        folder = self.folder / "verify"
        self.key_seen = (self.folder / verify.KEY).read_text()
        if self.report:
            (folder / "junit.xml").write_text(self.report)
            (folder / "clone-1.json").write_text(json.dumps({"proxy": f"http://u:{SECRET}@proxy"}))
        return Completed(returncode=self.status, stdout="said")

    def run(self, **changes: object) -> verify.Verdict:
        """Verify, with some of the request changed."""
        return verify.verify(type(self.request)(**{**self.request.__dict__, **changes}), self.effects)

    @property
    def status_written(self) -> str:
        """The candidate's status."""
        return self.vcenter.held["t"].attributes["goldsmith.status"]

    @property
    def clones(self) -> list[str]:
        """The clones that are left."""
        return [ref for ref in self.vcenter.held if ref != "t"]


def test_a_candidate_that_passes_is_verified(tmp_path: Path) -> None:
    """Two clones are made, checked by their own addresses, and gone; the status is the last thing written."""
    bench = Bench(tmp_path)
    assert bench.run().passed
    assert len(bench.vcenter.ordered) == 2
    assert (bench.clones, bench.status_written) == ([], "verified")
    assert bench.vcenter.log[-1] == "set goldsmith.status"
    expected = json.loads((bench.folder / "verify/expected.json").read_text())
    assert [row["address"] for row in expected["clones"].values()] == ["192.0.2.1", "192.0.2.2"]


def test_the_clones_are_found_by_clean(tmp_path: Path) -> None:
    """Each clone's whole note and name say which run made it, and none counts as a template."""
    bench = Bench(tmp_path)
    bench.run()
    for order in bench.vcenter.ordered:
        assert order.name.endswith(f"-{RUN}")
        assert len(order.name) <= 80
        machine = Machine(ref="x", name=order.name, folder=FOLDER, note=order.note)
        assert ours.unfinished(machine, SITE) == Work(BUILD, RUN)
    assert bench.gone == [True]


def test_the_key_is_gone_and_was_hidden(tmp_path: Path) -> None:
    """The private key exists only while the checks run, and no log may show it."""
    bench = Bench(tmp_path)
    bench.run()
    assert "PRIVATE KEY" in bench.key_seen
    assert not (bench.folder / verify.KEY).parent.exists()
    assert bench.hidden == [bench.key_seen]


def test_one_failed_check_fails_the_candidate(tmp_path: Path) -> None:
    """It is marked with its reasons and never offered, and the clones are gone all the same."""
    bench = Bench(tmp_path, FAILED, 1)
    with pytest.raises(CheckError, match="failed 1 of 1 checks"):
        bench.run()
    assert (bench.clones, bench.status_written) == ([], "failed")
    assert "it is not" in bench.vcenter.held["t"].attributes["goldsmith.reason"]
    assert belonging.look(bench.vcenter, PLACEMENT).templates(image="debian-13", phase="base") == []


def test_what_a_guest_says_of_a_secret_is_not_kept(tmp_path: Path) -> None:
    """A check that fails shows the line it compared: neither report, observations, mark nor error have a secret."""
    said = saxutils.quoteattr(f"root:{SECRET}:1:2")
    bench = Bench(tmp_path, f"<testsuite><testcase name='test_a'><failure message={said}/></testcase></testsuite>", 1)
    with pytest.raises(CheckError) as caught:
        bench.run()
    kept = "".join((bench.folder / "verify" / name).read_text() for name in ("junit.xml", "clone-1.json"))
    reason = bench.vcenter.held["t"].attributes["goldsmith.reason"]
    for text in (kept, reason, caught.value.render()):
        assert "canary" not in text
        assert MASK in text


def test_failed_clones_are_kept_when_asked_for(tmp_path: Path) -> None:
    """Who wants to look at them finds both, and is told how to remove them."""
    bench = Bench(tmp_path, FAILED, 1)
    with pytest.raises(CheckError):
        bench.run(keep_failed=True)
    assert len(bench.clones) == 2
    assert (bench.folder / verify.KEY).is_file()
    assert bench.gone == []
    [note] = [note for note in bench.progress.notes if "clean" in note]
    assert str(bench.folder / verify.KEY) in note


def test_no_check_at_all_is_no_verification(tmp_path: Path) -> None:
    """An empty report verifies nothing."""
    bench = Bench(tmp_path, "<testsuite/>")
    with pytest.raises(CheckError):
        bench.run()
    assert bench.status_written == "failed"


def test_checks_that_cannot_run_say_nothing_of_the_candidate(tmp_path: Path) -> None:
    """A tool that breaks is no reason to distrust the template; the clones are gone."""
    bench = Bench(tmp_path, "", 4)
    with pytest.raises(ToolError, match="could not run"):
        bench.run()
    assert (bench.clones, bench.status_written) == ([], "candidate")


def test_a_clone_without_an_address_fails_the_candidate(tmp_path: Path) -> None:
    """What cannot be reached is not offered."""
    bench = Bench(tmp_path)
    bench.vcenter.unreachable = CheckError("a clone of the candidate cannot be reached", why="no address")
    with pytest.raises(CheckError):
        bench.run()
    assert (bench.clones, bench.status_written) == ([], "failed")


def test_a_vcenter_that_goes_away_says_nothing_of_the_candidate(tmp_path: Path) -> None:
    """Nothing was found out, so nothing is marked."""
    bench = Bench(tmp_path)
    bench.vcenter.unreachable = UnreachableError("the vCenter does not answer")
    with pytest.raises(UnreachableError):
        bench.run()
    assert bench.status_written == "candidate"


def test_an_interruption_leaves_no_clone(tmp_path: Path) -> None:
    """Ctrl-C while the clones are made: what exists by then is destroyed, also with --keep-failed."""
    bench = Bench(tmp_path)
    bench.vcenter.interrupted = True
    with pytest.raises(KeyboardInterrupt):
        bench.run(keep_failed=True)
    assert (bench.clones, bench.status_written) == ([], "candidate")


def test_two_runs_at_once_do_not_touch_each_others_clones(tmp_path: Path) -> None:
    """Another host verifies the same template at the same moment: its clones have names of their own, and stay."""
    bench = Bench(tmp_path)
    other = Work(BUILD, "20261123-150001-0123abcd")
    for name in verify.names(replace(bench.request, work=other)).values():
        note = notes.under_way(other, name=name, host="there", began=BEGAN)
        bench.vcenter.add(Machine(ref=name, name=name, instance_uuid=name, note=note))
    assert bench.run().passed
    assert len(bench.clones) == 2
    assert all(ref.endswith(other.run) for ref in bench.clones)


def test_a_strangers_machine_is_never_touched(tmp_path: Path) -> None:
    """A machine that only has the name stays: the run fails instead, and removes what it made itself."""
    bench = Bench(tmp_path)
    _, second = verify.names(bench.request).values()
    bench.vcenter.add(Machine(ref="stranger", name=second, note="mine"))
    with pytest.raises(ToolError, match="refuses"):
        bench.run()
    assert bench.clones == ["stranger"]


def test_a_key_that_cannot_be_deleted_keeps_no_clone(tmp_path: Path) -> None:
    """Trouble with a file of ours is an error, and comes after the clean-up of the site."""
    bench = Bench(tmp_path)
    key = bench.folder / verify.KEY

    def swap(_: Command) -> Completed:
        key.unlink()
        (key / "in the way").mkdir(parents=True)
        return Completed(returncode=2, stdout="")

    bench.runner = FakeRunner({"python3 -m pytest": swap})
    bench.effects = replace(bench.effects, runner=bench.runner)
    with pytest.raises(OSError, match="directory"):
        bench.run()
    assert bench.clones == []


def test_a_clone_that_was_taken_away_is_not_removed(tmp_path: Path) -> None:
    """Whoever moves or renames a clone to keep it, keeps it."""
    bench = Bench(tmp_path)
    moved: list[str] = []

    def moving(_: Command) -> Completed:
        for ref in bench.clones:
            machine = bench.vcenter.held[ref]
            bench.vcenter.held[ref] = replace(machine, name="mine") if moved else replace(machine, folder="vm-f")
            moved.append(ref)
        return bench._pytest(_)

    bench.runner._script["python3", "-m", "pytest"] = moving
    assert bench.run().passed
    assert bench.clones == moved
