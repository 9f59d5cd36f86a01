"""What the boot loaders of a composed medium are told: start the installer at once, with these kernel options."""

from __future__ import annotations

from goldsmith.errors import ConfigurationError

KERNEL = "/boot/linux"
INITRD = "/boot/initrd.gz"

_ISOLINUX_LIMIT = 2048
"""ISOLINUX cuts a longer kernel command line without a word (COMMAND_LINE_SIZE of the x86 kernel)."""


def isolinux(options: tuple[str, ...]) -> bytes:
    """Return ``isolinux.cfg`` for BIOS machines: no prompt, no menu, no wait."""
    lines = (
        "DEFAULT install",
        "PROMPT 0",
        "TIMEOUT 1",
        "LABEL install",
        f"  KERNEL {KERNEL}",
        f"  INITRD {INITRD}",
        f"  APPEND {_line(options)}",
    )
    return "".join(f"{line}\n" for line in lines).encode()


def grub(options: tuple[str, ...]) -> bytes:
    """Return ``grub.cfg`` for UEFI machines: the commands themselves instead of a menu."""
    return f"linux {KERNEL} {_line(options)}\ninitrd {INITRD}\nboot\n".encode()


def _line(options: tuple[str, ...]) -> str:
    line = " ".join(options)
    # Quoting differs between the two loaders and the kernel; nothing of ours needs it.
    if bad := next((c for c in line if not (c.isascii() and c.isprintable()) or c in "\"'\\$;{}#<>|&"), None):
        raise ConfigurationError(
            f"a kernel option has the character {bad!r}, which the boot loaders treat in different ways",
            where=line,
            next="put the value into the answers instead",
        )
    if len(line) >= _ISOLINUX_LIMIT:
        raise ConfigurationError(
            "the kernel options are too long", where=f"{len(line)} characters", why=f"at most {_ISOLINUX_LIMIT - 1} fit"
        )
    return line
