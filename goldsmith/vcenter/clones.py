"""Linked clones of a template: what is asked for, how they get a key, and which of their addresses counts."""

from __future__ import annotations

import base64
import ipaddress
import json
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from goldsmith.vcenter.inventory import Machine, Power


@dataclass(frozen=True, kw_only=True)
class CloneOrder:
    """One clone: of which template, under which name, and what it is told at its first boot."""

    source: Machine
    name: str
    note: str
    """Carried from its first moment, so that ``clean`` knows whose it is."""
    folder: str
    """Ids of the places where it goes."""
    pool: str
    datastore: str
    guestinfo: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), repr=False)


@dataclass(frozen=True, kw_only=True)
class Card:
    """A network card as the guest's tools see it."""

    device: int
    """The virtual machine's device key; -1 for what only the guest made, such as a bridge of Docker's."""
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What can be seen of a machine that boots."""

    power: Power
    tools: str = "unknown"
    address: str = ""
    """What the vCenter calls the machine's address; it may be a bridge's."""
    cards: tuple[Card, ...] = ()

    def usable(self) -> str:
        """Return the address at which the machine can be reached, or nothing yet."""
        own = [address for card in self.cards if card.device >= 0 for address in card.addresses]
        known = own if self.cards else [self.address]
        fitting = [address for text in known if (address := _reachable(text))]
        # The old protocol first: it is what every network has.
        return next((address for address in fitting if ":" not in address), next(iter(fitting), ""))


def _reachable(text: str) -> str:
    """Return the address that *text* is, as this suite writes it, or nothing; the guest may report any text."""
    try:
        parsed = ipaddress.ip_address(text)
    except ValueError:
        return ""
    # What follows a % may be any text, and means nothing but on the machine that says it.
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.scope_id is not None:
        return ""
    local = parsed.is_link_local or parsed.is_loopback or parsed.is_unspecified or parsed.is_multicast
    return "" if local else str(parsed)


def guestinfo(*, name: str, public_key: str) -> dict[str, str]:
    """Return what cloud-init's VMware datasource reads: a host name, and a key for the account that exists."""
    metadata = {"instance-id": name, "local-hostname": name}
    userdata = "#cloud-config\n" + json.dumps({"ssh_authorized_keys": [public_key]}) + "\n"
    given: dict[str, str] = {}
    for key, text in (("metadata", json.dumps(metadata)), ("userdata", userdata)):
        given[f"guestinfo.{key}"] = base64.b64encode(text.encode()).decode()
        given[f"guestinfo.{key}.encoding"] = "base64"
    return given


def waiting(names: Iterable[str]) -> str:
    """Return how to say that these clones have no address yet."""
    return "waiting for an address of " + ", ".join(sorted(names))
