"""A Docker host in a lab of the tests' own, and what the roles are tried on: two clones of it, one a registry."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.ansible import registry as registries
from tests.ansible import tiny
from tests.integration import guests

# pytest finds fixtures by their names in this module.
from tests.integration.conftest import host, lab, operator, worker  # noqa: F401
from tests.unit.ansible.conftest import openpgp  # noqa: F401

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.ansible.registry import Registry
    from tests.integration.conftest import Operator
    from tests.integration.guests import Guest
    from tests.integration.hosts import Host

ANSIBLE = Path(__file__).parents[2] / "ansible"


@dataclass(frozen=True)
class Bench:
    """A machine to try the roles on, and a registry that has an image."""

    guest: Guest
    registry: Registry
    digest: str
    """Of the image's manifest in the registry."""
    variables: dict[str, Any]
    """What the template was made with, and the registry's CA."""

    @property
    def name(self) -> str:
        """The image's name in the registry."""
        return f"{self.registry.name}/tiny"

    def archive(self, tag: str) -> dict[str, str]:
        """Return an archive of the same image, as ``docker_images_list`` wants it."""
        made = tiny.archive(self.guest.folder / "tiny.tar", tag=tag)
        return {"tag": tag, "archive": self.guest.inside(made.path), "sha256": made.sha256, "id": made.id}


@pytest.fixture(scope="session")
def bench(worker: Operator, host: Host) -> Iterator[Bench]:  # noqa: F811 - fixtures, found by name
    """Yield two clones of the Docker template."""
    with guests.clone(worker, host.name, "roles-host", "roles-registry") as [guest, other]:
        registry = registries.serve(other)
        archive = tiny.archive(guest.folder / "pushed.tar", tag="tiny:1")
        digest = registries.push(other, registry, archive.path.read_bytes(), "tiny:1")
        ca = guest.folder / "registry-ca.pem"
        ca.write_text(registry.ca)
        variables = host.read("variables.json") | {"docker_engine_registry_cas": {registry.name: guest.inside(ca)}}
        yield Bench(guest, registry, digest, variables)
