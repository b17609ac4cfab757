"""The page that a link of the demo leads to; in a desk that is no demo there is none."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from ctdhub.core.i18n import Text
from ctdhub.desk.config import current
from ctdhub.desk.demo import account_of
from ctdhub.desk.models.people import DeskAccount
from ctdhub.desk.registry import page

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def demo(request: HttpRequest, token: str) -> HttpResponse:
    """Say whose link it is; sign in with it once the button was pressed."""
    using = request.method == "POST"
    key = account_of(current(), token, use=using)
    account: Any = DeskAccount.objects.filter(id=key).first() if key else None
    if account is None:
        raise Http404
    if using:
        login(request, account, backend=_BACKEND)
        return HttpResponseRedirect(reverse("home"))
    return render(request, "desk/demo.html", {"title": Text("Demo"), "account": account})


PAGES = [
    page("demo/<str:token>/", demo, action="door.open", name="demo", methods=("GET", "POST"),
         recorded=False),
]  # fmt: skip
