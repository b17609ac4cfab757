"""The plan: everything that the engine knows of a table before it sees a row; all of it public."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from ctdhub.core.errors import error
from ctdhub.dp import noise
from ctdhub.dp.accounting import epsilon_of
from ctdhub.dp.policy import Domains, Policy, Weights
from ctdhub.schema import countries, model
from ctdhub.schema.countries import group_codes

# --------------------------------------------------------------------------------------------------
# Indicators follow their flags in synthetic records: yes where some flag is yes, else no.  Whether
# some assistance was received moves like any other column, and is put right at the end.

Draft = dict[str, npt.NDArray[np.uint16]]
"""Protected records as codes by column: 0 is "not recorded", k is the k-th public value."""


@dataclass(frozen=True)
class Indicators:
    """Which indicator follows which flags.

    Attributes:
        flags: flags of the released group by indicator, for groups released completely.
        partial: the same for groups that the policy releases in part.
        unions: by flag that says whether some assistance was received, the released kinds, each
            with the code that says so, and whether these are all kinds.
    """

    flags: dict[str, tuple[str, ...]]
    partial: dict[str, tuple[str, ...]]
    yes: int = 1
    no: int = 2
    unions: dict[str, tuple[dict[str, int], bool]] = field(default_factory=dict)

    @classmethod
    def of(cls, domains: Domains, schema: model.Schema) -> Indicators:
        """Indicators and flags among the released columns."""
        whole, partial, unions = dict[str, Columns](), dict[str, Columns](), {}
        for v in schema.people:
            if v.any_of and v.name in domains:
                flags = schema.members(v.any_of)
                released = tuple(f for f in flags if f in domains)
                if not schema.is_indicator(v.name):
                    kinds = {k: domains[k].index(v.member_code) + 1 for k in released}
                    unions[v.name] = kinds, released == flags
                elif released:
                    (whole if released == flags else partial)[v.name] = released
        yes, no = (schema.codes["flag"].index(code) + 1 for code in ("yes", "no"))
        return cls(whole, partial, yes, no, unions)

    @property
    def watched(self) -> frozenset[str]:
        """Indicators; they are fitted before their flags and stay from then on."""
        return frozenset({*self.flags, *self.partial})

    @property
    def gated(self) -> tuple[str, ...]:
        """Flags whose indicator decides what they may be."""
        return tuple(f for group in (self.flags, self.partial) for fs in group.values() for f in fs)

    def agree(
        self,
        records: Draft,
        totals: dict[str, npt.NDArray[np.float64]],
        source: noise.Bits = os.urandom,
    ) -> None:
        """Make flags agree with their indicators, in place.

        No flag is yes where the indicator is not; where it is, and the group is complete, some
        flag is, chosen by how many are yes in all.  Indicators are yes or no.

        Args:
            totals: noisy counts by code of each flag.
            source: random bits.
        """
        for indicator, flags in {**self.flags, **self.partial}.items():
            some = records[indicator] == self.yes
            records[indicator] = np.where(some, self.yes, self.no).astype(np.uint16)
            for flag in flags:
                closed = (records[flag] == self.yes) & ~some
                records[flag] = np.where(closed, self.no, records[flag])
            if indicator in self.flags:
                bare = np.flatnonzero(some & ~self._any(records, flags))
                share = np.cumsum([max(float(totals[f][self.yes]), 1.0) for f in flags])
                drawn = noise.uniform(bare.size, source)
                chosen = np.searchsorted(share / share[-1], drawn, side="right")
                for k, flag in enumerate(flags):
                    records[flag][bare[chosen == k]] = self.yes

    def kin(self, name: str) -> tuple[str, ...]:
        """A flag's indicator and all flags of its group."""
        groups = {**self.flags, **self.partial}.items()
        return next(((indicator, *flags) for indicator, flags in groups if name in flags), ())

    def gate(self, records: Draft, name: str) -> npt.NDArray[np.int64]:
        """What a flag may become: by record 0 anything, 1 not yes, 2 it must stay.

        Args:
            records: at least the columns of :meth:`kin`.
        """
        indicator, *flags = self.kin(name)
        gate = np.where(records[indicator] == self.yes, 0, 1)
        if indicator in self.flags:
            count = np.sum([records[f] == self.yes for f in flags], axis=0)
            gate[(count == 1) & (records[name] == self.yes)] = 2
        return gate

    def repair(self, records: Draft) -> None:
        """Set indicators by their flags: all of a complete group, only the yes of a partial one.

        Of assistance, "no" where every kind is recorded and none was received.
        """
        for indicator, flags in {**self.flags, **self.partial}.items():
            other = self.no if indicator in self.flags else records[indicator]
            some = np.where(self._any(records, flags), self.yes, other)
            records[indicator] = some.astype(np.uint16)
        for name, (kinds, whole) in self.unions.items():
            some = np.any([records[kind] == code for kind, code in kinds.items()], axis=0)
            blank = np.any([records[kind] == 0 for kind in kinds], axis=0)
            other = np.where(blank, 0, self.no) if whole else records[name]
            records[name] = np.where(some, self.yes, other).astype(np.uint16)

    def _any(self, records: Draft, flags: tuple[str, ...]) -> npt.NDArray[np.bool_]:
        flag: npt.NDArray[np.bool_] = np.any([records[f] == self.yes for f in flags], axis=0)
        return flag


