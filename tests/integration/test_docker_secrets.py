"""No secret shows in phase 2 or in verification: while they run, afterwards, and in the clones themselves."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.hosts import elsewhere
from tests.integration.inventory import docker, of_status
from tests.integration.spare import Room
from tests.integration.test_base import HASH
from tests.integration.test_docker_faults import at, trimmed
from tests.integration.test_secrets import Watched, around, logs, template, whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.integration.conftest import Operator
    from tests.integration.hosts import Host

KEEPS_THE_HASH = {"/etc/shadow", "/etc/shadow-"}
"""The operator's own password: the one secret that a guest is to have, and where."""
CHECK = "build/checks/test_wait.py"
PIPE = "build/checks/pipe"


def secret(key: Path) -> str:
    """Return a line of a private key, which no other text has."""
    return key.read_text().split()[6]


@pytest.fixture(scope="module")
def discreet(worker: Operator, tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """Return the operator, who gives the password hash by a file: what is in an environment, programs inherit."""
    file = tmp_path_factory.mktemp("secret") / "hash"
    file.write_text(HASH + "\n")
    file.chmod(0o600)
    environment = {**worker.environment, "AUTOMATION_USER_CRYPTED_PASSWORD_FILE": str(file)}
    del environment["AUTOMATION_USER_CRYPTED_PASSWORD"]
    return replace(worker, environment=environment)


@pytest.fixture(scope="module")
def provisioning(
    discreet: Operator, host: Host, lab: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """Look around while Packer starts the clone of a base; the build is refused then, and looked at again."""
    room = Room(elsewhere(discreet, tmp_path_factory.mktemp("checkout"), trimmed), of_status(json.dumps(lab)))
    room.base()
    with at("PowerOnVM_Task", room, "packer-docker") as held:
        folder = room.root / "build" / held.build
        assert docker("ps", "-q", "--filter", f"label=goldsmith.build={folder.name}"), "the toolbox was not running"
        key = folder / "keys" / "id_ed25519"
        seen = Watched({"password": room.lab.password(), "hash": HASH, "private key": secret(key)})
        [name] = [row["name"] for row in room.admin().vms() if row["name"].endswith(held.build)]
        seen.during = around(room, held.run) | logs(folder) | template(room, name)
        seen.modes = {key.name: key.stat().st_mode & 0o777, "its folder": key.parent.stat().st_mode & 0o777}
        held.go(refuse=True)
        result = held.run.end()
    assert result.code != 0
    seen.after = {"stdout": result.out, "stderr": result.err} | whole(folder)
    seen.after |= stored(room, seen.secrets.values())
    yield seen
    room.leave()


@pytest.fixture(scope="module")
def verifying(discreet: Operator, host: Host, lab: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """Verify the session's host once more, and look around while one of the checks waits; look again at the end."""
    checkout = elsewhere(discreet, tmp_path_factory.mktemp("checkout"), waiting)
    room = Room(checkout, of_status(json.dumps(lab)))
    folder = room.root / "build" / host.folder.name
    run = room.start("verify", "--template", host.name, "--checks", CHECK)
    writer = os.open(room.root / PIPE, os.O_WRONLY)  # returns when the check has opened it to read
    try:
        key = folder / "keys" / "verify"
        seen = Watched({"password": room.lab.password(), "hash": HASH, "private key": secret(key)})
        seen.modes = {key.name: key.stat().st_mode & 0o777, "its folder": key.parent.stat().st_mode & 0o777}
        seen.during = around(room, run) | logs(folder)
        [lock] = (folder / "verify").glob("*.lock")
        for row in room.admin().vms():
            if "-clone-" in row["name"] and row["name"].endswith(lock.stem):
                held = within(row["container"], seen.secrets.values())
                seen.during |= {f"{path} {row['name']}": text for path, text in held.items()}
                seen.during |= {f"guestinfo {row['name']}": text for text in template(room, row["name"]).values()}
    finally:
        os.close(writer)
    result = run.end()
    assert result.code == 0, result.err
    said = {"stdout": result.out, "stderr": result.err}
    seen.after = said | whole(folder) | template(room, host.name)
    seen.after |= stored(room, seen.secrets.values())
    seen.after |= {f"build {name}": text for name, text in whole(host.folder).items()}
    assert not (folder / "keys").exists()
    return seen


def waiting(root: Path) -> None:
    """Add a check that waits until nobody looks any more."""
    (root / CHECK).parent.mkdir(parents=True)
    (root / CHECK).write_text(f'def test_wait():\n    """Somebody looks."""\n    open("{PIPE}").read()\n')
    os.mkfifo(root / PIPE)


def within(container: str, secrets: Iterable[str]) -> dict[str, str]:
    """Return the files of a running guest, its data disk included, that hold one of *secrets*, with their content."""
    # By stdin, and kept outside of what is searched: what stands in arguments would be found.
    look = "cat >/dev/shm/secrets; find / /srv/dockerdata -xdev -type f -print0 | xargs -0 grep -laFf /dev/shm/secrets"
    done = subprocess.run(
        ("docker", "exec", "-i", container, "sh", "-c", look),
        input="\n".join(secrets), check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout, done.stderr  # the operator's own hash, at least
    paths = done.stdout.splitlines()
    return {path: "\n".join(docker("exec", container, "cat", path)) for path in paths}


LOOK = """
import os, pathlib, sys
secrets = sys.stdin.buffer.read().split(b"\\n")
for path in pathlib.Path("/stored").rglob("*"):
    if path.is_file():
        with path.open("rb") as file:
            start, size = 0, path.stat().st_size
            while start < size:
                try:
                    start = os.lseek(file.fileno(), start, os.SEEK_DATA)
                except OSError:
                    break
                end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
                data = os.pread(file.fileno(), end - start, start)
                for secret in secrets:
                    if secret in data:
                        print(path, secret.decode())
                start = end
print("looked")
"""
"""Looks through the data of files that are mostly holes, as disks are."""


def stored(room: Room, secrets: Iterable[str]) -> dict[str, str]:
    """Return what of the datastores holds a secret, disks included."""
    toolbox = docker("images", "-q", "goldsmith-toolbox")[0]
    done = subprocess.run(
        ("docker", "run", "--rm", "-i", "--network", "none", "--user", "0:0", "--entrypoint", "python3",
         "--volume", f"{room.lab.name}-datastores:/stored:ro", toolbox, "-c", LOOK),
        input="\n".join(secrets), check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "looked", done.stdout
    return {"datastores": done.stdout}


def test_while_the_clone_is_provisioned_no_secret_shows(provisioning: Watched) -> None:
    """Neither in arguments, nor in what Docker tells of containers and the image, in guestinfo, or in logs."""
    assert provisioning.found(provisioning.during) == []
    assert provisioning.modes == {"id_ed25519": 0o600, "its folder": 0o700}


def test_after_a_build_that_failed_no_secret_is_left(provisioning: Watched) -> None:
    """Neither printed, nor in the build's folder, nor on a datastore."""
    assert provisioning.found(provisioning.after) == []


def test_the_clones_know_no_secret_but_the_operators_own(verifying: Watched) -> None:
    """The operator's password hash is where the system keeps it, and nowhere else; of the rest there is nothing."""
    clones = {where.split()[1] for where in verifying.during if where.startswith("guestinfo ")}
    assert len(clones) == 2
    found = set(verifying.found(verifying.during))
    own = {f"hash in {path} {clone}" for path in KEEPS_THE_HASH for clone in clones}
    assert found - own == set()
    assert {f"hash in /etc/shadow {clone}" for clone in clones} <= found
    assert verifying.modes == {"verify": 0o600, "its folder": 0o700}


def test_after_the_verification_no_secret_is_left(verifying: Watched) -> None:
    """Record, package list, page, logs, datastore and the template's own configuration: nothing anywhere."""
    assert verifying.found(verifying.after) == []
    assert {"record.json", "report.html", "sbom.cdx.json", "datastores", "the template"} <= verifying.after.keys()
