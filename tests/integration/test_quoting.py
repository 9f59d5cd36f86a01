"""Values with everything that shells and kickseed find special arrive as they were, through the real programs."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from goldsmith.installers.kickseed import parser, proving
from goldsmith.installers.templating import render
from goldsmith.media import composed
from goldsmith.toolbox.fetch import path as path_of
from goldsmith.tools import netboot
from goldsmith.wiring import Session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from goldsmith.installers.kickseed.parser import Reading

SPECIAL = " '\"$`\\%!#&;|<>(){}[]*?~=-^@,.:/+æøåÆØÅ\u00a0€日x0"
PRINTABLE = st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"])
VALUE = st.text(st.one_of(st.sampled_from(SPECIAL), PRINTABLE), max_size=30)
"""One line of what the configuration takes at all; it refuses line breaks and control characters."""
NASTY = (
    "$(touch /tmp/pwned)", "`touch /tmp/pwned`", "${HOME}", "$HOME", "$", "$$", "\\", "\\\\", "\\n", "a\\", "\\$x",
    "'", "''", '"', '""', "'\"'", "\"'\"", "'; touch /tmp/pwned; '", "%s%n", "100 %", "%post", "%packages", "#", " # x",
    "--password", "-", "a  b", "*", "~", "!!", "æøå", "O'Hara & Søn", "=", "x=y", "preseed a/b string c",
)  # fmt: skip
_FEW = settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""An example is a list of some hundred values: one run of a program judges all of them."""


@pytest.fixture(scope="module")
def session() -> Session:
    return Session.here()


@pytest.fixture(scope="module")
def sources(session: Session) -> proving.Sources:
    """Return the installer's shell and the real kickseed."""
    [row] = [row for row in session.lock.sections.media.udebs if row.name == "kickseed-common"]
    session.fetch([row])
    vendor = composed.vendor(session.lock, release="13", workspace=session.workspace, fetch=session.fetch)
    return proving.Sources(initrd=vendor / netboot.INITRD, udeb=path_of(session.workspace, row))


@pytest.fixture(scope="module")
def folder(session: Session) -> Iterator[Path]:
    session.workspace.builds.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=session.workspace.builds, prefix="quoting-") as name:
        yield Path(name)


def read(session: Session, sources: proving.Sources, folder: Path, text: str) -> Reading:
    root = session.workspace.root
    return proving.read(
        text, sources, folder=folder / "parsed", root=root, runner=session.runner, door=session.toolbox()
    )


@_FEW
@given(values=st.lists(VALUE, min_size=150, max_size=300))
def test_every_value_of_ks_cfg(session: Session, sources: proving.Sources, folder: Path, values: list[str]) -> None:
    """As an answer, as a user's full name, and within the script: kickseed hands the installer what was meant."""
    # What begins with a dash is an option to kickseed; no value of the configuration may.
    answers = {f"goldsmith/value{n}": value for n, value in enumerate((*NASTY, *values)) if not value.startswith("-")}
    names = [value for value in (*NASTY, *values) if value]
    lines = [f"preseed {question} string {parser.quote(value)}" for question, value in answers.items()]
    lines += [f"user u --fullname {parser.quote(name)} --iscrypted --password x" for name in names]
    script = [f": {value}".rstrip() for value in (*NASTY, *values)]
    found = read(session, sources, folder, "\n".join([*lines, "%post --nochroot", *script, ""]))
    assert found.complaints == ()
    told = {answer.question: answer.value for answer in found.answers}
    wrong = {question: (value, told.get(question)) for question, value in answers.items()}
    assert {question: pair for question, pair in wrong.items() if pair[0] != pair[1]} == {}
    arrived = [answer.value for answer in found.answers if answer.question == "passwd/user-fullname"]
    assert [pair for pair in zip(names, arrived, strict=True) if len(set(pair)) > 1] == []
    assert found.scripts[0].splitlines()[-len(script) :] == script
    assert not Path("/tmp/pwned").exists()  # noqa: S108 - where a value that got out would have said so


def test_an_option_in_a_values_place(session: Session, sources: proving.Sources, folder: Path) -> None:
    """It is no value, but kickseed does not pass over it in silence."""
    found = read(session, sources, folder, "preseed goldsmith/x string --password\n%post\ntrue\n")
    assert found.complaints


@pytest.mark.parametrize("shell", ["sh", "bash"])
@_FEW
@given(values=st.lists(st.one_of(VALUE, st.text(st.sampled_from(SPECIAL + "\n\t"), max_size=20)), min_size=200))
def test_every_value_of_a_script(tmp_path_factory: pytest.TempPathFactory, shell: str, values: list[str]) -> None:
    """What a template quotes for a shell is one word there, line breaks included, and nothing in it is run."""
    values = [*NASTY, *values]
    folder = tmp_path_factory.mktemp("templates")
    (folder / "t.j2").write_text("set -eu\n{% for value in values %}printf '%s\\0' {{ value | sh }}\n{% endfor %}")
    script = render(folder, "t.j2", {"values": values})
    done = subprocess.run((shell, "-c", script), check=True, capture_output=True)
    assert done.stdout.decode().split("\0")[:-1] == values
    assert not Path("/tmp/pwned").exists()  # noqa: S108 - as above
