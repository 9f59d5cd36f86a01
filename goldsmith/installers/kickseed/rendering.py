"""Renders the files of kickseed's floppy: ``ks.cfg``, and what its script takes from ``files/``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.errors import ConfigurationError
from goldsmith.installers import answers
from goldsmith.installers.door import SHELF
from goldsmith.installers.kickseed import parser
from goldsmith.installers.templating import render as render_template
from goldsmith.media import floppy

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.installers.answers import Answers, Given
    from goldsmith.model import Image, Site

TEMPLATES = SHELF / "kickseed"


def render(image: Image, site: Site, given: Given, *, templates: Path = TEMPLATES) -> Answers:
    """Return the files of the floppy.

    Raises ``ConfigurationError`` when they do not fit onto it, or for a password hash that the release cannot read.
    """
    values = answers.context(image, site, given)
    _check_hash(image, values["password_hash"])
    mirror = site.guests.ubuntu_mirror or image.os.mirror or site.guests.mirror
    values |= {"mirror": mirror.rstrip("/") + "/", "packages": list(image.packages)}
    files = {}
    for path in sorted(templates.rglob("*.j2")):
        name = path.relative_to(templates).as_posix()
        files[name.removesuffix(".j2")] = render_template(templates, name, values, ks=parser.quote)
    if not site.guests.ntp_servers:
        del files["files/ntp.conf"]
    files["files/authorized_keys"] = answers.authorized_keys(site, given)
    files["files/environment"] = "".join(f"{line}\n" for line in values["environment"])
    files |= {f"files/ca/{name}": text for name, text in given.certificates.items()}
    floppy.check_space({name: len(text.encode()) for name, text in files.items()})
    return answers.collected(files)


def _check_hash(image: Image, password_hash: str) -> None:
    if password_hash.startswith("$y$"):
        raise ConfigurationError(
            f"{image.os.family} {image.os.release} cannot read a yescrypt hash",
            where="AUTOMATION_USER_CRYPTED_PASSWORD",
            why="its C library is older than the method: the account's password would never fit",
            next="make a SHA-512 hash: openssl passwd -6",
        )
