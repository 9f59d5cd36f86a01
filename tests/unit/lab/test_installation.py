"""A failed installation in the lab is noticed at once, and its own words are found on the console."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

import pytest

from goldsmith.errors import UnreachableError
from goldsmith.lab import installation

PATIENCE = 20.0
"""Seconds until a test gives up; none waits so long when the code is right."""
CONSOLE = """\
installer: preseed boots from x.iso with: auto=true
installer: clock-setup (0.3 s)
installer: FAILED: pkgsel: E: Unable to locate package nosuch
installer: the end of the installer's syslog:
  | in-target: Reading package lists...
  | in-target: E: Unable to locate package nosuch
@lab {"event":"install-failed"}
"""


def event(seq: int, name: str, said: str) -> dict[str, Any]:
    """Return what the lab tells of a guest."""
    return {"seq": seq, "kind": "guest", "object": name, "detail": {"event": said}}


@dataclass
class Lab:
    """Has told *before*, and tells *later* to whoever waits; then it is silent, which here means gone."""

    later: list[dict[str, Any]]
    before: list[dict[str, Any]] = field(default_factory=list)
    text: str = CONSOLE
    asked: list[int] = field(default_factory=list)
    silent: threading.Event = field(default_factory=threading.Event)

    def events(self, *, since: int = 0, wait: bool = False) -> list[dict[str, Any]]:
        """Return one event at a time."""
        if not wait:
            return self.before
        self.asked.append(since)
        if not self.later:
            self.silent.set()
            raise UnreachableError("the lab is gone")
        return [self.later.pop(0)]

    def console(self, vm: str) -> str:
        """Return the console of the only machine."""
        assert vm == "vm"
        if not self.text:
            raise UnreachableError("the lab is gone")
        return self.text


def test_a_failed_installation_is_told_with_its_message() -> None:
    """Who follows is called, and gets what the installer said last."""
    failed = threading.Event()
    lab = Lab(
        before=[event(7, "vm", "install-failed")],
        later=[event(8, "vm", "installing"), event(9, "vm", "install-failed")],
    )
    with installation.followed(lab, "vm", failed.set) as said:
        assert failed.wait(PATIENCE)
        assert said().splitlines()[0] == "FAILED: pkgsel: E: Unable to locate package nosuch"
    assert lab.asked == [7, 8]


@pytest.mark.parametrize(
    "later", [event(1, "other", "install-failed"), event(1, "vm", "installed"), {"seq": 1, "object": "vm", "detail": 3}]
)
def test_others_and_successes_are_no_failure(later: dict[str, Any]) -> None:
    """Another machine's failure, another event, a detail of another kind, a lab that is gone: nobody is disturbed."""
    failed, lab = threading.Event(), Lab(later=[later])
    with installation.followed(lab, "vm", failed.set) as said:
        assert lab.silent.wait(PATIENCE)
        assert said() == ""
    assert not failed.is_set()


def test_a_console_that_cannot_be_read_hides_no_failure() -> None:
    """That the installation failed is known all the same."""
    failed = threading.Event()
    with installation.followed(Lab(later=[event(1, "vm", "install-failed")], text=""), "vm", failed.set) as said:
        assert failed.wait(PATIENCE)
        assert said() == "its console could not be read"


def test_a_question_is_shown_before_the_log() -> None:
    """What stood on the screen is the reason; of the log there is the end, as far as there is room."""
    screen = "".join(f"  | line {number}\n" for number in range(4))
    log = "".join(f"  | log {number}\n" for number in range(40))
    text = installation.message(
        f"installer: FAILED: a question\ninstaller: on the screen:\n{screen}installer: the end of the syslog:\n{log}"
    )
    lines = text.splitlines()
    assert lines[:3] == ["FAILED: a question", "on the screen:", "  | line 0"]
    assert lines[-1] == "  | log 39"
    assert len(lines) == 16


def test_a_machine_without_a_medium_has_few_words() -> None:
    """Where no installer ever ran, the last lines of the console are the message."""
    assert installation.message("No bootable device\n@lab {}\n") == "No bootable device"
