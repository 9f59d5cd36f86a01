"""The origin's own route: everything from the environment, a hand-made ISO, a floppy, kickseed, and what came of it.

The guest is Debian 13, so this cannot show Ubuntu's packages, its partitioning, its kernel's floppy driver, or its boot
loader; the lab prints what it translates (man, ntp, rng-tools) and leaves out (software-properties-common).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from goldsmith.lab.admin import Admin
from tests.integration import handmade
from tests.integration.test_base import HASH, ROOT, Forged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.conftest import Operator

ISO = "xenial.iso"
OPERATOR = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPgFz4NkPuD7rZbDG888Y4n73c5SEh4b8oTc9IKdaIw/ operator@example.com"


@pytest.fixture(scope="module")
def origin(operator: Operator, lab: dict[str, Any]) -> Mapping[str, str]:
    """Return the origin's variables, for the lab; the hand-made ISO lies on its datastore."""
    handmade.put(operator.environment, name=ISO)
    [vcenter] = lab["vcenters"]
    return {
        "VSPHERE_SERVER": f"127.0.0.1:{operator.environment['GOLDSMITH_LAB_PORT']}",
        "VSPHERE_USER": "administrator@vsphere.local",
        "VSPHERE_PASSWORD": Path(vcenter["password_file"]).read_text().strip(),
        "GOLDSMITH_CA_FILE": str(Path(lab["token_file"]).with_name("ca.pem")),
        "CLUSTER": "DC0_C0",
        "DATACENTER": "DC0",
        "DATASTORE": "lab-ds",
        "FOLDER": "goldsmith",
        "NETWORK": "VM Network",
        "RESOURCE_POOL": "",
        "ISO_DATASTORE": "lab-ds",
        "ISO_PATH": f"iso/{ISO}",
        "AUTOMATION_USER_CRYPTED_PASSWORD": HASH,
        "GUEST_NTP_SERVERS": "ntp1.example.com ntp2.example.com",
        "GUEST_NO_PROXY": "localhost .example.com",
        "GUEST_AUTHORIZED_KEYS": OPERATOR,
        "GUEST_CERTIFICATES": str(ROOT / "tests/recorded/certificates/corporate-root.crt"),
        "BASE_VM_TEMPLATE_NAME": "xenial",
    }


@pytest.fixture(scope="module")
def forged(operator: Operator, lab: dict[str, Any], origin: Mapping[str, str]) -> Forged:
    """Forge the base template of ubuntu-16.04 as the origin did."""
    admin = Admin(url=lab["admin"], token=Path(lab["token_file"]).read_text().strip())
    run = operator.done("packer-base", "--image", "ubuntu-16.04", **origin)
    return Forged(run.out.strip(), run, admin, admin.mutations()[-1]["seq"])


def test_kickseed_read_every_directive(forged: Forged) -> None:
    """The real kickseed took the file before anything was uploaded."""
    assert "kickseed understands every directive" in forged.run.err


def test_the_account(forged: Forged) -> None:
    """``user`` and ``rootpw``: exactly the hash that was given; root cannot log in."""
    shadow = dict(line.split(":")[:2] for line in forged.read("/etc/shadow").splitlines())
    assert shadow["automationuser"] == HASH
    assert shadow["root"] in ("*", "!", "!*")
    assert ":Automation user" in forged.read("/etc/passwd")


def test_language_keyboard_and_clock(forged: Forged) -> None:
    """``lang``, ``langsupport``, ``keyboard``, ``timezone --utc``."""
    assert "en_US.UTF-8" in forged.read("/etc/default/locale")
    assert re.search(r"^da_DK\.UTF-8", forged.read("/etc/locale.gen"), re.MULTILINE)
    assert 'XKBLAYOUT="dk"' in forged.read("/etc/default/keyboard")
    assert forged.files("/etc/localtime")["localtime"].linkname == "/usr/share/zoneinfo/Europe/Copenhagen"


