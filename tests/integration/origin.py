"""What the pipeline of 2018 set, item by item, and how each is seen: in the template, on the vCenter, or in kickseed.

The guest is Debian 13. What it cannot show has *not_shown*, which says why; something else
is asserted of it all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from goldsmith.installers.kickseed.parser import Reading
    from tests.integration.inventory import Lab
    from tests.integration.test_base import Forged

CERTIFICATES = "/usr/local/share/ca-certificates/goldsmith"
STOCK = "build-essential curl dnsmasq dnsmasq-base dnsmasq-utils htop nfs-common open-vm-tools ssh unzip vim wget"
TRANSLATED = {"dnsutils": "bind9-dnsutils", "man": "man-db", "ntp": "ntpsec", "rng-tools": "rng-tools5"}
"""What Debian 13 calls packages of the list otherwise; software-properties-common it does not have."""


def variables(lab: Lab, vcenter: str = "lab") -> dict[str, str]:
    """Return the origin's variables for one of a lab's vCenters, without those that a build of one's own may add."""
    told = lab.vcenter(vcenter)
    return {
        "VSPHERE_SERVER": told["server"],
        "VSPHERE_USER": told["user"],
        "VSPHERE_PASSWORD": lab.password(vcenter),
        "CLUSTER": "DC0_C0",
        "DATACENTER": "DC0",
        "DATASTORE": told["datastore"],
        "FOLDER": "goldsmith",
        "NETWORK": "VM Network",
        "RESOURCE_POOL": "",
        "ISO_DATASTORE": told["datastore"],
    }


@dataclass(frozen=True)
class Seen:
    """A template made as the origin did, from every side."""

    forged: Forged
    hardware: Mapping[str, Any]
    """Properties of the template, from the vCenter."""
    kickseed: Reading
    variables: Mapping[str, Any]
    """What Packer was given."""
    account: str
    password_hash: str
    iso: str
    operators: tuple[str, ...]
    """The authorized keys, as the operator wrote them."""

    def device(self, kind: str) -> Any:
        """Return the one device whose class has this name, or nothing."""
        found = [one for one in self.hardware["config.hardware"].device if type(one).__name__.endswith(f".{kind}")]
        assert len(found) < 2
        return found[0] if found else None

    def answered(self, **expected: str) -> bool:
        """Return whether kickseed answered each question (its slash and dashes written as ``__`` and ``_``)."""
        return all(
            any(
                answer.value == value and re.sub(r"[-_]", "_", answer.question.replace("/", "__")) == question
                for answer in self.kickseed.answers
            )
            for question, value in expected.items()
        )

    @cached_property
    def installed(self) -> set[str]:
        """The packages of the guest."""
        status = self.forged.read("/var/lib/dpkg/status")
        return set(re.findall(r"^Package: (.+)\nStatus: install ok installed", status, re.MULTILINE))

    @cached_property
    def shadow(self) -> dict[str, str]:
        """The guest's crypted passwords by account."""
        return dict(line.split(":")[:2] for line in self.forged.read("/etc/shadow").splitlines())

    def mode(self, path: str) -> int:
        """Return the permissions of a file of the guest."""
        return self.forged.files(path)[path.rpartition("/")[2]].mode & 0o777


@dataclass(frozen=True)
class Item:
    """One thing that the origin did."""

    what: str
    seen: Callable[[Seen], bool]
    not_shown: str = ""
    """What of it a Debian guest without hardware cannot show."""


def _unlimited(seen: Seen) -> bool:
    allocations = [seen.hardware[f"config.{which}Allocation"] for which in ("cpu", "memory")]
    return all(one.reservation == 0 and one.limit in (None, -1) for one in allocations)


def _keys(seen: Seen) -> bool:
    files = seen.forged.files(f"/home/{seen.account}/.ssh")
    keys, folder = files[".ssh/authorized_keys"], files[".ssh"]
    text = seen.forged.read(f"/home/{seen.account}/.ssh/authorized_keys")
    assert text == "".join(f"{key}\n" for key in seen.operators)
    return (folder.mode & 0o777, keys.mode & 0o777) == (0o700, 0o600) and folder.uid == keys.uid >= 1000


