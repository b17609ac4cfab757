"""From people to a protected answer, paid for in the ledger."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from ctdhub.border import Protected
from ctdhub.build.engine import Engine
from ctdhub.build.hub import Hub
from ctdhub.build.stages.differencing import check_company
from ctdhub.build.stages.records import OVERLAP, PEOPLE, PERPETRATORS
from ctdhub.build.steps import Progress, Step, hash_file, hash_of, hash_path
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError, LedgerTampered, ReleaseError, printable
from ctdhub.core.i18n import _
from ctdhub.dp.engine import protect
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.overlap import Overlap
from ctdhub.dp.policy import Policy
from ctdhub.release.approvals import APPROVALS, Approvals, LedgerHead
from ctdhub.release.manifest import MANIFEST, Manifest
from ctdhub.release.verify import digest
from ctdhub.schema.model import PERSON

ANSWER = "answer.json"


def ledger(hub: Hub) -> Ledger:
    """The hub's ledger, which holds to the limits of the contributors' agreements."""
    return Ledger(hub.ledger, limits=hub.limits())


def check_paid(hub: Hub) -> None:
    """Every release and candidate was paid for; approvals and withdrawals saw this same ledger.

    Raises:
        WithdrawalError: the register of withdrawals was changed.
        LedgerTampered: the ledger was replaced by an older or an empty one, or was written anew.
        ReleaseError: a manifest or approvals are damaged, or an approval does not hold.
    """
    entries = Ledger(hub.ledger).entries()
    charges = {entry.id for entry in entries}
    heads = {LedgerHead(number=entry.number, hash=entry.hash) for entry in entries}
    for entry in hub.withdrawn().entries:
        if entry.charges and LedgerHead(number=entry.charges, hash=entry.ledger) not in heads:
            what = _(
                "The ledger contradicts the register of withdrawals: what was its last line then "
                "is not in it now."
            )
            raise _tampered(hub, what, hub.ledger, "ledger-withdrawals")
    for folder in (hub.releases, hub.candidates):
        for manifest in sorted(folder.glob(f"[!.]*/{MANIFEST}")):
            if _charge_of(manifest) not in charges:
                what = _("The ledger does not know the charge that paid for release {version}.")
                raise _tampered(hub, what, manifest.parent, "ledger-releases")
            if not _approved_heads(hub, manifest.parent) <= heads:
                what = _(
                    "The ledger contradicts an approval of release {version}: what was its last "
                    "line then is not in it now."
                )
                raise _tampered(hub, what, manifest.parent, "ledger-approvals")


def _tampered(hub: Hub, what: str, bundle: Path, rule: str) -> LedgerTampered:
    fix = _("Bring the ledger folder back from a copy; nothing is protected without it.")
    return LedgerTampered(
        what.format(version=printable(bundle.name)), fix, file=hub.ledger, rule=rule
    )


def _charge_of(manifest: Path) -> object:
    try:
        return json.loads(manifest.read_text("utf-8"))["charge"]
    except (ValueError, TypeError, KeyError):
        raise _damaged(manifest) from None


def _approved_heads(hub: Hub, bundle: Path) -> set[LedgerHead]:
    """What the approvals of a bundle name as the ledger's last line, once their signatures hold."""
    given = Approvals.read(bundle)
    if not given.approvals:
        return set()
    try:
        manifest = Manifest.model_validate_json((bundle / MANIFEST).read_bytes())
        faults = given.faults(manifest, digest(bundle), hub.settings.approvers)
    except (ValidationError, FileNotFoundError):
        raise _damaged(bundle / MANIFEST) from None
    if faults:
        what = _("The approvals of {version} do not hold: {fault}")
        fix = _(
            "Restore {file} from a copy. Where a key was changed in hub.yaml, list the old one "
            "under former. Of a candidate, delete the file and approve again."
        )
        raise ReleaseError(
            what.format(version=printable(bundle.name), fault=faults[0]),
            fix.format(file=APPROVALS),
            file=bundle / APPROVALS,
            rule="approval",
        )
    return {approval.statement.ledger for approval in given.approvals}


def _damaged(manifest: Path) -> HubError:
    return error("manifest", file=manifest)


def answer(hub: Hub, rules: Policy, engine: Engine, progress: Progress | None = None) -> Protected:
    """The protected answer of today's people and policy; a repeat costs nothing."""
    check_paid(hub)
    facts = hub.facts(rules.years)
    check_company(facts["contributors"], rules)
    people, perpetrators, overlap = _linked(hub)
    return protect(
        engine.rows(people),
        rules,
        ledger(hub),
        facts,
        progress,
        engine.rows(perpetrators, grouped_by=PERSON),
        Overlap.read(overlap),
    )


def _linked(hub: Hub) -> tuple[Path, Path, Path]:
    """The tables of people and of their perpetrators, and the overlap of lists."""
    folder = hub.work / "people"
    return folder / PEOPLE, folder / PERPETRATORS, folder / OVERLAP


def protect_people(hub: Hub, rules: Policy, engine: Engine, progress: Progress | None) -> Step:
    """People -> a protected answer, charged to the ledger; the answer lies in the ledger."""

    def run(folder: Path) -> None:
        charge = answer(hub, rules, engine, progress).guarantee.charge
        (folder / ANSWER).write_text(json.dumps({"charge": charge}), "utf-8")

    return Step(
        name="protect",
        inputs={
            "people": hash_of([hash_path(path) for path in _linked(hub)]),
            "policy": hash_file(hub.policy_file),
            "contributors": hash_of(hub.facts(rules.years)["contributors"]),
        },
        output=hub.work / "protected",
        run=run,
    )
