"""Which certificate authorities count besides the site's own: nobody is trusted without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SYSTEM = "the system's authorities"
_EVERYWHERE = "the vCenter and downloads, in place of the system's"
VARIABLES = {
    "SSL_CERT_FILE": _EVERYWHERE,
    "SSL_CERT_DIR": _EVERYWHERE,
    "REQUESTS_CA_BUNDLE": "downloads",
    "CURL_CA_BUNDLE": "downloads",
    "PIP_CERT": "downloads of wheels",
}
"""What OpenSSL, requests and pip read in this process and its children, and whom it lets them believe."""
FOLDER = "docker/certs"


def authorities(environment: Mapping[str, str], root: Path) -> Iterator[tuple[str, str, str]]:
    """Yield a name, what is trusted for what, and who said so; in the order of a table."""
    replaced = any(environment.get(name) for name, what in VARIABLES.items() if what is _EVERYWHERE)
    if not replaced:
        yield "system", SYSTEM, "default"
    for name, what in VARIABLES.items():
        if environment.get(name):
            yield name, f"{environment[name]} (for {what})", name
    if files := sorted((root / FOLDER).glob("*.crt")):
        yield "toolbox", f"{', '.join(file.name for file in files)} (in the toolbox)", FOLDER


def stray(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables that add authorities, or replace them, though nobody may have meant this suite."""
    return tuple(name for name in VARIABLES if environment.get(name))
