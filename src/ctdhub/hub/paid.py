"""The hub's ledger, its account, and whether everything that it published was paid for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ctdhub.core.errors import HubError, error, printable
from ctdhub.core.files import sweep
from ctdhub.dp.ledger.book import (
    BudgetSplit,
    Ledger,
    Spending,
    by_contributor,
    on_releases,
    split_of,
)
from ctdhub.dp.ledger.custody import leased, open_custody
from ctdhub.dp.ledger.file import Charge, write_synced
from ctdhub.dp.policy import Policy
from ctdhub.hub.folder import Hub
from ctdhub.release.approvals import APPROVALS, Approvals, LedgerHead
from ctdhub.release.manifest import MANIFEST, Manifest
from ctdhub.release.open import digest

# --------------------------------------------------------------------------------------------------
# The hub's ledger, and whether everything that it published was paid for.

_PUBLISHED = "published.json"
"""In the folder of the ledger: the version of each published charge, should a release be gone."""


def ledger(hub: Hub) -> Ledger:
    """The hub's ledger, which holds to the limits of the contributors' agreements.

    Raises:
        LedgerTampered: it is gone, or its key is missing or another one.
        HubFolderError: another version of the software made the hub.
    """
    custody = open_custody(hub.ledger, hub.root, hub.ledger_key)
    if custody is None:
        raise _lost(hub) or error("ledger-old", file=hub.root)
    return Ledger(hub.ledger, limits=hub.limits(), custody=custody, pending=hub.work / "pending")


def _lost(hub: Hub) -> HubError | None:
    """The error of a hub that has no population though one had begun, None where none had."""
    if leased(hub.root.resolve()) is not None:
        return error("ledger-gone/known", file=hub.ledger)
    if hub.ledger_key.exists() or (_used(hub) and not Ledger(hub.ledger).entries()):
        return error("ledger-gone", file=hub.ledger)
    return None


def _used(hub: Hub) -> bool:
    """Whether the hub has what may have been charged; one without any lost no ledger."""
    made = any(any(p.glob(f"[!.]*/{MANIFEST}")) for p in (hub.releases, hub.candidates))
    sent = any((hub.root / "contributions").glob("[!.]*/*/*"))
    return made or sent or hub.key_file.exists() or (hub.work / "protected").exists()


def published(hub: Hub) -> dict[str, str]:
    """The version of each charge whose answer was published; each is published once.

    A release whose folder was deleted or moved away stays published.

    Raises:
        ReleaseError: a manifest, or the note of what was published, is damaged.
    """
    manifests = sorted(hub.releases.glob(f"[!.]*/{MANIFEST}"))
    return _noted(hub) | {str(_charge_of(manifest)): manifest.parent.name for manifest in manifests}


def note_published(hub: Hub) -> None:
    """Write down beside the ledger what is published, so that it is known without its folder.

    Raises:
        ReleaseError: see :func:`published`.
        LedgerError: the system refuses to write.
    """
    text = json.dumps(published(hub), sort_keys=True, indent=1).encode("utf-8")
    sweep(hub.ledger, _PUBLISHED)
    write_synced(hub.ledger / _PUBLISHED, text)


def _noted(hub: Hub) -> dict[str, str]:
    path = hub.ledger / _PUBLISHED
    try:
        return {str(charge): str(v) for charge, v in json.loads(path.read_bytes()).items()}
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError):
        raise _damaged(path) from None


def budget_split(hub: Hub, rules: Policy) -> BudgetSplit:
    """How the hub's charges lie in its budget: published versions, drafts, what is left.

    Raises:
        ReleaseError: a manifest is damaged.
        LedgerTampered: see ``Ledger.entries``.
    """
    budget = rules.budget
    return split_of(ledger(hub), published(hub), budget.epsilon, budget.drafts, rules.delta)


def refuse_published(hub: Hub, candidate: Path) -> None:
    """Refuse a candidate whose answer stands in a release.

    Two versions with one answer would tell everybody that nothing changed between them.

    Raises:
        ReleaseError: it does (``answer-published``), or a manifest is damaged.
    """
    release = published(hub).get(str(_charge_of(candidate / MANIFEST)))
    if release is not None:
        version = printable(candidate.name)
        raise error("answer-published", file=candidate, version=version, held=printable(release))


def check_paid(hub: Hub) -> None:
    """Every release and candidate was paid for; approvals and withdrawals saw this same ledger.

    Raises:
        WithdrawalError: the register of withdrawals was changed.
        LedgerTampered: the ledger was replaced by an older or an empty one, or was written anew;
            the hub is a copy.
        ReleaseError: a manifest or approvals are damaged, or an approval does not hold.
    """
    book = ledger(hub)
    book.check()
    check_known(hub, book.entries())


def check_known(hub: Hub, entries: Iterable[Charge]) -> None:
    """These lines know what releases, candidates, approvals and withdrawals saw of the ledger.

    Raises:
        WithdrawalError, LedgerTampered, ReleaseError: as :func:`check_paid`.
    """
    entries = tuple(entries)
    charges = {entry.id for entry in entries}
    heads = {(entry.number, entry.hash) for entry in entries}
    lines = {entry.hash: entry.number for entry in entries}
    for entry in hub.withdrawn().entries:
        if entry.charges and (entry.charges, entry.ledger) not in heads:
            raise error("ledger-withdrawals", file=hub.ledger)
    for folder in (hub.releases, hub.candidates):
        for manifest in sorted(folder.glob(f"[!.]*/{MANIFEST}")):
            version = printable(manifest.parent.name)
            if _charge_of(manifest) not in charges:
                raise error("ledger-releases", file=hub.ledger, version=version)
            for head in _approved_heads(hub, manifest.parent, lines):
                if head.hash not in lines:
                    raise error("ledger-approvals", file=hub.ledger, version=version)


def _charge_of(manifest: Path) -> object:
    try:
        return json.loads(manifest.read_text("utf-8"))["charge"]
    except (ValueError, TypeError, KeyError):
        raise _damaged(manifest) from None


def _approved_heads(hub: Hub, bundle: Path, lines: Mapping[str, int]) -> set[LedgerHead]:
    """The lines of the ledger that approvals of a bundle name, once their signatures hold."""
    approvals = Approvals.read(bundle)
    if not approvals.approvals:
        return set()
    manifest = Manifest.read(bundle)
    try:
        faults = approvals.faults(manifest, digest(bundle), hub.settings.approvers, lines)
    except FileNotFoundError:
        raise _damaged(bundle / MANIFEST) from None
    if faults:
        file, version = bundle / APPROVALS, printable(bundle.name)
        raise error("approval/does-not-hold", file=file, version=version, fault=faults[0])
    return {approval.statement.ledger for approval in approvals.approvals}


def _damaged(manifest: Path) -> HubError:
    return error("manifest", file=manifest)


# --------------------------------------------------------------------------------------------------
# The account of a hub's ledger: charges, sums by kind and by contributor, what is left.


@dataclass(frozen=True)
class Account:
    """The ledger in figures; every epsilon holds at ``delta``, the smallest ever promised.

    Attributes:
        budget, spent, left: epsilon of everything together, and of one more version; ``rho``
            is what was spent, in zCDP.
        kinds, contributors: see :class:`ctdhub.dp.ledger.book.Spending`.
    """

    delta: float
    budget: float
    spent: float
    left: float
    rho: float
    kinds: tuple[Spending, ...]
    contributors: tuple[Spending, ...]
    entries: tuple[Charge, ...]

    @classmethod
    def of(cls, ledger: Ledger, policy: Policy, split: BudgetSplit) -> Account:
        """The account of a ledger under a policy; what is left is what one more version may have,
        for part of the budget is kept for drafts."""
        delta = ledger.strictest(policy.delta)
        return cls(
            delta=delta,
            budget=policy.budget.epsilon,
            spent=ledger.guarantee(delta),
            left=split.left,
            rho=ledger.spent(),
            kinds=on_releases(ledger.entries(), delta),
            contributors=by_contributor(ledger, delta),
            entries=ledger.entries(),
        )

    def json(self) -> str:
        """All of it as JSON; hashes of questions, which are for the hub alone, are left out."""
        content = asdict(self)
        for entry in content["entries"]:
            del entry["question"], entry["mac"]
        return json.dumps(content, ensure_ascii=False, indent=1)
