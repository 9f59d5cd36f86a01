"""What runs in a guest runs in the oldest guest's Python: 3.5, of Ubuntu 16.04."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
PROGRAMS = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("verify/observe.py", "verify/families/*.py", "ansible/*/*/files/*.py")
    for path in ROOT.glob(pattern)
)
SYNTAX = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Match)
BUILT_IN = {"dict", "frozenset", "list", "set", "tuple", "type"}
KEYWORDS = {"capture_output", "dirs_exist_ok", "missing_ok", "strict", "text"}
# typing.TYPE_CHECKING came with 3.5.2; Ubuntu 16.04 came with 3.5.1.
NAMES = {"TYPE_CHECKING", "dataclasses", "fromisoformat", "nullcontext", "removeprefix", "removesuffix"}
LATER: dict[str, Callable[[ast.AST], bool]] = {
    "f-strings, annotated variables, := and match": lambda node: isinstance(node, SYNTAX),
    "anything from the future": lambda node: isinstance(node, ast.ImportFrom) and node.module == "__future__",
    "built-in types with parameters": lambda node: (
        isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in BUILT_IN
    ),
    "| of types and dictionaries": lambda node: isinstance(getattr(node, "op", None), ast.BitOr),
    "parameters without a name": lambda node: isinstance(node, ast.arguments) and bool(node.posonlyargs),
    "keywords of later versions": lambda node: isinstance(node, ast.keyword) and node.arg in KEYWORDS,
    "names of later versions": lambda node: bool(
        {getattr(node, field, None) for field in ("id", "attr", "name", "module")} & NAMES
    ),
}
"""What Python 3.5 does not have, and how it shows in a program's tree."""


def later(text: str) -> list[str]:
    """Return what a program of Python 3.5 cannot have, each with its line."""
    nodes = list(ast.walk(ast.parse(text)))
    return [
        f"line {getattr(node, 'lineno', '?')}: {what}" for what, is_so in LATER.items() for node in nodes if is_so(node)
    ]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_guests_program_needs_no_newer_python(name: str) -> None:
    """Nothing in it is newer than 3.5, which the oldest guest has."""
    assert later((ROOT / name).read_text()) == []


def test_every_program_of_a_guest_is_looked_at() -> None:
    """The seal's, the inventory's, and each family's two, besides the one that calls them."""
    assert {Path(name).name for name in PROGRAMS} >= {"observe.py", "seal.py", "inventory.py", "packages.py", "apt.py"}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('f"{x}"', id="f-string"),
        pytest.param("x: int = 1", id="annotated variable"),
        pytest.param("from __future__ import annotations", id="future"),
        pytest.param("def f() -> list[str]: ...", id="generic built-in"),
        pytest.param("def f(x: int | None): ...", id="union"),
        pytest.param("a |= b", id="merged dictionaries"),
        pytest.param("run(argv, capture_output=True)", id="keyword"),
        pytest.param("from typing import TYPE_CHECKING", id="import"),
        pytest.param("name.removesuffix('.py')", id="method"),
        pytest.param("def f(x, /): ...", id="parameter without a name"),
    ],
)
def test_what_is_newer_is_found(text: str) -> None:
    """The check above can fail."""
    assert later(text)
