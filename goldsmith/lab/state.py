"""What a machine keeps of its running lab: who may log in where, and the CA to trust."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from goldsmith.errors import CheckError
from goldsmith.host.workspace import SECRET_MODE, write_if_changed
from goldsmith.model.values import host_and_port

if TYPE_CHECKING:
    from pathlib import Path

FILE = "lab.json"
CA = "ca.pem"
TOKEN = "token"  # noqa: S105 - a file's name


@dataclass(frozen=True, kw_only=True)
class Login:
    """How to log in to one vCenter."""

    name: str
    server: str
    user: str
    password: str = field(repr=False)
    datastore: str


@dataclass(frozen=True, kw_only=True)
class State:
    """A lab that is up."""

    name: str
    settings: str
    """The digest of what it was started with; another one means another lab."""
    admin: str
    """The admin API's address."""
    token: str = field(repr=False)
    vcenters: tuple[Login, ...]

    def at(self, server: str) -> str:
        """Return the name of the vCenter that listens where *server* says, whatever this machine is called there."""
        port = host_and_port(server)[1]
        return next((one.name for one in self.vcenters if host_and_port(one.server)[1] == port), "")

    def write(self, folder: Path, ca: str) -> None:
        """Write the files of the lab; ``lab.json`` last, because its presence means that the lab is up."""
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        write_if_changed(folder / CA, ca)
        write_if_changed(folder / TOKEN, self.token + "\n", mode=SECRET_MODE)
        for one in self.vcenters:
            write_if_changed(password_file(folder, one.name), one.password + "\n", mode=SECRET_MODE)
        write_if_changed(folder / FILE, self.dump(), mode=SECRET_MODE)

    def dump(self) -> str:
        """Return ``lab.json``: what the site ``lab`` is, and all else there is to know."""
        first = self.vcenters[0]
        site = {"server": first.server, "placement": {"datastore": first.datastore}}
        told = {"site": site, "user": first.user, "password": first.password}
        return json.dumps(told | asdict(self), indent=1) + "\n"


def read(folder: Path) -> State | None:
    """Return the lab's state; nothing when there is none.

    Raises ``CheckError`` for a file that is something else.
    """
    file = folder / FILE
    try:
        data: dict[str, Any] = json.loads(file.read_bytes())
        vcenters = tuple(Login(**one) for one in data["vcenters"])
        known = {key: data[key] for key in ("name", "settings", "admin", "token")}
        return State(**known, vcenters=vcenters) if vcenters else None
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckError(
            "the lab's state cannot be used",
            where=str(file),
            why=repr(error),
            next="./inv lab-down && ./inv lab-up creates a new one",
        ) from None


def password_file(folder: Path, vcenter: str) -> Path:
    """Return the file that holds a vCenter's password."""
    return folder / f"{vcenter}.password"


def forget(folder: Path) -> None:
    """Remove everything that this machine keeps of the lab."""
    (folder / FILE).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
