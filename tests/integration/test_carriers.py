"""What carries answers reaches a guest whose disk is blank, and the lab's installers are folders that know their media.

The initrd is the fourth carrier: test_base shows it, as test_kickseed shows the floppy with a real installer.
"""

from __future__ import annotations

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from goldsmith import config
from goldsmith.lab.installation import FAILED, message
from goldsmith.tools import mtools, packer
from goldsmith.vcenter.sdk import vim
from goldsmith.wiring import Session
from tests.composing import Composer
from tests.integration import blank, handmade
from tests.integration.inventory import Lab, docker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Operator

FOLDER = "carriers"
"""Where the media lie on the datastore."""
ANSWERS = "answers: æøå 'quoted' $HOME\nand a second line"
# One disc with answers, and one that boots something that no installer of the lab knows.
_SCRIPT = """\
set -eu
cd "$1"
xorriso -as mkisofs -quiet -r -J -V CIDATA -o media/seed.iso seed
xorriso -as mkisofs -quiet -r -V UNKNOWN -b boot.img -no-emul-boot -o media/unknown.iso unknown
"""


@pytest.fixture(scope="module")
def media(lab: dict[str, Any]) -> Lab:
    """Return the lab, on whose datastore two installers, a disc with answers, an unknown disc, and a floppy lie."""
    session = Session.here()
    root = session.workspace.root
    session.workspace.builds.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=session.workspace.builds, prefix="carriers-") as temporary:
        folder = Path(temporary)
        for name, text in (("seed/user-data", ANSWERS), ("files/answers.cfg", ANSWERS), ("unknown/boot.img", "boots")):
            (folder / name).parent.mkdir()
            (folder / name).write_text(text)
        (folder / "media").mkdir()
        inside = folder.relative_to(root).as_posix()
        door = session.toolbox()
        session.runner.run(door.command(("sh", "-c", _SCRIPT, "carriers", inside)))
        session.runner.run(
            mtools.floppy(
                door,
                folder=f"{inside}/files",
                files=("answers.cfg",),
                image=f"{inside}/media/answers.flp",
                label="ANSWERS",
                epoch=session.lock.source_date_epoch,
            )
        )
        for name, options in (("boot.iso", handmade.VENDORS), ("ks.iso", handmade.WORDS)):
            Composer(session, folder)({}, kernel_options=options, name=f"media/{name}")
        told = Lab(lab)
        docker("cp", str(folder / "media"), f"{told.name}-vcenter:/vmfs/volumes/{told.vcenter()['datastore']}/{FOLDER}")
    return told


def on(name: str) -> str:
    """Return where a medium lies on the datastore."""
    return f"{FOLDER}/{name}"


@pytest.fixture(scope="module")
def guest(media: Lab) -> Iterator[blank.Blank]:
    """Yield a guest with something in every drive, whose installer gave up as its initrd has no answers."""
    with blank.machine(
        media,
        "everything",
        discs=(on("boot.iso"), on("seed.iso")),
        floppy=on("answers.flp"),
        guestinfo={"guestinfo.userdata": ANSWERS, "guestinfo.userdata.encoding": "none"},
    ) as machine:
        machine.power(on=True)
        machine.until(FAILED)
        yield machine


def test_the_console_says_what_is_there(guest: blank.Blank) -> None:
    """Before anything boots, every carrier is named; values of guestinfo are not."""
    console = guest.admin.console(guest.name)
    assert console.splitlines()[0] == (
        "installer: in the drives: boot.iso (GOLDSMITH), seed.iso (CIDATA), answers.flp (floppy);"
        " with guestinfo.userdata guestinfo.userdata.encoding"
    )
    assert "installer: preseed boots from boot.iso with: auto=true" in console
    assert "second line" not in console


def test_a_second_disc_is_found_by_its_label(guest: blank.Blank) -> None:
    """An installer finds the disc with the answers by its label, and reads it; what is not there is not found."""
    read = guest.run('/lab/iso-read "$(/lab/cd-by-label CIDATA)" cat user-data')
    assert read.stdout == ANSWERS, read.stderr
    missing = guest.run("/lab/cd-by-label OEMDRV")
    assert (missing.returncode, missing.stdout) == (1, "")


def test_guestinfo_is_read_as_by_vmwares_tool(guest: blank.Blank) -> None:
    """A value arrives byte by byte; one that is not set is an error with VMware's text."""
    read = guest.run('/lab/vmware-rpctool "info-get guestinfo.userdata"')
    assert read.stdout == ANSWERS + "\n", read.stderr
    missing = guest.run('/lab/vmware-rpctool "info-get guestinfo.vendordata"')
    assert (missing.returncode, missing.stdout, missing.stderr) == (1, "", "No value found\n")


def test_the_floppy_is_read(guest: blank.Blank) -> None:
    """The files of the floppy are there."""
    read = guest.run('mkdir /tmp/floppy && /lab/floppy-read "$LAB_FLOPPY" /tmp/floppy && cat /tmp/floppy/answers.cfg')
    assert read.stdout == ANSWERS, read.stderr


def test_what_is_taken_away_is_gone_at_the_next_start(guest: blank.Blank) -> None:
    """Drives that are removed and guestinfo that is emptied: the same disk starts without them."""
    assert guest.run("echo mine >/root/mark").returncode == 0
    guest.power(on=False)
    guest.change(
        devices=[blank.removed(one) for one in guest.drives()],
        guestinfo={"guestinfo.userdata": "", "guestinfo.userdata.encoding": ""},
    )
    since = guest.now()
    guest.power(on=True)
    assert guest.until(FAILED, since=since).rstrip().endswith("no drive holds a medium that boots.")
    seen = guest.run("cat /root/mark; env | grep -E '^(LAB_CDS|LAB_GUESTINFO|VMX)'")
    assert seen.stdout == "mine\nLAB_CDS=\nLAB_GUESTINFO=\n", seen.stderr


