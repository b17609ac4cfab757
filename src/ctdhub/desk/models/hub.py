"""Plans of releases, jobs, messages, papers, approvals, and the trail's rows."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ctdhub.desk.models.people import DeskAccount, Keyed, Organisation

# --------------------------------------------------------------------------------------------------
# Plans of releases, jobs, messages and papers.

PLAN_STATES = (
    "drafted",
    "simulated",
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


class ReleasePlan(Keyed):
    """A release that is planned; from "built" on its state is computed from the hub folder.

    Attributes:
        version: that it will have.
        week: Monday of the planned week; a contributor is shown the week, never a day.
        note: by language, what the release says of itself.
        rehearsal: figures of the last rehearsal on fictitious people, as JSON.
        candidate_sha256: of SHA256SUMS of the candidate.
        reason: of the last refusal or hold.
        spend, spend_by, spend_at: epsilon that the privacy officer lets the build charge at most.
    """

    version = models.CharField(max_length=40, unique=True)
    week = models.DateField(null=True)
    note = models.JSONField(default=dict)
    state = models.CharField(
        max_length=16, default="drafted", choices=[(s, s) for s in PLAN_STATES]
    )
    rehearsal = models.JSONField(default=dict)
    candidate_sha256 = models.CharField(max_length=64, default="")
    reason = models.CharField(max_length=1000, default="", blank=True)
    account = models.ForeignKey(DeskAccount, models.SET_NULL, null=True)
    spend_by = models.ForeignKey(
        DeskAccount, models.SET_NULL, null=True, related_name="allowed_spending"
    )
    spend = models.FloatField(null=True)
    spend_at = models.DateTimeField(null=True)
    created = models.DateTimeField(auto_now_add=True)
    changed = models.DateTimeField(auto_now=True)

    class Meta:
        """Newest first."""

        default_permissions = ()
        ordering = ("-created",)
        constraints = (
            models.CheckConstraint(condition=Q(state__in=PLAN_STATES), name="plan_state"),
        )


class TableRequest(Keyed):
    """A table that somebody asks for and the last release does not hold.

    Attributes:
        organisation: that asks; None where a person of the hub asks on behalf of the public.
        account: who wrote it down.
        variables: names of the schema, at most four.
        region: of UN M49, in which people were exploited; "" for everywhere.
        first, last: years; None for all.
        purpose: what it is for; free text, never about a person.
        state: "agreed" once the policy of the next release has the table.
        reason: code of the list, of a refusal or an agreement.
        decided, decided_by: when, by whom; neither is shown to who asked.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True)
    account = models.ForeignKey(DeskAccount, models.SET_NULL, null=True)
    variables = models.JSONField(default=list)
    region = models.CharField(max_length=40, default="", blank=True)
    first = models.IntegerField(null=True)
    last = models.IntegerField(null=True)
    purpose = models.CharField(max_length=1000, default="", blank=True)
    state = models.CharField(
        max_length=10, default="asked", choices=[(s, s) for s in REQUEST_STATES]
    )
    reason = models.CharField(max_length=40, default="", blank=True)
    decided = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        DeskAccount, models.SET_NULL, null=True, related_name="decided_tables"
    )
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Newest first."""

        default_permissions = ()
        ordering = ("-created",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=REQUEST_STATES), name="table_request_state"
            ),
        )


class Job(Keyed):
    """Work of the worker; this row is the truth, the queue's own row only carries it.

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
    """

    what = models.CharField(max_length=40)
    lane = models.CharField(max_length=8, choices=[(s, s) for s in LANES])
    account = models.ForeignKey(DeskAccount, models.SET_NULL, null=True)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True)
    thing = models.CharField(max_length=64, default="")
    given = models.JSONField(default=dict)
    state = models.CharField(max_length=10, default="waiting", choices=[(s, s) for s in JOB_STATES])
    progress = models.JSONField(null=True)
    outcome = models.JSONField(null=True)
    cancel = models.BooleanField(default=False)
    attempts = models.IntegerField(default=0)
    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    task = models.CharField(max_length=64, default="")

    class Meta:
        """Newest first."""

        default_permissions = ()
        ordering = ("-created",)
        constraints = (models.CheckConstraint(condition=Q(state__in=JOB_STATES), name="job_state"),)


class OutgoingMail(Keyed):
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
    created = models.DateTimeField(auto_now_add=True)
    attempts = models.IntegerField(default=0)
    next_try = models.DateTimeField(null=True)
    sent = models.DateTimeField(null=True)

    class Meta:
        """Oldest first."""

        default_permissions = ()
        ordering = ("created",)


class Paper(Keyed):
    """A paper of the hub or of an organisation; the file is in ``papers/``, named by its hash.

    Attributes:
        kind: such as "agreement" or "assessment".
        language: of the paper.
        open_marks: how many places a person must still decide.
        signed: day on which it was signed; None for a draft.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True)
    account = models.ForeignKey(DeskAccount, models.SET_NULL, null=True)
    kind = models.CharField(max_length=40)
    language = models.CharField(max_length=2)
    sha256 = models.CharField(max_length=64)
    bytes = models.BigIntegerField()
    open_marks = models.IntegerField(default=0)
    signed = models.DateField(null=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Newest first."""

        default_permissions = ()
        ordering = ("-created",)


# --------------------------------------------------------------------------------------------------
# What goes to the signing page and comes back: tickets, and the devices of approvers.
#
# No row makes a key count: that are the keys of the last signed release and the signed changes.

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
