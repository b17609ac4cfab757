"""The engine: people in, a protected answer out, paid for first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from ctdhub.border import Guarantee, Perpetrators, Protected, mint
from ctdhub.core.i18n import _
from ctdhub.dp import answer_store, kernels
from ctdhub.dp.accounting import rho_of, split
from ctdhub.dp.by_contributor import Sourced, sourced
from ctdhub.dp.child_rows import Mentioned, mentioned
from ctdhub.dp.count import Counts, digest
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.charge import Entry, Kind, taking_part
from ctdhub.dp.ledger.purposes import written
from ctdhub.dp.mechanism import Progress, answer_of
from ctdhub.dp.overlap import Overlap
from ctdhub.dp.plan import Columns, Plan, plan_of
from ctdhub.dp.policy import Policy
from ctdhub.dp.rows import InMemory, Rows, Tally
from ctdhub.dp.workload import Workload, workload
from ctdhub.schema.model import load_schema

ENGINE = "4"
"""Version of the method; a new one makes every question a new question.  From 4 on a question is
told by its exact tables instead of its rows (decision 28)."""

MECHANISM = "discrete Gaussian"

_BOUND = b"which rows of a person are kept"


@dataclass(frozen=True)
class Question:
    """What is asked of a table, and what it costs.

    Attributes:
        plan: see :class:`ctdhub.dp.plan.Plan`.
        epsilon, delta: the guarantee of the answer.
        budget: the most epsilon that all charges of the ledger together may reach.
        settings: whatever else makes it another question, such as the schema's version.
        what: the question in English words, for the ledger.
        kind: what the answer is for.
    """

    plan: Plan
    epsilon: float
    delta: float
    budget: float
    settings: tuple[Any, ...]
    what: str
    kind: Kind = "release"


def protect(
    people: pa.Table | Rows,
    policy: Policy,
    ledger: Ledger,
    facts: dict[str, Any],
    progress: Progress | None = None,
    perpetrators: pa.Table | Rows | None = None,
    overlap: Overlap | None = None,
) -> Protected:
    """Protect a hub's table of people, the perpetrators whom their records mention, their sources.

    Args:
        people: one row per person, columns of ``Schema.table("people")``; they may lie anywhere.
        policy: what is released, and how well people are protected.
        ledger: pays before noise is drawn; an exact repeat of a question is free.
        facts: public facts, passed through; they also say which contributors have counts.
        progress: told (message, fraction done).
        perpetrators: child rows of people, see ``mentioned``; None is a table without rows, so
            that only the policy decides whether the answer has them.
        overlap: how lists overlap, see ``sourced``; None likewise.

    Raises:
        PolicyError: a column is missing or holds a value outside its public domain; the budget of
            one release is too small for its tables; the policy names an unknown list.
        Overspend: the budget does not reach.
        LedgerTampered: the ledger was changed, or lacks a charge that paid for a stored answer.
        LedgerError: a stored answer is damaged.
    """
    schema = load_schema()
    sizes = {"epsilon": f"{policy.epsilon:g}", "budget": f"{policy.budget.epsilon:g}"}
    what = (
        written("all", **sizes)
        if policy.columns == "all"
        else written("columns", n=len(policy.columns), **sizes)
    )
    settings = (policy.model_dump(mode="json", exclude={"budget"}), schema.version)
    question = Question(
        plan_of(policy, schema), policy.epsilon, policy.delta, policy.budget.epsilon, settings, what
    )
    child = mentioned(perpetrators, policy, schema)
    sources = sourced(overlap, policy, schema, facts)
    return protect_table(people, question, ledger, facts, progress, child, sources)


def unit(plan: Plan) -> str:
    """Who is protected, in English words; what comes and goes in neighbouring tables.

    >>> unit(Plan({}))
    'person'
    """
    if not plan.tokens:
        return "person"
    return f"person, by her key; her rows are joined by at most {plan.tokens} further tokens"


def protect_table(
    people: pa.Table | Rows,
    asked: Question,
    ledger: Ledger,
    facts: dict[str, Any],
    progress: Progress | None = None,
    child: Mentioned | None = None,
    sources: Sourced | None = None,
) -> Protected:
    """Protect any table whose columns have public domains; see :func:`protect`.

    Args:
        people: one row per person, or at most ``asked.plan.rows`` of each, columns as text.
        child: rows of these persons that are answered with them, by one charge.
        sources: by whom these persons were reported, answered by the same charge.
    """
    tell = progress or (lambda message, share: None)
    rho = rho_of(asked.epsilon, asked.delta)
    costs = _costs(rho, child, sources)
    tables = _names(workload(asked.plan, costs.people))  # these refuse before anything is paid
    theirs = _names(workload(child.plan, costs.perpetrators)) if child else ()
    if sources:
        sources.public.workload(costs.sources)
    tell(_("counting"), 0.05)
    rows = InMemory(people) if isinstance(people, pa.Table) else people
    exact = _counted(rows, Tally(asked.plan.domains, tables), sources)
    pa.default_memory_pool().release_unused()  # reading and counting took more than is kept
    with ledger.exclusive():
        answer_store.check_paid(ledger)
        if child:
            key = bytes.fromhex(ledger.question(_BOUND))
            [found] = child.rows.counts([child.tally(theirs, key)])
            exact = exact._replace(perpetrators=found)
        question = ledger.question(_content(exact, asked, child, sources))
        answer = answer_store.stored(ledger, question, facts)
        if answer is not None:
            tell(_("answered before: nothing is charged"), 1.0)
            return answer
        kernels.require_sweep()
        entry = _charge(ledger, question, rho, asked, facts, tell)
        answer = _minted(exact, asked, entry, facts, tell, child, sources)
        answer_store.store(ledger, question, answer)
    return answer


class _Exact(NamedTuple):
    """Exact tables by part of an answer; each part is emptied once its noise is drawn."""

    people: Counts
    perpetrators: Counts
    sources: Counts


def _names(questions: Workload) -> tuple[Columns, ...]:
    return tuple(q.columns for q in questions)


def _counted(rows: Rows, tally: Tally, sources: Sourced | None) -> _Exact:
    """People and their sources, in one pass."""
    if sources is None:
        [people] = rows.counts([tally])
        return _Exact(people, {}, {})
    people, by_contributor = rows.counts([tally, sources.tally])
    return _Exact(people, {}, sources.exact(by_contributor))


class _Costs(NamedTuple):
    """What each part of an answer may cost, in rho."""

    people: float
    perpetrators: float
    sources: float


def _costs(rho: float, child: Mentioned | None, sources: Sourced | None) -> _Costs:
    """At most ``rho`` together, exactly."""
    return _Costs(*split(rho, [part.share if part else 0.0 for part in (child, sources)]))


def _content(
    exact: _Exact, asked: Question, child: Mentioned | None, sources: Sourced | None
) -> bytes:
    """What makes a question: all exact tables, plans, settings and the engine's version.

    An answer depends on nothing else, so that people who are counted alike are answered alike.
    """
    rest = [repr(asked.plan), asked.epsilon, asked.delta, list(asked.settings), ENGINE]
    if child:
        rest += [repr(child.plan), child.share]
    if sources:
        rest += [repr(sources.public)]
    return b"".join(map(digest, exact)) + json.dumps(rest, sort_keys=True).encode()


def _charge(
    ledger: Ledger,
    question: str,
    rho: float,
    asked: Question,
    facts: dict[str, Any],
    tell: Progress,
) -> Entry:
    what = asked.what
    lost = [e.number for e in ledger.entries() if e.question == question]
    if lost:
        what = written("again", purpose=what, n=lost[-1])
        tell(
            _("charged again: charge {n} was cut off without an answer").format(n=lost[-1]),
            0.0,
        )
    return ledger.charge(
        question,
        rho,
        asked.epsilon,
        asked.delta,
        what,
        budget=asked.budget,
        kind=asked.kind,
        contributors=taking_part(facts),
    )


def _minted(
    exact: _Exact,
    asked: Question,
    entry: Entry,
    facts: dict[str, Any],
    tell: Progress,
    child: Mentioned | None,
    sources: Sourced | None,
) -> Protected:
    costs = _costs(entry.rho, child, sources)
    measured = sources.measured(exact.sources, costs.sources) if sources else None
    perpetrators = None
    if child:
        tell(_("protecting rows of perpetrators"), 0.07)
        inner = answer_of(exact.perpetrators, child.plan, costs.perpetrators)
        perpetrators = Perpetrators(inner.records, inner.counts, child.plan.rows, inner.sigma)
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
