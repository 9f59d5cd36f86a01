"""The configuration of one run, whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import SecretStr, ValidationError

from goldsmith import signing
from goldsmith.config import secrets, sites
from goldsmith.errors import ConfigurationError, UnreachableError
from goldsmith.host.agent import Agent
from goldsmith.host.redact import logins
from goldsmith.model import Credentials, Image, Site

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from goldsmith.signing import Signer


_HASH = (secrets.PASSWORD_HASH, f"{secrets.PASSWORD_HASH}_FILE")


@dataclass(frozen=True, kw_only=True)
class Effective:
    """The configuration of one run: the values, where each came from, and the way to the secrets."""

    image: Image
    site: Site = field(repr=False)
    """Not in the representation: a proxy's URL may hold a login."""
    chosen_by: Mapping[str, str]
    """For ``image`` and ``site``: the flag, the variable or the rule that selected it."""
    sources: Mapping[str, str]
    """Dotted key (``site.placement.cluster``) to where its value stands; defaults are not in it."""
    user: str | None
    """vCenter's user, as far as it is known without the lab's state."""
    secrets: Mapping[str, secrets.Found] = field(repr=False)
    """By variable name: what the environment gave."""
    environment: Mapping[str, str] = field(repr=False)
    cache: Path

    @property
    def password_hash(self) -> SecretStr:
        """The automation user's crypted password; locked when none is given."""
        found = self.secrets.get(secrets.PASSWORD_HASH)
        return found.value if found else secrets.LOCKED

    @property
    def ignored(self) -> tuple[str, ...]:
        """The variables that are set and describe a site, when another one is meant."""
        if self.site.name == sites.ENVIRONMENT:
            return ()
        login = (sites.USER, secrets.PASSWORD, f"{secrets.PASSWORD}_FILE", sites.CA_FILE) if self.site.is_lab else ()
        return tuple(name for name in (*sites.DESCRIBING, *login) if self.environment.get(name))

    @property
    def empty(self) -> tuple[str, ...]:
        """The variables that are set and empty, and would count: often a secret or a setting that did not arrive."""
        own = (sites.CA_FILE,) if not self.site.is_lab else ()
        describing = sites.DESCRIBING if self.site.name == sites.ENVIRONMENT else ()
        names = (*sites.CHOOSING, *_HASH, *own, *describing)
        return tuple(name for name in names if self.environment.get(name, "-").strip() == "")

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for an operator, on variables that do something else than one may think."""
        found = []
        if self.ignored:
            found.append(f"ignored, as the site is {self.site.name}: {' '.join(self.ignored)}")
        if rest := [name for name in self.empty if name not in _HASH]:
            found.append(f"set and empty, as if not set: {' '.join(rest)}")
        if len(rest) < len(self.empty) and secrets.PASSWORD_HASH not in self.secrets:
            named = " and ".join(name for name in self.empty if name in _HASH)
            found.append(f"{named} is set and empty: the account's password is locked, and only keys open it")
        return tuple(found)

    def confidential(self) -> tuple[str, ...]:
        """Return every secret known so far, for the redaction filter: the lab's password is not among them yet."""
        proxies = (self.site.guests.http_proxy, self.site.guests.https_proxy)
        values = (found.value.get_secret_value() for found in self.secrets.values())
        return (*values, *(secret for proxy in proxies if proxy for secret in logins(proxy)))

    def credentials(self) -> Credentials:
        """Return what opens the site; asked late, because most verbs need none and the lab makes its own.

        Raises ``ConfigurationError`` when a variable is missing, and
        ``UnreachableError`` when the site is the lab and it is down.
        """
        return self._lab_credentials() if self.site.is_lab else self._own_credentials()

    @cached_property
    def signer(self) -> Signer | None:
        """Who signs templates and records for the site; nobody where it names no keys. An agent is asked once.

        Raises ``ConfigurationError`` when it names some, and neither environment nor agent has a private half.
        """
        found = self.secrets.get(secrets.SIGNING_KEY)
        private = found.value.get_secret_value() if found else ""
        return signing.signer(private, Agent.here(self.environment), self.site.keys)

    def _own_credentials(self) -> Credentials:
        found = self.secrets.get(secrets.PASSWORD)
        if self.user and found:
            return Credentials(user=self.user, password=found.value, password_hash=self.password_hash)
        missing = ([] if self.user else [sites.USER]) + ([] if found else [secrets.PASSWORD])
        raise ConfigurationError(
            f"the site {self.site.name} needs a login",
            where="environment",
            why=f"missing or empty: {' '.join(missing)}",
            next=f"set {' and '.join(missing)}; {secrets.PASSWORD}_FILE names a file instead",
        )

    def _lab_credentials(self) -> Credentials:
        state = sites.lab_state(self.environment, cache=self.cache)
        folder = sites.lab_folder(self.environment, cache=self.cache)
        if state is None:
            raise UnreachableError(
                "the lab is not up",
                where=str(folder),
                why="its state, which holds its password, does not exist",
                next="./inv lab-up starts it",
            )
        try:
            return Credentials(user=state["user"], password=state["password"], password_hash=self.password_hash)
        except (KeyError, ValidationError):
            raise ConfigurationError(
                "the lab's state holds no usable login",
                where=str(folder / "lab.json"),
                why="it must have user and password as text",
                next="./inv lab-down && ./inv lab-up creates a new one",
            ) from None
