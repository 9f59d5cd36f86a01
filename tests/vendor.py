"""Makes an ISO as vendors ship it: it boots by BIOS and UEFI from CD and disk, and has Ubuntu 16.04's kind of menus."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.wiring import Session

FILES = {
    "isolinux/isolinux.cfg": b"path \ninclude menu.cfg\ndefault vesamenu.c32\nprompt 0\ntimeout 300\n"
    b"ui gfxboot bootlogo\n",
    # A menu in Danish, and not in UTF-8.
    "isolinux/menu.cfg": b"menu title Installations\xe6ble\ninclude txt.cfg\ninclude adtxt.cfg\n",
    "isolinux/txt.cfg": b"default install\nlabel install\n  menu label ^Install\xe9r\n  kernel /install/vmlinuz\n"
    b"  append vga=788 initrd=/install/initrd.gz --- quiet\n",
    "isolinux/adtxt.cfg": b"LABEL expert\n\tKERNEL /install/vmlinuz\n\tINITRD /install/initrd.gz\n"
    b"\tAPPEND priority=low --\nlabel memtest\n  kernel /install/mt86plus\n",
    "boot/grub/grub.cfg": b'if loadfont /boot/grub/font.pf2 ; then\n\tset gfxmode=auto\nfi\nmenuentry "Install" {\n'
    b"\tset gfxpayload=keep\n\tlinux\t/install/vmlinuz  file=/cdrom/x.seed quiet ---\n"
    b"\tinitrd\t/install/initrd.gz\n}\n",
    "EFI/BOOT/grub.cfg": b"search --file --set=root /.disk/info\nconfigfile /boot/grub/grub.cfg\n",
    ".disk/info": b"Ubuntu-Server 16.04\n",
}

_MAKE = """\
set -eu
cd "$1"
mkdir -p tree/install
printf 'kernel' >tree/install/vmlinuz
head -c 4096 /dev/zero >tree/isolinux/isolinux.bin
head -c 432 /dev/zero >mbr.bin
mformat -C -i tree/boot/grub/efi.img -T 2880 -h 2 -s 18 ::
(cd tree &&
  find . -type f ! -name md5sum.txt ! -name isolinux.bin ! -name large -exec md5sum {} + >md5sum.txt)
xorriso -as mkisofs -quiet -r -J -V 'Ubuntu 16.04' -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot \\
 -boot-load-size 4 -boot-info-table -isohybrid-mbr mbr.bin -eltorito-alt-boot -e boot/grub/efi.img -no-emul-boot \\
 -isohybrid-gpt-basdat -o vendor.iso tree
"""


def make(session: Session, folder: Path, *, large: Path | None = None) -> Path:
    """Return ``vendor.iso`` in *folder* below the repository; *large* is moved into it as one more file."""
    tree = folder / "tree"
    for name, data in FILES.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes(data)
    shutil.copy(tree / "boot/grub/grub.cfg", tree / "boot/grub/loopback.cfg")
    (tree / "install").mkdir()
    (tree / "install/initrd.gz").write_bytes(bytes(3_000_000))
    if large is not None:
        large.rename(tree / "install/large")
    inside = folder.relative_to(session.workspace.root).as_posix()
    session.runner.run(session.toolbox().command(("sh", "-c", _MAKE, "make", inside)))
    shutil.rmtree(tree)
    return folder / "vendor.iso"
