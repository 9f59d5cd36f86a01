"""Stores files on a vCenter's datastores with govc, and turns what govc says into our errors."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from goldsmith.errors import ConfigurationError, GoldsmithError, MissingObjectError, ToolError, UnreachableError
from goldsmith.tools.door import engine_gone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from goldsmith.host.runner import Command, Completed
    from goldsmith.tools.door import Door

# govc runs in the background, because a shell handles signals only between foreground commands,
# and as a container's first process it must: nobody else would end govc. Background jobs ignore SIGINT.
# Nothing is cleaned up before the upload: with a wrong password that would be a second failed login.
_STORE = """\
set -u
file=$1 folder=$2 part=$3 name=$4 replace=$5 child=
run() { govc "$@" & child=$!; wait "$child"; }
discard() { govc datastore.rm -f "$part" >/dev/null 2>&1; }
trap 'trap "" INT TERM; kill "$child"; wait "$child"; discard; exit 130' INT TERM
run datastore.mkdir -p "$folder" || exit
run datastore.upload "$file" "$part" && run datastore.mv "-f=$replace" "$part" "$name" || {
  status=$?; discard; exit "$status"
}
"""

# govc ends by SIGPIPE when enough was read, so only a failure with nothing read counts.
_HEAD = """\
set -u
data=$(govc datastore.download "$1" - | head -c "$2" | base64 -w0; exit "${PIPESTATUS[0]}")
status=$?
[ -n "$data" ] || exit "$status"
printf '%s\\n' "$data"
"""

# Streamed: neither memory nor disk holds the file.
_SHA256 = """\
set -u
sum=$(govc datastore.download "$1" - | sha256sum; exit "${PIPESTATUS[0]}") || exit
printf '%s\\n' "${sum%% *}"
"""

_PROGRESS = re.compile(r"Uploading\.\.\. \((\d+)%(?:, ([\d.]+ ?[KMGT]?i?B/s))?")


@dataclass(frozen=True, kw_only=True)
class Access:
    """How govc reaches one datastore."""

    server: str
    """Host name, with ``:port`` where it is not 443."""
    user: str
    password: str = field(repr=False)
    datacenter: str
    datastore: str
    """Its name or inventory path."""
    ca_file: str = ""
    """The CA's PEM file as the toolbox sees it; empty: whatever the toolbox trusts."""

    def stored(self, path: str) -> str:
        """Return a file on the datastore as vSphere and Packer write it: ``[name] path``."""
        # A backslash of the name's own is spelt %5c: one that stands here makes a letter no pattern.
        name = self.datastore.rpartition("/")[2].replace("\\", "")
        return f"[{name}] {path}"


def store(door: Door, access: Access, *, file: str, folder: str, part: str, name: str, replace: bool) -> Command:
    """Return the command that uploads *file* as *part*, then renames that to *name*; *folder* is made if missing.

    Paths on the datastore are relative to it; *file* is relative to the repository.
    What already has that *name* stays, and the command fails, unless *replace* is
    set. It removes *part* when it fails or is interrupted.
    """
    words = (file, folder, part, name, "true" if replace else "false")
    return _command(door, access, "bash", "-c", _STORE, "store", *words)


def size(door: Door, access: Access, path: str) -> Command:
    """Return the command whose outcome :func:`parse_size` understands."""
    return _command(door, access, "govc", "datastore.ls", "-l", "-json", path)


def remove(door: Door, access: Access, path: str) -> Command:
    """Return the command that removes a file; it may be gone already."""
    return _command(door, access, "govc", "datastore.rm", "-f", path)


def head(door: Door, access: Access, path: str, *, count: int) -> Command:
    """Return the command that prints the first *count* bytes of a file in base64; the rest is not transferred."""
    return _command(door, access, "bash", "-c", _HEAD, "head", path, str(count))


def sha256(door: Door, access: Access, path: str) -> Command:
    """Return the command that reads a file, whole, and prints its sha256."""
    return _command(door, access, "bash", "-c", _SHA256, "sha256", path)


def parse_size(completed: Completed) -> int | None:
    """Return a file's size in bytes, or None when there is no such file or folder.

    Raises what :func:`explain` makes of any other failure.
    """
    if completed.returncode != 0:
        said = completed.stdout + completed.stderr
        if re.search(r"was not found|FileNotFound", said):
            return None
        raise explain(said)
    try:
        found = [entry["fileSize"] for result in json.loads(completed.stdout) for entry in result["file"]]
        return int(found[0]) if found else None
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        raise _puzzling(completed.stdout) from None


