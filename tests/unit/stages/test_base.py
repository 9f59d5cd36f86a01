"""Phase 1 ends with a finished template, or without a trace."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from goldsmith import forging
from goldsmith.builds import Build
from goldsmith.errors import CheckError, GoldsmithError, MissingObjectError, ToolError
from goldsmith.host.runner import Command, Completed
from goldsmith.media.attachments import Attachment, Slot
from goldsmith.model import Image, Os, Site
from goldsmith.stages import base
from goldsmith.vcenter import belonging, marks, notes
from goldsmith.vcenter.api import StoredFile, Vitals
from goldsmith.vcenter.inventory import Machine, Power
from goldsmith.vcenter.places import locate
from goldsmith.work import Work
from tests.unit.fakes import FakeProgress, FakeRunner
from tests.unit.vcenter.fakes import BEGAN, BUILD, PLACEMENT, FakeVCenter, finished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

PASSWORD = "correct-horse"
NAME = f"debian-13-base-{BUILD}"


class Toolbox:
    """Keeps what is asked for, and runs it as it stands; secrets go to stdin."""

    def command(
        self, argv: tuple[str, ...], *, env: Mapping[str, str] = {}, secrets: Mapping[str, str] = {}
    ) -> Command:
        """Return the command as it would run here."""
        text = "\0".join(f"{name}={value}" for name, value in secrets.items())
        return Command(argv=argv, env=dict(env), stdin=text.encode())


class Bench:
    """A site, a build and all doors; *packer* is what Packer does to the site, and how it ends."""

    def __init__(self, root: Path, packer: Callable[[Bench], int | BaseException], output: str = "") -> None:
        self.vcenter = FakeVCenter(stored=[StoredFile(path="goldsmith/m.iso", size=7)])
        self.progress = FakeProgress()
        self.runner = FakeRunner({"packer": lambda _: self._packer()})
        self.output = output
        self.installer = ""
        self._does = packer
        folder = root / "build" / BUILD
        self.job = forging.Job(
            build=Build(id=BUILD, image="debian-13", site="lab", key="ab" * 32, inputs="image=abababab"),
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
            site=Site(
                name="lab",
                server="vc.example.com",
                placement=PLACEMENT,
            ),
            user="builder",
            password=PASSWORD,
            root=root,
            folder=folder,
            private_key=folder / "keys/id",
            host="here",
        )
        self._root = root
        (folder / "media").mkdir(parents=True)
        (folder / "media/m.iso").write_bytes(b"7 bytes")

    @property
    def order(self) -> base.Installation:
        """What is asked of the stage."""
        medium = Attachment(slot=Slot.CDROM, file="media/m.iso", stored="[lab-ds] goldsmith/m.iso", secret=True)
        return base.Installation(job=self.job, attached=(medium,), finish_script=self._root / "kickstart/finish.sh")

    def _packer(self) -> Completed:
        ending = self._does(self)
        if isinstance(ending, BaseException):
            raise ending
        return Completed(returncode=ending, stdout=self.output)

    def create(self, **changed: Any) -> Machine:
        """Do what Packer does when it creates the machine."""
        note = notes.under_way(Work(BUILD), name=NAME, host="here", began=BEGAN)
        machine = Machine(ref="vm-1", name=NAME, instance_uuid="uuid-1", power=Power.ON, note=note)
        return self.vcenter.add(replace(machine, **changed))

    @contextlib.contextmanager
    def _installing(self, name: str, gave_up: Callable[[], object]) -> Iterator[Callable[[], str]]:
        assert name == NAME
        if self.installer:
            gave_up()
        yield lambda: self.installer

    def forge(self) -> marks.Template:
        """Run the stage."""
        effects = forging.Effects(
            connect=self.vcenter.connect,
            toolbox=Toolbox(),
            runner=self.runner,
            progress=self.progress,
            now=lambda: datetime(2026, 11, 23, 15, tzinfo=UTC),
            installing=self._installing,
        )
        return base.forge(self.order, effects)


def _succeeds(bench: Bench) -> int:
    bench.create(is_template=True, has_snapshot=True, power=Power.OFF)
    return 0


def _fails(bench: Bench) -> int:
    bench.create()
    return 1


OUTPUT = """\
1,,ui,say,==> base.vsphere-iso.base: Creating virtual machine...
2,,ui,say,==> base.vsphere-iso.base: Waiting for IP...
3,,ui,error,==> base.vsphere-iso.base: timeout waiting for IP address"""


def test_a_template_is_made_and_marked(tmp_path: Path) -> None:
    """What Packer made is marked with everything the plan and people need, and found again."""
    bench = Bench(tmp_path, _succeeds)
    made = bench.forge()
    [found] = belonging.look(bench.vcenter, PLACEMENT).templates(image="debian-13", phase="base")
    assert found.attributes == made.attributes
    assert (found.attributes.key, found.attributes.build, found.attributes.status) == ("ab" * 32, BUILD, "candidate")


def test_the_password_is_in_no_argv_file_or_log(tmp_path: Path) -> None:
    """The vCenter password travels as a secret of the toolbox and is written nowhere."""
    bench = Bench(tmp_path, _succeeds, OUTPUT)
    bench.forge()
    [command] = bench.runner.asked
    assert command.stdin == f"PKR_VAR_vcenter_password={PASSWORD}".encode()
    assert PASSWORD not in f"{command} {command.replay()} {bench.order}"
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"base.pkrvars.json", "base.log", "m.iso"}
    assert not [path for path in files if PASSWORD in path.read_text(encoding="utf-8")]


def test_packers_steps_are_shown(tmp_path: Path) -> None:
    """Each step of Packer's is a live step, between the look at the site and the marking."""
    bench = Bench(tmp_path, _succeeds, OUTPUT.rpartition("\n")[0])
    bench.forge()
    assert [name for name, _ in bench.progress.steps] == [
        "preflight",
        "create the virtual machine",
        "install, until an address is reported",
        "mark the template",
    ]


