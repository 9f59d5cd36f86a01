"""Every verb that an operator can type has its function, and every flag its field: nothing is declared twice."""

from __future__ import annotations

import inspect
from dataclasses import fields
from importlib import import_module
from typing import Any

import pytest
from invoke.tasks import Task

import tasks
from goldsmith.verbs.flags import Request

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
