"""TOML files and the environment become frozen types, once; everything that is wrong is told at once."""

from goldsmith.config.describe import Row, as_json, describe
from goldsmith.config.effective import Effective
from goldsmith.config.loading import DEFAULT_IMAGE, load
from goldsmith.config.material import certificates
from goldsmith.config.sites import is_loopback, lab_at
from goldsmith.config.trust import stray

__all__ = [
    "DEFAULT_IMAGE",
    "Effective",
    "Row",
    "as_json",
    "certificates",
    "describe",
    "is_loopback",
    "lab_at",
    "load",
    "stray",
]
