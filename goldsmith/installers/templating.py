"""Renders the templates of answers: strict about names, plain about text."""

from __future__ import annotations

import functools
import shlex
from typing import TYPE_CHECKING, Any

from goldsmith.errors import CheckError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from jinja2 import Environment


def render(folder: Path, template: str, context: Mapping[str, Any], **filters: Callable[[str], str]) -> str:
    """Return *template* below *folder*, rendered; ``sh`` quotes a value for a shell, as *filters* do for others.

    Raises ``CheckError`` when the template uses a name that is not in *context*, or is no template.
    """
    import jinja2

    try:
        return _environment(folder, tuple(sorted(filters.items()))).get_template(template).render(context)
    except jinja2.TemplateError as error:
        line = getattr(error, "lineno", None)
        raise CheckError(
            "a template of the answers cannot be rendered",
            where=f"kickstart/{folder.name}/{template}" + (f":{line}" if line else ""),
            why=str(error),
            next="correct the template",
        ) from error


@functools.cache  # compiling the templates takes longer than rendering them
def _environment(folder: Path, filters: tuple[tuple[str, Callable[[str], str]], ...]) -> Environment:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - no HTML; values are restricted by goldsmith.model and quoted by filters
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"sh": shlex.quote, **dict(filters)}
    return environment
