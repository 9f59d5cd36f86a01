"""pyVmomi under one roof; importing this module costs 0.3 s, so nobody does before a vCenter is needed.

Everything is ``Any`` on purpose: the published type stubs lack half of what is
used here and contradict the library where they do not.
"""

from __future__ import annotations

from typing import Any

import pyVmomi

_sdk: Any = pyVmomi
vim: Any = _sdk.vim
vmodl: Any = _sdk.vmodl
SoapStubAdapter: Any = _sdk.SoapStubAdapter


def reference(thing: Any) -> str:
    """Return a managed object's id, empty for none."""
    return "" if thing is None else str(thing._moId)  # noqa: SLF001 - pyVmomi has no public name for it


def stub_of(thing: Any) -> Any:
    """Return the connection a managed object speaks through."""
    return thing._stub  # noqa: SLF001 - pyVmomi has no public name for it
