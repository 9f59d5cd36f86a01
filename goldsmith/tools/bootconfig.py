"""Edits what a vendor's ISO tells its boot loaders: other words for the installer's kernel, and a menu that ends soon.

Only text goes in and comes out. Lines that start no installer stay as they are, byte for byte.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from goldsmith.errors import CheckError, ConfigurationError
from goldsmith.tools import grubscript

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SUMS = "md5sum.txt"
_SECONDS = 1
_APPEND = re.compile(r"(?i)(\s*append\s+)(.*)")
_LABEL = re.compile(r"(?i)\s*label\s")
_INITRD = re.compile(r"(?i)\s*initrd\s|.*\binitrd=")
_LINUX = re.compile(r"(\s*linux(?:16|efi)?\s+)(\S+)(.*)")
_GRUB_INITRD = re.compile(r"\s*initrd(?:16|efi)?\s")
_TARGET = re.compile(r"(?<=\s)---?(?=\s|$)")
"""What follows these dashes is given to the installed system's kernel."""
_SPECIAL = re.compile(r"[^A-Za-z0-9_.,:/@%+=-]")


_MAIN = frozenset({"isolinux.cfg", "syslinux.cfg", "extlinux.conf"})
"""What the syslinux family reads first; these files include all others."""


class Loader(StrEnum):
    """Whose configuration a file is."""

    SYSLINUX = "syslinux"
    GRUB = "grub"


def loader(path: str, text: str) -> Loader | None:
    """Return whose configuration the file *path* of an ISO is, or nothing when no kernel is started in it."""
    lines, commands = text.splitlines(), [command.text for command in grubscript.commands(text)]
    if any(_LINUX.fullmatch(command) for command in commands) and any(map(_GRUB_INITRD.match, commands)):
        return Loader.GRUB
    if _name(path) in _MAIN or any(_APPEND.fullmatch(line) for line in lines):
        return Loader.SYSLINUX
    return None


def edit(text: str, kind: Loader, words: Sequence[str]) -> str:
    """Return *text* with *words* on the command line of each installer's kernel, and with a short time-out.

    Words that are there already are not repeated, so editing twice changes nothing.
    Raises ``ConfigurationError`` for a word that a command line cannot hold.
    """
    for word in words:
        if not word or re.search(r"[\s\x00-\x20\x7f-\uffff'\"\\]", word):
            raise ConfigurationError(
                f"{word!r} cannot stand on a kernel's command line",
                next="give options without blanks, quotes and backslashes; put the value into the answers instead",
            )
    return _syslinux(text, words) if kind is Loader.SYSLINUX else _grub(text, words)


def edited(files: Mapping[str, str], words: Sequence[str]) -> dict[str, str]:
    """Return those of *files* (path to text) that are other ones with *words*.

    Raises ``CheckError`` when no boot loader on the ISO starts an installer.
    """
    kinds = {path: kind for path, text in files.items() if (kind := loader(path, text))}
    made = {path: edit(files[path], kind, words) for path, kind in kinds.items()}
    made |= {path: _with_time_out(text) for path, text in made.items() if _name(path) in _MAIN}
    if not any(set(words) <= set(re.split(r"[\s']+", text)) for text in made.values()):
        raise CheckError(
            "no boot loader's configuration on the ISO starts an installer",
            why=f"looked at: {', '.join(sorted(files)) or 'no file that ends in .cfg'}",
            next="name the ISO of an installer; what the suite can edit are isolinux, syslinux and GRUB",
        )
    return {path: text for path, text in made.items() if text != files[path]}


def updated_sums(text: str, sums: Mapping[str, str]) -> str:
    """Return the ``md5sum.txt`` *text* with the new *sums* (path on the ISO to md5) of the files that it lists."""

    def line(found: re.Match[str]) -> str:
        path = found[3].removeprefix("./").lstrip("/")
        return f"{sums[path]}{found[2]}{found[3]}" if path in sums else found[0]

    return re.sub(r"(?m)^([0-9a-f]{32})([ ][ *])(.+?)$", line, text)


def _name(path: str) -> str:
    return path.rsplit("/", 1)[-1].lower()


def _with_time_out(text: str) -> str:
    """Return a main file of the syslinux family with a time-out: without any, its menu waits for ever."""
    return text if re.search(r"(?im)^\s*timeout\s", text) else f"timeout {_SECONDS * 10}\n{text}"


def _with(line: str, words: Sequence[str], *, quoted: bool) -> str:
    """Return the kernel's words in *line* with *words* added before those of the installed system."""
    had = {word.strip("'") for word in line.split()}
    missing = [f"'{word}'" if quoted and _SPECIAL.search(word) else word for word in words if word not in had]
    if not missing:
        return line
    dashes = _TARGET.search(f" {line}")
    at = dashes.start() - 1 if dashes else len(line.rstrip())
    before, after = line[:at].rstrip(), line[at:].lstrip(" ")
    return " ".join(part for part in (before, *missing, after) if part)


def _syslinux(text: str, words: Sequence[str]) -> str:
    lines = text.split("\n")
    blocks: list[list[int]] = [[]]
    for number, line in enumerate(lines):
        if _LABEL.match(line):
            blocks.append([])
        blocks[-1].append(number)
    for block in blocks:
        if not any(_INITRD.match(lines[number]) for number in block):
            continue
        for number in block:
            if found := _APPEND.fullmatch(lines[number]):
                lines[number] = found[1] + _with(found[2], words, quoted=False)
    # In tenths of a second; 0 waits for ever. A graphical menu would ask for the language first.
    edited_lines = [re.sub(r"(?i)^(\s*timeout\s+)\d+", rf"\g<1>{_SECONDS * 10}", line) for line in lines]
    return "\n".join(re.sub(r"(?i)^(\s*)(ui\s+gfxboot\b)", r"\1# \2", line) for line in edited_lines)


def _grub(text: str, words: Sequence[str]) -> str:
    made, done = "", 0
    waiting: grubscript.Command | None = None
    for command in grubscript.commands(text):
        if _LINUX.fullmatch(command.text):
            waiting = command
        elif command.text == grubscript.END_OF_BLOCK:
            waiting = None
        elif waiting is not None and _GRUB_INITRD.match(command.text):
            made += text[done : waiting.start] + _started(waiting, text, words)
            done, waiting = waiting.end, None
    made += text[done:]
    if made == text and waiting is None and "linux" not in text:
        return text
    changed, count = re.subn(r"(?m)^(\s*set\s+timeout=)\S+", rf"\g<1>{_SECONDS}", made)
    return changed if count else f"set timeout={_SECONDS}\n{made}"


def _started(command: grubscript.Command, text: str, words: Sequence[str]) -> str:
    """Return the command that starts a kernel, with *words*; one that has them stays as it was written."""
    found = _LINUX.fullmatch(command.text)
    assert found  # noqa: S101 - it matched before
    had = found[3].lstrip(" \t")
    given = _with(had, words, quoted=True)
    return text[command.start : command.end] if given == had else f"{found[1]}{found[2]} {given}"
