"""What a vCenter answers in bulk, read whole or not at all."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from goldsmith.vcenter.collector import Collector
from goldsmith.vcenter.sdk import vim


class Answers:
    """A property collector that knows its one page."""

    def __init__(self, *missing: Any) -> None:
        item = SimpleNamespace(obj="vm-1", propSet=None, missingSet=[SimpleNamespace(fault=fault) for fault in missing])
        self.page = SimpleNamespace(objects=[item], token=None)
        self.propertyCollector = self

    def RetrievePropertiesEx(self, _filters: Any, _options: Any) -> Any:  # noqa: N802 - vSphere's name
        """Answer."""
        return self.page


def read(*missing: Any) -> dict[str, Any]:
    """Read one property of a machine, for which the vCenter gives the reasons that it is missing."""
    return Collector(Answers(*missing)).one(vim.VirtualMachine("vm-1", None), ("snapshot",))


def test_what_is_not_set_is_left_out() -> None:
    """A property without a value, or one that the user may not read, is simply not there."""
    assert read() == {}
    assert read(vim.fault.NoPermission()) == {}


def test_a_session_that_ended_is_no_empty_answer() -> None:
    """A vCenter then answers with every property missing: taken for empty, a template would seem without snapshot."""
    with pytest.raises(vim.fault.NotAuthenticated):
        read(vim.fault.NotAuthenticated())
