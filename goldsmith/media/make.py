"""Makes what a machine is installed with: the one place that matches on where a medium comes from and what carries it.

Adding a kind of boot medium or of carrier makes mypy point here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from goldsmith.errors import ConfigurationError
from goldsmith.media import composed, disc, floppy, handmade, replayed, udebs, vendor
from goldsmith.media.attachments import (
    Attachment,
    Composed,
    Disc,
    Floppy,
    GuestInfo,
    HandMade,
    Initrd,
    Replayed,
    Slot,
    Vendor,
)
from goldsmith.tools import netboot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from goldsmith.media.attachments import Boot, Carrier
    from goldsmith.media.workbench import Workbench

ANSWERS = "answers"
"""Folder of the rendered answers, below the build's."""
MEDIA = "media"
"""Folder of what is made, beside them."""
BOOT_MEDIUM = f"{MEDIA}/boot.iso"
ANSWER_DISC = f"{MEDIA}/answers.iso"
ANSWER_FLOPPY = f"{MEDIA}/answers.flp"


def make(boot: Boot, carrier: Carrier, work: Workbench) -> tuple[Attachment, ...]:
    """Return what the machine is installed with, made in the build's folder; the boot medium comes first.

    The answers are those that lie in the build's folder. Raises ``ConfigurationError`` when there are none, or
    a carrier cannot hold them, ``CheckError`` or ``MissingObjectError`` when a medium is not the one that is
    meant, and ``ToolError`` when it cannot be written.
    """
    answers = _answers(work.folder / ANSWERS)
    # Its owner's alone before anything is in it: a tool in the toolbox makes files that all can read.
    (work.folder / MEDIA).mkdir(mode=0o700, exist_ok=True)
    (work.folder / MEDIA).chmod(0o700)
    return (_boot_medium(boot, answers if isinstance(carrier, Initrd) else {}, work), *_carried(carrier, answers, work))


def _answers(folder: Path) -> Mapping[str, Path]:
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    if not found:
        raise ConfigurationError(
            "there are no answers for the installer",
            where=str(folder),
            why="the folder is empty or missing: an installer without answers would wait for a person",
            next="run './inv render' first, or './inv packer-base', which runs every stage",
        )
    return found


def _boot_medium(boot: Boot, answers: Mapping[str, Path], work: Workbench) -> Attachment:
    output = work.folder / BOOT_MEDIUM
    match boot:
        case Composed(release=release, suite=suite):
            _compose(release, suite, answers, work)
            secret = bool(answers)
            sha256 = "" if secret else netboot.sha256(output)
            return Attachment(slot=Slot.CDROM, file=BOOT_MEDIUM, sha256=sha256, secret=secret)
        case HandMade(path=path, sha256=sha256):
            found = handmade.examine(_place(path, sha256, work))
            work.progress.note(f"{found.path} is the ISO {found.volume}: {found.size / 1e6:.0f} MB")
            return Attachment(slot=Slot.CDROM, stored=found.path, sha256=sha256)
        case Replayed(iso=iso, words=words):
            source = vendor.file(iso, work)
            door = work.seeing(source.parent, vendor.SEEN_AS)
            sha256 = replayed.make(_replay(source, words, work), runner=work.runner, door=door)
        case Vendor(iso=iso):
            sha256 = vendor.copy(vendor.file(iso, work), output)
        case never:
            assert_never(never)
    work.progress.note(f"boot medium: sha256 {sha256[:16]}…")
    return Attachment(slot=Slot.CDROM, file=BOOT_MEDIUM, sha256=sha256)


def _carried(carrier: Carrier, answers: Mapping[str, Path], work: Workbench) -> Iterator[Attachment]:
    match carrier:
        case Initrd():
            pass  # they are on the boot medium
        case Floppy(label=label):
            used = floppy.compose(floppy.Contents(answers, label=label), work.folder / ANSWER_FLOPPY, work)
            work.progress.note(f"{ANSWER_FLOPPY.rpartition('/')[2]}: {used / 1024:.0f} of 1440 KB")
            yield Attachment(slot=Slot.FLOPPY, file=ANSWER_FLOPPY, secret=True)
        case Disc(label=label):
            disc.compose(work.folder / ANSWERS, work.folder / ANSWER_DISC, label=label, work=work)
            yield Attachment(slot=Slot.CDROM, file=ANSWER_DISC, secret=True)
        case GuestInfo(settings=settings):
            for setting, file in settings.items():
                yield Attachment(slot=Slot.SETTING, setting=setting, file=f"{ANSWERS}/{file}", secret=True)
        case never:
            assert_never(never)


def _compose(release: str, suite: str, answers: Mapping[str, Path], work: Workbench) -> None:
    source = composed.vendor(work.lock, release=release, workspace=work.workspace, fetch=work.fetch)
    guests = work.site.guests
    kernel = composed.kernel(source)
    asked = udebs.kernels(work.door, mirror=guests.mirror, suite=suite, proxy=guests.http_proxy)
    udebs.check(work.runner.run(asked, check=False), release=kernel, url=udebs.index_url(guests.mirror, suite))
    what = composed.Contents(
        vendor=source,
        answers=composed.files(answers),
        root=work.root,
        output=work.folder / BOOT_MEDIUM,
        epoch=work.lock.source_date_epoch,
        log=work.log,
    )
    medium = composed.compose(what, runner=work.runner, door=work.door)
    work.progress.note(f"{medium.path.name}: {medium.size / 1e6:.0f} MB, sha256 {medium.sha256[:16]}…")


def _replay(source: Path, words: tuple[str, ...], work: Workbench) -> replayed.Replay:
    return replayed.Replay(
        source=source,
        seen_as=f"{vendor.SEEN_AS}/{source.name}",
        words=words,
        root=work.root,
        output=work.folder / BOOT_MEDIUM,
        epoch=work.lock.source_date_epoch,
        log=work.log,
    )


def _place(path: str, sha256: str, work: Workbench) -> handmade.Place:
    store = work.store()
    return handmade.Place(access=store.access, path=path, runner=store.runner, door=store.door, sha256=sha256)
