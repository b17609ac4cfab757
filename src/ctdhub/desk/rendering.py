"""Templates, styles and scripts of the desk and the kit, and names of roles in the reader's
language.
"""

import hashlib
import mimetypes
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import django_htmx
from django.apps import apps
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import json_script
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from ctdhub.core import format as formats
from ctdhub.core.i18n import Text, _, ngettext, said

# --------------------------------------------------------------------------------------------------
# Names of the roles, and of ways to sign in, in the reader's language.


def role_name(role: str) -> str:
    """A role of ``desk.allowed`` as it is written on pages."""
    return {
        "contributor": _("contributor"),
        "data_officer": _("data officer"),
        "steward": _("steward"),
        "privacy_officer": _("privacy officer"),
        "administrator": _("administrator"),
        "auditor": _("auditor"),
    }[role]


def role_names(roles: str) -> str:
    """Several roles, as an event has them."""
    return _(", ").join(role_name(role) for role in roles.split())


def way_to_confirm(way: str) -> str:
    """A way to confirm that it is you, by the name that django-allauth gives it."""
    return {
        "reauthenticate": _("with your password"),
        "mfa_reauthenticate": _("with a code"),
        "mfa_reauthenticate:webauthn": _("with a passkey"),
    }[way]


# --------------------------------------------------------------------------------------------------
# Styles and scripts, each at an address with its hash, so that browsers keep them for ever.
#
# Own files are those of ``desk/static``; the tokens of colour and size are those of all pages of
# ctdhub.

_HERE = Path(__file__).parent


@cache
def files() -> dict[str, Path]:
    """Files by name; those of passkeys where accounts are."""
    htmx = Path(django_htmx.__file__).parent / "static" / "django_htmx" / "htmx-2.min.js"
    paths = {
        "colours.css": Path(str(resources.files("ctdhub.document") / "data" / "colours.css")),
        "htmx.js": htmx,
    }
    if apps.is_installed("allauth.mfa"):
        scripts = Path(apps.get_app_config("mfa").path) / "static" / "mfa" / "js"
        paths |= {name: scripts / name for name in ("webauthn-json.js", "webauthn.js")}
    return paths | {path.name: path for path in (_HERE / "static").glob("*.*")}


@cache
def _content(name: str) -> tuple[bytes, str]:
    content = files()[name].read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:12]


def asset(name: str) -> str:
    """The address of a file.

    Raises:
        KeyError: there is none with this name.
    """
    return str(reverse("asset", kwargs={"mark": _content(name)[1], "name": name}))


def serve(request: HttpRequest, mark: str, name: str) -> HttpResponse:
    """A file, if this is the hash that it has."""
    if name not in files() or _content(name)[1] != mark:
        raise Http404
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = HttpResponse(_content(name)[0], content_type=f"{kind}; charset=utf-8")
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


# --------------------------------------------------------------------------------------------------
# A page made of a template.


def show_page(request: HttpRequest, template: str, title: Text, **values: Any) -> HttpResponse:
    """A page; its status is 422 where it says what is wrong.

    Args:
        values: of the template; ``problems`` of fields of a form, ``met`` an error of the product.
    """
    wrong = values.get("problems") or values.get("met")
    return render(request, template, {"title": title, **values}, status=422 if wrong else 200)


# --------------------------------------------------------------------------------------------------
# Templates: Jinja2 with our translations, standing before Django's own engine.
#
# So the pages of django-allauth are ours too.  Every text is escaped; a template that asks for a
# value that is not there fails.


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
        decimal=formats.decimal,
        isolated=formats.isolated,
    )
    made.filters.update(
        json_script=json_script, said=words, day=formats.day, moment=moment, bdi=bdi, coded=coded
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


def moment(value: datetime) -> Markup:
    """A point in time: day, hour and minute, UTC; ``times.js`` shows it in the reader's zone."""
    when = value.astimezone(UTC).isoformat()
    return Markup('<time datetime="{}">{} UTC</time>').format(when, formats.stamped(when))


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
