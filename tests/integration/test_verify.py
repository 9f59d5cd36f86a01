"""Verification on the lab: real clones of a real base, checked over SSH, recorded, and never left behind."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from goldsmith.lab.admin import Admin
from goldsmith.records import record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Operator

ROOT = Path(__file__).resolve().parents[2]
HASH = "$6$goldsmith$" + "k8Zq" * 21 + "k1"


@pytest.fixture(scope="module")
def base(operator: Operator, lab: dict[str, Any]) -> str:
    """Return the name of the lab's base template, forged if no test before has done so."""
    operator.done("packer-base", AUTOMATION_USER_CRYPTED_PASSWORD=HASH)
    return str(
        json.loads(operator.done("templates", "--image", "debian-13", "--phase", "base", "--json").out)[-1]["name"]
    )


@pytest.fixture
def broken() -> Iterator[str]:
    """Yield a check of an operator that no clone passes."""
    path = ROOT / "build" / "checks" / "test_broken.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        'def test_nonsense(host):\n    """There is a file that nobody made."""\n    assert host.file("/no").exists\n'
    )
    yield path.relative_to(ROOT).as_posix()
    path.unlink()


def row(operator: Operator, name: str) -> dict[str, Any]:
    """Return what the site tells of a template."""
    [found] = [one for one in json.loads(operator.done("templates", "--json").out) if one["name"] == name]
    return dict(found)


def machines(lab: dict[str, Any]) -> set[str]:
    """Return the names of the lab's machines."""
    admin = Admin(url=lab["admin"], token=Path(lab["token_file"]).read_text().strip())
    return {machine["name"] for machine in admin.vms()}


def test_one_broken_check_fails_the_candidate(operator: Operator, lab: dict[str, Any], base: str, broken: str) -> None:
    """Status 6, the check is named, the template is failed with that reason and not offered; no clone is left."""
    before = machines(lab)
    result = operator.run("verify", "--template", base, "--checks", broken)
    assert result.code == 6
    assert "nonsense" in result.error()["why"]
    told = row(operator, base)
    assert told["status"] == "failed"
    assert "nonsense" in told["reason"]
    assert operator.run("templates", "--image", "debian-13", "--phase", "base", "--newest").code == 2
    assert machines(lab) == before


def test_a_good_candidate_is_verified_and_offered(operator: Operator, lab: dict[str, Any], base: str) -> None:
    """Its clones pass, each skipped check tells why, `--newest` prints it and nothing else; no clone is left."""
    before = machines(lab)
    result = operator.done("verify", "--template", base)
    assert " 0 failed" in result.out
    assert all(line.count(": ") >= 2 for line in result.out.splitlines() if line.startswith("skipped"))
    assert row(operator, base)["status"] == "verified"
    assert operator.done("templates", "--image", "debian-13", "--phase", "base", "--newest").out == f"{base}\n"
    assert machines(lab) == before
    left = json.loads(operator.done("clean", "--dry-run", "--json").out)
    assert [one for one in left if one["where"] == "lab"] == []


def test_the_record_is_whole(lab: dict[str, Any], base: str) -> None:
    """Record, package list and page exist, hash as told, agree with the template, and hold no secret."""
    folder = ROOT / "build" / "-".join(base.split("-")[-3:])
    text = (folder / "record.json").read_text()
    one = record.load(text)
    assert (one.template, one.phase, one.verified) == (base, "base", True)
    assert len(one.inputs["answers"]) == 64
    assert {"answers", "media", "upload", "base"} <= {stage.name for stage in one.stages}
    for name, digest in one.artefacts.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    components = {row["name"] for row in json.loads((folder / "sbom.cdx.json").read_text())["components"]}
    assert {"openssh-server", "cloud-init"} <= components
    page = (folder / "report.html").read_text()
    assert all(check.says.replace("'", "&#39;") in page for check in one.checks)
    assert not (folder / "keys").exists()
    password = Path(lab["vcenters"][0]["password_file"]).read_text().strip()
    left = [path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()]
    assert not [secret for secret in (password, HASH, "PRIVATE KEY") if any(secret in text for text in left)]
