"""What is done about an engine: it is used, started, installed, or the operator is told what to do."""

from __future__ import annotations

from dataclasses import replace

import pytest

from goldsmith.errors import Exit
from goldsmith.toolbox.engine.decide import Install, Start, Stop, Use, by_hand, decide
from goldsmith.toolbox.engine.probe import Probe
from goldsmith.toolbox.engine.system import Host, Method, method, packages

READY = Probe(cli="/usr/bin/docker", version="26.1.5", plugins={"buildx": "0.13", "compose": "2.26"})
SILENT = Probe(
    cli="/usr/bin/docker",
    plugins={"buildx": "0.13"},
    error="Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
)
NONE = Probe()
BARE = Host(distribution="debian", release="12", name="Debian 12", user="root", is_root=True)
DEBIAN_13 = replace(BARE, release="13")
UBUNTU = replace(BARE, distribution="ubuntu", release="24.04", name="Ubuntu 24.04")
FEDORA = replace(BARE, distribution="fedora", release="42", name="Fedora 42")
MAC = Host(kernel="Darwin", name="Darwin", user="joe")


def stop(probe: Probe, machine: Host, *, plugins: tuple[str, ...] = ("buildx",)) -> str:
    """Return the text of the error, which must be one screen and end with 5."""
    decision = decide(probe, machine, plugins=plugins)
    assert isinstance(decision, Stop)
    assert decision.error.exit_code is Exit.UNREACHABLE
    text = decision.error.render()
    assert len(text.splitlines()) <= 12
    assert {line.split(":")[0] for line in text.splitlines() if line[:1].strip()} == {"what", "where", "why", "next"}
    return text


@pytest.mark.parametrize(
    "machine", [BARE, MAC, replace(BARE, forbidden=True), replace(BARE, dockerd="/usr/sbin/dockerd")]
)
def test_an_engine_that_works_is_used(machine: Host) -> None:
    """Whatever the machine is, a Docker that works is not touched."""
    assert decide(READY, machine) == Use()


@pytest.mark.parametrize("machine", [BARE, DEBIAN_13, replace(DEBIAN_13, release=""), UBUNTU])
@pytest.mark.parametrize("probe", [NONE, SILENT])
def test_a_bare_machine_gets_an_engine(probe: Probe, machine: Host) -> None:
    """Root on Debian or Ubuntu without an engine gets one, with or without a lone CLI."""
    assert decide(probe, machine) == Install()


def test_an_installed_engine_is_started_and_not_installed() -> None:
    """A dockerd that does not run is started, on any Linux."""
    for machine in (BARE, FEDORA):
        assert decide(SILENT, replace(machine, dockerd="/usr/sbin/dockerd")) == Start()


def test_nothing_is_installed_when_it_is_forbidden() -> None:
    """GOLDSMITH_NO_INSTALL also forbids starting, and the error tells the packages."""
    text = stop(NONE, replace(BARE, forbidden=True))
    assert "GOLDSMITH_NO_INSTALL" in text
    assert "docker-buildx/trixie" in text
    assert "GOLDSMITH_NO_INSTALL" in stop(SILENT, replace(BARE, forbidden=True, dockerd="/usr/sbin/dockerd"))


def test_nothing_is_installed_without_root() -> None:
    """Another user is told to install it, or to run the command as root."""
    text = stop(NONE, replace(DEBIAN_13, is_root=False, user="joe"))
    assert "only root" in text
    assert "apt-get install docker.io docker-cli docker-buildx docker-compose" in text


@pytest.mark.parametrize(
    "machine",
    [FEDORA, replace(BARE, release="11"), replace(UBUNTU, release="20.04"), replace(BARE, distribution="kali")],
)
def test_other_systems_are_told_what_to_install(machine: Host) -> None:
    """Where goldsmith knows no packages it says so, and names the system."""
    text = stop(NONE, machine)
    assert machine.name in text
    assert "buildx and compose" in text


def test_a_mac_is_told_what_to_install() -> None:
    """Without apt and systemd the hint is another."""
    text = stop(NONE, MAC)
    assert "Docker Desktop" in text
    assert "apt" not in text


@pytest.mark.parametrize("endpoint", ["tcp://10.0.0.1:2376", "ssh://build@farm", "unix:///run/user/0/docker.sock"])
@pytest.mark.parametrize("probe", [SILENT, NONE])
def test_an_engine_elsewhere_is_never_replaced(probe: Probe, endpoint: str) -> None:
    """Where DOCKER_HOST or a context points elsewhere, nothing is installed or started here."""
    text = stop(replace(probe, endpoint=endpoint), replace(BARE, dockerd="/usr/sbin/dockerd"))
    assert endpoint in text
    assert "DOCKER_HOST" in text


def test_a_context_that_is_gone_stops() -> None:
    """A configuration that cannot be read is no reason to install an engine."""
    error = 'Failed to initialize: unable to resolve docker endpoint: context "gone": context not found'
    assert "gone" in stop(Probe(cli="/usr/bin/docker", error=error), BARE)


def test_a_user_without_rights_is_told_about_the_group() -> None:
    """A socket that refuses is not a missing engine, not even for root in a user namespace."""
    error = "permission denied while trying to connect to the Docker daemon socket"
    text = stop(replace(SILENT, error=error), replace(BARE, user="joe", is_root=False))
    assert "usermod -aG docker joe" in text


def test_an_engine_without_a_cli_is_left_alone() -> None:
    """A socket handed into a container belongs to an engine that must not be doubled."""
    assert "docker-cli" in stop(NONE, replace(BARE, has_socket=True))


@pytest.mark.parametrize(("machine", "package"), [(BARE, "docker-compose/trixie"), (UBUNTU, "docker-compose-v2")])
def test_missing_plugins_are_named(machine: Host, package: str) -> None:
    """An engine that works is not changed; the error names the packages of this system."""
    text = stop(replace(READY, plugins={"buildx": "1"}), machine, plugins=("buildx", "compose"))
    assert "docker has no compose" in text
    assert package in text


def test_an_engine_that_is_too_old_is_left_alone() -> None:
    """Debian 12's own engine is not upgraded behind its users' backs; they are told how."""
    text = stop(replace(READY, version="20.10.24+dfsg1"), replace(BARE, dockerd="/usr/sbin/dockerd"))
    assert "20.10.24+dfsg1 is too old" in text
    assert "docker.io/trixie" in text


def test_podman_is_refused() -> None:
    """A look-alike is named as such."""
    assert "podman" in stop(Probe(cli="/usr/bin/docker", is_docker=False), BARE)


def test_only_debian_12_takes_packages_of_the_next_release() -> None:
    """Everything else has them in its own archive, under its own names."""
    assert method(BARE) is Method.NEXT_RELEASE
    assert {"docker.io/trixie", "docker-cli/trixie", "containerd/trixie", "iptables"} <= set(packages(BARE))
    assert "docker.io" in packages(DEBIAN_13)
    assert "docker-cli" not in packages(UBUNTU)  # part of docker.io there
    assert packages(FEDORA) == ()


def test_a_kernel_with_apparmor_gets_its_parser() -> None:
    """Without apparmor_parser an engine on such a kernel starts no container."""
    assert "apparmor" in packages(replace(BARE, has_apparmor=True))
    assert "apparmor" not in packages(BARE)


def test_the_hint_for_an_installed_engine_is_to_start_it() -> None:
    """Nobody is told to install what is there."""
    assert by_hand(replace(BARE, dockerd="/usr/sbin/dockerd", has_systemd=True)) == (
        "start it: sudo systemctl enable --now docker"
    )
