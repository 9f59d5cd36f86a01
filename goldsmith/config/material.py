"""Certificate files that a configuration names: read, and checked before anything relies on them."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from goldsmith.config.problems import Problems

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
_LARGEST = 1_048_576
"""No list of CA certificates is longer, in bytes."""


def check(file: Path, *, where: str, now: datetime, problems: Problems, only_cas: bool) -> None:
    """Note what makes *file* useless as a list of trusted certificates.

    With *only_cas*, a certificate that is no CA's counts as well.
    """
    try:
        with file.open("rb") as stream:
            text = stream.read(_LARGEST).decode("ascii", errors="replace")
    except OSError as error:
        problems.add(where, f"{file} cannot be read: {error.strerror}")
        return
    if "PRIVATE KEY-----" in text:
        problems.add(where, f"{file} holds a private key; give the certificate alone, and keep the key to yourself")
        return
    wrong = _wrong(_PEM.findall(text), now=now, only_cas=only_cas)
    if wrong:
        problems.add(where, f"{file} {wrong}")


def _wrong(blocks: Sequence[str], *, now: datetime, only_cas: bool) -> str:
    if not blocks:
        return "holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"
    for number, block in enumerate(blocks, start=1):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        try:
            context.load_verify_locations(cadata=block)
        except ssl.SSLError:
            return f"is damaged: certificate {number} cannot be decoded"
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
        with file.open("rb") as stream:
            data = stream.read(_LARGEST)
    except OSError as error:
        problems.add(where, f"{file} cannot be read: {error.strerror}")
        return
    if b"PRIVATE KEY-----" not in data:
        problems.add(
            where, f"{file} is no private SSH key in PEM or OpenSSH form; its public half is in authorized_keys"
        )
        return
    try:
        public = _public_half(data)
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
        blocks = _PEM.findall(file.read_text(encoding="ascii", errors="replace"))
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", file.stem).strip("-") or "ca"
        for number, block in enumerate(blocks, start=1):
            name = stem if len(blocks) == 1 else f"{stem}-{number}"
            while f"{name}.crt" in found:
                name += "x"
            found[f"{name}.crt"] = "\n".join(block.split("\n")) + "\n"
    return found
