"""Accounts and invitations, for the administrator, who sees no case data."""

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
from ctdhub.desk.accounts.visits import end_visits
from ctdhub.desk.allowed import CONTRIBUTOR, ROLES
from ctdhub.desk.errors import error_page
from ctdhub.desk.models.people import DeskAccount, Invitation, Organisation
from ctdhub.desk.registry import page
from ctdhub.desk.roles import role_name


class InviteForm(forms.Form):
    """Whom to invite, and to what."""

    email = forms.EmailField(max_length=254)
    name = forms.CharField(max_length=100)
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


def invite(request: HttpRequest) -> HttpResponse:
    """Invite a person; the link is shown once, to be handed on by a way that one trusts."""
    form = InviteForm(request.POST or None)
    link = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        organisation = given["organisation"]
        _made, token = invitations.invite(
            given["email"],
            given["name"],
            given["role"],
            organisation.pk if organisation else None,
            by=request.user,
        )
        link = request.build_absolute_uri(reverse("invitation", kwargs={"token": token}))
    values = {"title": Text("Invite a person"), "form": form, "link": link}
    return render(request, "desk/invite.html", values, status=422 if form.errors else 200)


def cancel(request: HttpRequest, found: Any) -> HttpResponse:
    """Take an invitation back."""
    Invitation.objects.filter(pk=found.pk, used=None).update(cancelled=timezone.now())
    return HttpResponseRedirect(reverse("accounts"))


def close(request: HttpRequest, account: Any) -> HttpResponse:
    """Close an account, or open it again; all its visits end.  Not one's own."""
    if account == request.user:
        return error_page(request, 409)
    account.is_active = not account.is_active
    account.save(update_fields=["is_active"])
    end_visits(account)
    return HttpResponseRedirect(reverse("accounts"))


def end_all(request: HttpRequest, account: Any) -> HttpResponse:
    """End all visits of an account."""
    end_visits(account, but=request.session.session_key or "")
    return HttpResponseRedirect(reverse("accounts"))


def renew(request: HttpRequest, account: Any) -> HttpResponse:
    """Ask for a new way in for somebody who lost theirs; a second person must confirm it."""
    held = account.roles.first()
    if held is None or account == request.user:
        return error_page(request, 409)
    invitations.invite(
        account.email,
        account.name,
        held.role,
        held.organisation_id,
        by=request.user,
        account=account,
    )
    return HttpResponseRedirect(reverse("accounts"))


_POST, _ACCOUNT = ("POST",), "DeskAccount"
PAGES = [
    page("accounts/", accounts, action="account.read", menu=Text("Accounts"), order=95),
    page("accounts/invite/", invite, action="invitation.write", methods=("GET", "POST")),
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
    ),
]
