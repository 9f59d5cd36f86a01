"""Checks run over SSH connections whose configuration holds nothing that a guest wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import CheckError
from goldsmith.tools import testinfra


def configured(address: str) -> str:
    return testinfra.ssh_config({"clone-1": address}, folder="build/x/verify", key="build/x/keys/verify", user="u")


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7"])
def test_an_address_is_where_ssh_goes(address: str) -> None:
    """One section an alias, with the address as it was reported."""
    assert configured(address).splitlines()[:2] == ["Host clone-1", f"  HostName {address}"]


@pytest.mark.parametrize(
    "address", ["2001:db8::1%h\n ProxyCommand touch /tmp/x", "fe80::1%ens192", "host.example.com", "", "192.0.2.7\n"]
)
def test_no_other_text_gets_into_the_file(address: str) -> None:
    """An address with a scope or a line end, or a name, is refused: ssh would carry out what follows."""
    with pytest.raises(CheckError, match="cannot be used"):
        configured(address)


@given(st.text() | st.builds("2001:db8::1%{}".format, st.text()))
def test_a_guest_adds_no_line(text: str) -> None:
    """Whatever a guest reports as its address, the file has the lines that this suite writes, or is not written."""
    try:
        found = configured(text)
    except CheckError:
        return
    assert len(found.splitlines()) == len(configured("192.0.2.7").splitlines())
