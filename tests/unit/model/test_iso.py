"""A vendor's ISO is described completely, or refused."""

from __future__ import annotations

import pytest

from goldsmith.model import Iso


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"sha256": "0" * 64}, id="neither"),
        pytest.param({"sha256": "0" * 64, "path": "a.iso", "url": "https://mirror.example.com/a.iso"}, id="both"),
        pytest.param({"sha256": "0" * 63, "path": "a.iso"}, id="short hash"),
        pytest.param({"path": "a.iso"}, id="no hash"),
        pytest.param({"sha256": "0" * 64, "url": "ftp://mirror.example.com/a.iso"}, id="ftp"),
    ],
)
def test_an_iso_is_one_file_with_its_hash(values: dict[str, str]) -> None:
    """A path or a URL, never both, and always with a sha256."""
    with pytest.raises(ValueError, match=r"must be|either|required"):
        Iso.model_validate(values)
