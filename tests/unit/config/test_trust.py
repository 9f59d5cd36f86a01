"""Who is believed is shown: variables of other programs add authorities without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from goldsmith.config import trust

if TYPE_CHECKING:
    from pathlib import Path


def test_by_default_the_system_is_believed(tmp_path: Path) -> None:
    """That is one line, and no variable is set that could change it."""
    assert list(trust.authorities({}, tmp_path)) == [("system", trust.SYSTEM, "default")]
    assert trust.stray({}) == ()


@pytest.mark.parametrize("name", trust.VARIABLES)
def test_every_variable_that_adds_authorities_is_named(name: str, tmp_path: Path) -> None:
    """With the file it names and whom it concerns; set and empty it counts for nothing."""
    rows = {key: value for key, value, _ in trust.authorities({name: "/x/ca.pem"}, tmp_path)}
    assert rows[name].startswith("/x/ca.pem (for ")
    assert ("system" in rows) == ("in place of" not in rows[name])
    assert trust.stray({name: "/x/ca.pem"}) == (name,)
    assert trust.stray({name: ""}) == ()


def test_the_toolboxs_own_authorities_are_named(tmp_path: Path) -> None:
    """A file that lies in the folder is enough to be believed, so it is shown."""
    folder = tmp_path / trust.FOLDER
    folder.mkdir(parents=True)
    (folder / "corp.crt").touch()
    (folder / "README.md").touch()
    assert ("toolbox", "corp.crt (in the toolbox)", "docker/certs") in list(trust.authorities({}, tmp_path))
