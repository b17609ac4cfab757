"""The first page: what waits for whoever signed in, and where things are."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from ctdhub.core.i18n import Text
from ctdhub.desk.registry import page
from ctdhub.desk.views.home_of_contributor import own_home
from ctdhub.desk.views.home_of_hub import cards


def home(request: Any) -> HttpResponse:
    """For a contributor its last file, agreement and reports; for the hub's roles an overview."""
    from ctdhub.desk import urls  # it reads this module first

    asked = [module.waiting for module in urls.MODULES if hasattr(module, "waiting")]
    waiting = [entry for ask in asked for entry in ask(request.who)]
    values: dict[str, Any] = {"title": Text("Home"), "waiting": waiting}
    if request.who.is_contributor:
        return render(request, "desk/home_of_contributor.html", values | own_home(request.who))
    return render(request, "desk/home.html", values | {"cards": cards(request.who)})


PAGES = [page("", home, action="home.read", menu=Text("Home"), order=0)]
