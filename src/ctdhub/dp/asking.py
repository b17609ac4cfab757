"""A question, what it costs, and how the ledger knows it.

Belongs here: what is asked, the cost of its parts, its keyed hashes, its price.
Does not belong here: counting, charging and answering (``engine``), what makes two questions equal
(``request``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from ctdhub.dp import answer_store
from ctdhub.dp.accounting import split
from ctdhub.dp.by_contributor import Sourced
from ctdhub.dp.child_rows import Mentioned
from ctdhub.dp.count import Counts
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.charge import Kind, taking_part
from ctdhub.dp.plan import Plan
from ctdhub.dp.price import Cause, Price
from ctdhub.dp.request import HUB, RequestPart, differing, request_of, shown
from ctdhub.dp.workload import Workload


@dataclass(frozen=True)
class ReleaseRequest:
    """What is asked of a table, and what it costs.

    Attributes:
        plan: see :class:`ctdhub.dp.plan.Plan`.
        epsilon, delta: the guarantee of the answer.
        budget: the most epsilon that all charges of the ledger together may reach.
        what: the question in English words, for the ledger.
        kind: what the answer is for.
        about: whose table it is, see ``request``.
    """

    plan: Plan
    epsilon: float
    delta: float
    budget: float
    what: str
    kind: Kind = "release"
    about: str = HUB


def unit(plan: Plan) -> str:
    """Who is protected, in English words; what comes and goes in neighbouring tables.

    >>> unit(Plan({}))
    'person'
    """
    if not plan.tokens:
        return plan.unit
    if plan.unit != "person":
        return f"{plan.unit}; rows are joined by at most {plan.tokens} further tokens of each"
    return f"person, by her key; her rows are joined by at most {plan.tokens} further tokens"


class Exact(NamedTuple):
    """Exact tables by part of an answer; each part is emptied once its noise is drawn."""

    people: Counts
    perpetrators: Counts
    sources: Counts


class Costs(NamedTuple):
    """What each part of an answer may cost, in rho."""

    people: float
    perpetrators: float
    sources: float


def costs_of(rho: float, child: Mentioned | None, sources: Sourced | None) -> Costs:
    """What each part may cost, by the shares that policy and agreements give them.

    Args:
        rho: of the whole answer; the exact sum of the parts is at most this.
        child, sources: None where the answer has no such part.
    """
    return Costs(*split(rho, [part.share if part else 0.0 for part in (child, sources)]))


PEOPLE = "people"
"""The part of a request that covers case data, see ``request.CanonicalRequest``."""


class Asks(NamedTuple):
    """A question as the ledger knows it, by keyed hashes.

    Attributes:
        question: the hash of its request, which is public but for the key.
        exact: the hash of the request and of the exact tables; for the hub alone.
        parts: hashes of the parts of its request; for the hub alone.
    """

    question: str
    exact: str
    parts: dict[str, str]


def asks_of(ledger: Ledger, asked: ReleaseRequest, parts: list[tuple[RequestPart, Counts]]) -> Asks:
    """The question with these exact tables, as the ledger knows it; inside ``exclusive()``."""
    asks = request_of(asked.about, asked.epsilon, asked.delta, unit(asked.plan), parts)
    hashes = {
        name: (ledger.sensitive if name == PEOPLE else ledger.question)(text)
        for name, text in asks.parts().items()
    }
    exact = ledger.question(asks.content_with_people)
    return Asks(ledger.question(asks.content), exact, hashes)


def parts_of(
    asked: ReleaseRequest,
    exact: Exact,
    people: Workload,
    perpetrators: Workload,
    costs: Costs,
    child: Mentioned | None,
    sources: Sourced | None,
) -> list[tuple[RequestPart, Counts]]:
    """Each part of the answer as a request writes it, with its exact tables."""
    own = asked.about != HUB
    plan = asked.plan
    found = [
        (
            RequestPart("people", plan.domains, people, None, shown(plan, hierarchy=own)),
            exact.people,
        )
    ]
    if child:
        told = shown(child.plan, hierarchy=own)
        part = RequestPart("perpetrators", child.plan.domains, perpetrators, child.share, told)
        found.append((part, exact.perpetrators))
    if sources:
        public = sources.public
        lists = public.lists
        told = {"lists": list(lists.names), "years": list(lists.years)} if lists else {}
        if lists:
            reviewed = {"found": lists.found, "merged": lists.merged}
            told |= {name: said for name, said in reviewed.items() if said is not None}
        tables = public.workload(costs.sources)
        found.append(
            (RequestPart("sources", public.domains, tables, public.share, told), exact.sources)
        )
    return found


def price_of(
    ledger: Ledger,
    asks: Asks,
    asked: ReleaseRequest,
    rho: float,
    facts: dict[str, Any],
    *,
    paid: bool = False,
) -> Price:
    """What answering would cost.

    Args:
        paid: whether a charge that was cut off pays for it.

    Raises:
        Overspend: the budget, or what a contributor agreed to, does not reach.
    """
    contributors = taking_part(facts)
    if not paid:
        ledger.check_reach(
            rho, asked.epsilon, asked.delta, budget=asked.budget, contributors=contributors
        )
    known = ledger.limits if contributors is None else contributors
    limits = {n: ledger.left_of(n, asked.delta) for n in known if ledger.limits.get(n) is not None}
    left = ledger.left(asked.budget, asked.delta)
    if paid:
        return Price(0.0, asked.delta, left, limits, ("unfinished",))
    return Price(asked.epsilon, asked.delta, left, limits, _because(ledger, asks))


def _because(ledger: Ledger, asks: Asks) -> tuple[Cause, ...]:
    """How the question differs from the last one that is answered."""
    releases = [e for e in ledger.entries() if e.kind == "release"]
    if not releases:
        return ("first",)
    if not answer_store.holds(ledger, releases[-1]):
        return ("lost",)
    last = answer_store.parts(ledger, releases[-1])
    return differing(last, asks.parts) or ("version",)
