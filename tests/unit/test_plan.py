"""Plans are pure: facts in, stages with a reason out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith import plan
from goldsmith.plan import Existing, Inputs, Stage

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
INPUTS = Inputs({"answers": "aa" * 32, "hardware": "bb" * 32})
OTHER = Inputs({"answers": "cc" * 32, "hardware": "bb" * 32})


def template(inputs: Inputs = INPUTS, *, name: str = "debian-13-base-1", days: int = 2) -> Existing:
    return Existing(name=name, key=inputs.key, inputs=inputs.summary(), created=NOW - timedelta(days=days))


def facts(
    *, rebuild: bool = False, max_age: timedelta | None = None, toolbox: str | None = "goldsmith-toolbox:1"
) -> plan.Facts:
    return plan.Facts(image="debian-13", site="lab", toolbox=lambda: toolbox, rebuild=rebuild, max_age=max_age, now=NOW)


def planned(*existing: Existing, rebuild: bool = False, max_age: timedelta | None = None) -> plan.Plan:
    return plan.plan_base(INPUTS, existing, facts(rebuild=rebuild, max_age=max_age))


def test_nothing_runs_when_a_template_has_the_key() -> None:
    """The same key means the same result: no stage runs, and the reason names template, key and age."""
    result = planned(template())
    assert not any(step.run for step in result.steps)
    assert result.steps[-1].reason == f"debian-13-base-1 has the same key {INPUTS.key[:8]} (2 days old)"


@pytest.mark.parametrize(
    ("existing", "options", "reason"),
    [
        ((), {}, "the site has no base template of debian-13 yet"),
        ((template(OTHER),), {}, "changed since debian-13-base-1: answers"),
        ((template(),), {"rebuild": True}, "--rebuild was given"),
        ((template(days=8),), {"max_age": timedelta(days=7)}, "debian-13-base-1 is 8 days old, --max-age is 7 days"),
    ],
    ids=["none", "changed", "rebuild", "max-age"],
)
def test_the_base_runs_for_a_reason(existing: tuple[Existing, ...], options: dict[str, Any], reason: str) -> None:
    """Each way to need a base has its own sentence, and then every stage of the build runs."""
    result = planned(*existing, **options)
    assert result.steps[-1].reason == reason
    assert [step.stage for step in result.steps if step.run] == [Stage.ANSWERS, Stage.MEDIA, Stage.UPLOAD, Stage.BASE]


def test_an_older_template_of_another_key_does_not_matter() -> None:
    """Only the key decides, not which template is the newest."""
    assert not planned(template(), template(OTHER, name="newer", days=0)).runs


def test_the_toolbox_is_built_only_when_something_needs_it() -> None:
    """A machine that only asks whether all is up to date builds no toolbox."""

    def toolbox_runs(*existing: Existing) -> bool:
        return plan.plan_base(INPUTS, existing, facts(toolbox=None)).steps[0].run

    assert toolbox_runs()
    assert not toolbox_runs(template())


DOCKER = Inputs({"base": INPUTS.key, "roles": "dd" * 32})
OLD_DOCKER = Inputs({"base": INPUTS.key, "roles": "ee" * 32})
HOST = template(DOCKER, name="debian-13-docker-1")


@pytest.mark.parametrize(
    ("bases", "hosts", "options", "runs", "reason"),
    [
        ((template(),), (HOST,), {}, (), f"debian-13-docker-1 has the same key {DOCKER.key[:8]} (2 days old)"),
        ((template(),), (), {}, ("docker",), "the site has no docker template of debian-13 yet"),
        (
            (template(),),
            (template(OLD_DOCKER, name="debian-13-docker-0"),),
            {},
            ("docker",),
            "changed since debian-13-docker-0: roles",
        ),
        ((), (HOST,), {}, ("base", "docker"), "its base is forged again"),
        ((template(days=9),), (HOST,), {"max_age": timedelta(days=7)}, ("base", "docker"), "its base is forged again"),
        ((template(),), (HOST,), {"rebuild": True}, ("base", "docker"), "--rebuild was given"),
    ],
    ids=["same", "none", "role", "no base", "old base", "rebuild"],
)
def test_the_docker_host_runs_for_a_reason(
    bases: tuple[Existing, ...],
    hosts: tuple[Existing, ...],
    options: dict[str, Any],
    runs: tuple[str, ...],
    reason: str,
) -> None:
    """A changed role repeats phase 2 only; whatever repeats the base repeats both; each for its own reason."""
    result = plan.plan_docker(INPUTS, bases, DOCKER, hosts, facts(**options))
    assert tuple(s.stage.value for s in result.steps if s.run and s.stage in (Stage.BASE, Stage.DOCKER)) == runs
    assert (result.steps[-1].stage, result.steps[-1].reason) == (Stage.DOCKER, reason)
    assert result.key == DOCKER.key
    assert not result.settled


def test_a_verified_host_is_the_end_of_it() -> None:
    """Only when the newest one is verified and stays, nothing is left to be done."""
    verified = replace(HOST, verified=True)
    newer = replace(HOST, name="debian-13-docker-2", created=NOW)
    assert plan.plan_docker(INPUTS, (template(),), DOCKER, (verified,), facts()).settled
    assert not plan.plan_docker(INPUTS, (template(),), DOCKER, (verified, newer), facts()).settled
    assert not plan.plan_docker(INPUTS, (template(),), DOCKER, (verified,), facts(rebuild=True)).settled


parts = st.dictionaries(
    st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.from_regex(r"[0-9a-f]{64}", fullmatch=True), max_size=6
)


@given(parts, parts)
def test_keys_and_summaries_tell_inputs_apart(before: dict[str, str], after: dict[str, str]) -> None:
    """Two keys are equal exactly when the parts are, and the summary names the parts that differ."""
    old, new = Inputs(before), Inputs(after)
    assert (old.key == new.key) == (before == after)
    differing = {n for n in before.keys() | after.keys() if (before.get(n) or "")[:8] != (after.get(n) or "")[:8]}
    assert set(new.changed_since(old.summary())) == differing


@given(st.integers(1, 99_999), st.sampled_from("mhdw"))
def test_ages_parse(count: int, unit: str) -> None:
    """An age is its number times its unit."""
    seconds = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}[unit]
    assert plan.parse_age(f"{count}{unit}").total_seconds() == count * seconds


@pytest.mark.parametrize("text", ["", "7", "d", "0d", "-1d", "7 days", "1.5h", "1\uff17d", "123456d"])
def test_what_is_no_age_is_refused(text: str) -> None:
    """Anything else is refused, and the message shows the forms."""
    with pytest.raises(ValueError, match="90m, 12h, 7d or 2w"):
        plan.parse_age(text)


def test_comments_and_blank_lines_are_not_significant() -> None:
    """Editing a comment must not rebuild a template; editing anything else must."""
    assert plan.significant("#!/bin/sh\n# why\n\necho 1\n") == plan.significant("#!/bin/sh\necho 1")
    assert plan.significant("echo 1 # x") != plan.significant("echo 1")


def test_a_build_id_carries_time_and_key() -> None:
    """The id sorts by time and shows the key."""
    assert plan.build_id("0123456789abcdef", NOW) == "20261123-120000-01234567"


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_a_build_says_when_it_began(moment: datetime) -> None:
    """What an id was made from is read back from it, to the second."""
    began = moment.replace(tzinfo=UTC, microsecond=0)
    assert plan.started(plan.build_id("ab" * 32, began)) == began


@given(st.text(max_size=30))
def test_no_text_breaks_who_asks_when_it_began(text: str) -> None:
    """Whatever somebody wrote into an attribute, it names a moment or none."""
    found = plan.started(text)
    assert found is None or found.tzinfo is UTC
