"""The trail's rows: who did what to what, when, with what outcome; no values, no file names."""

from __future__ import annotations

from django.db import models


class TrailEvent(models.Model):
    """One event, numbered without a gap and hashed with the one before.

    Attributes:
        time: UTC, to the second, as it is hashed: 2026-11-27T19:20:21Z.
        account: key of the account, 32 hexadecimal digits; "" for the clock or a visitor.
        thing: key or id of the thing; never a name of a file.
        outcome: "done", "denied" or "failed".
        previous, hash: SHA-256 of the line before, and of this one.
    """

    number = models.BigIntegerField(primary_key=True)
    time = models.CharField(max_length=20)
    account = models.CharField(max_length=32, default="")
    role = models.CharField(max_length=120, default="")
    action = models.CharField(max_length=40)
    thing = models.CharField(max_length=64, default="")
    outcome = models.CharField(max_length=10)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        """Newest first."""

        default_permissions = ()
        ordering = ("-number",)


class TrailHead(models.Model):
    """The one row that whoever writes an event holds: number and hash of the last event."""

    id = models.IntegerField(primary_key=True, default=1)
    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)

    class Meta:
        """One row only."""

        default_permissions = ()
        constraints = (
            models.CheckConstraint(condition=models.Q(id=1), name="one_head_of_the_trail"),
        )
