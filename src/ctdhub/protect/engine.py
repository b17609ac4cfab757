"""The engine: people in, a protected answer out, paid for first.

Belongs here: the order of charging, counting, noise, fit and publishing.  Does not belong here:
how any of them is done.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pyarrow as pa
from threadpoolctl import threadpool_limits

from ctdhub.i18n import _
from ctdhub.protect import answers, intervals
from ctdhub.protect.accounting import rho_of
from ctdhub.protect.border import Guarantee, Protected, mint
from ctdhub.protect.count import Codes, count, encode
from ctdhub.protect.fit import targets
from ctdhub.protect.indicators import Indicators
from ctdhub.protect.ledger import Entry, Ledger
from ctdhub.protect.measure import Workload, measure, workload
from ctdhub.protect.policy import Domains, Policy
from ctdhub.protect.polish import polish
from ctdhub.protect.synthesise import draft, to_table
from ctdhub.schema import Schema, load_schema

ENGINE = "1"
"""Version of the method; a new one makes every question a new question."""

UNIT, MECHANISM = "person", "discrete Gaussian"

Progress = Callable[[str, float], None]


def protect(
    people: pa.Table,
    policy: Policy,
    ledger: Ledger,
    facts: dict[str, Any],
    progress: Progress | None = None,
) -> Protected:
    """Protect a table of people.

    Args:
        people: one row per person, public columns of ``Schema.table("people")``.
        policy: what is released, and how well people are protected.
        ledger: pays before noise is drawn; an exact repeat of a question is free.
        facts: public facts, passed through.
        progress: told (message, fraction done).

    Raises:
        PolicyError: a column is missing or holds a value outside its public domain; the budget of
            one release is too small for its tables.
        Overspend: the budget does not reach.
        LedgerTampered: the ledger was changed, or lacks a charge that paid for a stored answer.
        LedgerError: a stored answer is damaged.
    """
    tell = progress or (lambda message, share: None)
    schema = load_schema()
    domains = policy.domains(schema)
    codes = encode(people, domains)
    rho = rho_of(policy.epsilon, policy.delta)
    questions = workload(policy, schema, rho)
    with ledger.exclusive():
        answers.check_paid(ledger)
        question = ledger.question(_content(codes, policy, schema))
        answer = answers.stored(ledger, question, facts)
        if answer is not None:
            tell(_("answered before: nothing is charged"), 1.0)
            return answer
        entry = _charge(ledger, question, rho, policy, tell)
        answer = _answer(codes, policy, schema, domains, questions, entry, facts, tell)
        answers.store(ledger, question, answer)
    return answer


def _content(codes: Codes, policy: Policy, schema: Schema) -> bytes:
    """What makes a question: people (in any order), policy, schema version, engine version."""
    settings = policy.model_dump(mode="json", exclude={"budget"})
    rest = [settings, schema.version, ENGINE]
    return codes.digest() + json.dumps(rest, sort_keys=True).encode()


def _charge(ledger: Ledger, question: str, rho: float, policy: Policy, tell: Progress) -> Entry:
    # The ledger outlives its reader's language, so that its words are always English.
    columns = "all public columns" if policy.columns == "all" else f"{len(policy.columns)} columns"
    what = f"release of {columns} at epsilon {policy.epsilon:g}, budget {policy.budget.epsilon:g}"
    lost = [e.number for e in ledger.entries() if e.question == question]
    if lost:
        what += f"; charged again, because charge {lost[-1]} was cut off without an answer"
        tell(
            _("charged again: charge {n} was cut off without an answer").format(n=lost[-1]),
            0.0,
        )
    return ledger.charge(
        question, rho, policy.epsilon, policy.delta, what, budget=policy.budget.epsilon
    )


def _answer(
    codes: Codes,
    policy: Policy,
    schema: Schema,
    domains: Domains,
    questions: Workload,
    entry: Entry,
    facts: dict[str, Any],
    tell: Progress,
) -> Protected:
    tell(_("counting"), 0.05)
    exact = count(codes, [q.columns for q in questions])
    tell(_("drawing noise"), 0.1)
    noisy = measure(exact, questions, os.urandom)
    # From here on nothing sees exact counts: all is post-processing of noisy tables.
    del exact
    total, sd = intervals.total_people(noisy, questions, policy.level)
    tell(_("fitting"), 0.15)
    # Its matrices are thin: threads of the linear algebra library cost more than they bring.
    with threadpool_limits(limits=1, user_api="blas"):
        aims = targets(noisy, questions, total.value)
        records = draft(aims, domains)
        tell(_("polishing"), 0.2)
        polish(
            records,
            aims,
            Indicators.of(domains, schema),
            progress=lambda s: tell(_("polishing"), 0.2 + 0.7 * s),
        )
    tell(_("publishing"), 0.9)
    counts = intervals.counts_table(
        noisy, questions, domains, total, policy.level, policy.false_share
    )
    sigma = {"*".join(q.columns): q.sigma for q in questions} | {"": sd}
    return mint(
        records=to_table(records, domains),
        counts=counts,
        people=total,
        case_records=intervals.case_records(noisy, questions, total, sd, policy.level),
        guarantee=Guarantee(
            policy.epsilon, policy.delta, entry.rho, UNIT, MECHANISM, policy.level, sigma, entry.id
        ),
        facts=facts,
    )
