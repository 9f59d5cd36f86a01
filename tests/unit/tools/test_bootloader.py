"""Both boot loaders start the installer at once, with the same kernel options."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import ConfigurationError
from goldsmith.tools import bootloader

OPTIONS = ("auto=true", "priority=critical", "log_host=10.0.2.2")


def test_isolinux_neither_asks_nor_waits() -> None:
    """The whole file, as it was reviewed."""
    assert bootloader.isolinux(OPTIONS).decode() == (
        "DEFAULT install\n"
        "PROMPT 0\n"
        "TIMEOUT 1\n"
        "LABEL install\n"
        "  KERNEL /boot/linux\n"
        "  INITRD /boot/initrd.gz\n"
        "  APPEND auto=true priority=critical log_host=10.0.2.2\n"
    )


def test_grub_has_no_menu() -> None:
    """The whole file, as it was reviewed: a menu's default entry would wait."""
    assert bootloader.grub(OPTIONS).decode() == (
        "linux /boot/linux auto=true priority=critical log_host=10.0.2.2\ninitrd /boot/initrd.gz\nboot\n"
    )


@pytest.mark.parametrize("option", ["x='1'", 'x="1"', "x=a;b", "x=$y", "x=\\", "x=ø", "x=\n", "#x"])
def test_what_needs_quoting_is_refused(option: str) -> None:
    """ISOLINUX, GRUB and the kernel quote in three ways; an option must mean the same to each."""
    for render in (bootloader.isolinux, bootloader.grub):
        with pytest.raises(ConfigurationError, match="different ways"):
            render((*OPTIONS, option))


def test_a_line_that_the_kernel_would_cut_is_refused() -> None:
    """Cut silently, the last option would be missing on BIOS machines alone."""
    bootloader.isolinux(("x" * 2047,))
    with pytest.raises(ConfigurationError, match="too long"):
        bootloader.isolinux(("x" * 2048,))


@given(st.lists(st.from_regex(r"[a-z_/-]+=[A-Za-z0-9.,:/-]*", fullmatch=True), max_size=10))
def test_every_accepted_option_reaches_both(options: list[str]) -> None:
    """No option gets lost or changed on the way."""
    isolinux, grub = bootloader.isolinux(tuple(options)).decode(), bootloader.grub(tuple(options)).decode()
    assert isolinux.split("APPEND", 1)[1].split() == options
    assert grub.splitlines()[0].split()[2:] == options
