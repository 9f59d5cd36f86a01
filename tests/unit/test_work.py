"""A name is one that this suite gives as a whole, or it is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.builds import Build
from goldsmith.work import Work, label, named

ID = "20261123-150000-0123abcd"


@given(
    st.from_regex(r"[a-z0-9](?:[a-z0-9.-]{0,38}[a-z0-9])?", fullmatch=True),
    st.sampled_from(("base", "docker")),
    st.text(max_size=30),
)
def test_every_name_that_a_build_gives_is_one(image: str, phase: str, branch: str) -> None:
    """With a label of a CI job and without one, and also where the image is called like a phase."""
    labelled = label({"CI_COMMIT_BRANCH": branch, "CI_PIPELINE_ID": "7"})
    for text in (labelled, ""):
        build = Build(id=ID, image=image, site="s", key="k", inputs="", phase=phase, label=text)
        assert named(build.name, id=ID)
        assert named(build.name, id=ID, image=image, phase=phase)


@pytest.mark.parametrize(
    "name",
    [
        f"prod-db-{ID}", f"x-{ID}", f"-base-{ID}", f"debian-13-base-{ID}0", f"debian-13-base-{ID}-copy", f"base-{ID}",
        f"debian-13-base--{ID}", f"debian-13-base-Copy-{ID}", f" debian-13-base-{ID}", f"debian-13-base-{ID}\n",
        f"debian-13-basement-{ID}", "debian-13-base", f"Debian-13-base-{ID}", f"debian-13-base{ID}",
    ],
)  # fmt: skip
def test_a_name_that_is_almost_one_is_none(name: str) -> None:
    """An id at the end is not enough."""
    assert not named(name, id=ID)


def test_the_names_of_clones_have_the_runs_id() -> None:
    """Two verifications of one build at once have different ones."""
    assert Work("b", "r1").id != Work("b", "r2").id
    assert Work("b").id == "b"
    assert str(Work("b", "r1")) == "run r1 (verifies build b)"
