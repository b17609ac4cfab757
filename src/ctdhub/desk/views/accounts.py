"""Accounts, roles and invitations: for the administrator, for whoever is invited, for oneself."""

import unicodedata
from typing import Any

from allauth.account import views as account_pages
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.base import views as factors
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.usersessions import views as sessions
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib.auth import login
from django.contrib.auth.password_validation import validate_password
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme, urlencode

from ctdhub.core.errors import printable
from ctdhub.core.format import isolated
from ctdhub.core.i18n import LANGUAGES, Text, _, current
from ctdhub.desk import allowed as rights
from ctdhub.desk.accounts import invitations
from ctdhub.desk.accounts.signing_in import FACTORS, end_visits, has_factor
from ctdhub.desk.config import current as current_desk
from ctdhub.desk.demo import account_of
from ctdhub.desk.errors import error_page
from ctdhub.desk.mail import tell_hub
from ctdhub.desk.middleware import LANGUAGE_COOKIE
from ctdhub.desk.models import DeskAccount, Invitation, Organisation, RoleHeld
from ctdhub.desk.registry import BOTH, POST, page
from ctdhub.desk.rendering import role_name, show_page
from ctdhub.desk.trail import record
from ctdhub.desk.walls import set_scope, set_token

# --------------------------------------------------------------------------------------------------
# Names and addresses of people as others are shown them: what is seen is all that there is.

_JOINERS = "\u200c\u200d"
"""Signs without a form of their own that names in some scripts are written with."""


class NameField(forms.CharField):
    """A person's name, without signs that turn or hide other text."""

    def to_python(self, value: Any) -> str:
        """The name in one spelling, on one line."""
        text = unicodedata.normalize("NFC", str(value or ""))
        kept = (c if c in _JOINERS or c.isspace() or _has_glyph(c) else "" for c in text)
        return super().to_python(" ".join("".join(kept).split()))  # type: ignore[no-any-return]

    def validate(self, value: Any) -> None:
        """At least one letter or digit, and no letter under a heap of marks.

        Raises:
            ValidationError: it has none, or three marks in a row.
        """
        super().validate(value)
        kinds = "".join(unicodedata.category(c)[0] for c in value)
        if not set(kinds) & {"L", "N"} or "MMM" in kinds:
            raise forms.ValidationError(_("Write the name in letters."))


class PlainEmailField(forms.EmailField):
    """An e-mail address in ASCII: letters of other alphabets that look alike make none."""

    def validate(self, value: Any) -> None:
        """ASCII alone.

        Raises:
            ValidationError: it has another letter.
        """
        super().validate(value)
        if not str(value).isascii():
            raise forms.ValidationError(
                _(
                    "Write the e-mail address in letters from a to z, its domain as xn--… "
                    "if need be."
                )
            )


def _has_glyph(sign: str) -> bool:
    return sign == "·" or printable(sign) != "·"


# --------------------------------------------------------------------------------------------------
# Accounts and invitations, for the administrator, who sees no case data.
#
# What the administrator asks for waits for a second person; what ends something counts at once, and
# everybody who holds a role of the hub gets a message.


class InviteForm(forms.Form):
    """Whom to invite, and to what."""

    email = PlainEmailField(max_length=254)
    name = NameField(max_length=100)
    role = forms.ChoiceField(choices=[])
    organisation = forms.ModelChoiceField(Organisation.objects.none(), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(role, role_name(role)) for role in rights.ROLES]
        self.fields["organisation"].queryset = Organisation.objects.filter(lost=False)
        self.fields["organisation"].label_from_instance = lambda one: one.local_name
        self.fields["organisation"].empty_label = _("none: a role of the hub")

    def clean(self) -> dict[str, Any]:
        """A contributor has an organisation, nobody else has; roles that exclude each other."""
        fields: dict[str, Any] = super().clean() or {}
        role, organisation = fields.get("role"), fields.get("organisation")
        if role and (role == rights.CONTRIBUTOR) != (organisation is not None):
            self.add_error(
                "organisation", _("A contributor has an organisation; roles of the hub have none.")
            )
        email = str(fields.get("email", "")).lower()
        if role and invitations.role_excluded(email, role):
            self.add_error(
                "role", _("This person holds the role already, or one that excludes it.")
            )
        return fields


def accounts(request: HttpRequest) -> HttpResponse:
    """Who may sign in, in which roles, and how; open invitations."""
    rows = DeskAccount.objects.prefetch_related("roles__organisation").order_by("name")
    proved = set(Authenticator.objects.filter(type__in=FACTORS).values_list("user_id", flat=True))
    return show_page(
        request,
        "desk/accounts.html",
        Text("Accounts"),
        accounts=[(account, account.id in proved) for account in rows],
        invitations=invitations.open_ones().select_related("organisation", "account"),
    )


