"""Writes the reviewed copies of the rendered answers anew: ``python -m tests.record_answers``, then ``git diff``."""

from __future__ import annotations

import shutil

from goldsmith.model import Guests
from tests.unit.installers.preseed.test_rendering import FULL, RECORDED, rendered

if __name__ == "__main__":
    for name, guests in (("full", FULL), ("plain", Guests())):
        folder = RECORDED / "answers" / name
        shutil.rmtree(folder, ignore_errors=True)
        for file, text in rendered(guests).items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
