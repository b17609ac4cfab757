"""Rows of the desk's database: who, when and why; the truth about data is in the hub folder.

Keys are 128 random bits.  No row holds a value of a case record or the name of a file.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q

from ctdhub.core.i18n import LANGUAGES, current
from ctdhub.desk.allowed import APART, CONTRIBUTOR, ROLES, Who, roles_of
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


class Dated(Keyed):
    """A table whose rows say when they were made, the newest first."""

    created = models.DateTimeField(auto_now_add=True)

    class Meta(Keyed.Meta):
        """An abstract table."""

        abstract = True
        ordering = ("-created",)


class Oldest(Dated):
    """The same, the oldest first."""

    class Meta(Keyed.Meta):
        """An abstract table."""

        abstract = True
        ordering = ("created",)


def _one_of(values: Sequence[str], longest: int, **options: Any) -> models.CharField:
    return models.CharField(max_length=longest, choices=[(one, one) for one in values], **options)


def _states(states: Sequence[str], name: str) -> tuple[models.CheckConstraint]:
    return (models.CheckConstraint(condition=Q(state__in=states), name=name),)


_ROLES = "SELECT role, organisation_id FROM desk_roleheld WHERE account_id = %s"


class Organisation(models.Model):
    """A contributing organisation, as ``contributors/<id>.yaml`` has it; the file is the truth.

    Attributes:
        id: the id of the agreement.
        names: its name by language, where it has others.
        agreement_sha256: of the file when it was last read.
        ends: last day of the agreement.
        keep_months: how long a delivery is kept; None where the agreement gives no number.
        lost: the file is gone.
    """

    id = models.CharField(primary_key=True, max_length=64)
    name = models.CharField(max_length=200)
    names = models.JSONField(default=dict)
    agreement_sha256 = models.CharField(max_length=64, default="")
    ends = models.DateField(null=True)
    keep_months = models.IntegerField(null=True)
    lost = models.BooleanField(default=False)

    class Meta:
        """Without Django's own permissions."""

        default_permissions = ()

    @property
    def organisation_id(self) -> str:
        """Its own id, so that it is related to itself."""
        return str(self.id)

    @property
    def local_name(self) -> str:
        """Its name in the language in force."""
        return str(self.names.get(current()) or self.name)


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
    language = _one_of(LANGUAGES, 2, blank=True)
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
            roles = [(one.role, one.organisation_id) for one in self.roles.all()]
        else:
            roles = [(role, theirs) for role, theirs in rows(_ROLES, self.id)]
        theirs = [organisation for _role, organisation in roles if organisation]
        return Who(self.id.hex, frozenset(role for role, _theirs in roles), (theirs or [""])[0])


class RoleHeld(Keyed):
    """A role that an account holds.

    Two partial unique constraints keep roles apart that one person must not hold together, on
    every database and whatever a page checks.
    """

    account = models.ForeignKey(DeskAccount, models.CASCADE, related_name="roles")
    role = _one_of(ROLES, 20)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Constraints of who may hold what."""

        default_permissions = ()
        constraints = (
            *(
                models.UniqueConstraint(fields=["account"], condition=Q(role__in=roles), name=name)
                for name, roles in APART.items()
            ),
            models.CheckConstraint(
                condition=Q(role=CONTRIBUTOR, organisation__isnull=False)
                | (~Q(role=CONTRIBUTOR) & Q(organisation__isnull=True)),
                name="contributors_have_an_organisation",
            ),
            models.CheckConstraint(condition=Q(role__in=ROLES), name="known_role"),
        )


class Invitation(Dated):
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
    role = _one_of(ROLES, 20)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, blank=True)
    by = models.ForeignKey(DeskAccount, models.SET_NULL, null=True, related_name="invited")
    second = models.ForeignKey(DeskAccount, models.SET_NULL, null=True, related_name="confirmed")
    account = models.ForeignKey(DeskAccount, models.CASCADE, null=True, related_name="invitations")
    until = models.DateTimeField()
    used = models.DateTimeField(null=True)
    cancelled = models.DateTimeField(null=True)
    confirmed = models.DateTimeField(null=True)
    alone = models.BooleanField(default=False)


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


class Delivery(Dated):
    """One file or bundle of an organisation, on its way to ``contributions/``.

    Attributes:
        account: who sent it; None for a file that the command line put into the hub folder.
        kind: "bundle", or the ending of a plain file that says how to read it, such as "csv".
        sha256: of the whole, as the sender announced it.
        bytes: of the whole.
        mapping_commit: SHA-256 of the mapping by which it was checked.
        replaces: the delivery that this one corrects.
        day: folder below ``contributions/<organisation>/`` once it is accepted.
        summary: counts of the check, as JSON: numbers and Texts, no value of a cell.
        lost: the row says "accepted" and the folder has no such file.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT)
    account = models.ForeignKey(DeskAccount, models.SET_NULL, null=True)
    state = _one_of(DELIVERY_STATES, 12, default="receiving")
    kind = models.CharField(max_length=12)
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    mapping_commit = models.CharField(max_length=64, default="")
    replaces = models.ForeignKey("self", models.SET_NULL, null=True, related_name="replaced_by")
    day = models.CharField(max_length=10, default="")
    summary = models.JSONField(default=dict)
    lost = models.BooleanField(default=False)
    changed = models.DateTimeField(auto_now=True)

    class Meta(Dated.Meta):
        """States that there are."""

        constraints = _states(DELIVERY_STATES, "delivery_state")


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
    """One kind of fault in a column of a delivery: a Text as JSON and its places, no value.

    Attributes:
        text: as ``Text.as_json`` gives it.
        rule: of the catalogue of errors.
        row, column: of the first cell, as a spreadsheet shows them; the column by its letter.
        cells: the first ones, such as ["B14", "B15"].
        number: how many cells it concerns.
    """

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="findings")
    organisation = models.ForeignKey(Organisation, models.PROTECT)
    text = models.JSONField()
    rule = models.CharField(max_length=60, default="")
    row = models.BigIntegerField(null=True)
    column = models.CharField(max_length=3, default="")
    cells = models.JSONField(default=list)
    number = models.BigIntegerField(default=1)


