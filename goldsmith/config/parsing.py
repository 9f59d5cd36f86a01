"""Tables become the types of ``goldsmith.model``, or problems in words an operator can act on."""

from __future__ import annotations

import json
import re
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from goldsmith.config.problems import meant, shown
from goldsmith.host.redact import looks_secret

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from goldsmith.config.files import Table
    from goldsmith.config.problems import Problems

T = TypeVar("T", bound=BaseModel)

_WORDS = {
    "string_type": "must be text",
    "path_type": "must be a path, written as text",
    "int_type": "must be a whole number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}; vSphere refuses any other",
    "tuple_type": "must be a list",
    "model_type": "must be a table",
    "enum": "must be one of {expected}",
    "literal_error": "must be one of {expected}",
}


_BARE = re.compile(r"[A-Za-z0-9_-]+")
"""A key that TOML takes without quotes."""


def parse(kind: type[T], table: Table, problems: Problems) -> T | None:
    """Return the table as a *kind*; note everything that is wrong with it, and return nothing then."""
    try:
        return kind.model_validate(table.values)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            _note(detail, kind, table, problems)
    return None


def _note(detail: ErrorDetails, kind: type[BaseModel], table: Table, problems: Problems) -> None:
    if str(detail["loc"][-1]).startswith("literal["):
        return  # "or empty": the other half of the union says what is allowed
    parts, model = _walk(detail["loc"], kind)
    key, place = _dotted(_spelt(parts)), table.place(_dotted(parts))
    shown_value = f"{key} = {shown(key, detail['input'])}"
    if detail["type"] == "missing":
        problems.add(place, f"{key} is missing; it is required")
    elif detail["type"] != "extra_forbidden":
        problems.add(place, f"{shown_value} {_allowed(detail)}")
    elif looks_secret(key):
        hint = "secrets come from the environment only (VSPHERE_PASSWORD and its like): remove them from the file"
        problems.add(place, f"{key}: unknown key, and no place for a secret", hint=hint)
    else:
        known = tuple(model.model_fields)
        suggestion = meant(str(parts[-1]), known) or f"; known here: {', '.join(known)}"
        problems.add(place, f"{shown_value}: unknown key{suggestion}")


def _allowed(detail: ErrorDetails) -> str:
    context: dict[str, Any] = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return str(context["error"])
    words = _WORDS.get(detail["type"])
    if words is None:
        return f"cannot be used: {detail['msg']}"
    choices = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ").split(", ")
    return words.format(**context) + (meant(str(detail["input"]), choices) if "expected" in context else "")


def _walk(loc: tuple[int | str, ...], kind: type[BaseModel]) -> tuple[list[int | str], type[BaseModel]]:
    """Return the keys in *loc*, without pydantic's own words for unions, and the innermost model around them."""
    parts: list[int | str] = []
    model: type[BaseModel] = kind
    inner: Any = kind
    for part in loc:
        if isinstance(part, int):
            inner = _member(inner, tuple, list)
        elif isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
            field = inner.model_fields.get(part)
            inner = _table(field.annotation) if field else None
        elif get_origin(inner) is dict:
            inner = get_args(inner)[1]
        else:
            continue
        parts.append(part)
    return parts, model


def _table(annotation: Any) -> Any:
    """Return the model, list or dictionary in *annotation*, which may be one half of a union; else itself."""
    if get_origin(annotation) is Annotated:
        return _table(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        halves = [_table(half) for half in get_args(annotation)]
        return next((half for half in halves if isinstance(half, type) and issubclass(half, BaseModel)), halves[0])
    return annotation


def _member(annotation: Any, *kinds: type) -> Any:
    """Return the type of a list's members."""
    return _table(get_args(annotation)[0]) if get_origin(annotation) in kinds else None


def _spelt(parts: list[int | str]) -> list[int | str]:
    """Return the parts as TOML wants them: what is no bare key is quoted, and can be mistaken for nothing else."""
    return [part if isinstance(part, int) or _BARE.fullmatch(part) else json.dumps(part) for part in parts]


def _dotted(parts: list[int | str]) -> str:
    """Return ``guests.ntp_servers[1]`` for ``["guests", "ntp_servers", 1]``."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")
