"""The house is as its map says: rooms, floors, where each module is tested, and what nobody outside may ask."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest

from tests.unit.house.tested import ELSEWHERE

ROOT = Path(__file__).resolve().parents[3]
MOST_LINES = 300
MODULES = sorted(path for path in (ROOT / "goldsmith").rglob("*.py"))


def dotted(path: Path) -> str:
    """Return a module's name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def rooms() -> list[str]:
    """Return the rooms of ARCHITECTURE.md, in the order of its table."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    table = text.partition("## The rooms")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", table, re.MULTILINE)


def floors() -> list[list[str]]:
    """Return the layers that import-linter holds, from the top."""
    configured = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    [layers] = [one["layers"] for one in configured["tool"]["importlinter"]["contracts"] if one["type"] == "layers"]
    return [[name.strip() for name in floor.split("|")] for floor in layers]


def test_the_map_has_every_room_and_no_other() -> None:
    """Each folder and module of the suite, and each folder of the repository with something in it, is in the table."""
    suite = [path for path in (ROOT / "goldsmith").iterdir() if path.name not in {"__init__.py", "__pycache__"}]
    inside = {f"goldsmith/{path.name}{'/' if path.is_dir() else ''}" for path in suite}
    visible = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")]
    outside = {f"{path.name}/" for path in visible if path.name not in {"goldsmith", "build", "__pycache__"}}
    assert set(rooms()) == inside | outside | {"tasks.py", "noxfile.py"}


def test_the_map_goes_from_the_top_floor_down() -> None:
    """The table's order is that of the layers: whoever reads it downwards meets imports before what is imported."""
    floor = {f"goldsmith/{name}": number for number, names in enumerate(floors()) for name in names}
    told = [floor[room.removesuffix("/").removesuffix(".py")] for room in rooms() if room.startswith("goldsmith/")]
    assert told == sorted(told)


def test_modules_import_in_no_circle() -> None:
    """Neither between rooms nor within one: every module can be read after those that it imports."""
    known = {dotted(path) for path in MODULES}
    imports: dict[str, set[str]] = defaultdict(set)
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                names = {f"{node.module}.{alias.name}" for alias in node.names} & known
                imports[dotted(path)] |= names or ({node.module} & known)
    done: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        assert module not in above, f"a circle: {' -> '.join((*above[above.index(module) :], module))}"
        if module not in done:
            for other in sorted(imports[module] - {module}):
                visit(other, (*above, module))
            done.add(module)

    for module in sorted(known):
        visit(module, ())


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_a_module_is_one_room(path: Path) -> None:
    """None is longer than what one reads at once."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_each_module_has_a_test_of_its_own_name_or_says_where_it_is_tested() -> None:
    """A newcomer finds the tests of a module: beside it in the mirror, or by the list ``tested.py``."""
    tests = [path.relative_to(ROOT / "tests/unit") for path in (ROOT / "tests/unit").rglob("test_*.py")]
    mirrored = {path.with_name(path.name.removeprefix("test_")).as_posix() for path in tests}
    # A package's own code is tested under the package's name.
    mirrored |= {(path.parent / "__init__.py").as_posix() for path in tests if path.stem == f"test_{path.parent.name}"}
    without = {
        path.relative_to(ROOT / "goldsmith").as_posix()
        for path in MODULES
        if path.relative_to(ROOT / "goldsmith").as_posix() not in mirrored and has_code(path)
    }
    assert without == set(ELSEWHERE), "goldsmith's modules and tests/unit/house/tested.py disagree"
    missing = [place for places in ELSEWHERE.values() for place in places if not (ROOT / "tests" / place).exists()]
    assert missing == []


def has_code(path: Path) -> bool:
    """Return whether there is more in a module than its docstring."""
    return len(ast.parse(path.read_text(encoding="utf-8")).body) > 1
