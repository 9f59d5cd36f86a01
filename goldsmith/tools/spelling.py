"""How vSphere spells names: in its API, and so in every path, slash, backslash and per cent are ``%2f %5c %25``."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPELT = {"%": "%25", "/": "%2f", "\\": "%5c"}
_PLAIN = {spelt: plain for plain, spelt in _SPELT.items()}
_PATTERN = re.compile(r"[*?\[]")


def escape(name: str) -> str:
    """Return a name as the API writes it, fit to be one part of a path."""
    return re.sub(r"[%/\\]", lambda found: _SPELT[found[0]], name)


def unescape(text: str) -> str:
    """Return a name as people see it; any other per cent sign stays one."""
    return re.sub("%(?:25|2f|5c)", lambda found: _PLAIN[found[0].lower()], text, flags=re.IGNORECASE)


def canonical(path: str) -> str:
    """Return *path* with each of its parts spelt as the API does; only its slashes separate them."""
    return "/".join(escape(unescape(part)) for part in path.split("/"))


def plain(path: str) -> str:
    """Return *path* as people see it, where a slash may be a part of a name as well as between two."""
    return "/".join(map(unescape, path.split("/")))


def literal(path: str) -> str:
    """Return *path* for Packer's plugin and govc, which read each part of a path as a pattern of file names."""
    return _PATTERN.sub(lambda found: "\\" + found[0], path)


def is_pattern(name: str) -> bool:
    """Return whether a tool that takes names for patterns would take this one for another."""
    return _PATTERN.search(name) is not None


@dataclass(frozen=True, kw_only=True)
class Paths:
    """How Packer and govc are told the places: by inventory paths, as the API spells them."""

    datacenter: str
    """Below the root, without a slash before it."""
    cluster: str
    """Below the datacenter's folder of hosts."""
    pool: str
    """Below the cluster's own; empty for that."""
    folder: str
    """Below the datacenter's folder of machines; empty for that."""
    datastore: str
    media_datastore: str
    network: str

    def machine(self, name: str) -> str:
        """Return the inventory path of a machine that lies directly in the folder."""
        within = f"{self.folder}/" if self.folder else ""
        return f"/{self.datacenter}/vm/{within}{literal(escape(name))}"
