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
        """Return where *key*, or the nearest table around it, stands."""
        while key:
            if key in self.places:
                return self.places[key]
            key = key.rpartition(".")[0]
        return self.source


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
    else:
        places = {key: f"{source}:{line}" for key, line in lines(text)}
        return Table(source=source, values=values, places=places, folder=path.parent)
    return None


_HEADER = re.compile(r"\s*\[{1,2}\s*([A-Za-z0-9_.\"' -]+?)\s*\]{1,2}\s*(?:#.*)?")
_PART = r"(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')"
_ASSIGNMENT = re.compile(rf"\s*({_PART}(?:\s*\.\s*{_PART})*)\s*=")


def lines(text: str) -> Iterator[tuple[str, int]]:
    """Yield each dotted key of a TOML text with its line; tomllib does not tell, and errors should.

    Lines within a multi-line value may look like keys: the first place of a key counts.
    """
    table, seen = "", set()
    for number, line in enumerate(text.splitlines(), start=1):
        key = ""
        if header := _HEADER.fullmatch(line):
            key = table = _bare(header[1])
        elif assignment := _ASSIGNMENT.match(line):
            key = f"{table}.{_bare(assignment[1])}".lstrip(".")
        if key and key not in seen:
            seen.add(key)
            yield key, number


def _bare(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))
