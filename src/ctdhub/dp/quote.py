"""A question about people, counted: what its answer costs, how the ledger knows it, and which
answer may be given again.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import pyarrow as pa

from ctdhub.border import Protected
from ctdhub.core.errors import HubError, error, printable
from ctdhub.core.files import uncollected
from ctdhub.core.i18n import Text, joined, texts
from ctdhub.core.tables import canonical
from ctdhub.dp import answer_store
from ctdhub.dp.accounting import rho_of, split
from ctdhub.dp.count import Counts, InMemory, Rows, Tally
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.ledger.file import Charge, taking_part, written
from ctdhub.dp.noise import ChargeSecret
from ctdhub.dp.plan import Parents, Plan, covered_years, person_rows, plan_of
from ctdhub.dp.policy import Domains, Policy
from ctdhub.dp.sources import CountedSources, Mentioned, Overlap, mentioned, sourced
from ctdhub.dp.workload import Workload, regional, workload
from ctdhub.schema.model import Schema, load_schema

Cause = Literal["first", "people", "columns", "settings", "method", "lost", "version", "unfinished"]
"""Why a request is not answered already: what is different from the last one that was paid."""

CAUSES: tuple[Cause, ...] = get_args(Cause)

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Price:
    """What one charge costs.

    Attributes:
        epsilon, delta: of the charge alone; epsilon is 0 where it was paid for already.
        left: the most epsilon that this charge might have, within the budget of the hub.
        left_by_contributor: the same by id of each contributor that takes part and whose
            agreement sets a limit.
        because: what makes the request another one than the last that was paid.
    """

    epsilon: float
    delta: float
    left: float
    left_by_contributor: Mapping[str, float]
    because: tuple[Cause, ...]


Pay = Callable[[Price], None]
"""Told a price before it is charged; whoever does not want to pay raises :func:`refusal`."""


def refusal(price: Price) -> HubError:
    """The refusal of a price."""
    cost, left, reason = price.epsilon, price.left, why(price.because)
    if not price.left_by_contributor:
        return error("would-charge", cost=cost, left=left, why=reason)
    limits = sorted(price.left_by_contributor.items())
    agreed = ", ".join(f"{printable(name)} {epsilon:.4g}" for name, epsilon in limits)
    return error("would-charge/agreements", cost=cost, left=left, why=reason, agreed=agreed)


def up_to(epsilon: float) -> Pay:
    """Pay what costs at most ``epsilon``, refuse what costs more.

    >>> up_to(0)(Price(1.0, 1e-8, 8.0, {}, ("people",)))
    Traceback (most recent call last):
        ...
    ctdhub.core.errors.WouldCharge: Going on would spend privacy budget: epsilon 1; ...
    """

    def pay(price: Price) -> None:
        if price.epsilon > epsilon + _ROUNDING:
            raise refusal(price)

    return pay


def why(because: Sequence[Cause]) -> Text:
    """The reasons in words."""
    words = texts("ctdhub.dp", "price")
    return joined([words[cause] for cause in because], Text("; "))


# --------------------------------------------------------------------------------------------------
# What makes a request, as far as it is public, and which exact tables it is asked of.
#
# A request is written out field by field as canonical JSON: public values by column, every table
# with shape, kind, noise and reach, epsilon, delta, unit, :data:`METHOD` and the settings that
# decide what is shown.  Names of classes and modules, settings that decide none of these, and the
# order in which tables are asked for are no part of it.  A setting that is added later is written
# only where it differs from what went without saying before.  Whose people they are the ledger
# knows: it has one key for the hashes of all requests about them.
#
# Exact tables are no part of a request: an answer that came back whenever the tables did would tell
# everybody who compares two versions that they are equal.  Their digests are kept apart, keyed and
# inside the hub.

METHOD = 1
"""What is measured, and how its noise is drawn.  A new method makes every request a new one, which
is charged."""

FORM = 2
"""How requests are written; another form makes every request a new one, which is charged."""

HUB = "hub"
"""What a hub's own request is about; tables and sums alone say otherwise."""


