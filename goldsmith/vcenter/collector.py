"""Reading properties in bulk, and waiting for tasks: the two uses of vSphere's PropertyCollector."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from goldsmith.vcenter.faults import DEADLINE_SECONDS
from goldsmith.vcenter.sdk import vim, vmodl

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_PAGE = 500
"""Objects per answer: bounds the memory that a vCenter with 10,000 machines needs here."""
_SLICE_SECONDS = int(DEADLINE_SECONDS // 2)
"""How long one wait lasts: shorter than the deadline of a request."""


class Collector:
    """Reads leaf paths in one request for many objects.

    Reading ``vm.runtime`` object by object is slow, and fails altogether where
    a server leaves optional parts empty.
    """

    def __init__(self, content: Any) -> None:
        self._content = content

    def one(self, subject: Any, paths: Iterable[str]) -> dict[str, Any]:
        """Return those of *paths* that are set on one object."""
        return next((values for _, values in self.each([subject], paths)), {})

    def each(self, subjects: Sequence[Any], paths: Iterable[str]) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Yield objects of one type, with those of *paths* that are set on them."""
        if not subjects:
            return
        query = vmodl.query.PropertyCollector
        asked = query.FilterSpec(
            objectSet=[query.ObjectSpec(obj=subject) for subject in subjects],
            propSet=[query.PropertySpec(type=type(subjects[0]), pathSet=list(paths))],
        )
        yield from self._pages(asked)

    def every(
        self, top: Any, wanted: Mapping[Any, Iterable[str]], *, deep: bool = True
    ) -> Iterator[tuple[Any, dict[str, Any]]]:
        """Yield everything of the wanted types below *top*, with those of its properties that are set.

        Unless it goes *deep*, only what lies directly in *top* counts.
        """
        query = vmodl.query.PropertyCollector
        view = self._content.viewManager.CreateContainerView(top, list(wanted), recursive=deep)
        try:
            through = query.TraversalSpec(name="view", path="view", skip=False, type=vim.view.ContainerView)
            asked = query.FilterSpec(
                objectSet=[query.ObjectSpec(obj=view, skip=True, selectSet=[through])],
                propSet=[query.PropertySpec(type=kind, pathSet=list(paths)) for kind, paths in wanted.items()],
            )
            yield from self._pages(asked)
        finally:
            view.DestroyView()

    def finish(self, task: Any) -> Any:
        """Wait for *task* and return its result; raise its fault when it failed."""
        query = vmodl.query.PropertyCollector
        asked = query.FilterSpec(
            objectSet=[query.ObjectSpec(obj=task)],
            propSet=[query.PropertySpec(type=vim.Task, pathSet=["info.state"])],
        )
        # A collector of its own, so that waiting disturbs nobody else's filters.
        waiter = self._content.propertyCollector.CreatePropertyCollector()
        try:
            waiter.CreateFilter(asked, partialUpdates=True)
            version, state = "", ""
            while state not in ("success", "error"):
                # None means "nothing changed within this slice".
                update = waiter.WaitForUpdatesEx(version, query.WaitOptions(maxWaitSeconds=_SLICE_SECONDS))
                if update is not None:
                    version, state = update.version, _newest(update) or state
        finally:
            waiter.DestroyPropertyCollector()
        values = self.one(task, ("info.error", "info.result"))
        if state == "error":
            raise values["info.error"]
        return values.get("info.result")

    def changes(
        self, subjects: Sequence[Any], paths: Iterable[str], *, until: float
    ) -> Iterator[list[tuple[Any, dict[str, Any]]]]:
        """Yield what changes on objects of one type, all of it at first, until the monotonic time *until*."""
        query = vmodl.query.PropertyCollector
        asked = query.FilterSpec(
            objectSet=[query.ObjectSpec(obj=subject) for subject in subjects],
            propSet=[query.PropertySpec(type=type(subjects[0]), pathSet=list(paths))],
        )
        waiter = self._content.propertyCollector.CreatePropertyCollector()
        try:
            # Whole values, not parts of them: a list that grows arrives as the list.
            waiter.CreateFilter(asked, partialUpdates=False)
            version = ""
            while (left := until - time.monotonic()) > 0:
                patience = max(1, min(int(left), _SLICE_SECONDS))
                update = waiter.WaitForUpdatesEx(version, query.WaitOptions(maxWaitSeconds=patience))
                if update is not None:
                    version = update.version
                    yield [
                        (item.obj, {change.name: change.val for change in item.changeSet})
                        for part in update.filterSet
                        for item in part.objectSet
                    ]
        finally:
            waiter.DestroyPropertyCollector()

    def _pages(self, asked: Any) -> Iterator[tuple[Any, dict[str, Any]]]:
        collector = self._content.propertyCollector
        page = collector.RetrievePropertiesEx([asked], vmodl.query.PropertyCollector.RetrieveOptions(maxObjects=_PAGE))
        while page:
            for item in page.objects:
                _complain(item.missingSet or ())
                yield item.obj, {value.name: value.val for value in item.propSet or ()}
            page = collector.ContinueRetrievePropertiesEx(page.token) if page.token else None


def _complain(missing: Iterable[Any]) -> None:
    """Raise what a session's end leaves: the answer comes all the same, only every property is missing from it."""
    for one in missing:
        if isinstance(one.fault, vim.fault.NotAuthenticated):
            raise one.fault


def _newest(update: Any) -> str:
    changes = [change.val for part in update.filterSet for item in part.objectSet for change in item.changeSet]
    return str(changes[-1]) if changes else ""
