"""Withdrawals of one contributor that take out people of others: counted, limited, decided.

The counts are exact.  They are shown to the steward alone, and nobody else is told anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ctdhub.build.deliveries import DeliveredFiles, sent
from ctdhub.build.find_person import known_contributor
from ctdhub.build.hub import Hub
from ctdhub.build.journal import noted
from ctdhub.build.rules import policy
from ctdhub.build.stages.harmonise import harmonise_file
from ctdhub.build.withdraw import append
from ctdhub.build.withdrawn import EachFiled, replaced_of
from ctdhub.core.error_catalogue import error
from ctdhub.sensitive.consent.elsewhere import elsewhere, quarter
from ctdhub.sensitive.consent.entry import Withdrawal


@dataclass(frozen=True)
class TakenElsewhere:
    """What the withdrawals that a contributor told in a quarter do to others.  Sensitive.

    Attributes:
        contributor, quarter: who told them, and when, as 2026-Q1.
        people: people of other contributors whom they take out, and who did not withdraw there.
        limit: how many they may, by hub.yaml or by what the steward decided.
    """

    contributor: str
    quarter: str
    people: int
    limit: int

    @property
    def open(self) -> bool:
        """Whether the steward must decide."""
        return self.people > self.limit


def taken_elsewhere(
    hub: Hub, delivered: Sequence[DeliveredFiles] | None = None
) -> list[TakenElsewhere]:
    """What the withdrawals in force do to other contributors.

    Args:
        hub: the hub.
        delivered: all that takes part; what was harmonised, if None.
    """
    force = hub.withdrawn()
    if not force.persons:
        return []
    if delivered is None:
        years = policy(hub).years
        steps = [harmonise_file(hub, one, years) for one in hub.contributions()]
        delivered = sent(hub, [step for step in steps if step.reason() is None])
    own = [step for one in delivered for step in one.steps]
    files = EachFiled(own, replaced_of(delivered).ids)
    limit = hub.settings.withdrawn_elsewhere
    return [
        TakenElsewhere(name, when, people, max(limit, force.decided.get((name, when), 0)))
        for (name, when), people in elsewhere(files, force, hub.person_key()).items()
    ]


def check_elsewhere(hub: Hub, delivered: Sequence[DeliveredFiles]) -> None:
    """Refuse to go on while one contributor takes out more people of others than the limit.

    Raises:
        WithdrawalError: names the contributor and the quarter; the number is shown elsewhere.
    """
    for one in taken_elsewhere(hub, delivered):
        if one.open:
            raise error(
                "withdrawn-elsewhere", file=hub.root / "hub.yaml", id=one.contributor,
                quarter=one.quarter, limit=hub.settings.withdrawn_elsewhere,
            )  # fmt: skip


def decide(hub: Hub, contributor: str, *, only_here: bool) -> int:
    """Write down what the steward decided of the withdrawals that are above the limit.

    Args:
        hub: the hub.
        contributor: that told them.
        only_here: these people stay at other contributors, and leave out the records of this one
            alone; else they stay out everywhere.

    Returns:
        How many quarters it is about.

    Raises:
        WithdrawalError: nothing is above the limit.
    """
    known_contributor(hub, contributor)
    found = [t for t in taken_elsewhere(hub) if t.contributor == contributor and t.open]
    if not found:
        raise error("nothing-to-decide", id=contributor)
    lines: list[Withdrawal] = []
    with hub.lock(), noted(hub, "withdraw", decide=True, contributor=contributor):
        if only_here:
            quarters = {one.quarter for one in found}
            for entry in hub.withdrawn().entries:
                told = entry.contributor == contributor and entry.scope == "person"
                if told and quarter(entry.time) in quarters:
                    lines.append(replace(entry, kind="undo"))
                    lines.append(replace(entry, scope="records"))
        else:
            made = tuple(f"{one.quarter}:{one.people}" for one in found)
            lines.append(Withdrawal("decided", "contributor", contributor, made=made))
        append(hub, lines)
    return len(found)
