"""Signatures that only who has the key can make: ed25519, with keys as OpenSSH writes them.

A public key is a line of ``authorized_keys``. The private half is OpenSSH's file, or lies in an agent, which signs
without giving it away. A signature is text, ``<id of the key>:<base64>``, and is always over a kind of thing and its
content, so that one of a record is never taken for one of a template.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from goldsmith.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TYPE = b"ssh-ed25519"
_ID_LENGTH = 16
SHAPE = rf"[0-9a-f]{{{_ID_LENGTH}}}:[A-Za-z0-9+/]{{86}}=="
"""What a signature looks like."""


@dataclass(frozen=True)
class PublicKey:
    """Who may sign for a site."""

    blob: bytes
    """As SSH writes it: the type and the key, each after its length."""
    name: str = ""
    """The comment of its line, by which people know it."""

    @classmethod
    def parse(cls, line: str) -> PublicKey:
        """Return the key of a line ``ssh-ed25519 <base64> [comment]``. Raises ``ValueError`` for anything else."""
        kind, text, *rest = line.split(None, 2) if len(line.split()) > 1 else ("", "")
        try:
            blob = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            blob = b""
        if (
            kind.encode() != TYPE
            or not blob.startswith(ssh_string(TYPE))
            or len(blob) != len(ssh_string(TYPE)) + 4 + 32
        ):
            msg = "must be an ed25519 key as OpenSSH writes it: ssh-ed25519 AAAA… name"
            raise ValueError(msg)
        return cls(blob, rest[0].strip() if rest else "")

    @property
    def id(self) -> str:
        """What its signatures begin with."""
        return hashlib.sha256(self.blob).hexdigest()[:_ID_LENGTH]

    def __str__(self) -> str:
        return self.name or self.id

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Return whether *signature* was made of *message* with the private half."""
        # 50 ms to import: only a site with keys pays for it.
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.blob[-32:]).verify(signature, message)
        except InvalidSignature:
            return False
        return True


class Agent(Protocol):
    """Somebody who keeps private keys, such as ``goldsmith.host.agent``."""

    def keys(self) -> tuple[bytes, ...]:
        """Return the public keys that it has, as SSH writes them."""
        ...

    def sign(self, blob: bytes, message: bytes) -> bytes:
        """Return the signature that the private half of *blob* makes of *message*."""
        ...


class Signer(Protocol):
    """Somebody who has a private key."""

    @property
    def public(self) -> PublicKey:
        """The public half."""
        ...

    def sign(self, message: bytes) -> bytes:
        """Return the signature of *message*."""
        ...


@dataclass(frozen=True)
class KeyFile:
    """A private key that this run has."""

    public: PublicKey
    private: bytes = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """Return the signature of *message*."""
        signature: bytes = _private(self.private).sign(message)
        return signature


@dataclass(frozen=True)
class InAgent:
    """A private key that an SSH agent has."""

    public: PublicKey
    agent: Agent = field(repr=False)

    def sign(self, message: bytes) -> bytes:
        """Return the signature of *message*. Raises ``UnreachableError`` when the agent gives none."""
        return self.agent.sign(self.public.blob, message)


def signer(private: str, agent: Agent | None, keys: Sequence[PublicKey]) -> Signer | None:
    """Return who signs for a site with these public *keys*; nobody where it has none.

    Raises ``ConfigurationError`` when the site has keys and this run has the private half of none of them.
    """
    if not keys:
        return None
    if private:
        found = _parsed(private)
        if found.public.blob in {key.blob for key in keys}:
            return KeyFile(next(key for key in keys if key.blob == found.public.blob), found.private)
        raise _not_listed(f"the key of GOLDSMITH_SIGNING_KEY ({found.public.id}) is not one of the site's", keys)
    held = set(agent.keys()) if agent else set()
    for key in keys:
        if agent and key.blob in held:
            return InAgent(key, agent)
    raise _not_listed("neither GOLDSMITH_SIGNING_KEY nor the SSH agent has the private half of one", keys)


def sign(kind: str, content: bytes, by: Signer) -> str:
    """Return the signature of something as text."""
    return f"{by.public.id}:{base64.b64encode(by.sign(_message(kind, content))).decode()}"


def signed_by(kind: str, content: bytes, text: str, keys: Iterable[PublicKey]) -> PublicKey | None:
    """Return which of *keys* signed this; nothing for what is unsigned, edited, or signed by anybody else."""
    named, _, encoded = text.partition(":")
    try:
        signature = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return None
    fitting = (key for key in keys if key.id == named)
    return next((key for key in fitting if key.verifies(_message(kind, content), signature)), None)


def _message(kind: str, content: bytes) -> bytes:
    return f"goldsmith {kind} 1\n".encode() + content


def ssh_string(data: bytes) -> bytes:
    """Return *data* as SSH writes a string: after its length (RFC 4251, section 5)."""
    return len(data).to_bytes(4, "big") + data


def _parsed(private: str) -> KeyFile:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    line = _private(private.encode()).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    return KeyFile(PublicKey.parse(line), private.encode())


def _private(data: bytes) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    key = load_ssh_private_key(data, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        msg = "is not an ed25519 key"
        raise TypeError(msg)
    return key


def is_private(text: str) -> bool:
    """Return whether *text* is a private key that can sign: ed25519, in OpenSSH's form, without a passphrase."""
    try:
        _private(text.encode())
    except (ValueError, TypeError, UnicodeError):
        return False
    return True


def _not_listed(why: str, keys: Sequence[PublicKey]) -> ConfigurationError:
    return ConfigurationError(
        "nothing can be signed for the site, and what is not signed does not count there",
        where=f"signing_keys: {', '.join(f'{key} ({key.id})' for key in keys)}",
        why=why,
        next="give the private key: GOLDSMITH_SIGNING_KEY_FILE, or ssh-add it; './inv signing-key' makes a pair",
    )
