"""Where a medium comes from and what carries the answers become attachments, each with what the site must know."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import CheckError, ConfigurationError
from goldsmith.host.runner import Command, Completed
from goldsmith.media import make, vendor
from goldsmith.media.attachments import (
    Attachment,
    Boot,
    Carrier,
    Disc,
    Floppy,
    GuestInfo,
    HandMade,
    Slot,
    Vendor,
)
from goldsmith.media.store import Store
from goldsmith.media.workbench import Workbench
from goldsmith.model import Iso
from goldsmith.tools import govc, netboot
from tests.unit.fakes import FakeDoor, FakeProgress, FakeRunner
from tests.unit.installers.images import SITE, image
from tests.unit.sessions import session

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "the answers"
HEAD = 16 * 2048
LISTED = '[{"folderPath": "[x]", "file": [{"path": "x", "fileSize": 40960}]}]'


def iso(path: Path, *, sectors: int = 20) -> Path:
    """Write the smallest file that says of itself that it is an ISO (ECMA-119, 8.4), of so many sectors."""
    path.parent.mkdir(parents=True, exist_ok=True)
    volume = bytearray(b"\x01CD001\x01\x00" + b" " * 32 + b"VENDOR".ljust(32) + bytes(1976))
    volume[80:84], volume[128:130] = sectors.to_bytes(4, "little"), (2048).to_bytes(2, "little")
    path.write_bytes((bytes(HEAD) + bytes(volume)).ljust(sectors * 2048, b"\0"))
    return path


def bench(folder: Path, runner: FakeRunner) -> Workbench:
    """Return a build's workbench whose answers are rendered, and whose tools leave what they would leave."""
    here = session(folder)
    build = here.workspace.root / "build/b"
    (build / make.ANSWERS).mkdir(parents=True)
    (build / make.ANSWERS / "user-data").write_text(SECRET)
    door = FakeDoor()
    access = govc.Access(server="vc", user="u", password="hunter2", datacenter="DC0", datastore="lab-ds")

    def store() -> Store:
        root = here.workspace.root
        return Store(
            access=access, folder=SITE.placement.iso_folder, root=root, runner=runner, door=door, progress=here.progress
        )

    return Workbench(
        image=image("ubuntu-16.04"),
        site=SITE,
        folder=build,
        workspace=here.workspace,
        lock=here.lock,
        fetch=lambda _: None,
        runner=runner,
        progress=here.progress,
        door=door,
        seeing=lambda _folder, _target: door,
        store=store,
    )


def tool(folder: Path, at: int) -> FakeRunner:
    """Return a runner whose tools write the file that their argv names at a place."""

    def run(command: Command) -> Completed:
        (folder / "root" / command.argv[at]).write_text("made")
        return Completed(returncode=0, stdout="")

    return FakeRunner({"sh -c": run})


def vendors(folder: Path) -> tuple[Boot, str]:
    """Return a vendor's ISO on this machine, used as it is."""
    file = iso(folder / "vendor.iso")
    sha256 = netboot.sha256(file)
    return Vendor(Iso(path=file, sha256=sha256)), sha256


@pytest.mark.parametrize(
    ("carrier", "at", "expected"),
    [
        (Floppy("KICKSEED"), 5, Attachment(slot=Slot.FLOPPY, file="media/answers.flp", secret=True)),
        (Disc("CIDATA"), 5, Attachment(slot=Slot.CDROM, file="media/answers.iso", secret=True)),
        (
            GuestInfo({"userdata": "user-data"}),
            0,
            Attachment(slot=Slot.SETTING, setting="userdata", file="answers/user-data", secret=True),
        ),
    ],
    ids=["floppy", "disc", "guestinfo"],
)
def test_a_shared_boot_medium_and_the_answers_of_one_build(
    tmp_path: Path, carrier: Carrier, at: int, expected: Attachment
) -> None:
    """The vendor's ISO is no secret and is known by its content; whatever carries the answers is deleted at the end."""
    boot, sha256 = vendors(tmp_path)
    made = make.make(boot, carrier, bench(tmp_path, tool(tmp_path, at)))
    assert made == (Attachment(slot=Slot.CDROM, file="media/boot.iso", sha256=sha256), expected)


def test_media_are_private(tmp_path: Path) -> None:
    """The disc with the answers is readable for its owner alone, and its label is the one the installer looks for."""
    boot, _ = vendors(tmp_path)
    runner = tool(tmp_path, 5)
    work = bench(tmp_path, runner)
    make.make(boot, Disc("CIDATA"), work)
    assert (work.folder / make.ANSWER_DISC).stat().st_mode & 0o777 == 0o600
    assert (work.folder / make.MEDIA).stat().st_mode & 0o777 == 0o700
    assert "CIDATA" in runner.asked[0].argv


def test_an_attachment_holds_no_secret(tmp_path: Path) -> None:
    """It is kept in the build's state: it names the file with the answers, and never says what is in it."""
    boot, _ = vendors(tmp_path)
    made = make.make(boot, GuestInfo({"userdata": "user-data"}), bench(tmp_path, FakeRunner()))
    assert SECRET not in repr(made)


def test_a_medium_made_by_hand_is_looked_at_first(tmp_path: Path) -> None:
    """One that is not there ends the stage before anything is made."""
    runner = FakeRunner({"govc datastore.ls": Completed(returncode=1, stdout="", stderr="govc: File x was not found")})
    work = bench(tmp_path, runner)
    with pytest.raises(Exception, match=r"not on the datastore|not found"):
        make.make(HandMade("iso/x.iso"), Floppy("KICKSEED"), work)
    assert list(work.folder.glob("media/*")) == []


def test_an_iso_of_another_hash(tmp_path: Path) -> None:
    """What is not the pinned ISO is neither copied nor used."""
    file = iso(tmp_path / "vendor.iso")
    work = bench(tmp_path, FakeRunner())
    with pytest.raises(CheckError, match="does not match its pinned sha256"):
        make.make(Vendor(Iso(path=file, sha256="0" * 64)), Disc("CIDATA"), work)
    assert list(work.folder.glob("media/*")) == []


def test_an_iso_by_a_link(tmp_path: Path) -> None:
    """The toolbox is shown the folder that the file lies in, not that of a link to it."""
    target, link = iso(tmp_path / "images/vendor.iso"), tmp_path / "links/mini.iso"
    link.parent.mkdir()
    link.symlink_to("../images/vendor.iso")
    named = Iso(path=link, sha256=netboot.sha256(target))
    assert vendor.file(named, bench(tmp_path / "here", FakeRunner())) == target.resolve()


def test_no_answers_no_medium(tmp_path: Path) -> None:
    """An installer without answers would wait for a person who is not there."""
    boot, _ = vendors(tmp_path)
    work = bench(tmp_path, FakeRunner())
    (work.folder / make.ANSWERS / "user-data").unlink()
    with pytest.raises(ConfigurationError, match="no answers") as caught:
        make.make(boot, Disc("CIDATA"), work)
    assert "./inv render" in caught.value.next
    assert isinstance(work.progress, FakeProgress)
