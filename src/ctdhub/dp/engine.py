"""The engine: people in, a protected answer out, paid for first.

Before a charge is written its secret is (``pending``); all that is drawn for the answer comes from
the secret, which is destroyed once the answer is stored.  So a charge that was cut off at any
moment is finished by whoever asks the same question about the same exact tables, and gives the
answer that it would have given.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pyarrow as pa

from ctdhub.border import Perpetrators, Protected
from ctdhub.core.files import uncollected
from ctdhub.core.i18n import Text
from ctdhub.dp import answer_store, kernels
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.answer_store import ChargeSecret
from ctdhub.dp.count import InMemory, Rows, Tally
from ctdhub.dp.ledger.book import Ledger, new_id
from ctdhub.dp.ledger.file import Charge, taking_part, written
from ctdhub.dp.lists import Overlap
from ctdhub.dp.mechanism import Progress, answer_of
from ctdhub.dp.plan import Columns, covered_years, person_rows, plan_of
from ctdhub.dp.policy import Policy
from ctdhub.dp.price import Pay, Price
from ctdhub.dp.quote import (
    HUB,
    Asks,
    Costs,
    Exact,
    ReleaseRequest,
    asks_of,
    costs_of,
    parts_of,
    price_of,
    reusable,
    tidy,
    unfinished,
    unit,
)
from ctdhub.dp.sources import Mentioned, Sourced, mentioned, sourced
from ctdhub.dp.workload import Workload, regional, workload
from ctdhub.schema.model import Schema, load_schema

_BOUND = b"which rows of a person are kept"


def protect(  # noqa: PLR0913
    people: pa.Table | Rows,
    policy: Policy,
    ledger: Ledger,
    facts: dict[str, Any],
    progress: Progress | None = None,
    perpetrators: pa.Table | Rows | None = None,
    overlap: Overlap | None = None,
    *,
    pay: Pay | None = None,
    schema: Schema | None = None,
    given: Collection[str] = (),
) -> Protected:
    """Protect a hub's table of people, the perpetrators whom their records mention, their sources.

    Args:
        people: one row per person, columns of ``Schema.table("people")``; they may lie anywhere.
        policy: what is released, and how well people are protected.
        ledger: pays before noise is drawn; see ``reuse`` for what is not paid again.
        facts: public facts, passed through; they also say which contributors have counts, how
            many rows one person may have (``person_rows``), and which years are covered
            (``coverage``): any other year counts as not recorded.
        progress: told (message, fraction done).
        perpetrators: child rows of people, see ``mentioned``; None is a table without rows, so
            that only the policy decides whether the answer has them.
        overlap: how lists overlap, see ``sourced``; None likewise.
        pay: told the price before anything is charged, and may refuse it; None pays.
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
    question = ReleaseRequest(
        plan_of(policy, schema, of, covered_years(policy, facts)),
        policy.epsilon,
        policy.delta,
        policy.budget.epsilon,
        what,
    )
    child = mentioned(perpetrators, policy, schema, of)
    sources = sourced(overlap, policy, schema, facts)
    return protect_table(
        people, question, ledger, facts, progress, child, sources, pay=pay, given=given
    )


@uncollected()  # thousands of tables stay until the end, in no cycle
def protect_table(  # noqa: PLR0913
    people: pa.Table | Rows,
    asked: ReleaseRequest,
    ledger: Ledger,
    facts: dict[str, Any],
    progress: Progress | None = None,
    child: Mentioned | None = None,
    sources: Sourced | None = None,
    *,
    pay: Pay | None = None,
    given: Collection[str] = (),
) -> Protected:
    """Protect any table whose columns have public domains; see :func:`protect`.

    Args:
        people: one row per person, or at most ``asked.plan.rows`` of each, columns as text.
        child: rows of these persons that are answered with them, by one charge.
        sources: by whom these persons were reported, answered by the same charge.
        pay: told the price, with the ledger let go: whoever is asked may take his time.
        given: see :func:`protect`.
    """
    tell = progress or (lambda message, share: None)
    rho = rho_of(asked.epsilon, asked.delta)
    costs = costs_of(rho, child, sources)
    tables = workload(asked.plan, costs.people)  # these refuse before anything is paid
    regions = regional(asked.plan, costs.people)
    theirs = workload(child.plan, costs.perpetrators) if child else ()
    if sources:
        sources.public.workload(costs.sources)
    tell(Text("counting"), 0.05)
    rows = InMemory(people) if isinstance(people, pa.Table) else people
    outside = (asked.plan.year,) if asked.plan.year and asked.about == HUB else ()
    tally = Tally(asked.plan.domains, _names(tables + regions), years=outside)
    exact = _counted(rows, tally, sources)
    pa.default_memory_pool().release_unused()  # reading and counting took more than is kept
    if child:
        with ledger.exclusive():
            key = bytes.fromhex(ledger.question(_BOUND))
        [found] = child.rows.counts([child.tally(_names(theirs), key)])
        exact = exact._replace(perpetrators=found)
    parts = parts_of(asked, exact, tables + regions, theirs, costs, child, sources)
    agreed: Price | None = None
    while True:
        with ledger.exclusive():
            answer_store.check_paid(ledger)
            tidy(ledger)
            asks = asks_of(ledger, asked, parts)
            last = reusable(ledger, asks, given, alone=asked.about != HUB)
            answer = answer_store.stored(ledger, last, facts) if last else None
            if answer is not None:
                tell(Text("answered before: nothing is charged"), 1.0)
                return answer
            cut_off = unfinished(ledger, asks)
            price = price_of(ledger, asks, asked, rho, facts, paid=bool(cut_off)) if pay else None
            if price == agreed:  # nobody is to be asked, or this is what was agreed on
                kernels.require_sweep()
                if cut_off:
                    tell(Text("charge {n} was cut off: finishing it", n=cut_off[0].number), 0.07)
                with answer_store.room(ledger, _most_bytes(exact, asked.plan.imputations)):
                    entry, secret = cut_off or _charge(ledger, asks, rho, asked, facts, tell)
                    answer = _minted(
                        exact, asked, costs, entry, secret, facts, tell, child, sources
                    )
                answer_store.store(ledger, answer, asks.parts)
                answer_store.destroy_pending(ledger.pending)
                return answer
        if pay and price:
            pay(price)
        agreed = price


