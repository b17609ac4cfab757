"""A rehearsal of a hub's policy on fictitious people, and tables on request."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from ctdhub.core.errors import error, printable
from ctdhub.core.files import write_whole
from ctdhub.core.i18n import Text
from ctdhub.dp.ledger.book import drafts_bought, versions_bought
from ctdhub.dp.plan import Columns, Plan, covered_years, person_rows, plan_of
from ctdhub.dp.policy import Budget, Policy
from ctdhub.dp.simulate import Rehearsal, TablePrice, rehearse, stand_in, table_price
from ctdhub.dp.sources import SourceTables, public_sources
from ctdhub.hub.agreements import with_settings
from ctdhub.hub.folder import Hub, noted, policy, row_facts, variables, year_of
from ctdhub.hub.steps import Progress, hash_file
from ctdhub.practice.people import FEWEST, invented_people
from ctdhub.release.bundle import latest_standing
from ctdhub.release.manifest import Manifest, widening
from ctdhub.release.open import Release
from ctdhub.report.facts import press_sheet
from ctdhub.schema.countries import members, place_of, regions
from ctdhub.schema.model import DESTINATION, PERIOD, Variable, load_schema
from ctdhub.stats.answers import Answers

# --------------------------------------------------------------------------------------------------
# A rehearsal of a hub's policy on fictitious people: what is rehearsed, and its figures as JSON.
#
# Nobody real is in it and nothing is charged, so that its figures may be kept and shown freely.


@dataclass(frozen=True)
class Rehearsed:
    """What is rehearsed: a plan, a delta, what else the budget pays for, a hub's public facts."""

    plan: Plan
    delta: float
    perpetrators: float = 0.0
    sources: SourceTables | None = None
    budget: Budget | None = None
    facts: dict[str, Any] = field(default_factory=dict)


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
    agreed = [
        {"id": a.id, "show_counts": a.show_counts, "years": a.years} | row_facts(a)
        for a in hub.agreements()
    ]
    some = agreed or [{"id": name} for name in rules.sources.lists or ("contributor",)]
    until = min(rules.years[1], year_of(hub, ""))
    years = rules.years[0], until
    facts = {"contributors": some, "years": years}
    sources = public_sources(rules, schema, facts)
    share = rules.perpetrators.share
    plan = plan_of(rules, schema, person_rows(rules, facts), covered_years(rules, facts))
    public = hub.facts(years)
    return Rehearsed(plan, rules.delta, share, sources, rules.budget, public)


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


def paragraph(asked: Rehearsed, done: Rehearsal) -> tuple[str, ...]:
    """What ``facts --press`` would say, in the first span of years, of the region where most of the
    fictitious people were exploited, each side a text; () where no regions are measured."""
    spans = list(asked.plan.merged.get(PERIOD, {}).values())
    if not (asked.facts and asked.plan.regions and done.answer):
        return ()
    answer = replace(done.answer, facts=asked.facts, _mint=done.answer._mint)
    year = asked.facts["years"][1]
    manifest = Manifest.describe(answer, f"{year}.1", datetime(year, 12, 31, tzinfo=UTC), {})
    answers = Answers(Release(Path(), manifest.version, manifest, answer=answer))
    people = {key: answers.count({DESTINATION: members(key)}).value or 0 for key in regions()}
    place = place_of(max(people, key=people.__getitem__))
    years = int(spans[0][0]), int(spans[0][-1])
    return tuple(" ".join(part.sentences) for part in press_sheet(answers, place, years).sections)


def bought(epsilons: Sequence[float], delta: float, budget: Budget) -> list[dict[str, float]]:
    """What a budget buys at each epsilon: versions, and drafts from their reserve."""
    rest = budget.epsilon, budget.drafts, delta
    return [
        {"epsilon": e, "versions": versions_bought(e, *rest), "drafts": drafts_bought(e, *rest)}
        for e in epsilons
    ]


def figures(
    asked: Rehearsed, people: int, done: Sequence[Rehearsal], delta: float
) -> dict[str, Any]:
    """All figures as JSON: what ``ctdhub rehearse --json`` prints and the desk keeps."""
    report: dict[str, Any] = {
        "people": people,
        "rows_per_person": asked.plan.rows,
        "rehearsals": [r.as_dict() for r in done],
    }
    if asked.budget:
        report["bought"] = bought([r.epsilon for r in done], delta, asked.budget)
    if asked.sources and asked.sources.doubles:
        level = asked.plan.level
        report["doubles"] = {
            "share": asked.sources.doubles.settings.doubles,
            "wider": [widening(r.sources, level) for r in done],
        }
    return report


# --------------------------------------------------------------------------------------------------
# A table on request: whether a release holds it, what it would cost, and its place in the policy.
#
# No row of a file is read: what is said of a request follows from the settings of the hub and from
# published releases alone, so that neither an answer, nor a refusal, nor its time can tell of a
# case.

