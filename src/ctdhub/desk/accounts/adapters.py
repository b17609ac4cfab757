"""What django-allauth asks the desk: who may sign up, how secrets are kept, whose passkeys."""

from __future__ import annotations

import base64
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.contrib import messages
from django.utils.functional import lazy

from ctdhub.core.i18n import Text, said
from ctdhub.desk.config import current
from ctdhub.desk.walls import rows

# --------------------------------------------------------------------------------------------------
# The second factor is a must: a passkey or a code of an authenticator app.
#
# A contributor's first visit is excepted, so that an invitation can be followed where no device is
# at hand.

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


_later = lazy(lambda text: said(text), str)
_WRONG = _later(Text("The e-mail address, the password or the code is not right."))
_CODE = _later(Text("The code is not right, or was used already. Wait for the next one."))
_OFTEN = _later(Text("Too many attempts. Wait five minutes and try again."))


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by invitation only; nothing is sent by e-mail."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "account_inactive": _WRONG,
        "email_password_mismatch": _WRONG,
        "invalid_login": _WRONG,
        "incorrect_password": _later(Text("The password is not right.")),
        "enter_current_password": _later(Text("The password is not right.")),
        "incorrect_code": _CODE,
        "too_many_login_attempts": _OFTEN,
        "rate_limited": _OFTEN,
    }

    def is_open_for_signup(self, request: Any) -> bool:
        """Never: an invitation is needed."""
        return False

    def add_message(self, request: Any, level: int, *_given: Any, **given: Any) -> None:
        """Only what went wrong is said; pages themselves show what was done."""
        if level >= messages.ERROR and given.get("message"):
            messages.add_message(request, level, given["message"])

    def send_mail(self, template_prefix: str, email: str, context: Any) -> None:
        """Nothing: messages of the desk go through its own outbox."""


class FactorAdapter(DefaultMFAAdapter):
    """Secrets of factors are encrypted with a key outside of the database."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": _later(
            Text("This is your only second step. Set up another one first.")
        ),
        "cannot_generate_recovery_codes": _later(
            Text("Set up a passkey or an authenticator app first.")
        ),
        "incorrect_code": _CODE,
        "rate_limited": _OFTEN,
    }

    def encrypt(self, text: str) -> str:
        """The secret as it is in the database."""
        return _cipher().encrypt(text.encode()).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        """The secret itself."""
        return _cipher().decrypt(encrypted_text.encode("ascii")).decode()

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Whether another factor is left without this one."""
        left = Authenticator.objects.filter(user_id=authenticator.user_id, type__in=FACTORS)
        return authenticator.type not in FACTORS or left.exclude(pk=authenticator.pk).exists()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """The site that passkeys are for: the host of desk.toml, whatever the request says."""
        return {"id": current().file.host, "name": current().hub_name}

    def get_totp_issuer(self) -> str:
        """The name that an authenticator app shows."""
        return current().hub_name

    def send_notification_mail(self, *_given: Any, **_named: Any) -> None:
        """Nothing: a change of factors is an event of the trail."""


def _cipher() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(bytes.fromhex(current().secret("factors"))))
