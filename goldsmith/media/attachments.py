"""What a machine is installed from: where its boot medium comes from, what carries the answers, and what is attached.

An installer says which :data:`Boot` and which :data:`Carrier` an image needs; ``media.make`` turns the two
into attachments, which a build remembers, uploads, hands to Packer and, where they hold secrets, deletes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldsmith.model import Iso

# -- where the boot medium comes from ----------------------------------------------------------


@dataclass(frozen=True)
class Composed:
    """Composed from the pinned netboot installer of a Debian release."""

    release: str
    suite: str
    """The archive's name of the release: its mirror must have the modules of the installer's kernel."""

    def identity(self, pins: Mapping[str, str]) -> object:
        """Return what is known of the medium before it is made, as JSON, to be hashed; *pins* is name to sha256."""
        return sorted([name, sha256] for name, sha256 in pins.items())


@dataclass(frozen=True)
class Replayed:
    """The vendor's ISO with more words on the kernel's command line; many builds use the same."""

    iso: Iso
    words: tuple[str, ...]

    def identity(self, _pins: Mapping[str, str]) -> object:
        """Return what is known of the medium before it is made, as JSON, to be hashed."""
        # Not the words: they follow from the image, whose other parts are in the key.
        return ["replayed", self.iso.sha256]


@dataclass(frozen=True)
class Vendor:
    """The vendor's ISO as it is; many builds use the same."""

    iso: Iso

    def identity(self, _pins: Mapping[str, str]) -> object:
        """Return what is known of the medium before it is made, as JSON, to be hashed."""
        return ["vendor", self.iso.sha256]


@dataclass(frozen=True)
class HandMade:
    """An ISO that somebody made by hand and put on the site's media datastore."""

    path: str
    """Relative to the datastore."""
    sha256: str = ""
    """Of the whole file, where it is known."""

    def identity(self, _pins: Mapping[str, str]) -> object:
        """Return what is known of the medium before it is looked at, as JSON, to be hashed."""
        # Its name is all that a site says of it, unless somebody knows its content.
        return ["given", self.sha256 or self.path]


Boot = Composed | Replayed | Vendor | HandMade

# -- what carries the answers ------------------------------------------------------------------


@dataclass(frozen=True)
class Initrd:
    """The answers are added to the initrd of a composed medium, which is therefore made for one build."""


@dataclass(frozen=True)
class Floppy:
    """A virtual floppy disk: only BIOS machines show its drive to an installer."""

    label: str


@dataclass(frozen=True)
class Disc:
    """A second CD-ROM, which the installer recognises by its volume label."""

    label: str


@dataclass(frozen=True)
class GuestInfo:
    """Settings of the virtual machine (``guestinfo.*``) that a guest can read; emptied before it becomes a template."""

    settings: Mapping[str, str]
    """Name without ``guestinfo.`` to the answers' file that it holds, base64-encoded."""


Carrier = Initrd | Floppy | Disc | GuestInfo

# -- what is attached to the machine -----------------------------------------------------------


class Slot(StrEnum):
    """Where a machine has an attachment."""

    CDROM = "cdrom"
    FLOPPY = "floppy"
    SETTING = "setting"


@dataclass(frozen=True, kw_only=True)
class Attachment:
    """One thing that a machine is installed with. A build's state keeps it, so that it never holds a secret itself."""

    slot: Slot
    file: str = ""
    """Its content, relative to the build's folder; empty for a medium that lies on the site already."""
    setting: str = ""
    """For a setting: its name, without ``guestinfo.``."""
    stored: str = ""
    """Where it lies on the site, as vSphere writes it (``[datastore] folder/name``), or will once it is uploaded."""
    sha256: str = ""
    """Of the content, where it is known and many builds use it."""
    secret: bool = False
    """Whether it holds answers: it is then made for one build, and deleted at its end."""
