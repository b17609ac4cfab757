"""Invitations: how an account begins, gets another role, or gets a new way in.

A token of 256 bits is shown once and kept as its SHA-256 only; it is good once, for 72 hours.  A
new way in, where somebody has lost password and factors, needs two people: the administrator who
asks, and one more who knows the person and hands the link on.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db.models import Q
from django.http import Http404
from django.utils import timezone

from ctdhub.desk.accounts.visits import end_visits
from ctdhub.desk.allowed import ADMINISTRATOR, CONTRIBUTOR
from ctdhub.desk.models.people import DeskAccount, Invitation, RoleHeld
from ctdhub.desk.walls import set_scope, set_token

HOURS = 72
APART = (
    {CONTRIBUTOR, "steward", "privacy_officer", "administrator", "auditor"},
    {CONTRIBUTOR, "data_officer", "administrator", "auditor"},
)
"""Roles of which one account holds one at most, as the constraints of the table say."""


def invite(
    email: str,
    name: str,
    role: str,
    organisation: str | None = None,
    by: DeskAccount | None = None,
    account: DeskAccount | None = None,
) -> tuple[Invitation, str]:
    """An invitation and its token, which is nowhere else.

    Args:
        organisation: id of the one that a contributor belongs to.
        by: None for the first administrator.
        account: whose way in is made anew; the token then counts once :func:`confirm` made one.
    """
    token = secrets.token_urlsafe(32)
    made = Invitation.objects.create(
        token_sha256=_hash(token),
        email=email.strip().lower(),
        name=name.strip(),
        role=role,
        organisation_id=organisation,
        by=by,
        account=account,
        until=timezone.now() + timedelta(hours=HOURS),
    )
    return made, token


def first_administrator() -> str:
    """The token of an invitation for the first administrator; "" where there is one already.

    The invitation names nobody: whoever has the token says who they are.  An earlier one that
    nobody used ends.
    """
    if RoleHeld.objects.filter(role=ADMINISTRATOR, account__is_active=True).exists():
        return ""
    open_ones().filter(by=None).update(cancelled=timezone.now())
    return invite("", "", ADMINISTRATOR)[1]


def confirm(invitation: Invitation, second: DeskAccount) -> str:
    """Let a second person stand for a new way in; gives the token, which they hand on."""
    token = secrets.token_urlsafe(32)
    invitation.second, invitation.token_sha256 = second, _hash(token)
    invitation.until = timezone.now() + timedelta(hours=HOURS)
    invitation.save()
    return token


def open_ones() -> Any:
    """Invitations that nobody used, took back or let run out."""
    return Invitation.objects.filter(used=None, cancelled=None, until__gt=timezone.now())


def of_token(token: str) -> Invitation | None:
    """The invitation of a token that counts."""
    set_token(_hash(token))
    found = open_ones().filter(token_sha256=_hash(token))
    ready = found.filter(Q(account=None) | Q(second__isnull=False))
    return ready.first()  # type: ignore[no-any-return]


def role_excluded(email: str, role: str) -> bool:
    """Whether the account of this address holds a role that this one must not go with."""
    held = set(RoleHeld.objects.filter(account__email=email).values_list("role", flat=True))
    return role in held or any(role in group and held & group for group in APART)


def take_up(invitation: Invitation, name: str, password: str, language: str) -> DeskAccount:
    """Make the account of an invitation, or give an account its new password.

    Of a new way in the old factors, passwords and visits end.

    Raises:
        Http404: as :func:`use`.
    """
    use(invitation)
    if invitation.account is not None:
        account: DeskAccount = invitation.account
        Authenticator.objects.filter(user=account).delete()
        end_visits(account)
    else:
        account = DeskAccount(email=invitation.email)
    account.name, account.language = name.strip() or invitation.name, language
    account.set_password(password)
    account.first_visit = invitation.role == CONTRIBUTOR and invitation.account is None
    account.save()
    EmailAddress.objects.get_or_create(
        user=account, email=account.email, defaults={"verified": True, "primary": True}
    )
    if invitation.account is None:
        give_role(invitation, account)
    return account


def give_role(invitation: Invitation, account: DeskAccount) -> None:
    """Give an account the role of an invitation.

    Raises:
        IntegrityError: it holds a role that must not go with it.
    """
    set_scope(account.as_visitor())
    RoleHeld.objects.create(
        account=account, role=invitation.role, organisation_id=invitation.organisation_id
    )


def use(invitation: Invitation) -> None:
    """An invitation is good once, whoever else found it open at the same time.

    Raises:
        Http404: it was used or taken back meanwhile.
    """
    if not open_ones().filter(pk=invitation.pk).update(used=timezone.now()):
        raise Http404


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
