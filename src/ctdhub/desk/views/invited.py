"""Invitations: a second person confirms one; whoever was invited takes it up with link and code."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import record_authentication
from django import forms
from django.contrib.auth import login
from django.contrib.auth.password_validation import validate_password
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode

from ctdhub.core.format import isolated
from ctdhub.core.i18n import Text, _, current
from ctdhub.desk.accounts import invitations
from ctdhub.desk.accounts.factors import has_factor
from ctdhub.desk.accounts.names import NameField, PlainEmailField
from ctdhub.desk.allowed import Who, allowed, scope
from ctdhub.desk.errors import error_page
from ctdhub.desk.models.people import DeskAccount
from ctdhub.desk.registry import page
from ctdhub.desk.roles import role_name
from ctdhub.desk.walls import set_scope, set_token

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class CodeForm(forms.Form):
    """The code of whoever confirmed an invitation, where one is needed."""

    code = forms.CharField(
        max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"})
    )

    def __init__(self, *args: Any, found: Any, **kwargs: Any) -> None:
        self.found = found
        super().__init__(*args, **kwargs)
        if found.alone:
            del self.fields["code"]

    def clean_code(self) -> str:
        """The right one."""
        code = str(self.cleaned_data["code"])
        if not invitations.code_fits(self.found, code):
            raise forms.ValidationError(_("The code is not the one of this invitation."))
        return code


class TakeUpForm(CodeForm):
    """Name and password of whoever takes up an invitation, and the address that it lacks."""

    email = PlainEmailField()
    name = NameField()
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
        """Long enough, none of the common ones, and no heap of names."""
        named = DeskAccount(email=self.account.email, name=self.cleaned_data.get("name", ""))
        validate_password(self.cleaned_data["password"], named)
        return str(self.cleaned_data["password"])


def invitation(request: Any, token: str) -> HttpResponse:
    """Show what an invitation is for; take it up."""
    found = invitations.of_token(token)
    if found is None:
        return error_page(request, 404)
    set_scope(Who(organisation=found.organisation_id or ""))
    if not found.alone and found.confirmed is None:
        return _page(request, found, None, waits=True)
    account = DeskAccount.objects.filter(email=found.email).first()
    if account is not None and found.account is None:
        return _another_role(request, found, account)
    account = account or DeskAccount(email=found.email)
    given = request.POST if request.method == "POST" else None
    form = TakeUpForm(given, found=found, account=account, initial={"name": found.name})
    if request.method == "POST" and form.is_valid():
        found.email = found.email or form.cleaned_data["email"]
        taken = invitations.take_up(
            found, form.cleaned_data["name"], form.cleaned_data["password"], current()
        )
        request.first_visit = taken.first_visit
        login(request, taken, backend=_BACKEND)
        record_authentication(request, taken, method="password", reauthenticated=True)
        return HttpResponseRedirect(reverse("mfa_index"))
    return _page(request, found, form)


def _another_role(request: Any, found: Any, account: DeskAccount) -> HttpResponse:
    """Whoever has an account signs in first and then takes the other role."""
    if request.user != account:
        way = reverse("account_login")
        return HttpResponseRedirect(f"{way}?{urlencode({'next': request.path})}")
    set_scope(account.as_visitor())
    if invitations.role_excluded(account.email, found.role):
        return error_page(request, 409)
    form = CodeForm(request.POST if request.method == "POST" else None, found=found)
    if request.method == "POST" and (found.alone or form.is_valid()):
        set_token(found.token_sha256)
        invitations.use(found)
        invitations.give_role(found, account)
        return HttpResponseRedirect(reverse("home"))
    return _page(request, found, form)


def _page(request: Any, found: Any, form: Any, waits: bool = False) -> HttpResponse:
    values = {"title": Text("You are invited"), "invitation": found, "form": form, "waits": waits}
    status = 422 if form is not None and form.errors else 200
    return render(request, "desk/invitation.html", values, status=status)


def confirmation(request: Any, found: Any) -> HttpResponse:
    """A second person confirms an invitation and gets the code, or refuses it."""
    ready = found.used is None and found.cancelled is None and found.confirmed is None
    if not ready or found.alone or not invitations.may_confirm(found, request.user):
        return error_page(request, 409)
    if not has_factor(request.user):  # a contributor on its first visit
        return HttpResponseRedirect(reverse("mfa_index"))
    values: dict[str, Any] = {
        "title": Text("A new way in") if found.account else Text("Confirm an invitation"),
        "invitation": found,
        "code": None,
    }
    if request.method == "POST":
        try:
            if request.POST.get("act") == "refuse":
                invitations.refuse(found)
                return HttpResponseRedirect(reverse("home"))
            values["code"] = invitations.confirm(found, request.user)
        except Http404:
            return error_page(request, 409)
    return render(request, "desk/confirmation.html", values)


def waiting(who: Who) -> list[tuple[str, str, int | None]]:
    """Invitations and new ways in that somebody may confirm."""
    if not allowed(who, "invitation.confirm") or not invitations.any_waits():
        return []
    ours = invitations.waiting_ones().filter(scope(who, "invitation.confirm"))
    ours = ours.exclude(account=who.account).exclude(by=who.account)
    own = DeskAccount.objects.filter(pk=who.account).values("email")
    return [
        (
            _label(one).format(name=isolated(one.name), role=role_name(one.role)),
            reverse("confirm_invitation", kwargs={"id": one.pk}),
            None,
        )
        for one in ours.exclude(email__in=own)
    ]


def _label(one: Any) -> str:
    if one.account_id:
        return _("Confirm that {name} needs a new way in")
    return _("Confirm the invitation of {name}: {role}")


PAGES = [
    page(
        "accounts/invitation/<str:token>/",
        invitation,
        action="door.open",
        methods=("GET", "POST"),
        recorded=False,
    ),
    page(
        "invitations/<id>/confirm/",
        confirmation,
        action="invitation.confirm",
        of="Invitation",
        name="confirm_invitation",
        methods=("GET", "POST"),
    ),
]
