"""Signing in: factors, passwords and visits; built on django-allauth."""

import base64
import hashlib
import os
import re
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.signals import password_changed
from allauth.mfa import signals as factors
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from cryptography.fernet import Fernet
from django.contrib import messages
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.dispatch import receiver
from django.utils import timezone
from django.utils.functional import lazy

from ctdhub.core.i18n import Text, _, said
from ctdhub.core.tables import fold
from ctdhub.desk.allowed import VISITOR
from ctdhub.desk.config import current
from ctdhub.desk.trail import record
from ctdhub.desk.walls import rows, scoped

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

    def add_message(self, request: Any, level: int, *_rest: Any, **options: Any) -> None:
        """Only what went wrong is said; pages themselves show what was done."""
        if level >= messages.ERROR and options.get("message"):
            messages.add_message(request, level, options["message"])

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

    def send_notification_mail(self, *_rest: Any, **_named: Any) -> None:
        """Nothing: a change of factors is an event of the trail."""


def _cipher() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(bytes.fromhex(current().secret("factors"))))


_SHORTEST_WORD = 4
_LEFT = 8
"""Letters and digits that must be left of a password without these words."""


class WordsOfTheHub:
    """Refuses a password that is little more than names of person, hub and software."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse it where too little is left.

        Raises:
            ValidationError: fewer than eight other letters and digits.
        """
        left = fold(password)
        for word in sorted(self._words(user), key=len, reverse=True):
            left = left.replace(word, "")
        if sum(sign.isalnum() for sign in left) < _LEFT:
            raise ValidationError(
                _("The password is little more than names. Choose a sentence of other words.")
            )

    def get_help_text(self) -> str:
        """For Django's own pages, which are not in use."""
        return ""

    @staticmethod
    def _words(user: Any) -> set[str]:
        desk = current()
        texts = ["ctdhub", "password", "trafficking", desk.hub_name, desk.file.host]
        texts += [getattr(user, "name", ""), getattr(user, "email", "")]
        words = {word for text in texts for word in re.split(r"[\W_]+", fold(text))}
        return {word for word in words if len(word) >= _SHORTEST_WORD}


_FEWEST_PIECES = 4
_ROWS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm",
         "azertyuiop", "qsdfghjklm", "wxcvbn", "qwertzuiop")  # fmt: skip
_SHORTEST_PIECE, _LOOKED_AT = 3, 64


class KnownOnes:
    """Refuses well-known passwords: few common ones in a row, and those of the operator's file.

    Common passwords are short, so that nearly none of a list is as long as ours; long ones that are
    known are mostly short ones written one after the other, repeated, or rows of keys.
    """

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse it where it is of fewer than four pieces, or is in the file.

        Raises:
            ValidationError: it is, or the file cannot be read.
        """
        if pieces(password) < _FEWEST_PIECES:
            raise ValidationError(
                _("The password is made of well-known ones. Choose a sentence of other words.")
            )
        file = current().file.known_passwords
        try:
            known = file is not None and is_known(password, file)
        except OSError:
            raise ValidationError(
                _("The list of known passwords cannot be read. Tell the administrator.")
            ) from None
        if known:
            raise ValidationError(
                _("This password is in a list of stolen ones. Choose another one.")
            )

    def get_help_text(self) -> str:
        """For Django's own pages, which are not in use."""
        return ""


def pieces(password: str) -> int:
    """The fewest common passwords, rows of keys and single characters that a password is made of.

    What repeats counts once, capitals do not matter; only the first 64 characters are looked at.

    >>> pieces("Password12345678"), pieces("a sentence of words") > 5
    (2, True)
    """
    text, known = password[:_LOOKED_AT].lower(), _common()
    for period in range(1, len(text)):
        if text == (text[:period] * len(text))[: len(text)]:
            text = text[:period]
            break
    fewest = [0] + [len(text)] * len(text)
    for end in range(1, len(text) + 1):
        for begin in range(end):
            one = text[begin:end]
            if end - begin == 1 or one in known or _in_a_row(one):
                fewest[end] = min(fewest[end], fewest[begin] + 1)
    return fewest[-1]


