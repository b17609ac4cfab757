"""What goes to the signing page and what comes back from it, checked before it becomes a job.

The web process checks signatures itself, since that needs no case data; the worker checks again.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from pydantic import BaseModel, ValidationError

from ctdhub.core.errors import error
from ctdhub.core.i18n import current as language
from ctdhub.desk.allowed import Who
from ctdhub.desk.config import current as desk
from ctdhub.desk.models.hub import ApprovalDevice, SigningTicket
from ctdhub.desk.walls import set_scope, set_token
from ctdhub.release.approvals import (
    Approval,
    KeyChange,
    Lift,
    Mark,
    Role,
    SignedChange,
    SignedLift,
    Statement,
    refuse_late,
)
from ctdhub.release.passkey import Passkey

GOOD_FOR = timedelta(minutes=10)
"""How long a device may take to be made; a statement has less, see ``release.approvals.FRESH``."""
LONGEST_ARRIVAL = 20_000
"""Bytes of what comes from the signing page."""


def way_to_sign(
    account: Any, role: Role, what: str, found: dict[str, Any], version: str = ""
) -> str:
    """The address of the signing page with a statement in its fragment, which no server is sent.

    Args:
        account: who signs.
        role: as what.
        what: "release", "keys" or "lift".
        found: ``statement`` (base64url) and ``keys`` (those that may sign), as the worker gave it.
        version: of the candidate.
    """
    text = base64.urlsafe_b64decode(found["statement"] + "==").decode("ascii")
    token = _ticket(account, role, what, version, text)
    devices = ApprovalDevice.objects.filter(account=account, key__in=found["keys"])
    ids = list(devices.values_list("credential", flat=True))
    told = {"do": "sign", "ticket": token, "statement": found["statement"], "ids": ids}
    return _address(told)


def way_to_enrol(account: Any, role: Role, rs256: bool) -> str:
    """The address of the signing page where an approver makes a passkey."""
    token = _ticket(account, role, "device", "", "")
    told = {"do": "enrol", "ticket": token, "role": role, "hub": desk().hub_name, "rs256": rs256}
    return _address(told)


def _ticket(account: Any, role: Role, what: str, version: str, statement: str) -> str:
    token = secrets.token_urlsafe(32)
    SigningTicket.objects.filter(account=account, until__lt=timezone.now()).delete()
    SigningTicket.objects.create(
        token_sha256=hashlib.sha256(token.encode()).hexdigest(),
        account=account,
        role=role,
        what=what,
        version=version,
        statement=statement,
        until=timezone.now() + GOOD_FOR,
    )
    return token


def _address(told: dict[str, Any]) -> str:
    text = json.dumps({**told, "lang": language()}).encode()
    return f"{desk().sign_origin}/#{base64.urlsafe_b64encode(text).rstrip(b'=').decode()}"


def taken(token: str) -> tuple[SigningTicket, Who]:
    """The ticket of a token, used from now on, and who it was given to, as they are now.

    The database then shows what this account may see.

    Raises:
        ReleaseError: there is none, it was used, or it is too old; or its account is closed or
            does not hold the role any more.
    """
    digest = hashlib.sha256(token.encode()).hexdigest()
    set_token(digest)
    found = SigningTicket.objects.filter(token_sha256=digest)
    now = timezone.now()
    if not found.filter(used=None, until__gte=now).update(used=now):
        raise error("approval/ticket")
    ticket: SigningTicket = found.select_related("account").get()
    set_scope(Who(account=ticket.account_id.hex))
    who = ticket.account.who()
    set_scope(who)
    if not ticket.account.is_active or ticket.role not in who.roles:
        raise error("approval/role")
    return ticket, who


_SIGNED: dict[str, tuple[Any, Any, str, str]] = {
    "release": (Statement, Approval, "statement", "approvers"),
    "keys": (KeyChange, SignedChange, "change", "was"),
    "lift": (Lift, SignedLift, "lift", "approvers"),
}
"""By what a ticket is for: what is signed and what is made of it; where the one is in the other,
and where the keys are that count for it."""


def signed(ticket: SigningTicket, given: dict[str, Any], now: datetime) -> BaseModel:
    """An approval, a change of approvers, or what takes a hold back: signed, and checked.

    Args:
        given: ``signature``, ``authenticator_data``, ``client_data``.

    Raises:
        ReleaseError: it does not hold for any key of the role, or is too old.
    """
    statement, whole, name, keys = _SIGNED[ticket.what]
    told = statement.model_validate_json(ticket.statement)
    refuse_late(told.date, now)
    mark = _mark(given, told.message(), getattr(told, keys), ticket.role, told.practice)
    made: BaseModel = whole(**{name: told}, **mark.model_dump())
    return made


def _mark(given: dict[str, Any], message: bytes, keys: Any, role: Any, practice: bool) -> Mark:
    rules, fault = keys.rules(practice), None
    parts: dict[str, Any] = {
        name: given.get(name) for name in ("signature", "authenticator_data", "client_data")
    }
    for key in keys.keys(role):
        try:
            mark = Mark(key=key, **parts)
        except ValidationError:
            break
        if (met := mark.fault(message, rules, role)) is None:
            return mark
        fault = fault if key.startswith("ed25519:") else met
    if fault is None:
        raise error("approval/ticket")
    raise error("approval/refused", file=role, fault=fault)


def enrol(ticket: SigningTicket, given: dict[str, Any]) -> ApprovalDevice:
    """Write down a passkey that was made on the signing page; it counts nowhere yet.

    Raises:
        ReleaseError: it is none of an accepted kind for this host.
    """
    key, credential = str(given.get("key", "")), str(given.get("id", ""))
    passkey = Passkey.read(key)
    if passkey is None or passkey.host != desk().sign_host or not 0 < len(credential) <= 1400:
        raise error("approval/ticket")
    device: ApprovalDevice = ApprovalDevice.objects.create(
        account=ticket.account,
        role=ticket.role,
        key=key,
        credential=credential,
        copies=given.get("copies") is True,
    )
    return device
