"""What an operator can get wrong: each ends in one error on one screen, with the right status, and changes nothing."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from tests.integration import bystander as room
from tests.integration.conftest import ROOT, Operator, Result
from tests.integration.inventory import difference, folders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.integration.bystander import Bystander

NOTHING: Mapping[str, str] = {}


@pytest.fixture(scope="module", autouse=True)
def untouched(bystander: Bystander) -> Iterator[None]:
    """Compare everything that a build can leave, and every changing call, at the beginning and the end."""
    before, seen = bystander.inventory(), bystander.admin().mutations()
    yield
    assert difference(before, bystander.inventory()) == ""
    since = seen[-1]["seq"] if seen else 0
    assert [call["method"] for call in bystander.admin().mutations(since=since)] == []


def refused(result: Result, code: int, *words: str) -> None:
    """Check that a verb ended with *code* and one error that has *words*, and printed no data."""
    error = result.error()
    assert result.code == code, result.err
    assert result.out == ""
    for word in words:
        assert word in result.err, error


# -- configuration ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "environment", "words"),
    [
        (("--site", "exampel"), NOTHING, ("there is no site 'exampel'", "did you mean 'example'?")),
        (("--image", "debian-31"), NOTHING, ("there is no image 'debian-31'", "did you mean 'debian-13'?")),
        (("--image", "../../etc/passwd"), NOTHING, ("there is no image",)),
        (("--max-age", "tomorrow"), NOTHING, ("--max-age cannot be read", "7d")),
        (("--build", "20260101-000000-00000000"), NOTHING, ("there is no build 20260101-000000-00000000",)),
        ((), {"AUTOMATION_USER_CRYPTED_PASSWORD": "hunter2"}, ("AUTOMATION_USER_CRYPTED_PASSWORD", "not shown")),
        ((), {"VSPHERE_PASSWORD": "hunter2\nx", "VSPHERE_SERVER": "vc.example.com"}, ("VSPHERE_PASSWORD", "not shown")),
        ((), {"VSPHERE_PASSWORD_FILE": "/nonexistent", "GOLDSMITH_SITE": "example"}, ("cannot be read",)),
        ((), {"GOLDSMITH_LAB_PORT": "http"}, ("GOLDSMITH_LAB_PORT cannot be 'http'",)),
        ((), {"GOLDSMITH_LAB": "My Lab"}, ("GOLDSMITH_LAB cannot be 'My Lab'",)),
    ],
    ids=["site", "image", "path", "age", "build", "hash", "password", "secret file", "port", "lab"],
)
def test_what_cannot_be_meant(
    bystander: Bystander, argv: tuple[str, ...], environment: Mapping[str, str], words: tuple[str, ...]
) -> None:
    """Names that do not exist and values that cannot be used are told before anything is done; no secret is shown."""
    result = bystander.operator.run("packer-base", *argv, **environment)
    refused(result, 2, *words)
    assert "hunter2" not in result.err


def test_missing_variables_are_told_at_once(bystander: Bystander) -> None:
    """With only the server named, all that is missing stands in one message."""
    result = bystander.operator.run("packer-base", VSPHERE_SERVER="vc.example.com", CLUSTER="")
    names = ("CLUSTER", "DATACENTER", "DATASTORE", "NETWORK", "VSPHERE_PASSWORD", "VSPHERE_USER")
    refused(result, 2, *names)
    assert len(result.error()["why"].splitlines()) == 1


def test_mistakes_in_a_file_are_told_at_once(bystander: Bystander) -> None:
    """A misspelt key, a wrong type and a wrong choice are told together, each with its line and what is allowed."""
    file = bystander.root / "config/images/wrong.toml"
    text = (ROOT / "config/images/debian-13.toml").read_text()
    wrong = text.replace("cpus = 2", 'cpus = "two"').replace("keyboard =", "keybaord =").replace("efi-secure", "uefi")
    file.write_text(wrong)
    try:
        result = bystander.operator.run("packer-base", "--image", "wrong")
    finally:
        file.unlink()
    refused(result, 2, "3 errors", "did you mean 'keyboard'?", "whole number", "did you mean 'efi'?")
    assert result.error()["why"].count("config/images/wrong.toml:") == 3


def changed(text: str, *changes: tuple[str, str]) -> str:
    """Return *text* with each change made; one that finds nothing to change is a mistake of the test's."""
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ((('"Europe/Copenhagen"', '"US/Eastern"'),), ('set timezone = "America/New_York"',)),
        ((('"en_US.UTF-8"', '"en_DE.UTF-8"'),), ("en_DE.UTF-8", "en_DK", "de_DE")),
        ((('"automationuser"', '"operator"'),), ('account.name = "operator"', "reserved")),
        ((('"dk"', '"fr"'),), ("choose one of fr(latin9)",)),
        ((('"13"', '"12"'), ('"trixie"', '"bookworm"')), ("does not install", 'release = "13", suite = "trixie"')),
        ((('"debian"', '"ubuntu"'),), ("does not install", 'family = "debian"')),
        ((("= 4096", "= 4095"),), ("hardware.memory_mib = 4095 must be a multiple of 4",)),
        (
            (("[account]", '[docker.variables]\ndocker_engine_registry_mirror = ["https://m"]\n\n[account]'),),
            ("did you mean 'docker_engine_registry_mirrors'?",),
        ),
        (
            (("[account]", '[docker.variables]\ndocker_engine_registry_mirrors = "https://m"\n\n[account]'),),
            ("docker_engine_registry_mirrors = 'https://m' must be a list",),
        ),
        ((("[os]", '[iso]\nurl = "http://m/x.iso"\n\n[os]'),), ("iso.sha256 is missing",)),
    ],
    ids=[
        *("old zone", "no locale", "reserved", "no keymap", "other release", "other family", "memory"),
        *("no variable", "no list", "no sha256"),
    ],
)
def test_values_that_the_release_or_the_roles_do_not_have(
    bystander: Bystander, changes: tuple[tuple[str, str], ...], words: tuple[str, ...]
) -> None:
    """Each is refused while planning, with what was meant: no build is begun, nothing is uploaded."""
    file = bystander.root / "config/images/wrong.toml"
    file.write_text(changed((ROOT / "config/images/debian-13.toml").read_text(), *changes))
    try:
        result = bystander.operator.run("packer-docker", "--image", "wrong")
    finally:
        file.unlink()
    refused(result, 2, *words)
    assert "• " not in result.err


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("packer-bsae",), "Did you mean packer-base?"),
        (("packer-base", "--imgae", "x"), "Did you mean --image?"),
        (("packer-base", "--image"), "--image needs a value"),
        (("lab-up", "--vcenters", "two"), "--vcenters must be a number"),
        (("lab-up", "--vcenters", "10"), "--vcenters cannot be '10'"),
        (("lab-up", "--vcenters", "0"), "--vcenters cannot be '0'"),
        (("templates", "--phase", "bogus"), "there is no phase bogus"),
        (("verify", "--phase", "bogus"), "there is no phase bogus"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_usage(bystander: Bystander, argv: tuple[str, ...], words: str) -> None:
    """A verb or flag that does not exist ends ./inv with status 2."""
    done = subprocess.run(
        (ROOT / "inv", *argv), env=dict(bystander.operator.environment), capture_output=True, text=True, check=False
    )
    refused(Result(done.returncode, done.stdout, done.stderr), 2, words)


@pytest.mark.parametrize(
    ("shell", "code"),
    [("config --json | true", 141), ("config >&-", 0), ("config --site x 2>&-", 2), ("config | head -1", 0)],
    ids=["no reader", "no stdout", "no stderr", "head"],
)
def test_nobody_reads(bystander: Bystander, shell: str, code: int) -> None:
    """Closed streams and readers that have seen enough are no bugs."""
    done = subprocess.run(
        ("bash", "-c", f"set -o pipefail; ./inv {shell}"),
        env=dict(bystander.operator.environment),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (code, "")


@pytest.mark.parametrize("verb", ["config", "config --json", "--list"])
def test_a_full_disk_takes_no_result(bystander: Bystander, verb: str) -> None:
    """An empty file must not be taken for the answer."""
    done = subprocess.run(
        ("sh", "-c", f"./inv {verb} >/dev/full"),
        env=dict(bystander.operator.environment), cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    refused(Result(done.returncode, done.stdout, done.stderr), 4, "could not be written", "No space left on device")


def test_a_job_without_unicode_gets_the_same_answer(bystander: Bystander) -> None:
    """What ASCII lacks is shown escaped, for people and for machines."""
    changed = {**variables(bystander), "NETWORK": "Büro-Netz", "PYTHONIOENCODING": "ascii"}
    assert "B\\xfcro-Netz" in bystander.operator.done("config", **changed).out
    told = json.loads(bystander.operator.done("config", "--json", **changed).out)
    assert "Büro-Netz" in json.dumps(told, ensure_ascii=False)


@pytest.mark.parametrize("cache", ["/proc/nope", "/dev/null/x", "~nobody-of-this-name/cache"])
def test_a_cache_that_is_nowhere(bystander: Bystander, cache: str) -> None:
    """Verbs that need none work; those that do say which folder it is, before they start anything."""
    result = bystander.operator.run("packer-base", "--rebuild", GOLDSMITH_CACHE_DIR=cache)
    refused(result, 2 if cache.startswith("~") else 4, "GOLDSMITH_CACHE_DIR", cache.removesuffix("/x"))
    assert "• answers" not in result.err


def test_answers_that_would_be_asked_for(bystander: Bystander, tmp_path: Path) -> None:
    """A preseed file without a required answer, or with a misspelt question, goes no further than the linter."""
    root = room.copy(tmp_path / "checkout")
    template = root / "kickstart/preseed/preseed.cfg.j2"
    text = template.read_text()
    assert "d-i time/zone string" in text
    template.write_text(text.replace("d-i time/zone string", "d-i time/zoen string"))
    result = Operator(bystander.operator.environment, root).run("packer-base", "--rebuild")
    refused(result, 6, "time/zone has no answer; the installer would ask", "did you mean time/zone?")
    assert folders(root) == []


# -- the vCenter ------------------------------------------------------------------------------


def variables(bystander: Bystander, **changed: str) -> dict[str, str]:
    """Return the origin's variables for the lab's vCenter, with some of them changed."""
    one = bystander.lab.vcenter()
    right = {
        "VSPHERE_SERVER": one["server"],
        "VSPHERE_USER": one["user"],
        "VSPHERE_PASSWORD": bystander.lab.password(),
        "GOLDSMITH_CA_FILE": bystander.lab.told["ca_file"],
        "DATACENTER": "DC0",
        "CLUSTER": "DC0_C0",
        "DATASTORE": "lab-ds",
        "NETWORK": "VM Network",
        "FOLDER": "goldsmith",
    }
    return right | changed


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"VSPHERE_PASSWORD": "wrong-horse"}, 5, ("refuses the login", "VSPHERE_PASSWORD")),
        ({"GOLDSMITH_CA_FILE": DEFAULT_CA_BUNDLE_PATH}, 5, ("certificate", "cannot be verified", "GOLDSMITH_CA_FILE")),
        ({"GOLDSMITH_CA_FILE": str(ROOT / "README.md")}, 2, ("README.md",)),
        ({"VSPHERE_SERVER": "127.0.0.1:1"}, 7, ("the toolbox cannot reach 127.0.0.1:1",)),
        ({"VSPHERE_SERVER": "vcenter.invalid"}, 5, ("vcenter.invalid does not answer",)),
        ({"DATACENTER": "dc0"}, 2, ("datacenter", "'dc0'", "DC0")),
        ({"CLUSTER": "DC0_C1"}, 2, ("cluster", "'DC0_C1'")),
        ({"DATASTORE": "LAB-DS"}, 2, ("datastore", "'LAB-DS'")),
        ({"ISO_DATASTORE": "isos"}, 2, ("'isos'",)),
        ({"NETWORK": "VM Netwrok"}, 2, ("network", "'VM Netwrok'")),
        ({"FOLDER": "templates"}, 2, ("folder", "'templates'")),
        ({"RESOURCE_POOL": "builds"}, 2, ("resource_pool", "'builds'")),
        ({"DATASTORE": "x", "NETWORK": "y", "FOLDER": "z"}, 2, ("3 problems", "'x'", "'y'", "'z'")),
    ],
    ids=[
        *(
            "password",
            "other CAs",
            "no PEM",
            "loopback",
            "name",
            "datacenter",
            "cluster",
            "datastore",
            "ISO datastore",
        ),
        *("network", "folder", "pool", "three at once"),
    ],
)
def test_a_site_that_is_not_as_it_is_said(
    bystander: Bystander, changed: dict[str, str], code: int, words: tuple[str, ...]
) -> None:
    """The plugin would fall back silently, or create what is missing: it is told before a build begins."""
    result = bystander.operator.run("packer-base", "--rebuild", **variables(bystander, **changed))
    refused(result, code, *words)
    assert "• answers" not in result.err
    assert "wrong-horse" not in result.err


