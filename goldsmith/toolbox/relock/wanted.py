"""Reads ``docker/wanted.toml``: what the lock is resolved from."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from goldsmith.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Debian(_Wanted):
    suite: str
    alias: str
    architecture: str


class _Toolbox(_Wanted):
    debs: tuple[str, ...]
    wheels: tuple[str, ...]
    toolchain: str


class _Guest(_Wanted):
    priorities: tuple[str, ...]
    base: tuple[str, ...]
    pool: dict[str, tuple[str, ...]]


class _Media(_Wanted):
    debs: tuple[str, ...]
    netboot: str
    udebs: tuple[str, ...]
    templates: tuple[str, ...]


class Wanted(_Wanted):
    """The whole of ``docker/wanted.toml``: what the lock is resolved from."""

    debian: _Debian
    toolbox: _Toolbox
    guest: _Guest
    media: _Media


def load(path: Path) -> Wanted:
    """Read what is wanted.

    Raises ``ConfigurationError`` naming each key that is wrong.
    """
    try:
        return Wanted.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(
            "the list of wanted packages cannot be read", where=str(path), why=str(error)
        ) from None
    except ValidationError as error:
        reasons = "\n".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigurationError("the list of wanted packages is wrong", where=str(path), why=reasons) from None
