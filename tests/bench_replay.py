"""How long replaying an ISO takes beside ``cp`` of the same file: ``python -m tests.bench_replay [MEGABYTES]``."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from goldsmith.runner import Command
from goldsmith.stages import replay
from goldsmith.wiring import Session

_MEGABYTE = 1 << 20
_SCRIPT = """\
set -eu
cd "$1"
xorriso -as mkisofs -quiet -r -J -V BENCH -b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot \
 -boot-load-size 4 -boot-info-table -o vendor.iso tree
rm -r tree
"""


def measure(megabytes: int = 3072) -> dict[str, float]:
    """Return seconds for ``cp`` and for the replay of an ISO of about *megabytes*, and how they relate.

    Both read what was just written and end with the data on the disk; the better of two each.
    """
    session = Session.here()
    session.workspace.builds.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=session.workspace.builds, prefix="bench-") as name:
        folder = Path(name)
        _vendor(session, folder, megabytes)
        iso = folder / "vendor.iso"
        request = replay.Request(
            iso=iso.relative_to(session.workspace.root).as_posix(),
            words=("ks=floppy",),
            root=session.workspace.root,
            output=folder / "replayed.iso",
            epoch=1_700_000_000,
        )
        copied, replayed = [], []
        for _ in range(2):
            began = time.monotonic()
            session.runner.run(Command(argv=("cp", str(iso), str(folder / "copy.iso"))))
            os.sync()
            copied.append(time.monotonic() - began)
            (folder / "copy.iso").unlink()
            began = time.monotonic()
            replay.replayed(request, runner=session.runner, door=session.toolbox())
            os.sync()
            replayed.append(time.monotonic() - began)
            (folder / "replayed.part").unlink()
    cp, ours = min(copied), min(replayed)
    return {"megabytes": megabytes, "cp_seconds": cp, "replay_seconds": ours, "ratio": ours / cp}


def _vendor(session: Session, folder: Path, megabytes: int) -> None:
    tree = folder / "tree"
    for part in ("isolinux", "install", "pool"):
        (tree / part).mkdir(parents=True)
    (tree / "isolinux/isolinux.bin").write_bytes(bytes(4096))
    (tree / "isolinux/isolinux.cfg").write_text(
        "label i\n kernel /install/vmlinuz\n append initrd=/install/initrd.gz\n"
    )
    for number in range(megabytes // 64):
        with (tree / f"pool/{number}").open("wb") as file:
            block = os.urandom(_MEGABYTE)
            for _ in range(64):
                file.write(block)
    inside = folder.relative_to(session.workspace.root).as_posix()
    session.runner.run(session.toolbox().command(("sh", "-c", _SCRIPT, "bench", inside)))
    shutil.rmtree(tree, ignore_errors=True)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 3072), indent=1) + "\n")