def invite(request: Any) -> HttpResponse:
    """Invite a person; the link is shown once, to be handed on by a way that one trusts."""
    form = InviteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        fields = form.cleaned_data
        organisation = fields["organisation"]
        asked = fields["email"], fields["name"], fields["role"]
        return _link_page(request, *asked, organisation.pk if organisation else None)
    title, lonely = Text("Invite a person"), invitations.founding()
    shown = {"form": form, "problems": form.errors, "lonely": lonely}
    return show_page(request, "desk/invite.html", title, **shown)


def _link_page(
    request: Any, email: str, name: str, role: str, organisation: str | None, account: Any = None
) -> HttpResponse:
    """The page with the link of an invitation, and what it waits for."""
    made, token = invitations.invite(
        email, name, role, organisation, by=request.user, account=account
    )
    record(request.who, "invitation.write", made)
    link = request.build_absolute_uri(reverse("invitation", kwargs={"token": token}))
    title = Text("A new way in") if account else Text("Invite a person")
    values = {"link": link, "alone": made.alone, "seconds": len(invitations.seconds(made))}
    return show_page(request, "desk/invite.html", title, **values)


def cancel_invitation(request: HttpRequest, offer: Any) -> HttpResponse:
    """Take an invitation back."""
    Invitation.objects.filter(pk=offer.pk, used=None).update(cancelled=timezone.now())
    return redirect("accounts")


def close_account(request: HttpRequest, account: Any) -> HttpResponse:
    """Close an account; all its visits end.  Not one's own.

    It opens again by a new way in, which a second person confirms.
    """
    if account == request.user or not account.is_active:
        return error_page(request, 409)
    account.is_active = False
    account.save(update_fields=["is_active"])
    end_visits(account)
    tell_hub("role_ended")
    return redirect("accounts")


def end_role(request: HttpRequest, role: Any) -> HttpResponse:
    """End a role of an account; all its visits end.  Not one's own."""
    if role.account == request.user:
        return error_page(request, 409)
    account = role.account
    role.delete()
    end_visits(account)
    tell_hub("role_ended")
    return redirect("accounts")


def end_visits_of(request: HttpRequest, account: Any) -> HttpResponse:
    """End all visits of an account."""
    end_visits(account, but=request.session.session_key or "")
    return redirect("accounts")


def renew_account(request: Any, account: Any) -> HttpResponse:
    """Ask for a new way in for somebody who lost theirs; a second person must confirm it."""
    role = account.roles.first()
    if role is None or account == request.user:
        return error_page(request, 409)
    invitations.open_ones().filter(account=account).update(cancelled=timezone.now())
    asked = account.email, account.name, role.role, role.organisation_id
    return _link_page(request, *asked, account=account)


# --------------------------------------------------------------------------------------------------
# One's own account: who one is, how one signs in, in which language.

_YEAR = 365 * 24 * 3600


def own_account(request: HttpRequest) -> HttpResponse:
    """Name, roles, factors and sign-ins of whoever is signed in."""
    factors = Authenticator.objects.filter(user=request.user)
    return show_page(
        request,
        "desk/own_account.html",
        Text("Your account"),
        roles_held=request.user.roles.select_related("organisation"),
        passkeys=[f for f in factors if f.type == Authenticator.Type.WEBAUTHN],
        app=any(f.type == Authenticator.Type.TOTP for f in factors),
        codes=any(f.type == Authenticator.Type.RECOVERY_CODES for f in factors),
        visits=UserSession.objects.filter(user=request.user).count(),
    )


def language(request: HttpRequest) -> HttpResponse:
    """Read on in another language; of an account it is kept."""
    code, way = request.POST.get("language", ""), request.POST.get("next", "/")
    if not way.startswith("/") or not url_has_allowed_host_and_scheme(way, allowed_hosts=None):
        way = reverse("home")
    response = HttpResponseRedirect(way)
    if code in LANGUAGES:
        if request.user.is_authenticated and request.user.language != code:
            request.user.language = code
            request.user.save(update_fields=["language"])
        response.set_cookie(
            LANGUAGE_COOKIE, code, max_age=_YEAR, secure=True, httponly=True, samesite="Lax"
        )
    return response


# --------------------------------------------------------------------------------------------------
# Who holds which role of the hub, who asked for it and who confirmed it: for all of the hub.


