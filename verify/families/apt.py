"""What is apt's and dpkg's own in a clone.

``look`` runs in the guest, whose Python may be 3.5; the rest judges in the
toolbox what it and the inventory showed.
"""

import os
import subprocess
from typing import Any, Dict, List

SERVICES = ("ssh", "open-vm-tools")
"""What an operator needs to reach and manage the machine."""
CLOCKS = ("chrony", "ntp", "ntpsec", "openntpd", "systemd-timesyncd")
"""Time daemons, of which one is enough."""


def look() -> Dict[str, Any]:
    """Return what is half-installed, which packages are held, and what else the installed ones go by."""
    return {
        "unfinished": said("dpkg", "--audit").strip(),
        "held": said("apt-mark", "showhold").split(),
        "provided": provided(said("dpkg-query", "--show", "--showformat", "${db:Status-Abbrev}\t${Provides}\n")),
    }


def provided(listed: str) -> List[str]:
    """Return the names in lines of a package's state and what it provides: ``man, man-browser (= 2.7.5-1)``."""
    rows = [line.split("\t") for line in listed.splitlines()]
    names = [name for status, names in rows if installed(status) for name in names.split(", ")]
    return sorted({name.split()[0] for name in names if name})


def installed(status: str) -> bool:
    """Return whether dpkg's state of a package is "installed", held or not."""
    return status.strip() in {"ii", "hi"}


def gone(status: str) -> bool:
    """Return whether a package was removed; it may leave its configuration."""
    return status.startswith("rc")


def said(*argv: str) -> str:
    """Return what a program prints, whatever its status."""
    environment = dict(os.environ, LC_ALL="C")
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment).stdout.decode()
