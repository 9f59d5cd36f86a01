"""What a failed Packer run probably means: from its last step, its errors and the machine's vitals to causes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from goldsmith.tools.packer_output import Step

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known after a failure."""

    step: Step
    errors: Sequence[str]
    output: Sequence[str] = ()
    """The last lines that were printed."""
    powered_on: bool | None = None
    """Whether the machine ran when it was looked at; None when there is none, or it could not be asked."""
    tools_running: bool = False
    address: str = ""
    phase: str = "base"
    task: str = ""
    """The last task that Ansible began."""
    installer: str = ""
    """What the installer itself said when it gave up, where the site lets one read that."""

    @property
    def text(self) -> str:
        """Everything that was said."""
        return "\n".join((*self.errors, *self.output))


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What happened in one sentence, likely causes, and what to look at."""

    what: str
    causes: tuple[str, ...] = ()
    look: str = ""
    unreachable: bool = False
    """Whether something did not answer, rather than failed; decides the exit code."""


BEFORE_SHUTDOWN = (Step.ADDRESS, Step.SSH, Step.PROVISION)

_SAID: tuple[tuple[str, Diagnosis], ...] = (
    (
        r"Permission to perform this operation was denied|NoPermission",
        Diagnosis(
            what="the vCenter denied a permission",
            causes=("the user's role lacks a privilege on one of the objects",),
            look="docs/reference/privileges.md lists what is needed where",
        ),
    ),
    (
        r"was not found|Invalid configuration for device|Unable to access file",
        Diagnosis(
            what="the vCenter could not attach something the machine needs",
            causes=(
                "the boot medium is gone from its datastore since it was uploaded",
                "the hosts of the cluster do not see that datastore",
            ),
            look="look for the path named above on the datastore; './inv iso-upload' puts the medium there again",
        ),
    ),
    (
        r"[Ii]nsufficient disk space|[Nn]o space left|not enough (disk )?space",
        Diagnosis(
            what="there is no space left",
            causes=("the datastore is full, or the guest's disk is too small for the packages",),
            look="free space on the datastore, or raise hardware.disk_mib",
        ),
    ),
    (
        r"already exists",
        Diagnosis(
            what="something of this name exists already",
            causes=("an earlier run of the same build was killed and left its machine",),
            look="'./inv clean' lists and removes it",
        ),
    ),
    (
        r"unable to authenticate|authentication error",
        Diagnosis(
            what="the guest answers by SSH, but refuses the build's key",
            causes=(
                "the answers on the boot medium belong to another build than the private key",
                "the user's name, or the modes of its authorized_keys, are wrong",
            ),
            look="the first-boot unit's journal in the guest: run again with --keep-failed",
        ),
    ),
    (
        r"x509:|certificate signed by unknown authority|certificate verify failed",
        Diagnosis(
            what="the toolbox does not trust the vCenter's certificate",
            causes=("the site's ca_file (or GOLDSMITH_CA_FILE) does not reach the toolbox",),
            look="'./inv preflight' checks the same certificate from outside",
        ),
    ),
    (
        r"Cannot complete login|incorrect user name or password",
        Diagnosis(what="the vCenter refuses the login", causes=("VSPHERE_USER or VSPHERE_PASSWORD is wrong",)),
    ),
    (
        r"Cannot connect to the Docker daemon|error during connect|error waiting for container",
        Diagnosis(
            what="the Docker engine went away while Packer ran",
            causes=("it was stopped or restarted",),
            look="'docker info'; then run the same command again",
            unreachable=True,
        ),
    ),
    (
        r"docker image goldsmith-\S+: .*No such image",
        Diagnosis(
            what="the lab's image of a guest is gone from the Docker engine",
            causes=("it was pruned while no guest ran ('docker system prune --all' takes it)",),
            look="'./inv lab-down', then run the same command again: a new lab is created",
        ),
    ),
    (
        r"timeout while waiting for machine to shut down",
        Diagnosis(
            what="the guest did not shut down in time",
            causes=("a service hangs while it stops", "sudo asks for a password"),
            look="the console screenshot",
        ),
    ),
    (
        r"Script exited with non-zero exit status",
        Diagnosis(
            what="the script that makes the guest ready to be cloned failed",
            causes=("its own messages stand above",),
            look="log in to the guest: run again with --keep-failed",
        ),
    ),
    (
        r"session is not authenticated|NotAuthenticated",
        Diagnosis(
            what="the vCenter ended the session",
            causes=("an administrator ended it, or the vCenter's services were restarted",),
            look="run the same command again",
            unreachable=True,
        ),
    ),
    (
        r'"https://[^"]+/(sdk|rest|api)\S*": ',
        Diagnosis(
            what="the vCenter does not answer any more",
            causes=("it was restarted, or the network between it and this machine was interrupted",),
            look="when it answers again: './inv clean' removes what may be left, then run the same command again",
            unreachable=True,
        ),
    ),
)
"""What is said, and what it means; the first that fits counts."""


_GAVE_UP = Diagnosis(
    what="the installer gave up",
    look="correct what it says: the image's packages in config/images/, or its answers in kickstart/",
)


def diagnose(evidence: Evidence) -> Diagnosis:
    """Return the best explanation. What was seen counts more than what was said."""
    if evidence.installer:
        return _GAVE_UP
    if evidence.powered_on is False and evidence.step in BEFORE_SHUTDOWN:
        return Diagnosis(
            what="the guest powered off by itself",
            causes=(
                "the installer ends by powering off instead of rebooting",
                "the installation failed in a way that halts the machine",
            ),
            look="the machine's events in the vSphere Client; the answers' last lines",
        )
    found = _of_a_clone(evidence) if evidence.phase != "base" else None
    if found := found or next((meaning for pattern, meaning in _SAID if re.search(pattern, evidence.text)), None):
        return found
    if evidence.step is Step.ADDRESS:
        return _no_address(evidence)
    if evidence.step is Step.SSH:
        where = f" at {evidence.address}" if evidence.address else ""
        return Diagnosis(
            what=f"the guest{where} does not answer by SSH",
            causes=(
                "the address belongs to an installer that is still running, or has failed",
                "sshd is not installed or not started",
                "a firewall lies between this machine and the guests' network",
            ),
            look=f"from here: nc -vz {evidence.address or '<address>'} 22; and the console screenshot",
        )
    return Diagnosis(what="Packer failed")


_ROLES = "docs/reference/ansible.md describes roles and variables"
_OF_A_CLONE: tuple[tuple[str, Diagnosis], ...] = (
    (
        r"error finding virtual machine|vm '.*' not found|no snapshots|vm Clone .* has already been deleted",
        Diagnosis(
            what="the base template, or its snapshot, is gone",
            causes=("somebody removed it since this run looked at it",),
            look="run the same command again: the base is forged again if it is missing",
        ),
    ),
    (
        r"unable to authenticate|authentication error",
        Diagnosis(
            what="the clone answers by SSH, but refuses the build's key",
            causes=(
                "cloud-init in the base does not read guestinfo (datasource VMware)",
                "the base was not sealed: cloud-init thinks that it ran already",
            ),
            look="/var/log/cloud-init.log in the clone: run again with --keep-failed",
        ),
    ),
    (
        r"UNREACHABLE!",
        Diagnosis(
            what="the connection to the clone broke",
            causes=(
                "the network between this machine and the guests' was interrupted",
                "sshd was stopped or ended in the clone, or the clone ran out of memory",
            ),
            look="run the same command again; if it breaks at the same task, with --keep-failed",
        ),
    ),
    (
        r"is neither a block device nor an image file in this guest",
        Diagnosis(
            what="the clone does not see its data disk",
            causes=("docker.data_disk_device of the image names another device than the one that was added",),
            look="'lsblk' in the clone: run again with --keep-failed",
        ),
    ),
    (
        r"(?s)no available installation candidate|Version '.*' for '.*' was not found|No package matching",
        Diagnosis(
            what="the package repository does not have a package in the version that is pinned",
            causes=("the mirror moved on, or does not have it yet",),
            look="docker_engine_packages names the versions; " + _ROLES,
        ),
    ),
)


def _of_a_clone(evidence: Evidence) -> Diagnosis | None:
    """Return what is special to phase 2: its source, its way in, and its roles."""
    found = next((meaning for pattern, meaning in _OF_A_CLONE if re.search(pattern, evidence.text)), None)
    if evidence.step is Step.PROVISION and evidence.task:
        what = f"Ansible failed at the task: {evidence.task}"
        return replace(found, what=f"{what}: {found.what}") if found else Diagnosis(what=what, look=_ROLES)
    if found or evidence.step is not Step.ADDRESS:
        return found
    return Diagnosis(
        what="the clone never reported an address",
        causes=("no DHCP server answers on this network", "open-vm-tools does not start in the clone"),
        look="the console screenshot; the network's DHCP and VLAN",
    )


def _no_address(evidence: Evidence) -> Diagnosis:
    if evidence.tools_running:
        return Diagnosis(
            what="the installed guest got no address",
            causes=("no DHCP server answers on this network", "the network card's driver is missing"),
            look="the network's DHCP and VLAN; the console screenshot",
        )
    return Diagnosis(
        what="the installation did not finish in time: the guest never reported an address",
        causes=(
            "the installer stopped with a question or an error: the console screenshot shows it",
            "it cannot reach its package mirror",
            "open-vm-tools is not among the packages, so nothing reports an address",
            "it is only slow: raise the time with GOLDSMITH_IP_WAIT_TIMEOUT",
        ),
        look="the console screenshot first",
    )