def people(request: HttpRequest) -> HttpResponse:
    """The list with the invitation that gave each role, and what the hub lacks."""
    roles = RoleHeld.objects.filter(role__in=sorted(rights.HUB_ROLES)).select_related("account")
    offers = Invitation.objects.filter(used__isnull=False, account=None)
    by_role = {
        (one.email, one.role): one for one in offers.select_related("by", "second").order_by("used")
    }
    roles = list(roles.order_by("role", "account__name"))
    active = [one for one in roles if one.account.is_active]
    return show_page(
        request,
        "desk/people.html",
        Text("People"),
        lines=[(one, by_role.get((one.account.email, one.role))) for one in roles],
        others=len({one.account_id for one in active if one.role != rights.ADMINISTRATOR}),
        approvable={rights.STEWARD, rights.PRIVACY_OFFICER} <= {one.role for one in active},
    )


# --------------------------------------------------------------------------------------------------
# Invitations: a second person confirms one; whoever was invited takes it up with link and code.

_BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class CodeForm(forms.Form):
    """The code of whoever confirmed an invitation, where one is needed."""

    code = forms.CharField(
        max_length=40, widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "ltr"})
    )

    def __init__(self, *args: Any, offer: Any, **kwargs: Any) -> None:
        self.offer = offer
        super().__init__(*args, **kwargs)
        if offer.alone:
            del self.fields["code"]

    def clean_code(self) -> str:
        """The right one."""
        code = str(self.cleaned_data["code"])
        if not invitations.code_fits(self.offer, code):
            raise forms.ValidationError(_("The code is not the one of this invitation."))
        return code


class TakeUpForm(CodeForm):
    """Name and password of whoever takes up an invitation, and the address that it lacks."""

    email = PlainEmailField(max_length=254)
    name = NameField(max_length=100)
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
    offer = invitations.of_token(token)
    if offer is None:
        return error_page(request, 404)
    set_scope(rights.Who(organisation=offer.organisation_id or ""))
    if not offer.alone and offer.confirmed is None:
        return _page(request, offer, None, waits=True)
    account = DeskAccount.objects.filter(email=offer.email).first()
    if account is not None and offer.account is None:
        return _another_role(request, offer, account)
    account = account or DeskAccount(email=offer.email)
    post = request.POST if request.method == "POST" else None
    form = TakeUpForm(post, offer=offer, account=account, initial={"name": offer.name})
    if request.method == "POST" and form.is_valid():
        offer.email = offer.email or form.cleaned_data["email"]
        taken = invitations.take_up(
            offer, form.cleaned_data["name"], form.cleaned_data["password"], current()
        )
        request.first_visit = taken.first_visit
        login(request, taken, backend=_BACKEND)
        record_authentication(request, taken, method="password", reauthenticated=True)
        return redirect("mfa_add_webauthn")
    return _page(request, offer, form)


def _another_role(request: Any, offer: Any, account: DeskAccount) -> HttpResponse:
    """Whoever has an account signs in first and then takes the other role."""
    if request.user != account:
        return redirect(f"{reverse('account_login')}?{urlencode({'next': request.path})}")
    set_scope(account.as_visitor())
    if invitations.role_excluded(account.email, offer.role):
        return error_page(request, 409)
    form = CodeForm(request.POST if request.method == "POST" else None, offer=offer)
    if request.method == "POST" and (offer.alone or form.is_valid()):
        set_token(offer.token_sha256)
        invitations.use(offer)
        invitations.give_role(offer, account)
        return redirect("home")
    return _page(request, offer, form)


def _page(request: Any, offer: Any, form: Any, waits: bool = False) -> HttpResponse:
    values = {"invitation": offer, "form": form, "waits": waits}
    problems = form.errors if form is not None else None
    title = Text("You are invited")
    return show_page(request, "desk/invitation.html", title, problems=problems, **values)


def confirm_invitation(request: Any, offer: Any) -> HttpResponse:
    """A second person confirms an invitation and gets the code, or refuses it."""
    ready = offer.used is None and offer.cancelled is None and offer.confirmed is None
    if not ready or offer.alone or not invitations.may_confirm(offer, request.user):
        return error_page(request, 409)
    if not has_factor(request.user):  # a contributor on its first visit
        return redirect("mfa_index")
    title = Text("A new way in") if offer.account else Text("Confirm an invitation")
    code = None
    if request.method == "POST":
        try:
            if request.POST.get("act") == "refuse":
                invitations.refuse(offer)
                return redirect("home")
            code = invitations.confirm(offer, request.user)
        except Http404:
            return error_page(request, 409)
    return show_page(request, "desk/confirmation.html", title, invitation=offer, code=code)


def waiting(who: rights.Who) -> list[tuple[str, str, int | None]]:
    """Invitations and new ways in that somebody may confirm."""
    if not rights.allowed(who, "invitation.confirm") or not invitations.waiting_ones().exists():
        return []
    ours = invitations.waiting_ones().filter(rights.scope(who, "invitation.confirm"))
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


