"""The plan: everything that the engine knows of a table before it sees a row; all of it public."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Literal

from ctdhub.dp.dependent_columns import Followers
from ctdhub.dp.indicators import Indicators
from ctdhub.dp.person_rows import ONE, PersonRows
from ctdhub.dp.policy import Domains, Policy, Weights
from ctdhub.schema import countries
from ctdhub.schema.model import Schema
from ctdhub.schema.roles import AGE, DESTINATION, HARM, ORIGIN, PERIOD, RELATION, SEX, STANDING

Columns = tuple[str, ...]
"""The columns of a table in the order of the plan; () is the number of people."""

Kind = Literal[
    "people",
    "one_way",
    "corridor",
    "corridor_by",
    "core_pairs",
    "wide_pairs",
    "core_triples",
    "wide_triples",
    "pairs",
    "assistance",
    "reports",
    "groups",
]

NARROW = 40
"""A column with more codes is wide, as countries are: tables with it have many near-empty cells."""

Parents = tuple[tuple[int, ...], ...]
"""Levels from fine to coarse; a level holds the group of each value of a column."""


def joined_reach(tokens: int, rows: int = 1) -> int:
    """Squared L2 sensitivity of a table of people whom so many tokens of each join (decision 27).

    Without a person those whom she held together fall into at most ``tokens`` people: one row goes,
    and so many come, in the worst case all into one other cell.

    Of a person with B rows (keys, each with its own tokens) all are taken away at once.  They stood
    in at most B joined rows, which go.  Every piece that is left of these holds a token of one of
    them, so that at most B x K come.  With g the table of what goes and c that of what comes,
    neither of which has a cell below 0, the square of |c - g| is at most that of c plus that of g:
    (B K)^2 + B^2, which is B squared times what one row has.  Rows that were joined already make
    fewer go.  With K = 0 and no tokens this is the group property: B rows change a table by B.

    Args:
        tokens: K.
        rows: B.

    >>> [joined_reach(tokens) for tokens in range(4)]
    [1, 2, 5, 10]
    >>> joined_reach(0, 3), joined_reach(1, 3)
    (9, 18)
    """
    return rows**2 * (tokens**2 + 1)


@dataclass(frozen=True)
class Plan:
    """What is public about a table that is to be protected.

    Attributes:
        domains: public values by column in order; "not recorded" is left out.
        core: columns of which all pairs and triples are measured.
        corridor: the pair of columns that readers use most, None where there is none.
        by: columns that the corridor is divided by.
        groups: further tables of up to four columns, measured on request.
        parents: by column, the public hierarchy of its values (country, subregion, region).
        indicators: columns that follow from flags.
        followers: columns that follow from the two countries.
        assistance: tables that tell who is assisted, weighed apart from other pairs.
        reports: tables that reports of states ask for, of up to four columns.
        rows: the most rows that one person may have; a public bound, which noise is for.
        unit: who is protected, in English words, see ``person_rows``.
        tokens: the most tokens of a person that join her rows with others, beside her key.
        weights: share of the budget by kind of table.
        level: coverage of the intervals among the published counts of a table.
        false_share: bound on the expected share of empty cells among those shown in a table.
        support: from 0, complete, to 4, cautious: how readily rare combinations are left out of
            the records (see ``support``).
        year: the column of years, by which noisy counts are published (``series``), None where
            there is none.
        imputations: how many sets of records for inference are made (``imputations``), 0 to 100.
    """

    domains: Domains
    core: Columns = ()
    corridor: Columns | None = None
    by: Columns = ()
    groups: tuple[Columns, ...] = ()
    parents: dict[str, Parents] = field(default_factory=dict)
    indicators: Indicators = field(default_factory=lambda: Indicators({}, {}))
    followers: Followers = field(default_factory=lambda: Followers({}, {}))
    assistance: tuple[Columns, ...] = ()
    reports: tuple[Columns, ...] = ()
    rows: int = 1
    unit: str = "person"
    tokens: int = 0
    weights: Weights = field(default_factory=Weights)
    level: float = 0.95
    false_share: float = 0.005
    support: int = 0
    year: str | None = None
    imputations: int = 0

    def __post_init__(self) -> None:
        named = {*self.core, *(self.corridor or ()), *self.by, *self.parents}
        named.update([self.year] if self.year else [])
        named.update(*self.groups, *self.assistance, *self.reports)
        named.update(self.followers.whole, self.followers.partial)
        if not named <= self.domains.keys():
            raise ValueError("the plan names a column that has no domain")
        if any({*pair} != {*(self.corridor or ())} for pair in self.followers.whole.values()):
            raise ValueError("a column follows from two countries that are not the corridor")
        if self.rows < 1 or self.tokens < 0 or not 0 <= self.support <= 4:
            raise ValueError("rows, tokens or support is out of range")
        if not 0 <= self.imputations <= 100:
            raise ValueError("imputations is out of range")

    @property
    def reach(self) -> int:
        """Squared L2 sensitivity of each table, see ``joined_reach``."""
        return joined_reach(self.tokens, self.rows)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Number of codes by column: public values and "not recorded"."""
        return {name: len(values) + 1 for name, values in self.domains.items()}

    def shape(self, table: Columns) -> tuple[int, ...]:
        """Shape of a table, "not recorded" first on each axis."""
        return tuple(self.sizes[name] for name in table)

    def ordered(self, names: Columns) -> Columns:
        """The columns in the order of the plan."""
        return tuple(name for name in self.domains if name in names)

    @cached_property
    def wide(self) -> frozenset[str]:
        """Columns with more than NARROW codes."""
        return frozenset(n for n, size in self.sizes.items() if size > NARROW)

    @cached_property
    def tables(self) -> dict[Columns, Kind]:
        """Every table that is measured, once, with the kind that its share of the budget goes by.

        The number of rows, every column, every pair, the corridor by each other core column,
        every triple of core columns with at most one wide column, who is assisted, what reports of
        states ask for, and the groups asked for.
        Triples of two wide columns are left out but for the corridor: nearly all of their cells
        would be noise.  Where there is no corridor, all pairs of two wide core columns share its
        part of the budget.
        """
        names, core = tuple(self.domains), set(self.core)
        found: dict[Columns, Kind] = {(): "people"}
        found |= {(n,): "one_way" for n in names}
        for pair in combinations(names, 2):
            inside = core.issuperset(pair)
            found[pair] = "pairs" if not inside else self._kind(pair, "core_pairs", "wide_pairs")
            if inside and not self.corridor and self.wide.issuperset(pair):
                found[pair] = "corridor"
        for triple in combinations(self.ordered(self.core), 3):
            if len(self.wide.intersection(triple)) < 2:
                found[triple] = self._kind(triple, "core_triples", "wide_triples")
        if self.corridor:
            found[self.ordered(self.corridor)] = "corridor"
            for extra in self.ordered((*self.by, *self.core)):
                if extra in self.wide or extra in self.corridor:
                    continue
                found[self.ordered((*self.corridor, extra))] = "corridor_by"
        if self.weights.assistance > 0:  # else pairs stay what they are, and triples fall away
            found |= {self.ordered(table): "assistance" for table in self.assistance}
        if self.weights.reports > 0:
            found |= {self.ordered(table): "reports" for table in self.reports}
        for group in self.groups:
            found.setdefault(self.ordered(group), "groups")
        return found

    def _kind(self, table: Columns, narrow: Kind, wide: Kind) -> Kind:
        return wide if self.wide.intersection(table) else narrow