def _names(questions: Workload) -> tuple[Columns, ...]:
    return tuple(dict.fromkeys(q.columns for q in questions))


def _counted(rows: Rows, tally: Tally, sources: Sourced | None) -> Exact:
    """People and their sources, in one pass."""
    if sources is None:
        [people] = rows.counts([tally])
        return Exact(people, {}, {})
    people, by_contributor = rows.counts([tally, sources.tally])
    return Exact(people, {}, sources.exact(by_contributor))


def _most_bytes(exact: Exact, imputations: int) -> int:
    """About as many bytes as an answer takes: two a cell of its records, eight a count."""
    cells = sum(table.size for part in exact for table in part.values())
    people = max((int(t.sum(dtype="i8")) for t in exact.people.values()), default=0)
    people *= 1 + imputations
    columns = len({name for table in exact.people for name in table})
    return 2**20 + 2 * people * columns + 8 * cells


def _charge(
    ledger: Ledger,
    asks: Asks,
    rho: float,
    asked: ReleaseRequest,
    facts: dict[str, Any],
    tell: Progress,
) -> tuple[Charge, ChargeSecret]:
    """A new charge, and the secret of its noise, which is on the disk before the charge is."""
    what = asked.what
    last = [e for e in ledger.entries() if e.kind == asked.kind][-1:]
    if last and not answer_store.holds(ledger, last[0]):
        what = written("again", purpose=what, n=last[0].number)
        tell(
            Text("charged again: charge {n} was cut off without an answer", n=last[0].number),
            0.0,
        )
    who = taking_part(facts)
    ledger.check_reach(rho, asked.epsilon, asked.delta, budget=asked.budget, contributors=who)
    begun = answer_store.Pending(new_id(), ChargeSecret.fresh(), asks.exact)
    answer_store.write_pending(ledger.pending, begun)
    entry = ledger.charge(
        asks.question,
        rho,
        asked.epsilon,
        asked.delta,
        what,
        budget=asked.budget,
        kind=asked.kind,
        contributors=who,
        id=begun.charge,
    )
    return entry, begun.secret


def _minted(  # noqa: PLR0913
    exact: Exact,
    asked: ReleaseRequest,
    costs: Costs,
    entry: Charge,
    secret: ChargeSecret,
    facts: dict[str, Any],
    tell: Progress,
    child: Mentioned | None,
    sources: Sourced | None,
) -> Protected:
    measured = None
    if sources:
        measured = sources.measured(exact.sources, costs.sources, secret.stream("sources"))
    perpetrators, inner = None, None
    if child:
        tell(Text("protecting rows of alleged perpetrators"), 0.07)
        drawn = secret.stream("perpetrators")
        inner = answer_of(exact.perpetrators, child.plan, costs.perpetrators, drawn)
        perpetrators = Perpetrators(inner.records, inner.counts, child.each, inner.sigma)
    found = answer_of(exact.people, asked.plan, costs.people, secret.stream("people"), tell)
    return found.protected(
        asked.plan,
        (asked.epsilon, asked.delta, entry.rho),
        unit(asked.plan),
        entry.id,
        not_fitted=inner.not_fitted if inner else (),
        facts=facts,
        perpetrators=perpetrators,
        sources=measured,
    )
