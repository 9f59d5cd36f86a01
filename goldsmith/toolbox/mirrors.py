"""Where packages come from: mirrors the environment names, or those this machine's own apt uses."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from goldsmith.errors import ConfigurationError
from goldsmith.toolbox.deb import paragraphs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PUBLIC = "http://ftp.debian.org/debian"
PUBLIC_SECURITY = "http://ftp.debian.org/debian-security"
APT = Path("/etc/apt")
_URL = re.compile(r"^https?://[^\s\[\]]+$")


@dataclass(frozen=True, kw_only=True)
class Mirrors:
    """Roots of package repositories, without a slash at the end."""

    debian: str = PUBLIC
    security: str = PUBLIC_SECURITY
    snapshot: str = ""
    """Root of a snapshot archive (``…/archive``), asked for files a mirror no longer has; empty: none."""
    moment: str = ""
    """The state of the snapshot archive to ask for: the lock's ``snapshot``."""
    go: tuple[str, ...] = ()
    """Go module proxies, in the order to ask."""

    def root(self, repo: str) -> str:
        """Return the root of *repo* (``debian`` or ``debian-security``)."""
        return self.security if repo == "debian-security" else self.debian

    @classmethod
    def here(cls, environment: Mapping[str, str] = os.environ, apt: Path = APT) -> Mirrors:
        """Return the mirrors named by the environment, else those of this machine's apt, else public ones.

        Raises ``ConfigurationError`` for a value that is no http(s) address.
        """
        ours = tuple(_apt_roots(apt))
        debian = next((root for root in ours if root.endswith("/debian")), PUBLIC)
        security = next((root for root in ours if root.endswith("/debian-security")), "")
        return cls(
            debian=_named(environment, "GOLDSMITH_DEBIAN_MIRROR") or debian,
            security=_named(environment, "GOLDSMITH_DEBIAN_SECURITY_MIRROR")
            or security
            or _sibling(_named(environment, "GOLDSMITH_DEBIAN_MIRROR")),
            snapshot=_named(environment, "GOLDSMITH_DEBIAN_SNAPSHOT"),
        )


def _sibling(mirror: str) -> str:
    """Most mirrors carry security updates beside the archive."""
    return f"{mirror}-security" if mirror.endswith("/debian") else PUBLIC_SECURITY


def _named(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip().rstrip("/")
    if value and not _URL.match(value):
        raise ConfigurationError(
            f"{name} is not the address of a mirror",
            where=f"environment variable {name}",
            why=f"it is {value!r}",
            next=f"set it to an address such as http://mirror.example.com/debian, or unset it: {PUBLIC} is then tried",
        )
    return value


def _apt_roots(apt: Path) -> Iterator[str]:
    """Yield the addresses in apt's sources, in both formats, in apt's order."""
    files = [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]
    for file in files:
        if file.suffix not in {".list", ".sources"}:
            continue
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError:  # not there; or for root alone, as one with a login in it is
            continue
        yield from (deb822_roots(text) if file.suffix == ".sources" else one_line_roots(text))


def one_line_roots(text: str) -> Iterator[str]:
    """Yield the addresses of ``deb [options] ADDRESS SUITE …`` lines."""
    for line in text.splitlines():
        words = re.sub(r"\[[^\]]*\]", " ", line.partition("#")[0]).split()
        if len(words) > 1 and words[0] == "deb":
            yield from _clean(words[1:2])


def deb822_roots(text: str) -> Iterator[str]:
    """Yield the addresses of the enabled stanzas of a ``.sources`` file."""
    uncommented = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in paragraphs(uncommented):
        fields = {name.lower(): value for name, value in stanza.items()}
        if "deb" in fields.get("types", "").split() and fields.get("enabled", "yes").lower() not in {"no", "false"}:
            yield from _clean(fields.get("uris", "").split())


def _clean(addresses: Iterable[str]) -> Iterator[str]:
    yield from (address.rstrip("/") for address in addresses if _URL.match(address))
