"""The words of the configuration: each type takes what is meant, and says in words what that is."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from goldsmith.signing import PublicKey, is_private


def must(pattern: str, allowed: str) -> AfterValidator:
    """Accept text that matches *pattern* as a whole; *allowed* says in words what that is."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: str) -> str:
        if compiled.fullmatch(value) is None:
            msg = f"must be {allowed}"
            raise ValueError(msg)
        return value

    return AfterValidator(check)


_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"(?=.{{1,253}}(?:[:/]|$)){_LABEL}(?:\.{_LABEL})*"
_PORT = r"(?::(?:[1-9]\d{0,3}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5]))?"
_PATH = r"(?:/[A-Za-z0-9._~+-]+)*/?"
# URLs travel through preseed, shell and apt alike; other characters are written %XX, as URLs do.
_USERINFO = r"(?:[A-Za-z0-9._~%+-]+(?::[A-Za-z0-9._~%+-]*)?@)?"

SLUG = r"[a-z0-9](?:[a-z0-9.-]{0,38}[a-z0-9])?"
"""What a site and an image may be called."""
Slug = Annotated[str, must(SLUG, "1 to 40 small letters, digits, dots and dashes")]
HostName = Annotated[str, must(_HOST, "a host name or an IPv4 address, such as ntp1.example.com")]
# DNS has machines with underlines in their names, which no mirror's URL may have.
_SERVER = re.compile(
    rf"(?:(?P<name>{_HOST.replace('[A-Za-z0-9', '[A-Za-z0-9_')})\.?|\[(?P<address>[0-9A-Fa-f:.]+)\])(?P<port>{_PORT})",
    re.ASCII,
)


def host_and_port(server: str) -> tuple[str, str]:
    """Return the parts of ``host[:port]``; an IPv6 address, which stands in brackets there, without them."""
    host, _, port = server.removeprefix("[").partition("]" if server.startswith("[") else ":")
    return host, port.removeprefix(":")


def _is_ipv6(text: str) -> bool:
    try:
        return bool(ipaddress.IPv6Address(text)) and "%" not in text
    except ValueError:
        return False


def _server(value: str) -> str:
    """Accept a vCenter's address; it is written in one way: IPv6 in brackets, a name without the dot of DNS's root."""
    found = _SERVER.fullmatch(f"[{value}]" if _is_ipv6(value) else value)
    if found is None or not (found["name"] or _is_ipv6(found["address"])):
        msg = (
            "must be a host name with an optional port, without https://, such as vcenter.example.com:443; "
            "an IPv6 address with a port stands in brackets: [2001:db8::10]:443"
        )
        raise ValueError(msg)
    return (found["name"] or f"[{found['address']}]") + found["port"]


HostPort = Annotated[str, AfterValidator(_server)]
_NO_PROXY = re.compile(rf"\*|\.?{_HOST}{_PORT}(?:/\d{{1,3}})?", re.ASCII)


def _no_proxy(value: str) -> str:
    """Accept what programs go to directly, and write it as all of them read it: ``.example.com``, ``::1``."""
    made = value.removesuffix(".").removeprefix("*" if value.startswith("*.") else "")
    if made.startswith("[") and made.endswith("]"):
        made = made[1:-1]
    address, _, length = made.partition("/")
    prefix = not length or (length.isascii() and length.isdigit() and int(length) <= _IPV6_BITS)
    if not _NO_PROXY.fullmatch(made) and not (_is_ipv6(address) and prefix):
        msg = "must be a host, a domain such as .example.com, an address such as ::1, or a network such as 10.0.0.0/8"
        raise ValueError(msg)
    return made


_IPV6_BITS = 128
NoProxy = Annotated[str, AfterValidator(_no_proxy)]
PackageName = Annotated[
    str, must(r"[a-z0-9][a-z0-9+.-]*[a-z0-9+.]", "a package's name: small letters, digits and + . -, at its end no -")
]
Locale = Annotated[
    str,
    must(r"[a-z]{2,3}_[A-Z]{2}(?:\.UTF-8)?", "a locale, such as en_US; its encoding is always UTF-8"),
    AfterValidator(lambda value: value.removesuffix(".UTF-8") + ".UTF-8"),
]
"""Always complete, ``en_US.UTF-8``; the encoding may be left out where it is written."""
Keyboard = Annotated[
    str,
    must(
        r"[a-z][a-z0-9-]{1,15}(?:\([A-Za-z0-9_-]{1,31}\))?",
        "one of the installer's keyboards: a layout such as us or dk, or with its variant, such as fr(latin9)",
    ),
]
TimeZone = Annotated[str, must(r"[A-Za-z][A-Za-z0-9_+/-]{1,39}", "a time zone, such as Europe/Copenhagen or Etc/UTC")]
"""Which of these a release has is its installer's to say: lists in ``kickstart/``."""
UserName = Annotated[
    str, must(r"[a-z_][a-z0-9_-]{0,31}", "1 to 32 small letters, digits, dashes and underlines, no digit first")
]
MirrorUrl = Annotated[
    str, must(rf"http://{_HOST}{_PORT}{_PATH}", "an http URL without login, such as http://mirror.example.com/debian")
]
SecurityUrl = Annotated[
    str,
    must(
        rf"http://{_HOST}{_PORT}(?:/[A-Za-z0-9._~+-]+)*/debian-security/?",
        "an http URL that ends in /debian-security, such as http://mirror.example.com/debian-security",
    ),
]
"""The installer appends that last part itself, so no other is possible."""
IsoUrl = Annotated[
    str,
    must(
        rf"https?://{_HOST}{_PORT}(?:/[A-Za-z0-9._~+%-]+)+",
        "an http or https URL of a file, such as https://mirror.example.com/ubuntu/mini.iso",
    ),
]
Sha256 = Annotated[str, must(r"[0-9a-f]{64}", "a sha256: 64 digits and letters from a to f")]
ProxyUrl = Annotated[
    str, must(rf"https?://{_USERINFO}{_HOST}{_PORT}/?", "a proxy's URL, such as http://proxy.example.com:3128")
]
_PRINTABLE = r"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]"
Line = Annotated[str, must(f"{_PRINTABLE}*", "one line of printable text")]
"""One line of printable text."""
TemplateName = Annotated[
    str,
    must(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,52}[A-Za-z0-9])?", "1 to 54 letters, digits, dots, dashes and underlines"),
]
"""Leaves room for the build's id within vSphere's 80 characters."""
InventoryName = Annotated[str, must(f"{_PRINTABLE}{{1,255}}", "1 to 255 printable characters")]


