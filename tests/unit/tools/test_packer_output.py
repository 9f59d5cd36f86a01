"""Packer's output is understood line by line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from goldsmith.tools import packer_output
from goldsmith.tools.packer_output import Address, Artifact, Began, Failed, Output, Record, Step

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("line", "event"),
    [
        ("1,,ui,say,==> base.vsphere-iso.base: Creating virtual machine...", Began(Step.CREATE)),
        ("1,,ui,say,==> base.vsphere-iso.base: Waiting for IP...", Began(Step.ADDRESS)),
        ("1,,ui,say,==> base.vsphere-iso.base: IP address: 172.18.0.4", Address("172.18.0.4")),
        ("1,,ui,say,==> base.vsphere-iso.base: IP address: [fd00::4]", Address("fd00::4")),
        ("1,,ui,say,==> base.vsphere-iso.base: Provisioning with shell script: a/b.sh", Began(Step.PROVISION)),
        ("1,,ui,message,    base.vsphere-iso.base: hello%!(PACKER_COMMA) you", Output("hello, you")),
        ("1,,ui,error,==> base.vsphere-iso.base: Timeout waiting for SSH.", Failed("Timeout waiting for SSH.")),
        ("1,base.vsphere-iso.base,error,timeout waiting for IP address", Failed("timeout waiting for IP address")),
        ("1,base.vsphere-iso.base,artifact,0,id,debian-13-base", Artifact("debian-13-base")),
        ("1,base.vsphere-iso.base,artifact-count,1", None),
        ("1,,ui,say,", None),
        ("1,,ui,say,==> base.vsphere-iso.base: two\\n==> base.vsphere-iso.base: lines", Output("two\nlines")),
        ("docker: Cannot connect to the Docker daemon.", Output("docker: Cannot connect to the Docker daemon.")),
        ("panic: runtime error, goroutine 1", Output("panic: runtime error, goroutine 1")),
        ("", None),
    ],
    ids=str,
)
def test_events(line: str, event: packer_output.Event | None) -> None:
    """Each line means one event, or nothing; plain text, as a crash prints it, is kept as output."""
    assert packer_output.understand(line) == event


@given(st.text())
def test_no_line_breaks_the_parser(line: str) -> None:
    """Whatever is printed, understanding it raises nothing."""
    packer_output.understand(line)


FIELD = st.text(st.characters(codec="utf-8", exclude_characters="\\\r\n"))


@given(st.integers(0, 2**40), FIELD.filter(lambda text: "," not in text), st.lists(FIELD, max_size=4))
def test_records_come_back(seconds: int, target: str, data: list[str]) -> None:
    """What Packer's escaping writes is read back as it was."""
    escaped = [text.replace(",", "%!(PACKER_COMMA)") for text in data]
    assume(not any("%!(PACKER_COMMA)" in text for text in data))
    assert packer_output.parse(",".join([str(seconds), target, "kind", *escaped])) == Record(
        seconds, target, "kind", tuple(data)
    )


def test_a_recorded_failure() -> None:
    """A real run against the lab, whose guest never got an address, is understood from its first step to its cause."""
    text = (ROOT / "tests/recorded/packer/no-address.log").read_text(encoding="utf-8")
    events = [packer_output.understand(line) for line in text.splitlines()]
    steps = [event.step for event in events if isinstance(event, Began)]
    assert list(dict.fromkeys(steps)) == [Step.CREATE, Step.HARDWARE, Step.MEDIUM, Step.POWER_ON, Step.ADDRESS]
    failures = [event.text for event in events if isinstance(event, Failed)]
    assert failures[0] == "timeout waiting for IP address"
    assert not [text for text in failures if "skipping cleanup" in text]
