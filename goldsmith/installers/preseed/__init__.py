"""Debian's installer, answered by a preseed file in the initrd of a medium that is composed for each build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.errors import ConfigurationError
from goldsmith.guests.guest import Family, Guest, WayIn
from goldsmith.installers import known
from goldsmith.installers.door import SHELF
from goldsmith.installers.preseed import rendering
from goldsmith.media.attachments import Composed, Initrd

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from goldsmith.installers.answers import Answers, Given
    from goldsmith.media.attachments import Boot, Carrier
    from goldsmith.media.workbench import Workbench
    from goldsmith.model import Image, Placement, Site
    from goldsmith.toolbox.lock import Lock

RELEASES = {"13": known.Release(suite="trixie", python=(3, 13))}
"""What its pinned medium installs, and its lists of names are of."""


class Preseed:
    """Implements :class:`goldsmith.installers.door.Installer`."""

    def problems(self, image: Image, _site: Site) -> Iterator[ConfigurationError]:
        """Yield an error for each combination, and each value, that no machine could be installed with."""
        if image.delivery not in (None, "initrd"):
            yield ConfigurationError(
                f"the installer of {image.os.family} {image.os.release} cannot take its answers from {image.delivery}",
                where=f"config/images/{image.name}.toml: delivery",
                why="it reads them from its initrd; its kernel has no floppy driver since Debian 12",
                next="leave delivery out: the answers then go into the boot medium's initrd",
            )
        yield from known.release(image, family="debian", known=RELEASES)
        if image.os.release in RELEASES:
            zones, locales, users = (_names(image, name) for name in ("zones", "locales", "users"))
            yield from known.time_zone(image, zones)
            yield from known.locales(image, locales)
            yield from known.keyboard(image, rendering.keymaps(image))
            yield from known.account(image, users)

    def boot(self, image: Image, _placement: Placement) -> Boot:
        """Return where the boot medium comes from: it is composed, whatever lies on the site."""
        return Composed(release=image.os.release, suite=image.os.suite)

    def carrier(self, _image: Image) -> Carrier:
        """Return what carries the answers."""
        return Initrd()

    def answers(self, image: Image, site: Site, given: Given) -> Answers:
        """Return the answers, checked against the questions of the release."""
        return rendering.render(image, site, given)

    def pins(self, _image: Image, lock: Lock) -> Mapping[str, str]:
        """Return the packages that the boot medium is composed of."""
        rows = sorted(lock.sections.media.debs, key=lambda row: not row.name.startswith("debian-installer"))
        return {row.name: row.sha256 for row in rows}

    def prove(self, image: Image, site: Site, answers: Answers, work: Workbench) -> None:
        """Leave it at what rendering has checked: every question against the installer's own templates."""

    def guest(self, image: Image) -> Guest:
        """Return what it leaves."""
        return Guest(
            family=Family.APT,
            always=rendering.ALWAYS,
            way_in=WayIn.CLOUD_INIT,
            finish_script=SHELF / "preseed" / "clone-ready.sh",
            python=RELEASES.get(image.os.release, RELEASES["13"]).python,
        )


def _names(image: Image, name: str) -> known.Names:
    return known.read(SHELF / "preseed" / f"{name}-{image.os.release}.txt")


INSTALLER = Preseed()
