"""Ubuntu's installer up to 18.04, answered by a Kickstart file on a virtual floppy: the origin's route, a legacy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.errors import ConfigurationError
from goldsmith.guests.guest import Family, Guest, WayIn
from goldsmith.installers import known
from goldsmith.installers.door import SHELF
from goldsmith.installers.kickseed import rendering
from goldsmith.media.attachments import Floppy, HandMade, Replayed
from goldsmith.model import Firmware

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from goldsmith.installers.answers import Answers, Given
    from goldsmith.media.attachments import Boot, Carrier
    from goldsmith.media.workbench import Workbench
    from goldsmith.model import Image, Placement, Site
    from goldsmith.toolbox.lock import Lock

RELEASES = {
    "14.04": known.Release(suite="trusty", python=(3, 4)),
    "16.04": known.Release(suite="xenial", python=(3, 5)),
    "18.04": known.Release(suite="bionic", python=(3, 6)),
}
_ZONES = {"14.04": "2014b", "16.04": "2016c", "18.04": "2018d"}
"""The time zones that a release began with, which are those that its installer finds."""


class Kickseed:
    """Implements :class:`goldsmith.installers.door.Installer`."""

    def problems(self, image: Image, _site: Site) -> Iterator[ConfigurationError]:
        """Yield an error for each combination, and each value, that no machine could be installed with."""
        where = f"config/images/{image.name}.toml"
        if image.delivery not in (None, "floppy"):
            yield ConfigurationError(
                f"the answers for kickseed cannot be delivered by {image.delivery}",
                where=f"{where}: delivery",
                why="its boot medium is the vendor's, used by many builds, and answers hold secrets of one",
                next="leave delivery out: the answers then go onto a virtual floppy",
            )
        if image.hardware.firmware is not Firmware.BIOS:
            yield ConfigurationError(
                "a machine with EFI firmware shows no floppy drive to its installer",
                where=f"{where}: hardware.firmware = {image.hardware.firmware}",
                why="the answers of this image are delivered on a floppy, which is a legacy of BIOS machines",
                next='set hardware.firmware = "bios", or use a release whose installer needs no floppy',
            )
        yield from known.release(image, family="ubuntu", known=RELEASES)
        if image.os.release in RELEASES:
            zones, locales, keymaps, users = map(_names, ("zones", "locales", "keymaps", "users"))
            since = {name: "" for name, came in zones.remarks.items() if came <= _ZONES[image.os.release]}
            yield from known.time_zone(image, known.Names(zones.file, since))
            yield from known.locales(image, locales)
            yield from known.keyboard(image, keymaps)
            yield from known.account(image, users)

    def boot(self, image: Image, placement: Placement) -> Boot:
        """Return where the boot medium comes from: the operator's own goes before the vendor's, replayed."""
        if placement.iso_path:
            return HandMade(placement.iso_path, placement.iso_sha256)
        if image.iso:
            # The language is asked before anything is read from a floppy, so the kernel's line answers it.
            words = ("ks=floppy", "priority=critical", f"locale={image.localisation.locale}")
            return Replayed(image.iso, words)
        raise ConfigurationError(
            f"the image {image.name} has no boot medium",
            where=f"config/images/{image.name}.toml",
            why=f"{image.os.installer} starts from the vendor's medium, and neither the site nor the image names one",
            next="name one on the site's datastore: ISO_PATH, or placement.iso_path in the site's file;\n"
            "or let the suite make it from the vendor's: [iso] with path or url, and sha256, in the image's file",
        )

    def carrier(self, _image: Image) -> Carrier:
        """Return what carries the answers."""
        return Floppy("KICKSEED")

    def answers(self, image: Image, site: Site, given: Given) -> Answers:
        """Return the answers; they fit onto a floppy."""
        return rendering.render(image, site, given)

    def pins(self, _image: Image, _lock: Lock) -> Mapping[str, str]:
        """Return nothing: no locked file is on the boot medium."""
        return {}

    def prove(self, _image: Image, _site: Site, answers: Answers, work: Workbench) -> None:
        """Let the real kickseed read the answers."""
        # With it come the composing of media and the store of downloads: a plan does without.
        from goldsmith.installers.kickseed import proving

        proving.prove(answers, work)

    def guest(self, image: Image) -> Guest:
        """Return what it leaves."""
        return Guest(
            family=Family.APT,
            always=(),
            way_in=WayIn.OPERATORS_KEY,
            finish_script=SHELF / "kickseed" / "clone-ready.sh",
            python=RELEASES.get(image.os.release, RELEASES["14.04"]).python,
        )


def _names(name: str) -> known.Names:
    return known.read(SHELF / "kickseed" / f"{name}.txt")


INSTALLER = Kickseed()
