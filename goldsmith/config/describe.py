"""The effective configuration for people and machines: every value, its source, no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from goldsmith.config import secrets, sites, trust
from goldsmith.host.redact import MASK, without_login

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.config.effective import Effective

DEFAULT = "default"
_NOT_SET = "(not set)"


class Row(NamedTuple):
    """One value of the configuration as ``config`` prints it."""

    key: str
    value: str
    source: str


def describe(effective: Effective, root: Path) -> tuple[Row, ...]:
    """Return every value and where it came from, secrets masked; *root* is the repository."""
    rows = [Row(f"{what}.name", getattr(effective, what).name, by) for what, by in sorted(effective.chosen_by.items())]
    for what in ("image", "site"):
        values = sites.flat(getattr(effective, what).model_dump(mode="json", exclude={"name"}))
        for key, value in values.items():
            name = f"{what}.{key}"
            rows.append(Row(name, _text(value), effective.sources.get(name, DEFAULT)))
    trusted = (Row(f"trust.{name}", *told) for name, *told in trust.authorities(effective.environment, root))
    return (*rows, *_secret_rows(effective), *trusted)


def _secret_rows(effective: Effective) -> list[Row]:
    rows = []
    named = ("password", secrets.PASSWORD), ("password_hash", secrets.PASSWORD_HASH)
    for key, variable in (*named, ("signing_key", secrets.SIGNING_KEY)):
        found = effective.secrets.get(variable)
        rows.append(Row(f"credentials.{key}", MASK if found else _NOT_SET, found.source if found else variable))
    if effective.site.is_lab:  # its login is its own, whatever the environment says
        rows[0] = Row("credentials.password", MASK, "the lab's state")
        return [Row("credentials.user", MASK, "the lab's state"), *rows]
    return [Row("credentials.user", effective.user or _NOT_SET, sites.USER), *rows]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return "" if value is None else without_login(str(value))


def as_json(effective: Effective, root: Path) -> dict[str, dict[str, str]]:
    """Return the rows for ``--json``."""
    return {row.key: {"value": row.value, "source": row.source} for row in describe(effective, root)}