def _first_boot(seen: Seen) -> bool:
    ran = re.findall(r"^rc\.install: ", seen.forged.read("/var/log/rc.install.log"), re.MULTILINE)
    left = {"rc.install", "rc.local.put-aside", "rc.local"} & set(seen.forged.files("/etc"))
    return len(ran) == 1 and not left


def _sudo(seen: Seen, *words: str) -> bool:
    text = seen.forged.read("/etc/sudoers.d/goldsmith")
    return seen.mode("/etc/sudoers.d/goldsmith") == 0o440 and all(word in text for word in words)


PARTITIONS = "no disk is partitioned in the lab: what kickseed answers is seen"
SILENT = "kickseed takes it without a word, and does nothing, as on Ubuntu"

MACHINE = (
    Item("2 CPUs", lambda seen: seen.hardware["config.hardware"].numCPU == 2),
    Item("no limit and no reservation of CPU and memory", _unlimited),
    Item("4096 MB of RAM", lambda seen: seen.hardware["config.hardware"].memoryMB == 4096),
    Item("a disk of 51200 MB", lambda seen: seen.device("VirtualDisk").capacityInKB == 51200 * 1024),
    Item("a thin disk", lambda seen: seen.device("VirtualDisk").backing.thinProvisioned),
    Item("vmxnet3", lambda seen: seen.device("VirtualVmxnet3") is not None),
    Item("ubuntu64Guest", lambda seen: seen.hardware["config.guestId"] == "ubuntu64Guest"),
    Item("the network as an inventory path", lambda seen: seen.variables["network"] == "/DC0/network/VM Network"),
    Item(
        "boot wait of 2 s",
        lambda seen: not any(name.startswith("boot_") for name in seen.variables),
        not_shown="nothing is typed any more, so nothing is waited for before it",
    ),
    Item("a snapshot, for linked clones", lambda seen: bool(seen.hardware["snapshot"].rootSnapshotList)),
    Item("converted to a template", lambda seen: seen.hardware["config.template"] is True),
    Item(
        "the ISO by datastore and path",
        lambda seen: seen.variables["iso_paths"] == [f"[lab-ds] {seen.iso}"],
    ),
    Item(
        "a virtual floppy with ks.cfg and files/",
        lambda seen: seen.variables["floppy_img_path"].endswith(".flp") and seen.device("VirtualFloppy") is None,
        not_shown="the floppy driver of Ubuntu's kernel: the lab reads the image's files out",
    ),
    Item("log in as automationuser with the operator's key", lambda seen: "keys/operator" in str(seen.variables)),
    Item("BASE_VM_TEMPLATE_NAME", lambda seen: seen.forged.name == "xenial"),
)

