"""Starts the engine that is installed on this machine, with systemd or without."""

from __future__ import annotations

import contextlib
import shutil
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

from goldsmith.errors import ToolError, UnreachableError
from goldsmith.host.runner import TAIL_LINES, Command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from goldsmith.host.progress import Progress
    from goldsmith.host.runner import Runner
    from goldsmith.toolbox.engine.system import Host

LOG = Path("/var/log/goldsmith-dockerd.log")
SOCKET = Path("/var/run/docker.sock")
PIDFILES = {"dockerd": Path("/var/run/docker.pid"), "containerd": Path("/var/run/docker/containerd/containerd.pid")}
PATIENCE = 120.0
"""Seconds an engine may take to serve; one that recovers containers on a slow disk takes long."""
_STEP = 0.05
_LEGACY = Path("/run/goldsmith-iptables")
_CGROUP = Path("/sys/fs/cgroup")


def with_systemd() -> Command:
    """Return the command that starts the packages' own service."""
    return Command(argv=("systemctl", "start", "docker"))


def detached(dockerd: str, log: Path, *, path: str) -> Command:
    """Return the command that starts *dockerd* on its own and prints its process id.

    It must outlive this run and its terminal: a session of its own, no inherited descriptors.
    """
    script = 'setsid "$1" >>"$2" 2>&1 </dev/null & echo $!'
    return Command(argv=("sh", "-c", script, "sh", dockerd, str(log)), env={"PATH": path}, fetches=True)


def start(
    runner: Runner, machine: Host, environment: Mapping[str, str], progress: Progress, *, log: Path = LOG
) -> None:
    """Start the engine and wait until it serves; raises ``UnreachableError`` with its last words."""
    with progress.step("Docker engine", "installed, not running"):
        if machine.has_systemd:
            _start_service(runner)
            return
        leave_root_cgroup(_CGROUP)
        for name, pidfile in PIDFILES.items():
            forget_dead(name, pidfile)
        path = _path(runner, machine, environment)
        begin = log.stat().st_size if log.exists() else 0
        process = runner.run(detached(machine.dockerd, log, path=path)).stdout.strip()
        if not wait(_answers, alive=lambda: _is_alive(process)):
            raise died(machine.dockerd, log, begin)


def wait(
    ready: Callable[[], bool],
    *,
    alive: Callable[[], bool],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Return whether *ready* came true before the time is over, and before *alive* ended.

    Asks again and again, because dockerd without systemd tells nobody when it serves.
    """
    deadline = clock() + PATIENCE
    while clock() < deadline:
        if ready():
            return True
        if not alive():
            return False
        sleep(_STEP)
    return False


def died(dockerd: str, log: Path, begin: int) -> UnreachableError:
    """Return the error with what dockerd wrote last, since the byte *begin* of its log."""
    with contextlib.suppress(OSError), log.open("rb") as file:
        file.seek(begin)
        lines = file.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
        return _not_started(f"{dockerd}; log: {log}", "\n".join(lines))
    return _not_started(dockerd, f"it left no log ({log})")


def _not_started(where: str, why: str) -> UnreachableError:
    return UnreachableError(
        "the Docker engine does not start",
        where=where,
        why=why,
        next="start it by hand until it works (dockerd in a terminal of its own shows why not);\n"
        "it needs cgroups, iptables, and /var/lib/docker on a file system other than overlay",
    )


def _start_service(runner: Runner) -> None:
    if runner.run(with_systemd(), check=False).returncode != 0:
        journal = runner.run(
            Command(argv=("journalctl", "--no-pager", "--lines", str(TAIL_LINES), "--unit", "docker")), check=False
        )
        raise _not_started("docker.service", journal.stdout)


def leave_root_cgroup(cgroup: Path) -> None:
    """Let containers get limits where this machine is itself a container with cgroup v2.

    The kernel hands controllers only to children of a group without processes of its
    own; a machine's true root group is exempt, and is told by having no ``cgroup.type``.
    """
    if not (cgroup / "cgroup.controllers").exists() or not (cgroup / "cgroup.type").exists():
        return
    inner = cgroup / "init"
    inner.mkdir(exist_ok=True)
    for process in (cgroup / "cgroup.procs").read_text().split():
        with contextlib.suppress(OSError):  # it ended meanwhile
            (inner / "cgroup.procs").write_text(process)
    wanted = " ".join(f"+{name}" for name in (cgroup / "cgroup.controllers").read_text().split())
    with contextlib.suppress(OSError):  # the engine tells better what is missing
        (cgroup / "cgroup.subtree_control").write_text(wanted)


def forget_dead(name: str, pidfile: Path, proc: Path = Path("/proc")) -> None:
    """Remove the pid file that a killed program *name* left.

    A new one refuses to start when that number now belongs to another process, or
    to a zombie that nobody reaps in a container.
    """
    try:
        number = pidfile.read_text().strip()
    except OSError:
        return
    if not (_is_alive(number, proc) and _read(proc / number / "comm").strip() == name):
        pidfile.unlink(missing_ok=True)


def _path(runner: Runner, machine: Host, environment: Mapping[str, str]) -> str:
    """Return a PATH on which dockerd finds an iptables that works with this kernel.

    Some kernels have only the old tables. The machine's choice (update-alternatives) stays as it is.
    """
    path = f"{environment.get('PATH', '')}:{Path(machine.dockerd).parent}:/usr/sbin:/sbin:/usr/bin:/bin"
    listing = Command(argv=("iptables", "-nL"), env={"PATH": path})
    legacy = shutil.which("iptables-legacy", path=path)
    if legacy is None or _works(runner, listing):
        return path
    if not _works(runner, Command(argv=(legacy, "-nL"))):
        return path
    _LEGACY.mkdir(exist_ok=True)
    for name in ("iptables", "ip6tables", "iptables-save", "iptables-restore", "ip6tables-save", "ip6tables-restore"):
        link = _LEGACY / name
        link.unlink(missing_ok=True)
        link.symlink_to(Path(legacy).resolve())
    return f"{_LEGACY}:{path}"


def _works(runner: Runner, command: Command) -> bool:
    try:
        return runner.run(command, check=False).returncode == 0
    except ToolError:  # it is not installed
        return False


def _answers() -> bool:
    """Tell whether the engine serves; its socket accepts connections long before, and also when it then fails."""
    with socket.socket(socket.AF_UNIX) as client, contextlib.suppress(OSError):
        client.settimeout(1.0)
        client.connect(str(SOCKET))
        client.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
        return client.recv(16).startswith(b"HTTP/1.")
    return False


def _is_alive(process: str, proc: Path = Path("/proc")) -> bool:
    """Tell whether *process* runs; in a container nobody may reap it, so a zombie counts as ended."""
    state = _read(proc / process / "stat").rpartition(")")[2].split()[:1]
    return bool(process) and bool(state) and state[0] not in {"Z", "X"}


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
