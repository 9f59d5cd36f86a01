"""Seal this guest by a list, check each line, print a report as JSON.

Runs in the guest with its own Python (3.5 or newer) and nothing else. It touches
neither sshd nor the network nor sudo: whoever runs it still has to shut the guest
down over the connection that is open. What each key of an item means stands in
vars/main.yml.
"""

import glob
import json
import os
import pwd
import re
import shutil
import stat
import subprocess
import sys
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Sequence

Item = Dict[str, Any]

ROTATED = re.compile(r"\.(gz|xz|old|\d+)$")
# Sockets' directories and private /tmp of running services end with the boot anyway.
KEPT = ("systemd-private-", ".X11-unix", ".ICE-unix", ".XIM-unix", ".font-unix")
# What one item may raise without ending the others.
TROUBLE = (OSError, RuntimeError, subprocess.CalledProcessError)
PERSONS = range(1000, 60000)  # user ids of persons; root comes on top


class Seal:
    """One pass over the list. *root* is "/" but for tests, which seal a directory and run nothing."""

    def __init__(self, root: str = "/", lock: Sequence[str] = ()) -> None:
        self.root = root
        self.lock = lock
        self.homes = self._homes()
        self.changed = []  # type: List[str]

    def _homes(self) -> List[str]:
        """Return the homes of root and of each person that exist."""
        if self.root != "/":
            found = ["/root", *sorted("/home/" + name for name in self._list("/home"))]
        else:
            found = [user.pw_dir for user in pwd.getpwall() if user.pw_uid == 0 or user.pw_uid in PERSONS]
        return sorted({home for home in found if home != "/" and os.path.isdir(self.at(home))})

    def _list(self, folder: str) -> List[str]:
        try:
            return os.listdir(self.at(folder))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def at(self, path: str) -> str:
        """Return where a path of the guest really is."""
        return path if self.root == "/" else self.root + path

    def paths(self, patterns: Iterable[str]) -> List[str]:
        """Return what exists for *patterns*, {home} filled in; links count as themselves."""
        found = set()
        for pattern in patterns:
            homes = self.homes if "{home}" in pattern else [""]
            for home in homes:
                found.update(glob.glob(self.at(pattern.replace("{home}", glob.escape(home)))))
        return sorted(found)

    def did(self, what: str) -> None:
        """Remember a change."""
        self.changed.append(what)

    # What to do --------------------------------------------------------------

    def run(self, commands: Iterable[Sequence[str]]) -> None:
        """Run programs; one that is missing has nothing to clean, one after a dash may fail."""
        for program, *arguments in commands:
            argv = [program.lstrip("-"), *arguments]
            if self.root != "/" or not shutil.which(argv[0]):
                continue
            done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
            if done.returncode and not program.startswith("-"):
                said = done.stderr.decode()[-300:]
                raise RuntimeError("{}: exit code {}: {}".format(" ".join(argv), done.returncode, said))

    def remove(self, patterns: Iterable[str]) -> None:
        """Remove files, links, and whole directories."""
        for path in self.paths(patterns):
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
            self.did(path)

    def inside(self, folders: Iterable[str]) -> Iterator[str]:
        """Return what is in *folders* and may go: no mount points, nothing that lives in memory."""
        for folder in self.paths(folders):
            if os.path.islink(folder) or not os.path.isdir(folder):
                continue
            if self.root == "/" and in_memory(folder):
                continue
            for name in sorted(os.listdir(folder)):
                path = os.path.join(folder, name)
                if not name.startswith(KEPT) and not os.path.ismount(path):
                    yield path

    def clear(self, folders: Iterable[str]) -> None:
        """Remove what is inside of directories."""
        for path in list(self.inside(folders)):
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
            self.did(path)

    def logs(self, folders: Iterable[str]) -> Iterator[str]:
        """Return each regular file below *folders*."""
        for top in self.paths(folders):
            for folder, _, names in os.walk(top):
                for path in (os.path.join(folder, name) for name in sorted(names)):
                    if stat.S_ISREG(os.lstat(path).st_mode):
                        yield path

    def truncate(self, folders: Iterable[str]) -> None:
        """Empty the files below directories, in place; rotated ones go."""
        for path in list(self.logs(folders)):
            if ROTATED.search(path):
                os.unlink(path)
                self.did(path)
            elif os.path.getsize(path):
                os.truncate(path, 0)
                self.did(path)

    def write(self, texts: Mapping[str, str]) -> None:
        """Write files in place: one may be a mount of its own."""
        for name, text in texts.items():
            for path in self.paths([name]):
                if read(path) != text:
                    with open(path, "w") as file:
                        file.write(text)
                    self.did(path)

    def empty(self, patterns: Iterable[str]) -> None:
        """Empty files in place."""
        for path in self.paths(patterns):
            if os.path.getsize(path):
                os.truncate(path, 0)
                self.did(path)

    def link(self, links: Mapping[str, str]) -> None:
        """Turn a file into a link."""
        for name, target in links.items():
            for path in self.paths([name]):
                if not (os.path.islink(path) and os.readlink(path) == target):
                    os.unlink(path)
                    os.symlink(target, path)
                    self.did(path)

    def strip(self, rule: Item) -> None:
        """Remove lines; a file without any line left is removed as well."""
        for path in self.paths(rule["files"]):
            if not os.path.isfile(path):
                continue
            lines = read(path).splitlines(keepends=True)
            kept = [line for line in lines if not re.search(rule["lines"], line)]
            if len(kept) == len(lines):
                continue
            if any(line.strip() for line in kept):
                with open(path, "w", errors="surrogateescape") as file:
                    file.writelines(kept)
            else:
                os.unlink(path)
            self.did(path)

    def lock_passwords(self, *, wanted: bool) -> None:
        """Lock the passwords of the accounts that were given to us."""
        for name in self.lock if wanted else ():
            if not locked(name):
                subprocess.run(["usermod", "--lock", name], check=True, stdout=subprocess.DEVNULL)
                self.did(name)

    # What must hold afterwards -------------------------------------------------

    def faults(self, item: Item) -> List[str]:
        """Return what is not as the item wants it, in words."""
        left = [path + " is still there" for path in self.paths(item.get("remove", ()))]
        left += [path + " is still there" for path in self.inside(item.get("clear", ()))]
        # A daemon may have said its word meanwhile.
        left += [path + " is not small" for path in self.logs(item.get("truncate", ())) if os.path.getsize(path) > 4096]
        left += [path + " is not empty" for path in self.paths(item.get("empty", ())) if os.path.getsize(path)]
        left += [path + " is missing" for path in item.get("empty", ()) if not os.path.exists(self.at(path))]
        for name, text in item.get("write", {}).items():
            left += [path + " says something else" for path in self.paths([name]) if read(path) != text]
        for name, target in item.get("link", {}).items():
            left += [path + " is no link" for path in self.paths([name]) if not is_link(path, target)]
        rule = item.get("strip", {"files": (), "lines": ""})
        for path in filter(os.path.isfile, self.paths(rule["files"])):
            left += [path + " still has such a line"] if re.search(rule["lines"], read(path), re.MULTILINE) else []
        left += [
            "the password of " + name + " is not locked" for name in self.lock if item.get("lock") and not locked(name)
        ]
        left += [unit + " is not enabled" for unit in item.get("enabled", ()) if self.root == "/" and not enabled(unit)]
        return left

    def apply(self, item: Item) -> None:
        """Do what one item wants."""
        self.run(item.get("run", ()))
        self.remove(item.get("remove", ()))
        self.clear(item.get("clear", ()))
        self.truncate(item.get("truncate", ()))
        self.empty(item.get("empty", ()))
        self.write(item.get("write", {}))
        self.link(item.get("link", {}))
        self.strip(item.get("strip", {"files": (), "lines": ""}))
        self.lock_passwords(wanted=item.get("lock", False))

    def all(self, items: Iterable[Item]) -> Item:
        """Do all, then check all; return the report."""
        rows = []
        items = [item for item in items if self.root != "/" or shutil.which(item.get("needs", "sh"))]
        for item in items:
            self.changed = []
            trouble = []
            try:
                self.apply(item)
            except TROUBLE as error:
                trouble = [str(error)]
            rows.append({"id": item["id"], "why": item["why"], "changed": self.changed, "faults": trouble})
        for item, row in zip(items, rows):
            try:
                row["faults"] += self.faults(item)
            except TROUBLE as error:
                row["faults"].append(str(error))
        return {"schema": 1, "items": rows, "ok": not any(row["faults"] for row in rows)}


