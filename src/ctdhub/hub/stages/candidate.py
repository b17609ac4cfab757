"""A protected answer becomes a bundle that waits for approval.

One that waits already and holds the same answer stays, unless other software would make it or
public facts changed.  Then, and where a new answer was drawn, it is made anew under its version,
with its note, and has to be approved again: so versions are counted without gaps, and their numbers
do not tell how many candidates there were.  A published release is never touched, and its answer
never gets into another one.
"""

import json
import secrets
import shutil
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from ctdhub.border import Protected
from ctdhub.core.errors import error
from ctdhub.core.files import remove
from ctdhub.core.i18n import Text
from ctdhub.dp import answer_store
from ctdhub.dp.ledger.file import damaged
from ctdhub.dp.policy import Policy
from ctdhub.hub.contributions import ANSWER, CANDIDATE, left_by
from ctdhub.hub.folder import Hub, by_version, candidate_version, public_facts, waiting_version
from ctdhub.hub.paid import check_paid, ledger, published
from ctdhub.hub.review import write_review
from ctdhub.hub.steps import Step, hash_file, hash_of, software, software_names
from ctdhub.release.approvals import Approvals
from ctdhub.release.bundle import latest_release, next_version, write_release
from ctdhub.release.changes import CHANGELOG, carries_note, changes, newest_note
from ctdhub.release.manifest import ATTACKS, MANIFEST, PublicFacts
from ctdhub.release.open import open_release

_FACTS = Text("hub.yaml and agreements")

REMADE, _OLD = ".remade", ".old-"
"""In ``candidates/``: where a bundle is made anew, and what it takes the place of."""


def write_candidate(hub: Hub, rules: Policy, version: str = "", notes: str = "") -> Step:
    """The protected answer -> a finished bundle in candidates/, unless one already holds it.

    Raises:
        ReleaseError: there are notes, and the bundle that holds the answer does not carry them.
        LedgerError: the answer is damaged.
    """
    facts = public_facts(hub, rules, _last_charge(hub)["years"][1])
    state = hub.withdrawn().state
    output, program = hub.work / CANDIDATE, software(__name__)
    made_by = hash_of(dict(program))
    _finish(hub)
    made: dict[str, Any] = left_by(hub.work / CANDIDATE, ANSWER) or {}
    holder = _holding(hub, paid_answer(hub, facts), version) if notes else None
    if holder is not None:
        _refuse_other_note(hub, holder, notes)
    if candidate_version(hub) is None or (notes and holder is None):
        shutil.rmtree(output, ignore_errors=True)  # no bundle is there, or a new one is wanted

    def run(folder: Path) -> None:
        answer = paid_answer(hub, facts)
        bundle = _holding(hub, answer, version) or _released(hub, answer)
        if bundle is None or not _stays(hub, bundle, made, made_by):
            name = version or waiting_version(hub) or next_version(hub.releases)
            bundle = bundle or hub.candidates / name
            if bundle.is_dir():
                note = notes or newest_note((bundle / CHANGELOG).read_text("utf-8"))
                _write(hub, answer, bundle.name, note, hub.candidates / REMADE)
                bundle.rename(bundle.with_name(f"{_OLD}{bundle.name}-{secrets.token_hex(4)}"))
                _finish(hub)
            else:
                _write(hub, answer, bundle.name, notes, hub.candidates)
        seen = {"version": bundle.name, "withdrawals": state, "software": made_by}
        (folder / ANSWER).write_text(json.dumps(seen), "utf-8")

    step = Step(
        name="candidate",
        inputs={
            Text("protected answer"): hash_file(hub.work / "protected" / ANSWER),
            _FACTS: hash_of(facts),
            Text("withdrawals"): state,
            Text("version"): version,
        },
        output=output,
        run=run,
        software=program,
    )
    return replace(step, remark=_remark(hub, step, str(made.get("version"))))


def paid_answer(hub: Hub, facts: dict[str, Any]) -> Protected:
    """The answer that the last build paid for or found, with today's public facts.

    Raises:
        LedgerError: it is damaged, or is not there.
        LedgerTampered: the ledger lacks a charge that paid for something.
    """
    check_paid(hub)
    book = ledger(hub)
    answer = answer_store.by_charge(book, str(_last_charge(hub)["charge"]), facts)
    if answer is None:
        raise damaged(book.folder)
    return answer


