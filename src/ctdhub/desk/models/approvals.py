"""What goes to the signing page and comes back: tickets, and the devices of approvers.

No row makes a key count: that are the keys of the last signed release and the signed changes.
"""

from __future__ import annotations

from django.db import models

from ctdhub.desk.models.keys import Keyed
from ctdhub.desk.models.people import DeskAccount

WHAT = ("release", "keys", "device", "lift")


class SigningTicket(Keyed):
    """One visit of the signing page, good once and for a few minutes.

    Attributes:
        token_sha256: SHA-256 of the token that the page was given.
        role: as what the account signs.
        what: "release" (an approval), "keys" (a change of approvers), "lift" (a hold is taken
            back) or "device" (a new passkey).
        version: of the candidate, for "release" and "lift".
        statement: the text that is to be signed, empty for "device".
    """

    token_sha256 = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(DeskAccount, models.CASCADE)
    role = models.CharField(max_length=20)
    what = models.CharField(max_length=8, choices=[(w, w) for w in WHAT])
    version = models.CharField(max_length=40, default="")
    statement = models.TextField(default="")
    created = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    used = models.DateTimeField(null=True)

    class Meta:
        """Newest first."""

        default_permissions = ()
        ordering = ("-created",)


class ApprovalDevice(Keyed):
    """A passkey that an approver made on the signing page.

    Attributes:
        key: as hub.yaml writes it.
        credential: its id, base64url, by which the browser finds it.
        copies: the device says that the passkey can be copied to other devices.
    """

    account = models.ForeignKey(DeskAccount, models.CASCADE)
    role = models.CharField(max_length=20)
    key = models.CharField(max_length=1000, unique=True)
    credential = models.CharField(max_length=1400)
    copies = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Oldest first."""

        default_permissions = ()
        ordering = ("created",)
