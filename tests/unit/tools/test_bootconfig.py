"""Boot loaders' configurations are edited where an installer starts, and nowhere else."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import CheckError, ConfigurationError
from goldsmith.tools import bootconfig
from goldsmith.tools.bootconfig import Loader

WORDS = ("ks=floppy", "locale=en_US.UTF-8")
ISOLINUX = """\
default vesamenu.c32
prompt 0
timeout 300
ui gfxboot bootlogo
label install
  menu label ^Install
  kernel /install/vmlinuz
  append vga=788 initrd=/install/initrd.gz --- quiet
label memtest
  kernel /install/mt86plus
  append -
label hd
  localboot 0x80
"""
GRUB = """\
set timeout=-1
menuentry "Install" {
	linux	/install/vmlinuz  file=/cdrom/x.seed quiet ---
	initrd	/install/initrd.gz
}
menuentry "Memory test" {
	linux16	/install/mt86plus
}
"""


def test_isolinux() -> None:
    """The installer's words come before those of the installed system; the menu ends after a second."""
    text = bootconfig.edit(ISOLINUX, Loader.SYSLINUX, WORDS)
    assert "  append vga=788 initrd=/install/initrd.gz ks=floppy locale=en_US.UTF-8 --- quiet\n" in text
    assert "timeout 10\n" in text
    assert "# ui gfxboot" in text
    assert "append -\n" in text


def test_grub() -> None:
    """The same for GRUB; what starts no installer stays as it is."""
    text = bootconfig.edit(GRUB, Loader.GRUB, (*WORDS, "ds=nocloud;s=/cdrom/"))
    assert "file=/cdrom/x.seed quiet ks=floppy locale=en_US.UTF-8 'ds=nocloud;s=/cdrom/' ---\n" in text
    assert "set timeout=1\n" in text
    assert "linux16	/install/mt86plus\n" in text


CONTINUED = """\
set timeout=5
menuentry "Install" --class a \\
  --class b {
\tlinux /install/vmlinuz \\
\t  file=/cdrom/x.seed \\
\t  quiet ---
\tinitrd /install/initrd.gz
}
"""


def test_a_grub_command_that_goes_on_in_the_next_line() -> None:
    """All of it stays, and the words come before those of the installed system."""
    text = bootconfig.edit(CONTINUED, Loader.GRUB, WORDS)
    [command] = [line for line in text.splitlines() if "linux" in line]
    assert command.split() == ["linux", "/install/vmlinuz", "file=/cdrom/x.seed", "quiet", *WORDS, "---"]
    assert bootconfig.edit(text, Loader.GRUB, WORDS) == text
    assert bootconfig.loader("boot/grub/grub.cfg", CONTINUED) is Loader.GRUB
    there = CONTINUED.replace("quiet", " ".join(WORDS)).replace("=5", "=1")
    assert bootconfig.edit(there, Loader.GRUB, WORDS) == there


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("menuentry a { linux /v quiet; initrd /i; }", "linux /v quiet ks=floppy locale=en_US.UTF-8; initrd /i;"),
        ("linux /v 'a;b' --- # it's; one\ninitrd /i", "linux /v 'a;b' ks=floppy locale=en_US.UTF-8 --- # it's; one"),
        ('linux /v x="a } b"\ninitrd /i', 'linux /v x="a } b" ks=floppy locale=en_US.UTF-8\n'),
        ("linux /v root=${root}\ninitrd /i", "linux /v root=${root} ks=floppy locale=en_US.UTF-8\n"),
        ("# linux /no \\\nlinux /v\ninitrd /i", "linux /v ks=floppy locale=en_US.UTF-8\n"),
    ],
)
def test_grub_commands_are_no_lines(text: str, expected: str) -> None:
    """Several in a line, quotes, variables and comments are read as GRUB reads them."""
    assert expected in bootconfig.edit(text, Loader.GRUB, WORDS)


def test_a_grub_menu_that_names_no_time() -> None:
    """Without a time-out GRUB waits for ever: one is set."""
    text = bootconfig.edit(GRUB.replace("set timeout=-1\n", ""), Loader.GRUB, WORDS)
    assert text.startswith("set timeout=1\n")


def test_a_main_file_without_a_time_out() -> None:
    """ISOLINUX's own file includes the one with the kernels; without a time-out its menu would wait for ever."""
    main = "include menu.cfg\ndefault vesamenu.c32\nprompt 0\n"
    made = bootconfig.edited({"isolinux/isolinux.cfg": main, "isolinux/txt.cfg": ISOLINUX}, WORDS)
    assert made["isolinux/isolinux.cfg"] == f"timeout 10\n{main}"
    assert made["isolinux/txt.cfg"].count("timeout") == 1
    assert bootconfig.edited(made, WORDS) == {}


@pytest.mark.parametrize(("text", "kind"), [(ISOLINUX, Loader.SYSLINUX), (GRUB, Loader.GRUB)])
@given(
    words=st.lists(st.from_regex(r"[a-z][a-z0-9./_-]{0,9}(=[A-Za-z0-9.:/,;_-]{0,12})?", fullmatch=True), max_size=4),
    noise=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\n\r{}"), max_size=30), max_size=4),
)
def test_editing_twice_is_editing_once(text: str, kind: Loader, words: list[str], noise: list[str]) -> None:
    """Whatever the words and whatever else is in the file; and no line is lost."""
    source = text + "".join(f"# {line}\n" for line in noise)
    once = bootconfig.edit(source, kind, words)
    assert bootconfig.edit(once, kind, words) == once
    assert once.count("\n") == source.count("\n")
    assert "".join(f"# {line}\n" for line in noise) in once


@pytest.mark.parametrize("word", ["a b", "a'b", 'a"b', "a\\b", "", "a\nb", "æ"])
def test_words_that_a_command_line_cannot_hold(word: str) -> None:
    """Blanks and quotes are read differently by each boot loader: refused."""
    with pytest.raises(ConfigurationError):
        bootconfig.edit(ISOLINUX, Loader.SYSLINUX, [word])


def test_an_iso_without_an_installer() -> None:
    """Nothing to edit is an error that says what was looked at."""
    with pytest.raises(CheckError, match=r"autorun\.cfg"):
        bootconfig.edited({"autorun.cfg": "hello\n"}, WORDS)


def test_only_what_changed_is_returned() -> None:
    """A file that starts nothing is not touched."""
    files = {"isolinux/isolinux.cfg": ISOLINUX, "boot/grub/grub.cfg": GRUB, "boot/grub/theme.cfg": "set color=blue\n"}
    made = bootconfig.edited(files, WORDS)
    assert sorted(made) == ["boot/grub/grub.cfg", "isolinux/isolinux.cfg"]
    assert bootconfig.edited({**files, **made}, WORDS) == {}


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}(/[a-z.]{1,8})?", fullmatch=True), st.binary(max_size=9), min_size=1))
def test_sums_follow_the_files(files: dict[str, bytes]) -> None:
    """The changed files' sums are new, the others' stay, in their order."""
    sums = {path: hashlib.md5(data).hexdigest() for path, data in files.items()}  # noqa: S324 - the format's own hash
    text = "".join(f"{'0' * 32}  ./{path}\n" for path in files) + f"{'1' * 32}  ./other\n"
    updated = bootconfig.updated_sums(text, sums)
    assert (
        updated == "".join(f"{sums[path]}  ./{path}\n" for path in files) + f"{'1' * 32}  ./other\n" or "other" in files
    )
