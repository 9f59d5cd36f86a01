"""Lists the packages of a guest of apt's family. Runs in the guest, together with guest_inventory's program."""

import os
import subprocess
from typing import Dict, List

PACKAGE = ("name", "version", "architecture", "status", "source", "source_version")
FORMAT = "${Package}\t${Version}\t${Architecture}\t${db:Status-Abbrev}\t${source:Package}\t${source:Version}\n"


def packages() -> List[Dict[str, str]]:
    """Return one object for each package, held ones marked by the status "hi"."""
    argv = ["dpkg-query", "--show", "--showformat", FORMAT]
    listed = subprocess.run(argv, check=True, stdout=subprocess.PIPE, env=dict(os.environ, LC_ALL="C")).stdout.decode()
    rows = (line.split("\t") for line in listed.splitlines())
    return sorted((dict(zip(PACKAGE, map(str.strip, row))) for row in rows), key=lambda row: row["name"])
