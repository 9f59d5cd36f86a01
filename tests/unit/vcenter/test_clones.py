"""A clone is told its name and key, and reached at an address of its own card."""

from __future__ import annotations

import base64
import ipaddress
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.vcenter.clones import Card, Sight, guestinfo
from goldsmith.vcenter.inventory import Power


def test_guestinfo_is_what_cloud_init_reads() -> None:
    """The key goes to the account that exists, nothing else of it is touched, and the clone gets its name."""
    given_to = guestinfo(name="clone-1", public_key="ssh-ed25519 AAAA k")
    decoded = {key: base64.b64decode(given_to[f"guestinfo.{key}"]).decode() for key in ("metadata", "userdata")}
    assert json.loads(decoded["metadata"]) == {"instance-id": "clone-1", "local-hostname": "clone-1"}
    head, _, body = decoded["userdata"].partition("\n")
    assert head == "#cloud-config"
    assert json.loads(body) == {"ssh_authorized_keys": ["ssh-ed25519 AAAA k"]}
    assert {given_to[f"guestinfo.{key}.encoding"] for key in ("metadata", "userdata")} == {"base64"}


@pytest.mark.parametrize(
    ("cards", "address", "expected"),
    [
        ((), "192.0.2.7", "192.0.2.7"),
        ((), "", ""),
        ((), "169.254.3.4", ""),
        ((Card(device=4000, addresses=("fe80::1", "2001:db8::7", "192.0.2.7")),), "172.17.0.1", "192.0.2.7"),
        ((Card(device=4000, addresses=("fe80::1", "2001:db8::7")),), "fe80::1", "2001:db8::7"),
        ((Card(device=-1, addresses=("172.17.0.1",)), Card(device=4000)), "172.17.0.1", ""),
        ((), "2001:db8::7%ens192", ""),
        ((Card(device=4000, addresses=("2001:db8::7%h\n  ProxyCommand x", "2001:DB8::8")),), "", "2001:db8::8"),
    ],
)
def test_only_an_own_reachable_address_counts(cards: tuple[Card, ...], address: str, expected: str) -> None:
    """Docker's bridge, link-local addresses and what is none are passed over."""
    assert Sight(power=Power.ON, address=address, cards=cards).usable() == expected


@given(st.text(max_size=30) | st.builds("2001:db8::1%{}".format, st.text()))
def test_whatever_the_tools_say_is_no_crash(address: str) -> None:
    """An address is used only if it is one."""
    usable = Sight(power=Power.ON, address=address).usable()
    assert not usable or ipaddress.ip_address(usable) == ipaddress.ip_address(address)