def _ssh_fields(data: str) -> list[bytes]:
    """Return the fields of a public key's base64 part (each has its length before it, RFC 4251); none if damaged."""
    try:
        blob = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return []
    fields = []
    while blob:
        size = int.from_bytes(blob[:4], "big")
        field, blob = blob[4 : 4 + size], blob[4 + size :]
        if len(field) != size or not field:
            return []
        fields.append(field)
    return fields if len(fields) > 1 else []


def _authorized_key(value: str) -> str:
    """Accept one line of an ``authorized_keys`` file, options included (sshd(8)), whose key is what its type says."""
    found = re.fullmatch(
        r"(?:(?P<options>(?:[^\s\"]|\"(?:\\\"|[^\"])*\")+) +)?(?P<type>[a-z0-9@.-]+) +(?P<data>\S+)(?: .*)?", value
    )
    if found is None or found["type"] not in KEY_TYPES:
        other = ", not a file's name: give its lines" if re.match(r"[~./][^ ]*$", value) else ""
        msg = f"must be a line of an authorized_keys file{other}, with one of the key types {', '.join(KEY_TYPES)}"
        raise ValueError(msg)
    if _ssh_fields(found["data"])[:1] != [found["type"].encode()]:
        msg = f"must hold a whole {found['type']} key: its base64 part is damaged or cut off"
        raise ValueError(msg)
    return value


KEY_TYPES = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
AuthorizedKey = Annotated[Line, AfterValidator(_authorized_key)]


def _signing_key(value: str) -> str:
    PublicKey.parse(value)
    return value


SigningKey = Annotated[Line, AfterValidator(_signing_key)]


def _private_key(value: SecretStr) -> SecretStr:
    if not is_private(value.get_secret_value()):
        msg = "must be an ed25519 key in OpenSSH's form without a passphrase; './inv signing-key' makes one"
        raise ValueError(msg)
    return value


PrivateSigningKey = Annotated[SecretStr, AfterValidator(_private_key)]

_HASH = re.compile(
    r"[!*]"  # locked
    r"|\$6\$(rounds=[1-9][0-9]{3,8}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}"  # SHA-512
    r"|\$y\$[./A-Za-z0-9]+\$[./A-Za-z0-9]{0,86}\$[./A-Za-z0-9]{43}"  # yescrypt
)


def _crypted(value: SecretStr) -> SecretStr:
    """Accept what crypt(5) writes for the methods that are safe today."""
    if _HASH.fullmatch(value.get_secret_value()) is None:
        msg = (
            "must be a SHA-512 ($6$…) or yescrypt ($y$…) hash, or '!' for a locked password; "
            "make one with: openssl passwd -6"
        )
        raise ValueError(msg)
    return value


def _password(value: SecretStr) -> SecretStr:
    if re.fullmatch(f"{_PRINTABLE}{{1,512}}", value.get_secret_value()) is None:
        msg = "must be one line of 1 to 512 printable characters"
        raise ValueError(msg)
    return value


CryptedPassword = Annotated[SecretStr, AfterValidator(_crypted)]
Password = Annotated[SecretStr, AfterValidator(_password)]


def _inside(value: PurePosixPath) -> PurePosixPath:
    if value.is_absolute() or ".." in value.parts or re.fullmatch(r"[A-Za-z0-9._/ -]{1,200}", str(value)) is None:
        msg = "must be a folder on the datastore: letters, digits, dots, dashes, underlines, blanks, below its root"
        raise ValueError(msg)
    return value


FullName = Annotated[
    str,
    must(
        r"(?:[A-Za-z0-9](?:[A-Za-z0-9 .@()_+-]{0,98}[A-Za-z0-9.)])?)?",
        "at most 100 ASCII letters, digits, blanks and . @ ( ) _ + -",
    ),
]
"""The installer's shell, passwd(5) and YAML all read it; a name with other letters would arrive garbled."""


MediaFolder = Annotated[PurePosixPath, AfterValidator(_inside)]


def _file_inside(value: str) -> str:
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or re.fullmatch(r"[A-Za-z0-9._/ +()-]{1,200}\.iso", value) is None:
        msg = "must be an ISO on the datastore, such as iso/ubuntu-16.04.iso, and below the datastore's root"
        raise ValueError(msg)
    return value


DatastorePath = Annotated[str, AfterValidator(_file_inside)]
