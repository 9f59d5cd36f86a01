"""Images of each installer, as the repository has them."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from goldsmith.model import Image, Placement, Site

ROOT = Path(__file__).resolve().parents[3]
PLACEMENT = Placement(datacenter="a", cluster="b", datastore="c", network="d")
SITE = Site(name="oslo", server="vcenter.example.com", placement=PLACEMENT)


def image(name: str, **changes: Any) -> Image:
    """Return an image of ``config/images``, with some of its keys changed."""
    values = tomllib.loads((ROOT / f"config/images/{name}.toml").read_text(encoding="utf-8"))
    for key, value in changes.items():
        values[key] = {**values.get(key, {}), **value} if isinstance(value, dict) else value
    return Image.model_validate({"name": name, **values})
