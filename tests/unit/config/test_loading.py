"""Which site and image a run means, and how everything that is wrong with them is told."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from goldsmith.config import as_json, describe, load
from goldsmith.errors import ConfigurationError, UnreachableError
from tests.unit.config.loaded import HASH, ORIGIN, SITE, refusal, site_file

if TYPE_CHECKING:
    from pathlib import Path

    from goldsmith.host.workspace import Workspace


@pytest.mark.parametrize(
    ("flag", "environment", "name"),
    [
        pytest.param(None, {}, "lab", id="nothing said"),
        pytest.param(None, ORIGIN, "environment", id="origin's variables"),
        pytest.param(None, ORIGIN | {"GOLDSMITH_SITE": "example"}, "example", id="variable names a site"),
        pytest.param("lab", ORIGIN | {"GOLDSMITH_SITE": "example"}, "lab", id="flag wins"),
        pytest.param(None, ORIGIN | {"GOLDSMITH_SITE": ""}, "environment", id="empty names nothing"),
    ],
)
def test_which_site(workspace: Workspace, flag: str | None, environment: dict[str, str], name: str) -> None:
    """The flag goes before GOLDSMITH_SITE, that before the origin's variables, those before the lab."""
    assert load(flag, None, workspace=workspace, environment=environment).site.name == name


def test_the_lab_never_reaches_production(workspace: Workspace, tmp_path: Path) -> None:
    """With --site lab, none of the origin's variables has any effect, not even a broken password."""
    broken = ORIGIN | {"VSPHERE_PASSWORD": "a\nb", "GOLDSMITH_CA_FILE": "/nowhere"}
    with_all = load("lab", None, workspace=workspace, environment=broken)
    without = load("lab", None, workspace=workspace, environment={})
    assert with_all.site == without.site
    assert with_all.site.server == "127.0.0.1:18443"
    with pytest.raises(UnreachableError, match="lab is not up"):
        with_all.credentials()


def test_a_named_site_takes_only_secrets_from_the_environment(workspace: Workspace) -> None:
    """Placement variables do not move a named site; the login does come from the environment."""
    site_file(workspace, SITE)
    environment = ORIGIN | {"VSPHERE_SERVER": "other.example.com", "DATASTORE": "other"}
    effective = load("oslo", None, workspace=workspace, environment=environment)
    assert effective.site.server == "vcenter.example.com"
    assert effective.site.placement.datastore == "datastore1"
    assert effective.credentials().user == "builder@vsphere.local"
    assert effective.credentials().password.get_secret_value() == "correct horse"


def test_the_origins_variables_make_a_site(workspace: Workspace) -> None:
    """Each of the origin's names lands where it belongs."""
    optional = {
        "FOLDER": "templates",
        "RESOURCE_POOL": "pool",
        "ISO_DATASTORE": "isos",
        "ISO_PATH": "iso/goldsmith/debian.iso",
        "BASE_VM_TEMPLATE_NAME": "base-os",
        "AUTOMATION_USER_CRYPTED_PASSWORD": HASH,
    }
    effective = load(None, None, workspace=workspace, environment=ORIGIN | optional)
    placement = effective.site.placement
    assert (placement.folder, placement.resource_pool, placement.media_datastore) == ("templates", "pool", "isos")
    assert (str(placement.iso_folder), placement.template_name) == ("iso/goldsmith", "base-os")
    assert effective.password_hash.get_secret_value() == HASH


def test_what_the_origin_kept_in_files(workspace: Workspace) -> None:
    """Time servers, proxies and keys come from variables too; a list's values are separated as one writes them."""
    given = {"GUEST_NTP_SERVERS": "ntp1.example.com, ntp2.example.com", "GUEST_HTTP_PROXY": "http://p.example.com:3128"}
    effective = load(None, None, workspace=workspace, environment=ORIGIN | given | {"ISO_PATH": "/iso/x.iso"})
    assert effective.site.guests.ntp_servers == ("ntp1.example.com", "ntp2.example.com")
    assert effective.site.guests.http_proxy == "http://p.example.com:3128"
    assert effective.site.placement.iso_path == "iso/x.iso"


def test_what_is_ignored_is_known(workspace: Workspace) -> None:
    """Variables that describe a site count for that site alone; for any other, those that are set are named."""
    site_file(workspace, SITE)
    given = ORIGIN | {"ISO_PATH": "iso/x.iso", "GUEST_NO_PROXY": "", "GUEST_NTP_SERVERS": "ntp.example.com"}
    places = {"VSPHERE_SERVER", "CLUSTER", "DATACENTER", "DATASTORE", "NETWORK", "ISO_PATH", "GUEST_NTP_SERVERS"}
    for site, expected in ((None, set()), ("oslo", places), ("lab", {*places, "VSPHERE_USER", "VSPHERE_PASSWORD"})):
        assert set(load(site, None, workspace=workspace, environment=given).ignored) == expected


