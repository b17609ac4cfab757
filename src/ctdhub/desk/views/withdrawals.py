"""Withdrawals: the register, and a contributor that withdraws with all its records."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse

from ctdhub.core.i18n import Text
from ctdhub.desk.kept_until import day_of
from ctdhub.desk.models.deliveries import withdrawals_asked
from ctdhub.desk.registry import page
from ctdhub.desk.views.hub_page import begun, hub_page, organisation_of

REASONS = ("asked", "consent", "agreement", "mistake", "other")


def withdrawals(request: Any) -> HttpResponse:
    """The register; a contributor sees its own lines alone."""
    of: dict[str, Any] = {"id": request.who.organisation} if request.who.is_contributor else {}
    asked = [] if of else withdrawals_asked().select_related("organisation")
    values = {"asked": list(asked), "day_of": day_of}
    return hub_page(request, "withdrawals", "desk/hub/withdrawals.html", values=values, **of)


def withdraw_contributor(request: Any) -> HttpResponse:
    """A contributor withdraws: its files are read no more; published releases stay."""
    key, reason = str(request.POST.get("key", "")), str(request.POST.get("reason", ""))
    organisation_of(request, key, "agreement.read")
    if reason not in REASONS or request.POST.get("sure") != "yes":
        raise Http404
    return begun(request, "withdraw", "build", key, contributor=key, reason=reason)


PAGES = [
    page("withdrawals/", withdrawals, action="withdrawal.read", menu=Text("Withdrawals"), order=60),
    page(
        "withdrawals/contributor/",
        withdraw_contributor,
        action="withdrawal.carry_out",
        methods=("POST",),
    ),
]
