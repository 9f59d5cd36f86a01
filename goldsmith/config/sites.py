"""Where a site's table comes from: a file, the origin's variables, or the suite itself (the lab)."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from goldsmith.config.files import Table
from goldsmith.errors import ConfigurationError
from goldsmith.host import reading
from goldsmith.host.files import read_object
from goldsmith.model.values import host_and_port

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldsmith.config.problems import Problems

LAB = "lab"
LAB_MIRROR = "http://mirror.lab.test:8080/debian"
_MIRRORS = ("guests.mirror", "guests.ubuntu_mirror")
ENVIRONMENT = "environment"
"""The name of the site that the origin's variables describe."""
CHOOSING = ("GOLDSMITH_SITE", "GOLDSMITH_IMAGE")
"""The variables that say which site and image are meant."""
USER = "VSPHERE_USER"
CA_FILE = "GOLDSMITH_CA_FILE"

REQUIRED = {
    "VSPHERE_SERVER": "server",
    "CLUSTER": "placement.cluster",
    "DATACENTER": "placement.datacenter",
    "DATASTORE": "placement.datastore",
    "NETWORK": "placement.network",
}
OPTIONAL = {
    "FOLDER": "placement.folder",
    "RESOURCE_POOL": "placement.resource_pool",
    "ISO_DATASTORE": "placement.iso_datastore",
    "ISO_SHA256": "placement.iso_sha256",
    "BASE_VM_TEMPLATE_NAME": "placement.template_name",
}
ISO_PATH = "ISO_PATH"
GUESTS = {
    "GUEST_MIRROR": "guests.mirror",
    "GUEST_UBUNTU_MIRROR": "guests.ubuntu_mirror",
    "GUEST_HTTP_PROXY": "guests.http_proxy",
    "GUEST_HTTPS_PROXY": "guests.https_proxy",
    "SSH_PRIVATE_KEY_FILE": "guests.ssh_private_key_file",
}
GUEST_LISTS = {
    "GUEST_NTP_SERVERS": ("guests.ntp_servers", r"[\s,]+"),
    "GUEST_NO_PROXY": ("guests.no_proxy", r"[\s,;]+"),
    "GUEST_CERTIFICATES": ("guests.certificates", ":"),
    "GUEST_AUTHORIZED_KEYS": ("guests.authorized_keys", r"\r\n|\r|\n"),
    "GOLDSMITH_SIGNING_KEYS": ("signing_keys", r"\r\n|\r|\n"),
}
"""What the origin kept in files beside its answers: the values of such a variable are separated as its pattern says."""
DESCRIBING = (*REQUIRED, *OPTIONAL, ISO_PATH, *GUESTS, *GUEST_LISTS)
"""The variables that make up the environment's site, and count for no other."""


def from_environment(environment: Mapping[str, str], problems: Problems, *, cache: Path) -> Table:
    """Return the site that the origin's variables describe; note all that are missing or empty, in one problem.

    A site that is a running lab gets the lab's mirror, because its guests reach no other, and the lab's CA unless
    another is named.
    """
    needed = (*REQUIRED, USER)
    missing = [name for name in needed if not environment.get(name)]
    if not (environment.get("VSPHERE_PASSWORD") or environment.get("VSPHERE_PASSWORD_FILE")):
        missing.append("VSPHERE_PASSWORD")
    if missing:
        problems.add(
            ENVIRONMENT,
            f"missing or empty: {' '.join(sorted(missing))}",
            hint="set them, or name a site: --site NAME or GOLDSMITH_SITE (--site lab is the simulated one)",
        )
    places = {key: name for name, key in (REQUIRED | OPTIONAL | GUESTS).items() if environment.get(name)}
    # A missing variable is told above; its key gets a value that passes, so that it is not told twice.
    values: dict[str, Any] = {key: "missing" for name, key in REQUIRED.items() if name in missing}
    values |= {key: environment[name] for key, name in places.items()}
    for name, (key, separator) in GUEST_LISTS.items():
        parts = re.split(separator, environment.get(name, "").removeprefix("\ufeff").strip())
        if found := [line for part in parts if (line := _line(part))]:
            values[key], places[key] = found, name
    if path := environment.get(ISO_PATH):
        # The origin names one ISO. Media that are made here go to the folder it lies in.
        values |= {
            "placement.iso_path": path.lstrip("/"),
            "placement.iso_folder": str(PurePosixPath(path.lstrip("/")).parent),
        }
        places |= dict.fromkeys(("placement.iso_path", "placement.iso_folder"), ISO_PATH)
    if lab := lab_at(environment.get("VSPHERE_SERVER", ""), cache=cache):
        of_lab = dict.fromkeys(_MIRRORS, LAB_MIRROR)
        if not environment.get(CA_FILE):
            of_lab["ca_file"] = str(cache / "lab" / lab / "ca.pem")
        values |= of_lab
        places |= dict.fromkeys(of_lab, f"the lab {lab}")
    return Table(source=ENVIRONMENT, values=nested(values), places=places, folder=Path.cwd())


