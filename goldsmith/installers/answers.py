"""What all installers' answers have in common: the files, the build's key among them, and the values templates use."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from goldsmith.host.workspace import SECRET_MODE, write_if_changed
from goldsmith.plan import digest, significant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from pydantic import SecretStr

    from goldsmith.model import Image, Site

BUILD_KEY_COMMENT = "goldsmith-build-"
"""Begins the comment of a build's key; clone-ready.sh removes the lines that end with it."""
PLACEHOLDER_KEY = (
    "ssh-ed25519 "
    + base64.b64encode(b"\x00\x00\x00\x0bssh-ed25519\x00\x00\x00\x20" + bytes(32)).decode()
    + f" {BUILD_KEY_COMMENT}placeholder"
)
"""Stands for the build's key where answers are rendered to be hashed."""


@dataclass(frozen=True)
class Answers:
    """Rendered files by their path on the medium that carries them; they hold secrets."""

    files: Mapping[str, str]

    def digest(self) -> str:
        """Return the sha256 of all that matters in them: comments do not."""
        return digest({name: significant(text) for name, text in self.files.items()})

    def instead(self, build_key: str) -> Answers:
        """Return the answers as they are hashed: with a placeholder for the build's own key."""
        return Answers({name: text.replace(build_key, PLACEHOLDER_KEY) for name, text in self.files.items()})

    def write(self, folder: Path) -> tuple[str, ...]:
        """Make *folder* hold exactly these files, readable by their owner alone; return what was written or removed."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
        stale = [path for path in sorted(folder.rglob("*")) if path.is_file() or path.is_symlink()]
        stale = [path for path in stale if path.relative_to(folder).as_posix() not in self.files]
        for path in stale:
            path.unlink()
        written = [name for name, text in self.files.items() if write_if_changed(folder / name, text, mode=SECRET_MODE)]
        return (*written, *(path.relative_to(folder).as_posix() for path in stale))


@dataclass(frozen=True, kw_only=True)
class Given:
    """What answers hold besides what image and site say."""

    password_hash: SecretStr
    """Of the image's account."""
    build_key: str = PLACEHOLDER_KEY
    """The build's own key, as a line of ``authorized_keys``."""
    certificates: Mapping[str, str]
    """Corporate CAs as ``goldsmith.config.certificates`` names them: file name to PEM text."""


def build_key(public_key: str, build_id: str) -> str:
    """Return the line of ``authorized_keys`` for a build's own public key, marked so that sealing finds it."""
    kind, data, *_ = public_key.split()
    return f"{kind} {data} {BUILD_KEY_COMMENT}{build_id}"


def authorized_keys(site: Site, given: Given) -> str:
    """Return the text of ``authorized_keys``: the operators' own keys, then the build's."""
    return "".join(f"{key}\n" for key in dict.fromkeys((*site.guests.authorized_keys, given.build_key)))


def proxies(site: Site) -> Iterator[str]:
    """Yield the lines of /etc/environment: programs disagree about the case of these names, so both."""
    guests = site.guests
    for name, value in (
        ("http_proxy", guests.http_proxy),
        ("https_proxy", guests.https_proxy),
        ("no_proxy", ",".join(guests.no_proxy)),
    ):
        if value:
            yield f"{name}={value}"
            yield f"{name.upper()}={value}"


def context(image: Image, site: Site, given: Given) -> dict[str, Any]:
    """Return the values that every installer's templates may use."""
    localisation = image.localisation
    return {
        "image": image,
        "site": site,
        "locales": list(dict.fromkeys((localisation.locale, *localisation.extra_locales))),
        "host_name": image.name.replace(".", "-"),
        "environment": list(proxies(site)),
        "password_hash": given.password_hash.get_secret_value(),
        "certificates": sorted(given.certificates),
    }


def collected(files: Mapping[str, str]) -> Answers:
    """Return *files* as answers, in order; what a site does not have (time servers, proxies) leaves no file."""
    return Answers({name: text for name, text in sorted(files.items()) if text.strip()})
