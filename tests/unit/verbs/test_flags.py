"""Flags become orders, and verbs that only look neither change nor start anything."""

from __future__ import annotations

from datetime import timedelta

import pytest

from goldsmith.errors import ConfigurationError
from goldsmith.plan import Stage
from goldsmith.verbs.flags import Request


def test_flags_arrive_in_the_order() -> None:
    """What an operator asks for is what the build is told."""
    order = Request(build="b", rebuild=True, max_age="7d", keep_failed=True, no_wait=True).order(Stage.UPLOAD)
    assert (order.until, order.build, order.max_age) == (Stage.UPLOAD, "b", timedelta(days=7))
    assert (order.rebuild, order.keep_failed, order.wait) == (True, True, False)


def test_without_flags_a_build_waits_and_runs_to_its_end() -> None:
    """The default is a whole build that waits for its turn and rebuilds nothing."""
    order = Request().order()
    assert (order.until, order.build, order.max_age) == (Stage.BASE, "", None)
    assert (order.rebuild, order.keep_failed, order.wait) == (False, False, True)


@pytest.mark.parametrize("text", ["7", "d", "0d", "-1d", "1 month"])
def test_an_age_that_cannot_be_read_is_refused(text: str) -> None:
    """The error repeats the flag as it was given, and shows one that works."""
    with pytest.raises(ConfigurationError) as caught:
        Request(max_age=text).order()
    assert f"--max-age {text}" in caught.value.where
    assert "7d" in caught.value.next


def test_a_phase_that_there_is_not_is_refused() -> None:
    """The error names those that there are; without the flag, none is meant."""
    with pytest.raises(ConfigurationError) as caught:
        Request(phase="bogus").known_phase()
    assert (caught.value.where, caught.value.why) == ("--phase bogus", "allowed: base, docker")
    assert [Request(phase=phase).known_phase() for phase in ("", "base", "docker")] == ["", "base", "docker"]
