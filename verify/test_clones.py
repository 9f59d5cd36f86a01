"""Two clones of one candidate are two machines."""

from __future__ import annotations

from typing import Any

import pytest
from bench import BY_KEY

Pair = tuple[dict[str, Any], dict[str, Any]]


def test_the_machine_ids_differ(pair: Pair) -> None:
    """Each clone has its own machine id."""
    one, two = pair
    assert one["machine_id"] != two["machine_id"]


def test_the_host_keys_differ(pair: Pair) -> None:
    """The clones share no SSH host key."""
    one, two = pair
    assert not set(one["host_keys"].values()) & set(two["host_keys"].values())


def test_the_addresses_differ(expected: dict[str, Any]) -> None:
    """Each clone has its own address."""
    assert len({clone["address"] for clone in expected["clones"].values()}) == len(expected["clones"])


def test_the_names_differ(pair: Pair, expected: dict[str, Any]) -> None:
    """Each clone has its own host name."""
    one, two = pair
    if expected["way_in"] == BY_KEY:
        pytest.skip("the image has no cloud-init: its clones keep the template's name")
    assert one["hostname"] != two["hostname"]


def test_the_engine_ids_differ(pair: Pair) -> None:
    """Each clone's Docker engine has its own id."""
    one, two = pair
    if not one["engine_id"]:
        pytest.skip("this phase has no Docker engine")
    assert one["engine_id"] != two["engine_id"]


def test_what_each_clone_makes_itself(pair: Pair, unique: dict[str, Any]) -> None:
    """What each clone must make for itself differs between the clones."""
    one, two = (seen["sealed"][unique["id"]]["digests"] for seen in pair)
    both = set(one) & set(two)
    if not both:
        pytest.skip(f"neither clone has made any of it yet: {unique['id']}")
    assert [path for path in sorted(both) if one[path] == two[path]] == [], unique["why"]


def test_the_clones_hold_the_same(pair: Pair) -> None:
    """Both clones have the same packages, and each unit is enabled in both or in neither."""
    one, two = (seen["inventory"] for seen in pair)
    assert one["packages"] == two["packages"]
    assert one["units"] == two["units"]
