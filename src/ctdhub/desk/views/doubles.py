"""Pairs that may be one person: what agrees, and a decision, without names."""

from __future__ import annotations

import re
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from ctdhub.core.errors import HubError
from ctdhub.core.i18n import Text
from ctdhub.desk.asking import ask_hub
from ctdhub.desk.models.people import DeskAccount
from ctdhub.desk.registry import page
from ctdhub.desk.views.hub_page import hub_page, wrong

_PAIR = re.compile("[0-9a-f]{32}")


def doubles(request: Any) -> HttpResponse:
    """Pairs to decide, undecided ones first."""
    names = {a.id.hex: a.name for a in DeskAccount.objects.all()}
    values = {"names": names, "me": request.who.account}
    return hub_page(request, "doubles", "desk/hub/doubles.html", values=values)


def decide_pair(request: Any) -> HttpResponse:
    """Write a decision; one that somebody made meanwhile is shown first."""
    pair, seen = str(request.POST.get("pair", "")), str(request.POST.get("seen", ""))
    same = str(request.POST.get("same", ""))
    if not _PAIR.fullmatch(pair) or not re.fullmatch(r"\d{1,3}", seen):
        raise Http404
    if same not in ("yes", "no", "unsure"):
        raise Http404
    try:
        ask_hub(request.who, "decide", pair=pair, same=same, seen=int(seen))
    except HubError as met:
        return wrong(request, met)
    return HttpResponseRedirect(reverse("doubles"))


PAGES = [
    page("doubles/", doubles, action="doubles.read", menu=Text("Doubles"), order=34),
    page("doubles/decide/", decide_pair, action="doubles.decide", methods=("POST",)),
]