# --------------------------------------------------------------------------------------------------
# Columns that follow from a person's two countries, in records that are made up.
#
# Where both countries are released the column is a function of the corridor, which the fit lays
# first and holds: it is read off the corridor, stays, and its tables steer the columns that move.
# Where one is released the column moves like any other, and a value that this country rules out
# (nobody is a citizen of another EU state in a country outside the EU) is put right at the end.
# Where neither is, it is an ordinary column.

Pair = tuple[str, str]


@dataclass(frozen=True)
class Followers:
    """Which column follows from which countries; citizenship comes first.

    Attributes:
        whole: the two countries by column, where both are released.
        partial: the two countries by column, where one of them is released.
    """

    whole: dict[str, Pair]
    partial: dict[str, Pair]

    @classmethod
    def of(cls, domains: Domains, schema: model.Schema) -> Followers:
        """Columns that follow, among the released ones."""
        pairs: tuple[dict[str, Pair], ...] = ({}, {}, {})
        for v in schema.people:
            if v.follows and v.name in domains:
                released = sum(parent in domains for parent in v.follows)
                pairs[2 - released][v.name] = v.follows
        return cls(pairs[0], pairs[1])

    def codes(
        self, columns: Mapping[str, npt.NDArray[np.integer]], domains: Domains
    ) -> dict[str, npt.NDArray[np.int64]]:
        """Codes of the columns that follow from two, by record.

        Args:
            columns: codes of the countries.
        """
        return {
            name: _table(pair, domains)[columns[pair[0]], columns[pair[1]]].astype(np.int64)
            for name, pair in self.whole.items()
        }

    def repair(self, records: Draft, domains: Domains) -> None:
        """Put right, in place, what the one released country rules out.

        A value that is ruled out becomes the one that most other countries would give.
        """
        for name, pair in self.partial.items():
            (parent,) = (n for n in pair if n in domains)
            possible = _possible(pair, parent, domains)
            codes, country = records[name], records[parent]
            wrong = possible[country, codes] == 0
            usual = possible.argmax(axis=1).astype(np.uint16)
            records[name] = np.where(wrong, usual[country], codes)

    def possible(self, table: tuple[str, ...], domains: Domains) -> npt.NDArray[np.bool_] | None:
        """Which cells of a table anybody can be in; None where all of them.

        Only tables of a column and one of its countries leave cells out.
        """
        for name, pair in {**self.whole, **self.partial}.items():
            parents = [n for n in pair if n in table]
            if name in table and len(table) == 2 and parents:
                cells = _possible(pair, parents[0], domains) > 0
                return cells if table[0] == parents[0] else cells.T
        return None


