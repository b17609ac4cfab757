"""Texts of reports as templates, in the language in force: a line of a template is a paragraph."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from ctdhub.core.format import (
    clock,
    day,
    decimal,
    exact,
    inline,
    isolated,
    listed,
    number,
    set_apart,
    share,
    share_ranged,
    span,
    tiny,
    year,
)
from ctdhub.core.i18n import _, formula, ngettext

WORDS = (
    _, ngettext, clock, day, decimal, exact, formula, inline, isolated, listed, number, set_apart,
    share, share_ranged, span, tiny, year,
)  # fmt: skip
"""What every template may call by its name."""
Called = TypeVar("Called", bound=Callable[..., Any])


@cache
def templates() -> Environment:
    """The templates of this room."""
    found = Environment(
        loader=PackageLoader("ctdhub.report"),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters["isolated"] = isolated
    found.globals |= {word.__name__: word for word in WORDS}
    return found


def paragraphs(template: str, part: str, /, *values: object, **named: object) -> tuple[str, ...]:
    """What a part of a template says: its lines, without those that are empty.

    Args:
        template: name of the file.
        part: of its macros.
        values, named: what the macro takes.
    """
    said: str = getattr(templates().get_template(template).module, part)(*values, **named)
    return tuple(line.strip(" ") for line in said.split("\n") if line.strip(" "))


def paragraph(template: str, part: str, /, *values: object, **named: object) -> str:
    """The same as one paragraph; empty where the part says nothing."""
    return " ".join(paragraphs(template, part, *values, **named))


def word(function: Called) -> Called:
    """Let every template call a function by its name."""
    templates().globals[function.__name__] = function
    return function
