"""The operator's own key is looked into before a machine is built that it could not open."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519

from goldsmith.config import material
from goldsmith.config.problems import Problems

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

PEM, OPENSSH = serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH
FORMATS = (OPENSSH, serialization.PrivateFormat.TraditionalOpenSSL, serialization.PrivateFormat.PKCS8)
RSA = rsa.generate_private_key(65537, 2048)


def public(key: ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    form = serialization.PublicFormat.OpenSSH
    return key.public_key().public_bytes(serialization.Encoding.OpenSSH, form).decode()


def told(tmp_path: Path, data: bytes, *authorized: str) -> Problems:
    file = tmp_path / "id"
    file.write_bytes(data)
    problems = Problems()
    material.check_private_key(file, where="SSH_PRIVATE_KEY_FILE", problems=problems, authorized=authorized)
    assert not any("BEGIN" in line for line in (*problems.found, *problems.hints))
    return problems


def private(key: PrivateKeyTypes, form: serialization.PrivateFormat = OPENSSH, password: bytes = b"") -> bytes:
    how = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(PEM, form, how)


def locked() -> bytes:
    """Return an OpenSSH key with a passphrase, as far as one can be told by (PROTOCOL.key of OpenSSH)."""

    def field(data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + data

    public_half = field(b"ssh-ed25519") + field(bytes(32))
    head = field(b"aes256-ctr") + field(b"bcrypt") + field(field(bytes(16)) + b"\0\0\0\x10") + b"\0\0\0\1"
    blob = b"openssh-key-v1\0" + head + field(public_half) + field(bytes(160))
    lines = base64.encodebytes(blob).decode()
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{lines}-----END OPENSSH PRIVATE KEY-----\n".encode()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("key", [RSA, ec.generate_private_key(ec.SECP256R1())], ids=["rsa", "ecdsa"])
def test_a_key_whose_public_half_is_authorized(
    tmp_path: Path, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, form: serialization.PrivateFormat
) -> None:
    """In every form that ssh-keygen and OpenSSL write, and whatever options and comment the line has."""
    line = f'from="10.0.0.0/8",no-pty {public(key)} somebody@example.com'
    assert told(tmp_path, private(key, form), "ssh-ed25519 AAAA other", line).found == []


def test_a_key_that_the_machine_would_not_let_in(tmp_path: Path) -> None:
    """Forty minutes before the login fails: refused, with the line that is missing."""
    key = ed25519.Ed25519PrivateKey.generate()
    problems = told(tmp_path, private(key), public(RSA))
    assert "is not among the authorized keys" in problems.found[0]
    assert public(key) in problems.hints[0]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(locked(), "has a passphrase", id="OpenSSH with a passphrase"),
        pytest.param(private(RSA, FORMATS[1], b"secret"), "has a passphrase", id="PEM with a passphrase"),
        pytest.param(private(RSA)[:500], "is a damaged private key", id="cut off"),
        pytest.param(private(x25519.X25519PrivateKey.generate(), FORMATS[2]), "none that SSH uses", id="not SSH's"),
        pytest.param(public(RSA).encode(), "not a private SSH key", id="the public half"),
        pytest.param(b"", "not a private SSH key", id="empty"),
    ],
)
def test_a_key_that_is_of_no_use(tmp_path: Path, data: bytes, words: str) -> None:
    """Each reason is told; nothing of the key is."""
    assert words in told(tmp_path, data, public(RSA)).found[0]


def test_a_key_that_is_not_there(tmp_path: Path) -> None:
    """Told with its path."""
    problems = Problems()
    material.check_private_key(tmp_path / "id", where="x", problems=problems, authorized=())
    assert "cannot be read" in problems.found[0]
