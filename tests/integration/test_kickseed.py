"""The origin's own route: everything from the environment, a hand-made ISO, a floppy, kickseed, and what came of it.

What each item of the origin came to is listed in :mod:`tests.integration.origin`; the lab prints what it
translates for its Debian guest (man, ntp, rng-tools) and leaves out (software-properties-common).
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from goldsmith import config
from goldsmith.flow import inputs
from goldsmith.flow.steps import Steps
from goldsmith.installers.kickseed import proving
from goldsmith.lab.admin import Admin
from goldsmith.tools import sshkey
from goldsmith.wiring import Session
from tests.integration import handmade, inventory
from tests.integration.origin import ANSWERS, MACHINE, SCRIPTS, Item, Seen, variables
from tests.integration.test_base import HASH, ROOT, Forged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.conftest import Operator

ISO = "xenial.iso"
OPERATOR = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPgFz4NkPuD7rZbDG888Y4n73c5SEh4b8oTc9IKdaIw/"
NASTY = f'{OPERATOR} O\'Hara "$(touch /tmp/x)" `id` $HOME %s \\n \\\\ & ; | <> # æøå'
"""A whole line of authorized_keys, with a comment that means something to everything on its way."""


@pytest.fixture(scope="module")
def origin(operator: Operator, lab: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """Return the origin's variables, for the lab; the hand-made ISO lies on its datastore."""
    site = variables(inventory.Lab(lab))
    sha256 = handmade.put({**operator.environment, **site}, name=ISO)
    pair = sshkey.generate("somebody@example.com")
    private = tmp_path_factory.mktemp("ssh") / "id_ed25519"
    private.write_text(pair.private)
    return {
        **site,
        "ISO_PATH": f"iso/{ISO}",
        "ISO_SHA256": sha256,
        "AUTOMATION_USER_CRYPTED_PASSWORD": HASH,
        "GUEST_NTP_SERVERS": "ntp1.example.com ntp2.example.com",
        "GUEST_NO_PROXY": "localhost .example.com",
        "GUEST_AUTHORIZED_KEYS": f"{NASTY}\n{pair.public}",
        "GUEST_CERTIFICATES": str(ROOT / "tests/recorded/certificates/corporate-root.crt"),
        "SSH_PRIVATE_KEY_FILE": str(private),
        "BASE_VM_TEMPLATE_NAME": "xenial",
    }


@pytest.fixture(scope="module")
def forged(operator: Operator, lab: dict[str, Any], origin: Mapping[str, str]) -> Forged:
    """Forge the base template of ubuntu-16.04 as the origin did."""
    admin = Admin(url=lab["admin"], token=Path(lab["token_file"]).read_text().strip())
    run = operator.done("packer-base", "--image", "ubuntu-16.04", **origin)
    return Forged(run.out.strip(), run, admin, admin.mutations()[-1]["seq"])


@pytest.fixture(scope="module")
def state(forged: Forged) -> tuple[Path, dict[str, Any]]:
    """Return the folder and the state of the build that made the template."""
    folder = Path(forged.run.err.split("its logs: ")[1].splitlines()[0])
    return folder, json.loads((folder / "build.json").read_text())


@pytest.fixture(scope="module")
def seen(
    forged: Forged,
    state: tuple[Path, dict[str, Any]],
    lab: dict[str, Any],
    operator: Operator,
    origin: Mapping[str, str],
) -> Seen:
    """Look at the template from every side."""
    from goldsmith.vcenter.sdk import vim

    names = ("config.hardware", "config.cpuAllocation", "config.memoryAllocation", "config.guestId", "config.template")
    with inventory.Lab(lab).connect() as client:
        every = client._collector.every(client._content.rootFolder, {vim.VirtualMachine: ("name", *names, "snapshot")})
        [hardware] = [values for _, values in every if values["name"] == forged.name]
    session = Session.here()
    environment = {**operator.environment, **origin}
    effective = config.load(None, "ubuntu-16.04", workspace=session.workspace, environment=environment)
    steps = Steps(on=session.on(effective), build=session.builds.load(state[0].name), inputs={})
    with tempfile.TemporaryDirectory(dir=session.workspace.builds, prefix="kickseed-") as folder:
        work = replace(steps.workbench, folder=Path(folder))
        verdict = proving.prove(inputs.rendered(effective), work)
    return Seen(
        forged=forged,
        hardware=hardware,
        kickseed=verdict,
        variables=json.loads((state[0] / "packer/base.pkrvars.json").read_text()),
        account="automationuser",
        password_hash=HASH,
        iso=origin["ISO_PATH"],
        operators=tuple(origin["GUEST_AUTHORIZED_KEYS"].splitlines()),
    )


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(one, id=one.what + (" (not all shown)" if one.not_shown else ""))
        for one in MACHINE + ANSWERS + SCRIPTS
    ],
)
def test_each_item_of_the_origin(seen: Seen, item: Item) -> None:
    """One by one, as the write-up lists them."""
    assert item.seen(seen), item.not_shown


def test_kickseed_read_every_directive(forged: Forged) -> None:
    """The real kickseed took the file before anything was uploaded."""
    assert "kickseed understands every directive" in forged.run.err


def test_the_hand_made_iso_is_known(state: tuple[Path, dict[str, Any]], origin: Mapping[str, str]) -> None:
    """Its sha256 was compared, and is kept with the build."""
    _, build = state
    boot = build["attached"][0]
    assert (boot["stored"], boot["sha256"]) == (f"[lab-ds] {origin['ISO_PATH']}", origin["ISO_SHA256"])


