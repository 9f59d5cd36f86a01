"""What the pristine machine gets of this one, and how transcripts are judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from goldsmith.errors import CheckError
from goldsmith.toolbox.mirrors import Mirrors
from scripts.fresh import STEPS, Result, Step, apt_settings, judge, missing, passed, sources

if TYPE_CHECKING:
    from pathlib import Path


def test_what_leads_outside_is_passed_by_name() -> None:
    """Proxies, CAs, pip's and Go's settings pass; what belongs to this machine, and secrets, do not."""
    environment = dict.fromkeys(
        ["https_proxy", "NO_PROXY", "PIP_INDEX_URL", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GOPROXY", "HOME", "PATH"],
        "x",
    )
    environment |= {"VSPHERE_PASSWORD": "x", "DOCKER_HOST": "x", "HTTP_PROXY": "", "GOLDSMITH_DEBIAN_MIRROR": "x"}
    assert passed(environment) == [
        "GOLDSMITH_DEBIAN_MIRROR",
        "GOPROXY",
        "NO_PROXY",
        "PIP_INDEX_URL",
        "REQUESTS_CA_BUNDLE",
        "SSL_CERT_FILE",
        "https_proxy",
    ]


def test_apt_keeps_only_what_leads_outside() -> None:
    """Hooks and directories of this machine would break another root."""
    dump = (
        'Acquire "";\nAcquire::http::Proxy "http://proxy.example.com:3128";\nAcquire::Check-Date "false";\n'
        'Dir::Cache "var/cache/apt";\nAcquire::IndexTargets::deb::Packages::Optional "0";\n'
        'DPkg::Post-Invoke:: "rm -f /x";\n'
    )
    assert apt_settings(dump) == (
        'Acquire::http::Proxy "http://proxy.example.com:3128";\nAcquire::Check-Date "false";\n'
    )


def test_the_root_comes_from_this_machines_mirrors() -> None:
    """Archive, updates and security."""
    text = sources(Mirrors(debian="http://m.example.com/debian", security="http://m.example.com/sec")).decode()
    assert text.splitlines()[0] == "deb http://m.example.com/debian bookworm main"
    assert text.splitlines()[2] == "deb http://m.example.com/sec bookworm-security main"


def test_a_transcript_must_show_every_line() -> None:
    """A template's name is looked for by its shape; a traceback is never right."""
    step = STEPS[0]
    good = (
        "• environment (first run; about a minute)\n• Docker engine (none on this machine; ...)\n"
        "template debian-13-base-20261123-160000-0123abcd\n"
    )
    assert missing(step, good) == ()
    assert len(missing(step, "")) == len(step.shows)
    assert missing(step, good + "Traceback (most recent call last):\n") == ("no traceback",)
    assert missing(Step("x"), "") == ()


@pytest.mark.parametrize(("status", "lacking"), [(1, ()), (0, ("lint",))])
def test_a_step_that_failed_or_hides_something_is_an_error(
    tmp_path: Path, status: int, lacking: tuple[str, ...]
) -> None:
    """The summary is written all the same, and the transcript is named."""
    with pytest.raises(CheckError, match=r"1\.log"):
        judge([Result("./nox", status, 1.0, "1.log", lacking)], tmp_path)
    assert (tmp_path / "summary.json").exists()


def test_good_steps_pass(tmp_path: Path) -> None:
    """Nothing is raised."""
    judge([Result("./nox", 0, 1.0, "1.log", ())], tmp_path)
    assert '"status": 0' in (tmp_path / "summary.json").read_text()
