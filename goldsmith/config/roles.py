"""The variables of Ansible's roles: their names and types, from the file that Ansible itself validates by.

Each role declares what it takes in ``meta/argument_specs.yml``. Ansible looks at the types minutes later, in the
clone, and lets unknown names pass; here both are looked at before anything is started, and more strictly: where a
list is wanted, Ansible takes text and splits it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from goldsmith.config import role_values
from goldsmith.config.problems import meant, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from goldsmith.config.files import Table
    from goldsmith.config.problems import Problems

KEY = "docker.variables"
SPECS = "ansible/roles/*/meta/argument_specs.yml"
_BELOW_KEYS = {
    "data_disk_device": "docker.data_disk_device",
    "docker_engine_flavour": "docker.engine",
    "docker_images_list": "docker.images",
}
_BY_BUILDS = frozenset({"guest_inventory_to", "guest_seal_report_to"})
_TYPES: Mapping[str, tuple[type, str]] = {
    "str": (str, "text"),
    "int": (int, "a whole number"),
    "bool": (bool, "true or false"),
    "list": (list, "a list"),
    "dict": (dict, "a table"),
}


@dataclass(frozen=True, kw_only=True)
class Option:
    """What a role takes under one name."""

    type: str
    elements: str = ""
    """Of a list: the type of each of its values."""
    choices: tuple[str, ...] = ()
    required: bool = False
    options: Mapping[str, Option] | None = None
    """Of a table, or of each table of a list: the names it may have; nothing means any."""


@functools.cache
def options(root: Path) -> Mapping[str, Option]:
    """Return every variable that the roles below *root* declare, whatever task of the role uses it."""
    # 25 ms to import: only an image that names variables pays for it.
    import yaml

    found: dict[str, Option] = {}
    for file in sorted(root.glob(SPECS)):
        for entry in yaml.safe_load(file.read_text(encoding="utf-8"))["argument_specs"].values():
            found |= _options(entry["options"])
    return found


def _options(declared: Mapping[str, Any]) -> dict[str, Option]:
    return {
        given: Option(
            type=one["type"],
            elements=one.get("elements", ""),
            choices=tuple(one.get("choices", ())),
            required=one.get("required", False),
            options=_options(one["options"]) if "options" in one else None,
        )
        for name, one in declared.items()
        for given in (name, *one.get("aliases", ()))
    }


def check(table: Table, *, root: Path, problems: Problems) -> None:
    """Note each variable of an image that no role has, that something else sets, or whose value no role could use.

    What else is wrong with the image's file does not matter; whether there is a table of variables is told elsewhere.
    """
    docker = table.values.get("docker")
    values = docker.get("variables") if isinstance(docker, dict) else None
    if not values or not isinstance(values, dict):
        return
    known = options(root)
    for name, value in values.items():
        place = table.place(f"{KEY}.{name}")
        for key, what in (*_of_name(name, known), *_of_value(name, value, known.get(name))):
            problems.add(place, f"{KEY}.{key} {what}", hint="docs/reference/ansible.md lists the roles' variables")


def _of_name(name: str, known: Mapping[str, Option]) -> Iterator[tuple[str, str]]:
    if own := _BELOW_KEYS.get(name):
        yield name, f"is set by {own}"
    elif name in _BY_BUILDS:
        yield name, "is set by each build"
    elif name not in known:
        free = known.keys() - _BELOW_KEYS.keys() - _BY_BUILDS
        yield name, f"is not a variable of any role{meant(name, sorted(free))}"


def _of_value(name: str, value: Any, option: Option | None) -> Iterator[tuple[str, str]]:
    if option is not None:
        wrong = list(_mistakes(name, value, option))
        yield from wrong or role_values.mistakes(name, value)


def _mistakes(key: str, value: Any, option: Option) -> Iterator[tuple[str, str]]:
    """Yield the dotted key of everything in *value* that is not what *option* declares, and what it must be."""
    kind, words = _TYPES[option.type]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        yield key, f"= {shown(key, value)} must be {words}"
    elif option.choices and value not in option.choices:
        yield key, f"= {shown(key, value)} must be one of {', '.join(map(repr, option.choices))}"
    elif isinstance(value, list):
        each = Option(type=option.elements or "str", options=option.options)
        for number, one in enumerate(value):
            yield from _mistakes(f"{key}[{number}]", one, each)
    elif isinstance(value, dict) and option.options is not None:
        yield from _of_table(key, value, option.options)


def _of_table(key: str, value: Mapping[str, Any], wanted: Mapping[str, Option]) -> Iterator[tuple[str, str]]:
    for name, one in wanted.items():
        if name in value:
            yield from _mistakes(f"{key}.{name}", value[name], one)
        elif one.required:
            yield f"{key}.{name}", "is missing; it is required"
    for name in value.keys() - wanted.keys():
        yield f"{key}.{name}", f"is unknown{meant(name, wanted)}; known here: {', '.join(wanted)}"
