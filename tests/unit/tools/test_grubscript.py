"""GRUB's commands are found wherever they begin and end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from goldsmith.tools.grubscript import Command, commands

WORD = st.from_regex(r"[a-z0-9=/.,_-]{1,6}|'[a-z ;#{}\n]{0,4}'|\"[a-z ;#{}']{0,4}\"|\$\{[a-z]{1,4}\}", fullmatch=True)
COMMAND = st.lists(WORD, min_size=1, max_size=4)


def texts(text: str) -> list[str]:
    return [command.text.strip() for command in commands(text)]


def test_a_menu() -> None:
    """Blocks, continued commands, comments, and several commands in a line."""
    text = "# c \\\nif [ a ]; then\n menuentry 'x {' \\\n  --id y {\n  linux /v a\\\n b ; initrd /i # d\n }\nfi\n"
    assert texts(text) == [
        "if [ a ]", "then", "menuentry 'x {'   --id y", "linux /v a b", "initrd /i", "}", "fi",
    ]  # fmt: skip


def test_a_quotation_without_an_end_is_none() -> None:
    """An apostrophe alone hides nothing that follows."""
    assert texts("echo don't\nlinux /v\necho \"x\nboot") == ["echo don't", "linux /v", 'echo "x', "boot"]


@given(
    st.lists(COMMAND, max_size=6),
    st.sampled_from([" ", "  ", "\t", " \\\n ", "\\\n\t"]),
    st.sampled_from(["\n", ";", " ;\n", "\n\n# it's a; \\\n", " {\n", " # }\n"]),
)
def test_what_is_put_together_is_taken_apart(given_: list[list[str]], between: str, end: str) -> None:
    """Whatever separates words and commands, each command comes out with its words."""
    text = "".join(between.join(words) + end for words in given_)
    joined = between.replace("\\\n", "")
    assert texts(text) == [joined.join(words) for words in given_]


@given(st.text("ab #;{}'\"\\\n$", max_size=30))
def test_any_text_has_commands_in_order(text: str) -> None:
    """Nothing overlaps, nothing is made up, and it ends."""
    at = 0
    for command in commands(text):
        assert isinstance(command, Command)
        assert at <= command.start < command.end <= len(text)
        assert command.text == text[command.start : command.end].replace("\\\n", "")
        at = command.end
