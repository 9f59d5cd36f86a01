"""Records with everything that is long, many or hostile, and the pages about them."""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from goldsmith.records.changes import contents
from goldsmith.records.page import Previous, render
from goldsmith.records.record import Ancestor, CheckResult, Record, Source, Stage, Toolbox

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
MODULES = ("guest", "docker", "hygiene", "clones")
CLONES = ("clone-1", "clone-2")
BASE = "20261121-020000-1095e43e"
BEFORE = "20261116-150000-5b83e1ee"
BUILD = "20261123-150000-0123abcd"
HOSTILE = "<script>alert(1)</script> & \x1b[31mred \u202egnp.exe\u202c \u05e9\u05dc\u05d5\u05dd \ud800"


@functools.cache
def checks(phase: str) -> tuple[CheckResult, ...]:
    """Return the suite's own checks as testinfra names them, all passed."""
    return tuple(
        CheckResult(name=name, says=says, outcome="passed", seconds=0.1)
        for module in MODULES
        if phase == "docker" or module != "docker"
        for clone in CLONES
        for name, says in _of(module, clone)
        if clone in name or clone == CLONES[0]
    )


def _of(module: str, clone: str) -> Iterator[tuple[str, str]]:
    for function in ast.parse((ROOT / f"verify/test_{module}.py").read_text()).body:
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
            title = f"{module}: {function.name.removeprefix('test_').replace('_', ' ')}"
            given = {argument.arg for argument in function.args.args}
            says = (ast.get_docstring(function) or "").splitlines()[0]
            for about in _about(given):
                of = "-".join(filter(None, ("" if "pair" in given or given == {"expected"} else clone, about)))
                yield f"{title} ({of})" if of else title, says


def _about(given: set[str]) -> list[str]:
    for name in ("absent", "unique"):
        if name in given:
            return [item["id"] for item in _sealed() if item["in_clone"] == name]
    return ["ssh", "open-vm-tools"] if given & {"unit", "service"} else [""]


@functools.cache
def _sealed() -> list[dict[str, str]]:
    own = yaml.safe_load((ROOT / "ansible/roles/guest_seal/vars/main.yml").read_text())["guest_seal_items"]
    found: list[dict[str, str]] = yaml.safe_load((ROOT / "ansible/families/apt/vars/words.yml").read_text())[
        "seal_items"
    ]
    return [*found, *own]


def record(**changes: Any) -> Record:
    """Return a record of a Docker template that passed, with *changes*."""
    given = {
        "template": f"debian-13-docker-{BUILD}",
        "image": "debian-13",
        "phase": "docker",
        "site": "frankfurt",
        "build": BUILD,
        "key": "0123abcd" * 8,
        "inputs": dict.fromkeys(("roles", "variables", "base", "packer", "tools"), "ab" * 32),
        "built": "2026-11-23T15:00:00Z",
        "source": Source(commit="cd" * 20),
        "toolbox": Toolbox(
            reference="goldsmith-toolbox:1326e7b6d238",
            config_digest="sha256:" + "ef" * 32,
            tools={"packer": "1.14.3", "packer-plugin-vsphere": "2.0.0", "ansible-core": "2.19.4"},
        ),
        "lineage": (
            Ancestor(kind="installer", name="debian-installer-13-netboot-amd64 20250803+deb13u7", sha256="12" * 32),
            Ancestor(
                kind="base",
                name=f"debian-13-base-{BASE}",
                key="1095e43e" * 8,
                build=BASE,
                sha256="34" * 32,
                stages=stages(answers=0.02, media=1.3, upload=4.4, base=731.6),
            ),
        ),
        "stages": stages(docker=412.4, **{"verify: boot": 44.1, "verify: check": 3.7, "verify: destroy": 2.2}),
        "checks": checks("docker"),
        "size_bytes": 4_312_000_000,
        "artefacts": {"sbom.cdx.json": "34" * 32, "inventory.json": "56" * 32},
    }
    return Record(**{**given, **changes})


def stages(**seconds: float) -> tuple[Stage, ...]:
    """Return stages that took so long."""
    return tuple(Stage(name=name, seconds=value) for name, value in seconds.items())


def previous(one: Record, inventory: dict[str, Any]) -> Previous:
    """Return the template before, with what its inventory lists."""
    return Previous(record=one, contents=contents(inventory, one.family))


def inventory(packages: dict[str, str], **others: Any) -> dict[str, Any]:
    """Return an inventory, with packages by their versions."""
    rows = [{"name": name, "version": packages[name], "architecture": "amd64", "status": "ii"} for name in packages]
    return {"packages": rows, "units": {}, "etc": {}, "engine": None, **others}


def _file(content: str, mode: str = "0644") -> dict[str, str]:
    return {"mode": mode, "owner": "root", "sha256": content * 32}