def test_the_answer_medium_is_gone_and_the_boot_medium_stays(
    forged: Forged, state: tuple[Path, dict[str, Any]]
) -> None:
    """The floppy holds secrets: deleted, as are the keys' copies. The ISO is the operator's: nobody touches it."""
    removed = [call for call in forged.admin.mutations() if call["method"] in {"DeleteDatastoreFile_Task", "DELETE"}]
    assert any(".flp" in str(call) for call in removed)
    assert not any(ISO in str(call) for call in removed)
    assert HASH not in forged.run.err
    assert not list((state[0] / "keys").glob("*")) if (state[0] / "keys").exists() else True


def test_its_clones_are_verified_by_the_operators_key(
    forged: Forged, operator: Operator, origin: Mapping[str, str], state: tuple[Path, dict[str, Any]]
) -> None:
    """Nobody gives them a name or a key; each is a machine of its own, and whatever is skipped says why."""
    result = operator.done("verify", "--template", forged.name, "--image", "ubuntu-16.04", **origin)
    assert " 0 failed" in result.out
    skipped = [line for line in result.out.splitlines() if line.startswith("skipped")]
    assert (
        len([line for line in skipped if "the image has no cloud-init" in line]) == 5
    )  # two of each clone, and one of both
    lacking = "packages (man, ntp, rng-tools, software-properties-common): this guest is Debian 13"
    assert [line for line in skipped if lacking in line]
    one, two = (json.loads((state[0] / f"verify/clone-{number}.json").read_text()) for number in (1, 2))
    assert one["machine_id"] != two["machine_id"]
    assert one["cloud_init"] == {}
    assert not (state[0] / "keys").exists()


def test_a_named_site_ignores_these_variables(operator: Operator, origin: Mapping[str, str]) -> None:
    """Whoever names the lab gets the lab, and is told what did not count."""
    elsewhere = {**origin, "VSPHERE_SERVER": "vcenter.example.com"}
    run = operator.done("packer-base", "--site", "lab", "--dry-run", **elsewhere)
    told = next(line for line in run.err.splitlines() if line.startswith("ignored, as the site is lab: "))
    assert {"VSPHERE_SERVER", "CLUSTER", "ISO_PATH", "GUEST_NTP_SERVERS", "SSH_PRIVATE_KEY_FILE"} <= set(told.split())


def test_everything_that_is_wrong_is_told_at_once(operator: Operator, origin: Mapping[str, str]) -> None:
    """Missing and empty variables, a password that is no hash, and a key of a wrong type, in one error."""
    wrong = {"CLUSTER": "", "NETWORK": "", "VSPHERE_PASSWORD": "", "AUTOMATION_USER_CRYPTED_PASSWORD": "hunter2"}
    wrong["GUEST_AUTHORIZED_KEYS"] = "ssh-dss AAAAB3NzaC1kc3M="
    without = {name: value for name, value in origin.items() if name != "DATASTORE"}
    result = operator.run("packer-base", "--image", "ubuntu-16.04", **{**without, **wrong})
    assert result.code == 2
    why = result.error()["why"]
    assert "missing or empty: CLUSTER DATASTORE NETWORK VSPHERE_PASSWORD" in why
    assert "AUTOMATION_USER_CRYPTED_PASSWORD: its value (not shown) must be" in why
    assert "ssh-ed25519" in why
    assert "hunter2" not in result.err


def test_files_that_are_wrong_are_told_at_once(operator: Operator, origin: Mapping[str, str]) -> None:
    """A private key in place of a certificate, and a login key that the machine would not let in."""
    wrong = {"GUEST_CERTIFICATES": origin["SSH_PRIVATE_KEY_FILE"], "GUEST_AUTHORIZED_KEYS": OPERATOR}
    result = operator.run("packer-base", "--image", "ubuntu-16.04", **{**origin, **wrong})
    assert result.code == 2
    why, then = result.error()["why"], result.error()["next"]
    assert "holds a private key" in why
    assert "is not among the authorized keys" in why
    assert origin["GUEST_AUTHORIZED_KEYS"].splitlines()[1].split()[1] in then
    assert "PRIVATE KEY-----" not in result.err


@pytest.mark.parametrize(
    ("first", "changes", "code", "words"),
    [
        pytest.param(0, {"ISO_PATH": "iso/nosuch.iso"}, 2, "not on the datastore", id="missing"),
        pytest.param(20_000_000, {"ISO_PATH": "iso/cut.iso"}, 6, "cut off", id="cut off"),
        pytest.param(0, {"ISO_SHA256": "0" * 64}, 6, "does not match its pinned sha256", id="another one"),
    ],
)
def test_a_boot_medium_that_is_none(
    *, origin: Mapping[str, str], operator: Operator, first: int, changes: Mapping[str, str], code: int, words: str
) -> None:
    """What ISO_PATH names is looked at first; no machine is made."""
    if first:
        handmade.put({**operator.environment, **origin}, name="cut.iso", first=first)
    result = operator.run("packer-base", "--image", "ubuntu-16.04", "--rebuild", **{**origin, **changes})
    assert result.code == code, result.err
    assert words in result.error()["what"]
    assert json.loads(operator.done("clean", "--dry-run", "--json", **origin).out) == []
