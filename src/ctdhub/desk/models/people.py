"""Organisations, accounts, the roles that they hold, and invitations."""

from __future__ import annotations

import secrets
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q

from ctdhub.core.i18n import LANGUAGES
from ctdhub.desk.allowed import (
    ADMINISTRATOR,
    AUDITOR,
    CONTRIBUTOR,
    DATA_OFFICER,
    PRIVACY_OFFICER,
    ROLES,
    STEWARD,
    Who,
)
from ctdhub.desk.walls import rows

# --------------------------------------------------------------------------------------------------
# The key of a row: 128 random bits, so that an address tells nothing and cannot be guessed.


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


_ROLES = [(role, role) for role in ROLES]
_HELD = "SELECT role, organisation_id FROM desk_roleheld WHERE account_id = %s"


class Organisation(models.Model):
    """A contributing organisation, as ``contributors/<id>.yaml`` has it; the file is the truth.

    Attributes:
        id: the id of the agreement.
        agreement_sha256: of the file when it was last read.
        ends: last day of the agreement.
        keep_months: how long a delivery is kept; None where the agreement gives no number.
        lost: the file is gone.
    """

    id = models.CharField(primary_key=True, max_length=64)
    name = models.CharField(max_length=200)
    agreement_sha256 = models.CharField(max_length=64, default="")
    ends = models.DateField(null=True)
    keep_months = models.IntegerField(null=True)
    lost = models.BooleanField(default=False)
    read_at = models.DateTimeField(auto_now=True)

    class Meta:
        """Without Django's own permissions."""

        default_permissions = ()

    @property
    def organisation_id(self) -> str:
        """Its own id, so that it is related to itself."""
        return str(self.id)


class DeskAccounts(BaseUserManager):
    """Makes accounts; only invitations and the command line call it."""

    def create_user(self, email: str, name: str, password: str | None = None) -> DeskAccount:
        """An account without a role.

        Args:
            password: None where it will sign in by passkey alone.
        """
        account: DeskAccount = self.model(email=email.strip().lower(), name=name.strip())
        account.set_password(password)
        account.save(using=self._db)
        return account


class DeskAccount(AbstractBaseUser):
    """A person who signs in.

    Attributes:
        email: by which they sign in; lower case.
        name: as others of the hub see it; of a contributor, those of its organisation only.
        language: of pages and messages; empty for that of the browser.
        first_visit: a contributor that has not signed in twice yet.
    """

    id = models.UUIDField(primary_key=True, default=random_key, editable=False)
    email = models.EmailField(unique=True, max_length=254)
    name = models.CharField(max_length=100)
    language = models.CharField(
        max_length=2, blank=True, choices=[(code, code) for code in LANGUAGES]
    )
    is_active = models.BooleanField(default=True)
    created = models.DateTimeField(auto_now_add=True)
    first_visit = models.BooleanField(default=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects = DeskAccounts()

    class Meta:
        """Without Django's own permissions."""

        default_permissions = ()

    def __str__(self) -> str:
        return str(self.name)

    def as_visitor(self) -> Who:
        """The account before its roles are read."""
        return Who(self.id.hex)

    def who(self) -> Who:
        """The account as ``desk.allowed`` asks for it; reads its roles."""
        if "roles" in getattr(self, "_prefetched_objects_cache", {}):
            held = [(one.role, one.organisation_id) for one in self.roles.all()]
        else:
            held = [(role, theirs) for role, theirs in rows(_HELD, self.id)]
        theirs = [organisation for _role, organisation in held if organisation]
        return Who(self.id.hex, frozenset(role for role, _theirs in held), (theirs or [""])[0])


class RoleHeld(Keyed):
    """A role that an account holds.

    Two partial unique constraints keep roles apart that one person must not hold together, on
    every database and whatever a page checks.
    """

    account = models.ForeignKey(DeskAccount, models.CASCADE, related_name="roles")
    role = models.CharField(max_length=20, choices=_ROLES)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Constraints of who may hold what."""

        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(
                    role__in=[CONTRIBUTOR, STEWARD, PRIVACY_OFFICER, ADMINISTRATOR, AUDITOR]
                ),
                name="one_approving_role",
            ),
            models.UniqueConstraint(
                fields=["account"],
                condition=Q(role__in=[CONTRIBUTOR, DATA_OFFICER, ADMINISTRATOR, AUDITOR]),
                name="one_deciding_role",
            ),
            models.CheckConstraint(
                condition=Q(role=CONTRIBUTOR, organisation__isnull=False)
                | (~Q(role=CONTRIBUTOR) & Q(organisation__isnull=True)),
                name="contributors_have_an_organisation",
            ),
            models.CheckConstraint(condition=Q(role__in=ROLES), name="known_role"),
        )


class Invitation(Keyed):
    """An invitation to one person, for one role; its token and its code are never stored.

    Attributes:
        token_sha256: SHA-256 of the token's 256 bits, which the administrator hands on.
        code_sha256: SHA-256 of the code that the second person hands on; "" before.
        by: who invites; None for the first administrator, invited at the command line.
        second: who else confirmed it; None where whoever runs the server did.
        confirmed: when that was.
        alone: it counts without a second person, since there was nobody yet who could be one.
        account: the account that gets a new way in, because its factors were lost or it was closed.
    """

    token_sha256 = models.CharField(max_length=64, unique=True)
    code_sha256 = models.CharField(max_length=64, default="")
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=100)
    role = models.CharField(max_length=20, choices=_ROLES)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True)
    by = models.ForeignKey(DeskAccount, models.SET_NULL, null=True, related_name="invited")
    second = models.ForeignKey(DeskAccount, models.SET_NULL, null=True, related_name="confirmed")
    account = models.ForeignKey(DeskAccount, models.CASCADE, null=True, related_name="invitations")
    created = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()
    used = models.DateTimeField(null=True)
    cancelled = models.DateTimeField(null=True)
    confirmed = models.DateTimeField(null=True)
    alone = models.BooleanField(default=False)

    class Meta:
        """Newest first."""

        default_permissions = ()
        ordering = ("-created",)