def is_known(password: str, file: Path) -> bool:
    """Whether a file lists a password, by its SHA-1; the file is searched and never loaded.

    Args:
        file: lines that begin with a SHA-1 in capital hexadecimal digits, sorted.

    Raises:
        OSError: the file cannot be read.
    """
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    with file.open("rb") as lines:
        low, high = 0, lines.seek(0, os.SEEK_END)
        while low < high:  # the first line that begins at or after low .. high and is not smaller
            middle = (low + high) // 2
            lines.seek(max(0, middle - 1))
            if middle:
                lines.readline()
            line = lines.readline()
            if line and line[: len(wanted)] < wanted:
                low = middle + 1
            else:
                high = middle
        lines.seek(max(0, low - 1))
        if low:
            lines.readline()
        return lines.readline()[: len(wanted)] == wanted


@cache
def _common() -> frozenset[str]:
    passwords = CommonPasswordValidator().passwords
    return frozenset(one for one in passwords if len(one) >= _SHORTEST_PIECE)


def _in_a_row(text: str) -> bool:
    return len(text) >= _SHORTEST_PIECE and any(text in row or text[::-1] in row for row in _ROWS)


# --------------------------------------------------------------------------------------------------
# Visits (sessions) of an account, and what ends them.

IDLE, LONGEST = 30 * 60, 12 * 3600
"""Seconds of rest after which a visit ends, and seconds after which it ends in any case."""

_MARGIN = 120
"""Seconds by which the list of visits may be late: it is brought up to date once a minute."""


def is_open(account: Any, visit: str) -> bool:
    """Whether an account is signed in under this key of a session.

    What the session holds is signed with a key that only the web process has; the list says whose
    it is.
    """
    now = timezone.now()
    listed = UserSession.objects.filter(
        user=account,
        session_key=visit,
        last_seen_at__gt=now - timedelta(seconds=IDLE + _MARGIN),
        last_seen_at__lt=now + timedelta(seconds=IDLE),  # else the clock was set back
        created_at__gt=now - timedelta(seconds=LONGEST + _MARGIN),
    )
    return (
        bool(visit)
        and listed.exists()
        and Session.objects.filter(session_key=visit, expire_date__gt=now).exists()
    )


def end_visits(account: Any, but: str = "") -> int:
    """End all visits of an account; gives how many there were.

    Args:
        but: key of the session that goes on.
    """
    others = list(UserSession.objects.filter(user=account).exclude(session_key=but))
    for visit in others:
        visit.end()
    return len(others)


# --------------------------------------------------------------------------------------------------
# What signing in writes into the trail, and what a changed factor ends.


def _write(user: Any, action: str, outcome: str = "done") -> None:
    with scoped(user.as_visitor()):
        record(user.who(), action, user.id, outcome)


@receiver(user_logged_in)
def _came(request: Any, user: Any, **_rest: Any) -> None:
    """A contributor's first visit is its first; from the second on the factor is a must."""
    if user.first_visit and not getattr(request, "first_visit", False):
        user.first_visit = False
        user.save(update_fields=["first_visit"])
    _write(user, "account.sign_in")


@receiver(user_logged_out)
def _left(user: Any, **_rest: Any) -> None:
    if user is not None and user.is_authenticated:
        _write(user, "account.sign_out")


@receiver(user_login_failed)
def _failed(**_rest: Any) -> None:
    """Without the address that was typed: it may be a password in the wrong field."""
    record(VISITOR, "account.sign_in", "", "denied")


@receiver(factors.authentication_failed)
def _factor_failed(user: Any, **_rest: Any) -> None:
    _write(user, "account.factor", "denied")


@receiver(factors.authenticator_added)
@receiver(factors.authenticator_removed)
@receiver(factors.authenticator_reset)
@receiver(password_changed)
def _changed(request: Any, user: Any, **_rest: Any) -> None:
    """Whoever took over another visit is out."""
    end_visits(user, but=request.session.session_key or "")
    _write(user, "account.factor")


# --------------------------------------------------------------------------------------------------
# Sessions in the database, as Django keeps them, read by one short statement.

_OPEN = "SELECT session_data FROM django_session WHERE session_key = %s AND expire_date > %s"


class SessionStore(db.SessionStore):
    """The name is Django's: it is part of what signs the data."""

    def load(self) -> dict[str, Any]:
        """What the session holds; one that is not there, or is over, loses its key.

        A key is what a cookie says: one with a character that PostgreSQL cannot keep is not there.
        """
        key = str(self.session_key)
        records = [] if "\0" in key else rows(_OPEN, key, timezone.now())
        if not records:
            self._session_key = None
            return {}
        content: dict[str, Any] = self.decode(records[0][0])
        return content
