"""What a process is given before it does anything, however it was started."""

from __future__ import annotations

import os
import resource

from goldsmith.host import streams

_OTHERS = 0o022
"""May not write what a run makes: whoever can change a medium or an answer before its upload decides what is built."""


def settle() -> None:
    """Make this process fit to work with secrets and to outlive its terminal; once more changes nothing."""
    _open_descriptors()
    os.umask(os.umask(_OTHERS) | _OTHERS)  # in addition to what the caller forbids
    # A dump of this process, or of a tool that it starts, would hold passwords.
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    streams.install()


def _open_descriptors() -> None:
    """Put the null device where the caller closed stdin, stdout or stderr.

    The next file that is opened would have that number, and whatever is written to stderr would end up in it.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
