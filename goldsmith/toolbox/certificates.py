"""Certificates of the callers' own CAs: read, checked, and laid out for a mount."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from goldsmith.config.sites import ca_file
from goldsmith.errors import ConfigurationError
from goldsmith.host import reading
from goldsmith.host.workspace import write_if_changed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from goldsmith.host.workspace import Workspace


def sources(workspace: Workspace, environment: Mapping[str, str], extra: Iterable[Path | None] = ()) -> list[Path]:
    """Return the files to trust: ``docker/certs/*.crt``, the one of ``GOLDSMITH_CA_FILE``, and *extra* (a site's)."""
    files = sorted((workspace.root / "docker" / "certs").glob("*.crt"))
    return list(dict.fromkeys([*files, *(path for path in (ca_file(environment), *extra) if path)]))


def read(path: Path) -> bytes:
    """Return the certificates of a file of PEM certificates, and nothing else of it: tools disagree about the rest.

    Raises ``ConfigurationError`` when it cannot be read, holds none, or holds a private key.
    """
    try:
        return "".join(f"{block}\n" for block in reading.certificates(reading.content(path))).encode()
    except ValueError as error:
        raise _refused(path, f"it {error}") from None


def folder(workspace: Workspace, files: Iterable[Path]) -> Path | None:
    """Return a folder with the certificates of *files*, or nothing when there are none.

    Its name is its content's hash, so that runs with other certificates do not disturb each other.
    """
    contents = [read(path) for path in files]
    if not contents:
        return None
    digest = hashlib.sha256(b"\0".join(contents)).hexdigest()[:16]
    target = workspace.cache / "ca" / digest
    named = {f"{number:02}.crt": data for number, data in enumerate(contents, start=1)}
    for name, data in named.items():
        write_if_changed(target / name, data)
    for other in target.iterdir():
        if other.name not in named:
            other.unlink()  # nobody asked to trust it
    # Readable for every uid a container may run as; certificates are public.
    target.chmod(0o755)
    return target


def _refused(path: Path, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"{path.name} is not a file of CA certificates",
        where=str(path),
        why=why,
        next="put PEM certificates, and nothing else, into docker/certs/*.crt or the file that GOLDSMITH_CA_FILE names",
    )
