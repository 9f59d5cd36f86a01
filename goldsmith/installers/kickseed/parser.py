"""What Ubuntu's kickseed reads: values quoted for it, and what its own parser says of a rendered ``ks.cfg``."""

from __future__ import annotations

import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from goldsmith.host.runner import Command
    from goldsmith.tools.door import Door

ANSWER_FILE = "ks.cfg"
_PLAIN = re.compile(r"[A-Za-z0-9_.,:/@%+=$-]+")

REQUIRED = (
    "debian-installer/locale",
    "time/zone",
    "clock-setup/utc",
    "clock-setup/ntp",
    "passwd/root-login",
    "passwd/make-user",
    "passwd/user-fullname",
    "passwd/username",
    "passwd/user-password-crypted",
    "mirror/country",
    "mirror/http/hostname",
    "mirror/http/directory",
    "mirror/http/proxy",
    "partman-auto/disk",
    "partman-auto/method",
    "partman-auto/choose_recipe",
    "partman-lvm/confirm",
    "partman-lvm/confirm_nooverwrite",
    "partman-partitioning/confirm_write_new_label",
    "partman/choose_partition",
    "partman/confirm",
    "partman/confirm_nooverwrite",
    "grub-installer/bootdev",
    "pkgsel/include",
    "finish-install/reboot_in_progress",
)
"""What an installation to a disk with LVM asks, under the names of kickseed's time."""


def quote(value: str) -> str:
    r"""Return *value* as one word of a directive.

    kickseed puts a backslash before every ``$`` and gives the line to ``eval``: so ``$``
    is as it is, within double quotes or without; single quotes would keep that backslash.
    Raises ``ValueError`` for a line break, which no directive can hold.
    """
    if set(value) & set("\n\r\0"):
        msg = "a kickstart directive is one line"
        raise ValueError(msg)
    if _PLAIN.fullmatch(value):
        return value
    return '"' + re.sub(r'([\\"`])', r"\\\1", value) + '"'


@dataclass(frozen=True)
class Answer:
    """One answer that kickseed gives the installer."""

    owner: str
    question: str
    type: str
    value: str


@dataclass(frozen=True)
class Reading:
    """What kickseed makes of a file."""

    answers: tuple[Answer, ...]
    complaints: tuple[str, ...]
    """What it does not know or ignores; it carries on all the same, with status 0."""
    scripts: tuple[str, ...]
    """The ``%post`` scripts, as they will run."""

    def value(self, question: str) -> str | None:
        """Return what a question is answered with in the end, or nothing."""
        return next((answer.value for answer in reversed(self.answers) if answer.question == question), None)


_MARK = "\x1e"
_SCRIPT = r"""
set -eu
cd "$1"
tools=$PWD/tools
mkdir "$tools"
for tool in $(./busybox --list); do ln -s ../busybox "$tools/$tool"; done
exec "$tools/sh" -c '
PATH=$1 HANDLERS=$PWD/handlers SPOOL=$PWD/spool SUPPORTEDLOCALES=/dev/null
mkdir -p "$SPOOL"
. ./kickseed.sh
say() { printf "\036%s" "$1"; shift; for part; do printf "\037%s" "$part"; done; printf "\n"; }
ks_log() { say complaint "$*"; }
ks_preseed() { say answer "$1" "$2" "$3" "$4"; }
ks_run_script() { :; }
ks_run_handler() { :; }
kickseed ./ks.cfg 2>errors
while read -r line; do say complaint "$line"; done <errors
for script in "$POSTSPOOL"/*.script; do say script "$(cat "$script")"; done
' kickseed "$tools"
"""
"""Runs kickseed in the installer's own shell, with the installer's own tools. What it would do is only said."""


def parse(door: Door, folder: str) -> Command:
    """Return the command that lets kickseed read ``ks.cfg`` in *folder*, which :data:`PARTS` describes."""
    return door.command(("sh", "-c", _SCRIPT, "parse", folder), env={"LC_ALL": "C"})


PARTS = {"busybox": "of the installer's initrd", "kickseed.sh": "of kickseed-common", "handlers": "of kickseed-common"}
"""What *folder* must hold beside ``ks.cfg``, and where it is from."""
LIBRARY = "lib/kickseed/"
BUSYBOX = ("usr/bin/busybox", "bin/busybox")


def verdict(printed: str) -> Reading:
    """Return what the command of :func:`parse` printed."""
    answers, complaints, scripts = [], [], []
    for record in printed.split(_MARK)[1:]:
        kind, *parts = record.removesuffix("\n").split("\x1f")
        match kind, parts:
            case "answer", [owner, question, type_, value]:
                answers.append(Answer(owner, question, type_, value))
            case "script", [text]:
                scripts.append(text)
            case _:
                complaints.append(" ".join(parts))
    return Reading(tuple(answers), tuple(complaints), tuple(scripts))


def judge(found: Reading) -> None:
    """Raise ``CheckError`` when kickseed ignores something of the file, or leaves a question open."""
    answered = {answer.question for answer in found.answers}
    problems = [f"kickseed says: {text}" for text in found.complaints]
    problems += [
        f"{question} has no answer; the installer would ask" for question in REQUIRED if question not in answered
    ]
    if len(found.scripts) != 1:
        problems.append(f"{len(found.scripts)} %post scripts were understood instead of 1")
    if problems:
        raise CheckError(
            "ks.cfg would not install unattended" + (f" ({len(problems)} mistakes)" if len(problems) > 1 else ""),
            where=ANSWER_FILE,
            why="\n".join(problems),
            next="correct the template in kickstart/kickseed/, or the value it takes from config/",
        )


def from_initrd(data: bytes, names: tuple[str, ...]) -> bytes:
    """Return the first regular file among *names* of an uncompressed ``newc`` archive.

    Raises ``CheckError`` when it has none of them.
    """
    wanted = set(names)
    for name, mode, content in _entries(data):
        if name in wanted and stat.S_ISREG(mode) and content:
            return content
    raise CheckError(
        "the installer's initrd lacks a program",
        where="the package debian-installer of docker/lock.json",
        why=f"none of {', '.join(names)}",
        next="the package changed its layout: lock another version of it",
    )


def _entries(data: bytes) -> Iterator[tuple[str, int, bytes]]:
    at = 0
    while data[at : at + 6] == b"070701":
        mode, size, length = (int(data[at + start : at + start + 8], 16) for start in (14, 54, 94))
        name = data[at + 110 : at + 110 + length - 1].decode(errors="surrogateescape")
        start = (at + 110 + length + 3) & ~3
        yield name.removeprefix("./"), mode, data[start : start + size]
        at = (start + size + 3) & ~3
