"""Deliveries before they are accepted: their parts, what was found, why they were returned.

The files of an accepted delivery are in ``contributions/``; its row adds who, when and why.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ctdhub.desk.models.people import DeskAccount, Keyed, Organisation

DELIVERY_STATES = (
    "receiving",
    "received",
    "checked",
    "refused",
    "returned",
    "replaced",
    "accepted",
    "withdrawn",
)


class Delivery(Keyed):
    """One file or bundle of an organisation, on its way to ``contributions/``.

    Attributes:
        account: who sent it; None for a file that the command line put into the hub folder.
        kind: "bundle", or the ending of a plain file that says how to read it, such as "csv".
        sha256: of the whole, as the sender announced it.
        bytes: of the whole.
        agreement_sha256, mapping_commit: those in force when it was checked.
        replaces: the delivery that this one corrects.
        day: folder below ``contributions/<organisation>/`` once it is accepted.
        note: of the sender for the hub; free text, never about a person.
        summary: counts of the check, as JSON: numbers and Texts, no value of a cell.
        lost: the row says "accepted" and the folder has no such file.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT)
    account = models.ForeignKey(DeskAccount, models.SET_NULL, null=True)
    state = models.CharField(
        max_length=12, default="receiving", choices=[(s, s) for s in DELIVERY_STATES]
    )
    kind = models.CharField(max_length=12)
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    agreement_sha256 = models.CharField(max_length=64, default="")
    mapping_commit = models.CharField(max_length=64, default="")
    replaces = models.ForeignKey("self", models.SET_NULL, null=True, related_name="replaced_by")
    day = models.CharField(max_length=10, default="")
    note = models.CharField(max_length=1000, default="", blank=True)
    summary = models.JSONField(default=dict)
    lost = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        """Newest first."""

        default_permissions = ()
        ordering = ("-created",)
        constraints = (
            models.CheckConstraint(condition=Q(state__in=DELIVERY_STATES), name="delivery_state"),
        )


class DeliveryPart(Keyed):
    """A part of an upload that lies in the inbox as ciphertext of the worker's key.

    Attributes:
        offset, bytes: of the plain text.
        sha256: of the ciphertext, so that the worker knows what was put there.
    """

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="parts")
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    offset = models.BigIntegerField()
    bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        """One part begins at a place."""

        default_permissions = ()
        ordering = ("offset",)
        constraints = (
            models.UniqueConstraint(fields=["delivery", "offset"], name="one_part_at_an_offset"),
        )


class DeliveryFinding(Keyed):
    """One thing that the check of a delivery found: a Text as JSON and its place, no value.

    Attributes:
        text: as ``Text.as_json`` gives it.
        rule: of the catalogue of errors.
        row, column: as a spreadsheet shows them; the column by its letter.
        number: how many cells it concerns.
    """

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="findings")
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    text = models.JSONField()
    rule = models.CharField(max_length=60, default="")
    row = models.BigIntegerField(null=True)
    column = models.CharField(max_length=3, default="")
    number = models.BigIntegerField(default=1)

    class Meta:
        """Without Django's own permissions."""

        default_permissions = ()


class ReturnReason(Keyed):
    """Why a delivery was returned; kept for ever.

    Attributes:
        code: of the list of reasons.
        cells: places in the contributor's own file, such as ["B14", "B15"].
        note: free text of the hub, which must not name what others sent.
    """

    delivery = models.ForeignKey(Delivery, models.PROTECT, related_name="reasons")
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    account = models.ForeignKey(DeskAccount, models.SET_NULL, null=True)
    code = models.CharField(max_length=40)
    cells = models.JSONField(default=list)
    note = models.CharField(max_length=1000, default="", blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Oldest first."""

        default_permissions = ()
        ordering = ("created",)


def withdrawals_asked() -> models.QuerySet[Delivery]:
    """Accepted deliveries that their organisations want to be used no more."""
    return Delivery.objects.filter(state="accepted", summary__has_key="withdrawal_asked")
