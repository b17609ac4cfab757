"""Which answer may be given again, and which charge may be finished.

Belongs here: both rules, and what is left to delete.
Does not belong here: what makes a request (``request``), charging (``engine``).

Whoever compares two published versions must learn nothing of what changed between them but what
noise allows, not even that nothing did.  So an answer is given again only before it was published,
only if it is the last one, and only if its exact tables are the same; an older answer never is.
Which answers were published is public.
"""

from __future__ import annotations

from collections.abc import Collection

from ctdhub.dp import answer_store, pending
from ctdhub.dp.asking import Asks
from ctdhub.dp.charge_secret import ChargeSecret
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.charge import Charge


def reusable(ledger: Ledger, asks: Asks, given: Collection[str], *, alone: bool) -> Charge | None:
    """The charge of the answer that may be given again, None where a new one is to be drawn.

    Args:
        given: ids of charges whose answers are not given again: they were published.
        alone: whether the ledger knows tables of several kinds, each with its own last answer; a
            hub has one.
    """
    answered = [e for e in ledger.entries() if answer_store.holds(ledger, e)]
    if alone:
        answered = [e for e in answered if e.question == asks.question]
    if not answered or answered[-1].id in given:
        return None
    last = answered[-1]
    known = last.question == asks.question and answer_store.parts(ledger, last) == asks.parts
    return last if known else None


def tidy(ledger: Ledger) -> None:
    """Delete what killed runs left: half an answer, the secret of one that is stored or damaged."""
    answer_store.sweep_answers(ledger)
    held = pending.read(ledger.pending)
    if held is None or _answered(ledger, held.charge):
        pending.destroy(ledger.pending)


def _answered(ledger: Ledger, charge: str) -> bool:
    return any(e.id == charge and answer_store.holds(ledger, e) for e in ledger.entries())


def unfinished(ledger: Ledger, asks: Asks) -> tuple[Charge, ChargeSecret] | None:
    """The charge that was cut off while it answered this very question about these exact tables."""
    held = pending.read(ledger.pending)
    if held is None or held.exact != asks.exact:
        return None
    entry = next((e for e in ledger.entries() if e.id == held.charge), None)
    if entry is None or answer_store.holds(ledger, entry):
        return None
    return entry, held.secret
