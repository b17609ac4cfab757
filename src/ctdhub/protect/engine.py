"""The engine: people in, a protected answer out, paid for first.

Belongs here: the order of charging, counting, noise, fit and publishing.  Does not belong here:
how any of them is done.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ctdhub.i18n import _
from ctdhub.protect import answers, intervals
from ctdhub.protect.accounting import rho_of
from ctdhub.protect.border import Estimate, Guarantee, Perpetrators, Protected, mint
from ctdhub.protect.count import Codes, count, encode
from ctdhub.protect.fit import fit
from ctdhub.protect.ledger import Entry, Kind, Ledger, taking_part
from ctdhub.protect.measure import measure, workload
from ctdhub.protect.noise import Bits
from ctdhub.protect.perpetrators import Mentioned, mentioned
from ctdhub.protect.plan import Plan, plan_of
from ctdhub.protect.policy import Policy
from ctdhub.protect.pool import pool, variances
from ctdhub.protect.records import to_table
from ctdhub.protect.state import Measured
from ctdhub.schema import load_schema

ENGINE = "2"
"""Version of the method; a new one makes every question a new question."""

UNIT, MECHANISM = "person", "discrete Gaussian"

_BOUND = b"which rows of a person are kept"

Progress = Callable[[str, float], None]


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
) -> Protected:
    """Protect a hub's table of people, and the perpetrators whom their records mention.

    Args:
        people: one row per person, public columns of ``Schema.table("people")``.
        policy: what is released, and how well people are protected.
        ledger: pays before noise is drawn; an exact repeat of a question is free.
        facts: public facts, passed through.
        progress: told (message, fraction done).
        perpetrators: child rows of people, see ``mentioned``; None is a table without rows, so
            that only the policy decides whether the answer has them.

    Raises:
        PolicyError: a column is missing or holds a value outside its public domain; the budget of
            one release is too small for its tables.
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
    return protect_table(people, question, ledger, facts, progress, child)


def protect_table(
    table: pa.Table,
    asked: Question,
    ledger: Ledger,
    facts: dict[str, Any],
    progress: Progress | None = None,
    child: Mentioned | None = None,
) -> Protected:
    """Protect any table whose columns have public domains; see :func:`protect`.

    Args:
        table: one row per person, or at most ``asked.plan.rows`` of each, columns as text.
        child: rows of these persons that are answered with them, by one charge.
    """
    tell = progress or (lambda message, share: None)
    codes = encode(table, asked.plan.domains)
    pa.default_memory_pool().release_unused()  # reading and encoding took more than is kept
    rho = rho_of(asked.epsilon, asked.delta)
    for plan, part in _parts(asked, rho, child):
        workload(plan, part)  # refuses before anything is paid
    with ledger.exclusive():
        answers.check_paid(ledger)
        if child:
            child = child.bounded(codes, bytes.fromhex(ledger.question(_BOUND)))
        question = ledger.question(_content(codes, asked, child))
        answer = answers.stored(ledger, question, facts)
        if answer is not None:
            tell(_("answered before: nothing is charged"), 1.0)
            return answer
        entry = _charge(ledger, question, rho, asked, facts, tell)
        answer = _minted(codes, asked, entry, facts, tell, child)
        answers.store(ledger, question, answer)
    return answer


def _parts(asked: Question, rho: float, child: Mentioned | None) -> list[tuple[Plan, float]]:
    """The plans that are answered, and what each may cost: at most ``rho`` together."""
    if child is None:
        return [(asked.plan, rho)]
    return list(zip((asked.plan, child.plan), child.split(rho), strict=True))


def _content(codes: Codes, asked: Question, child: Mentioned | None) -> bytes:
    """What makes a question: rows (in any order), plans, settings and the engine's version."""
    rest = [repr(asked.plan), asked.epsilon, asked.delta, list(asked.settings), ENGINE]
    content = codes.digest()
    if child:
        rest += [repr(child.plan), child.share]
        content += child.codes.digest()
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
    codes: Codes,
    asked: Question,
    entry: Entry,
    facts: dict[str, Any],
    tell: Progress,
    child: Mentioned | None,
) -> Protected:
    parts = _parts(asked, entry.rho, child)
    found = answer(codes, *parts[0], progress=tell)
    perpetrators = None
    if child:
        tell(_("protecting rows of perpetrators"), 0.95)
        inner = answer(child.codes, *parts[1])
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
    )


@dataclass(frozen=True)
class Answer:
    """What the mechanism gives: records, counts and totals as in :class:`Protected`.

    Attributes:
        sigma: standard deviation of the noise by table; keys as in ``Guarantee.sigma``.
        rho: the cost, at most what was asked.
    """

    records: pa.Table
    counts: pa.Table
    people: Estimate
    case_records: Estimate
    sigma: dict[str, float]
    rho: float


def answer(
    codes: Codes,
    plan: Plan,
    rho: float,
    source: Bits = os.urandom,
    progress: Progress | None = None,
) -> Answer:
    """The mechanism alone, without ledger: for :func:`protect_table`, audits and rehearsals.

    Whoever calls it owes the ledger a charge of ``rho`` unless the people are invented.

    Args:
        codes: people by the plan's domains.
        rho: the most that it may cost.
        source: random bits; the operating system's in the product.

    Raises:
        PolicyError: ``rho`` is too small for the plan's tables.
    """
    tell = progress or (lambda message, share: None)
    questions = workload(plan, rho)
    tell(_("counting"), 0.05)
    exact = count(codes, [q.columns for q in questions])
    tell(_("drawing noise"), 0.1)
    noisy = measure(exact, questions, source)
    # From here on nothing sees exact counts: all is post-processing of noisy tables.
    del exact
    pooled = pool(noisy, questions)
    total = intervals.total_people(pooled, plan.level)
    records = fit(
        Measured.of(noisy, questions, pooled),
        plan,
        total.value,
        progress=lambda s: tell(_("fitting"), 0.15 + 0.75 * s),
    )
    tell(_("publishing"), 0.9)
    counts = intervals.counts_table(
        noisy,
        pooled,
        questions,
        plan.domains,
        total,
        plan.level,
        plan.false_share,
        plan.followers,
    )
    case_records = intervals.case_records(pooled, total, plan.level)
    del noisy, pooled  # as large as the records to come
    return Answer(
        records=to_table(records, plan.domains),
        counts=counts,
        people=total,
        case_records=case_records,
        sigma={"*".join(t): variance**0.5 for t, variance in variances(questions).items()},
        rho=rho,
    )
