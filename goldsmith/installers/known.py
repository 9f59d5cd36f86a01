"""What a release knows: lists of names from its own packages, and refusals of what is not among them.

A list is a file beside an installer's templates: one name a line, a remark after a tab; its head says where it is
from. What a release does not know is ignored in silence, or asked for on a console that nobody sees.
"""

from __future__ import annotations

import difflib
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from goldsmith.model import Image

_OFFERED = 6
"""How many names that are close to a wrong one are offered."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """One release that an installer installs."""

    suite: str
    python: tuple[int, int]
    """Of its own Python 3, in which Ansible's modules run."""


@dataclass(frozen=True)
class Names:
    """A list of names, each with its remark."""

    file: str
    """The list's path in the repository, for errors."""
    remarks: Mapping[str, str]

    def close(self, name: str) -> tuple[str, ...]:
        """Return the names that may be meant, the closest first."""
        folded = {known.casefold(): known for known in self.remarks}
        return tuple(folded[one] for one in difflib.get_close_matches(name.casefold(), folded, n=_OFFERED))


@functools.cache
def read(file: Path) -> Names:
    """Return the list in *file*."""
    lines = (line for line in file.read_text(encoding="ascii").splitlines() if line and not line.startswith("#"))
    remarks = {name: remark for name, _, remark in (line.partition("\t") for line in lines)}
    return Names(f"kickstart/{file.parent.name}/{file.name}", remarks)


def release(image: Image, *, family: str, known: Mapping[str, Release]) -> Iterator[ConfigurationError]:
    """Yield an error when family, release and suite are not those of a release that the installer installs."""
    asked, there = image.os, known.get(image.os.release)
    if asked.family != family or there is None or asked.suite != there.suite:
        listed = [f'family = "{family}", release = "{name}", suite = "{one.suite}"' for name, one in known.items()]
        yield ConfigurationError(
            f'the installer {asked.installer} does not install "{asked.family}" "{asked.release}" "{asked.suite}"',
            where=_place(image, "os"),
            why="family, release and suite must be those of one release that it is here for",
            next=f"set {', or '.join(listed)}",
        )


def time_zone(image: Image, zones: Names) -> Iterator[ConfigurationError]:
    """Yield an error for a time zone that the release does not have; the remark of an old name is today's."""
    name = image.localisation.timezone
    if today := zones.remarks.get(name):
        why = f"it is an old name, which the release's package tzdata does not have: it is called {today} today"
        yield _refused(image, "localisation.timezone", name, why, f'set timezone = "{today}"')
    elif today is None:
        yield _unknown(image, "localisation.timezone", name, zones, close=zones.close(name))


def locales(image: Image, known: Names) -> Iterator[ConfigurationError]:
    """Yield an error for each locale that the release does not have; one with a remark cannot be the installer's."""
    main, more = image.localisation.locale, image.localisation.extra_locales
    for key, value in (("localisation.locale", main), *(("localisation.extra_locales", one) for one in more)):
        name = value.removesuffix(".UTF-8")
        remark = known.remarks.get(name)
        if remark is None:
            language, _, country = name.partition("_")
            related = [one for one in known.remarks if set(one.split("_")) & {language, country}]
            close = difflib.get_close_matches(name, related, n=_OFFERED, cutoff=0)
            yield _unknown(image, key, value, known, close=close)
        elif remark and value == main:
            why = "its installer does not know this language, or not in this country, and would ask for another one"
            yield _refused(image, key, value, why, f'set locale = "en_US", and extra_locales = ["{name}"]')


def keyboard(image: Image, keymaps: Names) -> Iterator[ConfigurationError]:
    """Yield an error for a keyboard that the installer does not know."""
    name = image.localisation.keyboard
    if name not in keymaps.remarks:
        layout = name.partition("(")[0]
        variants = [one for one in keymaps.remarks if one.partition("(")[0] == layout]
        nearest = difflib.get_close_matches(name, variants, n=_OFFERED, cutoff=0)
        close = tuple(dict.fromkeys((*nearest, *keymaps.close(name))))[:_OFFERED]
        yield _unknown(image, "localisation.keyboard", name, keymaps, close=close)


def account(image: Image, reserved: Names) -> Iterator[ConfigurationError]:
    """Yield an error for an account that the installer would not make."""
    name = image.account.name
    why = ""
    if name in reserved.remarks:
        why = f"the name is reserved for the system ({reserved.file})"
    elif not name[0].isalpha():
        why = "the installer takes only names that begin with a letter, and would ask for another one"
    if why:
        yield _refused(
            image, "account.name", name, why, "choose another name: a small letter, then letters, digits, - and _"
        )


def _unknown(image: Image, key: str, value: str, known: Names, *, close: Sequence[str]) -> ConfigurationError:
    offered = f"choose one of {', '.join(close)}; " if close else ""
    return _refused(image, key, value, "the release does not have it", f"{offered}{known.file} lists all")


def _refused(image: Image, key: str, value: str, why: str, next_step: str) -> ConfigurationError:
    system = f"{image.os.family.capitalize()} {image.os.release}"
    return ConfigurationError(
        f'{system} cannot be installed with {key} = "{value}"', where=_place(image, key), why=why, next=next_step
    )


def _place(image: Image, key: str) -> str:
    return f"config/images/{image.name}.toml: {key}"