def test_a_site_that_is_not_ready_starts_nothing(tmp_path: Path) -> None:
    """With the medium gone Packer does not start, and no attribute is defined."""
    bench = Bench(tmp_path, _succeeds)
    bench.vcenter.stored = []
    with pytest.raises(MissingObjectError):
        bench.forge()
    assert (bench.runner.asked, bench.vcenter.log) == ([], [])


def test_who_may_not_define_attributes_learns_it_first(tmp_path: Path) -> None:
    """Attributes are defined before Packer starts, so a refusal costs no installation."""
    bench = Bench(tmp_path, _succeeds)
    bench.vcenter.trouble = ToolError("denied")
    with pytest.raises(ToolError, match="denied"):
        bench.forge()
    assert bench.runner.asked == []


def test_a_failure_leaves_nothing_and_tells_all(tmp_path: Path) -> None:
    """The error names step, causes, console and log; the machine is gone."""
    bench = Bench(tmp_path, _fails, OUTPUT)
    with pytest.raises(ToolError) as caught:
        bench.forge()
    text = caught.value.render()
    assert not bench.vcenter.held
    assert "never reported an address (step: install, until an address is reported)" in text
    assert "timeout waiting for IP address" in text
    assert "the machine is powered on, its tools: guestToolsNotRunning" in text
    assert str(bench.job.folder / "console.png") in text
    assert str(bench.job.folder / "logs/base.log") in text
    assert "packer -machine-readable build" in text
    assert len(text.splitlines()) <= 40
    assert (bench.job.folder / "console.png").read_bytes() == b"\x89PNG"


def test_the_installers_own_words_count_most(tmp_path: Path) -> None:
    """Where the installer can be heard, Packer is interrupted when it gives up, and the error shows its message."""

    def interrupted(bench: Bench) -> int:
        bench.create()
        [command] = bench.runner.asked
        assert command.stop is not None
        assert command.stop.asked
        return 1

    bench = Bench(tmp_path, interrupted, OUTPUT)
    bench.installer = "FAILED: pkgsel: E: Unable to locate package nosuch"
    with pytest.raises(ToolError, match="the installer gave up") as caught:
        bench.forge()
    assert bench.installer in caught.value.why
    assert "timeout waiting" not in caught.value.why
    assert not bench.vcenter.held


def test_a_guest_that_is_off_has_no_console(tmp_path: Path) -> None:
    """A machine that powered off by itself is said to be off; no screenshot is asked for."""
    bench = Bench(tmp_path, _fails, OUTPUT)
    bench.vcenter.seen = Vitals(power=Power.OFF, tools="guestToolsNotRunning", address="")
    with pytest.raises(ToolError, match="the guest powered off by itself"):
        bench.forge()
    assert not (bench.job.folder / "console.png").exists()


def test_keep_failed(tmp_path: Path) -> None:
    """With --keep-failed the machine stays, and the way to remove it is told."""
    bench = Bench(tmp_path, _fails, OUTPUT)
    bench.job = replace(bench.job, keep_failed=True)
    with pytest.raises(ToolError):
        bench.forge()
    assert NAME in {machine.name for machine in bench.vcenter.machines()}
    assert bench.progress.notes == [f"kept: {NAME}; './inv clean' removes it"]


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), SystemExit(143)], ids=["Ctrl-C", "SIGTERM"])
def test_an_interruption_leaves_nothing(tmp_path: Path, ending: BaseException) -> None:
    """When the suite is interrupted while Packer runs, the machine it had created is removed."""

    def interrupted(bench: Bench) -> BaseException:
        bench.create()
        return ending

    bench = Bench(tmp_path, interrupted)
    with pytest.raises(type(ending)):
        bench.forge()
    assert not bench.vcenter.held