SAME = {f"lib{letter}{number}": "1.0-1" for letter in "abcdefghijkl" for number in range(25)}
OLD = inventory(
    {**SAME, "curl": "8.14.1-2", "telnet": "0.17+2.5-6", "zlib1g": "1:1.3.1-2", "bash": "5.2.37-2+b5"}
    | {f"python3-{name}": "3.13.5-2" for name in ("apt", "attr", "yaml", "jinja2", "six", "requests", "urllib3")}
    | {f"linux-image-6.12.{number}+deb13-amd64": "6.12.43-1" for number in (41, 43)},
    units={f"unit-{number}.service": "enabled" for number in range(210)} | {"docker.socket": "disabled"},
    etc={f"/etc/conf.d/{number}": _file("ab") for number in range(900)}
    | {
        "/etc/docker/daemon.json": _file("cd"),
        "/etc/old.conf": _file("ef"),
        "/etc/sudoers.d/goldsmith": _file("12", "0440"),
    },
    engine={"images": [{"Id": "sha256:" + "78" * 32, "RepoTags": ["registry.example/pause:3.10"]}]},
)
NEW = inventory(
    {
        **SAME,
        **{name: "1.0-1+deb13u1" for name in SAME if name < "libe"},
        "curl": "8.14.1-2+deb13u1",
        "zlib1g": "1:1.3.0-9",
        "bash": "5.2.37-2+b5",
        "containerd": "1.7.24~ds1-6",
    }
    | {
        f"python3-{name}": "3.13.5-2+deb13u1"
        for name in ("apt", "attr", "yaml", "jinja2", "six", "requests", "urllib3")
    }
    | {f"linux-image-6.12.{number}+deb13-amd64": "6.12.48-1" for number in (43, 48)}
    | {"a-package-" + "of-a-very-long-name-" * 6: "1:20261123.150000~git" + "0123456789abcdef" * 3}
    | {HOSTILE.replace(" ", "-"): "\u202e1.0"},
    units={f"unit-{number}.service": "enabled" for number in range(212)} | {"docker.socket": "enabled"},
    etc={f"/etc/conf.d/{number}": _file("ab") for number in range(900)}
    | {"/etc/docker/daemon.json": _file("dc"), "/etc/sudoers.d/goldsmith": _file("12", "0400")}
    | {"/etc/" + "deep/" * 20 + "file": _file("56"), "/etc/alternatives/pager": {"link": "/usr/bin/less"}},
    engine={"images": [{"Id": "sha256:" + "87" * 32, "RepoTags": ["registry.example/pause:3.10"]}]},
)


def _with(outcomes: dict[str, tuple[str, str]]) -> tuple[CheckResult, ...]:
    """Return the checks with an outcome and a reason for those whose names begin so."""
    found = []
    for check in checks("docker"):
        outcome, reason = next((outcomes[name] for name in outcomes if check.name.startswith(name)), ("passed", ""))
        found.append(check.model_copy(update={"outcome": outcome, "reason": reason}))
    return tuple(found)


def failed() -> str:
    """Return the page about a template that failed, with everything that is long or hostile."""
    lacks = "a container guest (docker) shares the clock of the machine it runs on"
    found = _with(
        {
            "guest: the first boot ends well (clone-2": (
                "failed",
                "AssertionError: assert ['snapd.service'] == []\n  Left contains one more item: 'snapd.service'\n  "
                "'/" + "ab" * 90 + "'",
            ),
            "clones: the host keys differ": ("failed", HOSTILE),
            "guest: the clock is kept": ("skipped", lacks),
            "docker: settings of the whole kernel": (
                "skipped",
                "from a privileged container these would change the host's kernel",
            ),
            "clones: what each clone makes itself (random-seed": (
                "skipped",
                "neither clone has made any of it yet: random-seed",
            ),
        }
    )
    own = [
        CheckResult(
            name=f"broken: {'a check of the operator ' * 6}(clone-1-{HOSTILE})",
            says="",
            outcome="skipped",
            reason=HOSTILE * 3,
        ),
        CheckResult(
            name="broken: nonsense (clone-2)",
            says="It has a right-to-left name: \u05e9\u05dc\u05d5\u05dd.",
            outcome="passed",
        ),
    ]
    one = record(
        template=f"debian-13-docker-feature-long-branch-name-123456-{BUILD}",
        source=Source(commit="cd" * 20, dirty=True),
        checks=(*found, *own),
        inputs={**record().inputs, "roles": "ba" * 32, "variables": "dc" * 32},
    )
    before = record(
        template=f"debian-13-docker-{BEFORE}", build=BEFORE, built="2026-11-16T15:00:00Z", size_bytes=4_190_000_000
    )
    pages = {BASE: f"../{BASE}/report.html", BEFORE: f"../{BEFORE}/report.html"}
    return render(one, digest="78" * 32, inventory=NEW, previous=previous(before, OLD), pages=pages)


def verified() -> str:
    """Return the page about a template that passed, and differs little from the one before; it was packed."""
    before = record(template=f"debian-13-docker-{BEFORE}", build=BEFORE, built="2026-11-16T15:00:00Z")
    packages = {row["name"]: row["version"] for row in OLD["packages"]}
    now = {**OLD, "packages": inventory(packages | {"curl": "8.14.1-2+deb13u1"})["packages"]}
    return render(record(), digest="78" * 32, inventory=now, previous=previous(before, OLD))


def first() -> str:
    """Return the page about the first base of an image, in a lab."""
    one = record(
        template=f"debian-13-base-{BASE}",
        phase="base",
        site="lab",
        build=BASE,
        lineage=record().lineage[:1],
        stages=stages(answers=0.02, media=1.3, upload=0.4, base=55.4, **{"verify: boot": 5.4, "verify: check": 1.4}),
        checks=checks("base"),
        size_bytes=0,
    )
    return render(one, digest="78" * 32, inventory={**OLD, "engine": None})


PAGES = {"failed": failed, "verified": verified, "first": first}
