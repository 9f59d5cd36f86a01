"""pyVmomi under one roof; importing this module costs 0.3 s, so nobody does before a vCenter is needed.

Everything is ``Any`` on purpose: the published type stubs lack half of what is
used here and contradict the library where they do not.
"""

from __future__ import annotations

import sys
from typing import Any, cast

for _name in ("eam", "pbm", "sms", "vsanhealth", "vslm"):
    # Descriptions of services that are never asked: pyVmomi goes without those it cannot import.
    sys.modules.setdefault(f"pyVmomi._typeinfo_{_name}", cast("Any", None))

import pyVmomi  # noqa: E402 - after what it is to go without

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
