"""What fits onto a floppy is known before one is made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import ConfigurationError
from goldsmith.media import floppy


def test_more_than_a_floppy_holds() -> None:
    """What does not fit is refused, and the largest files are named."""
    floppy.check_space({"ks.cfg": 4096, "files/ca/root.crt": 1_400_000})
    with pytest.raises(ConfigurationError, match="bundle") as caught:
        floppy.check_space({"ks.cfg": 4096, "files/ca/bundle.crt": 1_460_000})
    assert "fewer certificates" in caught.value.next


@given(
    st.dictionaries(st.from_regex(r"([a-z]{1,9}/){0,2}[a-z]{1,20}", fullmatch=True), st.integers(0, 5000), max_size=9)
)
def test_space_counts_whole_clusters(files: dict[str, int]) -> None:
    """Never less than the files' bytes, and always whole clusters."""
    space = floppy.space(files)
    assert space >= sum(files.values())
    assert space % 512 == 0
