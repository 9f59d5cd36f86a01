"""Asks a Debian mirror which kernels it has installer modules (udebs) for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError, GoldsmithError, MissingObjectError, ToolError, UnreachableError
from goldsmith.tools.door import engine_gone

if TYPE_CHECKING:
    from goldsmith.host.runner import Command, Completed
    from goldsmith.tools.door import Door

# Every mirror has one of the two forms. curl ends with 22 when the server answers with an error,
# of which a missing file is the only one the other form can help with. The index has some 100 kB, 1 MB unpacked:
# what sends much more is no mirror, and curl notices that (63), or that nobody reads any more (23).
_LIST = """\
set -u
for form in gz:gzip xz:xz; do
  curl --fail --silent --show-error --location --connect-timeout 20 --max-time 120 --max-filesize 20M \\
    "$1.${form%:*}" | "${form#*:}" -dc 2>/dev/null | head -c 200M \\
    | sed -n 's/^Package: kernel-image-\\(.\\{1,80\\}\\)-di$/\\1/p' | head -n 1000
  ended=("${PIPESTATUS[@]}")
  if [ "${ended[0]}" = 0 ]; then [ "${ended[1]}" = 0 ] || exit 65; exit 0; fi
  case ${ended[0]} in 22) ;; 23 | 63) exit 65 ;; *) exit "${ended[0]}" ;; esac
done
exit 22
"""
_HTTP_ERROR = 22
_DAMAGED = 65
_CURL_ERRORS = range(1, 64)


def kernels(door: Door, *, mirror: str, suite: str, proxy: str = "") -> Command:
    """Return the command that prints the kernels of the mirror's installer modules, a release a line.

    It runs in the toolbox, which on the lab is the only place that sees the mirror.
    """
    return door.command(
        ("bash", "-c", _LIST, "kernels", index_url(mirror, suite)),
        env={"LC_ALL": "C"},
        secrets={"http_proxy": proxy, "https_proxy": proxy} if proxy else {},  # it may have a password
    )


def index_url(mirror: str, suite: str) -> str:
    """Return the address of the index of installer modules, without the ending of its compressed forms."""
    return f"{mirror.rstrip('/')}/dists/{suite}/main/debian-installer/binary-amd64/Packages"


def check(completed: Completed, *, release: str, url: str) -> None:
    """Judge what the mirror said: it must have the modules of the installer's kernel *release*.

    Without them the installer stops after minutes with "no kernel modules were found".

    Raises ``CheckError`` when they are gone, ``UnreachableError`` when the mirror
    does not answer, ``MissingObjectError`` when it has no installer modules at all.
    """
    if completed.returncode != 0:
        raise _failed(completed, url)
    listed = completed.stdout.split()
    if release in listed:
        return
    raise CheckError(
        "the installer's kernel modules are gone from the mirror",
        where=url,
        why=f"the locked installer runs {release}; the mirror has modules for " + (", ".join(listed) or "no kernel"),
        next="relock: 'invoke lock' takes the installer that fits today's mirror; or name a mirror that keeps them",
    )


def _failed(completed: Completed, url: str) -> GoldsmithError:
    if gone := engine_gone(completed.stderr):
        return gone
    said = re.sub(r"(?m)^curl: ", "", completed.stderr.strip() or completed.stdout.strip())
    if completed.returncode == _HTTP_ERROR and "404" in said:
        return MissingObjectError(
            "the mirror has no installer modules for this release",
            where=url,
            why=said,
            next="correct the mirror of the site, or choose one that carries main/debian-installer",
        )
    if completed.returncode == _DAMAGED:
        return UnreachableError(
            "what answers for the mirror is not a mirror",
            where=url,
            why="it sent something that is not a compressed package index, or did not end",
            next="open the address in a browser: a proxy or a login page may stand between",
        )
    if completed.returncode in _CURL_ERRORS:
        return UnreachableError(
            "the mirror does not answer",
            where=url,
            why=said,
            next="check the mirror and the proxy of the site; the guests will need them as well",
        )
    return ToolError(
        "the mirror cannot be asked for its installer modules",
        where=url,
        why=said or f"the command ended with status {completed.returncode} and printed nothing",
        next="run 'invoke shell' and try curl on the address there",
    )
