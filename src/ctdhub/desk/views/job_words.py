"""Jobs in words, and the page from which each was begun."""

from __future__ import annotations

from django.urls import reverse

from ctdhub.core.i18n import Text, said
from ctdhub.desk.models.hub import Job

_WORDS = {
    "read": Text("Reading the files"),
    "rehearse": Text("Rehearsing on fictitious people"),
    "price": Text("Finding the price"),
    "build": Text("Building the release"),
    "agreement": Text("Changing an agreement"),
    "withdraw": Text("Withdrawing a contributor"),
    "withdraw_delivery": Text("Withdrawing a delivery"),
    "told_find": Text("Looking for the records of a report"),
    "told_carry": Text("Carrying out a withdrawal"),
    "accept_alarm": Text("Accepting an alarm"),
    "take_up": Text("Taking a table into the policy"),
    "check": Text("Checking a delivery"),
    "accept": Text("Accepting a delivery"),
    "approve": Text("Recording an approval"),
    "change_keys": Text("Recording a change of approvers"),
    "hold": Text("Holding a candidate back"),
    "lift": Text("Taking a hold back"),
    "publish": Text("Publishing a release"),
    "site": Text("Building the site"),
    "destroy": Text("Destroying a delivery"),
}


def job_words(what: str) -> Text:
    """What a job does."""
    return _WORDS.get(what, Text("A job of the hub"))


def back_of(job: Job) -> tuple[str, str]:
    """Where to go on from a job: words and address."""
    if job.what in ("rehearse", "price", "build") and job.given.get("plan"):
        return said(Text("Back to the plan")), reverse("plan", kwargs={"id": job.given["plan"]})
    if job.what in ("read", "accept_alarm"):
        return said(Text("Back to the look")), reverse("looks")
    if job.what == "agreement":
        return said(Text("Back to the agreements")), reverse("agreements")
    if job.what in ("approve", "hold", "lift", "publish", "site"):
        return said(Text("Back to the approvals")), reverse("approvals")
    if job.what == "take_up":
        return said(Text("Back to the table")), reverse("table", kwargs={"id": job.thing})
    if job.what in ("withdraw", "withdraw_delivery", "told_find", "told_carry"):
        return said(Text("Back to the withdrawals")), reverse("withdrawals")
    return said(Text("Home")), reverse("home")
