"""A build with a secret in every place where operators keep one: none of them shows anywhere else.

Each canary is a secret of its own, odd enough to be written differently by every tool: what is found
says where it came from.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from goldsmith.host.redact import Redactor
from tests.integration import origin
from tests.integration.inventory import docker
from tests.integration.test_interruptions import stands
from tests.integration.test_secrets import HASH, PRIVATE, around, datastore, template, whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.integration.bystander import Bystander
    from tests.integration.conftest import Result

URLS = (
    *("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ftp_proxy", "ALL_PROXY", "all_proxy"),
    *("GOLDSMITH_DEBIAN_MIRROR", "GOLDSMITH_DEBIAN_SECURITY_MIRROR", "GOLDSMITH_DEBIAN_SNAPSHOT"),
    *("GOPROXY", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "SOME_OTHER_URL"),
)
"""Every variable with an address that operators put a login into, and one that nobody knows."""
CONFIGURED = ("httpProxy", "httpsProxy", "ftpProxy", "allProxy")
"""The proxies of ``~/.docker/config.json``."""
SHIM = """\
#!/bin/sh
{{ printf '\\036'; tr '\\0' '\\n' </proc/$$/cmdline; tr '\\0' '\\n' </proc/$$/environ; }} >>'{log}'
exec '{real}' "$@"
"""


def canary(name: str) -> str:
    """Return a secret that says where it was put."""
    return f"Kx7!'{name}'/&é"


@dataclass
class Cage:
    """A build, with every text that others could read, by where it stood; and the secrets it had."""

    secrets: dict[str, str]
    during: dict[str, str] = field(default_factory=dict)
    calls: dict[str, str] = field(default_factory=dict)
    """What each program was given that was started: arguments and environment."""
    after: dict[str, str] = field(default_factory=dict)
    shown: dict[str, Result] = field(default_factory=dict)
    """What verbs printed."""

    def found(self, texts: Mapping[str, str]) -> list[str]:
        """Return which secret stands where, however it is written."""
        knows = {name: Redactor([value]) for name, value in self.secrets.items()}
        return [
            f"{name} in {where}"
            for where, text in texts.items()
            for name, value in self.secrets.items()
            if value in text or knows[name](text) != Redactor()(text)
        ]


def environment(of: Bystander) -> dict[str, str]:
    """Return what an operator with a secret in every place sets; the guests' proxy is the lab's mirror itself."""
    urls = {name: f"http://user:{quote(canary(name), safe='')}@proxy.invalid:3128" for name in URLS}
    proxy = f"http://user:{quote(canary('GUEST_HTTP_PROXY'), safe='').replace('%C3%A9', 'e')}@mirror.lab.test:8080"
    return {
        **{name: url.lower() if name == "all_proxy" else url for name, url in urls.items()},
        "no_proxy": "127.0.0.1,localhost",
        "NO_PROXY": "127.0.0.1,localhost",
        **origin.variables(of.lab),
        "AUTOMATION_USER_CRYPTED_PASSWORD": HASH,
        "GUEST_HTTP_PROXY": proxy,
        "GOVC_PASSWORD": canary("GOVC_PASSWORD"),
        "PKR_VAR_vcenter_password": canary("PKR_VAR"),
    }


def shim(folder: Path, name: str) -> Path:
    """Put a program in the way that notes what it is given, and return the notes."""
    real = shutil.which(name)
    assert real
    folder.mkdir(exist_ok=True)
    log = folder / f"{name}.log"
    log.touch()
    (folder / name).write_text(SHIM.format(log=log, real=real))
    (folder / name).chmod(0o755)
    return log


def configuration(folder: Path) -> Path:
    """Make a user's Docker configuration with proxies; contexts and plugins stay the user's own."""
    own = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    if own.is_dir():
        shutil.copytree(own, folder, dirs_exist_ok=True, ignore_dangling_symlinks=True)
    folder.mkdir(exist_ok=True)
    file = folder / "config.json"
    known = json.loads(file.read_text()) if file.is_file() else {}
    proxies = {name: f"http://user:{quote(canary(name), safe='')}@proxy.invalid:3128" for name in CONFIGURED}
    file.write_text(json.dumps({**known, "proxies": {"default": {**proxies, "noProxy": "nothing.invalid"}}}))
    return folder


@pytest.fixture(scope="module")
def cage(bystander: Bystander, tmp_path_factory: pytest.TempPathFactory) -> Cage:
    """Build once, look around while the machine is about to be powered on, and at the end; then ask other verbs."""
    folder = tmp_path_factory.mktemp("cage")
    logs = [shim(folder / "bin", name) for name in ("docker", "git")]
    admin, given = bystander.admin(), environment(bystander)
    extra = given | {
        "DOCKER_CONFIG": str(configuration(folder / "docker")),
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    with bystander.quick():
        admin.put_barrier("power", method="PowerOnVM_Task")
        run = bystander.start("packer-base", "--rebuild", **extra)
        stands(admin, "power", run)
        [key] = (bystander.root / "build").glob("*/keys/id_ed25519")
        seen = Cage(secrets(given, key.read_text()))
        build = key.parents[1]
        assert docker("ps", "-q", "--filter", f"label=goldsmith.build={build.name}"), "the toolbox was not running"
        own = f"environment of {run.process.pid}"  # the operator's, which only they can read
        seen.during = {where: text for where, text in around(bystander, run).items() if where != own}
        seen.during |= {name: text for name, text in whole(build).items() if not name.startswith(PRIVATE)}
        admin.release("power")
        seen.shown["packer-base"] = run.end(300)
    assert seen.shown["packer-base"].code == 0, seen.shown["packer-base"].err
    seen.shown |= asked(bystander, extra)
    seen.calls = {
        f"call {number} of {log.name}": call
        for log in logs
        for number, call in enumerate(log.read_text().split("\x1e"))
    }
    seen.after = whole(build) | datastore(bystander) | template(bystander, seen.shown["packer-base"].out.strip())
    return seen


def asked(bystander: Bystander, extra: Mapping[str, str]) -> dict[str, Result]:
    """Return what other verbs print, and errors about values that have a secret in them."""
    verbs = ("config", "config --json", "plan", "preflight", "templates --json", "clean --dry-run")
    shown = {verb: bystander.start(*verb.split(), **extra).end(120) for verb in verbs}
    wrong = {"VSPHERE_SERVER": f"user:{canary('SERVER')}@vcenter", "GUEST_HTTP_PROXY": "ftp://u:Kx7!ftp@h"}
    return shown | {"mistakes": bystander.start("plan", **{**extra, **wrong}).end(60)}


def secrets(given: Mapping[str, str], key: str) -> dict[str, str]:
    """Return every secret by its name."""
    found = {name: canary(name) for name in (*URLS, *CONFIGURED, "GUEST_HTTP_PROXY", "GOVC_PASSWORD")}
    found |= {"PKR_VAR": canary("PKR_VAR"), "SERVER": canary("SERVER"), "ftp": "Kx7!ftp"}
    found["all_proxy"] = found["all_proxy"].lower()
    found["GUEST_HTTP_PROXY"] = found["GUEST_HTTP_PROXY"].replace("é", "e")
    return found | {
        "the vCenter's password": given["VSPHERE_PASSWORD"],
        "the hash": HASH,
        "the build's key": key.splitlines()[3],
    }


def test_while_it_builds_no_secret_shows(cage: Cage) -> None:
    """Neither in any process's arguments or environment, nor in what Docker tells, nor in logs."""
    assert cage.found(cage.during) == []


def test_no_program_is_given_a_secret(cage: Cage) -> None:
    """Whatever was started, at any moment of any verb: its arguments and its environment were without."""
    assert len(cage.calls) > 10
    assert cage.found(cage.calls) == []


def test_no_verb_prints_a_secret(cage: Cage) -> None:
    """Neither results nor progress nor errors, about values with a secret in them too."""
    texts = {f"out of {verb}": result.out for verb, result in cage.shown.items()}
    texts |= {f"err of {verb}": result.err for verb, result in cage.shown.items()}
    assert cage.found(texts) == []
    assert "vcenter" in texts["err of mistakes"]


def test_no_secret_stays(cage: Cage) -> None:
    """Neither in the build's folder, nor on a datastore, nor in the template's configuration."""
    assert cage.found(cage.after) == []
    assert "the template" in cage.after


def test_the_canaries_sing(cage: Cage) -> None:
    """What is looked for is found where it stands, in several spellings: a test that sees nothing proves nothing."""
    for name, value in cage.secrets.items():
        for text in (value, json.dumps(value), quote(value), base64.b64encode(f"u:{value}".encode()).decode()):
            assert f"{name} in x" in cage.found({"x": text})
