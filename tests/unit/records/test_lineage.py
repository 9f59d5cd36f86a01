"""The way from the installer to a template: each step with its stages, and where to read more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.records import lineage
from tests import samples

if TYPE_CHECKING:
    from goldsmith.records.record import Ancestor

SECONDS = st.lists(st.floats(0, 1e5), max_size=6)
PAGE = {samples.BASE: f"../{samples.BASE}/report.html"}


@given(SECONDS, SECONDS)
def test_stages_follow_each_other_on_one_scale(base: list[float], docker: list[float]) -> None:
    """Each bar begins where the one before ends, and the longest build fills the lane."""
    ancestor = samples.record().lineage[1].model_copy(update={"stages": numbered(base)})
    steps = lineage.steps(samples.record(lineage=(ancestor,), stages=numbered(docker)), {})
    longest = max(sum(base), sum(docker))
    for step, seconds in zip(steps, (base, docker), strict=True):
        ends = [bar.begin + bar.width for bar in step.bars]
        assert [bar.begin for bar in step.bars][1:] == pytest.approx(ends[:-1], abs=1e-6)
        assert (ends[-1] if ends else 0) == pytest.approx(100 * sum(seconds) / (longest or 1), abs=1e-6)


def numbered(seconds: list[float]) -> tuple[object, ...]:
    return samples.stages(**{f"stage {number}": value for number, value in enumerate(seconds)})


def test_the_bases_stages_are_shown_with_the_templates_own() -> None:
    """Installer, base and Docker template follow each other; of each build the stages, and how long all took."""
    installer, base, this = lineage.steps(samples.record(), PAGE)
    assert (installer.title, base.title, this.title) == ("Installer", "Base template", "This Docker template")
    assert [bar.name for bar in base.bars] == ["answers", "media", "upload", "base"]
    assert [bar.name for bar in this.bars] == ["docker", "verify: boot", "verify: check", "verify: destroy"]
    assert (base.lasted, this.lasted) == ("12 min 17 s", "7 min 42 s")
    assert (installer.link, base.link, this.link) == ("", PAGE[samples.BASE], "")


@pytest.mark.parametrize(
    ("changes", "pages", "says"),
    [
        ({}, PAGE, ""),
        ({}, {}, f"debian-13-base-{samples.BASE}.tar.gz"),
        ({"sha256": ""}, {}, "no page"),
        ({"build": "", "stages": ()}, {}, "another machine"),
    ],
)
def test_a_base_without_a_link_says_why(changes: dict[str, object], pages: dict[str, str], says: str) -> None:
    """Where the base's page cannot be opened, the reader learns where its record is, or that there is none."""
    base: Ancestor = samples.record().lineage[1].model_copy(update=changes)
    step = lineage.steps(samples.record(lineage=(base,)), pages)[0]
    assert bool(step.link) is bool(pages)
    assert says in " ".join(step.notes)
    assert says or len(step.notes) == 1, "only when it was built"


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        *((0, "< 0.1 s"), (0.1, "0.1 s"), (9.44, "9.4 s"), (9.6, "10 s"), (59.7, "1 min 00 s")),
        *((3599.4, "59 min 59 s"), (3599.6, "1 h 00 min"), (7380, "2 h 03 min")),
    ],
)
def test_a_time_is_as_exact_as_it_is_of_use(seconds: float, says: str) -> None:
    """No unit ever reaches the next one."""
    assert lineage.duration(seconds) == says