ANSWERS = (
    Item("lang en_US", lambda seen: "en_US.UTF-8" in seen.forged.read("/etc/default/locale")),
    Item(
        "langsupport da_DK",
        lambda seen: bool(re.search(r"^da_DK\.UTF-8", seen.forged.read("/etc/locale.gen"), re.MULTILINE)),
    ),
    Item("keyboard dk", lambda seen: 'XKBLAYOUT="dk"' in seen.forged.read("/etc/default/keyboard")),
    Item(
        "timezone Europe/Copenhagen",
        lambda seen: seen.forged.files("/etc/localtime")["localtime"].linkname.endswith("/Europe/Copenhagen"),
    ),
    Item(
        "the hardware clock in UTC",
        lambda seen: seen.answered(clock_setup__utc="true"),
        not_shown="a container has no hardware clock",
    ),
    Item("rootpw --disabled", lambda seen: seen.shadow["root"] in ("*", "!", "!*")),
    Item("user automationuser", lambda seen: f"\n{seen.account}:x:1000:" in seen.forged.read("/etc/passwd")),
    Item('"Automation user"', lambda seen: ":Automation user" in seen.forged.read("/etc/passwd")),
    Item("the crypted password from the environment", lambda seen: seen.shadow[seen.account] == seen.password_hash),
    Item(
        "install, text, reboot",
        lambda seen: seen.answered(finish_install__reboot_in_progress=""),
        not_shown=f"install and text: {SILENT}; the lab restarts the machine itself",
    ),
    Item("url --url", lambda seen: "mirror.lab.test" in seen.forged.read("/etc/apt/sources.list")),
    Item("a time server of one's own", lambda seen: seen.answered(clock_setup__ntp_server="ntp1.example.com")),
    Item(
        "bootloader --location=mbr",
        lambda seen: seen.answered(grub_installer__bootdev="(hd0)"),
        not_shown="no boot loader is installed in the lab: what kickseed answers is seen",
    ),
    Item(
        "zerombr yes",
        lambda seen: seen.answered(partman_partitioning__confirm_write_new_label="true"),
        not_shown=f"{SILENT}; the question it is about is answered",
    ),
    Item(
        "LVM on /dev/sda with the atomic recipe",
        lambda seen: seen.answered(
            partman_auto__disk="/dev/sda", partman_auto__method="lvm", partman_auto__choose_recipe="atomic"
        ),
        not_shown=PARTITIONS,
    ),
    Item(
        "every confirmation of partitioning",
        lambda seen: seen.answered(
            partman_lvm__device_remove_lvm="true",
            partman_lvm__confirm="true",
            partman_lvm__confirm_nooverwrite="true",
            partman__choose_partition="finish",
            partman__confirm="true",
            partman__confirm_nooverwrite="true",
        ),
        not_shown=PARTITIONS,
    ),
    Item(
        "auth --useshadow; --enablemd5 is SHA-512 now",
        lambda seen: seen.answered(passwd__shadow="true") and seen.shadow[seen.account].startswith("$6$"),
    ),
    Item("firewall --disabled", lambda seen: "ufw" not in seen.installed, not_shown=SILENT),
    Item("skipx", lambda seen: "xserver-xorg" not in seen.installed, not_shown=SILENT),
    *(Item(f"package {name}", lambda seen, name=name: name in seen.installed) for name in STOCK.split()),  # type: ignore[misc] # a default binds the name
    *(
        Item(f"package {name}", lambda seen, there=there: there in seen.installed, not_shown=f"Debian calls it {there}")  # type: ignore[misc] # as above
        for name, there in TRANSLATED.items()
    ),
    Item("package ca-certificates", lambda seen: "ca-certificates" in seen.installed),
    Item(
        "package software-properties-common",
        lambda seen: any("software-properties-common" in answer.value.split() for answer in seen.kickseed.answers),
        not_shown="Debian 13 does not have it: kickseed asks for it",
    ),
)

SCRIPTS = (
    Item(
        "the install date stamp",
        lambda seen: bool(re.match(r"\d{4}-\d\d-\d\dT", seen.forged.read("/etc/goldsmith-install-date"))),
    ),
    Item(
        "ntp.conf from the floppy", lambda seen: "server ntp2.example.com iburst" in seen.forged.read("/etc/ntp.conf")
    ),
    Item(
        "the corporate CA from the floppy",
        lambda seen: (
            "BEGIN CERTIFICATE" in seen.forged.read("/usr/local/share/ca-certificates/goldsmith/corporate-root.crt")
        ),
    ),
    Item(
        "update-ca-certificates",
        lambda seen: any("corporate-root" in name for name in seen.forged.files("/etc/ssl/certs")),
    ),
    Item("sudoers: secure_path", lambda seen: _sudo(seen, "secure_path=")),
    Item("sudoers: the proxy variables are kept", lambda seen: _sudo(seen, "env_keep", "http_proxy https_proxy")),
    Item("sudo without a password", lambda seen: _sudo(seen, f"{seen.account} ALL=(ALL:ALL) NOPASSWD: ALL")),
    Item(
        "the proxy variables themselves",
        lambda seen: "no_proxy=localhost,.example.com" in seen.forged.read("/etc/environment"),
    ),
    Item(
        "rc.install once, on the first boot; rc.local as it was",
        _first_boot,
        not_shown="Debian 13 has no rc.local to put aside: that it is gone again is seen",
    ),
    Item("authorized_keys with right owner and modes", _keys),
)
