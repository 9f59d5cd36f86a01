"""Debian and what descends from it, as far as the suite itself has to know."""

from __future__ import annotations

PURL_TYPE = "deb"
"""The type in a package URL: https://github.com/package-url/purl-spec."""