@pytest.mark.parametrize(
    ("site", "environment", "words"),
    [
        (None, {"AUTOMATION_USER_CRYPTED_PASSWORD": ""}, ["CRYPTED_PASSWORD is set and empty: the account's password"]),
        (None, {"AUTOMATION_USER_CRYPTED_PASSWORD_FILE": ""}, ["_FILE is set and empty: the account's password"]),
        (None, {"AUTOMATION_USER_CRYPTED_PASSWORD": " "}, None),
        (None, {"FOLDER": "", "GUEST_NTP_SERVERS": " ", "GOLDSMITH_CA_FILE": ""}, ["as if not set: GOLDSMITH_CA_FILE"]),
        ("lab", {"GOLDSMITH_SITE": "", "GOLDSMITH_CA_FILE": ""}, ["ignored, as", "set and empty, as if not set: GOLD"]),
        ("lab", {"AUTOMATION_USER_CRYPTED_PASSWORD": ""}, ["ignored, as", "password is locked"]),
        (None, {}, []),
    ],
)
def test_what_is_set_and_empty_gets_a_word(
    workspace: Workspace, site: str | None, environment: dict[str, str], words: list[str] | None
) -> None:
    """A secret of a CI job that did not arrive must not look like a choice; blanks are no password's hash."""
    if words is None:
        assert "AUTOMATION_USER_CRYPTED_PASSWORD: its value" in refusal(workspace, site, ORIGIN | environment)
        return
    notes = load(site, None, workspace=workspace, environment=ORIGIN | environment).notes
    assert len(notes) == len(words), notes
    assert all(word in note for word, note in zip(words, notes, strict=True)), notes


def test_all_missing_variables_in_one_error(workspace: Workspace) -> None:
    """Missing and empty variables are told together, by name."""
    text = refusal(workspace, None, {"VSPHERE_SERVER": "", "CLUSTER": "", "NETWORK": "n"})
    missing = "CLUSTER DATACENTER DATASTORE VSPHERE_PASSWORD VSPHERE_SERVER VSPHERE_USER"
    assert f"missing or empty: {missing}" in text
    assert "has an error" in text


def test_every_error_at_once(workspace: Workspace) -> None:
    """Mistakes in the site, in the image and in the environment stand in one error, each with file and line."""
    site_file(
        workspace,
        SITE.replace('server = "vcenter', 'server = "https://vcenter')
        + 'folders = "x"\n[guests]\nntp_servers = ["ok.example.com", "not ok"]\n',
    )
    image = workspace.root / "config" / "images" / "debian-13.toml"
    text = image.read_text(encoding="utf-8").replace("cpus = 2", 'cpus = "2"').replace('"efi-secure"', '"efi-secur"')
    text = text.replace("memory_mib = 4096", "memory_mib = 4095")
    image.write_text(text, encoding="utf-8")
    told = refusal(workspace, "oslo", ORIGIN | {"AUTOMATION_USER_CRYPTED_PASSWORD": "x"})
    for expected in (
        "config/sites/oslo.toml:2: server = 'https://vcenter.example.com' must be a host name",
        "config/sites/oslo.toml:8: placement.folders = 'x': unknown key; did you mean 'folder'?",
        "config/sites/oslo.toml:10: guests.ntp_servers[1] = 'not ok' must be a host name",
        "hardware.cpus = '2' must be a whole number",
        "hardware.memory_mib = 4095 must be a multiple of 4; vSphere refuses any other",
        "hardware.firmware = 'efi-secur' must be one of 'bios', 'efi' or 'efi-secure'; did you mean 'efi-secure'?",
        "AUTOMATION_USER_CRYPTED_PASSWORD: its value (not shown) must be",
        "the configuration has 7 errors",
    ):
        assert expected in told


@pytest.mark.parametrize(
    ("site", "image", "expected"),
    [
        pytest.param("exmple", None, "no site 'exmple'; did you mean 'example'?; known: example, lab", id="site"),
        pytest.param("lab", "debian13", "no image 'debian13'; did you mean 'debian-13'?", id="image"),
        pytest.param("../sites/example", None, "no site '../sites/example'", id="a path"),
        pytest.param("environment", None, "no site 'environment'", id="reserved"),
    ],
)
def test_unknown_names(workspace: Workspace, site: str, image: str | None, expected: str) -> None:
    """A name that no file has is refused with the one that was meant."""
    assert expected in refusal(workspace, site, {}, image=image)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"server = \n", "oslo.toml:1: is not TOML", id="syntax"),
        pytest.param(SITE.encode("utf-16"), "is text in UTF-16: save it as UTF-8", id="UTF-16"),
        pytest.param(b"# B\xfcro\n" + SITE.encode(), "is not UTF-8 text (byte 3)", id="Latin-1"),
        pytest.param(b"", "placement is missing; it is required", id="empty"),
        pytest.param(b'name = "x"\n' + SITE.encode(), "oslo.toml:1: name: unknown key", id="name"),
    ],
)
def test_unusable_files(workspace: Workspace, content: bytes, expected: str) -> None:
    """What cannot be read as a site's file is told with its place."""
    site_file(workspace, "").write_bytes(content)
    assert expected in refusal(workspace, "oslo", {})


