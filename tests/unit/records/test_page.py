"""The page about a template is whole in itself, says what decides, and runs nothing that a guest sent."""

from __future__ import annotations

import ast
import re

import pytest

from goldsmith.records.page import render, size
from goldsmith.records.record import CheckResult
from tests import samples

LINK = re.compile(r'href="([^"]*)"')
PRODUCTS = ("cloud-init", "dpkg", "systemd", "sudo", "apt")
"""They are written small wherever they stand."""


def plain(page: str) -> str:
    """Return a page's text without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page[page.index("<body>") :]))


def compared(*, now: dict[str, str], then: dict[str, str], size_now: int = 0, size_then: int = 0) -> str:
    """Return the text of a page about packages *now*, compared with those *then*."""
    before = samples.record(build=samples.BEFORE, built="2026-11-16T15:00:00Z", size_bytes=size_then)
    return plain(
        render(
            samples.record(size_bytes=size_now),
            digest="78" * 32,
            inventory=samples.inventory(now),
            previous=samples.previous(before, samples.inventory(then)),
        )
    )


@pytest.mark.parametrize("name", samples.PAGES)
def test_the_page_is_whole_in_itself(name: str) -> None:
    """It loads nothing and runs nothing; its links lead to its own parts and to pages of other builds."""
    page = samples.PAGES[name]()
    assert not re.search(r"<script|<link|<img|src\s*=|url\(|@import| on\w+\s*=", page.replace("&lt;", ""))
    assert all(re.fullmatch(r"#\w+|\.\./[\da-f-]+/report\.html", link) for link in LINK.findall(page))
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page)


def test_a_page_that_knows_no_other_leads_to_none() -> None:
    """The packed page is read anywhere: it says where the base's record is, and has no link that leads nowhere."""
    page = samples.verified()
    assert "../" not in page
    assert f"debian-13-base-{samples.BASE}.tar.gz" in page


def test_the_summary_comes_first_then_what_did_not_pass() -> None:
    """The order is that of a decision: what changed, what is wrong, all checks, how it was made."""
    page = samples.failed()
    heads = re.findall(r"<h2[^>]*>([^<]*)", page)
    assert heads == [
        "What changed",
        "What failed or was skipped, and why",
        "Checks",
        "Lineage and timeline",
        "What made it",
    ]
    assert "Checks of two clones: 2 failed, 6 skipped, 84 passed." in plain(page)


def test_changes_are_counted_by_what_they_are() -> None:
    """Removed, added, downgraded and upgraded packages each have a number, and the whole has one."""
    then = {"a": "1.0", "b": "1.0", "c": "1.0", "d": "1.0"}
    text = compared(then=then, now={"b": "1.0", "c": "1.1", "d": "1.0~rc1", "e": "1"})
    assert "Packages 4 1 removed 1 added 1 downgraded 1 upgraded 4 in all" in text
    assert "c 1.0 → 1.1" in text


@pytest.mark.parametrize(("count", "folded"), [(12, 0), (13, 5), (300, 292)])
def test_a_long_list_is_folded_and_not_cut(count: int, folded: int) -> None:
    """Every change is in the page; of a long list the rest is behind its number."""
    names = [f"package-{number:03}" for number in range(count)]
    text = compared(then={}, now=dict.fromkeys(names, "1"))
    assert all(name in text for name in names)
    assert (f"{folded} more" in text) is bool(folded)


def test_a_first_template_has_nothing_to_be_compared_with() -> None:
    """It says so, and what it holds; no change is invented."""
    page = samples.first()
    assert "There is nothing to compare it with" in plain(page)
    assert "Packages 313 Units 211 Files in /etc 903 Checks" in plain(page)
    assert not re.search('class="(delta|changes)"', page)


@pytest.mark.parametrize(
    ("now", "then", "says"),
    [
        (0, 0, None),
        (0, 4_000_000_000, None),
        (237, 237, None),
        (4_312_000_000, 0, "Size 4.3 GB "),
        (4_312_000_000, 4_190_000_000, "Size 4.3 GB 122 MB more"),
        (4_190_000_000, 4_312_000_000, "Size 4.2 GB 122 MB less"),
        (4_190_000_000, 4_190_400_000, "Size 4.2 GB as before"),
    ],
)
def test_a_size_is_shown_where_it_is_known(now: int, then: int, says: str | None) -> None:
    """The lab's vCenter knows none: no page shows a zero, or a growth from nothing."""
    text = compared(now={"a": "1"}, then={"a": "1"}, size_now=now, size_then=then)
    assert (says in text) if says else ("Size" not in text)
    if not size(then):
        assert not re.search("B more|B less|as before", text)


def test_the_inputs_that_changed_are_named() -> None:
    """A short form of a part that is known whole is the same part."""
    before = samples.record(
        build=samples.BEFORE, inputs={"roles": "12345678", "base": "ab" * 4}, built="2026-11-16T15:00:00Z"
    )
    one = samples.record(inputs={"roles": "87654321" * 8, "base": "ab" * 32})
    inventory = samples.inventory({})
    text = plain(render(one, digest="", inventory=inventory, previous=samples.previous(before, inventory)))
    assert "Inputs of the build that changed: roles." in text


def test_a_template_without_checks_is_not_called_verified() -> None:
    """Nothing was looked at, and the page says nothing else."""
    text = plain(render(samples.record(checks=()), digest="", inventory=samples.inventory({})))
    assert "Not verified" in text
    assert not re.search(r"\bVerified|\bFailed", text)


def test_only_one_clone_failed_and_the_line_shows_which() -> None:
    """A line has one mark for each clone."""
    checks = [
        CheckResult(name="guest: a (clone-1)", says="It holds.", outcome="passed"),
        CheckResult(name="guest: a (clone-2)", says="It holds.", outcome="failed", reason="it does not"),
    ]
    page = render(samples.record(checks=tuple(checks)), digest="", inventory=samples.inventory({}))
    [line] = re.findall(r"<tr class=\"failed\">(.*?)</tr>", page, flags=re.DOTALL)
    assert re.findall(r'title="(\w+)"', line) == ["passed", "failed"]


@pytest.mark.parametrize("module", samples.MODULES)
def test_products_are_spelt_as_they_spell_themselves(module: str) -> None:
    """In the sentences of the checks, and in their names, which are read with spaces for underscores."""
    for function in ast.parse((samples.ROOT / f"verify/test_{module}.py").read_text()).body:
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
            says = (ast.get_docstring(function) or "").splitlines()[0]
            wrong = [name for name in PRODUCTS if name.capitalize() in says]
            assert not wrong, says
            assert says.endswith("."), says
            assert not any(name.replace("-", "_") in function.name for name in PRODUCTS if "-" in name), function.name
