"""A signature is made with a private key alone, over one kind of thing, and fits nothing that was changed."""

from __future__ import annotations

import base64
import contextlib
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith import signing
from goldsmith.errors import ConfigurationError, UnreachableError
from goldsmith.host.agent import Agent
from goldsmith.signing import InAgent, KeyFile, PublicKey
from goldsmith.tools import sshkey


@cache
def pair(name: str) -> sshkey.KeyPair:
    """Return a key pair, the same for the same name."""
    return sshkey.generate(name)


def public(name: str) -> PublicKey:
    return PublicKey.parse(pair(name).public)


def by(name: str) -> signing.Signer:
    found = signing.signer(pair(name).private, None, [public(name)])
    assert found
    return found


class FakeAgent:
    """An agent with the keys of some names."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def keys(self) -> tuple[bytes, ...]:
        """Return their public halves."""
        return tuple(public(name).blob for name in self._names)

    def sign(self, blob: bytes, message: bytes) -> bytes:
        """Sign with the private half."""
        [name] = [name for name in self._names if public(name).blob == blob]
        return by(name).sign(message)


@given(st.binary(max_size=64), st.binary(max_size=64), st.sampled_from(["template", "record"]))
def test_only_what_was_signed_fits(content: bytes, other: bytes, kind: str) -> None:
    """The same content of the same kind, by a key that is listed: nothing else."""
    text = signing.sign(kind, content, by("team"))
    assert signing.signed_by(kind, content, text, [public("other"), public("team")]) == public("team")
    assert signing.signed_by(kind, content, text, [public("other")]) is None
    assert signing.signed_by(kind, content, text, []) is None
    assert content == other or signing.signed_by(kind, other, text, [public("team")]) is None
    assert signing.signed_by("other", content, text, [public("team")]) is None


@given(st.text(max_size=120) | st.builds("{}:{}".format, st.just(public("team").id), st.text(max_size=100)))
def test_no_other_text_is_a_signature(text: str) -> None:
    """Nor is any a crash."""
    assert signing.signed_by("template", b"x", text, [public("team")]) is None


def test_one_with_another_keys_id_is_none() -> None:
    """Who signs with a key of their own and writes the team's id before it has signed nothing for the team."""
    _, _, signature = signing.sign("template", b"x", by("other")).partition(":")
    assert signing.signed_by("template", b"x", f"{public('team').id}:{signature}", [public("team")]) is None


def test_keys_are_rotated_by_listing_two() -> None:
    """What the old one signed still counts, and the run signs with the one that it has."""
    keys = [public("old"), public("new")]
    text = signing.sign("template", b"x", by("old"))
    assert signing.signed_by("template", b"x", text, keys) == public("old")
    found = signing.signer(pair("new").private, None, keys)
    assert found
    assert found.public == public("new")


def test_where_the_private_key_comes_from() -> None:
    """The environment's goes before the agent's; nobody signs where the site names no keys."""
    keys = [public("team")]
    assert isinstance(signing.signer(pair("team").private, FakeAgent(), keys), KeyFile)
    found = signing.signer("", FakeAgent("other", "team"), keys)
    assert isinstance(found, InAgent)
    text = signing.sign("record", b"x", found)
    assert signing.signed_by("record", b"x", text, keys) == public("team")
    assert signing.signer(pair("team").private, FakeAgent("team"), []) is None


@pytest.mark.parametrize(
    ("private", "agent"),
    [("", None), ("", FakeAgent("other")), (pair("other").private, FakeAgent("team"))],
    ids=["nothing", "an agent with another", "another"],
)
def test_a_run_that_could_not_sign_is_refused(private: str, agent: FakeAgent | None) -> None:
    """What it made would count for nothing: the error names the keys that do, and no private one."""
    with pytest.raises(ConfigurationError, match="nothing can be signed") as caught:
        signing.signer(private, agent, [public("team")])
    assert public("team").id in caught.value.where
    assert "PRIVATE" not in caught.value.render()


@pytest.mark.parametrize(
    "line",
    ["", "ssh-ed25519", "ssh-ed25519 AAAA", "ssh-rsa AAAAB3NzaC1yc2E=", pair("x").private.splitlines()[1],
     f"x {pair('x').public}", pair("x").public[:60], f"ssh-ed25519 {base64.b64encode(bytes(51)).decode()} x"],
    ids=["nothing", "a type", "short", "RSA", "private", "options", "cut off", "of another type"],
)  # fmt: skip
def test_what_is_no_public_key(line: str) -> None:
    """It is refused in words."""
    with pytest.raises(ValueError, match="must be an ed25519 key"):
        PublicKey.parse(line)


def test_a_private_key_that_can_sign() -> None:
    """OpenSSH's own form of the right kind."""
    assert signing.is_private(pair("team").private)
    for text in ("", "x", pair("team").public, pair("team").private.replace("b", "c", 3)):
        assert not signing.is_private(text)


class Recorded(Agent):
    """An agent that answers what it is told to."""

    answer: bytes | Exception = b""

    def _ask(self, request: bytes, expected: int) -> bytes:  # noqa: ARG002 - the method's
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def text(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def recorded(answer: bytes | Exception) -> Recorded:
    agent = Recorded(Path("/agent"))
    object.__setattr__(agent, "answer", answer)
    return agent


def test_an_agents_answers() -> None:
    """The list of its keys, and a signature within what SSH wraps around it."""
    blob = public("team").blob
    assert recorded((2).to_bytes(4, "big") + text(blob) + text(b"a") + text(b"k") + text(b"b")).keys() == (blob, b"k")
    assert recorded(text(text(b"ssh-ed25519") + text(b"s" * 64))).sign(blob, b"m") == b"s" * 64


@given(st.binary(max_size=40))
def test_an_agent_that_babbles(answer: bytes) -> None:
    """It has no keys, or any; what it gives as a signature is no crash, and does not fit."""
    recorded(answer).keys()
    with contextlib.suppress(UnreachableError):
        assert not public("team").verifies(b"m", recorded(answer).sign(b"k", b"m"))


def test_an_agent_that_does_not_answer() -> None:
    """It has no keys, and a signature that is needed is told of."""
    agent = recorded(ConnectionRefusedError("refused"))
    assert agent.keys() == ()
    with pytest.raises(UnreachableError, match="does not sign"):
        agent.sign(b"k", b"m")
    assert Agent.here({}) is None
    assert Agent.here({"SSH_AUTH_SOCK": "/agent"}) == Agent(Path("/agent"))


def test_a_key_is_known_by_its_comment() -> None:
    """And by its id, where it has none."""
    assert str(public("team")) == "team"
    assert str(replace(public("team"), name="")) == public("team").id
