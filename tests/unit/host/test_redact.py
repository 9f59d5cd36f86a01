"""What is printed or stored shows no secret, however a tool writes it, and stays readable."""

from __future__ import annotations

import base64
import html
import io
import json
import re
import shlex
import traceback
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from goldsmith.host.redact import MASK, Redactor, filtered, logins, without_login
from goldsmith.tools import sshkey

if TYPE_CHECKING:
    from collections.abc import Callable

ENCODINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON with letters": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON of Go": lambda text: re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text)[1:-1]),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "Python": lambda text: repr(text)[1:-1],
    "Python's ASCII": lambda text: ascii(text)[1:-1],
    "XML": escape,
    "an XML attribute": lambda text: quoteattr(text)[1:-1],
    "XML of Go": lambda text: escape(text, {'"': "&#34;", "'": "&#39;", "\t": "&#x9;"}),
    "HTML": html.escape,
    "a URL": lambda text: quote(text, safe=""),
    "a URL's path": lambda text: quote(text, safe="/$&+,:;=@"),
    "a URL in small letters": lambda text: re.sub("%..", lambda found: found[0].lower(), quote(text, safe="")),
    "a URL in a URL": lambda text: quote(quote(text, safe=""), safe=""),
    "a form": quote_plus,
    "a shell": lambda text: shlex.quote(text)[1:-1] if shlex.quote(text) != text else text,
    "a shell with backslashes": lambda text: "".join(c if c.isalnum() else f"\\{c}" for c in text),
    "a shell's other quotes": lambda text: text.replace("'", r"'\''"),
    "Packer": lambda text: text.replace(",", "%!(PACKER_COMMA)"),
}  # fmt: skip
SURROUNDING = st.text("ab01 =:\"'\\/<>&%+,\n", max_size=8)
SECRETS = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=4, max_size=24)
ODD = "p@ss'w\"o\\rd&<x>, 50%+é€😀"


