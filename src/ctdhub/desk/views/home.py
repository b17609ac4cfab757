"""The first page: what waits for whoever signed in."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from ctdhub.core.i18n import Text
from ctdhub.desk.registry import page


def home(request: Any) -> HttpResponse:
    """What waits for this account, and where to begin."""
    modules = import_module("ctdhub.desk.urls").MODULES
    asked = [module.waiting for module in modules if hasattr(module, "waiting")]
    waiting = [entry for ask in asked for entry in ask(request.who)]
    return render(request, "desk/home.html", {"title": Text("Home"), "waiting": waiting})


PAGES = [page("", home, action="home.read", menu=Text("Home"), order=0)]
