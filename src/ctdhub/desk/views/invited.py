"""Taking up an invitation: choose a password, then set up a second step."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from django import forms
from django.contrib.auth import login
from django.contrib.auth.password_validation import validate_password
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from ctdhub.core.i18n import Text, _, current
from ctdhub.desk.accounts import invitations
from ctdhub.desk.allowed import Who
from ctdhub.desk.errors import error_page
from ctdhub.desk.models.people import DeskAccount
from ctdhub.desk.registry import page
from ctdhub.desk.walls import set_scope, set_token

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class TakeUpForm(forms.Form):
    """Name and password of whoever takes up an invitation, and the address that it lacks."""

    email = forms.EmailField(max_length=254)
    name = forms.CharField(max_length=100)
    password = forms.CharField(
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, account: DeskAccount, **kwargs: Any) -> None:
        self.account = account
        super().__init__(*args, **kwargs)
        if account.email:
            del self.fields["email"]

    def clean_email(self) -> str:
        """An address that no account has."""
        email = str(self.cleaned_data["email"]).lower()
        if DeskAccount.objects.filter(email=email).exists():
            raise forms.ValidationError(_("Another account has this address."))
        return email

    def clean_password(self) -> str:
        """Long enough, and none of the common ones."""
        validate_password(self.cleaned_data["password"], self.account)
        return str(self.cleaned_data["password"])


def invitation(request: Any, token: str) -> HttpResponse:
    """Show what an invitation is for; take it up."""
    found = invitations.of_token(token)
    if found is None:
        return error_page(request, 404)
    set_scope(Who(organisation=found.organisation_id or ""))
    account = DeskAccount.objects.filter(email=found.email).first()
    if account is not None and found.account is None:
        return _another_role(request, found, account)
    account = account or DeskAccount(email=found.email)
    form = TakeUpForm(request.POST or None, account=account, initial={"name": found.name})
    if request.method == "POST" and form.is_valid():
        found.email = found.email or form.cleaned_data["email"]
        taken = invitations.take_up(
            found, form.cleaned_data["name"], form.cleaned_data["password"], current()
        )
        request.first_visit = taken.first_visit
        login(request, taken, backend=_BACKEND)
        record_authentication(request, taken, method="password", reauthenticated=True)
        return HttpResponseRedirect(reverse("mfa_index"))
    values = {"title": Text("You are invited"), "invitation": found, "form": form}
    return render(request, "desk/invitation.html", values, status=422 if form.errors else 200)


def _another_role(request: Any, found: Any, account: DeskAccount) -> HttpResponse:
    """Whoever has an account signs in first and then takes the other role."""
    if request.user != account:
        way = reverse("account_login")
        return HttpResponseRedirect(f"{way}?{urlencode({'next': request.path})}")
    if invitations.role_excluded(account.email, found.role):
        return error_page(request, 409)
    if request.method == "POST":
        set_token(found.token_sha256)
        invitations.use(found)
        invitations.give_role(found, account)
        return HttpResponseRedirect(reverse("home"))
    values = {"title": Text("You are invited"), "invitation": found, "form": None}
    return render(request, "desk/invitation.html", values)


def renewal(request: HttpRequest, found: Any) -> HttpResponse:
    """A second person confirms that somebody they know needs a new way in, and gets the link."""
    own = found.account is None or found.account == request.user
    if own or found.second is not None or found.used or found.cancelled:
        return error_page(request, 409)
    values: dict[str, Any] = {"title": Text("A new way in"), "invitation": found, "link": None}
    if request.method == "POST":
        token = invitations.confirm(found, request.user)
        values["link"] = request.build_absolute_uri(reverse("invitation", kwargs={"token": token}))
    return render(request, "desk/renewal.html", values)


def waiting(who: Who) -> list[tuple[str, str, int | None]]:
    """New ways in that somebody may confirm."""
    from ctdhub.desk.allowed import allowed, scope

    if not allowed(who, "invitation.confirm"):
        return []
    ours = invitations.open_ones().filter(scope(who, "invitation.confirm"), second=None)
    ours = ours.exclude(account=None).exclude(account=who.account)
    return [
        (
            _("Confirm that {name} needs a new way in").format(name=one.name),
            reverse("renewal", kwargs={"id": one.pk}),
            None,
        )
        for one in ours
    ]


PAGES = [
    page(
        "accounts/invitation/<str:token>/",
        invitation,
        action="door.open",
        methods=("GET", "POST"),
    ),
    page(
        "renewals/<id>/",
        renewal,
        action="invitation.confirm",
        of="Invitation",
        methods=("GET", "POST"),
    ),
]