# --------------------------------------------------------------------------------------------------
# The page that a link of the demo leads to; in a desk that is no demo there is none.


def demo(request: HttpRequest, token: str) -> HttpResponse:
    """Say whose link it is; sign in with it once the button was pressed."""
    using = request.method == "POST"
    key = account_of(current_desk(), token, use=using)
    account: Any = DeskAccount.objects.filter(id=key).first() if key else None
    if account is None:
        raise Http404
    if using:
        login(request, account, backend=_BACKEND)
        return redirect("home")
    return show_page(request, "desk/demo.html", Text("Demo"), account=account)


# --------------------------------------------------------------------------------------------------
# Signing in and one's own account: the pages of django-allauth that are in use.
#
# Signing up, resetting a password by e-mail and changing an e-mail address are not: a lost way in
# is given anew by an invitation.

_DOOR, _SELF = "door.open", "account.self"


def by_invitation(request: HttpRequest) -> HttpResponse:
    """Nobody signs up: the page that says so is the one to sign in on."""
    return redirect("account_login")


def change_password(request: Any) -> HttpResponse:
    """A new password; an account that never had one is opened by passkey or a demo's link."""
    if not request.user.has_usable_password():
        return redirect("own_account")
    answer: HttpResponse = account_pages.password_change(request)
    return answer


def _door(
    path: str, view: Any, name: str, action: str = _SELF, methods: tuple[str, ...] = BOTH
) -> Any:
    """A page of the door; what happens there is written to the trail by ``accounts.signing_in``."""
    return page(f"accounts/{path}", view, action, methods, name=name, recorded=False)


PAGES = [
    _door("login/", account_pages.login, "account_login", _DOOR),
    _door("logout/", account_pages.logout, "account_logout", _DOOR, ("POST",)),
    _door("inactive/", account_pages.account_inactive, "account_inactive", _DOOR),
    _door("signup/", by_invitation, "account_signup", _DOOR, ("GET",)),
    _door("reauthenticate/", account_pages.reauthenticate, "account_reauthenticate"),
    _door("password/change/", change_password, "account_change_password"),
    _door("2fa/", factors.index, "mfa_index"),
    _door("2fa/authenticate/", factors.authenticate, "mfa_authenticate", _DOOR),
    _door("2fa/reauthenticate/", factors.reauthenticate, "mfa_reauthenticate"),
    _door("2fa/totp/activate/", totp.activate_totp, "mfa_activate_totp"),
    _door("2fa/totp/deactivate/", totp.deactivate_totp, "mfa_deactivate_totp"),
    _door("2fa/codes/", codes.view_recovery_codes, "mfa_view_recovery_codes"),
    _door("2fa/codes/generate/", codes.generate_recovery_codes, "mfa_generate_recovery_codes"),
    _door("2fa/passkeys/", passkeys.list_webauthn, "mfa_list_webauthn"),
    _door("2fa/passkeys/add/", passkeys.add_webauthn, "mfa_add_webauthn"),
    _door("2fa/passkeys/login/", passkeys.login_webauthn, "mfa_login_webauthn", _DOOR),
    _door(
        "2fa/passkeys/reauthenticate/",
        passkeys.reauthenticate_webauthn,
        "mfa_reauthenticate_webauthn",
    ),
    _door("2fa/passkeys/<int:pk>/remove/", passkeys.remove_webauthn, "mfa_remove_webauthn"),
    _door("2fa/passkeys/<int:pk>/edit/", passkeys.edit_webauthn, "mfa_edit_webauthn"),
    _door("sessions/", sessions.list_usersessions, "usersessions_list"),
    page("account/", own_account, "account.self"),
    page("language/", language, "door.open", POST, recorded=False),
    page("accounts/", accounts, "account.read", menu=Text("Accounts"), order=91),
    page("accounts/invite/", invite, "invitation.write", BOTH, recorded=False),
    page("invitations/<Invitation>/cancel/", cancel_invitation, "invitation.write", POST),
    page("accounts/<DeskAccount>/close/", close_account, "account.end", POST),
    page("accounts/<DeskAccount>/end-visits/", end_visits_of, "account.end", POST, "end_visits"),
    page("accounts/<DeskAccount>/renew/", renew_account, "invitation.write", POST, recorded=False),
    page("roles/<RoleHeld>/end/", end_role, "account.end", POST),
    page("accounts/invitation/<str:token>/", invitation, "door.open", BOTH, recorded=False),
    page("invitations/<Invitation>/confirm/", confirm_invitation, "invitation.confirm", BOTH),
    page("people/", people, "people.read", menu=Text("People"), order=90),
    page("demo/<str:token>/", demo, "door.open", BOTH, recorded=False),
]
