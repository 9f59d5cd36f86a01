"""Each build has a key of its own."""

from __future__ import annotations

import base64

from goldsmith.tools import sshkey


def test_keys_are_fresh_and_carry_the_comment() -> None:
    """No two builds share a key, and the comment is what sealing finds it by."""
    first, second = sshkey.generate("goldsmith-build-1"), sshkey.generate("goldsmith-build-1")
    assert first.private != second.private
    kind, blob, comment = first.public.split(" ")
    assert (kind, comment) == ("ssh-ed25519", "goldsmith-build-1")
    assert base64.b64decode(blob)[4:15] == b"ssh-ed25519"  # RFC 4253: a length, then the name of the format
    assert first.private.startswith("-----BEGIN OPENSSH PRIVATE KEY-----\n")


def test_the_private_half_is_not_shown() -> None:
    """Printing the pair in a log or a traceback tells nothing."""
    pair = sshkey.generate("c")
    assert pair.private.splitlines()[1] not in repr(pair)
