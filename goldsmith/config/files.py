"""TOML files as tables whose every value knows its line."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from goldsmith.host import reading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from goldsmith.config.problems import Problems


@dataclass(frozen=True)
class Table:
    """What one source (a file, the environment, the suite itself) says, and where each value stands."""

    source: str
    """How errors name the source: a path relative to the repository, or ``environment``."""
    values: dict[str, Any]
    places: Mapping[str, str]
    """Dotted key to the exact place: ``config/sites/x.toml:12``, or a variable's name."""
    folder: Path
    """What relative paths in it are relative to."""

    def place(self, key: str) -> str:
        """Return where *key*, or the nearest table or list around it, stands."""
        while key not in self.places:
            around = _INNERMOST.sub("", key)
            if around in ("", key):  # a quoted key may have brackets that are no place in a list
                return self.source
            key = around
        return self.places[key]


def read(path: Path, *, root: Path, problems: Problems) -> Table | None:
    """Parse a TOML file; note why it cannot be, and return nothing then."""
    source = str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
    try:
        text = reading.decoded(reading.content(path))
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        problems.add(f"{source}:{line[1]}" if line else source, f"is not TOML: {error}")
    except ValueError as error:
        problems.add(source, str(error))
    except RecursionError:
        problems.add(source, "is nested too deeply to be read")
    else:
        places = {key: f"{source}:{line}" for key, line in lines(text)}
        return Table(source=source, values=values, places=places, folder=path.parent)
    return None


_HEADER = re.compile(r"\s*(\[{1,2})\s*([A-Za-z0-9_.\"' -]+?)\s*\]{1,2}\s*(?:#.*)?")
_PART = r"(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')"
_ASSIGNMENT = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")
_INNERMOST = re.compile(r"(?:^|\.)[^.\[\]]*$|\[\d+\]$")
"""The last part of a dotted key: a name, or a place in a list."""


def lines(text: str) -> Iterator[tuple[str, int]]:
    """Yield each dotted key of a TOML text with its line; tomllib does not say it, and errors should.

    Lists of tables have their number: ``docker.images[1].ref``. Lines within a multi-line value may look like
    keys: the first place of a key counts.
    """
    table, seen = "", set()
    lists: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        keys: tuple[str, ...] = ()
        if header := _HEADER.fullmatch(line):
            name = _numbered(_bare(header[2]), lists)
            if header[1] == "[[":
                lists[name] = lists.get(name, -1) + 1
                keys = (name, f"{name}[{lists[name]}]")
            else:
                keys = (name,)
            table = keys[-1]
        elif assignment := _ASSIGNMENT.match(line):
            keys = (f"{table}.{_bare(assignment[1])}".lstrip("."),)
        for key in keys:
            if key not in seen:
                seen.add(key)
                yield key, number


def _numbered(name: str, lists: Mapping[str, int]) -> str:
    """Return a header's key with the numbers of the lists that it lies in: a table below one belongs to the last."""
    made = ""
    for part in name.split("."):
        above = f"{made}[{lists[made]}]" if made in lists else made
        made = f"{above}.{part}".lstrip(".")
    return made


def _bare(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))