@dataclass(frozen=True)
class RequestPart:
    """One table of people or of their rows, as far as it is public.

    Attributes:
        name: which part of the answer it becomes.
        domains: public values by column.
        tables: what is measured, with its noise.
        share: of the cost, where the part is not the main one.
        shown: settings, by name, that decide what is published of the noisy tables.
        rho: what its tables cost together, at most; it follows from their noise.
    """

    name: str
    domains: Domains
    tables: Workload
    share: float | None
    shown: dict[str, Any]
    rho: float = 0.0


class CanonicalRequest(NamedTuple):
    """What is asked, in texts of which each can differ alone.

    Attributes:
        method: see :data:`METHOD`.
        people: digests of the exact tables.  Sensitive.
        columns: public values, tables, shapes, kinds and reach.
        settings: the promise, and what is shown.
        noise: of each table; it follows from columns and settings, weights among them.
    """

    method: str
    people: str
    columns: str
    settings: str
    noise: str

    @property
    def content(self) -> bytes:
        """What is public of it, to be hashed with the ledger's secret."""
        public = self.method, self.columns, self.settings, self.noise
        return canonical(["request", FORM, *public])

    @property
    def content_with_people(self) -> bytes:
        """All of it, to be hashed with the ledger's secret.  Sensitive."""
        return canonical(["request with people", FORM, *self])

    def parts(self) -> dict[str, bytes]:
        """Each part by its name, to be hashed with the ledger's secret."""
        texts = self._asdict().items()
        return {name: canonical(["part", name, text]) for name, text in texts}


def request_of(
    about: str, epsilon: float, delta: float, unit: str, parts: Sequence[tuple[RequestPart, Counts]]
) -> CanonicalRequest:
    """A request for these parts.

    Args:
        about: :data:`HUB`, or what else the people are.
        epsilon, delta: the promise.
        unit: who is protected.
        parts: each with its exact tables.
    """
    columns, settings, noise, people = {}, {}, {}, {}
    for part, exact in parts:
        tables = sorted(part.tables, key=lambda q: (q.columns, q.kind))
        columns[part.name] = {
            "domains": {name: list(values) for name, values in part.domains.items()},
            "tables": [[list(q.columns), list(q.shape), q.kind, q.reach] for q in tables],
        }
        settings[part.name] = {"share": part.share, "shown": part.shown}
        noise[part.name] = [[q.sigma2.numerator, q.sigma2.denominator] for q in tables]
        people[part.name] = _digest(exact)
    promise = {"about": about, "epsilon": epsilon, "delta": delta, "unit": unit}
    asked = (people, columns, [promise, settings], noise)
    return CanonicalRequest(str(METHOD), *(canonical(one).decode() for one in asked))


def display(plan: Plan, *, hierarchy: bool) -> dict[str, Any]:
    """The settings of a plan that decide what is published of its noisy tables.

    Args:
        hierarchy: whether its hierarchies were given with the question; those of a hub are the
            software's.
    """
    settings: dict[str, Any] = {
        "level": plan.level,
        "false_share": plan.false_share,
        "support": plan.support,
        "year": plan.year,
    }
    if plan.imputations:
        settings["imputations"] = plan.imputations
    if plan.regions:
        settings["merged"] = {name: list(groups.items()) for name, groups in plan.merged.items()}
    if hierarchy:
        parents: dict[str, Parents] = plan.parents
        settings["parents"] = {name: [list(level) for level in up] for name, up in parents.items()}
    return settings


