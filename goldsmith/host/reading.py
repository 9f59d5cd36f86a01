"""Files as people's editors leave them: text with or without a mark of its encoding, PEM with anything around it."""

from __future__ import annotations

import codecs
import re
import ssl
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LARGEST = 8 << 20
"""No list of certificates, and no key, is longer, in bytes."""
_LABEL = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----")
# Only the blanks of ASCII: a no-break space, which copying from a page brings along, nothing decodes.
_CERTIFICATE = re.compile(r"(?a:-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----)")
_OPENPGP = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
_DER = b"\x30\x82"
"""How a certificate begins that is not written as text."""


def decoded(data: bytes, *, errors: str = "strict") -> str:
    """Return text in UTF-8, without the mark that some editors put before it.

    Raises ``ValueError`` with what else it is, as the end of a sentence that begins with the file.
    """
    marked = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if marked or b"\0" in data:
        msg = "is text in UTF-16: save it as UTF-8" if marked or b"\0" in data[:2] else "is not text"
        raise ValueError(msg)
    try:
        return data.decode("utf-8-sig", errors)
    except UnicodeDecodeError as error:
        msg = f"is not UTF-8 text (byte {error.start})"
        raise ValueError(msg) from None


def expanded(path: Path) -> Path:
    """Return *path* with ``~`` as the home it means; where there is no such user, as it is."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def content(file: Path, *, pipes: bool = False) -> bytes:
    """Return what *file* holds. Raises ``ValueError``, as above, when it cannot be read or is too large.

    A pipe gives what it has once, and may never: it is read where *pipes* may stand for a file (``<(pass show x)``).
    """
    try:
        path = file.expanduser()
        if not pipes and stat.S_ISFIFO(path.stat().st_mode):
            msg = "is a pipe, and it is read more than once: give a file"
            raise ValueError(msg)
        with path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except (OSError, RuntimeError) as error:
        msg = f"cannot be read: {getattr(error, 'strerror', None) or error}"
        raise ValueError(msg) from None
    if len(data) > _LARGEST:
        msg = "is larger than 8 MiB"
        raise ValueError(msg)
    return data


def certificates(data: bytes) -> tuple[str, ...]:
    """Return the certificates in PEM text, each from its first line to its last, whatever stands around them.

    This is the one rule for every list of certificates that is read. Raises ``ValueError``, as above, when there
    is none, when one cannot be decoded, and when a private key lies beside them.
    """
    if data.startswith(_DER):
        msg = "is a certificate in DER form: openssl x509 -inform der -in FILE -out FILE.pem makes text of it"
        raise ValueError(msg)
    # What stands around certificates may be of any encoding; they themselves are plain.
    text = decoded(data, errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    labels = _LABEL.findall(text)
    if any(label.endswith("PRIVATE KEY") for label in labels):
        msg = "holds a private key; give the certificates alone, and keep the key to yourself"
        raise ValueError(msg)
    found = tuple(_CERTIFICATE.findall(text))
    if len(found) < labels.count("CERTIFICATE"):
        msg = "is damaged: a certificate in it is cut off, or has characters that do not belong there"
        raise ValueError(msg)
    if not found:
        other = f", but {', '.join(dict.fromkeys(labels))}" if labels else ""
        msg = f"holds no certificate in PEM form (-----BEGIN CERTIFICATE-----){other}"
        raise ValueError(msg)
    for number, block in enumerate(found, start=1):
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=block)
        except ssl.SSLError:
            msg = f"is damaged: certificate {number} cannot be decoded"
            raise ValueError(msg) from None
    return found


def openpgp_key(data: bytes) -> bytes:
    """Return a public key as apt reads it: armoured, and beginning with that.

    Raises ``ValueError``, as above, when it is something else.
    """
    if data.startswith(codecs.BOM_UTF8):
        msg = "begins with a byte order mark, which apt does not read: save it as UTF-8 without one"
        raise ValueError(msg)
    if _OPENPGP.encode() not in data:
        msg = f"holds no OpenPGP key in text form ({_OPENPGP}); gpg --armor --export makes one"
        raise ValueError(msg)
    return data


def private_key(data: bytes) -> bytes:
    """Return a private key as OpenSSH reads it, which wants its first line first, and plain line ends to the last.

    Raises ``ValueError``, as above, when it is not text with a private key.
    """
    text = decoded(data)
    if "PRIVATE KEY-----" not in text:
        msg = "is not a private SSH key in PEM or OpenSSH form; its public half is in authorized_keys"
        raise ValueError(msg)
    lines = (line.rstrip() for line in text.strip().splitlines())
    return "".join(f"{line}\n" for line in lines).encode()
