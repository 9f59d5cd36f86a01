"""Secrets from the environment: the value itself, or a file that holds it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr, TypeAdapter, ValidationError

from goldsmith.host import reading
from goldsmith.model.values import CryptedPassword, Password, PrivateSigningKey

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldsmith.config.problems import Problems

PASSWORD = "VSPHERE_PASSWORD"  # noqa: S105 - the variable's name
PASSWORD_HASH = "AUTOMATION_USER_CRYPTED_PASSWORD"  # noqa: S105 - the variable's name
SIGNING_KEY = "GOLDSMITH_SIGNING_KEY"
LOCKED = SecretStr("!")
_LARGEST = 4096
"""No secret is longer, in bytes; what is, is the wrong file."""


@dataclass(frozen=True)
class Found:
    """A secret, and where it came from."""

    value: SecretStr
    source: str


def password(environment: Mapping[str, str], problems: Problems) -> Found | None:
    """Return vCenter's password, or nothing when none is given."""
    return _checked(PASSWORD, TypeAdapter(Password), environment, problems)


def password_hash(environment: Mapping[str, str], problems: Problems) -> Found | None:
    """Return the automation user's crypted password, or nothing when none is given."""
    return _checked(PASSWORD_HASH, TypeAdapter(CryptedPassword), environment, problems)


def signing_key(environment: Mapping[str, str], problems: Problems) -> Found | None:
    """Return the private key that templates are signed with, or nothing when none is given: an agent may have it."""
    return _checked(SIGNING_KEY, TypeAdapter(PrivateSigningKey), environment, problems)


def _checked(
    name: str, kind: TypeAdapter[SecretStr], environment: Mapping[str, str], problems: Problems
) -> Found | None:
    raw = _raw(name, environment, problems)
    if raw is None:
        return None
    text, source = raw
    try:
        return Found(kind.validate_python(SecretStr(text)), source)
    except ValidationError as error:
        # Only the reason: the message of the whole error would repeat the input.
        reason = error.errors(include_input=False, include_url=False)[0]["ctx"]["error"]
        problems.add(source, f"its value (not shown) {reason}")
        return None


def _raw(name: str, environment: Mapping[str, str], problems: Problems) -> tuple[str, str] | None:
    """Return the secret's text and its source; empty counts as not given, and an editor's mark as nothing."""
    value, file = environment.get(name, "").removeprefix("\ufeff"), environment.get(f"{name}_FILE", "")
    if value and file:
        problems.add(f"{name}, {name}_FILE", "both are set; give one of them")
        return None
    if value:
        return value, name
    text = _content(Path(file), f"{name}_FILE", problems) if file else None
    return None if text is None else (text, f"{name}_FILE")


def _content(file: Path, source: str, problems: Problems) -> str | None:
    """Return the file's text without the newline at its end."""
    try:
        data = reading.content(file, pipes=True)
        text = reading.decoded(data)
    except ValueError as error:
        problems.add(source, f"{file} {error}")
    else:
        if len(data) <= _LARGEST and text.strip():
            # The line end at its end is no part of a secret, but for a key's, which OpenSSH wants.
            return text if "PRIVATE KEY-----" in text else text.removesuffix("\n").removesuffix("\r")
        problems.add(source, f"{file} is {'too long for a secret' if text.strip() else 'empty'}")
    return None
