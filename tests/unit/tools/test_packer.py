"""Packer gets no secret in a file or an argv, and its variables fit its templates."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path, PurePosixPath

import pytest

from goldsmith.model import Firmware, Hardware, Image, Os, Placement, Site
from goldsmith.tools import packer
from goldsmith.tools.packer import Timeouts
from goldsmith.tools.spelling import Paths

ROOT = Path(__file__).parents[3]
IMAGE = Image(
    name="debian-13",
    os=Os(family="debian", release="13", suite="trixie", installer="preseed", guest_type="debian12_64Guest"),
    hardware=Hardware(firmware=Firmware.BIOS, cpus=4),
    packages=("curl",),
)
SITE = Site(
    name="prague",
    server="vc.example.com:8443",
    placement=Placement(
        datacenter="DC", cluster="C", datastore="ds", network="N", iso_datastore="isos", iso_folder=PurePosixPath("g")
    ),
)
PATHS = Paths(
    datacenter="DC", cluster="C", pool="", folder="EU%2fProd", network="/DC/network/N",
    datastore="/DC/datastore/ds", media_datastore="/DC/datastore/isos",
)  # fmt: skip
RUN = packer.Install(
    name="debian-13-base-20261123-150000-0123abcd",
    note="under way",
    paths=PATHS,
    user="builder",
    iso_paths=("[isos] g/m.iso", "[isos] g/answers.iso"),
    private_key="build/x/keys/id",
    finish_script="kickstart/finish.sh",
)


def _blocks() -> dict[str, str]:
    """Return the variables of phase 1 with their bodies: those of both phases, and its own."""
    text = "".join(
        (ROOT / "packer" / name).read_text(encoding="utf-8") for name in ("variables.pkr.hcl", "base.pkr.hcl")
    )
    return dict(re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.DOTALL | re.MULTILINE))


def _declared() -> dict[str, bool]:
    """Return the variables of phase 1, and whether each has a default."""
    return {name: "default" in body for name, body in _blocks().items()}


def test_the_variable_file_fits_the_templates() -> None:
    """Every value has its variable, and every variable without a default gets a value - but the password."""
    given_names = packer.variables(IMAGE, SITE, RUN).keys()
    declared = _declared()
    assert given_names <= declared.keys()
    assert {name for name, has_default in declared.items() if not has_default} - given_names == {"vcenter_password"}


def test_defaults_of_the_templates_are_the_suite_s() -> None:
    """Somebody who runs Packer by hand gets the hardware and the times that the suite gives by default."""
    plain = packer.variables(IMAGE.model_copy(update={"hardware": Hardware()}), SITE, RUN)
    defaults = {name: found[1] for name, body in _blocks().items() if (found := re.search(r"default += (\S+)", body))}
    # An empty default stands for a value that the other phase has no use for.
    written = {
        name: json.loads(value) for name, value in defaults.items() if name in plain and value not in {'""', "[]"}
    }
    assert written == {name: plain[name] for name in written}
    assert {"cpus", "memory_mib", "disk_mib", "firmware", "ssh_timeout"} <= written.keys()


def test_values_reach_the_file() -> None:
    """Site, image and build each have their say; places are paths, and boot media have their own datastore."""
    values = json.loads(packer.variable_file(packer.variables(IMAGE, SITE, RUN)))
    expected = {
        "vcenter_server": "vc.example.com:8443",
        "cpus": 4,
        "firmware": "bios",
        "iso_paths": ["[isos] g/m.iso", "[isos] g/answers.iso"],
        "folder": "EU%2fProd",
        "datastore": "/DC/datastore/ds",
    }
    assert {name: values[name] for name in expected} == expected


def test_the_templates_type_nothing_and_replace_nothing() -> None:
    """No keystrokes, HTTP server or -force, TLS is verified, and a floppy is attached only where one was made."""
    text = (ROOT / "packer/base.pkr.hcl").read_text(encoding="utf-8")
    settings = set(re.findall(r"^ +(\w+) +=", text, re.MULTILINE))
    assert not {name for name in settings if name.startswith(("boot_command", "http_", "floppy_", "cd_"))} - {
        "floppy_img_path"
    }
    assert 'floppy_img_path = var.floppy_img_path == "" ? null : var.floppy_img_path' in text
    assert re.search(r"insecure_connection += false", text)
    assert "-force" not in " ".join(packer.build_argv("x"))


def test_the_password_is_sensitive_and_has_no_default() -> None:
    """Packer masks the password in its own output, and can get it from the environment alone."""
    assert "sensitive   = true" in _blocks()["vcenter_password"]
    assert "default" not in _blocks()["vcenter_password"]


def test_answers_in_settings_reach_packer_through_its_environment_alone() -> None:
    """They are base64, which no expression of Packer's misreads, and the variable is masked in its output."""
    nasty = 'password: "$6$a${b}%{c}"\n'
    [(name, text)] = packer.settings({"userdata": nasty}).items()
    given = json.loads(text)
    assert name == "PKR_VAR_configuration_parameters"
    assert base64.b64decode(given["guestinfo.userdata"]).decode() == nasty
    assert given["guestinfo.userdata.encoding"] == "base64"
    assert "sensitive   = true" in _blocks()["configuration_parameters"]
    assert packer.settings({}) == {}


def test_times_that_are_none() -> None:
    """Every value that is no duration is named, in one error."""
    with pytest.raises(ValueError, match=r"ip_wait=90, ssh=soon: a time is a number with a unit"):
        Timeouts(ip_wait="90", ssh="soon", shutdown="1h30m")
