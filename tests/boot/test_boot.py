"""Boots a medium, as composed and replayed, in QEMU without KVM until the installer proves that it read the answers.

Long (minutes each): the session ``boot`` runs it, the default ones do not.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import socket
import subprocess  # noqa: TID251 - a machine runs on while it is listened to
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from goldsmith.media import composed, replayed
from goldsmith.tools import cpio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.composing import Composer

    Firmware = Callable[[Path], tuple[str, ...]]
    """Returns QEMU's options, given a folder for what the firmware writes."""

DEADLINE_SECONDS = 2400.0
"""Generous: emulated on a busy machine, an installer needs two to four minutes to its first word on the network."""
OVMF = Path("/usr/share/OVMF")
HOST = "10.0.2.2"
"""This machine, as QEMU's user network shows it to the guest."""

# The installer speaks to the network only once it is configured, and does not repeat what it said before:
# so the answers themselves start something that goes on speaking. It also reads a file in a folder of ours.
ANSWERS = r"""
d-i debian-installer/locale string en_US.UTF-8
d-i keyboard-configuration/xkb-keymap select us
d-i netcfg/choose_interface select auto
d-i netcfg/get_hostname string forged
d-i netcfg/get_domain string example.test
d-i mirror/country string manual
d-i mirror/http/hostname string mirror.example.com
d-i mirror/http/directory string /debian
d-i mirror/http/proxy string
d-i preseed/early_command string sh /goldsmith/boot/speak </dev/null >/dev/null 2>&1 3>&- 4>&- 5>&- 6>&- &
"""
WORD = "goldsmith.replayed"
SPEAK = """\
secure=$(dmesg | grep -c 'Secure boot enabled')
while sleep 1; do
  logger -t goldsmith-answers "marker=$(cat /goldsmith/boot/marker) secure=$secure host=$(hostname)" \
    "kernel=$(uname -r) replayed=$(grep -c WORD /proc/cmdline)"
done
""".replace("WORD", WORD)
MARKER = "anvil-4711"
HEARD = re.compile(r"goldsmith-answers: marker=(\S+) secure=(\d+) host=(\S+) kernel=(\S+) replayed=(\d)")


@dataclass(frozen=True)
class Heard:
    """What the answers said from within the running installer."""

    marker: str
    secure: bool
    kernel: str
    replayed: bool


def bios(_: Path) -> tuple[str, ...]:
    """Return QEMU's options for its BIOS."""
    return ("-machine", "q35")


def efi_secure(folder: Path) -> tuple[str, ...]:
    """Return QEMU's options for UEFI that starts nothing but what Microsoft's keys signed."""
    variables = shutil.copyfile(OVMF / "OVMF_VARS_4M.ms.fd", folder / "variables.fd")
    return (
        "-machine", "q35,smm=on",
        "-global", "driver=cfi.pflash01,property=secure,value=on",
        "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={OVMF / 'OVMF_CODE_4M.ms.fd'}",
        "-drive", f"if=pflash,format=raw,unit=1,file={variables}",
    )  # fmt: skip


@contextlib.contextmanager
def machine(iso: Path, firmware: tuple[str, ...], console: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a machine with vSphere's network card that boots *iso*, and end it with the block."""
    argv = (
        "qemu-system-x86_64", *firmware,
        "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1024",
        "-nodefaults", "-no-reboot", "-display", "none", "-vga", "std",
        "-serial", f"file:{console}",
        "-nic", "user,model=vmxnet3",
        "-device", "virtio-rng-pci",
        "-cdrom", str(iso),
    )  # fmt: skip
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def listen(listener: socket.socket, process: subprocess.Popen[bytes]) -> Heard | None:
    """Return the first thing the answers say; None when the machine ends or the deadline passes before."""
    end = time.monotonic() + DEADLINE_SECONDS
    with contextlib.closing(_Ended(process)) as ended:
        while (left := end - time.monotonic()) > 0:
            watched: list[socket.socket | _Ended] = [listener, ended]
            ready, _, _ = select.select(watched, [], [], left)
            if ended in ready:
                return None
            for _ in ready:
                if heard := HEARD.search(listener.recv(65535).decode(errors="replace")):
                    marker, secure, _, kernel, replayed = heard.groups()
                    return Heard(marker, secure != "0", kernel, replayed != "0")
    return None


class _Ended:
    """Becomes readable when a process ends."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._descriptor = os.pidfd_open(process.pid)

    def fileno(self) -> int:
        return self._descriptor

    def close(self) -> None:
        os.close(self._descriptor)


def made_again(composer: Composer, iso: Path) -> Path:
    """Return *iso* as it is made from a vendor's: its boot loaders give the kernel one more word."""
    root, output = composer.session.workspace.root, iso.with_name("replayed.iso")
    request = replayed.Replay(source=iso, words=(WORD,), root=root, output=output, epoch=1_700_000_000)
    replayed.make(request, runner=composer.session.runner, door=composer.session.toolbox())
    return output


@pytest.mark.parametrize("again", [False, True], ids=["composed", "replayed"])
@pytest.mark.parametrize("firmware", [bios, efi_secure])
def test_the_installer_reads_the_answers(
    firmware: Firmware, composer: Composer, tmp_path: Path, capsys: pytest.CaptureFixture[str], *, again: bool
) -> None:
    """The medium boots by itself, under Secure Boot as well, and the answers in its initrd take effect."""
    console = tmp_path / "console.log"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        medium = composer(
            {
                "preseed.cfg": cpio.File(ANSWERS.encode()),
                "goldsmith/boot/speak": cpio.File(SPEAK.encode()),
                "goldsmith/boot/marker": cpio.File(MARKER.encode()),
            },
            kernel_options=(*composed.KERNEL_OPTIONS, "console=ttyS0,115200n8", f"log_host={HOST}", f"log_port={port}"),
        )
        iso = made_again(composer, medium.path) if again else medium.path
        started = time.monotonic()
        with machine(iso, firmware(tmp_path), console) as process:
            heard = listen(listener, process)
    with capsys.disabled():
        print(f"\n{firmware.__name__}: the answers spoke after {time.monotonic() - started:.0f} s")  # noqa: T201 - its purpose
    assert heard, "the installer stayed silent; its console ended with:\n" + console.read_text(errors="replace")[-3000:]
    assert heard == Heard(MARKER, firmware is efi_secure, composer.kernel, again)
