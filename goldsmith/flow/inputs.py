"""What decides the result of each phase, gathered and hashed part by part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from goldsmith.config import certificates
from goldsmith.errors import ConfigurationError
from goldsmith.installers import door
from goldsmith.installers.answers import PLACEHOLDER_KEY, Given
from goldsmith.plan import Inputs, digest, significant
from goldsmith.stages import docker as docker_stage
from goldsmith.toolbox import lock as locks
from goldsmith.toolbox.lock import tool_versions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from goldsmith.config import Effective
    from goldsmith.guests.guest import Family
    from goldsmith.installers.answers import Answers
    from goldsmith.model import Image
    from goldsmith.toolbox.lock import Lock

PACKER_FILES = "packer"
BASE_FILE, DOCKER_FILE = "base.pkr.hcl", "docker.pkr.hcl"
ANSIBLE_FILES = "ansible"
ANSIBLE_NEEDS = (3, 8)
"""The oldest Python of a guest that ansible-core 2.19 works with (its support matrix); the lock has that version."""


def rendered(effective: Effective, *, build_key: str = PLACEHOLDER_KEY) -> Answers:
    """Return the answers of *effective*, with *build_key* as the build's own key."""
    given = Given(
        password_hash=effective.password_hash,
        build_key=build_key,
        certificates=certificates(effective.site.guests.certificates),
    )
    return door.of(effective.image).answers(effective.image, effective.site, given)


def base(effective: Effective, *, lock: Lock, root: Path) -> Inputs:
    """Return the inputs of phase 1; the build's own key is a placeholder in them.

    Where a template is placed, the time, and comments do not count.
    Raises ``ConfigurationError`` for an image that no machine could be installed with.
    """
    image, site, installer = effective.image, effective.site, door.of(effective.image)
    door.check(image, site)
    boot = installer.boot(image, site.placement)
    return Inputs(
        {
            "answers": rendered(effective).digest(),
            "hardware": digest([image.hardware.model_dump(mode="json"), image.os.model_dump(mode="json")]),
            "installer": digest(boot.identity(installer.pins(image, lock))),
            "packer": digest(_recipe(root, installer.guest(image).finish_script)),
            "tools": digest(tool_versions(lock)),
        }
    )


def docker(effective: Effective, *, lock: Lock, root: Path, parent: Inputs, full: bool = False) -> Inputs:
    """Return the inputs of phase 2; *parent* are those of the base it is made of.

    What only some templates have is a part of those only: a disk that is shared with
    nobody, and files that the image names for the playbooks.
    Raises ``ConfigurationError`` when such a file cannot be used, a variable is missing, or Ansible could not work
    in the guest.
    """
    if why := unfit_for_docker(effective.image):
        raise ConfigurationError(
            f"the image {effective.image.name} cannot become a Docker host",
            where=f"config/images/{effective.image.name}.toml: os.release",
            why=why,
            next=f"'./inv packer-base --image {effective.image.name}' forges its base; take a newer one for hosts",
        )
    guest = door.of(effective.image).guest(effective.image)
    docker_stage.check(effective.image)
    files = docker_stage.files(effective.image, root)
    return Inputs(
        {
            **({"files": digest(files)} if files else {}),
            **({"full-clone": digest(full)} if full else {}),
            "base": parent.key,
            "disk": digest(effective.image.docker.data_disk_mib),
            "packer": digest(_texts([root / PACKER_FILES / DOCKER_FILE, *_shared_recipe(root)])),
            "roles": digest(_playbooks(root / ANSIBLE_FILES, family=guest.family)),
            "tools": digest({**tool_versions(lock), "ansible-core": locks.ansible_version(lock)}),
            "variables": digest(docker_stage.variables(effective.image)),
        }
    )


def unfit_for_docker(image: Image) -> str:
    """Return why Ansible cannot make a Docker host of *image*; empty where it can."""
    guest = door.of(image).guest(image)
    if guest.python >= ANSIBLE_NEEDS:
        return ""
    has, needed = (".".join(map(str, version)) for version in (guest.python, ANSIBLE_NEEDS))
    return f"{image.os.family} {image.os.release} has Python {has}, and Ansible's modules need {needed} in the guest"


def _playbooks(folder: Path, *, family: Family) -> dict[str, str]:
    """Return everything that a playbook reads for a guest of one *family*, by its path.

    Another family's folder, tools' caches and linters' rules do not count.
    """
    others = {f"families/{path.name}/" for path in (folder / "families").iterdir() if path.name != family}
    found = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        read = "__pycache__" not in name and not name.startswith(".") and name != "ruff.toml"
        if file.is_file() and read and not name.startswith(tuple(others)):
            # Whatever a role copies may lie here, too, and need not be text.
            found[name] = significant(file.read_text(encoding="utf-8", errors="backslashreplace"))
    return found


def _recipe(root: Path, finish_script: Path) -> dict[str, str]:
    return _texts([root / PACKER_FILES / BASE_FILE, *_shared_recipe(root), finish_script])


def _shared_recipe(root: Path) -> list[Path]:
    return [file for file in sorted((root / PACKER_FILES).glob("*.hcl")) if file.name not in (BASE_FILE, DOCKER_FILE)]


def _texts(files: Iterable[Path]) -> dict[str, str]:
    return {file.name: significant(file.read_text(encoding="utf-8")) for file in files}
