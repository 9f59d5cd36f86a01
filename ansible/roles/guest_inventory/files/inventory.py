"""Print what this guest holds, as JSON: packages, units, files of /etc, images.

Runs in the guest with its own Python and nothing else; sorted, so that two
inventories can be compared line by line.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import pwd
import shutil
import stat
import subprocess
from typing import Any

# Their contents are secrets or tell about some; that they exist is recorded, not their hash.
UNHASHED = ("/etc/shadow", "/etc/gshadow", "/etc/ssh/ssh_host_", "/etc/ssl/private/", "/etc/security/opasswd")
PACKAGE = ("name", "version", "architecture", "status", "source", "source_version")
FORMAT = "${Package}\t${Version}\t${Architecture}\t${db:Status-Abbrev}\t${source:Package}\t${source:Version}\n"


def output(*argv: str) -> str:
    """Return what a program prints; its failure is ours."""
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, env=environment).stdout.decode()


def packages() -> list[dict[str, str]]:
    """Return one object for each package, held ones marked by dpkg's status "hi"."""
    rows = (line.split("\t") for line in output("dpkg-query", "--show", "--showformat", FORMAT).splitlines())
    return sorted((dict(zip(PACKAGE, map(str.strip, row))) for row in rows), key=lambda row: row["name"])


def units() -> dict[str, str]:
    """Return the state of each unit file."""
    listed = output("systemctl", "list-unit-files", "--no-legend", "--no-pager", "--plain")
    return dict(sorted(line.split()[:2] for line in listed.splitlines() if line.strip()))


def entry(path: str) -> dict[str, str]:
    """Describe one file: mode, owner by name, and the hash or the link's target."""
    info = os.lstat(path)
    try:
        owner = pwd.getpwuid(info.st_uid).pw_name
    except KeyError:
        owner = str(info.st_uid)
    if stat.S_ISLNK(info.st_mode):
        return {"link": os.readlink(path)}
    described = {"mode": f"{stat.S_IMODE(info.st_mode):04o}", "owner": owner}
    if stat.S_ISREG(info.st_mode) and not path.startswith(UNHASHED):
        with open(path, "rb") as file:
            described["sha256"] = hashlib.sha256(file.read()).hexdigest()
    return described


def files(root: str) -> dict[str, dict[str, str]]:
    """Describe every file below *root*, without crossing into another file system."""
    found = {}
    device = os.lstat(root).st_dev
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if os.lstat(os.path.join(folder, name)).st_dev == device]
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in names + links:
            path = os.path.join(folder, name)
            found[path] = entry(path)
    return dict(sorted(found.items()))


def engine() -> dict[str, Any] | None:
    """Return the engine's version and images, or None without one."""
    if not shutil.which("docker"):
        return None
    version = output("docker", "version", "--format", "{{.Server.Version}}").strip()
    ids = sorted(set(output("docker", "image", "ls", "--all", "--quiet", "--no-trunc").split()))
    images = json.loads(output("docker", "image", "inspect", *ids)) if ids else []
    wanted = ("Id", "RepoTags", "RepoDigests", "Architecture", "Size")
    return {"version": version, "images": [{key: image.get(key) for key in wanted} for image in images]}


def main() -> None:
    """Print the inventory."""
    release = dict(line.rstrip().split("=", 1) for line in open("/etc/os-release") if "=" in line)
    document = {
        "schema": 1,
        "os": {key: release.get(key, "").strip('"') for key in ("ID", "VERSION_ID", "VERSION_CODENAME")},
        "kernel": platform.release(),
        "packages": packages(),
        "units": units(),
        "etc": files("/etc"),
        "engine": engine(),
    }
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