def differing(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[Cause, ...]:
    """Why two requests differ; () where they do not.

    Args:
        before, now: keyed hash by part of a request, see :meth:`CanonicalRequest.parts`.

    >>> differing({"people": "a", "noise": "b"}, {"people": "x", "noise": "y"})
    ('people',)
    >>> differing({"people": "a", "noise": "b"}, {"people": "a", "noise": "y"})
    ('settings',)
    """
    causes = tuple(c for c in CAUSES if before.get(c) != now.get(c))
    return causes or (("settings",) if before.get("noise") != now.get("noise") else ())


def _digest(exact: Counts) -> str:
    """SHA-256 of tables by their columns, shapes and cells, in whatever order they are given."""
    digest = hashlib.sha256()
    for columns in sorted(exact):
        cells = exact[columns]
        digest.update(canonical([list(columns), list(cells.shape)]))
        digest.update(np.ascontiguousarray(cells, dtype="<i4").data)
    return digest.hexdigest()


# --------------------------------------------------------------------------------------------------
# A question, what it costs, and how the ledger knows it.


@dataclass(frozen=True)
class ReleaseRequest:
    """What is asked of a table, and what it costs.

    Attributes:
        plan: see :class:`ctdhub.dp.plan.Plan`.
        epsilon, delta: the guarantee of the answer.
        budget: the most epsilon that all charges of the ledger together may reach.
        what: the question in English words, for the ledger.
        about: whose table it is, see ``request``.
    """

    plan: Plan
    epsilon: float
    delta: float
    budget: float
    what: str
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


def asks_of(
    ledger: Ledger,
    asked: ReleaseRequest,
    parts: Mapping[str, RequestPart],
    exact: Mapping[str, Counts],
) -> Asks:
    """The question with these exact tables, as the ledger knows it; inside ``exclusive()``.

    Args:
        parts, exact: by name of the part.
    """
    whole = [(part, exact[name]) for name, part in parts.items()]
    asks = request_of(asked.about, asked.epsilon, asked.delta, unit(asked.plan), whole)
    hashes = {
        name: (ledger.sensitive if name == PEOPLE else ledger.question)(text)
        for name, text in asks.parts().items()
    }
    exactly = ledger.question(asks.content_with_people)
    return Asks(ledger.question(asks.content), exactly, hashes)


def parts_of(
    asked: ReleaseRequest, child: Mentioned | None, sources: CountedSources | None
) -> list[RequestPart]:
    """Each part of the answer as a request writes it; together they cost at most what is asked.

    Args:
        child, sources: None where the answer has no such part.

    Raises:
        PolicyError: a table would get more noise than can be drawn.
    """
    own, plan = asked.about != HUB, asked.plan
    shares = [part.share if part else 0.0 for part in (child, sources)]
    rho, of_child, of_sources = split(rho_of(asked.epsilon, asked.delta), shares)
    tables = workload(plan, rho) + regional(plan, rho)
    parts = [RequestPart("people", plan.domains, tables, None, display(plan, hierarchy=own), rho)]
    if child:
        settings, tables = display(child.plan, hierarchy=own), workload(child.plan, of_child)
        domains = child.plan.domains
        parts.append(RequestPart("perpetrators", domains, tables, child.share, settings, of_child))
    if sources:
        lists = sources.lists
        settings = {"lists": list(lists.names), "years": list(lists.years)} if lists else {}
        if sources.doubles:
            links = sources.doubles.settings
            reviewed = {"found": links.found, "merged": links.merged}
            settings |= {name: said for name, said in reviewed.items() if said is not None}
        domains, tables = sources.domains, sources.workload(of_sources)
        parts.append(RequestPart("sources", domains, tables, sources.share, settings, of_sources))
    return parts


def price_of(
    ledger: Ledger, asks: Asks, asked: ReleaseRequest, facts: Mapping[str, Any], *, paid: bool
) -> Price:
    """What answering would cost.

    Args:
        paid: whether a charge that was cut off pays for it.

    Raises:
        Overspend: the budget, or what a contributor agreed to, does not reach.
    """
    contributors = taking_part(facts)
    if not paid:
        rho = rho_of(asked.epsilon, asked.delta)
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
    entries = ledger.entries()
    if not entries:
        return ("first",)
    if not answer_store.holds(ledger, entries[-1]):
        return ("lost",)
    return differing(answer_store.parts(ledger, entries[-1]), asks.parts) or ("version",)


# --------------------------------------------------------------------------------------------------
# Which answer may be given again, and which charge may be finished.
#
# Whoever compares two published versions must learn nothing of what changed between them but what
# noise allows, not even that nothing did.  So an answer is given again only before it was
# published, only if it is the last one, and only if its exact tables are the same; an older answer
# never is. Which answers were published is public.


def reusable(ledger: Ledger, asks: Asks, past: Collection[str], *, alone: bool) -> Charge | None:
    """The charge of the answer that may be given again, None where a new one is to be drawn.

    Args:
        past: ids of charges whose answers are not given again: they were published.
        alone: whether the ledger knows tables of several kinds, each with its own last answer; a
            hub has one.
    """
    answered = [e for e in ledger.entries() if answer_store.holds(ledger, e)]
    if alone:
        answered = [e for e in answered if e.question == asks.question]
    if not answered or answered[-1].id in past:
        return None
    last = answered[-1]
    known = last.question == asks.question and answer_store.parts(ledger, last) == asks.parts
    return last if known else None


def tidy(ledger: Ledger) -> None:
    """Delete what killed runs left: half an answer, the secret of one that is stored or damaged."""
    answer_store.sweep_answers(ledger)
    pending = answer_store.read_pending(ledger.pending)
    if pending is None or _answered(ledger, pending.charge):
        answer_store.destroy_pending(ledger.pending)


def _answered(ledger: Ledger, charge: str) -> bool:
    return any(e.id == charge and answer_store.holds(ledger, e) for e in ledger.entries())


def unfinished(ledger: Ledger, asks: Asks) -> tuple[Charge, ChargeSecret] | None:
    """The charge that was cut off while it answered this very question about these exact tables."""
    pending = answer_store.read_pending(ledger.pending)
    if pending is None or pending.exact != asks.exact:
        return None
    entry = next((e for e in ledger.entries() if e.id == pending.charge), None)
    if entry is None or answer_store.holds(ledger, entry):
        return None
    return entry, pending.secret


# --------------------------------------------------------------------------------------------------
# A question about people: counted, and what its answer costs.

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
        past: ids of charges whose answers are not to be given again.
        asks: the question as the ledger knows it.
        answered: whether the answer is held.
        price: None where it is, and for a lone table, whose price is what it was asked with.
    """

    asked: ReleaseRequest
    parts: dict[str, RequestPart]
    exact: dict[str, Counts]
    child: Mentioned | None
    sources: CountedSources | None
    ledger: Ledger
    facts: dict[str, Any]
    past: Collection[str]
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
    past: Collection[str] = (),
) -> Quote:
    """Count a hub's table of people, and say what its answer costs; nothing is charged.

    Args:
        people: one row per person, columns of ``Schema.table("people")``; they may lie anywhere.
        policy: what is released, and how well people are protected.
        ledger: pays before noise is drawn; see ``reusable`` for what is not paid again.
        facts: public facts, passed through; they also say which contributors have counts, how
            many rows one person may have (``person_rows``), and which years are covered
            (``plan.covered_years``): any other year counts as not recorded.
        perpetrators: child rows of people, see ``mentioned``; None is a table without rows, so
            that only the policy decides whether the answer has them.
        overlap: how lists overlap, see ``sourced``; None likewise.
        schema: the variables that there are for this hub; all that are shipped where None.
        past: ids of charges whose answers are not to be given again.

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
    return quote_table(people, asked, ledger, facts, child, sources, past=past)


@uncollected()  # thousands of tables stay until the end, in no cycle
def quote_table(
    people: pa.Table | Rows,
    asked: ReleaseRequest,
    ledger: Ledger,
    facts: dict[str, Any],
    child: Mentioned | None = None,
    sources: CountedSources | None = None,
    *,
    past: Collection[str] = (),
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
        asks = asks_of(ledger, asked, parts, exact)
        quote = Quote(asked, parts, exact, child, sources, ledger, facts, past, asks)
        answer, price, _cut_off = standing(quote, priced=asked.about == HUB)
        return replace(quote, answered=answer is not None, price=price)


def standing(
    quote: Quote, *, priced: bool
) -> tuple[Protected | None, Price | None, tuple[Charge, ChargeSecret] | None]:
    """The answer that is held, else what a new one costs if that is asked, and the charge that was
    cut off and pays for it; inside ``exclusive()``."""
    ledger, asks = quote.ledger, quote.asks
    answer_store.check_paid(ledger)
    tidy(ledger)
    last = reusable(ledger, asks, quote.past, alone=quote.asked.about != HUB)
    answer = answer_store.stored(ledger, last, quote.facts) if last else None
    if answer is not None:
        return answer, None, None
    cut_off = unfinished(ledger, asks)
    if not priced:
        return None, None, cut_off
    price = price_of(ledger, asks, quote.asked, quote.facts, paid=bool(cut_off))
    return None, price, cut_off


def _counted(
    people: pa.Table | Rows,
    asked: ReleaseRequest,
    ledger: Ledger,
    parts: Mapping[str, RequestPart],
    child: Mentioned | None,
    sources: CountedSources | None,
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
