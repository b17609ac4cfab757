"""The privacy-budget ledger: all of it for those who answer for it, what is public for others."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from ctdhub.core.i18n import Text
from ctdhub.desk.registry import page
from ctdhub.desk.views.hub_page import hub_page


def ledger(request: Any) -> HttpResponse:
    """What was spent and what is left."""
    return hub_page(request, "ledger")


PAGES = [page("ledger/", ledger, action="ledger.account", menu=Text("Ledger"), order=70)]
