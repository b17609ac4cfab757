"""Accounts and invitations, for the administrator, who sees no case data.

What the administrator asks for waits for a second person; what ends something counts at once, and
everybody who holds a role of the hub gets a message.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from ctdhub.core.i18n import Text, _
from ctdhub.desk.accounts import invitations
from ctdhub.desk.accounts.factors import FACTORS
from ctdhub.desk.accounts.names import NameField, PlainEmailField
from ctdhub.desk.accounts.visits import end_visits
from ctdhub.desk.allowed import CONTRIBUTOR, ROLES
from ctdhub.desk.errors import error_page
from ctdhub.desk.mail import tell_hub
from ctdhub.desk.models.people import DeskAccount, Invitation, Organisation
from ctdhub.desk.registry import page
from ctdhub.desk.roles import role_name
from ctdhub.desk.trail import record


class InviteForm(forms.Form):
    """Whom to invite, and to what."""

    email = PlainEmailField()
    name = NameField()
    role = forms.ChoiceField(choices=[])
    organisation = forms.ModelChoiceField(Organisation.objects.none(), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role, role_name(role)) for role in ROLES]
        self.fields["organisation"].queryset = Organisation.objects.filter(lost=False)
        self.fields["organisation"].label_from_instance = lambda one: one.name
        self.fields["organisation"].empty_label = _("none: a role of the hub")

    def clean(self) -> dict[str, Any]:
        """A contributor has an organisation, nobody else has; roles that exclude each other."""
        given: dict[str, Any] = super().clean() or {}
        role, organisation = given.get("role"), given.get("organisation")
        if role and (role == CONTRIBUTOR) != (organisation is not None):
            self.add_error(
                "organisation", _("A contributor has an organisation; roles of the hub have none.")
            )
        email = str(given.get("email", "")).lower()
        if role and invitations.role_excluded(email, role):
            self.add_error(
                "role", _("This person holds the role already, or one that excludes it.")
            )
        return given


def accounts(request: HttpRequest) -> HttpResponse:
    """Who may sign in, in which roles, and how; open invitations."""
    held = DeskAccount.objects.prefetch_related("roles__organisation").order_by("name")
    proved = set(Authenticator.objects.filter(type__in=FACTORS).values_list("user_id", flat=True))
    values = {
        "title": Text("Accounts"),
        "accounts": [(account, account.id in proved) for account in held],
        "invitations": invitations.open_ones().select_related("organisation", "account"),
    }
    return render(request, "desk/accounts.html", values)


def invite(request: Any) -> HttpResponse:
    """Invite a person; the link is shown once, to be handed on by a way that one trusts."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        organisation = given["organisation"]
        asked = given["email"], given["name"], given["role"]
        return _asked(request, *asked, organisation.pk if organisation else None)
    values = {"title": Text("Invite a person"), "form": form, "lonely": invitations.founding()}
    return render(request, "desk/invite.html", values, status=422 if form.errors else 200)


def _asked(
    request: Any, email: str, name: str, role: str, organisation: str | None, account: Any = None
) -> HttpResponse:
    """The page with the link of an invitation, and what it waits for."""
    made, token = invitations.invite(
        email, name, role, organisation, by=request.user, account=account
    )
    record(request.who, "invitation.write", made)
    link = request.build_absolute_uri(reverse("invitation", kwargs={"token": token}))
    values = {
        "title": Text("A new way in") if account else Text("Invite a person"),
        "link": link,
        "alone": made.alone,
        "seconds": len(invitations.seconds(made)),
    }
    return render(request, "desk/invite.html", values)


def cancel(request: HttpRequest, found: Any) -> HttpResponse:
    """Take an invitation back."""
    Invitation.objects.filter(pk=found.pk, used=None).update(cancelled=timezone.now())
    return HttpResponseRedirect(reverse("accounts"))


def close(request: HttpRequest, account: Any) -> HttpResponse:
    """Close an account; all its visits end.  Not one's own.

    It opens again by a new way in, which a second person confirms.
    """
    if account == request.user or not account.is_active:
        return error_page(request, 409)
    account.is_active = False
    account.save(update_fields=["is_active"])
    end_visits(account)
    tell_hub("role_ended")
    return HttpResponseRedirect(reverse("accounts"))


def end_role(request: HttpRequest, held: Any) -> HttpResponse:
    """End a role of an account; all its visits end.  Not one's own."""
    if held.account == request.user:
        return error_page(request, 409)
    account = held.account
    held.delete()
    end_visits(account)
    tell_hub("role_ended")
    return HttpResponseRedirect(reverse("accounts"))


def end_all(request: HttpRequest, account: Any) -> HttpResponse:
    """End all visits of an account."""
    end_visits(account, but=request.session.session_key or "")
    return HttpResponseRedirect(reverse("accounts"))


def renew(request: Any, account: Any) -> HttpResponse:
    """Ask for a new way in for somebody who lost theirs; a second person must confirm it."""
    held = account.roles.first()
    if held is None or account == request.user:
        return error_page(request, 409)
    invitations.open_ones().filter(account=account).update(cancelled=timezone.now())
    asked = account.email, account.name, held.role, held.organisation_id
    return _asked(request, *asked, account=account)


_POST, _ACCOUNT = ("POST",), "DeskAccount"
PAGES = [
    page("accounts/", accounts, action="account.read", menu=Text("Accounts"), order=95),
    page(
        "accounts/invite/",
        invite,
        action="invitation.write",
        methods=("GET", "POST"),
        recorded=False,
    ),
    page(
        "invitations/<id>/cancel/",
        cancel,
        action="invitation.write",
        of="Invitation",
        name="cancel_invitation",
        methods=_POST,
    ),
    page(
        "accounts/<id>/close/",
        close,
        action="account.end",
        of=_ACCOUNT,
        name="close_account",
        methods=_POST,
    ),
    page(
        "accounts/<id>/end-visits/",
        end_all,
        action="account.end",
        of=_ACCOUNT,
        name="end_visits",
        methods=_POST,
    ),
    page(
        "accounts/<id>/renew/",
        renew,
        action="invitation.write",
        of=_ACCOUNT,
        name="renew_account",
        methods=_POST,
        recorded=False,
    ),
    page(
        "roles/<id>/end/",
        end_role,
        action="account.end",
        of="RoleHeld",
        name="end_role",
        methods=_POST,
    ),
]
