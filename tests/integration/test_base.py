"""The spine: one command forges a base template, through every real tool, and a second one does nothing."""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from goldsmith.lab.admin import Admin

if TYPE_CHECKING:
    from tests.integration.conftest import Operator, Result

ROOT = Path(__file__).resolve().parents[2]
HASH = "$6$goldsmith$" + "k8Zq" * 21 + "k1"
OPERATORS_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGoldsmithOperatorsOwnKeyForTestsOnly000000 operator"


@dataclass(frozen=True)
class Forged:
    """A base template, and the run that made it."""

    name: str
    run: Result
    admin: Admin
    seen: int
    """The number of the last mutating call of that run."""

    def row(self) -> dict[str, Any]:
        """Return what the lab knows of the template."""
        [row] = [row for row in self.admin.vms() if row["name"] == self.name]
        return row

    def files(self, path: str) -> dict[str, tarfile.TarInfo]:
        """Return the template's files at and below *path*, which must exist."""
        with self._tar(path) as archive:
            return {member.name: member for member in archive}

    def read(self, path: str) -> str:
        """Return the text of one of the template's files."""
        with self._tar(path, "--follow-link") as archive:
            [member] = archive.getmembers()
            file = archive.extractfile(member)
            assert file is not None, f"{path} is no file"
            return file.read().decode()

    def _tar(self, path: str, *options: str) -> tarfile.TarFile:
        copied = subprocess.run(
            ("docker", "cp", *options, f"{self.row()['container']}:{path}", "-"), capture_output=True, check=True
        )
        return tarfile.open(fileobj=io.BytesIO(copied.stdout))


@pytest.fixture(scope="module")
def forged(operator: Operator, lab: dict[str, Any]) -> Forged:
    """Forge the base template of debian-13 with an operator's password hash."""
    admin = Admin(url=lab["admin"], token=Path(lab["token_file"]).read_text().strip())
    run = operator.done("packer-base", "--rebuild", AUTOMATION_USER_CRYPTED_PASSWORD=HASH)
    mutations = admin.mutations()
    return Forged(run.out.strip(), run, admin, mutations[-1]["seq"])


def test_the_template_is_named_marked_and_complete(forged: Forged, operator: Operator) -> None:
    """Its name carries image, phase, time and key; it is a template; and it says what it is."""
    assert re.fullmatch(r"debian-13-base-\d{8}-\d{6}-[0-9a-f]{8}", forged.name)
    assert forged.row()["template"]
    rows = json.loads(operator.done("templates", "--json").out)
    [told] = [row for row in rows if row["name"] == forged.name]
    assert (told["name"], told["image"], told["phase"]) == (forged.name, "debian-13", "base")
    assert forged.name.endswith(told["key"])


def test_each_stage_told_its_reason_and_time(forged: Forged) -> None:
    """Who watches knows what runs, why, and how long each stage took."""
    for stage in ("answers", "media", "upload", "base"):
        assert f"• {stage} (" in forged.run.err
        assert re.search(rf"✓ {stage} \(\d+\.\ds\)", forged.run.err), forged.run.err


def test_a_second_run_changes_nothing_and_says_why(forged: Forged, operator: Operator) -> None:
    """Nothing changed, so nothing is done: no mutating call, and the reason names template and key."""
    again = operator.done("packer-base", AUTOMATION_USER_CRYPTED_PASSWORD=HASH)
    assert forged.admin.mutations(since=forged.seen) == []
    assert f"{forged.name} has the same key" in again.err
    assert again.out == ""


def test_the_plan_names_what_changed(forged: Forged, operator: Operator) -> None:
    """Another password hash is another guest: the plan says that the answers changed, and still touches nothing."""
    planned = json.loads(operator.done("plan", "--json").out)
    [base] = [stage for stage in planned["stages"] if stage["stage"] == "base"]
    assert base == {"stage": "base", "run": True, "reason": f"changed since {forged.name}: answers"}
    assert forged.admin.mutations(since=forged.seen) == []


def test_the_account_is_the_operators(forged: Forged) -> None:
    """The user exists with exactly the hash that was given, may use sudo, and root cannot log in."""
    shadow = dict(line.split(":")[:2] for line in forged.read("/etc/shadow").splitlines())
    assert shadow["automationuser"] == HASH
    assert shadow["root"] in ("*", "!", "!*")
    assert "automationuser ALL=(ALL" in forged.read("/etc/sudoers.d/goldsmith")
    assert forged.files("/etc/sudoers.d/goldsmith")["goldsmith"].mode & 0o777 == 0o440


def test_the_installer_did_what_the_answers_say(forged: Forged) -> None:
    """Locale, keyboard, time zone and packages are those of the image."""
    assert forged.read("/etc/default/locale").strip().endswith("LANG=en_US.UTF-8")
    assert forged.files("/etc/localtime")["localtime"].linkname == "/usr/share/zoneinfo/Europe/Copenhagen"
    assert 'XKBLAYOUT="dk"' in forged.read("/etc/default/keyboard")
    installed = set(
        re.findall(r"^Package: (.+)\nStatus: install ok installed", forged.read("/var/lib/dpkg/status"), re.MULTILINE)
    )
    assert {"openssh-server", "cloud-init", "open-vm-tools", "chrony", "htop", "build-essential"} <= installed
    assert re.match(r"\d{4}-\d\d-\d\dT", forged.read("/etc/goldsmith-install-date"))


def test_the_template_is_ready_to_be_cloned(forged: Forged) -> None:
    """It has no identity, and nothing of its build: no machine id, host keys, build key, or installer's answers."""
    assert forged.read("/etc/machine-id") == ""
    assert not [name for name in forged.files("/etc/ssh") if "ssh_host_" in name]
    assert "goldsmith-build-" not in forged.read("/home/automationuser/.ssh/authorized_keys")
    assert "installer" not in {Path(name).name for name in forged.files("/var/log")}
    assert "lab-blank-disk" not in forged.run.err


def test_nothing_secret_is_left(forged: Forged, operator: Operator, lab: dict[str, Any]) -> None:
    """Neither the vCenter's password, nor the hash, nor a private key is left in the build's folder or printed."""
    password = Path(lab["vcenters"][0]["password_file"]).read_text().strip()
    folder = ROOT / "build" / forged.name.removeprefix("debian-13-base-")
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert not {name for name in left if name.startswith(("answers/", "keys/", "media/"))}
    said = "\n".join([forged.run.err, forged.run.out, *((folder / name).read_text(errors="replace") for name in left)])
    for secret in (password, HASH, "PRIVATE KEY"):
        assert secret not in said


def test_the_boot_medium_is_gone_from_the_datastore(operator: Operator, forged: Forged) -> None:
    """The medium holds the answers, so it is deleted; and `clean` finds nothing of a build that ended well."""
    assert json.loads(operator.done("clean", "--dry-run", "--json").out) == []
    removed = [call for call in forged.admin.mutations() if call["method"] in {"DeleteDatastoreFile_Task", "DELETE"}]
    assert any("goldsmith-" in str(call) for call in removed)
