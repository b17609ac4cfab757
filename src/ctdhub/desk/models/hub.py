"""Plans of releases, jobs, messages and papers."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ctdhub.desk.models.keys import Keyed
from ctdhub.desk.models.people import DeskAccount, Organisation

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
