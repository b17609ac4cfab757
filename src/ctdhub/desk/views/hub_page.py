"""How a page of the hub is made: ask, and show the document."""

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from ctdhub.core.i18n import Text, said
from ctdhub.desk.allowed import ASKS, allowed
from ctdhub.desk.channel import ask_hub
from ctdhub.desk.jobs import enqueue
from ctdhub.desk.models import Organisation
from ctdhub.desk.registry import page
from ctdhub.desk.rendering import show_page
from ctdhub.document.charts.pages import bar
from ctdhub.document.document import from_json

VERSION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}")


def hub_page(
    request: Any,
    ask: str,
    template: str = "desk/hub/page.html",
    above: Sequence[tuple[Text, str]] = (),
    values: dict[str, Any] | None = None,
    **keys: Any,
) -> HttpResponse:
    """Ask the hub and show its answer.

    Args:
        ask, keys: see ``desk.channel.ask_hub``.
        above: pages above this one: words and name of the page.
        values: further values of the template.
    """
    answer = ask_hub(request.who, ask, **keys)
    document = from_json(answer["document"])
    shown = {
        "title": Text("{title}", title=document.title),
        "d": document,
        "given": answer["given"],
        "bar": bar,
        "above": [(said(text), reverse(name)) for text, name in above],
        "error": None,
        **(values or {}),
    }
    return show_page(request, template, **shown)


def answer_page(path: str, ask: str, *shown: Any, name: str = "", **more: Any) -> Any:
    """An entry of the register for a page that is an answer of the hub and nothing else.

    Args:
        ask: of ``desk.allowed.ASKS``, which says what it is; the name of the page, if it has none.
        shown: template and pages above, see :func:`hub_page`.
        more: see ``desk.registry.DeskPage``.
    """

    def view(request: Any) -> HttpResponse:
        return hub_page(request, ask, *shown)

    return page(path, view, ASKS[ask].action, name=name or ask, **more)


def organisation_of(request: Any, key: str, action: str) -> Organisation:
    """The organisation with that id, if it is one of those that the account may do this to.

    Raises:
        Http404: it is not, or there is none.
    """
    organisation: Organisation | None = Organisation.objects.filter(id=key, lost=False).first()
    if organisation is None or not allowed(request.who, action, organisation):
        raise Http404
    return organisation


def hexadecimal(text: str) -> str:
    """The hexadecimal digits of a fingerprint, in whatever script and groups it is written."""
    latin = "".join(str(unicodedata.decimal(one, one)) for one in text[:200].lower())
    return re.sub("[^0-9a-f]", "", latin)


def begun(request: Any, what: str, lane: str, thing: Any = "", **arguments: Any) -> HttpResponse:
    """Put a job in and go to its page."""
    job = enqueue(what, lane, request.who, thing, arguments)
    return redirect("job", id=job.id)
