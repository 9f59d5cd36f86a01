"""The door to the installers: what each of them must be able to say, and how to get one.

One installer is one folder here (``installers/<name>/`` with ``INSTALLER``), its templates in ``kickstart/<name>/``,
its tests in ``tests/unit/installers/<name>/``, and what the lab needs in ``lab/guest/share/installers/<name>/``.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from goldsmith.errors import MAX_LINES, ConfigurationError
from goldsmith.model import INSTALLERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from goldsmith.guests.guest import Guest
    from goldsmith.installers.answers import Answers, Given
    from goldsmith.media.attachments import Boot, Carrier
    from goldsmith.media.workbench import Workbench
    from goldsmith.model import Image, Placement, Site
    from goldsmith.toolbox.lock import Lock

NAMES = INSTALLERS
"""What ``os.installer`` may say."""
SHELF = Path(__file__).resolve().parents[2] / "kickstart"
"""The templates of all installers, a folder each."""


class Installer(Protocol):
    """An unattended installer. All of it is pure, except :meth:`prove`."""

    def problems(self, image: Image, site: Site) -> Iterator[ConfigurationError]:
        """Yield an error for each combination that no machine could be installed with."""
        ...

    def boot(self, image: Image, placement: Placement) -> Boot:
        """Return where the boot medium comes from. Raises ``ConfigurationError`` when nobody names one."""
        ...

    def carrier(self, image: Image) -> Carrier:
        """Return what carries the answers."""
        ...

    def answers(self, image: Image, site: Site, given: Given) -> Answers:
        """Return the answers, the same for the same inputs.

        Raises ``CheckError`` when the installer would not go through unattended, and ``ConfigurationError``
        for a value that the release cannot use.
        """
        ...

    def pins(self, image: Image, lock: Lock) -> Mapping[str, str]:
        """Return the locked files that the boot medium is made of, name to sha256: a part of the base's key.

        The installer itself comes first.
        """
        ...

    def prove(self, image: Image, site: Site, answers: Answers, work: Workbench) -> None:
        """Let the real parser, where there is one, read the answers before a medium is made.

        Raises ``CheckError`` with everything that it does not understand.
        """
        ...

    def guest(self, image: Image) -> Guest:
        """Return what it leaves: the system as later stages see it."""
        ...


def of(image: Image) -> Installer:
    """Return the installer of *image*."""
    return cast("Installer", import_module(f"goldsmith.installers.{image.os.installer}").INSTALLER)


def check(image: Image, site: Site) -> None:
    """Raise ``ConfigurationError`` for combinations that no machine could be installed with, all of them at once."""
    problems = list(of(image).problems(image, site))
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise ConfigurationError(
            f"the image {image.name} cannot be installed ({len(problems)} problems)",
            where=f"config/images/{image.name}.toml",
            why="\n".join(f"- {problem.what}: {problem.why}" for problem in problems[:MAX_LINES]),
            next="\n".join(dict.fromkeys(problem.next for problem in problems)),
        )
