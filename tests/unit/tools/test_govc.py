"""What govc is told, and what its words mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldsmith.errors import ConfigurationError, GoldsmithError, MissingObjectError, ToolError, UnreachableError
from goldsmith.host.runner import Completed
from goldsmith.tools import govc
from tests.unit.fakes import FakeDoor

RECORDED = Path(__file__).parents[2] / "recorded/govc"
ACCESS = govc.Access(
    server="vcenter.example.com", user="forge@vsphere.local", password="hunter2", datacenter="DC0", datastore="ds"
)


def test_the_password_travels_among_the_secrets_only() -> None:
    """Neither the argv, nor the environment that a replay shows, nor a representation has it."""
    door = FakeDoor()
    commands = [
        govc.store(door, ACCESS, file="f", folder="d", part="d/p", name="d/n", replace=False),
        govc.size(door, ACCESS, "d/n"),
        govc.remove(door, ACCESS, "d/n"),
    ]
    assert all(given == {"GOVC_USERNAME": "forge@vsphere.local", "GOVC_PASSWORD": "hunter2"} for given in door.given)
    assert "hunter2" not in f"{commands!r} {[command.replay() for command in commands]} {ACCESS!r}"


def test_govc_neither_skips_verification_nor_keeps_its_session() -> None:
    """The caller's own GOVC_* variables cannot loosen that: ours are always set."""
    env = govc.size(FakeDoor(), ACCESS, "x").env
    assert env["GOVC_INSECURE"] == env["GOVC_PERSIST_SESSION"] == "false"
    assert (env["GOVC_URL"], env["GOVC_DATACENTER"], env["GOVC_DATASTORE"]) == ("vcenter.example.com", "DC0", "ds")
    assert "GOVC_TLS_CA_CERTS" not in env


def test_names_are_arguments_and_never_part_of_the_script() -> None:
    """A folder with spaces or quotes is only a folder with spaces or quotes."""
    odd = "my 'isos'; $(reboot)"
    command = govc.store(FakeDoor(), ACCESS, file="f", folder=odd, part=f"{odd}/p", name=f"{odd}/n", replace=True)
    assert command.argv[:2] == ("bash", "-c")
    assert odd not in command.argv[2]
    assert command.argv[3:] == ("store", "f", odd, f"{odd}/p", f"{odd}/n", "true")


def test_size_of_a_file_as_govc_prints_it() -> None:
    """Recorded from govc 0.56.0."""
    listing = (RECORDED / "ls.json").read_text()
    assert govc.parse_size(Completed(returncode=0, stdout=listing)) == 34202553


@pytest.mark.parametrize(
    "said",
    [
        "govc: file [ds] goldsmith/y.iso was not found\n",
        json.dumps({"fault": {"file": "nofolder"}, "localizedMessage": "*types.FileNotFound"}),
        "govc: File [ds] goldsmith was not found\n",
    ],
)
def test_no_such_file_or_folder_is_no_error(said: str) -> None:
    """Both are simply: not there yet."""
    assert govc.parse_size(Completed(returncode=1, stdout=said)) is None
    assert govc.parse_size(Completed(returncode=1, stdout="", stderr=said)) is None


@pytest.mark.parametrize("printed", ["", "null", "[]x", '{"file": 1}', '[{"file": [{}]}]', "[1]"])
def test_a_list_nobody_understands_is_an_error_with_its_text(printed: str) -> None:
    """Never taken for an absent file: that would upload again and again."""
    with pytest.raises(ToolError, match="cannot be read"):
        govc.parse_size(Completed(returncode=0, stdout=printed))


def test_progress_of_a_real_upload_only_grows() -> None:
    """Recorded from govc 0.56.0: per cent and speed, the end without a number."""
    lines = (RECORDED / "upload.txt").read_text().splitlines()
    told = [found for line in lines if (found := govc.parse_progress(line))]
    assert len(told) > 20
    assert [per_cent for per_cent, _ in told] == sorted(per_cent for per_cent, _ in told)
    assert told[0] == (2, "40.4MiB/s")


@given(st.text())
def test_no_line_breaks_the_reader_of_progress(line: str) -> None:
    """Whatever a vCenter makes govc print, it is progress or it is not."""
    found = govc.parse_progress(line)
    assert found is None or found[0] >= 0


@pytest.mark.parametrize(
    ("said", "family", "words"),
    [
        ("ServerFaultCode: Login failure", UnreachableError, "refuses the login"),
        (
            "ServerFaultCode: Cannot complete login due to an incorrect user name or password.",
            UnreachableError,
            "refuses the login",
        ),
        (
            'Post "https://vc/sdk": tls: failed to verify certificate: x509: certificate signed by unknown authority',
            UnreachableError,
            "not trusted",
        ),
        (
            'Post "https://vc/sdk": tls: failed to verify certificate: x509: certificate is valid for a, not vc',
            UnreachableError,
            "cannot be secured",
        ),
        ("datastore 'nope' not found", MissingObjectError, "datastore for boot media does not exist"),
        ("datacenter 'nope' not found", MissingObjectError, "datacenter does not exist"),
        (
            "ServerFaultCode: Permission to perform this operation was denied.",
            ConfigurationError,
            "may not store files",
        ),
        ("401 Unauthorized", ConfigurationError, "may not store files"),
        ("Insufficient disk space on datastore 'ds'.", ToolError, "no space is left"),
        (
            'Post "https://127.0.0.1:1/sdk": dial tcp 127.0.0.1:1: connect: connection refused',
            UnreachableError,
            "does not answer",
        ),
        ('Post "https://vc/sdk": dial tcp: lookup vc on 10.0.0.53:53: no such host', UnreachableError, "not answer"),
        (
            'Put "https://vc/folder/m.part": write tcp 10.0.0.1:2->10.0.0.2:443: use of closed network connection',
            UnreachableError,
            "does not answer",
        ),
        ("503 Service Unavailable", UnreachableError, "does not answer"),
        ("something new", ToolError, "govc failed"),
    ],
)
def test_words_of_govc_become_an_error_with_a_way_out(said: str, family: type[GoldsmithError], words: str) -> None:
    """The exit code is the family's, the reason is govc's own words without its name."""
    error = govc.explain(f"\r\x1b[K[23-11-26 15:43:32] Uploading... (3%, 1MiB/s)\n/usr/bin/govc: {said}\n")
    assert type(error) is family
    assert words in error.what
    assert error.why == said
    assert error.next


def test_an_engine_that_stopped_is_no_fault_of_the_vcenter() -> None:
    """Docker's words, not govc's, and its own way out."""
    error = govc.explain("docker: Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\nRun 'docker run")
    assert type(error) is UnreachableError
    assert "Docker engine" in error.what
    assert "docker.sock" in error.why


def test_silence_is_explained_as_well() -> None:
    """An empty output still gives an error with all it can say."""
    assert govc.explain("").what == "govc failed"


@pytest.mark.parametrize(
    "said",
    [
        "govc: *types.FileAlreadyExists",
        "govc: Cannot complete the operation because the file or folder [ds] x.iso already exists",
    ],
)
def test_a_name_that_is_taken_is_recognised(said: str) -> None:
    """The simulator and vSphere say it in different words."""
    assert govc.already_exists(said)
    assert not govc.already_exists("govc: something else")