def _table(pair: Pair, domains: Domains) -> npt.NDArray[np.uint16]:
    return group_codes(*(domains[n] for n in pair))


def _possible(pair: Pair, parent: str, domains: Domains) -> npt.NDArray[np.int64]:
    """Country x group: how many other countries give this group, "not recorded" among both."""
    codes = group_codes(domains[parent], domains[parent])
    codes = codes if parent == pair[0] else codes.T
    groups = int(codes.max()) + 1
    return np.array([np.bincount(row, minlength=groups) for row in codes])


# --------------------------------------------------------------------------------------------------
# How many rows of people one person may have: the unit of a release, and what its noise is for.
#
# A row is one person key, else one record.  The agreement of a contributor bounds the rows that one
# person may have there (``rows_per_person``, 1 where it says nothing); the policy says with how
# many contributors one person may be (``linking.known_to``).  Equal keys only ever make fewer rows
# of several.  So one person has at most as many rows as the largest ``known_to`` of these bounds
# together: that is B, and it is public.  Noise is for B rows, B times that of one row: by the group
# property of zCDP what costs rho for one row costs B squared times rho for B (Bun and Steinke 2016,
# proposition 1.9), and rho here is what a person with B rows is promised.

EXAMPLES = (1, 2, 3, 5, 10)
"""Numbers of rows for which a release says what is really promised."""


@dataclass(frozen=True)
class PersonRows:
    """The unit of a release.

    Attributes:
        bound: B, the most rows that one person may have and that noise is for.
        known_to: with how many contributors at most.
        keyed: whether every contributor's mapping has a person key.
    """

    bound: int = 1
    known_to: int = 1
    keyed: bool = True

    @property
    def unit(self) -> str:
        """Who is protected, in English words.

        >>> PersonRows().unit, PersonRows(keyed=False).unit, PersonRows(3).unit
        ('person', 'row of a contributor', 'person with at most 3 rows')
        """
        if self.bound > 1:
            return f"person with at most {self.bound} rows"
        return "person" if self.keyed else "row of a contributor"


ONE = PersonRows()


def person_rows(policy: Policy, facts: Mapping[str, Any]) -> PersonRows:
    """The unit that policy and agreements make.

    Args:
        facts: public facts; ``contributors`` with ``rows_per_person`` and ``keyed``, each only
            where it is not 1 and not true.

    >>> several = [{"id": "a"}, {"id": "b", "rows_per_person": 3}, {"id": "c", "keyed": False}]
    >>> person_rows(Policy(), {"contributors": several})
    PersonRows(bound=3, known_to=1, keyed=False)
    >>> all_three = Policy.model_validate({"linking": {"known_to": 3}})
    >>> person_rows(all_three, {"contributors": several}).bound
    5
    """
    contributors = [c for c in facts.get("contributors") or () if isinstance(c, Mapping)]
    bounds = sorted((int(c.get("rows_per_person") or 1) for c in contributors), reverse=True)
    known_to = min(policy.linking.known_to, max(1, len(contributors)))
    keyed = all(c.get("keyed", True) for c in contributors)
    return PersonRows(max(1, sum(bounds[:known_to])), known_to, keyed)


