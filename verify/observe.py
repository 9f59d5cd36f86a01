"""Look at this guest once, as root, and print everything the checks compare, as JSON.

Runs in the clone with its own Python and nothing else. It is handed over on
stdin, together with the seal's program and the inventory's, whose notion of what
must be gone and of what there is are used as they are.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import time
import types
from concurrent.futures import ThreadPoolExecutor
from typing import Any

NOT_APPLIED = "/var/lib/goldsmith/not-applied.json"


def said(*argv: str) -> str:
    """Return what a program prints, whatever its status."""
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment).stdout.decode()


def module(name: str, text: str) -> types.ModuleType:
    """Return a program's text as a module."""
    made = types.ModuleType(name)
    exec(compile(text, name, "exec"), made.__dict__)
    return made


def text(path: str) -> str:
    """Return a file's text, empty when there is none."""
    try:
        with open(path, errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def digests(paths: list[str]) -> dict[str, str]:
    """Return the sha256 of each regular file among *paths*."""
    found = {}
    for path in paths:
        if os.path.isfile(path):
            with open(path, "rb") as file:
                found[path] = hashlib.sha256(file.read()).hexdigest()
    return found


def sealed(seal: Any, items: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return what each line of the seal's list shows in this clone."""
    found = {}
    for item in items:
        paths = seal.paths([*item.get("remove", ()), *item.get("empty", ())])
        faults = seal.faults(item) if item["in_clone"] == "absent" else []
        found[item["id"]] = {"faults": faults, "digests": digests(paths)}
    return found


def passwords() -> dict[str, str]:
    """Return which accounts have a password, an empty one, or none that opens them; never a hash."""
    states = {}
    for line in text("/etc/shadow").splitlines():
        name, password = line.split(":")[:2]
        # What crypt can make begins with $ or _, or is DES's 13 characters; anything else fits no password.
        usable = re.match(r"[$_]|[./0-9A-Za-z]{13}$", password)
        states[name] = "empty" if not password else "set" if usable else "unusable"
    return states


def answer(command: str) -> dict[str, Any]:
    """Return what a shell command says as root."""
    done = subprocess.run(("sh", "-c", command), capture_output=True, env={**os.environ, "LC_ALL": "C"})
    return {"status": done.returncode, "out": done.stdout.decode().strip(), "err": done.stderr.decode().strip()}


def answers(questions: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Return the answers to *questions*, which wait for their programs beside each other."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(questions, pool.map(answer, questions.values()), strict=True))


def main(order: dict[str, Any]) -> None:
    """Print what is seen; *order* holds the programs, the seal's list and the questions."""
    began = time.monotonic()
    # Both end by themselves: the first boot is over when they do.
    cloud = said("cloud-init", "status", "--wait", "--format", "json")
    state = said("systemctl", "is-system-running", "--wait").strip()
    booted = time.monotonic() - began
    seal = module("seal", order["seal"]).Seal(lock=order["locked"])
    inventory = module("inventory", order["inventory"])
    document = {
        "machine_id": text("/etc/machine-id").strip(),
        "hostname": said("hostname").strip(),
        "host_keys": digests(seal.paths(["/etc/ssh/ssh_host_*.pub"])),
        "engine_id": said("docker", "info", "--format", "{{.ID}}").strip() if inventory.engine() else "",
        "system": state,
        "container": said("systemd-detect-virt", "--container").strip(),
        "failed_units": [
            line.split()[0] for line in said("systemctl", "--failed", "--plain", "--no-legend").splitlines()
        ],
        "cloud_init": json.loads(cloud or "{}"),
        "audit": said("dpkg", "--audit").strip(),
        "holds": said("apt-mark", "showhold").split(),
        "passwords": passwords(),
        "timezone": os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2],
        "sealed": sealed(seal, order["items"]),
        "not_applied": json.loads(text(NOT_APPLIED) or "{}").get("not_applied", []),
        "inventory": {
            "os": dict(line.split("=", 1) for line in text("/etc/os-release").splitlines() if "=" in line),
            "packages": inventory.packages(),
            "units": inventory.units(),
            "etc": inventory.files("/etc"),
            "engine": inventory.engine(),
        },
    }
    # Last: one of them makes an image and a container for a moment.
    document |= {"answers": answers(order["questions"]), "booting_seconds": booted}
    print(json.dumps(document))
