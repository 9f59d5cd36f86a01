"""The lists of what Debian 13 knows are those of the locked packages: a new lock with other lists is noticed."""

from __future__ import annotations

import pytest

from goldsmith.installers import known
from goldsmith.wiring import Session
from tests import release_lists


@pytest.fixture(scope="module")
def packages() -> release_lists.Packages:
    return release_lists.Packages(Session.here())


@pytest.mark.parametrize("name", release_lists.LISTS)
def test_a_list_is_that_of_the_locked_packages(packages: release_lists.Packages, name: str) -> None:
    """Made again, it is the committed one; ``python -m tests.release_lists`` writes it."""
    committed = known.read(release_lists.FOLDER / f"{name}-{release_lists.RELEASE}.txt").remarks
    made = {line.partition("\t")[0]: line.partition("\t")[2] for line in release_lists.LISTS[name](packages)}
    assert made == committed