MOST_COLUMNS = 4
MOST_CELLS = 2**22
"""As many as the largest tables of a release have, twice."""


@dataclass(frozen=True)
class RequestPrice:
    """What a requested table costs the next release.

    Attributes:
        price: None where the policy measures it already, and nothing changes.
        epsilon, budget: of one release and of all, by the policy.
        level: of the intervals, in 0..1.
        added: variables that the policy does not release yet.
        policy: SHA-256 of the policy by which this holds.
    """

    price: TablePrice | None
    epsilon: float
    budget: float
    level: float
    added: Columns
    policy: str


def requestable() -> tuple[Variable, ...]:
    """Variables that a table may be asked of: all public ones of people, in the schema's order."""
    return tuple(v for v in load_schema().table("people") if v.public)


def held_by(hub: Hub, columns: Sequence[str]) -> str:
    """The newest release that stands, if it holds the table or a finer one; else "".

    Raises:
        ReleaseError: its manifest is damaged.
    """
    folder = latest_standing(hub.releases)
    if folder is None:
        return ""
    measured, wanted = Manifest.read(folder).drawn, set(columns)
    return folder.name if any(wanted <= set(table.split("*")) for table in measured) else ""


def price_of(hub: Hub, columns: Sequence[str]) -> RequestPrice:
    """What the table would cost the next release; nothing is charged and no row is read.

    Raises:
        PolicyError: the columns are no table (rule "table-request"), it is too large, or the policy
            gives such tables no part of the budget.
    """
    rules = policy(hub)
    after, added = _with_table(hub, rules, columns)
    base = hash_file(hub.policy_file)
    kept = RequestPrice(None, rules.epsilon, rules.budget.epsilon, rules.level, added, base)
    if after == rules:
        return kept
    old, new = of_hub(hub), of_hub(hub, after)
    elsewhere = new.perpetrators + (new.sources.share if new.sources else 0.0)
    table = new.plan.ordered(tuple(columns))
    if math.prod(new.plan.shape(table)) > MOST_CELLS:
        raise error("table-request/large", n=MOST_CELLS)
    if not after.weights.groups and new.plan.tables[table] == "groups":
        raise error("table-request/weight", file=hub.policy_file)
    price = table_price(old.plan, new.plan, table, rules.epsilon, rules.delta, elsewhere)
    return replace(kept, price=price)


def take_up_table(hub: Hub, columns: Sequence[str], base: str) -> None:
    """Write the table into the policy, so that the next release holds it; the rest stays.

    Args:
        hub: the hub.
        columns: of the table.
        base: SHA-256 of the policy by which its price was seen.

    Raises:
        PolicyError: the policy changed since (rule "table-request/changed"), or as
            :func:`price_of`.
        HubFolderError: a build is at work.
    """
    with hub.lock(), noted(hub, "table", columns=", ".join(columns)):
        rules = policy(hub)
        after, _added = _with_table(hub, rules, columns)
        if after == rules:
            return  # it was taken up before a kill, or is measured anyway
        if hash_file(hub.policy_file) != base:
            raise error("table-request/changed", file=hub.policy_file)
        changed = {
            name: [list(one) if isinstance(one, tuple) else one for one in getattr(after, name)]
            for name in ("columns", "also", "groups")
            if getattr(after, name) != getattr(rules, name)
        }
        path = hub.policy_file
        try:
            text = with_settings(path.read_bytes().decode("utf-8"), changed)
        except ValueError:
            raise error("table-request/by-hand", file=path) from None
        write_whole(path, text.encode(), path.stat().st_mode & 0o777)


def _with_table(hub: Hub, rules: Policy, columns: Sequence[str]) -> tuple[Policy, Columns]:
    """The policy with the table, and the variables that it then releases and did not before."""
    known = {v.name for v in requestable()}
    wrong = [name for name in columns if name not in known]
    if wrong or not 1 <= len(set(columns)) == len(columns) <= MOST_COLUMNS:
        raise error("table-request", n=MOST_COLUMNS, names=printable(", ".join(wrong)) or "–")
    domains = rules.domains(variables(hub, rules))
    added = tuple(name for name in columns if name not in domains)
    changed: dict[str, object] = {}
    if added:
        name = "also" if rules.columns == "all" else "columns"
        changed[name] = tuple(dict.fromkeys(chain(getattr(rules, name), added)))
    after = Policy.model_validate({**rules.model_dump(), **changed})
    plan = of_hub(hub, after).plan
    if len(columns) > 2 and plan.ordered(tuple(columns)) not in plan.tables:
        groups = (*rules.groups, plan.ordered(tuple(columns)))
        after = Policy.model_validate({**after.model_dump(), "groups": groups})
    return after, added
