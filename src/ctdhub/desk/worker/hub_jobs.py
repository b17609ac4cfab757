"""Jobs of the hub's pages: the functions that the command line calls, with progress.

A row of a job holds no exact count: why a job stopped is kept below ``work/desk/``, where the
pages of those who may know it read it (``answers``), and the row names the rule alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any
from uuid import UUID

from django.utils import timezone

from ctdhub.build import (
    agreement_file,
    desk_files,
    next_price,
    pipeline,
    rehearsal,
    table_request,
    told,
)
from ctdhub.build import withdraw as withdrawing
from ctdhub.build import withdraw_delivery as withdrawing_delivery
from ctdhub.build.accept_alarm import accept_alarm as accept
from ctdhub.build.hub import Hub
from ctdhub.build.rules import policy
from ctdhub.build.steps import hash_file
from ctdhub.core.error_catalogue import as_json, error
from ctdhub.core.errors import HubError
from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, Text
from ctdhub.desk.config import current
from ctdhub.desk.mail import tell_of_table, tell_organisation
from ctdhub.desk.models.deliveries import Delivery
from ctdhub.desk.models.hub import ReleasePlan, TableRequest
from ctdhub.desk.models.people import Organisation
from ctdhub.desk.worker.child import BUSY
from ctdhub.desk.worker.ending import destroyed
from ctdhub.desk.worker.work import Rows, Work
from ctdhub.dp.price import up_to
from ctdhub.release.approvals import CANDIDATES
from ctdhub.release.verify import digest
from ctdhub.sensitive.consent.entry import REASONS, Withdrawal

Jobs = Callable[[Work], Rows]


def _private(job: Jobs) -> Jobs:
    """The same job, whose errors leave their counts and names in the hub folder."""

    @wraps(job)
    def run(work: Work) -> Rows:
        try:
            return job(work)
        except HubError as met:
            if met.rule == BUSY:
                raise
            desk_files.keep(_hub(), f"stopped-{work.job.id.hex}.json", as_json(met))
            raise error("desk-stopped", name=met.rule or "error") from None

    return run


def _hub() -> Hub:
    return Hub(Path(current().hub))


def _progress(work: Work) -> Callable[[str | Text, float], None]:
    """Progress of a build as that of the job; the name of a step is no Text of a language."""

    def tell(step: str | Text, share: float) -> None:
        text = step if isinstance(step, Text) else Text("Step: {step}", step=step.split(" ")[0])
        work.say(text, share)

    return tell


@_private
def read(work: Work) -> Rows:
    """Read what changed and link people; nothing is charged."""
    pipeline.build(_hub(), until="link", progress=_progress(work))
    return lambda: {"text": Text("All files were read as they are now.").as_json()}


@_private
def rehearse(work: Work) -> Rows:
    """Rehearse the policy on fictitious people and keep the figures."""
    hub, given = _hub(), work.job.given
    rules, asked = policy(hub), rehearsal.of_hub(hub)
    own = rules.epsilon
    epsilons = [float(e) for e in given.get("epsilons", ())] or [own / 4, own / 2, own, 2 * own]
    people = min(max(int(given.get("people", 20_000)), 100), 999_999)
    done = rehearsal.rehearsed(asked, people, epsilons, asked.delta, progress=_progress(work))
    found = rehearsal.figures(asked, people, done, asked.delta)
    kept = found | {"policy": hash_file(hub.policy_file)}
    desk_files.keep(hub, desk_files.REHEARSAL, kept)

    def rows() -> dict[str, Any]:
        plans = ReleasePlan.objects.filter(id=_plan(given), state="drafted")
        plans.update(state="simulated", changed=timezone.now())
        return {"text": Text("The rehearsal is done; nothing was charged.").as_json()}

    return rows


@_private
def price(work: Work) -> Rows:
    """Find what a version would cost and keep it for those who may know."""
    hub, version = _hub(), str(work.job.given["version"])
    found = next_price.price_of(hub, version, _progress(work))
    desk_files.keep(hub, desk_files.PRICE, found.as_json())
    return lambda: {"text": Text("The price is known; nothing was charged.").as_json()}


@_private
def build(work: Work) -> Rows:
    """Build the candidate of a plan, for at most what the privacy officer said yes to."""
    hub, key = _hub(), _plan(work.job.given)
    plan = ReleasePlan.objects.get(id=key)
    pipeline.build(
        hub,
        until="candidate",
        progress=_progress(work),
        version=plan.version,
        note=note_of(plan.note),
        pay=up_to(plan.spend or 0.0),
    )
    made = hub.root / CANDIDATES / plan.version
    found = digest(made) if made.is_dir() else ""

    def rows() -> dict[str, Any]:
        ReleasePlan.objects.filter(id=key).update(
            state="built" if found else "simulated",
            candidate_sha256=found,
            spend=None,
            spend_by=None,
            spend_at=None,
            changed=timezone.now(),
        )
        return {"text": Text("The candidate is built. Read what it changes.").as_json()}

    return rows


def note_of(notes: Mapping[str, str]) -> str:
    """One note of those in several languages; each says which language it is.

    >>> note_of({"en": "One.", "fr": "Un."})
    'English: One.\\nFrançais: Un.'
    """
    written = [(code, " ".join(notes[code].split())) for code in LANGUAGES if notes.get(code)]
    if len(written) == 1:
        return written[0][1]
    return "\n".join(f"{NATIVE_NAMES[code]}: {text}" for code, text in written)


@_private
def agreement(work: Work) -> Rows:
    """Write an agreement against the file that was shown."""
    hub, given = _hub(), work.job.given
    key = str(given["contributor"])
    found = agreement_file.write_agreement(hub, key, given["settings"], str(given["base"]))
    (agreed,) = [one for one in hub.agreements() if one.id == key]

    def rows() -> dict[str, Any]:
        known = {
            "name": agreed.name,
            "agreement_sha256": found,
            "ends": agreed.ends,
            "keep_months": agreed.keep_months,
            "lost": False,
        }
        Organisation.objects.update_or_create(id=key, defaults=known)
        return {"text": Text("The agreement was written.").as_json()}

    return rows


@_private
def withdraw(work: Work) -> Rows:
    """A contributor withdraws with all its records."""
    given = work.job.given
    reason = next(one for one in REASONS if one == given["reason"])
    entry = Withdrawal("withdrawal", "contributor", str(given["contributor"]), reason=reason)
    withdrawing.withdraw(_hub(), [entry])
    return lambda: {"text": Text("The contributor is withdrawn; build again.").as_json()}


@_private
def withdraw_delivery(work: Work) -> Rows:
    """A delivery is withdrawn: its file is erased, and no build reads it any more."""
    delivery = Delivery.objects.get(id=work.job.thing)
    reason = next(one for one in REASONS if one == work.job.given["reason"])
    if delivery.state == "accepted":
        withdrawing_delivery.withdraw_delivery(
            _hub(), str(delivery.organisation_id), delivery.day, file_shas(delivery), reason
        )

    def rows() -> dict[str, Any]:
        done = Delivery.objects.filter(id=delivery.id, state="accepted").update(
            state="withdrawn", lost=False, changed=timezone.now()
        )
        destroyed(delivery)
        if done:
            tell_organisation("withdrawn", delivery)
        return {"text": Text("The delivery is withdrawn; build again.").as_json()}

    return rows


@_private
def told_find(work: Work) -> Rows:
    """Look for the records of a withdrawal that a contributor reported."""
    told.look_for(_hub(), str(work.job.given["told"]), _progress(work))
    return lambda: {"text": Text("The records of the report were looked for.").as_json()}


@_private
def told_carry(work: Work) -> Rows:
    """Carry out a withdrawal that a contributor reported."""
    hub, key = _hub(), str(work.job.given["told"])
    if not told.carry_out(hub, key, _progress(work)):
        text = Text("The contributor must answer a question about the report first.")
    elif told.report_of(hub, key).state == "not_found":
        text = Text(
            "No record of the contributor has these numbers: nothing of it was taken out. They "
            "stay in force for later files."
        )
    else:
        text = Text("The withdrawal is carried out; build again.")
    return lambda: {"text": text.as_json()}


@_private
def accept_alarm(work: Work) -> Rows:
    """Accept an alarm by name in the mapping, for one delivery."""
    given = work.job.given
    hub, by = _hub(), work.job.account_id.hex if work.job.account_id else "desk"
    keys = ("contributor", "date", "entry", "reason", "base")
    accept(hub, **{key: str(given[key]) for key in keys}, by=by)
    pipeline.build(hub, until="alarms", progress=_progress(work))
    return lambda: {"text": Text("The alarm is accepted.").as_json()}


@_private
def take_up(work: Work) -> Rows:
    """Write a requested table into the policy; the next release holds it and pays for it."""
    asked = TableRequest.objects.get(id=work.job.thing)
    wanted = asked.state in ("asked", "agreed")  # it may be taken back while the yes waits
    if wanted:
        table_request.take_up(_hub(), asked.variables, str(work.job.given["policy"]))

    def rows() -> dict[str, Any]:
        if not wanted:
            text = Text("The request is no longer open; nothing was written.")
            return {"text": text.as_json()}
        done = TableRequest.objects.filter(id=asked.id, state="asked").update(
            state="agreed", decided=timezone.now(), decided_by=work.job.account
        )
        if done:
            tell_of_table(asked)
        text = Text("The table is in the policy; the next release holds it.")
        return {"text": text.as_json()}

    return rows


def file_shas(delivery: Delivery) -> frozenset[str]:
    """SHA-256 of the files in ``contributions/`` that a delivery may be."""
    return frozenset({delivery.sha256, *map(str, delivery.summary.get("files", ()))})


def _plan(given: Mapping[str, Any]) -> UUID:
    return UUID(hex=str(given["plan"]))


JOBS: dict[str, Jobs] = {
    "read": read,
    "rehearse": rehearse,
    "price": price,
    "build": build,
    "agreement": agreement,
    "withdraw": withdraw,
    "withdraw_delivery": withdraw_delivery,
    "told_find": told_find,
    "told_carry": told_carry,
    "accept_alarm": accept_alarm,
    "take_up": take_up,
}