class ReturnReason(Oldest):
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


KEY_STATES = ("waiting", "confirmed", "refused", "ended")


class SenderKey(Dated):
    """A key with which an organisation signs its bundles; the agreement names those that count.

    Attributes:
        account: who handed it in.
        file: as it was handed in: the public half, signed with the private one.
        fingerprint: of the key, which the organisation reads out by telephone.
        decided_by, decided: who confirmed, refused or ended it, and when.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT)
    account = models.ForeignKey(DeskAccount, models.SET_NULL, null=True)
    file = models.CharField(max_length=4_096)
    fingerprint = models.CharField(max_length=40)
    state = _one_of(KEY_STATES, 10, default="waiting")
    decided_by = models.ForeignKey(
        DeskAccount, models.SET_NULL, null=True, related_name="decided_keys"
    )
    decided = models.DateTimeField(null=True)

    class Meta(Dated.Meta):
        """States that there are."""

        constraints = _states(KEY_STATES, "sender_key_state")


def withdrawals_asked() -> models.QuerySet[Delivery]:
    """Accepted deliveries that their organisations want to be used no more."""
    return Delivery.objects.filter(state="accepted", summary__has_key="withdrawal_asked")


# --------------------------------------------------------------------------------------------------
# Plans of releases, jobs, messages and papers.

PLAN_STATES = (
    "drafted",
    "built",
    "approved_by_one",
    "approved",
    "scheduled",
    "published",
    "refused",
    "held",
)
REQUEST_STATES = ("asked", "agreed", "refused", "withdrawn")
JOB_STATES = ("waiting", "running", "done", "failed", "cancelled")
LANES = ("build", "files")


class ReleasePlan(Dated):
    """A release that is planned; from "built" on its state is computed from the hub folder.

    Attributes:
        version: that it will have.
        week: Monday of the planned week; a contributor is shown the week, never a day.
        note: by language, what the release says of itself.
        spend, spend_by, spend_at: epsilon that the privacy officer lets the build charge at most.
    """

    version = models.CharField(max_length=40, unique=True)
    week = models.DateField(null=True)
    note = models.JSONField(default=dict)
    state = _one_of(PLAN_STATES, 16, default="drafted")
    account = models.ForeignKey(DeskAccount, models.SET_NULL, null=True)
    spend_by = models.ForeignKey(
        DeskAccount, models.SET_NULL, null=True, related_name="allowed_spending"
    )
    spend = models.FloatField(null=True)
    spend_at = models.DateTimeField(null=True)
    changed = models.DateTimeField(auto_now=True)

    class Meta(Dated.Meta):
        """States that there are."""

        constraints = _states(PLAN_STATES, "plan_state")


class TableRequest(Dated):
    """A table that somebody asks for and the last release does not hold.

    Attributes:
        account: who asks, on behalf of the public.
        variables: names of the schema, at most four.
        region: of UN M49, in which people were exploited; "" for everywhere.
        first, last: years; None for all.
        purpose: what it is for; free text, never about a person.
        state: "agreed" once the policy of the next release has the table.
        reason: code of the list, of a refusal or an agreement.
        decided, decided_by: when, by whom; neither is shown to who asked.
    """

    account = models.ForeignKey(DeskAccount, models.SET_NULL, null=True)
    variables = models.JSONField(default=list)
    region = models.CharField(max_length=40, default="", blank=True)
    first = models.IntegerField(null=True)
    last = models.IntegerField(null=True)
    purpose = models.CharField(max_length=1000, default="", blank=True)
    state = _one_of(REQUEST_STATES, 10, default="asked")
    reason = models.CharField(max_length=40, default="", blank=True)
    decided = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        DeskAccount, models.SET_NULL, null=True, related_name="decided_tables"
    )

    class Meta(Dated.Meta):
        """States that there are."""

        constraints = _states(REQUEST_STATES, "table_request_state")


class Job(Dated):
    """Work of the worker: the rows that wait are the queue of their lane.

    Attributes:
        what: name of the job in ``desk.jobs``.
        lane: "build" (one at a time, holds the hub's lock) or "files".
        account: for whom; None for the clock and the command line.
        organisation: whose delivery it is about, if it is.
        thing: key of the row that it is about, or a version; never a name of a file.
        given: its arguments as JSON: keys, codes, hashes; no value of a case record.
        progress: the last Text, as JSON.
        outcome: what it ended with, as JSON: counts and Texts.
        cancel: somebody asked for its end.
        after: before that it is not tried again.
    """

    what = models.CharField(max_length=40)
    lane = _one_of(LANES, 8)
    account = models.ForeignKey(DeskAccount, models.SET_NULL, null=True)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True)
    thing = models.CharField(max_length=64, default="")
    given = models.JSONField(default=dict)
    state = _one_of(JOB_STATES, 10, default="waiting")
    progress = models.JSONField(null=True)
    outcome = models.JSONField(null=True)
    cancel = models.BooleanField(default=False)
    attempts = models.IntegerField(default=0)
    ended = models.DateTimeField(null=True)
    after = models.DateTimeField(null=True)

    class Meta(Dated.Meta):
        """States that there are."""

        constraints = _states(JOB_STATES, "job_state")
        indexes = (
            models.Index(
                fields=["lane"], condition=Q(state__in=("waiting", "running")), name="open_jobs"
            ),
        )


class OutgoingMail(Oldest):
    """A message that waits to be sent: which one and to whom, no content about data.

    Attributes:
        kind: of the list of messages.
        fields: of its text: addresses of pages, weeks, counts of own files.
    """

    account = models.ForeignKey(DeskAccount, models.CASCADE, null=True)
    email = models.EmailField(max_length=254)
    language = models.CharField(max_length=2, default="en")
    kind = models.CharField(max_length=40)
    fields = models.JSONField(default=dict)
    attempts = models.IntegerField(default=0)
    next_try = models.DateTimeField(null=True)
    sent = models.DateTimeField(null=True)


class Paper(Dated):
    """A paper of the hub or of an organisation; the file is in ``papers/``, named by its hash.

    Attributes:
        kind: such as "agreement" or "assessment".
        language: of the paper.
        signed: day on which it was signed; None for a draft.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True)
    account = models.ForeignKey(DeskAccount, models.SET_NULL, null=True)
    kind = models.CharField(max_length=40)
    language = models.CharField(max_length=2)
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    signed = models.DateField(null=True)