def _line(part: str) -> str:
    """Return one value of a list; blank lines and comments, which files have, are none."""
    made = part.lstrip().replace("\t", " ")
    return "" if made.startswith("#") else made if made.strip() else ""


def of_lab(environment: Mapping[str, str], *, cache: Path) -> Table:
    """Return the built-in site, with what the running lab says of itself (its ports) on top."""
    folder = lab_folder(environment, cache=cache)
    port = environment.get("GOLDSMITH_LAB_PORT") or "18443"
    values: dict[str, Any] = {
        "server": f"127.0.0.1:{port}",
        "ca_file": str(folder / "ca.pem"),
        "placement.datacenter": "DC0",
        "placement.cluster": "DC0_C0",
        "placement.datastore": "lab-ds",
        "placement.network": "VM Network",
        "placement.folder": "goldsmith",
        "guests.mirror": LAB_MIRROR,
        "guests.ubuntu_mirror": LAB_MIRROR,
    }
    places = dict.fromkeys(values, "built in")
    if environment.get("GOLDSMITH_LAB_PORT"):
        places["server"] = "GOLDSMITH_LAB_PORT"
    state = lab_state(environment, cache=cache)
    told = flat(state.get("site", {})) if state else {}
    places |= dict.fromkeys(told, str(folder / "lab.json"))
    try:
        values = nested(values | told)
    except (TypeError, AttributeError):  # a table where a value is expected, or the other way round
        raise _unusable(folder / "lab.json", _OTHER_VERSION) from None
    return Table(source="the lab", values=values, places=places, folder=folder)


def ca_file(environment: Mapping[str, str]) -> Path | None:
    """Return the absolute path of the file that ``GOLDSMITH_CA_FILE`` names, or nothing; ``~`` is the caller's home."""
    named = environment.get(CA_FILE)
    return Path.cwd() / reading.expanded(Path(named)) if named else None


def is_loopback(server: str) -> bool:
    """Return whether *server* (``host[:port]``) is an address of this machine alone."""
    host = host_and_port(server)[0].lower()
    return host in ("localhost", "::1") or host.startswith("127.")


def lab_at(server: str, *, cache: Path) -> str | None:
    """Return the name of the lab on this machine that has a vCenter at *server*, as long as it is up."""
    if not is_loopback(server):
        return None
    port = host_and_port(server)[1] or "443"
    for file in sorted((cache / "lab").glob("*/lab.json")):
        try:
            ports = [host_and_port(str(one["server"]))[1] for one in read_object(file)["vcenters"]]
        except (KeyError, TypeError):
            continue  # it is being made or removed, or is of another version
        if port in ports:
            return file.parent.name
    return None


def lab_folder(environment: Mapping[str, str], *, cache: Path) -> Path:
    """Return where the lab keeps its state on this machine."""
    return cache / "lab" / (environment.get("GOLDSMITH_LAB") or "goldsmith-lab")


def lab_state(environment: Mapping[str, str], *, cache: Path) -> dict[str, Any] | None:
    """Return what ``lab-up`` wrote, or nothing while the lab is down.

    The file is ``{"site": {"server": …, …}, "user": …, "password": …}``: *site* has the
    keys of a site's file and may be empty.
    Raises ``ConfigurationError`` when it is something else.
    """
    file = lab_folder(environment, cache=cache) / "lab.json"
    try:
        file.lstat()
        state = json.loads(reading.content(file))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(file, str(error)) from None
    if not isinstance(state, dict) or not isinstance(state.get("site", {}), dict):
        raise _unusable(file, _OTHER_VERSION)
    return state


_OTHER_VERSION = "the file was not written by this version of goldsmith"


def _unusable(file: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        "the lab's state cannot be used",
        where=str(file),
        why=why,
        next="./inv lab-down && ./inv lab-up creates a new one",
    )


def nested(flat_values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``{"a": {"b": 1}}`` for ``{"a.b": 1}``."""
    tree: dict[str, Any] = {}
    for key, value in flat_values.items():
        *tables, name = key.split(".")
        table = tree
        for part in tables:
            table = table.setdefault(part, {})
        table[name] = value
    return tree


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return ``{"a.b": 1}`` for ``{"a": {"b": 1}}``."""
    found: dict[str, Any] = {}
    for name, value in tree.items():
        found |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return found
