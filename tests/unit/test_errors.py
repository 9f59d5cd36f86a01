"""Errors are part of the product: four parts, one screen, the right exit code."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith import errors


def test_the_parts_are_labelled_and_empty_ones_left_out() -> None:
    """A reader finds what, where, why and next at the same place each time."""
    text = errors.ConfigurationError("it broke", where="here\nand there", next="mend it").render()
    assert text.splitlines() == ["what:  it broke", "where: here", "       and there", "next:  mend it"]


@given(st.integers(0, 200), st.integers(0, 200))
def test_an_error_fills_at_most_one_screen(where: int, why: int) -> None:
    """However much a tool printed, the error has at most 40 lines and keeps the end of the evidence."""
    text = errors.ToolError("w", where="\n".join(["x"] * where), why="\n".join(map(str, range(why))), next="n").render()
    assert len(text.splitlines()) <= errors.MAX_LINES
    assert text.endswith("next:  n")
    if why:
        assert f" {why - 1}\n" in text


@pytest.mark.parametrize(
    ("family", "code"),
    [
        (errors.ConfigurationError, 2), (errors.MissingObjectError, 2), (errors.ToolError, 4),
        (errors.UnreachableError, 5), (errors.CheckError, 6), (errors.RefusedError, 7),
    ],
)  # fmt: skip
def test_each_family_has_its_exit_code(family: type[errors.GoldsmithError], code: int) -> None:
    """Scripts can rely on the exit codes of the documentation."""
    assert family("x").exit_code == code
