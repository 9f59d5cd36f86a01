"""Every verb that an operator can type has its function, and every flag its field: nothing is declared twice."""

from __future__ import annotations

import inspect
import io
import signal
import sys
from dataclasses import fields
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from invoke.tasks import Task

import tasks
from goldsmith import errors
from goldsmith.host.redact import MASK, PROCESS
from goldsmith.tools import junit
from goldsmith.verbs import ending, output
from goldsmith.verbs.flags import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VERBS = {name: task for name, task in vars(tasks).items() if isinstance(task, Task)}


def given(task: Task[Any]) -> tuple[str, Request]:
    """Return the room whose function a verb calls, and the request it makes without any flag."""
    known = inspect.getclosurevars(task.body).nonlocals
    defaults: dict[str, Any] = {flag.name: () if flag.many else flag.default for flag in known["flags"]}
    return known["room"], Request(**defaults)


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_has_its_function(name: str) -> None:
    """It takes one request, and both of them say what it does."""
    room, _ = given(VERBS[name])
    function = getattr(import_module(f"goldsmith.verbs.{room}"), name)
    assert len(inspect.signature(function).parameters) == 1
    assert function.__doc__
    assert VERBS[name].__doc__


@pytest.mark.parametrize("name", VERBS)
def test_flags_that_are_not_given_are_the_requests_own_defaults(name: str) -> None:
    """A flag's default stands in tasks.py, a request's in flags.py: they are the same."""
    assert given(VERBS[name])[1] == Request()


def test_every_field_of_a_request_has_a_flag() -> None:
    """What no operator can ask for is no part of a request."""
    declared = {value.name for value in vars(tasks).values() if isinstance(value, tasks.Flag)}
    assert declared == {field.name for field in fields(Request)}


CANARY = "Kx7!tasks'<canary>&%"
FAMILIES = [
    family for family in vars(errors).values() if isinstance(family, type) and issubclass(family, errors.GoldsmithError)
]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[], object]], tuple[str, str]]]:
    """Return what carries out a verb, and returns what that wrote to stdout and stderr."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    room = ModuleType("goldsmith.verbs.imaginary")
    monkeypatch.setitem(sys.modules, room.__name__, room)
    PROCESS.add(CANARY)

    def run(verb: Callable[[], object]) -> tuple[str, str]:
        vars(room)["verb"] = lambda _request: verb()
        out, err = io.StringIO(), io.StringIO()
        monkeypatch.setattr(sys, "stdout", out)
        monkeypatch.setattr(sys, "stderr", err)
        try:
            ending.carry_out("imaginary", "verb", {}, looks=False)
        except Exception:  # noqa: BLE001 - as the interpreter shows a bug
            sys.excepthook(*sys.exc_info())
        return out.getvalue(), err.getvalue()

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("family", [*FAMILIES, RuntimeError])
def test_no_error_shows_a_secret(
    family: type[Exception], said: Callable[[Callable[[], object]], tuple[str, str]]
) -> None:
    """Wherever in an error it stands, and be it a bug: what was raised passes the filter."""

    def fail() -> None:
        if issubclass(family, errors.GoldsmithError):
            raise family(f"a {CANARY}", where=f"b {CANARY}", why=f"c {CANARY!r}", next=f"http://u:{CANARY}@host")
        raise family(CANARY)

    out, err = said(fail)
    assert CANARY not in out + err
    assert "canary" not in out + err
    assert MASK in err


def test_no_result_shows_a_secret(said: Callable[[Callable[[], object]], tuple[str, str]]) -> None:
    """Tables, JSON and lines on stdout pass the filter like errors, whoever is made to say it."""

    def show() -> None:
        [check] = junit.parse(f"<testsuite><testcase name='a'><skipped message={CANARY_XML}/></testcase></testsuite>")
        output.table(("a", "b"), [(CANARY, check.reason)])
        output.json({"a": CANARY, "b": check.reason})
        output.lines(f"a {CANARY}", "ftp://user:pass@host")

    out, err = said(show)
    assert "canary" not in out + err
    assert "user:pass" not in out
    assert out.count(MASK) == 6


CANARY_XML = '"Kx7!tasks\'&lt;canary&gt;&amp;%"'
