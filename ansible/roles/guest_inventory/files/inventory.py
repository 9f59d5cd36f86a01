"""Print what this guest holds, as JSON: packages, units, files of /etc, images.

Runs in the guest with its own Python (3.5 or newer) and nothing else; sorted, so
that two inventories can be compared line by line. What lists packages is the family's.
"""

import hashlib
import json
import os
import platform
import pwd
import shutil
import stat
import subprocess
from typing import Any, Dict, List, Optional

# Their contents are secrets or tell about some; that they exist is recorded, not their hash.
UNHASHED = ("/etc/shadow", "/etc/gshadow", "/etc/ssh/ssh_host_", "/etc/ssl/private/", "/etc/security/opasswd")


def output(*argv: str) -> str:
    """Return what a program prints; its failure is ours."""
    environment = dict(os.environ, LC_ALL="C")
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, env=environment).stdout.decode()


def units() -> Dict[str, str]:
    """Return the state of each unit file."""
    listed = output("systemctl", "list-unit-files", "--no-legend", "--no-pager", "--plain")
    return dict(line.split()[:2] for line in listed.splitlines() if line.strip())


def entry(path: str) -> Dict[str, str]:
    """Describe one file: mode, owner by name, and the hash or the link's target."""
    info = os.lstat(path)
    try:
        owner = pwd.getpwuid(info.st_uid).pw_name
    except KeyError:
        owner = str(info.st_uid)
    if stat.S_ISLNK(info.st_mode):
        return {"link": os.readlink(path)}
    described = {"mode": "{:04o}".format(stat.S_IMODE(info.st_mode)), "owner": owner}
    if stat.S_ISREG(info.st_mode) and not path.startswith(UNHASHED):
        with open(path, "rb") as file:
            described["sha256"] = hashlib.sha256(file.read()).hexdigest()
    return described


def files(root: str) -> Dict[str, Dict[str, str]]:
    """Describe every file below *root*, without crossing into another file system."""
    found = {}
    device = os.lstat(root).st_dev
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if os.lstat(os.path.join(folder, name)).st_dev == device]
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        for name in names + links:
            path = os.path.join(folder, name)
            found[path] = entry(path)
    return found


def engine() -> Optional[Dict[str, Any]]:
    """Return the engine's version and images, or None without one."""
    if not shutil.which("docker"):
        return None
    version = output("docker", "version", "--format", "{{.Server.Version}}").strip()
    ids = sorted(set(output("docker", "image", "ls", "--all", "--quiet", "--no-trunc").split()))
    images = json.loads(output("docker", "image", "inspect", *ids)) if ids else []
    wanted = ("Id", "RepoTags", "RepoDigests", "Architecture", "Size")
    return {"version": version, "images": [{key: image.get(key) for key in wanted} for image in images]}


def main(packages: List[Dict[str, str]]) -> None:
    """Print the inventory, with *packages* in it."""
    release = dict(line.rstrip().split("=", 1) for line in open("/etc/os-release") if "=" in line)
    document = {
        "schema": 1,
        "os": {key: release.get(key, "").strip('"') for key in ("ID", "VERSION_ID", "VERSION_CODENAME")},
        "kernel": platform.release(),
        "packages": packages,
        "units": units(),
        "etc": files("/etc"),
        "engine": engine(),
    }
    print(json.dumps(document, indent=1, sort_keys=True))
