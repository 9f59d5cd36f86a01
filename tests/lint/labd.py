"""Vets and tests the simulated vCenter with the pinned Go toolchain: ``python -m tests.lint.labd``."""

from __future__ import annotations

import sys

from goldsmith.errors import GoldsmithError
from goldsmith.wiring import Session


def main() -> int:
    """Run the build target ``lab-check``, show what Go's tests said, and return the exit status."""
    session = Session.here()
    try:
        log = session.builder.check("lab-check")
    except GoldsmithError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    said = [line.split(" ", 2)[-1] for line in log.read_text(encoding="utf-8").splitlines()]
    shown = [line for line in said if line.startswith(("ok", "---", "FAIL"))]
    sys.stdout.write("\n".join(shown or ["unchanged since its tests passed on this machine"]) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
