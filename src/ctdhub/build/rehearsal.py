"""A rehearsal of a hub's policy on fictitious people: what is rehearsed, and its figures as JSON.

Nobody real is in it and nothing is charged, so that its figures may be kept and shown freely.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ctdhub.build.hub import Hub
from ctdhub.build.person_rows import row_facts
from ctdhub.build.rules import policy, variables, year_of
from ctdhub.build.steps import Progress
from ctdhub.core.i18n import Text
from ctdhub.dp.by_contributor import SourceTables, public_sources
from ctdhub.dp.coverage import covered_years
from ctdhub.dp.ledger.reserve import drafts_bought, versions_bought
from ctdhub.dp.person_rows import person_rows
from ctdhub.dp.plan import Plan, plan_of
from ctdhub.dp.policy import Budget, Policy
from ctdhub.dp.simulate import Rehearsal, rehearse, stand_in
from ctdhub.practice.stand_in import FEWEST, invented_people


@dataclass(frozen=True)
class Rehearsed:
    """What is rehearsed: a plan, a delta, and what else the budget pays for."""

    plan: Plan
    delta: float
    perpetrators: float = 0.0
    sources: SourceTables | None = None
    budget: Budget | None = None


def of_hub(hub: Hub, rules: Policy | None = None) -> Rehearsed:
    """The hub's policy.  Noise does not depend on how many contributors there are, so that a hub
    without agreements rehearses with one that stands in.

    Args:
        hub: the hub.
        rules: another policy than that of its folder.

    Raises:
        PolicyError: the policy or an agreement has faults.
    """
    rules = rules or policy(hub)
    schema = variables(hub, rules)
    given = hub.contributions()
    agreed = [
        {"id": a.id, "show_counts": a.show_counts, "years": a.years}
        | row_facts(hub, a, [one.date for one in given if one.contributor == a.id])
        for a in hub.agreements()
    ]
    some = agreed or [{"id": name} for name in rules.sources.lists or ("contributor",)]
    until = min(rules.years[1], year_of(hub, ""))
    facts = {"contributors": some, "years": (rules.years[0], until)}
    sources = public_sources(rules, schema, facts)
    share = rules.perpetrators.share
    plan = plan_of(rules, schema, person_rows(rules, facts), covered_years(rules, facts))
    return Rehearsed(plan, rules.delta, share, sources, rules.budget)


def rehearsed(
    asked: Rehearsed,
    people: int,
    epsilons: Sequence[float],
    delta: float,
    *,
    alike: bool = True,
    progress: Progress | None = None,
) -> list[Rehearsal]:
    """What each epsilon would give.

    Args:
        asked: the plan.
        people: fictitious people, at least 0.
        epsilons: each above 0.
        delta: of all of them.
        alike: whether people hang together as those of the practice files do; a domains file has
            other columns.
        progress: told a message and how much is done.
    """
    known = invented_people(people) if alike and people >= FEWEST else None
    codes = stand_in(asked.plan, people, known)
    done: list[Rehearsal] = []
    for epsilon in epsilons:

        def tell(message: Text, share: float, at: int = len(done)) -> None:
            if progress:
                progress(message, (at + share) / len(epsilons))

        done.append(
            rehearse(
                asked.plan,
                epsilon,
                delta,
                codes,
                progress=tell,
                perpetrators=asked.perpetrators,
                sources=asked.sources,
            )
        )
    return done


def bought(epsilons: Sequence[float], delta: float, budget: Budget) -> list[dict[str, float]]:
    """What a budget buys at each epsilon: versions, and drafts from their reserve."""
    return [
        {
            "epsilon": epsilon,
            "versions": versions_bought(epsilon, budget.epsilon, budget.drafts, delta),
            "drafts": drafts_bought(epsilon, budget.epsilon, budget.drafts, delta),
        }
        for epsilon in epsilons
    ]


def figures(
    asked: Rehearsed, people: int, done: Sequence[Rehearsal], delta: float
) -> dict[str, Any]:
    """All figures as JSON: what ``ctdhub rehearse --json`` prints and the desk keeps."""
    found: dict[str, Any] = {
        "people": people,
        "rows_per_person": asked.plan.rows,
        "rehearsals": [r.as_dict() for r in done],
    }
    if asked.budget:
        found["bought"] = bought([r.epsilon for r in done], delta, asked.budget)
    return found
