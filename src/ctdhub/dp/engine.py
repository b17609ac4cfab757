"""The engine: people in, a protected answer out, paid for first.

Before a charge is written its secret is (``pending``); all that is drawn for the answer comes from
the secret, which is destroyed once the answer is stored.  So a charge that was cut off at any
moment is finished by whoever asks the same question about the same exact tables, and gives the
answer that it would have given.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from ctdhub.border import Perpetrators, Protected
from ctdhub.core.files import uncollected
from ctdhub.core.i18n import Text
from ctdhub.dp import answer_store, kernels, quote
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.answer_store import ChargeSecret
from ctdhub.dp.count import Counts, InMemory, Rows, Tally
from ctdhub.dp.ledger.book import Ledger, new_id
from ctdhub.dp.ledger.file import Charge, taking_part, written
from ctdhub.dp.lists import Overlap
from ctdhub.dp.mechanism import Progress, answer_of
from ctdhub.dp.plan import covered_years, person_rows, plan_of
from ctdhub.dp.policy import Policy
from ctdhub.dp.price import Price, refusal
from ctdhub.dp.quote import HUB, Asks, ReleaseRequest, RequestPart, parts_of
from ctdhub.dp.sources import Mentioned, Sourced, mentioned, sourced
from ctdhub.schema.model import Schema, load_schema

_BOUND = b"which rows of a person are kept"


@dataclass(frozen=True)
class Quote:
    """A question with its exact tables, and what answering it would cost.  Sensitive.

    Attributes:
        asked: the question.
        parts: of the answer by name, as far as they are public.
        exact: the tables of each; they are emptied once their noise is drawn.
        child, sources: what is answered beside the table.
        ledger: pays.
        facts: public facts.
        given: ids of charges whose answers are not to be given again.
        asks: the question as the ledger knows it.
        answered: whether the answer is held.
        price: None where it is, and for a lone table, whose price is what it was asked with.
    """

    asked: ReleaseRequest
    parts: dict[str, RequestPart]
    exact: dict[str, Counts]
    child: Mentioned | None
    sources: Sourced | None
    ledger: Ledger
    facts: dict[str, Any]
    given: Collection[str]
    asks: Asks
    answered: bool = False
    price: Price | None = None


def quote_people(
    people: pa.Table | Rows,
    policy: Policy,
    ledger: Ledger,
    facts: dict[str, Any],
    perpetrators: pa.Table | Rows | None = None,
    overlap: Overlap | None = None,
    *,
    schema: Schema | None = None,
    given: Collection[str] = (),
) -> Quote:
    """Count a hub's table of people, and say what its answer costs; nothing is charged.

    Args:
        people: one row per person, columns of ``Schema.table("people")``; they may lie anywhere.
        policy: what is released, and how well people are protected.
        ledger: pays before noise is drawn; see ``quote.reusable`` for what is not paid again.
        facts: public facts, passed through; they also say which contributors have counts, how
            many rows one person may have (``person_rows``), and which years are covered
            (``coverage``): any other year counts as not recorded.
        perpetrators: child rows of people, see ``mentioned``; None is a table without rows, so
            that only the policy decides whether the answer has them.
        overlap: how lists overlap, see ``sourced``; None likewise.
        schema: the variables that there are for this hub; all that are shipped where None.
        given: ids of charges whose answers are not to be given again.

    Raises:
        PolicyError: a column is missing or holds a value outside its public domain; the budget of
            one release is too small for its tables; the policy names an unknown list.
        Overspend: the budget does not reach.
        LedgerTampered: the ledger was changed, or lacks a charge that paid for a stored answer.
        LedgerError: a stored answer is damaged.
    """
    schema = schema or load_schema()
    sizes = {"epsilon": f"{policy.epsilon:g}", "budget": f"{policy.budget.epsilon:g}"}
    what = (
        written("all", **sizes)
        if policy.columns == "all"
        else written("columns", n=len(policy.columns), **sizes)
    )
    of = person_rows(policy, facts)
    plan = plan_of(policy, schema, of, covered_years(policy, facts))
    asked = ReleaseRequest(plan, policy.epsilon, policy.delta, policy.budget.epsilon, what)
    child = mentioned(perpetrators, policy, schema, of)
    sources = sourced(overlap, policy, schema, facts)
    return quote_table(people, asked, ledger, facts, child, sources, given=given)


@uncollected()  # thousands of tables stay until the end, in no cycle
def quote_table(
    people: pa.Table | Rows,
    asked: ReleaseRequest,
    ledger: Ledger,
    facts: dict[str, Any],
    child: Mentioned | None = None,
    sources: Sourced | None = None,
    *,
    given: Collection[str] = (),
) -> Quote:
    """Count any table whose columns have public domains; see :func:`quote_people`.

    Args:
        people: one row per person, or at most ``asked.plan.rows`` of each, columns as text.
        child: rows of these persons that are answered with them, by one charge.
        sources: by whom these persons were reported, answered by the same charge.
    """
    parts = {part.name: part for part in parts_of(asked, child, sources)}  # refuses before all else
    exact = _counted(people, asked, ledger, parts, child, sources)
    with ledger.exclusive():
        asks = quote.asks_of(ledger, asked, parts, exact)
        found = Quote(asked, parts, exact, child, sources, ledger, facts, given, asks)
        answer, price, _cut_off = _standing(found, priced=asked.about == HUB)
        return replace(found, answered=answer is not None, price=price)


@uncollected()
def charge(found: Quote, progress: Progress | None = None, *, agreed: bool = False) -> Protected:
    """Give the answer of a quote: one that is held, or a new one, which is charged first.

    Args:
        progress: told (message, fraction done).
        agreed: whether the price of the quote was agreed on; else it is paid whatever it is now.

    Raises:
        WouldCharge: it was, and another charge was made since: the price is another.
        Overspend, LedgerTampered, LedgerError: as :func:`quote_people`.
    """
    tell, ledger = progress or (lambda message, share: None), found.ledger
    with ledger.exclusive():
        answer, price, cut_off = _standing(found, priced=agreed)
        if answer is not None:
            tell(Text("answered before: nothing is charged"), 1.0)
            return answer
        if price and price != found.price:
            raise refusal(price)
        kernels.require_sweep()
        if cut_off:
            tell(Text("charge {n} was cut off: finishing it", n=cut_off[0].number), 0.07)
        with answer_store.room(ledger, _most_bytes(found.exact, found.asked.plan.imputations)):
            answer = _minted(found, *(cut_off or _charge(found, tell)), tell)
        answer_store.store(ledger, answer, found.asks.parts)
        answer_store.destroy_pending(ledger.pending)
        return answer


def _standing(
    found: Quote, *, priced: bool
) -> tuple[Protected | None, Price | None, tuple[Charge, ChargeSecret] | None]:
    """The answer that is held, else what a new one costs if that is asked, and the charge that was
    cut off and pays for it; inside ``exclusive()``."""
    ledger, asks = found.ledger, found.asks
    answer_store.check_paid(ledger)
    quote.tidy(ledger)
    last = quote.reusable(ledger, asks, found.given, alone=found.asked.about != HUB)
    answer = answer_store.stored(ledger, last, found.facts) if last else None
    if answer is not None:
        return answer, None, None
    cut_off = quote.unfinished(ledger, asks)
    if not priced:
        return None, None, cut_off
    price = quote.price_of(ledger, asks, found.asked, found.facts, paid=bool(cut_off))
    return None, price, cut_off


def _counted(
    people: pa.Table | Rows,
    asked: ReleaseRequest,
    ledger: Ledger,
    parts: Mapping[str, RequestPart],
    child: Mentioned | None,
    sources: Sourced | None,
) -> dict[str, Counts]:
    """Exact tables by part: people and their sources in one pass."""
    tables = {
        name: tuple(dict.fromkeys(q.columns for q in part.tables)) for name, part in parts.items()
    }
    rows = InMemory(people) if isinstance(people, pa.Table) else people
    outside = (asked.plan.year,) if asked.plan.year and asked.about == HUB else ()
    tally = Tally(asked.plan.domains, tables["people"], years=outside)
    own, *others = rows.counts([tally, *([sources.tally] if sources else [])])
    pa.default_memory_pool().release_unused()  # reading and counting took more than is kept
    exact = {"people": own}
    if child:
        with ledger.exclusive():
            key = bytes.fromhex(ledger.question(_BOUND))
        [exact["perpetrators"]] = child.rows.counts([child.tally(tables["perpetrators"], key)])
    if sources:
        exact["sources"] = sources.exact(*others)
    return exact


def _most_bytes(exact: Mapping[str, Counts], imputations: int) -> int:
    """About as many bytes as an answer takes: two a cell of its records, eight a count."""
    cells = sum(table.size for part in exact.values() for table in part.values())
    people = max((int(t.sum(dtype="i8")) for t in exact["people"].values()), default=0)
    people *= 1 + imputations
    columns = len({name for table in exact["people"] for name in table})
    return 2**20 + 2 * people * columns + 8 * cells


def _charge(found: Quote, tell: Progress) -> tuple[Charge, ChargeSecret]:
    """A new charge, and the secret of its noise, which is on the disk before the charge is."""
    asked, ledger, what = found.asked, found.ledger, found.asked.what
    last = ledger.entries()[-1:]
    if last and not answer_store.holds(ledger, last[0]):
        what = written("again", purpose=what, n=last[0].number)
        tell(Text("charged again: charge {n} was cut off without an answer", n=last[0].number), 0.0)
    rho, who = rho_of(asked.epsilon, asked.delta), taking_part(found.facts)
    ledger.check_reach(rho, asked.epsilon, asked.delta, budget=asked.budget, contributors=who)
    begun = answer_store.Pending(new_id(), ChargeSecret.fresh(), found.asks.exact)
    answer_store.write_pending(ledger.pending, begun)
    entry = ledger.charge(
        found.asks.question,
        rho,
        asked.epsilon,
        asked.delta,
        what,
        budget=asked.budget,
        contributors=who,
        id=begun.charge,
    )
    return entry, begun.secret


def _minted(found: Quote, entry: Charge, secret: ChargeSecret, tell: Progress) -> Protected:
    asked, exact, child = found.asked, found.exact, found.child
    rho = {name: part.rho for name, part in found.parts.items()}
    measured = None
    if found.sources:
        drawn = secret.stream("sources")
        measured = found.sources.measured(exact["sources"], rho["sources"], drawn)
    perpetrators, inner = None, None
    if child:
        tell(Text("protecting rows of alleged perpetrators"), 0.07)
        drawn = secret.stream("perpetrators")
        inner = answer_of(exact["perpetrators"], child.plan, rho["perpetrators"], drawn)
        perpetrators = Perpetrators(inner.records, inner.counts, child.each, inner.sigma)
    people = answer_of(exact["people"], asked.plan, rho["people"], secret.stream("people"), tell)
    return people.protected(
        asked.plan,
        (asked.epsilon, asked.delta, entry.rho),
        quote.unit(asked.plan),
        entry.id,
        not_fitted=inner.not_fitted if inner else (),
        facts=found.facts,
        perpetrators=perpetrators,
        sources=measured,
    )
