"""The engine: people in, a protected answer out, paid for first."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from ctdhub.border import Guarantee, Perpetrators, Protected, mint
from ctdhub.core.i18n import Text
from ctdhub.dp import answer_store, engine4, kernels
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.asking import (
    Asks,
    Exact,
    ReleaseRequest,
    asks_of,
    costs_of,
    parts_of,
    price_of,
    unit,
)
from ctdhub.dp.by_contributor import Sourced, sourced
from ctdhub.dp.child_rows import Mentioned, mentioned
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.charge import Charge, taking_part
from ctdhub.dp.ledger.purposes import written
from ctdhub.dp.mechanism import Progress, answer_of
from ctdhub.dp.overlap import Overlap
from ctdhub.dp.person_rows import epsilon_by_rows, person_rows
from ctdhub.dp.plan import Columns, plan_of
from ctdhub.dp.policy import Policy
from ctdhub.dp.price import Pay, Price
from ctdhub.dp.rows import InMemory, Rows, Tally
from ctdhub.dp.workload import Workload, workload
from ctdhub.schema.model import Schema, load_schema

MECHANISM = "discrete Gaussian"

_BOUND = b"which rows of a person are kept"


def protect(
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
) -> Protected:
    """Protect a hub's table of people, the perpetrators whom their records mention, their sources.

    Args:
        people: one row per person, columns of ``Schema.table("people")``; they may lie anywhere.
        policy: what is released, and how well people are protected.
        ledger: pays before noise is drawn; an exact repeat of a question is free.
        facts: public facts, passed through; they also say which contributors have counts, and how
            many rows one person may have (``person_rows``).
        progress: told (message, fraction done).
        perpetrators: child rows of people, see ``mentioned``; None is a table without rows, so
            that only the policy decides whether the answer has them.
        overlap: how lists overlap, see ``sourced``; None likewise.
        pay: told the price before anything is charged, and may refuse it; None pays.
        schema: the variables that there are for this hub; all that are shipped where None.

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
        plan_of(policy, schema, of),
        policy.epsilon,
        policy.delta,
        policy.budget.epsilon,
        tuple(engine4.hub_settings(policy, schema.version)),
        what,
    )
    child = mentioned(perpetrators, policy, schema, of)
    sources = sourced(overlap, policy, schema, facts)
    return protect_table(people, question, ledger, facts, progress, child, sources, pay)


def protect_table(
    people: pa.Table | Rows,
    asked: ReleaseRequest,
    ledger: Ledger,
    facts: dict[str, Any],
    progress: Progress | None = None,
    child: Mentioned | None = None,
    sources: Sourced | None = None,
    pay: Pay | None = None,
) -> Protected:
    """Protect any table whose columns have public domains; see :func:`protect`.

    Args:
        people: one row per person, or at most ``asked.plan.rows`` of each, columns as text.
        child: rows of these persons that are answered with them, by one charge.
        sources: by whom these persons were reported, answered by the same charge.
        pay: told the price, with the ledger let go: whoever is asked may take his time.
    """
    tell = progress or (lambda message, share: None)
    rho = rho_of(asked.epsilon, asked.delta)
    costs = costs_of(rho, child, sources)
    tables = workload(asked.plan, costs.people)  # these refuse before anything is paid
    theirs = workload(child.plan, costs.perpetrators) if child else ()
    if sources:
        sources.public.workload(costs.sources)
    tell(Text("counting"), 0.05)
    rows = InMemory(people) if isinstance(people, pa.Table) else people
    exact = _counted(rows, Tally(asked.plan.domains, _names(tables)), sources)
    pa.default_memory_pool().release_unused()  # reading and counting took more than is kept
    if child:
        with ledger.exclusive():
            key = bytes.fromhex(ledger.question(_BOUND))
        [found] = child.rows.counts([child.tally(_names(theirs), key)])
        exact = exact._replace(perpetrators=found)
    parts = parts_of(asked, exact, tables, theirs, costs, child, sources)
    agreed: Price | None = None
    while True:
        with ledger.exclusive():
            answer_store.check_paid(ledger)
            asks = asks_of(ledger, asked, exact, parts, child, sources)
            answer = answer_store.first_stored(ledger, asks.names, facts)
            if answer is not None:
                tell(Text("answered before: nothing is charged"), 1.0)
                return answer
            price = price_of(ledger, asks, asked, rho, facts) if pay else None
            if price == agreed:  # nobody is to be asked, or this is what was agreed on
                kernels.require_sweep()
                entry = _charge(ledger, asks, rho, asked, facts, tell)
                answer = _minted(exact, asked, entry, facts, tell, child, sources)
                answer_store.store(ledger, asks.question, answer, asks.parts)
                return answer
        if pay and price:
            pay(price)
        agreed = price


def _names(questions: Workload) -> tuple[Columns, ...]:
    return tuple(q.columns for q in questions)


def _counted(rows: Rows, tally: Tally, sources: Sourced | None) -> Exact:
    """People and their sources, in one pass."""
    if sources is None:
        [people] = rows.counts([tally])
        return Exact(people, {}, {})
    people, by_contributor = rows.counts([tally, sources.tally])
    return Exact(people, {}, sources.exact(by_contributor))


def _charge(
    ledger: Ledger,
    asks: Asks,
    rho: float,
    asked: ReleaseRequest,
    facts: dict[str, Any],
    tell: Progress,
) -> Charge:
    what = asked.what
    lost = [e.number for e in ledger.entries() if e.question in asks.names]
    if lost:
        what = written("again", purpose=what, n=lost[-1])
        tell(
            Text("charged again: charge {n} was cut off without an answer", n=lost[-1]),
            0.0,
        )
    return ledger.charge(
        asks.question,
        rho,
        asked.epsilon,
        asked.delta,
        what,
        budget=asked.budget,
        kind=asked.kind,
        contributors=taking_part(facts),
    )


def _minted(
    exact: Exact,
    asked: ReleaseRequest,
    entry: Charge,
    facts: dict[str, Any],
    tell: Progress,
    child: Mentioned | None,
    sources: Sourced | None,
) -> Protected:
    costs = costs_of(entry.rho, child, sources)
    measured = sources.measured(exact.sources, costs.sources) if sources else None
    perpetrators, inner = None, None
    if child:
        tell(Text("protecting rows of perpetrators"), 0.07)
        inner = answer_of(exact.perpetrators, child.plan, costs.perpetrators)
        perpetrators = Perpetrators(inner.records, inner.counts, child.each, inner.sigma)
    found = answer_of(exact.people, asked.plan, costs.people, progress=tell)
    level = asked.plan.level
    guarantee = Guarantee(
        asked.epsilon,
        asked.delta,
        entry.rho,
        unit(asked.plan),
        MECHANISM,
        level,
        found.sigma,
        entry.id,
        asked.plan.rows,
        epsilon_by_rows(entry.rho, asked.delta, asked.plan.rows),
        found.not_fitted + (inner.not_fitted if inner else ()),
    )
    return mint(
        records=found.records,
        counts=found.counts,
        people=found.people,
        case_records=found.case_records,
        guarantee=guarantee,
        facts=facts,
        perpetrators=perpetrators,
        measurements=found.measurements,
        sources=measured,
    )
