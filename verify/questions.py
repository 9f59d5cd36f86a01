"""What a clone is asked besides its inventory: all at once, because each answer alone is waited for over SSH."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import yaml

ANSIBLE = Path("ansible")
TEST_IMAGE = "goldsmith-verify:latest"
# Made of the guest's own files: nothing is pulled, and it works without a network.
RUN_A_CONTAINER = f"""set -e
libraries=$(ldd /bin/echo | grep -o '/[^ )]*')
tar --create --dereference --directory=/ bin/echo $libraries 2>/dev/null | docker import - {TEST_IMAGE} >/dev/null
trap 'docker image rm {TEST_IMAGE} >/dev/null' EXIT
docker run --rm --network none {TEST_IMAGE} /bin/echo it runs"""
# CIS Docker Benchmark, section 3: the most that a file's mode may be, for those that exist; all belong to root.
MODES = {
    "/etc/default/docker": "root:root 644",
    "/etc/docker": "root:root 755",
    "/etc/docker/certs.d/*/*": "root:root 444",
    "/etc/docker/daemon.json": "root:root 644",
    "/run/containerd/containerd.sock": "root:root 660",
    "/run/docker.sock": "root:docker 660",
    "/usr/lib/systemd/system/containerd.service": "root:root 644",
    "/usr/lib/systemd/system/docker.service": "root:root 644",
    "/usr/lib/systemd/system/docker.socket": "root:root 644",
}


def of(expected: dict[str, Any]) -> dict[str, str]:
    """Return the shell commands that a clone runs as root, by the name that a check asks for."""
    if expected["phase"] != "docker":
        return {}
    places = variables(expected)["data_disk_binds"].values()
    return {
        "info": "docker info --format '{{json .}}'",
        "daemon.json": "cat /etc/docker/daemon.json",
        "bridge": "docker network inspect bridge --format '{{json .Options}}'",
        "modes": f"stat --format='%n %U:%G %a' {' '.join(MODES)} 2>/dev/null || true",
        "container": RUN_A_CONTAINER,
        "root disk": "stat --format=%d /",
        **{
            f"disk of {place}": f"findmnt --noheadings --output FSTYPE {place} && stat --format=%d {place}"
            for place in places
        },
    }


def variables(expected: dict[str, Any]) -> dict[str, Any]:
    """Return the playbooks' variables: the build's, if it left them in a file, over the roles' defaults."""
    return _variables(expected["family"], expected["variables"])


@functools.cache
def _variables(family: str, own: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for role in ("data_disk", "docker_engine", "docker_images", "host_kernel", "guest_seal"):
        found |= yaml.safe_load((ANSIBLE / "roles" / role / "defaults/main.yml").read_text()) or {}
    found |= yaml.safe_load((ANSIBLE / "group_vars/all.yml").read_text()) or {}
    if own:
        found |= json.loads(Path(own).read_text())
    engines = ANSIBLE / "families" / family / "vars/engines"
    flavour = yaml.safe_load((engines / f"{found['docker_engine_flavour']}.yml").read_text())
    if isinstance(found["docker_engine_packages"], str):
        found["docker_engine_packages"] = flavour["docker_engine_flavour_packages"]
    return found
