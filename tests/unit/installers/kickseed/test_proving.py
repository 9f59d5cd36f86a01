"""What a template without cloud-init needs, so that somebody can log in to its clones."""

from __future__ import annotations

import pytest

from goldsmith.installers.answers import PLACEHOLDER_KEY, Answers
from goldsmith.installers.kickseed import proving
from goldsmith.installers.kickseed.parser import Answer, Reading

HASH = "$6$salt$hash"


@pytest.mark.parametrize(
    ("password", "keys", "locked"),
    [
        pytest.param("!", [PLACEHOLDER_KEY], True, id="neither"),
        pytest.param("*", [PLACEHOLDER_KEY], True, id="neither, written otherwise"),
        pytest.param(HASH, [PLACEHOLDER_KEY], False, id="a password"),
        pytest.param("!", ["ssh-ed25519 AAAA", PLACEHOLDER_KEY], False, id="a key without a comment"),
        pytest.param("!", ["ssh-ed25519 AAAA o@example.com", PLACEHOLDER_KEY], False, id="an operator's key"),
    ],
)
def test_who_can_log_in(password: str, keys: list[str], *, locked: bool) -> None:
    """The build's own key is removed in the end, so it opens nothing."""
    rendered = Answers({"files/authorized_keys": "".join(f"{key}\n" for key in keys)})
    verdict = Reading((Answer("passwd", "passwd/user-password-crypted", "password", password),), (), ())
    assert proving.locked_out(rendered, verdict) is locked