def test_a_vcenter_that_is_away(bystander: Bystander) -> None:
    """A vCenter that closes every connection is told as such."""
    bystander.admin().outage(on=True)
    try:
        result = bystander.operator.run("packer-base", "--rebuild", **variables(bystander))
    finally:
        bystander.admin().outage(on=False)
    refused(result, 5, "does not answer")


def test_who_may_not_set_attributes_learns_it_first(bystander: Bystander) -> None:
    """Custom attributes are set at the very end: the missing privilege is told before a build begins."""
    bystander.admin().deny("Global.SetCustomField")
    try:
        result = bystander.operator.run("packer-base", "--rebuild")
    finally:
        bystander.admin().deny()
    refused(result, 2, "the user lacks Global.SetCustomField", "docs/reference/privileges.md")
    assert "• answers" not in result.err


# -- Docker -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["unix:///nonexistent/docker.sock", "tcp://127.0.0.1:1", "ssh://nobody@127.0.0.1:1"], ids=str
)
def test_an_engine_that_does_not_answer(bystander: Bystander, host: str) -> None:
    """An engine that was named and does not answer is told, with its address; none is installed in its place."""
    result = bystander.operator.run("build-image", DOCKER_HOST=host, DOCKER_CONTEXT="")
    refused(result, 5, "the Docker engine does not answer", host)


def test_without_docker(bystander: Bystander, tmp_path: Path) -> None:
    """Where no docker is installed, and none may be, it is said how to get one."""
    for name in ("git", "sh", "env"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    result = bystander.operator.run(
        "build-image", PATH=str(tmp_path), GOLDSMITH_NO_INSTALL="1", DOCKER_HOST="unix:///nonexistent/docker.sock"
    )
    refused(result, 5)