CORRIDOR: Columns = (ORIGIN, DESTINATION)
ASSISTED = (RELATION, SEX, AGE, DESTINATION)
"""Each kind of assistance is measured by each of these, and by the first two together."""
REPORTED: tuple[Columns, ...] = (
    (PERIOD, DESTINATION, STANDING),
    (PERIOD, DESTINATION, RELATION),
    (PERIOD, SEX, DESTINATION, RELATION),
)
"""What a state reports of each year: presumed and identified victims; victims by citizenship, and
by sex and citizenship."""


def plan_of(
    policy: Policy,
    schema: Schema,
    of: PersonRows = ONE,
    covered: Collection[int] | None = None,
) -> Plan:
    """The plan of a hub's release: core columns and corridors come from the schema.

    Args:
        of: the rows that one person may have, by the agreements.
        covered: the years that somebody reports on, see ``coverage``; None for all of the policy.

    Raises:
        PolicyError: a column of the policy is not a public variable of the table "people".
    """
    domains = policy.domains(schema, covered)
    both = all(n in domains for n in CORRIDOR)
    return Plan(
        domains,
        core=tuple(n for n in domains if schema.variable(n).core),
        corridor=CORRIDOR if both else None,
        by=_by_corridor(domains, schema) if both else (),
        groups=policy.groups,
        parents={n: hierarchy(domains[n]) for n in domains if schema.variable(n).kind == "country"},
        indicators=Indicators.of(domains, schema),
        followers=Followers.of(domains, schema),
        assistance=_assistance(domains, schema),
        reports=tuple(t for t in REPORTED if all(n in domains for n in t)),
        weights=policy.weights,
        level=policy.level,
        false_share=policy.false_share,
        support=policy.support,
        rows=of.bound,
        unit=of.unit,
        tokens=policy.linking.people,
        year=next((n for n in domains if schema.variable(n).kind == "year"), None),
        imputations=policy.imputations,
    )


def _assistance(domains: Domains, schema: Schema) -> tuple[Columns, ...]:
    """Each kind of assistance by those of :data:`ASSISTED` that are released."""
    kinds = [n for n in domains if schema.variable(n).kind == "status"]
    by: list[Columns] = [(n,) for n in ASSISTED if n in domains]
    if all(n in domains for n in ASSISTED[:2]):
        by.append(ASSISTED[:2])
    return tuple((kind, *names) for kind in kinds for names in by)


def hierarchy(alpha3: Columns) -> Parents:
    """Subregion and region (UN M49) of countries by ISO 3166 alpha-3 code."""
    levels = []
    for of in (countries.subregion, countries.region):
        names = [of(code) for code in alpha3]
        order = sorted(set(names))
        levels.append(tuple(order.index(name) for name in names))
    return tuple(levels)


def _by_corridor(domains: Domains, schema: Schema) -> Columns:
    """Core columns that corridors are divided by: year, gender, age, types of exploitation."""
    found = []
    for name in domains:
        v = schema.variable(name)
        exploitation = HARM in (v.group, v.any_of)
        if v.core and (v.kind == "year" or name in (SEX, AGE) or exploitation):
            found.append(name)
    return tuple(found)