def test_a_medium_missing_in_the_second_drive_stops_the_machine(media: Lab) -> None:
    """As on vSphere, the file is named, and the machine stays off."""
    with (
        blank.machine(media, "missing", discs=(on("boot.iso"), on("gone.iso"))) as machine,
        pytest.raises(vim.fault.FileNotFound) as refused,
    ):
        machine.power(on=True)
    assert refused.value.file == f"[{media.vcenter()['datastore']}] {on('gone.iso')}"


def test_only_a_medium_that_boots_is_booted(media: Lab) -> None:
    """The firmware passes over a disc with nothing but answers, wherever it lies."""
    with blank.machine(media, "answers-first", discs=(on("seed.iso"), on("boot.iso"))) as machine:
        machine.power(on=True)
        assert "installer: preseed boots from boot.iso with:" in machine.until(FAILED)
    with blank.machine(media, "answers-only", discs=(on("seed.iso"),)) as machine:
        machine.power(on=True)
        assert "No bootable device" in machine.until(FAILED)


def test_the_same_initrd_is_kickseeds_with_ks(media: Lab) -> None:
    """What boots decides whose the medium is; and an installer that gives up says why where a build looks for it."""
    with blank.machine(media, "ks", discs=(on("ks.iso"),), floppy=on("answers.flp")) as machine:
        machine.power(on=True)
        console = machine.until(FAILED)
    assert "installer: kickseed boots from ks.iso with: ks=floppy" in console
    assert "there is no ks.cfg on the floppy" in message(console)


def test_a_medium_that_no_installer_knows(media: Lab) -> None:
    """One sentence says so, and the machine stands still for somebody to look at."""
    with blank.machine(media, "unknown", discs=(on("unknown.iso"),)) as machine:
        machine.power(on=True)
        console = machine.until(FAILED)
        [sentence] = [line for line in console.splitlines() if line.startswith("installer: FAILED: ")]
        assert sentence.endswith("no installer of the lab (kickseed, preseed) knows what unknown.iso boots")
        assert machine.run("true").returncode == 0


def test_an_installer_is_a_folder(media: Lab) -> None:
    """With a folder more, the lab knows its media; when a second one takes them as well, neither runs."""
    knows = 'test "$(/lab/iso-read "$LAB_ISO" label)" = UNKNOWN && echo quickly'
    with (
        blank.installer(media, "another", recognise=knows, run="echo installed by $0"),
        blank.machine(media, "known", discs=(on("unknown.iso"),)) as machine,
    ):
        machine.power(on=True)
        console = machine.until("installed")
        assert "installer: another boots from unknown.iso with: quickly" in console
        assert "installed by /lab/installers/another/run" in console
        machine.power(on=False)
        with (
            blank.installer(media, "second", recognise=knows, run="echo never"),
            blank.machine(media, "disputed", discs=(on("unknown.iso"),)) as disputed,
        ):
            disputed.power(on=True)
            console = disputed.until(FAILED)
            assert "FAILED: 2 installers of the lab take unknown.iso for their own: another second" in console
            assert "never" not in console


def test_packer_hands_over_two_discs_and_guestinfo(media: Lab, operator: Operator) -> None:
    """The real vsphere-iso: the guest sees everything that Packer is given, and remove_cdrom leaves no drive."""
    session = Session.here()
    session = Session(session.workspace, dict(operator.environment), session.redact, session.progress, session.runner)
    effective = config.load(None, None, workspace=session.workspace, environment=session.environment)
    site, datastore = effective.site, media.vcenter()["datastore"]
    template = {
        "variable": {"vcenter_password": {"sensitive": True}},
        "source": {
            "vsphere-iso": {
                "two": {
                    "vcenter_server": site.server,
                    "username": media.vcenter()["user"],
                    "password": "${var.vcenter_password}",
                    "datacenter": site.placement.datacenter,
                    "cluster": site.placement.cluster,
                    "folder": site.placement.folder,
                    "datastore": datastore,
                    "vm_name": "packers",
                    "guest_os_type": "debian12_64Guest",
                    "storage": [{"disk_size": 1024}],
                    "iso_paths": [f"[{datastore}] {on(name)}" for name in ("boot.iso", "seed.iso")],
                    "configuration_parameters": {"guestinfo.userdata": ANSWERS},
                    "remove_cdrom": True,
                    "communicator": "none",
                }
            }
        },
        "build": {"sources": ["source.vsphere-iso.two"]},
    }
    with (
        tempfile.TemporaryDirectory(dir=session.workspace.builds, prefix="carriers-") as temporary,
        ThreadPoolExecutor() as elsewhere,
    ):
        file = Path(temporary) / "two.pkr.json"
        file.write_text(json.dumps(template))
        inside = file.relative_to(session.workspace.root).as_posix()
        secrets = {packer.PASSWORD_VARIABLE: media.password()}
        command = session.toolbox(site).command(
            ("packer", "build", "-color=false", inside), env=packer.ENVIRONMENT, secrets=secrets
        )
        run = elsewhere.submit(session.runner.run, command, check=False)
        with blank.found(media, "packers") as machine:
            console = machine.until(FAILED)
            machine.power(on=False)
            done = run.result()
            assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
            assert "in the drives: boot.iso (GOLDSMITH), seed.iso (CIDATA); with guestinfo.userdata" in console
            assert machine.drives() == []
