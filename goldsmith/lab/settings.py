"""What a lab is: its name, its ports, its vCenters, and what labd and compose are told of them."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from goldsmith.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAME = "goldsmith-lab"
PORT = 18443
MOST = 9
"""How many vCenters one lab may have."""
USER = "administrator@vsphere.local"
MIRROR_PORT = 8080
STATE = "/run/labd"
"""Where labd keeps its CA, token and passwords, in its own container."""
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
_LOWEST_PORT, _HIGHEST_PORT = 1024, 65_535


@dataclass(frozen=True, kw_only=True)
class VCenter:
    """One simulated vCenter; everything in it bears its name."""

    name: str
    port: int

    @property
    def datastore(self) -> str:
        """Its datastore."""
        return f"{self.name}-ds"

    @property
    def server(self) -> str:
        """What clients call it, on the machine and inside the lab's network alike."""
        return f"127.0.0.1:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One lab on this machine."""

    name: str
    port: int
    """Of the first vCenter; the admin API has the next one, and further vCenters those after it."""
    count: int = 1

    @classmethod
    def here(cls, environment: Mapping[str, str], *, count: int = 1) -> Settings:
        """Return the lab that ``GOLDSMITH_LAB`` and ``GOLDSMITH_LAB_PORT`` name, with *count* vCenters.

        Raises ``ConfigurationError`` for a name, a port or a count that cannot be used.
        """
        name = environment.get("GOLDSMITH_LAB") or NAME
        if not _NAME.fullmatch(name):
            raise _unusable("GOLDSMITH_LAB", name, "a name of lower-case letters, digits, '.', '_' and '-', at most 40")
        if not 1 <= count <= MOST:
            raise _unusable("--vcenters", str(count), f"1 to {MOST}")
        text = environment.get("GOLDSMITH_LAB_PORT") or str(PORT)
        highest = _HIGHEST_PORT - count
        if not (text.isascii() and text.isdigit() and _LOWEST_PORT <= int(text) <= highest):
            raise _unusable("GOLDSMITH_LAB_PORT", text, f"a port from {_LOWEST_PORT} to {highest}")
        return cls(name=name, port=int(text), count=count)

    @property
    def vcenters(self) -> tuple[VCenter, ...]:
        """The vCenters: ``lab``, ``lab2`` and so on."""
        first = VCenter(name="lab", port=self.port)
        return (first, *(VCenter(name=f"lab{n}", port=self.port + n) for n in range(2, self.count + 1)))

    @property
    def admin_port(self) -> int:
        """The port of the admin API."""
        return self.port + 1

    @property
    def ports(self) -> str:
        """All published ports, as compose writes a range."""
        return f"{self.port}-{self.port + self.count}"

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels of everything that belongs to this lab."""
        return {"goldsmith": "1", "goldsmith.lab": self.name}

    def labd(self, guest_image: str) -> str:
        """Return labd's configuration, as JSON."""
        return json.dumps(
            {
                "lab": self.name,
                "admin": f"0.0.0.0:{self.admin_port}",  # of the lab's own network; published on loopback only
                "state": STATE,
                "mirror": f":{MIRROR_PORT}",
                "guest_image": guest_image,
                "network": self.name,
                "vcenters": [
                    {"name": one.name, "listen": f":{one.port}", "user": USER, "datastore": one.datastore}
                    for one in self.vcenters
                ],
            }
        )

    def compose(self, *, image: str, guest_image: str, socket: str) -> dict[str, str]:
        """Return the variables of ``lab/compose.yaml``; none is secret."""
        told = self._told(image=image, guest_image=guest_image)
        digest = self.digest(image=image, guest_image=guest_image)
        return told | {"GOLDSMITH_DOCKER_SOCKET": socket, "GOLDSMITH_LAB_SETTINGS": digest}

    def digest(self, *, image: str, guest_image: str) -> str:
        """Return what a running lab of these settings and images bears as its label.

        The engine's socket is not in it: it says nothing that the engine which has the containers does not.
        """
        told = self._told(image=image, guest_image=guest_image)
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:12]

    def _told(self, *, image: str, guest_image: str) -> dict[str, str]:
        return {
            "GOLDSMITH_LAB": self.name,
            "GOLDSMITH_LAB_IMAGE": image,
            "GOLDSMITH_LAB_PORTS": self.ports,
            "LABD_CONFIG": self.labd(guest_image),
        }


def folder(settings: Settings, cache: Path) -> Path:
    """Return where this machine keeps what it knows of the lab."""
    return cache / "lab" / settings.name


def _unusable(where: str, value: str, allowed: str) -> ConfigurationError:
    return ConfigurationError(
        f"{where} cannot be {value!r}", where=where, why=f"allowed: {allowed}", next="give another value"
    )