def test_another_machine_of_the_same_name_is_not_touched(tmp_path: Path) -> None:
    """Packer's failure over a name that is taken removes nothing of whoever has it."""

    def taken(bench: Bench) -> int:
        bench.create(note="production, do not touch")
        return 1

    bench = Bench(tmp_path, taken, "1,,ui,error,x already exists%!(PACKER_COMMA) you can use -force")
    with pytest.raises(ToolError, match="exists already"):
        bench.forge()
    assert list(bench.vcenter.held) == ["vm-1"]


@pytest.mark.parametrize("lacking", [{"has_snapshot": False}, {"is_template": False}], ids=["snapshot", "template"])
def test_what_packer_made_is_checked(tmp_path: Path, lacking: dict[str, bool]) -> None:
    """Only a template with a snapshot counts, whatever Packer's status says; the rest is removed."""

    def half(bench: Bench) -> int:
        bench.create(**{"is_template": True, "has_snapshot": True, **lacking})
        return 0

    bench = Bench(tmp_path, half)
    with pytest.raises(ToolError, match="is not there"):
        bench.forge()
    assert not bench.vcenter.held


def test_what_an_earlier_run_left_is_replaced(tmp_path: Path) -> None:
    """A build that is continued after kill -9 removes its own half-made machine first."""
    bench = Bench(tmp_path, _succeeds)
    bench.create(instance_uuid="uuid-0")
    assert bench.forge().machine.instance_uuid == "uuid-1"
    assert bench.vcenter.log[:2] == ["define", f"destroy {NAME}"]


def test_what_an_earlier_run_finished_is_taken(tmp_path: Path) -> None:
    """A build that was killed after its template was finished does not make it again."""
    bench = Bench(tmp_path, _succeeds)
    first = bench.forge()
    again = bench.forge()
    assert again.attributes == first.attributes
    assert len(bench.runner.asked) == 1


@pytest.mark.parametrize("name", ["golden", NAME])
def test_what_it_finished_is_its_own_under_any_name_it_gave(tmp_path: Path, name: str) -> None:
    """A build that is continued finds its template by what that says, also where it has the site's fixed name."""
    bench = Bench(tmp_path, _succeeds)
    placement = PLACEMENT.model_copy(update={"template_name": "golden"})
    bench.job = replace(bench.job, site=bench.job.site.model_copy(update={"placement": placement}))
    bench.vcenter.add(finished(BUILD, name=name))
    assert bench.forge().name == name
    assert bench.runner.asked == []


def test_a_note_that_cannot_be_written_undoes_nothing(tmp_path: Path) -> None:
    """With its last attribute a template is finished: the vCenter may go away after that, and it stays."""
    bench = Bench(tmp_path, _succeeds)
    bench.vcenter.no_note = ToolError("the vCenter went away")
    made = bench.forge()
    assert made.name in {machine.name for machine in bench.vcenter.machines()}
    assert ["repairs it" in note for note in bench.progress.notes] == [True]


def test_a_signal_after_the_last_attribute_undoes_nothing(tmp_path: Path) -> None:
    """Whoever interrupts a run that has finished its template finds it there."""
    bench = Bench(tmp_path, _succeeds)
    bench.vcenter.no_note = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        bench.forge()
    assert [one.name for one in belonging.look(bench.vcenter, PLACEMENT).templates(image="debian-13", phase="base")]


def test_trouble_while_cleaning_up_does_not_hide_the_failure(tmp_path: Path) -> None:
    """When the machine cannot be removed, the first error is told all the same, and what stays behind is said."""

    def fails(bench: Bench) -> int:
        bench.create()
        bench.vcenter.trouble = CheckError("the vCenter is gone")
        return 1

    bench = Bench(tmp_path, fails, OUTPUT)
    with pytest.raises(GoldsmithError, match="never reported an address"):
        bench.forge()
    assert bench.progress.notes == [f"the vCenter is gone: {NAME} may be left; './inv clean' removes it"]


def test_the_same_build_writes_the_same_file(tmp_path: Path) -> None:
    """The variable file is decided by the request alone, and its paths are the toolbox's."""
    order = Bench(tmp_path, _succeeds).order
    paths = locate(FakeVCenter(), PLACEMENT).paths
    text = base.variable_file(order, began="now", paths=paths)
    assert text == base.variable_file(order, began="now", paths=paths)
    assert f'"ssh_private_key_file": "build/{BUILD}/keys/id"' in text
    assert str(tmp_path) not in text