@pytest.mark.parametrize("secret", [ODD, r"back\\slashes\ and '' quotes"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_odd_secret_is_masked_as_any_tool_writes_it(encoding: str, secret: str) -> None:
    """Whatever a program escapes, of the secret nothing is left."""
    assert Redactor([secret])(f"<{ENCODINGS[encoding](secret)}>") == f"<{MASK}>"


@given(st.sampled_from(sorted(ENCODINGS)), SECRETS, SURROUNDING, SURROUNDING)
def test_a_secret_is_masked_whatever_stands_around_it(encoding: str, secret: str, before: str, after: str) -> None:
    """It need not be a word of its own."""
    assume(secret.strip() == secret and not set(secret) <= {"*"})
    written = ENCODINGS[encoding](secret)
    shown = Redactor([secret])(before + written + after)
    assert MASK in shown
    assert written not in shown.replace(MASK, "\0")


@given(
    st.binary(max_size=5), SECRETS, st.binary(max_size=5), st.sampled_from([base64.b64encode, base64.urlsafe_b64encode])
)
def test_a_secret_within_base64_is_masked(
    before: bytes, secret: str, after: bytes, encode: Callable[[bytes], bytes]
) -> None:
    """As in ``Authorization: Basic``: what stands before it shifts its letters, of which the edges alone stay."""
    assume(secret.strip() == secret and len(secret.encode()) >= 6)
    text = encode(before + secret.encode() + after).decode()
    shown = Redactor([secret])(text)
    assert MASK in shown
    # At each edge two letters at most, which the neighbours have part in.
    around = len(encode(before).decode().rstrip("=")) + len(encode(after).decode().rstrip("="))
    assert len(shown.replace(MASK, "")) <= around + 6


@given(st.lists(SECRETS.filter(lambda text: text == text.strip()), min_size=2, max_size=4), st.data())
def test_secrets_that_overlap_are_all_masked(secrets: list[str], data: st.DataObject) -> None:
    """Where one ends within another, neither's rest is shown."""
    first, second = secrets[:2]
    shared = data.draw(st.integers(1, 3))
    text = first + (first[-shared:] + second)[shared:]
    redact = Redactor([*secrets, first[-shared:] + second])
    assert redact(text) == MASK


@given(st.lists(st.text(min_size=4, max_size=12), max_size=5), SURROUNDING, SURROUNDING)
def test_no_line_of_a_secret_is_shown(secrets: list[str], before: str, after: str) -> None:
    """Whatever other secrets there are; of several lines, short ones are masked where they stand by themselves."""
    redact = Redactor(secrets)
    for secret in secrets:
        lines = [line for line in secret.splitlines() if line.strip()]
        hidden = [line for line in lines if len(line) >= (8 if len(lines) > 1 else 4)]
        shown = redact(before + secret + after)
        assert all(line in MASK or line not in shown.replace(MASK, "\0") for line in hidden)


def test_of_a_private_key_every_line_is_masked() -> None:
    """Logs show lines, JSON has them in one, and others indent them; that it is a key may be said."""
    key = sshkey.generate("test").private
    lines = key.splitlines()
    redact = Redactor([key])
    for text in (key, json.dumps(key), "".join(f"  | {line}\n" for line in lines)):
        shown = redact(text)
        assert "BEGIN OPENSSH PRIVATE KEY" in shown
        assert not [line for line in lines[1:-1] if line in shown]
    whole = base64.b64encode(key.encode()).decode()
    assert len(redact(whole).replace(MASK, "")) < len(whole) / 5


@pytest.mark.parametrize("secret", ["a", "is", "the"])
def test_a_very_short_secret_leaves_the_rest_readable(secret: str) -> None:
    """Words that happen to have its letters stay; where a value stands it is masked."""
    redact = Redactor([secret])
    prose = "this is a template, there is the other; a/is/the"
    assert redact(prose) == prose
    for form in ("password={}", "password: {}", "'--password=\"{}\"'", '{{"password": "{}"}}', "<p>{}</p>", "{}"):
        assert redact(form.format(secret)) == form.format(MASK)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET http://u:p@mirror/debian failed", f"GET http://{MASK}@mirror/debian failed"),
        ("ssh://root@host ssh://root:pw@host", f"ssh://root@host ssh://{MASK}@host"),
        ("ftp://u:p@ss@host/", f"ftp://{MASK}@host/"),
        ('{"url": "https:\\/\\/u:p@host"}', f'{{"url": "https:\\/\\/{MASK}@host"}}'),
        ("https://host/a?x=b@c //host/@d file:///x@y", "https://host/a?x=b@c //host/@d file:///x@y"),
        ("mail a@b", "mail a@b"),
    ],
)
def test_the_login_of_a_url_is_masked_though_nobody_said_it(text: str, shown: str) -> None:
    """A redirection may have one that no variable has; what is no login stays."""
    assert Redactor()(text) == shown
    assert without_login(shown) == shown


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("http://u:pa%40ss@proxy:3128/", ["pa%40ss", "pa@ss"]),
        ("https://a/,https://u:first1@b,direct", ["first1"]),
        ("--index https://ghp_0123456789abc@host/simple", ["ghp_0123456789abc"]),
        ("u:p@ss@proxy:3128", ["p@ss"]),
        ("user:pw@vcenter.example.com", ["pw"]),
        ("ssh://root@docker.example.com", []),
        ("administrator@vsphere.local", []),
        ("registry/app:1@sha256:0", []),
    ],
)
def test_the_secrets_of_urls_are_known(text: str, found: list[str]) -> None:
    """Passwords as written and as meant, and tokens; the names of users are no secrets."""
    assert list(logins(text)) == found


def test_only_what_stands_nowhere_by_chance_counts_as_revealed() -> None:
    """A password that is a word of ordinary commands must not stop them; a real one must."""
    redact = Redactor(["goldsmith", "data", "Kx7!pVq2", "aaaaaaaa111122223333"])
    assert not redact.reveals("docker run goldsmith /data")
    for text in (
        "x=Kx7!pVq2",
        "Kx7%21pVq2",
        "aaaaaaaa111122223333",
        "http://u:p@host",
        base64.b64encode(b"u:Kx7!pVq2").decode(),
    ):
        assert redact.reveals(text), text
    assert not redact.reveals("ssh://root@host")


def test_a_filtered_stream_shows_no_secret_in_a_traceback() -> None:
    """Whatever writes there without asking, such as the interpreter over a bug; all else is the stream's own."""
    stream = io.StringIO()
    to = filtered(stream, Redactor(["hunter2hunter2"]))
    traceback.print_exception(KeyError("hunter2hunter2"), file=to)
    to.writelines(["and hunter2hunter2\n"])
    print("again hunter2hunter2", file=to)
    assert "hunter2hunter2" not in stream.getvalue()
    assert stream.getvalue().count(MASK) == 3
    assert not to.isatty()
