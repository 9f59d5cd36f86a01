"""What must be the same before and after a replay is read out of xorriso's report."""

from __future__ import annotations

import pytest

from goldsmith.tools import replay

REPORT = """\
El Torito catalog  : 36  1
El Torito boot img :   1  BIOS  y   none  0x0000  0x00      4         757
El Torito boot img :   2  UEFI  y   none  0x0000  0x00   2880          37
El Torito img path :   1  /isolinux/isolinux.bin
El Torito img opts :   1  boot-info-table
El Torito img path :   2  /boot/grub/efi.img
System area options: 0x00000900
System area summary: MBR cyl-align-on GPT
ISO image size/512 : 10240
MBR heads per cyl  : 64
MBR partition table:   N Status  Type        Start       Blocks
MBR partition      :   1   0x80  0x00            0        10240
MBR partition      :   2   0x00  0xef          148         2880
MBR partition path :   2  /boot/grub/efi.img
GPT disk GUID      :      e6c4b5b4c569fc41aa16b8df912c506f
GPT partname local :   1  ISOHybrid
GPT type GUID      :   1  a2a0d0ebe5b9334487c068b6b72699c7
GPT partition flags:   1  0x1000000000000001
GPT start and size :   1  0  10176
GPT type GUID      :   2  a2a0d0ebe5b9334487c068b6b72699c7
GPT partition flags:   2  0x1000000000000001
GPT start and size :   2  148  2880
GPT partition path :   2  /boot/grub/efi.img
System area sha256 : 12ab  -
"""


def test_what_a_larger_medium_changes() -> None:
    """Its size, what xorriso concludes from that, and the place of the catalog do not count."""
    grown = REPORT.replace("catalog  : 36", "catalog  : 783").replace("512 : 10240", "512 : 10368")
    grown = grown.replace("0x00000900", "0x00000a00").replace("cyl-align-on", "cyl-align-off")
    assert replay.structure(grown) == replay.structure(REPORT)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("UEFI  y", "UEFI  n", id="not bootable"),
        pytest.param("isolinux.bin", "other.bin", id="another image"),
        pytest.param("boot-info-table", "", id="an option"),
        pytest.param("0x80  0x00", "0x00  0x00", id="MBR not active"),
        pytest.param("0x00  0xef", "0x00  0x83", id="MBR type"),
        pytest.param("         757", "         758", id="an image elsewhere"),
        pytest.param("12ab", "12ac", id="the system area"),
        pytest.param("GPT partition path :   2  /boot", "GPT partition path :   2  /other", id="GPT path"),
        pytest.param(
            "GPT type GUID      :   2  a2a0d0eb", "GPT type GUID      :   2  28732ac1", id="GPT type of the EFI image"
        ),
        pytest.param("GPT partition flags:   2  0x1", "GPT partition flags:   2  0x0", id="GPT flags"),
    ],
)
def test_what_counts(before: str, after: str) -> None:
    """Each difference in how the medium boots is one."""
    assert before in REPORT
    assert replay.structure(REPORT.replace(before, after)) != replay.structure(REPORT)
