"""The key of a row: 128 random bits, so that an address tells nothing and cannot be guessed."""

from __future__ import annotations

import secrets
from uuid import UUID

from django.db import models


def random_key() -> UUID:
    """128 bits of the operating system's generator."""
    return UUID(bytes=secrets.token_bytes(16))


class Keyed(models.Model):
    """A table whose rows have a random key."""

    id = models.UUIDField(primary_key=True, default=random_key, editable=False)

    class Meta:
        """An abstract table."""

        abstract = True
        default_permissions = ()
