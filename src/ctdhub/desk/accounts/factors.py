"""The second factor is a must: a passkey or a code of an authenticator app.

A contributor's first visit is excepted, so that an invitation can be followed where no device is
at hand.
"""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator

from ctdhub.desk.statements import rows

FACTORS = (Authenticator.Type.WEBAUTHN, Authenticator.Type.TOTP)
_ANY = "SELECT 1 FROM mfa_authenticator WHERE user_id = %s AND type IN (%s, %s) LIMIT 1"


def has_factor(account: Any) -> bool:
    """Whether an account has a passkey or an authenticator app; recovery codes alone are none."""
    return bool(rows(_ANY, account.pk, *map(str, FACTORS)))


def proved(account: Any) -> bool:
    """Whether an account may use the desk, and not only set up its factor."""
    if not account.is_authenticated:
        return True
    first = account.first_visit and account.who().is_contributor
    return first or has_factor(account)
