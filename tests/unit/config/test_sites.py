"""The environment's lists, as people have them in files and in other programs' variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from goldsmith.config.problems import Problems
from goldsmith.config.sites import from_environment
from goldsmith.model import Guests
from goldsmith.model.values import AuthorizedKey
from tests.unit.config.loaded import ORIGIN, ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

ADAPTER: TypeAdapter[str] = TypeAdapter(AuthorizedKey)
KEYS = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPgFz4NkPuD7rZbDG888Y4n73c5SEh4b8oTc9IKdaIw/ a@b",
    (
        'from="10.0.0.0/8",command="echo \\"hi\\"  there" ssh-ed25519 '
        "AAAAC3NzaC1lZDI1NTE5AAAAIPgFz4NkPuD7rZbDG888Y4n73c5SEh4b8oTc9IKdaIw/ # more  words"
    ),
)


def guests(environment: Mapping[str, str]) -> Any:
    """Return the table of what guests need to know, as variables give it."""
    return from_environment({**ORIGIN, **environment}, Problems(), cache=ROOT / "no-cache").values["guests"]


@given(
    noise=st.lists(st.sampled_from(["", "  ", "# ops", "\t# team", "#"]), max_size=4),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    mark=st.sampled_from(["", "\ufeff"]),
)
def test_authorized_keys_as_files_have_them(noise: list[str], end: str, mark: str) -> None:
    """Comments, blank lines, line ends of Windows and a mark of the encoding leave the keys as they are."""
    text = mark + end.join([*noise, KEYS[0], *noise, KEYS[1], *noise])
    assert guests({"GUEST_AUTHORIZED_KEYS": text})["authorized_keys"] == list(KEYS)
    assert [ADAPTER.validate_python(key) for key in KEYS] == list(KEYS)


def test_a_key_with_tabs_and_more_blanks() -> None:
    """The SSH server takes both between the parts of a line."""
    kind, data, comment = KEYS[0].split()
    given_ = {"GUEST_AUTHORIZED_KEYS": f"  {kind}\t{data}  {comment}\n"}
    found = guests(given_)["authorized_keys"]
    assert [ADAPTER.validate_python(key) for key in found] == found
    assert [key.split() for key in found] == [[kind, data, comment]]


def test_hosts_without_a_proxy_as_other_programs_take_them() -> None:
    """Separated as on any system, and written as all programs in the guest read them."""
    text = "localhost;::1, *.corp.example 10.0.0.0/8 fd00::/8"
    found = Guests.model_validate({"no_proxy": guests({"GUEST_NO_PROXY": text})["no_proxy"]})
    assert found.no_proxy == ("localhost", "::1", ".corp.example", "10.0.0.0/8", "fd00::/8")
