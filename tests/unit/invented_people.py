"""Fictitious people for tests of protect: seeded, correlated, about nobody."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from ctdhub.border import Protected
from ctdhub.dp.engine import charge
from ctdhub.dp.ledger.book import Ledger
from ctdhub.dp.mechanism import Progress
from ctdhub.dp.policy import Policy
from ctdhub.dp.quote import Pay, quote_people
from ctdhub.dp.sources import Overlap
from ctdhub.schema import countries
from ctdhub.schema.model import load_schema


def citizenship_group(citizenship: str | None, country: str | None) -> str:
    """The group of a pair of countries by the rule, written out on its own; "" without one."""
    if not citizenship or not country:
        return ""
    if citizenship == country:
        return "national"
    eu = countries.members("eu")
    return "other_eu" if citizenship in eu and country in eu else "third_country"


COLUMNS = (
    "year_of_registration", "gender", "age_band", "citizenship", "country_of_exploitation",
    "means_debt_bondage", "means_threats", "exploitation_forced_labour", "exploitation_sexual",
    "exploitation_other", "exploitation_sex_and_labour", "exploitation_forced_marriage",
    "exploitation_forced_military", "exploitation_organ_removal",
    "exploitation_slavery_and_practices", "any_means", "any_exploitation", "records_per_person",
)  # fmt: skip
"""Columns of a policy that releases the exploitation group whole and the means in part."""


CONTRIBUTORS = ("harbour", "mirador", "rivage")
FACTS: dict[str, Any] = {
    "contributors": [{"id": name, "name": name.title()} for name in CONTRIBUTORS]
}


def small_policy(**settings: object) -> Policy:
    """A policy of few columns, so that tests are fast."""
    promise = {"epsilon": 4.0, "max_people": 1_000_000, "budget": {"epsilon": 12.0}}
    return Policy.model_validate({"columns": COLUMNS, "years": (2015, 2020), **promise, **settings})


def protect(
    table: pa.Table,
    policy: Policy,
    ledger: Ledger,
    facts: dict[str, Any],
    progress: Progress | None = None,
    *beside: Any,
    pay: Pay | None = None,
    **more: Any,
) -> Protected:
    """Quote, ask, and charge, as a build does."""
    found = quote_people(table, policy, ledger, facts, *beside, **more)
    if pay and found.price:
        pay(found.price)
    return charge(found, progress, agreed=pay is not None)


def people(n: int, policy: Policy, seed: int = 1) -> pa.Table:
    """``n`` people with three classes that say something about every column."""
    schema, rng = load_schema(), np.random.default_rng(seed)
    domains = policy.domains(schema)
    kind = rng.choice(3, n, p=[0.5, 0.3, 0.2])
    columns: dict[str, pa.Array] = {}
    for name, domain in domains.items():
        if schema.variable(name).any_of:
            continue
        world = np.random.default_rng(len(name) * 1000 + sum(map(ord, name)))
        used = min(len(domain), 12)
        shares = world.dirichlet(np.full(used + 1, 0.5), 3).cumsum(1)
        code = (rng.random(n)[:, None] > shares[kind]).sum(1).clip(0, used)
        if name == "records_per_person":
            code = 1 + (rng.random(n) < 0.1)
        columns[name] = pa.array([None, *domain], pa.string()).take(pa.array(code, pa.int64()))
    for v in schema.people:
        if v.any_of and v.name in domains:
            flags = [np.array(columns[f].to_pylist(), dtype=object) == "yes"
                     for f in schema.flags(v.any_of) if f in columns]  # fmt: skip
            some = np.any(flags, axis=0) if flags else np.zeros(n, dtype=bool)
            columns[v.name] = pa.array(np.where(some, "yes", "no").tolist(), pa.string())
    return pa.table({name: columns[name] for name in domains})


Known = Counter[frozenset[str]]
"""People by the contributors that know them."""


def overlap_of(known: Known, policy: Policy) -> Overlap:
    """How the lists overlap that a policy asks about, in all years."""
    lists, asked = policy.sources.lists, policy.linking
    if not lists:
        return Overlap()
    people: Counter[tuple[str, ...]] = Counter()
    for names, n in known.items():
        if on := tuple(name for name in lists if name in names):
            people[on] += n
    return Overlap(lists, policy.years, asked.lists, dict(people))


def reported(table: pa.Table, seed: int = 5) -> tuple[pa.Table, Known]:
    """The same people with who reported them and the regions of their countries, and who knows
    them: some are on two lists, the first of which reported first."""
    schema, rng = load_schema(), np.random.default_rng(seed)
    n = table.num_rows
    first, other = rng.integers(0, len(CONTRIBUTORS), n), rng.integers(0, len(CONTRIBUTORS), n)
    other = np.where(rng.random(n) < 0.2, other, first)
    known = Counter(
        frozenset({CONTRIBUTORS[a], CONTRIBUTORS[b]}) for a, b in zip(first, other, strict=True)
    )
    table = table.append_column(
        "reporting_entity", pa.array([CONTRIBUTORS[i] for i in first], pa.string())
    )
    for region in ("citizenship_region", "exploitation_region"):
        domain = [None, *schema.domain(region)]
        drawn = rng.integers(0, len(domain), n)
        table = table.append_column(region, pa.array([domain[i] for i in drawn], pa.string()))
    return table, known