def test_packages(forged: Forged) -> None:
    """``%packages``, as far as Debian 13 has them."""
    installed = set(
        re.findall(r"^Package: (.+)\nStatus: install ok installed", forged.read("/var/lib/dpkg/status"), re.MULTILINE)
    )
    wanted = "build-essential curl dnsmasq dnsmasq-base dnsmasq-utils bind9-dnsutils htop nfs-common unzip vim"
    assert (
        set(wanted.split()) | {"wget", "ssh", "open-vm-tools", "ca-certificates", "man-db", "ntpsec", "rng-tools5"}
        <= installed
    )


def test_what_the_post_script_did(forged: Forged) -> None:
    """``%post --nochroot``: the date stamp, the sudo rules with the proxy variables, visudo's consent."""
    assert re.match(r"\d{4}-\d\d-\d\dT", forged.read("/etc/goldsmith-install-date"))
    sudoers = forged.read("/etc/sudoers.d/goldsmith")
    assert "secure_path=" in sudoers
    assert "http_proxy https_proxy" in sudoers
    assert "automationuser ALL=(ALL:ALL) NOPASSWD: ALL" in sudoers
    assert forged.files("/etc/sudoers.d/goldsmith")["goldsmith"].mode & 0o777 == 0o440


def test_the_first_boot(forged: Forged) -> None:
    """``rc.install`` ran exactly once; key file and folder have the right owner and modes; no build's key is left."""
    log = forged.read("/var/log/rc.install.log")
    assert len(re.findall(r"^rc\.install: ", log, re.MULTILINE)) == 1
    assert "rc.install" not in forged.files("/etc")
    assert "rc.local.put-aside" not in forged.files("/etc")
    files = forged.files("/home/automationuser/.ssh")
    keys = files[".ssh/authorized_keys"]
    assert (files[".ssh"].mode & 0o777, keys.mode & 0o777) == (0o700, 0o600)
    assert files[".ssh"].uid == keys.uid >= 1000
    assert forged.read("/home/automationuser/.ssh/authorized_keys") == f"{OPERATOR}\n"


def test_what_lay_beside_the_answers(forged: Forged) -> None:
    """Time servers, the proxy variables, and the corporate CA, which the machine trusts."""
    assert "server ntp2.example.com iburst" in forged.read("/etc/ntp.conf")
    assert "no_proxy=localhost,.example.com" in forged.read("/etc/environment")
    assert any("corporate-root" in name for name in forged.files("/etc/ssl/certs"))


def test_the_fixed_name(forged: Forged) -> None:
    """BASE_VM_TEMPLATE_NAME is the finished template's name."""
    assert forged.name == "xenial"
    assert forged.row()["template"]


def test_the_answer_medium_is_gone_and_the_boot_medium_stays(forged: Forged, operator: Operator) -> None:
    """The floppy holds secrets: deleted. The ISO is the operator's: nobody touches it."""
    removed = [call for call in forged.admin.mutations() if call["method"] in {"DeleteDatastoreFile_Task", "DELETE"}]
    assert any(".flp" in str(call) for call in removed)
    assert not any(ISO in str(call) for call in removed)
    assert HASH not in forged.run.err


@pytest.mark.parametrize(
    ("name", "content", "code", "words"),
    [
        pytest.param("nosuch.iso", None, 2, "not on the datastore", id="missing"),
        pytest.param("text.iso", b"hello\n" * 20_000, 6, "no ISO", id="no ISO"),
        pytest.param("zeros.iso", bytes(100_000), 6, "no ISO", id="zeros"),
    ],
)
def test_a_boot_medium_that_is_none(
    *, origin: Mapping[str, str], operator: Operator, name: str, content: bytes | None, code: int, words: str
) -> None:
    """What ISO_PATH names is looked at first; no machine is made."""
    if content is not None:
        handmade.put(operator.environment, name=name, content=content)
    result = operator.run(
        "packer-base", "--image", "ubuntu-16.04", "--rebuild", **{**origin, "ISO_PATH": f"iso/{name}"}
    )
    assert result.code == code, result.err
    assert words in result.error()["what"]
    assert json.loads(operator.done("clean", "--dry-run", "--json", **origin).out) == []
