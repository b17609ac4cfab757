"""The engine: people in, a protected answer out, paid for first.

Belongs here: what is asked, what its parts may cost, the order of charging and answering.  Does
not belong here: the mechanism itself (``mechanism``).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from ctdhub.i18n import _
from ctdhub.protect import answers
from ctdhub.protect.accounting import rho_of, split
from ctdhub.protect.border import Guarantee, Perpetrators, Protected, mint
from ctdhub.protect.count import Codes, Counted, encode
from ctdhub.protect.ledger import Entry, Kind, Ledger, taking_part
from ctdhub.protect.measure import workload
from ctdhub.protect.mechanism import Progress, answer
from ctdhub.protect.perpetrators import Mentioned, mentioned
from ctdhub.protect.plan import Plan, plan_of
from ctdhub.protect.policy import Policy
from ctdhub.protect.sources import Sourced, sourced
from ctdhub.schema import load_schema

ENGINE = "3"
"""Version of the method; a new one makes every question a new question."""

UNIT, MECHANISM = "person", "discrete Gaussian"

_BOUND = b"which rows of a person are kept"


@dataclass(frozen=True)
class Question:
    """What is asked of a table, and what it costs.

    Attributes:
        plan: see :class:`ctdhub.protect.plan.Plan`.
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
    people: pa.Table,
    policy: Policy,
    ledger: Ledger,
    facts: dict[str, Any],
    progress: Progress | None = None,
    perpetrators: pa.Table | None = None,
    overlap: pa.Table | None = None,
) -> Protected:
    """Protect a hub's table of people, the perpetrators whom their records mention, their sources.

    Args:
        people: one row per person, columns of ``Schema.table("people")``.
        policy: what is released, and how well people are protected.
        ledger: pays before noise is drawn; an exact repeat of a question is free.
        facts: public facts, passed through; they also say which contributors have counts.
        progress: told (message, fraction done).
        perpetrators: child rows of people, see ``mentioned``; None is a table without rows, so
            that only the policy decides whether the answer has them.
        overlap: people by the contributors that know them, see ``sourced``; None likewise.

    Raises:
        PolicyError: a column is missing or holds a value outside its public domain; the budget of
            one release is too small for its tables; the policy names an unknown list.
        Overspend: the budget does not reach.
        LedgerTampered: the ledger was changed, or lacks a charge that paid for a stored answer.
        LedgerError: a stored answer is damaged.
    """
    schema = load_schema()
    # The ledger outlives its reader's language, so that its words are always English.
    columns = "all public columns" if policy.columns == "all" else f"{len(policy.columns)} columns"
    what = f"release of {columns} at epsilon {policy.epsilon:g}, budget {policy.budget.epsilon:g}"
    settings = (policy.model_dump(mode="json", exclude={"budget"}), schema.version)
    question = Question(
        plan_of(policy, schema), policy.epsilon, policy.delta, policy.budget.epsilon, settings, what
    )
    child = mentioned(perpetrators, policy, schema)
    sources = sourced(people, overlap, policy, schema, facts)
    return protect_table(people, question, ledger, facts, progress, child, sources)


def protect_table(
    table: pa.Table | Counted,
    asked: Question,
    ledger: Ledger,
    facts: dict[str, Any],
    progress: Progress | None = None,
    child: Mentioned | None = None,
    sources: Sourced | None = None,
) -> Protected:
    """Protect any table whose columns have public domains; see :func:`protect`.

    Args:
        table: one row per person, or at most ``asked.plan.rows`` of each, columns as text; or
            sums of such people's counts, without the people.
        child: rows of these persons that are answered with them, by one charge.
        sources: by whom these persons were reported, answered by the same charge.
    """
    tell = progress or (lambda message, share: None)
    codes = encode(table, asked.plan.domains) if isinstance(table, pa.Table) else table
    pa.default_memory_pool().release_unused()  # reading and encoding took more than is kept
    rho = rho_of(asked.epsilon, asked.delta)
    costs = _costs(rho, child, sources)
    workload(asked.plan, costs.people)  # these refuse before anything is paid
    if child:
        workload(child.plan, costs.perpetrators)
    if sources:
        sources.public.workload(costs.sources)
    with ledger.exclusive():
        answers.check_paid(ledger)
        if child:
            if not isinstance(codes, Codes):
                raise TypeError("perpetrators belong to people, and only sums are here")
            child = child.bounded(codes, bytes.fromhex(ledger.question(_BOUND)))
        question = ledger.question(_content(codes, asked, child, sources))
        answer = answers.stored(ledger, question, facts)
        if answer is not None:
            tell(_("answered before: nothing is charged"), 1.0)
            return answer
        entry = _charge(ledger, question, rho, asked, facts, tell)
        answer = _minted(codes, asked, entry, facts, tell, child, sources)
        answers.store(ledger, question, answer)
    return answer


class _Costs(NamedTuple):
    """What each part of an answer may cost, in rho."""

    people: float
    perpetrators: float
    sources: float


def _costs(rho: float, child: Mentioned | None, sources: Sourced | None) -> _Costs:
    """At most ``rho`` together, exactly."""
    return _Costs(*split(rho, [part.share if part else 0.0 for part in (child, sources)]))


def _content(
    codes: Counted, asked: Question, child: Mentioned | None, sources: Sourced | None
) -> bytes:
    """What makes a question: rows (in any order), plans, settings and the engine's version."""
    rest = [repr(asked.plan), asked.epsilon, asked.delta, list(asked.settings), ENGINE]
    content = codes.digest()
    if child:
        rest += [repr(child.plan), child.share]
        content += child.codes.digest()
    if sources:
        rest += [repr(sources.public)]
        content += sources.digest()
    return content + json.dumps(rest, sort_keys=True).encode()


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
        what += f"; charged again, because charge {lost[-1]} was cut off without an answer"
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
    codes: Counted,
    asked: Question,
    entry: Entry,
    facts: dict[str, Any],
    tell: Progress,
    child: Mentioned | None,
    sources: Sourced | None,
) -> Protected:
    costs = _costs(entry.rho, child, sources)
    found = answer(codes, asked.plan, costs.people, progress=tell)
    perpetrators = None
    if child:
        tell(_("protecting rows of perpetrators"), 0.95)
        inner = answer(child.codes, child.plan, costs.perpetrators)
        perpetrators = Perpetrators(inner.records, inner.counts, child.plan.rows, inner.sigma)
    level = asked.plan.level
    guarantee = Guarantee(
        asked.epsilon, asked.delta, entry.rho, UNIT, MECHANISM, level, found.sigma, entry.id
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
        sources=sources.measured(costs.sources) if sources else None,
    )
