"""The roles on real machines of a lab, by the toolbox's own Ansible: what a plain build of the image does not show."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration import hosts, inventory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from tests.ansible.conftest import Bench
    from tests.integration.conftest import Operator
    from tests.integration.hosts import Host

NOWHERE = "sha256:" + "0" * 64


def told(text: str) -> str:
    """Return what Ansible said on one line: it breaks long ones, and doubles quotes."""
    return " ".join(text.split()).replace("''", "'")


# -- images in the template -------------------------------------------------------------------


def test_images_come_by_digest_and_from_archives(bench: Bench) -> None:
    """Both kinds are there and run, also without the registry's name; a second run gets neither again."""
    wanted = [{"tag": "pulled:1", "ref": f"{bench.name}@{bench.digest}"}, bench.archive("loaded:1")]
    variables = {**bench.variables, "docker_images_list": wanted}
    first = bench.guest.play(variables)
    assert first.code == 0, first.text
    assert {"docker_images : Pull by digest", "docker_images : Give it to the engine"} <= set(first.changed)
    for tag in ("pulled:1", "loaded:1"):
        assert bench.guest.sh(f"docker run --rm --network none {tag}") == "hello from a tiny image"
    second = bench.guest.play(variables)
    assert second.code == 0, second.text
    assert second.changed == []


def test_a_digest_that_the_registry_does_not_have_is_named(bench: Bench) -> None:
    """The image and the digest stand in what is said."""
    ref = f"{bench.name}@{NOWHERE}"
    failed = bench.guest.play({**bench.variables, "docker_images_list": [{"tag": "pulled:2", "ref": ref}]})
    assert failed.code != 0
    assert f"manifest for {ref} not found" in told(failed.text)


@pytest.mark.parametrize("wrong", ["sha256", "id"])
def test_an_archive_that_is_not_the_pinned_one_is_refused(bench: Bench, wrong: str) -> None:
    """Another file is not loaded at all; another image in the right file is told by both its ids."""
    wanted = bench.archive("refused:1")
    other = NOWHERE if wrong == "id" else NOWHERE.partition(":")[2]
    failed = bench.guest.play({**bench.variables, "docker_images_list": [{**wanted, wrong: other}]})
    assert failed.code != 0
    assert wanted[wrong] in told(failed.text)
    assert other in told(failed.text)
    if wrong == "sha256":
        assert bench.guest.run("docker image inspect refused:1").returncode != 0


# -- another repository for the engine --------------------------------------------------------


@pytest.fixture(scope="session")
def foreign(bench: Bench) -> dict[str, Any]:
    """The flavour docker-ce with the lab's repository in the place of Docker's, and the lab's key in a file."""
    key = bench.guest.folder / "engine.asc"
    key.write_text(bench.guest.sh("cat /lab/mirror.asc") + "\n")
    packages = [
        {"name": name, "version": bench.guest.sh(f"dpkg-query -W -f '${{Version}}' {name}")}
        for name in ("docker.io", "docker-cli", "containerd")
    ]
    return {
        **bench.variables,
        "docker_engine_flavour": "docker-ce",
        "docker_engine_packages": packages,
        "docker_engine_conflicts": ["podman-docker"],
        "docker_engine_repo": {"suites": "trixie", "components": "main"},
        "docker_engine_repo_url": "http://mirror.lab.test:8080/debian",
        "docker_engine_repo_key_file": bench.guest.inside(key),
    }


def test_a_key_that_is_not_the_pinned_one_is_refused(bench: Bench, foreign: dict[str, Any]) -> None:
    """Docker's fingerprint does not fit the lab's key: nothing of the repository reaches the guest."""
    failed = bench.guest.play(foreign)
    assert failed.code != 0
    assert "9DC858229FC7DD38854AE2D88D81803C0EBFCD88" in told(failed.text)
    assert bench.guest.run("ls /etc/apt/sources.list.d/docker-engine.sources").returncode != 0