def read(path: str) -> str:
    """Return a text file, whatever its bytes."""
    with open(path, errors="surrogateescape") as file:
        return file.read()


def is_link(path: str, target: str) -> bool:
    """Tell whether a path is a link to a target."""
    return os.path.islink(path) and os.readlink(path) == target


def in_memory(path: str) -> bool:
    """Tell whether a path ends with the boot anyway."""
    kind, best = "", -1
    with open("/proc/self/mounts") as mounts:
        for _, place, found, *_ in map(str.split, mounts):
            if (path + "/").startswith(place.rstrip("/") + "/") and len(place) >= best:
                kind, best = found, len(place)
    return kind in {"tmpfs", "ramfs"}


def locked(name: str) -> bool:
    """Tell whether an account's password is locked."""
    done = subprocess.run(["passwd", "--status", name], check=True, stdout=subprocess.PIPE)
    return done.stdout.split()[1].startswith(b"L")


def enabled(unit: str) -> bool:
    """Tell whether systemd starts a unit at boot."""
    return subprocess.run(["systemctl", "is-enabled", "--quiet", unit]).returncode == 0


def trim(mounts: Iterable[str]) -> List[str]:
    """Give free blocks back to the datastore; a disk that cannot do that is no fault. Return what was trimmed."""
    done = []
    for mount in mounts:
        if os.path.ismount(mount):
            asked = subprocess.run(["fstrim", mount], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            done += [mount] if asked.returncode == 0 else []
    return done


def main(order: Item) -> None:
    """Seal by *order*: items, accounts to lock, mounts to trim. Exit code 1 when a check fails."""
    if shutil.which("docker"):
        containers = subprocess.run(
            ["docker", "ps", "--all", "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        if containers.stdout.strip():
            sys.exit("seal: there are containers; a template holds images only: docker rm them first")
    report = Seal(lock=order["lock"]).all(order["items"])
    report["trimmed"] = trim(order["trim"])
    os.sync()
    print(json.dumps(report, indent=1))
    sys.exit(0 if report["ok"] else 1)