def epsilon_by_rows(rho: float, delta: float, bound: int) -> dict[str, float]:
    """Epsilon of a person by the number of rows, rounded up: that of rho × (rows / bound)².

    Args:
        rho: what a person with ``bound`` rows is promised.

    >>> from ctdhub.dp.accounting import rho_of
    >>> found = epsilon_by_rows(rho_of(1.0, 1e-8), 1e-8, 1)
    >>> {rows: round(epsilon, 2) for rows, epsilon in found.items()}
    {'1': 1.0, '2': 2.08, '3': 3.21, '5': 5.6, '10': 12.26}
    """
    numbers = sorted({*EXAMPLES, bound})
    return {str(n): epsilon_of(rho * (n / bound) ** 2, delta) for n in numbers}


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
    "regions",
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
        regions: tables whose values are merged by ``merged``, measured apart from all others.
        merged: by column the values that are measured together in these, by name of the group.
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
    level: float = model.LEVEL
    false_share: float = 0.005
    support: int = 0
    year: str | None = None
    imputations: int = 0
    regions: tuple[Columns, ...] = ()
    merged: dict[str, dict[str, Columns]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        named = {*self.core, *(self.corridor or ()), *self.by, *self.parents}
        named.update([self.year] if self.year else [])
        named.update(*self.groups, *self.assistance, *self.reports, *self.regions)
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

    @staticmethod
    def region_key(table: Columns) -> str:
        """What the columns of a table of regions are called, joined with "*"."""
        return "*".join(model.MERGED.get(name, name) for name in table)

    def region_axis(self, name: str) -> dict[str, Columns]:
        """Places of a column in the tables of regions, by name, and the values of each; "not
        recorded" is left out."""
        return self.merged.get(name) or {value: (value,) for value in self.domains[name]}

    def region_shape(self, table: Columns) -> tuple[int, ...]:
        """Shape of a table of regions, "not recorded" first on each axis."""
        return tuple(len(self.region_axis(name)) + 1 for name in table)

    def region_codes(self, name: str) -> npt.NDArray[np.uint16]:
        """By code of a column its place in the tables of regions."""
        groups = enumerate(self.region_axis(name).values(), 1)
        of = {value: k for k, group in groups for value in group}
        return np.array([0, *(of[value] for value in self.domains[name])], dtype=np.uint16)

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
        kinds: dict[Columns, Kind] = {(): "people"}
        kinds |= {(n,): "one_way" for n in names}
        for pair in combinations(names, 2):
            inside = core.issuperset(pair)
            kinds[pair] = "pairs" if not inside else self._kind(pair, "core_pairs", "wide_pairs")
            if inside and not self.corridor and self.wide.issuperset(pair):
                kinds[pair] = "corridor"
        for triple in combinations(self.ordered(self.core), 3):
            if len(self.wide.intersection(triple)) < 2:
                kinds[triple] = self._kind(triple, "core_triples", "wide_triples")
        if self.corridor:
            kinds[self.ordered(self.corridor)] = "corridor"
            for extra in self.ordered((*self.by, *self.core)):
                if extra in self.wide or extra in self.corridor:
                    continue
                kinds[self.ordered((*self.corridor, extra))] = "corridor_by"
        if self.weights.assistance > 0:  # else pairs stay what they are, and triples fall away
            kinds |= {self.ordered(table): "assistance" for table in self.assistance}
        if self.weights.reports > 0:
            kinds |= {self.ordered(table): "reports" for table in self.reports}
        for group in self.groups:
            kinds.setdefault(self.ordered(group), "groups")
        return kinds

    def _kind(self, table: Columns, narrow: Kind, wide: Kind) -> Kind:
        return wide if self.wide.intersection(table) else narrow


CORRIDOR: Columns = (model.ORIGIN, model.DESTINATION)
ASSISTED = (model.RELATION, model.SEX, model.AGE, model.DESTINATION)
"""Each kind of assistance is measured by each of these, and by the first two together."""
REPORTED: tuple[Columns, ...] = (
    (model.PERIOD, model.DESTINATION, model.STANDING),
    (model.PERIOD, model.DESTINATION, model.RELATION),
    (model.PERIOD, model.SEX, model.DESTINATION, model.RELATION),
)
"""What a state reports of each year: presumed and identified victims; victims by citizenship, and
by sex and citizenship."""
REGIONAL: tuple[Columns, ...] = (
    (model.SEX,),
    (model.AGE,),
    (
        model.load_schema().groups[model.HARM].indicator or "",
        model.SEXUAL_EXPLOITATION,
        model.FORCED_LABOUR,
    ),
)
"""What is measured of each region, on both sides, in each span of years: what a paragraph on a
place says of its people.  Noise of the sum over a region's countries and years is some ten times as
large as that of a table that has them as one cell."""


def plan_of(
    policy: Policy,
    schema: model.Schema,
    of: PersonRows = ONE,
    covered: Collection[int] | None = None,
) -> Plan:
    """The plan of a hub's release: core columns and corridors come from the schema.

    Args:
        of: the rows that one person may have, by the agreements.
        covered: the years that somebody reports on, by :func:`covered_years`; None: all.

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
        regions=_regional(domains) if policy.weights.regions else (),
        merged={
            n: model.value_groups(n, domains[n], policy.bands) for n in model.MERGED if n in domains
        },
    )


def _regional(domains: Domains) -> tuple[Columns, ...]:
    """Tables of :data:`REGIONAL` by year and each country; without types that are not released."""
    types = [tuple(n for n in names if n in domains) for names in REGIONAL]
    some = [names for names in types if names and model.PERIOD in domains]
    tables = [
        {model.PERIOD, side, *names} for side in CORRIDOR if side in domains for names in some
    ]
    return tuple(tuple(n for n in domains if n in table) for table in tables)


def _assistance(domains: Domains, schema: model.Schema) -> tuple[Columns, ...]:
    """Each kind of assistance by those of :data:`ASSISTED` that are released."""
    kinds = [n for n in domains if schema.variable(n).kind == "status"]
    by: list[Columns] = [(n,) for n in ASSISTED if n in domains]
    if all(n in domains for n in ASSISTED[:2]):
        by.append(ASSISTED[:2])
    return tuple((kind, *names) for kind in kinds for names in by)


def hierarchy(alpha3: Columns) -> Parents:
    """Subregion and region (UN M49) of countries by ISO 3166 alpha-3 code."""
    levels = [[of(code) for code in alpha3] for of in (countries.subregion, countries.region)]
    return tuple(tuple(np.unique(names, return_inverse=True)[1].tolist()) for names in levels)


def _by_corridor(domains: Domains, schema: model.Schema) -> Columns:
    """Core columns that corridors are divided by: year, gender, age, types of exploitation."""
    core = (v for v in map(schema.variable, domains) if v.core)
    by = (model.PERIOD, model.SEX, model.AGE)
    return tuple(v.name for v in core if v.name in by or model.HARM in (v.group, v.any_of))


# --------------------------------------------------------------------------------------------------
# Which years somebody reports on, by the agreements: no record and no cell is of another one.
#
# Public settings decide that, never the data, and never the clock: the last year is that of the
# version, which ``facts`` hold.

Years = frozenset[int]


def covered_years(policy: Policy, facts: Mapping[str, Any]) -> Years:
    """Years of the policy that the agreement of some contributor covers, gaps left out.

    Args:
        facts: public facts; ``years``, first and last that a release is about, and of each
            contributor its own, where its agreement says so.

    Raises:
        PolicyError: there is no such year.

    >>> facts = {"years": [2010, 2016], "contributors": [{"years": [2002, 2011]},
    ...                                                  {"years": [2014, 2030]}]}
    >>> sorted(covered_years(Policy(years=(2005, 2015)), facts))
    [2010, 2011, 2014, 2015]
    """
    whole = facts.get("years") or policy.years
    periods = [c.get("years") for c in facts.get("contributors", ()) if isinstance(c, Mapping)]
    spans = [span or whole for span in periods] or [whole]
    first, last = max(whole[0], policy.years[0]), min(whole[1], policy.years[1])
    years = frozenset(y for y in range(first, last + 1) if any(a <= y <= b for a, b in spans))
    if not years:
        raise error("policy-coverage", file="policy.yaml", first=first, last=last)
    return years