@pytest.mark.parametrize("data", [b"\xef\xbb\xbf" + SITE.encode(), SITE.replace("\n", "\r\n").encode()])
def test_files_of_other_editors(workspace: Workspace, data: bytes) -> None:
    """A mark of UTF-8 and the line ends of Windows change nothing."""
    site_file(workspace, "").write_bytes(data)
    assert load("oslo", None, workspace=workspace, environment={}).site.placement.cluster == "Cluster"


def test_a_pipe_is_no_file_of_an_image(workspace: Workspace) -> None:
    """Nobody waits for what somebody may write into it."""
    os.mkfifo(workspace.root / "config/images/piped.toml")
    assert "is a pipe" in refusal(workspace, "lab", {}, image="piped")


@pytest.mark.parametrize("told", [{"server": {"x": 1}}, {"guests": {"mirror": {"a": 1}}}, {"server.x.y": 1}])
def test_a_labs_state_that_contradicts_itself_is_told(workspace: Workspace, told: dict[str, object]) -> None:
    """A value where a table belongs, or the other way round."""
    folder = workspace.cache / "lab/goldsmith-lab"
    folder.mkdir(parents=True)
    (folder / "lab.json").write_text(json.dumps({"site": told}))
    assert "lab" in refusal(workspace, "lab", {})


def test_many_errors_still_fit_a_screen(workspace: Workspace) -> None:
    """However many mistakes there are, the error keeps within its lines and counts the rest."""
    site_file(workspace, "".join(f"key{number} = 1\n" for number in range(100)) + SITE)
    assert "... and 70 more" in refusal(workspace, "oslo", {})


def test_the_labs_state_gives_login_and_ports(workspace: Workspace) -> None:
    """Once the lab is up, its own file says where it listens and how to log in."""
    folder = workspace.cache / "lab" / "goldsmith-lab"
    folder.mkdir(parents=True)
    state = {"site": {"server": "127.0.0.1:20000"}, "user": "u@vsphere.local", "password": "correct horse"}
    (folder / "lab.json").write_text(json.dumps(state), encoding="utf-8")
    effective = load(None, None, workspace=workspace, environment={})
    assert effective.site.server == "127.0.0.1:20000"
    assert effective.site.ca_file == folder / "ca.pem"
    assert effective.credentials().user == "u@vsphere.local"
    (folder / "lab.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="lab's state cannot be used"):
        load(None, None, workspace=workspace, environment={})


def test_describe_tells_sources_and_masks_secrets(workspace: Workspace) -> None:
    """Every value has a source; no secret, and no proxy's login, is in the rows."""
    proxy = "http://user:hunter3@proxy.example.com:3128"
    site_file(workspace, SITE + f'[guests]\nhttp_proxy = "{proxy}"\n')
    environment = {"VSPHERE_USER": "u", "VSPHERE_PASSWORD": "hunter2", "GOLDSMITH_IMAGE": "debian-13"}
    effective = load("oslo", None, workspace=workspace, environment=environment)
    rows = {row.key: row for row in describe(effective, workspace.root)}
    assert rows["image.name"].source == "GOLDSMITH_IMAGE"
    assert rows["site.name"].source == "--site"
    assert rows["site.placement.cluster"].source == "config/sites/oslo.toml:5"
    assert rows["site.placement.folder"].source == "default"
    assert rows["credentials.password"].value == "********"
    assert rows["site.guests.http_proxy"].value == "http://********@proxy.example.com:3128"
    assert "hunter" not in f"{rows} {json.dumps(as_json(effective, workspace.root))} {effective!r}"


def test_the_example_is_complete(workspace: Workspace) -> None:
    """The example site loads, and every key it comments out is one that exists and would be taken."""
    path = workspace.root / "config" / "sites" / "example.toml"
    text = path.read_text(encoding="utf-8")
    keys = [line for line in text.splitlines() if line.startswith("# ") and " = " in line and '"' in line.split("=")[1]]
    keys = [line for line in keys if "…" not in line and "crt" not in line and "pem" not in line]
    assert len(keys) >= 9
    for line in keys:
        text = text.replace(line, line.removeprefix("# "))
    path.write_text(text, encoding="utf-8")
    assert load("example", None, workspace=workspace, environment={}).site.placement.resource_pool == "builds"
