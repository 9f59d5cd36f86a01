"""Renders what Debian's installer finds in its initrd: the preseed file, and the files and scripts that go with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from goldsmith.installers import answers, known
from goldsmith.installers.door import SHELF
from goldsmith.installers.preseed import grammar, questions
from goldsmith.installers.templating import render as render_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from goldsmith.installers.answers import Answers, Given
    from goldsmith.model import Image, Site

TEMPLATES = SHELF / "preseed"
ALWAYS = (
    "openssh-server",
    "sudo",
    "cloud-init",
    "cloud-guest-utils",
    "open-vm-tools",
    "chrony",
    "ca-certificates",
    "locales",
    "console-setup",
    "keyboard-configuration",
    "dbus",  # hostnamectl and systemctl --user need it; without recommended packages nothing brings it
    "e2fsprogs",
)
"""What a machine needs to be logged in to, cloned and customised; every image has it."""
ANSWER_FILE = "preseed.cfg"
"""Debian's installer reads this file of its initrd before it asks anything."""
_BESIDE = ("late.sh", "inside.sh")


def render(image: Image, site: Site, given: Given, *, templates: Path = TEMPLATES) -> Answers:
    """Return the files of the initrd. Raises ``CheckError`` when the installer would not go through unattended."""
    values = _values(image, site, given)
    files = dict(_rendered(templates, values))
    files["goldsmith/authorized_keys"] = answers.authorized_keys(site, given)
    files["goldsmith/environment"] = "".join(f"{line}\n" for line in values["environment"])
    for name, text in given.certificates.items():
        files[f"goldsmith/root/usr/local/share/ca-certificates/goldsmith/{name}"] = text
    grammar.check(files[ANSWER_FILE], known=_questions(image, templates), name=ANSWER_FILE)
    return answers.collected(files)


def keymaps(image: Image) -> known.Names:
    """Return the keyboards that the release's installer has."""
    choices = _questions(image, TEMPLATES)["keyboard-configuration/xkb-keymap"].choices
    return known.Names(f"kickstart/preseed/questions-{image.os.release}.txt", dict.fromkeys(choices, ""))


def _questions(image: Image, templates: Path) -> Mapping[str, questions.Question]:
    return questions.read((templates / f"questions-{image.os.release}.txt").read_text(encoding="ascii"))


def packages(image: Image) -> tuple[str, ...]:
    """Return every package the installer is asked for, each once."""
    return tuple(dict.fromkeys((*ALWAYS, *image.packages)))


def _values(image: Image, site: Site, given: Given) -> dict[str, Any]:
    guests = site.guests
    host, _, directory = guests.mirror.removeprefix("http://").partition("/")
    return answers.context(image, site, given) | {
        "mirror": {"host": host, "directory": f"/{directory.rstrip('/')}"},
        "security_host": guests.security_mirror.removeprefix("http://").rstrip("/").removesuffix("/debian-security"),
        "packages": packages(image),
    }


def _rendered(templates: Path, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    names = {f"{ANSWER_FILE}.j2": ANSWER_FILE} | {f"{name}.j2": f"goldsmith/{name}" for name in _BESIDE}
    for path in sorted((templates / "root").rglob("*.j2")):
        name = path.relative_to(templates).as_posix()
        names[name] = f"goldsmith/{name.removesuffix('.j2')}"
    for template, name in names.items():
        yield name, render_template(templates, template, values)