def test_a_repository_is_used_with_its_own_key(bench: Bench, foreign: dict[str, Any], openpgp: ModuleType) -> None:
    """The key's fingerprint, as gpg tells it, lets the repository in; apt trusts it by that key alone."""
    guest = bench.guest
    guest.sh("DEBIAN_FRONTEND=noninteractive apt-get -qq install gnupg >/dev/null")
    listed = guest.sh("gpg --batch --with-colons --show-keys /lab/mirror.asc")
    [pinned] = [line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr:")][:1]
    assert openpgp.fingerprints((guest.folder / "engine.asc").read_text()) == [pinned]
    done = guest.play({**foreign, "docker_engine_repo_key_fingerprint": pinned.lower()})
    assert done.code == 0, done.text
    assert "apt : Repository" in done.changed
    alone = ("sourcelist=sources.list.d/docker-engine.sources", "sourceparts=-", "trustedparts=-")
    options = " ".join(f"-o Dir::Etc::{option}" for option in alone)
    guest.sh(f"apt-get update -o APT::Update::Error-Mode=any {options}")
    again = guest.play({**foreign, "docker_engine_repo_key_fingerprint": pinned})
    assert again.changed == []
    guest.sh("rm /etc/apt/sources.list.d/docker-engine.sources /etc/apt/keyrings/docker-engine.asc")


def test_mirantis_engine_needs_versions(bench: Bench) -> None:
    """Its versions come with a contract: each package that has none is named before anything is done."""
    failed = bench.guest.play({**bench.variables, "docker_engine_flavour": "mcr"})
    assert failed.code != 0
    assert "docker_engine_packages needs a version for docker-ee, docker-ee-cli, containerd.io" in told(failed.text)
    assert not [task for task in failed.changed if task.startswith("docker_engine")]


# -- audit ------------------------------------------------------------------------------------


def test_audit_rules_cover_what_the_guest_has(bench: Bench) -> None:
    """A rule for each path that exists; that nothing loads them in a container is said with its reason."""
    done = bench.guest.play({**bench.variables, "docker_audit_enabled": True})
    assert done.code == 0, done.text
    rules = bench.guest.sh("cat /etc/audit/rules.d/50-docker.rules")
    assert "-F dir=/var/lib/docker -F perm=wa -F key=docker" in rules
    assert "-F path=/usr/sbin/dockerd -F perm=wa -F key=docker" in rules
    assert "not applied: audit daemon (auditd): the kernel's audit channel" in told(done.text)


# -- disks ------------------------------------------------------------------------------------


def test_a_block_device_becomes_the_data_disk(bench: Bench) -> None:
    """A blank device gets a file system, which is mounted by its label; one with other data is left alone."""
    guest = bench.guest
    device = guest.sh("truncate -s 64M /root/disk.img; losetup --find --show /root/disk.img")
    # udev, which makes this link on a machine with a kernel of its own, does not run in a container.
    guest.sh(f"mkdir -p /dev/disk/by-label; ln -s {device} /dev/disk/by-label/roles-test")
    variables = {
        **bench.variables,
        "data_disk_device": device,
        "data_disk_label": "roles-test",
        "data_disk_mount": "/srv/another",
        "data_disk_binds": {"one": "/srv/bound"},
    }
    try:
        first = guest.play(variables)
        assert first.code == 0, first.text
        assert "data_disk : Make the file system" in first.changed
        assert "What=LABEL=roles-test" in guest.sh("cat /etc/systemd/system/srv-another.mount")
        assert guest.sh("findmnt --noheadings --output SOURCE /srv/bound") == f"{device}[/one]"
        assert guest.play(variables).changed == []
        refused = guest.play({**variables, "data_disk_label": "of-another"})
        assert refused.code != 0
        assert f"{device} is not empty and not ours" in told(refused.text)
    finally:
        units = "srv-bound.mount srv-another.mount"
        guest.run(f"systemctl disable --now {units}; cd /etc/systemd/system; rm -f {units}; systemctl daemon-reload")
        guest.sh(f"losetup --detach {device}; rm /dev/disk/by-label/roles-test")


def test_a_disk_that_is_missing_is_named(bench: Bench) -> None:
    """A machine without its second disk is told by the device and by the variable."""
    failed = bench.guest.play({**bench.variables, "data_disk_device": "/dev/sdz"})
    assert failed.code != 0
    assert "/dev/sdz is neither a block device nor an image file" in told(failed.text)


# -- release ----------------------------------------------------------------------------------


def images(bench: Bench, digest: str) -> Callable[[Path], object]:
    """Return the change that puts two images into the template."""

    def change(root: Path) -> None:
        archive = bench.archive("loaded:1")
        (root / "config/tiny.tar").write_bytes((bench.guest.root / archive["archive"]).read_bytes())
        (root / "config/registry-ca.pem").write_text(bench.registry.ca)
        with (root / "config/images/debian-13.toml").open("a", encoding="utf-8") as file:
            file.write(
                f"""
[docker.variables]
docker_engine_registry_cas = {{ "{bench.registry.name}" = "config/registry-ca.pem" }}

[[docker.images]]
tag = "pulled:1"
ref = "{bench.name}@{digest}"

[[docker.images]]
tag = "loaded:1"
archive = "config/tiny.tar"
sha256 = "{archive["sha256"]}"
id = "{archive["id"]}"
"""
            )

    return change


def test_a_build_with_a_wrong_digest_says_which(bench: Bench, worker: Operator, tmp_path: Path) -> None:
    """The task, the image and its digest stand in the four parts of the error; the clone is removed."""
    failed = hosts.elsewhere(worker, tmp_path, images(bench, NOWHERE)).run("packer-docker")
    assert failed.code == 4, failed.err
    error = failed.error()
    assert "docker_images : Pull by digest" in error["what"]
    assert f"{bench.name}@{NOWHERE}" in error["why"]


def disks(lab: dict[str, Any]) -> dict[str, list[bool]]:
    """Return, for each machine of the lab, which of its disks hang on another's."""
    from goldsmith.vcenter.sdk import vim

    with inventory.Lab(lab).connect() as client:
        found = client._collector.every(
            client._content.rootFolder, {vim.VirtualMachine: ("name", "config.hardware.device")}
        )
        return {
            values["name"]: [
                device.backing.parent is not None
                for device in values["config.hardware.device"]
                if isinstance(device, vim.vm.device.VirtualDisk)
            ]
            for _, values in found
        }


def test_a_release_shares_no_disk_and_has_its_images(
    bench: Bench, worker: Operator, host: Host, lab: dict[str, Any], tmp_path: Path
) -> None:
    """`build --full` beside a linked template: forged anew with that reason, verified, all disks its own."""
    other = hosts.elsewhere(worker, tmp_path, images(bench, bench.digest))
    planned = {row["stage"]: row for row in json.loads(other.done("plan", "--full", "--json").out)["stages"]}
    assert "full-clone" in planned["docker"]["reason"]
    name = other.done("build", "--full").out.strip()
    shared = disks(lab)
    assert shared[host.name] == [True, False]
    assert shared[name] == [False, False]
    [row] = [row for row in json.loads(other.done("templates", "--json").out) if row["name"] == name]
    assert row["status"] == "verified"
    engine = json.loads((tmp_path / "build" / name[-24:] / "ansible/inventory.json").read_text())["engine"]
    assert {tag for image in engine["images"] for tag in image["RepoTags"]} >= {"pulled:1", "loaded:1"}