# --------------------------------------------------------------------------------------------------
# What goes to the signing page and comes back: tickets, and the devices of approvers.
#
# No row makes a key count: that are the keys of the last signed release and the signed changes.

WHAT = ("release", "keys", "device", "lift", "notice")


class SigningTicket(Dated):
    """One visit of the signing page, good once and for a few minutes.

    Attributes:
        token_sha256: SHA-256 of the token that the page was given.
        role: as what the account signs.
        what: "release" (an approval), "keys" (a change of approvers), "lift" (a hold is taken
            back), "notice" (about a published release) or "device" (a new passkey).
        version: of the candidate or release, for "release", "lift" and "notice".
        statement: the text that is to be signed, empty for "device".
    """

    token_sha256 = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(DeskAccount, models.CASCADE)
    role = models.CharField(max_length=20)
    what = _one_of(WHAT, 8)
    version = models.CharField(max_length=40, default="")
    statement = models.TextField(default="")
    until = models.DateTimeField()
    used = models.DateTimeField(null=True)


class ApprovalDevice(Oldest):
    """A passkey that an approver made on the signing page.

    Attributes:
        key: as hub.yaml writes it.
        credential: its id, base64url, by which the browser finds it.
        copies: the device says that the passkey can be copied to other devices.
        witnesses: keys of accounts that wrote down its digits as its owner read them out.
    """

    account = models.ForeignKey(DeskAccount, models.CASCADE)
    role = models.CharField(max_length=20)
    key = models.CharField(max_length=1000, unique=True)
    credential = models.CharField(max_length=1400)
    copies = models.BooleanField(default=False)
    witnesses = models.JSONField(default=list)

    @classmethod
    def of_approvers(cls) -> list[tuple[ApprovalDevice, frozenset[str]]]:
        """Passkeys of those who may approve now, and the roles that have still to hear their
        digits: that of the other approver, and an administrator.
        """
        roles, lines = defaultdict[str, set[str]](set), []
        for held in RoleHeld.objects.filter(account__is_active=True):
            roles[held.account_id.hex].add(held.role)
        for one in cls.objects.select_related("account"):
            if one.role in roles[one.account_id.hex]:
                heard = {one.role}.union(*(roles[witness] for witness in one.witnesses))
                lines.append((one, roles_of("approver.hear") - heard))
        return lines


# --------------------------------------------------------------------------------------------------
# The trail's rows: who did what to what, when, with what outcome; no values, no file names.


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
