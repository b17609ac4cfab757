"""Invitations: how an account begins, gets another role, or gets a new way in.

Two people are needed for each: the administrator who asks has a link, and one more, who knows the
person and is no administrator, confirms it and has a code.  The person needs both; neither of the
two can take it up alone.  Link and code are shown once and kept as their SHA-256 only; they are
good once, for 72 hours.

Only before anybody but administrators has held a role in the hub is one person enough, since there
is nobody to be the second; what was asked then and not taken up waits like all others as soon as
there is somebody.  That never comes back, whoever leaves.
"""

import base64
import hashlib
import secrets
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db.models import Q
from django.http import Http404
from django.utils import timezone

from ctdhub.desk.accounts.signing_in import end_visits
from ctdhub.desk.allowed import ADMINISTRATOR, APART, CONTRIBUTOR, allowed, roles_of
from ctdhub.desk.mail import tell_hub, tell_seconds
from ctdhub.desk.models import DeskAccount, Invitation, RoleHeld, TrailHead
from ctdhub.desk.trail import record
from ctdhub.desk.walls import set_scope, set_token

HOURS = 72


def invite(
    email: str,
    name: str,
    role: str,
    organisation: str | None = None,
    by: DeskAccount | None = None,
    account: DeskAccount | None = None,
) -> tuple[Invitation, str]:
    """An invitation and its token, which is nowhere else.

    Whoever may confirm it gets a message, unless it counts without.

    Args:
        organisation: id of the one that a contributor belongs to.
        by: None for the first administrator.
        account: whose way in is made anew.
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
        alone=by is None or (account is None and founding()),
        until=timezone.now() + timedelta(hours=HOURS),
    )
    if not made.alone:
        tell_seconds(made)
    return made, token


def founding() -> bool:
    """Whether nobody has ever held a role in the hub that confirms invitations.

    To be asked as somebody who sees all roles.
    """
    theirs = sorted(roles_of("invitation.confirm"))
    taken_up = Invitation.objects.filter(role__in=theirs, used__isnull=False)
    return not (taken_up.exists() or RoleHeld.objects.filter(role__in=theirs).exists())


def seconds(invitation: Invitation) -> list[DeskAccount]:
    """Who may confirm an invitation: neither whoever asked for it nor whom it is for."""
    people = DeskAccount.objects.filter(is_active=True).prefetch_related("roles")
    return [one for one in people if may_confirm(invitation, one)]


def may_confirm(invitation: Invitation, second: DeskAccount) -> bool:
    """Whether an account is one of :func:`seconds`."""
    theirs = second.pk in (invitation.by_id, invitation.account_id)
    theirs = theirs or second.email == invitation.email
    return not theirs and bool(allowed(second.who(), "invitation.confirm", invitation))


def first_administrator() -> str:
    """The token of an invitation for the first administrator; "" where there is one already.

    The invitation names nobody: whoever has the token says who they are.  An earlier one that
    nobody used ends.
    """
    if RoleHeld.objects.filter(role=ADMINISTRATOR, account__is_active=True).exists():
        return ""
    open_ones().filter(by=None).update(cancelled=timezone.now())
    return invite("", "", ADMINISTRATOR)[1]


def confirm(invitation: Invitation, second: DeskAccount | None) -> str:
    """Let a second person stand for an invitation; gives the code, which they hand on.

    Args:
        second: None for whoever runs the server, where there is nobody else.

    Raises:
        Http404: it was confirmed, used or taken back meanwhile.
    """
    code = base64.b32encode(secrets.token_bytes(10)).decode("ascii")
    changed = (
        waiting_ones()
        .filter(pk=invitation.pk)
        .update(
            second=second,
            code_sha256=_hash(code),
            confirmed=timezone.now(),
            until=timezone.now() + timedelta(hours=HOURS),
        )
    )
    if not changed:
        raise Http404
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def refuse(invitation: Invitation) -> None:
    """A second person does not stand for an invitation: it ends.

    Raises:
        Http404: it was confirmed, used or taken back meanwhile.
    """
    if not waiting_ones().filter(pk=invitation.pk).update(cancelled=timezone.now()):
        raise Http404


def open_ones() -> Any:
    """Invitations that nobody used, took back or let run out."""
    return Invitation.objects.filter(used=None, cancelled=None, until__gt=timezone.now())


def waiting_ones() -> Any:
    """Open ones that a second person must confirm."""
    return open_ones().filter(confirmed=None, alone=False)


def of_token(token: str) -> Invitation | None:
    """The open invitation of a token; it may wait for a second person."""
    set_token(_hash(token))
    matches = open_ones().filter(token_sha256=_hash(token))
    return matches.first()  # type: ignore[no-any-return]


def code_fits(invitation: Invitation, code: str) -> bool:
    """Whether this is the code of whoever confirmed an invitation; one that counts alone has none.

    Args:
        code: as it was typed: capitals, spaces and hyphens do not matter.
    """
    if invitation.alone:
        return True
    bare = "".join(code.upper().replace("-", " ").split())
    return secrets.compare_digest(_hash(bare), invitation.code_sha256)


def role_excluded(email: str, role: str) -> bool:
    """Whether the account of this address holds a role that this one must not go with."""
    roles = set(RoleHeld.objects.filter(account__email=email).values_list("role", flat=True))
    apart = {one for group in APART.values() if role in group for one in group}
    return bool(roles & {role, *apart})


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
        account.is_active = True
    else:
        account = DeskAccount(email=invitation.email)
    account.name, account.language = name.strip() or invitation.name, language
    account.set_password(password)
    account.first_visit = invitation.role == CONTRIBUTOR and invitation.account is None
    account.save()
    EmailAddress.objects.get_or_create(
        user=account, email=account.email, defaults={"verified": True, "primary": True}
    )
    give_role(invitation, account)
    return account


def give_role(invitation: Invitation, account: DeskAccount) -> None:
    """Give an account the role of an invitation, unless it has it and gets a new way in; the hub's
    people get a message.

    Raises:
        IntegrityError: it holds a role that must not go with it.
    """
    set_scope(account.as_visitor())
    if invitation.account is None:
        RoleHeld.objects.create(
            account=account, role=invitation.role, organisation_id=invitation.organisation_id
        )
    who = account.who()
    set_scope(who)
    record(who, "invitation.take", invitation)
    if invitation.role in roles_of("invitation.confirm"):
        open_ones().filter(by__isnull=False).update(alone=False)
    if invitation.role != CONTRIBUTOR:
        tell_hub("role_taken")


def use(invitation: Invitation) -> None:
    """An invitation is good once, whoever else found it open at the same time.

    Raises:
        Http404: it was used or taken back meanwhile, or a second person must confirm it now.
    """
    TrailHead.objects.select_for_update().get(id=1)  # one after the other: who comes first founds
    ready = open_ones().filter(Q(alone=True) | Q(confirmed__isnull=False))
    if not ready.filter(pk=invitation.pk).update(used=timezone.now()):
        raise Http404


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
