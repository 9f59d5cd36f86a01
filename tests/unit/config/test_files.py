"""Each key of a TOML file is found again with its line."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from goldsmith.config.files import lines, read
from goldsmith.config.problems import Problems
from goldsmith.config.sites import flat, nested

if TYPE_CHECKING:
    from pathlib import Path

_KEY = st.from_regex(r"[a-z][a-z_]{0,6}", fullmatch=True)
_TABLES = st.dictionaries(_KEY, st.dictionaries(_KEY, st.integers(), min_size=1), min_size=1)


@given(tables=_TABLES, indent=st.sampled_from(["", "  "]), comment=st.sampled_from(["", " # [no.table]", "#x = 1"]))
def test_every_key_has_its_line(tables: dict[str, dict[str, int]], indent: str, comment: str) -> None:
    """The line that is told for a key holds that key, in whatever table, indented or commented."""
    text = "# first = 1\n\n"
    for table, values in tables.items():
        text += f"{indent}[ {table} ]{comment}\n" + "".join(
            f"{indent}{key} = {value}{comment}\n" for key, value in values.items()
        )
    found = dict(lines(text))
    assert found.keys() == {*tables, *flat(tomllib.loads(text))}
    written = text.splitlines()
    for key, line in found.items():
        assert key.rpartition(".")[2] in written[line - 1]


def test_dotted_and_quoted_keys() -> None:
    """A key may be written dotted or quoted, and lists of several lines hide none that follows."""
    text = 'a.b = 1\n["c"]\nd = [\n  "x = y",\n]\n"e" = 2\n'
    assert dict(lines(text)) == {"a.b": 1, "c": 2, "c.d": 3, "c.e": 6}


@given(st.lists(st.dictionaries(_KEY, st.integers(), min_size=1, max_size=3), min_size=1, max_size=4), _KEY, _KEY)
def test_tables_of_a_list_are_numbered(tables: list[dict[str, int]], name: str, below: str) -> None:
    """Each key of each table of a list has its own line, those of a table below it as well."""
    head = f"[[a.{name}]]"
    parts = [
        [head, *(f"{key} = {value}" for key, value in one.items()), f"[a.{name}.sub]", f"{below} = 1"] for one in tables
    ]
    written = [line for part in parts for line in part]
    found = dict(lines("\n".join(written)))
    for number, one in enumerate(tables):
        assert written[found[f"a.{name}[{number}]"] - 1] == head
        assert all(written[found[f"a.{name}[{number}].{key}"] - 1] == f"{key} = {one[key]}" for key in one)
        assert written[found[f"a.{name}[{number}].sub.{below}"] - 1] == f"{below} = 1"


@given(_TABLES)
def test_flat_is_the_inverse_of_nested(tables: dict[str, dict[str, int]]) -> None:
    """Tables survive being flattened and nested again."""
    assert nested(flat(tables)) == tables


def test_a_file_that_nobody_could_read_is_a_problem(tmp_path: Path) -> None:
    """Thousands of brackets end in a sentence about the file, as any other mistake does."""
    problems, file = Problems(), tmp_path / "x.toml"
    file.write_text("a = " + "[" * 9000)
    assert read(file, root=tmp_path, problems=problems) is None
    assert problems.found == ["x.toml: is nested too deeply to be read"]
