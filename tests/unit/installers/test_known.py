"""What a release does not know is refused while planning, with what was meant; what it knows is taken."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import ConfigurationError
from goldsmith.installers import door, known
from tests.unit.installers.images import ROOT, SITE, image

if TYPE_CHECKING:
    from pathlib import Path

DEBIAN, UBUNTU = "debian-13", "ubuntu-16.04"
LISTS = sorted((ROOT / "kickstart").glob("*/*.txt"))
NAMED = {path.relative_to(ROOT / "kickstart").as_posix(): path for path in LISTS if "questions" not in path.name}


def refusal(name: str, **changes: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        door.check(image(name, **changes), SITE)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "zone", "offered"),
    [
        pytest.param(DEBIAN, "US/Eastern", 'set timezone = "America/New_York"', id="an old name"),
        pytest.param(DEBIAN, "Asia/Calcutta", 'set timezone = "Asia/Kolkata"', id="a renamed city"),
        pytest.param(DEBIAN, "EST5EDT", 'set timezone = "America/New_York"', id="no place"),
        pytest.param(DEBIAN, "Europe/Copenhagan", "choose one of Europe/Copenhagen", id="misspelt"),
        pytest.param(DEBIAN, "europe/copenhagen", "choose one of Europe/Copenhagen", id="small letters"),
        pytest.param(DEBIAN, "Factory", "kickstart/preseed/zones-13.txt lists all", id="a file that is no zone"),
        pytest.param(UBUNTU, "Europe/Kyiv", "Europe/Kiev", id="younger than the release"),
    ],
)
def test_time_zones_that_a_release_does_not_have(name: str, zone: str, offered: str) -> None:
    """The machine would be in UTC, and nobody would say so."""
    text = refusal(name, localisation={"timezone": zone})
    assert f'localisation.timezone = "{zone}"' in text
    assert offered in text


@pytest.mark.parametrize(
    ("name", "zone"),
    [(DEBIAN, "UTC"), (DEBIAN, "Europe/Kyiv"), (DEBIAN, "America/Argentina/Buenos_Aires"), (DEBIAN, "Etc/GMT+3"),
     (UBUNTU, "US/Eastern"), (UBUNTU, "Europe/Kiev")],
)  # fmt: skip
def test_time_zones_that_a_release_has(name: str, zone: str) -> None:
    """A release's own list counts, not this machine's: Ubuntu keeps the old names, Debian 13 does not."""
    door.check(image(name, localisation={"timezone": zone}), SITE)


@pytest.mark.parametrize(
    ("name", "locale", "words"),
    [
        pytest.param(DEBIAN, "en_DE.UTF-8", ("en_DK", "de_DE", "locales-13.txt"), id="two that exist, crossed"),
        pytest.param(DEBIAN, "xx_YY", ("locales-13.txt lists all",), id="none"),
        pytest.param(DEBIAN, "lb_LU", ("would ask", 'extra_locales = ["lb_LU"]'), id="not the installer's"),
        pytest.param(DEBIAN, "hi_IN", ("would ask",), id="the graphical installer's alone"),
        pytest.param(UBUNTU, "en_IL", ("en_IE",), id="younger than the release"),
    ],
)
def test_locales_that_a_release_does_not_have(name: str, locale: str, words: tuple[str, ...]) -> None:
    """Debian's installer would ask, or go on and fail in its last step."""
    text = refusal(name, localisation={"locale": locale, "extra_locales": []})
    assert all(word in text for word in words), text


def test_further_locales_are_looked_at_as_well() -> None:
    """One that the installer itself cannot speak is fine there; one that does not exist is refused."""
    door.check(image(DEBIAN, localisation={"extra_locales": ["lb_LU", "hi_IN"]}), SITE)
    assert "localisation.extra_locales" in refusal(DEBIAN, localisation={"extra_locales": ["da_DE"]})


