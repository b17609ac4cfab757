"""Jobs of the hub's pages, those of approval among them: the functions that the command line
calls.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from ctdhub.core.errors import error
from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, Text, language
from ctdhub.desk.config import current
from ctdhub.desk.jobs import Rows, Work, enqueue
from ctdhub.desk.mail import tell_about, tell_hub
from ctdhub.desk.models import ApprovalDevice, Delivery, Job, ReleasePlan, SenderKey, TableRequest
from ctdhub.desk.worker.answers.releases import cards_file, compared
from ctdhub.desk.worker.deliveries import destroyed, organisations
from ctdhub.desk.worker.identities import make_hub_keys
from ctdhub.dp.quote import up_to
from ctdhub.hub import (
    agreements,
    approvers,
    between_builds,
    errata,
    pipeline,
    rehearsal,
    withdrawals,
)
from ctdhub.hub import folder as desk_files
from ctdhub.hub.approvers import accept_change
from ctdhub.hub.between_builds import accept_alarm as accept
from ctdhub.hub.between_builds import draw_site
from ctdhub.hub.folder import Hub, policy, waiting_version
from ctdhub.hub.receive_bundle import name_recipient, name_sender, sender_of
from ctdhub.hub.stages import publish as stage
from ctdhub.hub.steps import hash_file
from ctdhub.release import approvals
from ctdhub.release.errata import Signed
from ctdhub.release.open import open_release
from ctdhub.sensitive.bundle.pack import key_print, parse_key_file
from ctdhub.sensitive.consent.register import REASONS
from ctdhub.stats.answers import Answers

# --------------------------------------------------------------------------------------------------
# Jobs of the hub's pages: the functions that the command line calls, with progress.
#
# A row of a job holds no exact count: see ``desk.worker.child``.


def _hub() -> Hub:
    return Hub(current().hub)


def _progress(work: Work) -> Callable[[str | Text, float], None]:
    """Progress of a build as that of the job; the name of a step is no Text of a language."""

    def tell(step: str | Text, share: float) -> None:
        text = step if isinstance(step, Text) else Text("Step: {step}", step=step.split(" ")[0])
        work.say(text, share)

    return tell


def read(work: Work) -> Rows:
    """Read what changed and link people; nothing is charged."""
    pipeline.build(_hub(), until="link", progress=_progress(work))
    return lambda: {"text": Text("All files were read as they are now.").as_json()}


def rehearse(work: Work) -> Rows:
    """Rehearse the policy on fictitious people and keep the figures."""
    hub, options = _hub(), work.job.given
    rules, asked = policy(hub), rehearsal.of_hub(hub)
    own = rules.epsilon
    epsilons = [float(e) for e in options.get("epsilons", ())] or [own / 4, own / 2, own, 2 * own]
    people = min(max(int(options.get("people", 20_000)), 100), 999_999)
    done = rehearsal.rehearsed(asked, people, epsilons, asked.delta, progress=_progress(work))
    figures = rehearsal.figures(asked, people, done, asked.delta)
    kept = figures | {"policy": hash_file(hub.policy_file)}
    desk_files.keep(hub, desk_files.REHEARSAL, kept)

    return lambda: {"text": Text("The rehearsal is done; nothing was charged.").as_json()}


def price(work: Work) -> Rows:
    """Find what a version would cost and keep it for those who may know."""
    hub, version = _hub(), str(work.job.given["version"])
    cost = between_builds.price_of(hub, version, _progress(work))
    desk_files.keep(hub, desk_files.PRICE, cost.as_json())
    return lambda: {"text": Text("The price is known; nothing was charged.").as_json()}


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
    made = (hub.root / approvals.CANDIDATES / plan.version).is_dir()

    def rows() -> dict[str, Any]:
        ReleasePlan.objects.filter(id=key).update(
            state="built" if made else "drafted",
            spend=None,
            spend_by=None,
            spend_at=None,
            changed=timezone.now(),
        )
        draw_cards()
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


def agreement(work: Work) -> Rows:
    """Write an agreement against the file that was shown."""
    hub, arguments = _hub(), work.job.given
    key = str(arguments["contributor"])
    agreements.write_agreement(hub, key, arguments["settings"], str(arguments["base"]))

    def rows() -> dict[str, Any]:
        organisations(hub)
        return {"text": Text("The agreement is written: its people can be invited.").as_json()}

    return rows


def hub_keys(work: Work) -> Rows:
    """Make the keys for bundles and cards, and name the recipient in hub.yaml."""
    name_recipient(_hub(), make_hub_keys(current().hub))
    return lambda: {"text": Text("The hub has its keys: organisations can get its card.").as_json()}


def confirm_key(work: Work) -> Rows:
    """Let an organisation sign with the key whose fingerprint somebody heard from it.

    The agreement is written before the row, so a run that was killed may have written it: where
    somebody decided otherwise meanwhile, the key is taken out again.
    """
    row: SenderKey = SenderKey.objects.get(id=work.job.thing)
    if row.state in ("refused", "ended") and not _same(row).filter(state="confirmed").exists():
        _take_out(work, row)
    if row.state != "waiting" or row.account_id == work.job.account_id:
        raise error("sender-key/changed")
    key = sender_of(_hub(), row.organisation_id, row.file.encode())
    if key_print(key) != work.job.given["fingerprint"]:
        raise error("sender-key/changed")
    name_sender(_hub(), row.organisation_id, key, signs=True)

    def rows() -> dict[str, Any]:
        waits = SenderKey.objects.filter(id=row.id, state="waiting")
        if not waits.update(state="confirmed", decided=timezone.now(), decided_by=work.job.account):
            _take_out(work, row)
            raise error("sender-key/changed")
        text = Text("The key is confirmed: the hub takes bundles signed with it.")
        return {"text": text.as_json()}

    return rows


def end_key(work: Work) -> Rows:
    """Let an organisation sign with a key no more."""
    row: SenderKey = SenderKey.objects.get(id=work.job.thing)
    _take_out(work, row)

    def rows() -> dict[str, Any]:
        counted = _same(row).filter(state__in=("waiting", "confirmed"))
        counted.update(state="ended", decided=timezone.now(), decided_by=work.job.account)
        return {"text": Text("The key is ended: no bundle signed with it is taken.").as_json()}

    return rows


def _take_out(work: Work, row: SenderKey) -> None:
    """Take a key out of the agreement, also where the hub has a new name since it came."""
    key = parse_key_file(row.file.encode()).key
    if key_print(key) != work.job.given["fingerprint"]:
        raise error("sender-key/changed")
    name_sender(_hub(), row.organisation_id, key, signs=False)


def _same(row: SenderKey) -> Any:
    return SenderKey.objects.filter(organisation=row.organisation_id, fingerprint=row.fingerprint)


def withdraw(work: Work) -> Rows:
    """A contributor withdraws with all its records."""
    arguments = work.job.given
    reason = next(one for one in REASONS if one == arguments["reason"])
    key = withdrawals.submit(_hub(), str(arguments["contributor"]), "contributor", reason)
    withdrawals.carry_out(_hub(), key, _progress(work))
    return lambda: {"text": Text("The contributor is withdrawn; build again.").as_json()}


def withdraw_delivery(work: Work) -> Rows:
    """A delivery is withdrawn: its file is erased, and no build reads it any more."""
    delivery = Delivery.objects.get(id=work.job.thing)
    reason = next(one for one in REASONS if one == work.job.given["reason"])
    if delivery.state == "accepted":
        withdrawals.withdraw_delivery(
            _hub(), str(delivery.organisation_id), delivery.day, file_shas(delivery), reason
        )

    def rows() -> dict[str, Any]:
        done = Delivery.objects.filter(id=delivery.id, state="accepted").update(
            state="withdrawn", lost=False, changed=timezone.now()
        )
        destroyed(delivery)
        if done:
            tell_about("withdrawn", delivery, "organisation")
        return {"text": Text("The delivery is withdrawn; build again.").as_json()}

    return rows


def told_find(work: Work) -> Rows:
    """Look for the records of a withdrawal that a contributor reported."""
    withdrawals.look_for(_hub(), str(work.job.given["told"]), _progress(work))
    return lambda: {"text": Text("The records of the report were looked for.").as_json()}


def told_carry(work: Work) -> Rows:
    """Carry out a withdrawal that a contributor reported."""
    state = withdrawals.carry_out(_hub(), str(work.job.given["told"]), _progress(work)).state
    text = Text("The withdrawal is carried out; build again.")
    if state == "asked":
        text = Text("The contributor must answer a question about the report first.")
    elif state == "nothing_found":
        text = Text(
            "No record of the contributor was found: nothing of it was taken out. The report stays "
            "in force for later files."
        )
    return lambda: {"text": text.as_json()}


def accept_alarm(work: Work) -> Rows:
    """Accept an alarm by name in the mapping, for one delivery."""
    arguments = work.job.given
    hub, by = _hub(), work.job.account_id.hex if work.job.account_id else "desk"
    keys = ("contributor", "date", "entry", "reason", "base")
    accept(hub, **{key: str(arguments[key]) for key in keys}, by=by)
    pipeline.build(hub, until="alarms", progress=_progress(work))
    return lambda: {"text": Text("The alarm is accepted.").as_json()}


def take_up(work: Work) -> Rows:
    """Write a requested table into the policy; the next release holds it and pays for it."""
    asked = TableRequest.objects.get(id=work.job.thing)
    wanted = asked.state in ("asked", "agreed")  # it may be taken back while the yes waits
    if wanted:
        rehearsal.take_up_table(_hub(), asked.variables, str(work.job.given["policy"]))

    def rows() -> dict[str, Any]:
        if not wanted:
            return {"text": Text("The request is no longer open; nothing was written.").as_json()}
        TableRequest.objects.filter(id=asked.id, state="asked").update(
            state="agreed", decided=timezone.now(), decided_by=work.job.account
        )
        return {"text": Text("The table is in the policy; the next release holds it.").as_json()}

    return rows


def file_shas(delivery: Delivery) -> frozenset[str]:
    """SHA-256 of the files in ``contributions/`` that a delivery may be."""
    return frozenset({delivery.sha256, *map(str, delivery.summary.get("files", ()))})


def _plan(arguments: Mapping[str, Any]) -> UUID:
    return UUID(hex=str(arguments["plan"]))


# --------------------------------------------------------------------------------------------------
# Messages that a page asks for: the web process does not see whose accounts they go to.


def tell(work: Work) -> Rows:
    """The job ``tell``: a message about a delivery to its organisation or the data officers."""

    def rows() -> dict[str, Any]:
        arguments = work.job.given
        tell_about(arguments["kind"], Delivery.objects.get(id=work.job.thing), *arguments["whom"])
        return {}

    return rows


# --------------------------------------------------------------------------------------------------
# Jobs of approval: each is checked again here, whatever the web process has checked.

_AGAIN = timedelta(hours=1)


def _signed(work: Work, kind: Any, part: str) -> Any:
    """What a job brings, if it came in time and for an account that holds its role now."""
    signed = kind.model_validate_json(work.job.given["signed"])
    statement = getattr(signed, part)
    _refuse_other(work.job, statement.role)
    date = getattr(statement, "signed", "") or statement.date
    approvals.refuse_late(date, datetime.fromisoformat(work.job.given["arrived"]))
    return signed


def approve(work: Work) -> Rows:
    """Put a signed statement to its candidate; publish if nothing waits any more."""
    hub, signed = _hub(), _signed(work, approvals.Approval, "statement")
    release = stage.accept(hub, stage.waiting(hub, signed.statement.version), signed)
    return lambda: _published(release is not None, signed.statement.version)


def change_keys(work: Work) -> Rows:
    """Write down a signed change of approvers."""
    signed = _signed(work, approvals.SignedChange, "change")
    accept_change(_hub(), signed)
    return lambda: {"line": signed.change.number}


def name_approvers(work: Work) -> Rows:
    """Name approvers: of each the two newest passkeys whose digits nobody must hear any more."""
    hub = _hub()
    known = hub.settings.approvers
    named = () if known is None else known.all_keys
    keys: dict[approvals.Role, list[str]] = {}
    for device, unheard in ApprovalDevice.of_approvers():
        if not unheard and (known is None or device.key not in named):
            keys.setdefault(device.role, []).append(device.key)
    newest: dict[Any, Any] = {r: tuple(own[-2:]) if own[1:] else own[0] for r, own in keys.items()}
    if known is None and keys.keys() == set(approvals.ROLES):
        agreements.name_first(hub, approvals.Approvers.model_validate(newest))
    elif known is not None and newest:
        agreements.name_next(hub, newest)
    elif known is None:
        raise error("approvers/unheard")

    def rows() -> dict[str, Any]:
        tell_hub("approvers")
        first = Text("The approvers are named: they can approve releases now.")
        later = Text("The new passkeys are named. The approver whose own stay signs the change.")
        return {"text": (later if known and newest else first).as_json()}

    return rows


def hold(work: Work) -> Rows:
    """Hold a candidate back, or refuse it."""
    hub, arguments = _hub(), work.job.given
    role: approvals.Role = arguments["role"]
    _refuse_other(work.job, role)
    candidate = stage.waiting(hub, arguments["version"])
    approvers.hold(hub, candidate, role, arguments["reason"], refuse=arguments["act"] == "refuse")
    return lambda: {"version": candidate.name}


def lift(work: Work) -> Rows:
    """Take back a hold, as its role signed."""
    hub, signed = _hub(), _signed(work, approvals.SignedLift, "lift")
    candidate = stage.waiting(hub, signed.lift.version)
    approvers.lift(hub, candidate, signed)
    return lambda: {"version": candidate.name}


def correct(work: Work) -> Rows:
    """Write a notice about a published release; it waits for two signatures."""
    hub, arguments = _hub(), work.job.given
    _refuse_other(work.job, arguments["role"])
    version, withdrawn = arguments["version"], arguments["withdrawn"]
    errata.begin(hub, errata.draft(hub, version, arguments["note"], withdraw=withdrawn))
    return lambda: {"text": Text("The notice is written. Both approvers sign it now.").as_json()}


def sign_notice(work: Work) -> Rows:
    """Put a signature under a notice; with the second one the site shows it."""
    erratum = errata.accept(_hub(), _signed(work, Signed, "statement"))
    return lambda: _published(not erratum.missing, erratum.notice.version)


def publish(work: Work) -> Rows:
    """Publish the candidate whose day has come; nothing else."""
    release = stage.publish_due(_hub())
    return lambda: _published(release is not None, release.name if release else "")


def site(work: Work) -> Rows:
    """Let the site show what is published."""
    draw_site(_hub())
    return lambda: {}


def cards(work: Work) -> Rows:
    """Draw the cards that approvers read, in all languages, and forget those of other bundles."""
    from ctdhub.site.cards import unpublished  # loads all that draws a site

    hub, names = _hub(), set()
    kept = hub.work / desk_files.FOLDER
    for bundle in compared(hub):
        answers = Answers(open_release(bundle))
        for code in LANGUAGES:
            names.add(name := cards_file(hub, bundle, code))
            work.say(Text("Step: {step}", step=bundle.name))
            if not (kept / name).is_file():
                with language(code):
                    desk_files.keep(hub, name, unpublished(answers, hub.settings.site.url))
    for old in kept.glob("cards-*.json"):
        if old.name not in names:
            old.unlink()
    return lambda: {}


def draw_cards() -> None:
    """Put in the job that draws what a candidate lacks, once an hour; for the rounds too."""
    hub = _hub()
    for name in (cards_file(hub, one, code) for one in compared(hub) for code in LANGUAGES):
        if not (hub.work / desk_files.FOLDER / name).is_file():
            _enqueue_hourly("cards", name)
            return


def publish_when_due() -> None:
    """Put in the job that publishes the candidate whose day has come; for the rounds of the worker.

    One job an hour: what cannot be published now is not tried every minute.
    """
    hub, now = _hub(), timezone.now()
    version = waiting_version(hub)
    if version is None:
        return
    if approvers.publication(hub, hub.candidates / version, now).state != "due":
        return
    _enqueue_hourly("publish", version)


def _enqueue_hourly(what: str, thing: str) -> None:
    tried = Job.objects.filter(what=what, thing=thing, created__gt=timezone.now() - _AGAIN)
    if not tried.exists():
        enqueue(what, "build", thing=thing)


def _published(published: bool, version: str) -> dict[str, Any]:
    """The outcome; a release that is out is shown by the site, which is a job of its own."""
    if published:
        enqueue("site", "build", thing=version)
    return {"published": published, "version": version}


def _refuse_other(job: Any, role: str) -> None:
    """Refuse what comes for an account that does not hold the role now."""
    account = job.account
    if account is None or not account.is_active or role not in account.who().roles:
        raise error("approval/role")