def parse_progress(line: str) -> tuple[int, str] | None:
    """Return per cent and speed that a line of govc tells, or None when it tells something else."""
    found = _PROGRESS.search(line)
    return (int(found[1]), found[2] or "") if found else None


def already_exists(said: str) -> bool:
    """Return whether renaming failed because somebody else put the file there first."""
    return "FileAlreadyExists" in said or "already exists" in said


@dataclass(frozen=True)
class _Meaning:
    """What a phrase of govc's comes down to."""

    phrase: str
    family: type[GoldsmithError]
    what: str
    next: str


_MEANINGS = (
    _Meaning(
        r"incorrect user name or password|Login failure|InvalidLogin",
        UnreachableError,
        "the vCenter refuses the login",
        "check VSPHERE_USER and VSPHERE_PASSWORD; repeated tries may lock the account",
    ),
    _Meaning(
        r"x509: certificate signed by unknown authority|self[- ]signed certificate",
        UnreachableError,
        "the vCenter's certificate is not trusted",
        "give the CA that signed it with GOLDSMITH_CA_FILE or the site's ca_file",
    ),
    _Meaning(
        r"x509: |tls: |certificate has expired|HTTP response to HTTPS client",
        UnreachableError,
        "the connection to the vCenter cannot be secured",
        "the certificate must be valid today, and for the name the site gives as server",
    ),
    _Meaning(
        r"datastore '.*' not found",
        MissingObjectError,
        "the datastore for boot media does not exist",
        "correct datastore or iso_datastore of the site; names are as the inventory shows them",
    ),
    _Meaning(
        r"datacenter '.*' not found",
        MissingObjectError,
        "the datacenter does not exist",
        "correct datacenter of the site; names are as the inventory shows them",
    ),
    _Meaning(
        r"NoPermission|Permission to perform this operation was denied|401 Unauthorized|403 Forbidden",
        ConfigurationError,
        "the user may not store files on the datastore",
        "the role needs Datastore.Browse and Datastore.FileManagement on the datastore",
    ),
    _Meaning(
        r"[Nn]o space left|Insufficient disk space|InsufficientStorage|507 ",
        ToolError,
        "no space is left on the datastore",
        "free some, or name another one as the site's iso_datastore",
    ),
    _Meaning(
        r"dial tcp|no such host|i/o timeout|connection re(fused|set)|no route to host|\bEOF\b|deadline exceeded"
        r"|50[234] (Bad Gateway|Service Unavailable|Gateway)|broken pipe|NotAuthenticated"
        # Whatever goes wrong below HTTP, Go's client tells so, with the address it spoke to.
        r'|(Get|Head|Post|Put|Delete) "https://[^"]+": ',
        UnreachableError,
        "the vCenter does not answer",
        "check the site's server, the network, and no_proxy; then run the command again",
    ),
)  # fmt: skip


def explain(said: str) -> GoldsmithError:
    """Return the error that govc's words amount to; words nobody foresaw become a ``ToolError`` that shows them."""
    if gone := engine_gone(said):
        return gone
    why = _reasons(said)
    for meaning in _MEANINGS:
        if re.search(meaning.phrase, why):
            return meaning.family(meaning.what, why=why, next=meaning.next)
    return ToolError("govc failed", why=why, next="look for what the vCenter says about it in its recent tasks")


def _reasons(said: str) -> str:
    """Return what govc printed as errors, without progress and its own name."""
    lines = [line.rsplit("\r", 1)[-1].removeprefix("\x1b[K").strip() for line in said.splitlines()]
    errors = [re.sub(r"^\S*govc\w*: ", "", line) for line in lines if re.match(r"\S*govc\w*: ", line)]
    return "\n".join(dict.fromkeys(errors)) or "\n".join(line for line in lines if line and not parse_progress(line))


def _puzzling(said: str) -> ToolError:
    return ToolError(
        "govc's list of files cannot be read",
        why=said[:500] or "it is empty",
        next="the toolbox's govc and this version of the suite do not fit: run 'invoke build-image'",
    )


def _command(door: Door, access: Access, *argv: str) -> Command:
    env: dict[str, str] = {
        "GOVC_URL": access.server,
        "GOVC_DATACENTER": access.datacenter,
        "GOVC_DATASTORE": access.datastore,
        # govc would write the session's cookie below HOME.
        "GOVC_PERSIST_SESSION": "false",
        "GOVC_INSECURE": "false",
    }
    if access.ca_file:
        env["GOVC_TLS_CA_CERTS"] = access.ca_file
    secrets: Mapping[str, str] = {"GOVC_USERNAME": access.user, "GOVC_PASSWORD": access.password}
    return door.command(argv, env=env, secrets=secrets)
