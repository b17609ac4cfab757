"""Templates: Jinja2 with our translations, standing before Django's own engine.

So the pages of django-allauth are ours too.  Every text is escaped; a template that asks for a
value that is not there fails.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.urls import reverse
from django.utils.html import json_script
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from ctdhub.core import format as formats
from ctdhub.core.i18n import (
    Text,
    _,
    current,
    ngettext,
    said,
)
from ctdhub.desk.assets import asset
from ctdhub.desk.roles import role_name, role_names, way_to_confirm


def environment(**options: Any) -> Environment:
    """The environment of the desk's templates, and of the kit's."""
    made = Environment(  # noqa: S701 (autoescape is set)
        **options | {"autoescape": True, "undefined": StrictUndefined},
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        _=_,
        ngettext=ngettext,
        said=said,
        Text=Text,
        role_name=role_name,
        roles=role_names,
        url=address,
        asset=asset,
        number=formats.number,
        picture=Markup,
        way_to_confirm=way_to_confirm,
        exact=formats.exact,
    )
    made.filters.update(
        json_script=json_script, said=words, day=day, moment=moment, bdi=bdi, coded=coded
    )
    return made


def address(name: str, **parts: Any) -> str:
    """The address of a page by its name; a row may be given where its key is asked for."""
    return str(reverse(name, kwargs={k: getattr(v, "pk", v) for k, v in parts.items()}))


def words(text: Text | dict[str, Any] | str) -> str:
    """A Text in the reader's language, also one that is JSON; a plain text as it is."""
    if isinstance(text, str):
        return text
    return said(text if isinstance(text, Text) else Text.from_json(text))


def day(value: date) -> str:
    """A day in the long form of the language."""
    from babel.dates import format_date

    return str(format_date(value, "long", locale=current()))


def moment(value: datetime) -> str:
    """A point in time: day, hour and minute, UTC."""
    from babel.dates import format_datetime, get_timezone

    text = format_datetime(value, "d MMMM y, HH:mm", tzinfo=get_timezone("UTC"), locale=current())
    return f"{text} UTC"


def coded(text: str) -> Markup:
    """A text whose `commands` stand in backticks."""
    parts = text.split("`")
    marked = [
        Markup('<code dir="ltr">{}</code>').format(part) if i % 2 else escape(part)
        for i, part in enumerate(parts)
    ]
    return Markup("").join(marked)


def bdi(value: object) -> Markup:
    """A name, a code or a number that keeps its own direction."""
    return Markup("<bdi>{}</bdi>").format(escape(value))
