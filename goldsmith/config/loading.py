"""Which site and image are meant, and all that is known of them: read, checked, and told in one error if wrong."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from goldsmith.config import files, material, roles, secrets, sites
from goldsmith.config.effective import Effective
from goldsmith.config.parsing import parse
from goldsmith.config.problems import Problems, meant
from goldsmith.host import reading
from goldsmith.model import Image, Site

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from goldsmith.config.files import Table

T = TypeVar("T", Image, Site)
DEFAULT_IMAGE = "debian-13"


class Folders(Protocol):
    """What this takes of a workspace."""

    @property
    def root(self) -> Path:
        """The repository, with its folder ``config``."""
        ...

    @property
    def cache(self) -> Path:
        """Where the lab keeps its state."""
        ...


def load(
    site: str | None,
    image: str | None,
    *,
    workspace: Folders,
    environment: Mapping[str, str] = os.environ,
    now: datetime | None = None,
) -> Effective:
    """Return the configuration that the flags *site* and *image* (or nothing) and the environment mean.

    Raises ``ConfigurationError`` with everything that is wrong, in files and variables alike.
    """
    problems = Problems()
    chosen_image = _chosen_image(image, environment)
    chosen_site = _chosen_site(site, environment)
    image_table = _file(chosen_image, "images", workspace, problems)
    site_table = _site_table(chosen_site, environment, workspace, problems)
    parsed_image = _parsed(Image, chosen_image, image_table, problems)
    parsed_site = _parsed(Site, chosen_site, site_table, problems)
    found = _secrets(chosen_site, environment, problems)
    if parsed_site and site_table:
        checked = _with_paths(parsed_site, site_table, environment)
        named = bool(sites.ca_file(environment))
        _check_paths(checked, site_table, now or datetime.now(UTC), problems, named=named)
        parsed_site = checked
    if image_table:
        roles.check(image_table, root=workspace.root, problems=problems)
    problems.raise_if_any(where=f"site {chosen_site}, image {chosen_image}")
    assert parsed_image and parsed_site and image_table and site_table  # noqa: S101,PT018 - else there are problems
    return Effective(
        image=parsed_image,
        site=parsed_site,
        chosen_by={"image": chosen_image.by, "site": chosen_site.by},
        sources=_sources(image_table, site_table, parsed_site, environment),
        user=None if parsed_site.is_lab else environment.get(sites.USER) or None,
        secrets=found,
        environment=environment,
        cache=workspace.cache,
    )


@dataclass(frozen=True)
class _Choice:
    """A name, and what chose it."""

    name: str
    by: str

    def __str__(self) -> str:
        return f"{self.name} ({self.by})"


def _chosen_image(flag: str | None, environment: Mapping[str, str]) -> _Choice:
    return _named_by(flag, "image", environment) or _Choice(DEFAULT_IMAGE, "the default")


def _chosen_site(flag: str | None, environment: Mapping[str, str]) -> _Choice:
    """Return the site that is meant: one that is named, else the origin's variables', else the lab.

    A variable that is set and empty counts: a CI job whose secret did not arrive
    must not end up in the lab and look like success.
    """
    if named := _named_by(flag, "site", environment):
        return named
    if "VSPHERE_SERVER" in environment:
        return _Choice(sites.ENVIRONMENT, "VSPHERE_SERVER is set and no site is named")
    return _Choice(sites.LAB, "the default")


def _named_by(flag: str | None, what: str, environment: Mapping[str, str]) -> _Choice | None:
    variable = f"GOLDSMITH_{what.upper()}"
    if flag is not None:
        return _Choice(flag, f"--{what}")
    return _Choice(environment[variable], variable) if environment.get(variable) else None


def _site_table(
    choice: _Choice, environment: Mapping[str, str], workspace: Folders, problems: Problems
) -> Table | None:
    if choice.name == sites.LAB:
        return sites.of_lab(environment, cache=workspace.cache)
    if choice.name == sites.ENVIRONMENT and choice.by.startswith("VSPHERE_SERVER"):
        return sites.from_environment(environment, problems, cache=workspace.cache)
    return _file(choice, "sites", workspace, problems)


def _file(choice: _Choice, folder: str, workspace: Folders, problems: Problems) -> Table | None:
    """Read ``config/<folder>/<name>.toml``; only names of existing files are taken, so none can point elsewhere."""
    reserved = {sites.LAB, sites.ENVIRONMENT} if folder == "sites" else set()
    known = {path.stem: path for path in sorted((workspace.root / "config" / folder).glob("*.toml"))}
    if choice.name in known.keys() - reserved:
        return files.read(known[choice.name], root=workspace.root, problems=problems)
    names = sorted((known.keys() - reserved) | (reserved & {sites.LAB}))
    listed = ", ".join(names) or "none"
    problems.add(
        choice.by, f"there is no {folder.removesuffix('s')} '{choice.name}'{meant(choice.name, names)}; known: {listed}"
    )
    return None


def _parsed(kind: type[T], choice: _Choice, table: Table | None, problems: Problems) -> T | None:
    if table is None:
        return None
    if "name" in table.values:
        problems.add(table.place("name"), "name: unknown key; the file's name is the name")
    return parse(kind, replace(table, values={**table.values, "name": choice.name}), problems)


def _secrets(site: _Choice, environment: Mapping[str, str], problems: Problems) -> dict[str, secrets.Found]:
    """Return what the environment gives for *site*; the lab has a login of its own and takes the hash alone."""
    found = {secrets.PASSWORD_HASH: secrets.password_hash(environment, problems)}
    if site.name != sites.LAB:
        found[secrets.PASSWORD] = secrets.password(environment, problems)
        found[secrets.SIGNING_KEY] = secrets.signing_key(environment, problems)
        if not environment.get(sites.USER, "").isprintable():
            problems.add(sites.USER, "must be one line of printable text")
    return {name: value for name, value in found.items() if value}


def _with_paths(site: Site, table: Table, environment: Mapping[str, str]) -> Site:
    """Return the site with absolute paths, and with the environment's CA file unless it is the lab."""
    named = None if site.is_lab else sites.ca_file(environment)
    ca_file = named or (site.ca_file and _absolute(site.ca_file, table))
    certificates = tuple(_absolute(path, table) for path in site.guests.certificates)
    key = site.guests.ssh_private_key_file
    key = key and _absolute(key, table)
    guests = site.guests.model_copy(update={"certificates": certificates, "ssh_private_key_file": key})
    return site.model_copy(update={"ca_file": ca_file, "guests": guests})


def _absolute(path: Path, table: Table) -> Path:
    return table.folder / reading.expanded(path)


def _check_paths(site: Site, table: Table, now: datetime, problems: Problems, *, named: bool) -> None:
    if site.ca_file and not site.is_lab:  # the lab makes its CA when it starts
        where = sites.CA_FILE if named else table.place("ca_file")
        material.check(site.ca_file, where=where, now=now, problems=problems, only_cas=False)
    if key := site.guests.ssh_private_key_file:
        where, keys = table.place("guests.ssh_private_key_file"), site.guests.authorized_keys
        material.check_private_key(key, where=where, problems=problems, authorized=keys)
    for path in site.guests.certificates:
        where = table.place("guests.certificates")
        material.check(path, where=f"{where}: guests.certificates", now=now, problems=problems, only_cas=True)


def _sources(image: Table, site: Table, parsed: Site, environment: Mapping[str, str]) -> dict[str, str]:
    sources = {f"image.{key}": image.place(key) for key in sites.flat(image.values)}
    sources |= {f"site.{key}": site.place(key) for key in sites.flat(site.values)}
    if environment.get(sites.CA_FILE) and not parsed.is_lab:
        sources["site.ca_file"] = sites.CA_FILE
    return sources
