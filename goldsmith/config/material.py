"""Certificates and keys that a configuration names: read, and checked before anything relies on them."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from goldsmith.host import reading

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from goldsmith.config.problems import Problems


def check(file: Path, *, where: str, now: datetime, problems: Problems, only_cas: bool) -> None:
    """Note what makes *file* useless as a list of trusted certificates.

    With *only_cas*, a certificate that is no CA's counts as well.
    """
    try:
        wrong = _wrong(reading.certificates(reading.content(file)), now=now, only_cas=only_cas)
    except ValueError as error:
        wrong = str(error)
    if wrong:
        problems.add(where, f"{file} {wrong}")


def _wrong(blocks: Sequence[str], *, now: datetime, only_cas: bool) -> str:
    for number, block in enumerate(blocks, start=1):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=block)
        decoded = context.get_ca_certs()  # only CAs are listed
        if not decoded and only_cas:
            return f"is of no use: certificate {number} is not that of a CA"
        for certificate in decoded:
            end = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), tz=UTC)
            if end <= now:
                return f"has expired: certificate {number} was valid until {end:%Y-%m-%d}"
    return ""


def check_private_key(file: Path, *, where: str, problems: Problems, authorized: Sequence[str]) -> None:
    """Note what makes *file* useless as a key that a program logs in with, to a machine with *authorized* keys."""
    try:
        public = _public_half(reading.private_key(reading.content(file)))
    except ValueError as error:
        problems.add(where, f"{file} {error}")
        return
    if not any(public.split()[1] in line.split() for line in authorized):
        problems.add(
            where,
            f"the public half of {file} is not among the authorized keys: the machine would not let it in",
            hint=f"add it (guests.authorized_keys, GUEST_AUTHORIZED_KEYS): {public}",
        )


def _public_half(data: bytes) -> str:
    """Return type and base64 part of a private key's public half. Raises ``ValueError`` with the reason why not."""
    # 50 ms to import: only a site that names a key pays for it.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization

    load = serialization.load_ssh_private_key if b"OPENSSH" in data else serialization.load_pem_private_key
    try:
        key = load(data, password=None)
    except TypeError:
        raise ValueError("has a passphrase, which nobody could type during a build") from None
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("is a damaged private key, or one of a kind that cannot be used here") from None
    try:
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    except (ValueError, UnsupportedAlgorithm, AttributeError):
        raise ValueError("is a private key, but none that SSH uses") from None
    return public.decode()


def certificates(files: Sequence[Path]) -> dict[str, str]:
    """Return every certificate of *files* under a name of its own: update-ca-certificates takes one a file.

    The names end in ``.crt``, and say file and position: ``corporate-root.crt``, ``bundle-2.crt``.
    """
    found: dict[str, str] = {}
    for file in files:
        blocks = reading.certificates(reading.content(file))
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", file.stem).strip("-") or "ca"
        for number, block in enumerate(blocks, start=1):
            name = stem if len(blocks) == 1 else f"{stem}-{number}"
            while f"{name}.crt" in found:
                name += "x"
            found[f"{name}.crt"] = f"{block}\n"
    return found
