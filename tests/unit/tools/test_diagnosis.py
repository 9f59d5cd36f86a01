"""A failed build is explained by what was seen, then by what was said."""

from __future__ import annotations

import pytest

from goldsmith.tools.diagnosis import Evidence, diagnose
from goldsmith.tools.packer_output import Step


@pytest.mark.parametrize(
    ("step", "said", "words"),
    [
        (Step.ADDRESS, "timeout waiting for IP address", "the installation did not finish in time"),
        (Step.SSH, "Timeout waiting for SSH.", "does not answer by SSH"),
        (Step.SSH, "ssh: handshake failed: ssh: unable to authenticate", "refuses the build's key"),
        (Step.CREATE, "Permission to perform this operation was denied.", "denied a permission"),
        (Step.POWER_ON, "File [ds] iso/x.iso was not found", "could not attach"),
        (Step.MEDIUM, "Invalid configuration for device '0'.", "could not attach"),
        (Step.CREATE, "Insufficient disk space on datastore 'ds'.", "no space left"),
        (Step.CREATE, "VM already exists, you can use -force flag", "exists already"),
        (Step.PREPARE, "Cannot complete login due to an incorrect user name or password.", "refuses the login"),
        (Step.PREPARE, "x509: certificate signed by unknown authority", "does not trust"),
        (Step.PROVISION, "Script exited with non-zero exit status: 1", "the script that makes the guest ready"),
        (Step.SHUTDOWN, "timeout while waiting for machine to shut down", "did not shut down"),
        (Step.PROVISION, "error during connect: EOF", "the Docker engine went away"),
        (Step.PREPARE, 'Post "https://vc/sdk": x509: certificate signed by unknown authority', "does not trust"),
        (Step.ADDRESS, 'Post "https://127.0.0.1:8443/sdk": EOF', "does not answer any more"),
        (Step.SNAPSHOT, "ServerFaultCode: The session is not authenticated.", "ended the session"),
        (Step.SNAPSHOT, "something new", "Packer failed"),
        (Step.POWER_ON, "docker image goldsmith-lab-guest:0: No such image: x", "gone from the Docker engine"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_said(step: Step, said: str, words: str) -> None:
    """Each known failure has its own sentence."""
    found = diagnose(Evidence(step=step, errors=[said], powered_on=True))
    assert words in found.what


@pytest.mark.parametrize("step", [Step.ADDRESS, Step.SSH, Step.PROVISION])
def test_a_guest_that_powered_off(step: Step) -> None:
    """A machine that is off while Packer still waits for it says more than Packer's timeout."""
    found = diagnose(Evidence(step=step, errors=["timeout waiting for IP address"], powered_on=False))
    assert found.what == "the guest powered off by itself"


def test_off_after_the_shutdown_is_right() -> None:
    """After the shutdown a machine is off because it was told to."""
    found = diagnose(Evidence(step=Step.SNAPSHOT, errors=["x"], powered_on=False))
    assert "powered off" not in found.what


def test_running_tools_without_an_address() -> None:
    """With running tools the system is installed: it is the network that is looked at."""
    found = diagnose(Evidence(step=Step.ADDRESS, errors=["timeout"], powered_on=True, tools_running=True))
    assert found.what == "the installed guest got no address"


def test_the_address_to_try() -> None:
    """Where an address is known, the line to try it is complete."""
    found = diagnose(Evidence(step=Step.SSH, errors=["Timeout waiting for SSH."], address="10.0.0.7"))
    assert "nc -vz 10.0.0.7 22" in found.look
