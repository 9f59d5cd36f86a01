"""Look at this guest once, as root, and print everything the checks compare, as JSON.

Runs in the clone with its own Python (3.5 or newer) and nothing else. It is handed
over on stdin, together with the seal's program, the inventory's and the family's,
whose notion of what must be gone and of what there is are used as they are.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
import types
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, List

NOT_APPLIED = "/var/lib/goldsmith/not-applied.json"
BOOTING = ("", "initializing", "starting")
PATIENCE = 600.0


def said(*argv: str) -> str:
    """Return what a program prints, whatever its status; nothing when the guest does not have it."""
    if not shutil.which(argv[0]):
        return ""
    environment = dict(os.environ, LC_ALL="C")
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment).stdout.decode()


def booted(ask: Callable[..., str] = said, sleep: Callable[[float], None] = time.sleep) -> str:
    """Wait until systemd has started everything it wants to, and return what it calls that."""
    state = ask("systemctl", "is-system-running", "--wait").strip()
    # Before version 240 systemd refuses --wait here, or does not wait.
    end = time.monotonic() + PATIENCE
    while state in BOOTING and time.monotonic() < end:
        sleep(0.5)
        state = ask("systemctl", "is-system-running").strip()
    return state


def units(listed: str) -> List[str]:
    """Return the names of the units that systemd lists; its older versions put a mark before each that failed."""
    return [line.lstrip("\u25cf* ").split()[0] for line in listed.splitlines() if line.strip()]


def module(name: str, text: str) -> Any:
    """Return a program's text as a module."""
    made = types.ModuleType(name)
    exec(compile(text, name, "exec"), made.__dict__)
    return made


def text(path: str) -> str:
    """Return a file's text, empty when there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def digests(paths: List[str]) -> Dict[str, str]:
    """Return the sha256 of each regular file among *paths*."""
    found = {}
    for path in paths:
        if os.path.isfile(path):
            with open(path, "rb") as file:
                found[path] = hashlib.sha256(file.read()).hexdigest()
    return found


def sealed(seal: Any, items: List[Dict[str, Any]]) -> Dict[str, Dict[str, Any]]:
    """Return what each line of the seal's list shows in this clone."""
    found = {}
    for item in items:
        paths = seal.paths([*item.get("remove", ()), *item.get("empty", ())])
        faults = seal.faults(item) if item["in_clone"] == "absent" else []
        found[item["id"]] = {"faults": faults, "digests": digests(paths)}
    return found


def passwords() -> Dict[str, str]:
    """Return which accounts have a password, an empty one, or none that opens them; never a hash."""
    states = {}
    for line in text("/etc/shadow").splitlines():
        name, password = line.split(":")[:2]
        # What crypt can make begins with $ or _, or is DES's 13 characters; anything else fits no password.
        usable = re.match(r"[$_]|[./0-9A-Za-z]{13}$", password)
        states[name] = "empty" if not password else "set" if usable else "unusable"
    return states


def timezone() -> str:
    """Return the name of the time zone: older installers copy its file, and write the name beside it."""
    return os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2] or text("/etc/timezone").strip()


def answer(command: str) -> Dict[str, Any]:
    """Return what a shell command says as root."""
    environment = dict(os.environ, LC_ALL="C")
    done = subprocess.run(("sh", "-c", command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    return {"status": done.returncode, "out": done.stdout.decode().strip(), "err": done.stderr.decode().strip()}


def answers(questions: Dict[str, str]) -> Dict[str, Dict[str, Any]]:
    """Return the answers to *questions*, which wait for their programs beside each other."""
    with ThreadPoolExecutor() as pool:
        return dict(zip(questions, pool.map(answer, questions.values())))


def main(order: Dict[str, Any]) -> None:
    """Print what is seen; *order* holds the programs, the seal's list and the questions."""
    began = time.monotonic()
    # Both end by themselves: the first boot is over when they do.
    cloud = said("cloud-init", "status", "--wait", "--format", "json")
    state = booted()
    seconds = time.monotonic() - began
    seal = module("seal", order["seal"]).Seal(lock=order["locked"])
    inventory = module("inventory", order["inventory"])
    document = {
        "machine_id": text("/etc/machine-id").strip(),
        "hostname": said("hostname").strip(),
        "host_keys": digests(seal.paths(["/etc/ssh/ssh_host_*.pub"])),
        "engine_id": said("docker", "info", "--format", "{{.ID}}").strip() if inventory.engine() else "",
        "system": state,
        "container": said("systemd-detect-virt", "--container").strip(),
        "failed_units": units(said("systemctl", "--failed", "--plain", "--no-legend")),
        "cloud_init": json.loads(cloud or "{}"),
        "family": module("family", order["family"]).look(),
        "passwords": passwords(),
        "timezone": timezone(),
        "sealed": sealed(seal, order["items"]),
        "not_applied": json.loads(text(NOT_APPLIED) or "{}").get("not_applied", []),
        "inventory": {
            "os": dict(line.split("=", 1) for line in text("/etc/os-release").splitlines() if "=" in line),
            "packages": module("packages", order["packages"]).packages(),
            "units": inventory.units(),
            "etc": inventory.files("/etc"),
            "engine": inventory.engine(),
        },
        "booting_seconds": seconds,
    }
    # Last: one of them makes an image and a container for a moment.
    document["answers"] = answers(order["questions"])
    print(json.dumps(document, sort_keys=True))
