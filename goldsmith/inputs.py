"""What decides the result of each phase, gathered and hashed part by part."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, assert_never

from goldsmith import delivery
from goldsmith.config import certificates
from goldsmith.errors import ConfigurationError
from goldsmith.plan import Inputs, digest, significant
from goldsmith.stages import answers
from goldsmith.stages import docker as docker_stage

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from goldsmith.config import Effective
    from goldsmith.stages.answers import Answers
    from goldsmith.toolbox.lock import Lock

PACKER_FILES = "packer"
BASE_FILE, DOCKER_FILE = "base.pkr.hcl", "docker.pkr.hcl"
ANSIBLE_FILES = "ansible"
_DECIDING_TOOLS = {
    "packer": re.compile(r"^github\.com/hashicorp/packer/@v/(v[^/]+)\.zip$"),
    "packer-plugin-vsphere": re.compile(r"^github\.com/hashicorp/packer-plugin-vsphere/@v/(v[^/]+)\.zip$"),
}
"""The tools of the toolbox that shape a guest. Others, jq or govc, may change without a rebuild."""


def rendered(effective: Effective, *, build_key: str = answers.PLACEHOLDER_KEY) -> Answers:
    """Return the answers of *effective*, with *build_key* as the build's own key."""
    return answers.render(
        effective.image,
        effective.site,
        password_hash=effective.password_hash,
        build_key=build_key,
        certificates=certificates(effective.site.guests.certificates),
    )


def base(effective: Effective, *, lock: Lock, root: Path) -> Inputs:
    """Return the inputs of phase 1; the build's own key is a placeholder in them.

    Where a template is placed, the time, and comments are no part of it.
    """
    image = effective.image
    return Inputs(
        {
            "answers": rendered(effective).digest(),
            "hardware": digest([image.hardware.model_dump(mode="json"), image.os.model_dump(mode="json")]),
            "installer": _installer(effective, lock),
            "packer": digest(_recipe(root, answers.finish_script(image))),
            "tools": digest(tool_versions(lock)),
        }
    )


def docker(effective: Effective, *, lock: Lock, root: Path, parent: Inputs, full: bool = False) -> Inputs:
    """Return the inputs of phase 2; *parent* are those of the base it is made of.

    What only some templates have is a part of those only: a disk that is shared with
    nobody, and files that the image names for the playbooks.
    Raises ``ConfigurationError`` when such a file cannot be used.
    """
    files = docker_stage.files(effective.image, root)
    return Inputs(
        {
            **({"files": digest(files)} if files else {}),
            **({"full-clone": digest(full)} if full else {}),
            "base": parent.key,
            "disk": digest(effective.image.docker.data_disk_mib),
            "packer": digest(_texts([root / PACKER_FILES / DOCKER_FILE, *_shared_recipe(root)])),
            "roles": digest(_playbooks(root / ANSIBLE_FILES)),
            "tools": digest({**tool_versions(lock), "ansible-core": _ansible_version(lock)}),
            "variables": digest(docker_stage.variables(effective.image)),
        }
    )


def _playbooks(folder: Path) -> dict[str, str]:
    """Return everything that a playbook reads, by its path; neither tools' caches nor linters' rules."""
    found = {}
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if file.is_file() and "__pycache__" not in name and not name.startswith(".") and name != "ruff.toml":
            # Whatever a role copies may lie here, too, and need not be text.
            found[name] = significant(file.read_text(encoding="utf-8", errors="backslashreplace"))
    return found


def _ansible_version(lock: Lock) -> str:
    return next(row.version for row in lock.sections.toolbox.wheels if row.name == "ansible-core")


def _installer(effective: Effective, lock: Lock) -> str:
    """Return the hash of what is known of the installer before it is looked at."""
    match delivery.boot(effective.image, effective.site.placement):
        case delivery.Composed():
            return digest(sorted([row.name, row.sha256] for row in lock.sections.media.debs))
        case delivery.Given(path=path, sha256=sha256):
            # Its name is all that a site says of it, unless somebody knows its content.
            return digest(["given", sha256 or path])
        case delivery.Replayed(iso=iso):
            return digest(["replayed", iso.sha256])
        case never:
            assert_never(never)


def tool_versions(lock: Lock) -> dict[str, str]:
    """Return the locked versions of the tools that shape a guest.

    Raises ``ConfigurationError`` when the lock lacks one of them.
    """
    found = {}
    for name, pattern in _DECIDING_TOOLS.items():
        versions = [match[1] for row in lock.sections.toolbox.go if (match := pattern.match(row.path))]
        if not versions:
            raise ConfigurationError(
                f"the lock has no {name}",
                where="docker/lock.json, section toolbox",
                why=f"no module file matches {pattern.pattern}",
                next="'git checkout docker/lock.json' restores the committed lock; 'invoke lock' writes a new one",
            )
        found[name] = versions[-1]
    return found


def _recipe(root: Path, finish_script: Path) -> dict[str, str]:
    return _texts([root / PACKER_FILES / BASE_FILE, *_shared_recipe(root), finish_script])


def _shared_recipe(root: Path) -> list[Path]:
    return [file for file in sorted((root / PACKER_FILES).glob("*.hcl")) if file.name not in (BASE_FILE, DOCKER_FILE)]


def _texts(files: Iterable[Path]) -> dict[str, str]:
    return {file.name: significant(file.read_text(encoding="utf-8")) for file in files}
