"""Messages: which one, to whom and a link; nothing of what a file holds, and no name of a file.

Rows wait in the database until they are sent, in the language of their reader.  A server that does
not answer is tried again, later each time.
"""

import logging
import os
import time
from datetime import timedelta
from typing import Any

from django.core.mail import EmailMessage, get_connection
from django.db import close_old_connections
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.desk.allowed import AUDITOR, HUB_ROLES
from ctdhub.desk.config import current
from ctdhub.desk.models import DeskAccount, OutgoingMail
from ctdhub.desk.trail import head

log = logging.getLogger("ctdhub.desk")

TRIES = 12
_EVERY = 20.0


def message(kind: str) -> tuple[str, str]:
    """Subject and sentence of a message in the language in force.

    Raises:
        ValueError: there is no such message.
    """
    subject, sentence = render_to_string("desk/mail.txt", {"kind": kind}).strip().splitlines()
    return subject, sentence


def tell_about(kind: str, delivery: Any, *whom: str) -> None:
    """A message about a delivery.

    Args:
        whom: roles whose accounts all get it; "organisation" for those whose delivery it is.
    """
    path, theirs = reverse("delivery", kwargs={"id": delivery.id}), delivery.organisation_id
    for role in whom:
        if role == "organisation":
            _send(kind, path, roles__organisation_id=theirs)
        else:
            _send(kind, path, roles__role=role)


def tell_hub(kind: str) -> None:
    """A message to everybody who holds a role of the hub."""
    _send(kind, reverse("people"), roles__role__in=sorted(HUB_ROLES))


def tell_head_of_trail() -> None:
    """A message a day to every auditor with number and hash of the last line of the trail."""
    recent = timezone.now() - timedelta(days=1)
    if OutgoingMail.objects.filter(kind="trail_head", created__gt=recent).exists():
        return
    number, digest = head()
    if number:
        line = {"line": f"{number} {digest}"}
        _send("trail_head", reverse("trail"), line, roles__role=AUDITOR)


def tell_seconds(invitation: Any) -> None:
    """A message to everybody who may confirm an invitation."""
    from ctdhub.desk.accounts.invitations import seconds

    theirs = [account.pk for account in seconds(invitation)]
    _send("invitation", reverse("home"), pk__in=theirs)


def _send(kind: str, path: str, more: dict[str, str] | None = None, **whom: Any) -> None:
    OutgoingMail.objects.bulk_create(
        OutgoingMail(
            account=account,
            email=account.email,
            language=account.language or LANGUAGES[0],
            kind=kind,
            fields={"path": path, **(more or {})},
        )
        for account in DeskAccount.objects.filter(is_active=True, **whom).distinct()
    )


def send_waiting(most: int = 50, connection: Any = None) -> int:
    """Send messages whose time has come; gives how many were sent.

    Args:
        connection: of Django's mail, to be opened and closed; that of ``desk.toml``, if None.
    """
    server = current().file.mail
    if connection is None and not server.host:
        return 0
    now = timezone.now()
    due = OutgoingMail.objects.filter(sent__isnull=True, attempts__lt=TRIES)
    sent = 0
    for mail in due.exclude(next_try__gt=now)[:most]:
        try:
            _written(mail, connection or _server()).send()
        except OSError:  # smtplib's errors are of this kind
            mail.attempts += 1
            mail.next_try = now + timedelta(minutes=2**mail.attempts)
            log.warning("mail %s waits, attempt %s", mail.id.hex, mail.attempts)
            mail.save(update_fields=["attempts", "next_try"])
            continue
        mail.sent = timezone.now()
        mail.save(update_fields=["sent"])
        sent += 1
    return sent


def main() -> None:
    """The process that carries messages to the mail server: send what waits until it is ended."""
    while True:
        send_waiting()
        close_old_connections()
        time.sleep(_EVERY)


def _written(mail: OutgoingMail, connection: Any) -> EmailMessage:
    with language(mail.language if mail.language in LANGUAGES else LANGUAGES[0]):
        subject, sentence = message(mail.kind)
        body = f"{sentence}\n\n{current().origin}{mail.fields.get('path', '/')}\n"
        if line := mail.fields.get("line"):
            body += f"\n{line}\n"
        return EmailMessage(
            f"{current().hub_name}: {subject}".replace("\n", " "),
            body,
            current().file.mail.sender or None,
            [mail.email],
            connection=connection,
        )


def _server() -> Any:
    server = current().file.mail
    return get_connection(
        "django.core.mail.backends.smtp.EmailBackend",
        host=server.host,
        port=server.port,
        username=server.user,
        password=os.environ.get("DESK_MAIL_PASSWORD", ""),
        use_tls=server.encryption == "starttls",
        use_ssl=server.encryption == "tls",
        timeout=20,
    )