def _last_charge(hub: Hub) -> dict[str, Any]:
    """The charge of the answer that the last build paid for or found, and the years it covers."""
    charge: dict[str, Any] = json.loads((hub.work / "protected" / ANSWER).read_text("utf-8"))
    return charge


def _finish(hub: Hub) -> None:
    """Put a bundle that was made anew in its place, also where a killed build did not."""
    for manifest in sorted(hub.candidates.glob(f"{REMADE}/[!.]*/{MANIFEST}")):
        target = hub.candidates / manifest.parent.name
        if not target.exists():
            manifest.parent.rename(target)
    for left in (hub.candidates / REMADE, *hub.candidates.glob(f"{_OLD}*")):
        if left.is_dir():
            remove(left)


def _stays(hub: Hub, bundle: Path, made: dict[str, Any], made_by: str) -> bool:
    """Whether a bundle is left as it is: it is published or approved, or today's software made it.

    What made one is known of the last alone; any other is made anew, which costs nothing.
    """
    if bundle.parent == hub.releases or not Approvals.read(bundle).missing:
        return True
    return made.get("version") == bundle.name and made.get("software") == made_by


def _remark(hub: Hub, step: Step, version: str) -> Text | None:
    """What is to be said of a published release that would be made differently today."""
    changes = step.changes()
    if changes and changes.software and not changes.inputs:
        what = software_names(changes.software)
    elif changes and changes.inputs == [_FACTS.message]:
        what = _FACTS
    else:
        return None
    if not (hub.releases / version / MANIFEST).is_file():
        return None
    return Text(
        "Release {version} is published and stays as it is; the next one will differ: {parts}",
        version=version,
        parts=what,
    )


def refuse_note(hub: Hub, version: str, notes: str) -> None:
    """Refuse notes on a version that is written already; to be asked before a build begins.

    Raises:
        ReleaseError: the version is there and does not carry the notes.
    """
    for place in (hub.releases, hub.candidates) if version and notes else ():
        if (place / version / MANIFEST).is_file():
            _refuse_other_note(hub, place / version, notes)


def _refuse_other_note(hub: Hub, bundle: Path, notes: str) -> None:
    if carries_note((bundle / CHANGELOG).read_text("utf-8"), notes):
        return
    number = next_version(hub.releases, candidates=hub.candidates)
    raise error("release-exists", file=bundle, version=bundle.name, next=number)


def _write(hub: Hub, answer: Protected, version: str, note: str, place: Path) -> Path:
    """A bundle with what changed since the last release, and what the approvers are shown of it."""
    last = latest_release(hub.releases)
    before = open_release(last).facts if last else None
    difference = changes(before, PublicFacts.of(answer.facts))
    write_review(hub, version)
    return write_release(
        answer,
        hub.releases,
        version,
        note,
        changed=difference,
        candidates=place,
        site=hub.settings.site.url,
        attacks=(resources.files("ctdhub.dp") / ATTACKS).read_bytes(),
    )


def _released(hub: Hub, answer: Protected) -> Path | None:
    """The release that holds this answer, whatever facts changed since; None where there is none.

    What changed reaches readers with the next version, which is drawn anew.
    """
    version = published(hub).get(answer.guarantee.charge)
    return None if version is None else hub.releases / version


def _holding(hub: Hub, wanted: Protected, version: str) -> Path | None:
    """A candidate or the last release that holds this answer; only ``version`` if given."""
    last = latest_release(hub.releases)
    places = [*by_version(hub.candidates), *([last] if last else [])]
    if version:
        places = [f / version for f in (hub.candidates, hub.releases)]
    for place in places:
        if (place / MANIFEST).is_file():
            answer = open_release(place).protected
            if answer.guarantee == wanted.guarantee and _lasting(answer) == _lasting(wanted):
                return place
    return None


def _lasting(answer: Protected) -> dict[str, Any]:
    """The facts of an answer by which two are told apart.

    Without the helpline, which older releases hold and no page reads, without the reason of the
    promise, and without the days of deliveries: where files came that change no answer the release
    stays what it is.
    """
    without = ("helpline", "promise_reason")
    facts = {name: fact for name, fact in answer.facts.items() if name not in without}
    each = [{k: v for k, v in c.items() if k != "deliveries"} for c in facts["contributors"]]
    return facts | {"contributors": each}