@pytest.mark.parametrize("name", [DEBIAN, UBUNTU])
@pytest.mark.parametrize("account", ["root", "operator", "admin", "sshd", "backup", "plugdev", "_apt", "_builder"])
def test_accounts_that_the_installer_would_not_make(name: str, account: str) -> None:
    """Each of the reserved names, those of groups among them, and what its rule for names does not allow."""
    assert f'account.name = "{account}"' in refusal(name, account={"name": account})


@pytest.mark.parametrize("name", [DEBIAN, UBUNTU])
@pytest.mark.parametrize("keyboard", ["dk", "fr(latin9)", "ch(fr)", "us(dvorak)", "tr(f)"])
def test_keyboards_with_a_variant(name: str, keyboard: str) -> None:
    """A layout may have its variant in parentheses, as the installer's own list has them."""
    door.check(image(name, localisation={"keyboard": keyboard}), SITE)


def test_keyboards_that_the_installer_does_not_have() -> None:
    """What exists of the layout is offered first."""
    assert "choose one of fr(latin9)" in refusal(DEBIAN, localisation={"keyboard": "fr"})
    assert "us(dvorak)" in refusal(DEBIAN, localisation={"keyboard": "us(colemak)"})
    assert "fr(latin9)" in refusal(UBUNTU, localisation={"keyboard": "fr(latin8)"})


@pytest.mark.parametrize(
    ("name", "system"),
    [
        (DEBIAN, {"release": "12", "suite": "bookworm"}),
        (DEBIAN, {"suite": "bookworm"}),
        (DEBIAN, {"family": "ubuntu"}),
        (DEBIAN, {"family": "ubuntu", "release": "16.04", "suite": "xenial"}),
        (UBUNTU, {"release": "20.04", "suite": "focal"}),
        (UBUNTU, {"family": "debian"}),
        (UBUNTU, {"suite": "trusty"}),
    ],
)
def test_family_release_and_suite_belong_together(name: str, system: dict[str, str]) -> None:
    """Any other combination is refused in one sentence, with those that are supported."""
    text = refusal(name, os=system)
    assert "does not install" in text
    assert 'suite = "trixie"' in text or 'suite = "xenial"' in text


@pytest.mark.parametrize("name", NAMED)
def test_each_list_says_where_it_is_from(name: str) -> None:
    """A head with a source, and names without doubles."""
    lines = NAMED[name].read_text(encoding="ascii").splitlines()
    assert lines[0].startswith("# ")
    names = [line.partition("\t")[0] for line in lines if not line.startswith("#")]
    assert len(names) > 50
    assert len(names) == len(set(names))


@pytest.mark.parametrize("name", [DEBIAN, UBUNTU])
@given(data=st.data())
def test_whatever_stands_in_a_list_is_taken(name: str, data: st.DataObject) -> None:
    """Every zone and locale that the lists have passes the types and the checks, and no reserved name does."""
    folder, suffix = ("preseed", "-13") if name == DEBIAN else ("kickseed", "")
    shelf = ROOT / "kickstart" / folder

    def one(list_: str) -> str:
        remarks = known.read(shelf / f"{list_}{suffix}.txt").remarks
        return data.draw(st.sampled_from(sorted(key for key, remark in remarks.items() if not remark)))

    wanted = {"timezone": one("zones"), "locale": one("locales"), "extra_locales": []}
    door.check(image(name, localisation=wanted), SITE)
    user = data.draw(st.sampled_from(sorted(known.read(shelf / f"users{suffix}.txt").remarks)))
    if re.fullmatch(r"[a-z_][a-z0-9_-]{0,31}", user):  # the type refuses the others
        assert "reserved" in refusal(name, account={"name": user})


def test_a_list_is_read_with_its_remarks(tmp_path: Path) -> None:
    """One name a line; a remark after a tab; the head does not count."""
    folder = tmp_path / "preseed"
    folder.mkdir()
    (folder / "a.txt").write_text("# head\nUTC\nUS/Eastern\tAmerica/New_York\n")
    names = known.read(folder / "a.txt")
    assert names == known.Names("kickstart/preseed/a.txt", {"UTC": "", "US/Eastern": "America/New_York"})
    assert names.close("utc") == ("UTC",)
