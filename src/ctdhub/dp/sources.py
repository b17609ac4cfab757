"""Contributors in the counts: how their lists overlap, tables by contributor and of child rows."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub import border
from ctdhub.border import CAPTURE_CELLS, CAPTURES, DOUBLES, LISTS, POSSIBLE, UNKEYED
from ctdhub.core.errors import error
from ctdhub.dp.count import COUNTRY_OF, Bound, Counts, InMemory, Rows, Tally
from ctdhub.dp.noise import Bits
from ctdhub.dp.plan import ONE, Columns, PersonRows, Plan, covered_years, joined_reach, person_rows
from ctdhub.dp.policy import Domains, LinkingSettings, Policy
from ctdhub.dp.published import DECIMALS, named_cells, pool, variances
from ctdhub.dp.workload import Workload, cost, measure, question
from ctdhub.schema import model
from ctdhub.schema.emit import arrow_schema

# --------------------------------------------------------------------------------------------------
# How lists overlap, as the engine takes it: people by the set of lists that know them.


@dataclass(frozen=True)
class Overlap:
    """Exact counts.  Sensitive.

    Attributes:
        lists: ids of the lists, in order; () where none are asked about.
        years: first and last year, both included, in which a list must know a person.
        tokens: the most tokens of a person that join her with others; 0 for her key alone.
        people: people by the lists that know them, ids in order; sets without people are left
            out, and so are people on no list.
        doubles: rows of people that are another row's person by these tokens.
        without_key: rows that say too little to be compared with others.
        possible: rows that may be another row's person, by citizenship, "" where not recorded;
            empty where nobody asks, as is the next.
        captures: rows found by each of :data:`CAPTURES`.
        strata: people by the lists that know them, as in ``people``, by variable and value, ""
            where not recorded; empty where nobody asks.
    """

    lists: tuple[str, ...] = ()
    years: tuple[int, int] = (0, 0)
    tokens: int = 0
    people: dict[tuple[str, ...], int] = field(default_factory=dict)
    doubles: int = 0
    without_key: int = 0
    possible: dict[str, int] = field(default_factory=dict)
    captures: dict[str, int] = field(default_factory=dict)
    strata: dict[tuple[str, str, tuple[str, ...]], int] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write it as JSON."""
        content = asdict(self)
        for name in ("people", "strata"):
            content[name] = [[*item] for item in content[name].items()]
        path.write_text(json.dumps(content, indent=1), "utf-8")

    @staticmethod
    def read(path: Path) -> Overlap:
        """Read what :meth:`write` wrote."""
        fields = json.loads(path.read_text("utf-8"))
        fields |= {name: tuple(fields[name]) for name in ("lists", "years")}
        fields["people"] = {tuple(names): people for names, people in fields["people"]}
        fields["strata"] = {(name, v, tuple(on)): n for (name, v, on), n in fields["strata"]}
        return Overlap(**fields)


# --------------------------------------------------------------------------------------------------
# The overlap of lists as a question: which lists, in which years, by how many tokens, its noise.
#
# Its cells have the reach of people whom ``tokens`` tokens join (``plan.joined_reach``).  The
# doubles are rows of people less these people: one row of a person changes them by at most
# ``tokens`` (decision 27), and taking away B rows one after the other by at most B times that.
#
# Possible doubles are a question of their own, with a share of their own: no list need be named.

DOUBLES_SHARE = Fraction(1, 10)
"""Part of the overlap's budget that goes to the number of doubles: it is one number, and large."""

POSSIBLE_BY = (POSSIBLE, model.ORIGIN)
"""Columns of the table of possible doubles by citizenship."""

POSSIBLE_SHARES: dict[Columns, Fraction] = {
    POSSIBLE_BY: Fraction(1, 2),
    (CAPTURES,): Fraction(2, 5),
    (UNKEYED,): Fraction(1, 10),
}
"""Parts of the budget of possible doubles: by citizenship, of all by what finds them, and rows that
say too little."""

STRATA_SHARE = Fraction(1, 2)
"""Part of the lists' own budget that goes to the same by strata, together: the tables by strata
say as much of the whole, once they are added up."""

MOST_VALUES = 30
"""More strata than this would each be small."""

KINDS = 4
"""Tokens of a person that find possible doubles beside those that join rows."""


Tables = dict[Columns, tuple[tuple[int, ...], int, Fraction]]
"""Shape, squared L2 sensitivity and share of the budget of each table."""


def questions_of(tables: Tables, rho: Fraction) -> Workload:
    """The tables with their noise; they cost at most ``rho`` together.

    Raises:
        PolicyError: a table would get more noise than can be drawn.
    """
    return tuple(
        question(columns, shape, "groups", rho * share, reach)
        for columns, (shape, reach, share) in tables.items()
    )


@dataclass(frozen=True)
class ListTables:
    """What is public about the overlap.

    Attributes:
        names: ids of the lists.
        years: first and last year that all of them cover, both included.
        tokens: the most tokens of a person that join her with others.
        fewer: the same in rows of people.
        rows: the most rows that one person may have, see ``person_rows``.
        strata: variables by whose public values people on lists are counted too, with the values.
    """

    names: tuple[str, ...]
    years: tuple[int, int]
    tokens: int
    fewer: int = 0
    rows: int = 1
    strata: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def sets(self) -> tuple[tuple[str, ...], ...]:
        """Every set of lists but the empty one, as ids in the order of ``names``."""
        every = product((False, True), repeat=len(self.names))
        named = (tuple(n for n, on in zip(self.names, s, strict=True) if on) for s in every)
        return tuple(s for s in named if s)

    @property
    def tables(self) -> Tables:
        """What is measured: sets of lists, or people, are on the first axis.

        By strata a person on lists falls into one cell as she does without: her value is a function
        of her own records, so the reach is the same.
        """
        reach, sets, doubles = joined_reach(self.tokens, self.rows), len(self.sets), Fraction(0)
        extra: Tables = {}
        if self.tokens != self.fewer:
            doubles = DOUBLES_SHARE
            extra[(DOUBLES,)] = ((1,), (self.rows * self.tokens) ** 2, doubles)
        within = (1 - doubles) * STRATA_SHARE if self.strata else Fraction(0)
        own: Tables = {(LISTS,): ((sets,), reach, 1 - doubles - within)}
        for name, values in self.strata:
            own[LISTS, name] = ((sets, len(values) + 1), reach, within / len(self.strata))
        return own | extra

    def counts(self, overlap: Overlap | None) -> Counts:
        """The exact tables; of none at hand, tables of zeros.

        Raises:
            ValueError: what was counted is not what the policy asks.
        """
        if overlap is None:
            overlap = Overlap(self.names, self.years, self.tokens)
        if (overlap.lists, overlap.years, overlap.tokens) != (self.names, self.years, self.tokens):
            raise ValueError("the overlap of lists is not the one that the policy asks about")
        cells = np.array([overlap.people.get(s, 0) for s in self.sets], np.int32)
        exact: Counts = {(LISTS,): cells, (DOUBLES,): np.array([overlap.doubles], np.int32)}
        for name, values in self.strata:
            exact[LISTS, name] = np.array(
                [[overlap.strata.get((name, v, s), 0) for v in (*values, "")] for s in self.sets],
                np.int32,
            )
        return {columns: exact[columns] for columns in self.tables}


@dataclass(frozen=True)
class DoubleTables:
    """What is public about the estimate of how many people are counted more than once.

    Attributes:
        settings: of links; ``doubles`` is the share of the release's rho.
        rows: the most rows that one person may have, see ``person_rows``.
        citizenships: public values by which possible doubles are counted.
    """

    settings: LinkingSettings
    rows: int
    citizenships: tuple[str, ...]

    @property
    def tables(self) -> Tables:
        """What is measured.

        A double is every row but the least of those that tokens join.  Without one row of a person
        at most as many rows as it has tokens are doubles no more, and none becomes one; with
        fewer tokens likewise.  By citizenship both may fall on one cell each.  A capture joins by
        one token more than rows: what one row held together by K tokens fell into k pieces, and
        by one token more into 1 to k + 1, so that each capture changes by K - 1 or 1, and so do
        the people whom several contributors know (decision 127).
        """
        keys, captures = self.settings.people, len(CAPTURE_CELLS)
        more, most = keys + KINDS, max(1, keys - 1)
        reaches: dict[Columns, tuple[tuple[int, ...], int]] = {
            POSSIBLE_BY: ((1, len(self.citizenships) + 1), more**2 + keys**2),
            (CAPTURES,): ((captures,), captures * most**2),
            (UNKEYED,): ((1,), 1),
        }
        return {
            t: (shape, self.rows**2 * reach, POSSIBLE_SHARES[t])
            for t, (shape, reach) in reaches.items()
        }

    def counts(self, overlap: Overlap | None) -> Counts:
        """The exact tables; of none at hand, tables of zeros."""
        overlap = overlap or Overlap()
        by = [overlap.possible.get(name, 0) for name in (*self.citizenships, "")]
        captures = [overlap.captures.get(name, 0) for name in CAPTURE_CELLS]
        return {
            POSSIBLE_BY: np.array([by], np.int32),
            (CAPTURES,): np.array(captures, np.int32),
            (UNKEYED,): np.array([overlap.without_key], np.int32),
        }


def double_tables(policy: Policy, facts: Mapping[str, Any]) -> DoubleTables | None:
    """The estimate of doubles that a policy asks for, None where it declines.

    Args:
        facts: public facts, as ``person_rows`` reads them.
    """
    if not policy.linking.doubles:
        return None
    by = model.load_schema().domain(model.ORIGIN, policy.years)
    return DoubleTables(policy.linking, person_rows(policy, facts).bound, by)


def list_tables(policy: Policy, facts: Mapping[str, Any]) -> ListTables | None:
    """The overlap that a policy asks about, None where it asks about none.

    Args:
        facts: public facts; ``contributors`` with ``id``, ``years``, ``show_counts`` and what
            ``person_rows`` reads.

    Raises:
        PolicyError: the policy names a list of no contributor, of one whose agreement does not
            let its counts be shown, lists that have no year in common, or strata of a variable
            that is not released, is the year, or has too few or too many values.
    """
    settings = policy.sources
    if not settings.share or not settings.lists:
        return None
    contributors = {str(c["id"]): c for c in _contributors(facts)}
    for name in settings.lists:
        if name not in contributors:
            raise error("policy-sources", file="policy.yaml", id=name)
        if not contributors[name].get("show_counts", True):
            raise error("policy-sources/not-shown", file="policy.yaml", id=name)
    spans = [contributors[name].get("years") or policy.years for name in settings.lists]
    first = max(policy.years[0], *(span[0] for span in spans))
    last = min(policy.years[1], *(span[1] for span in spans))
    if first > last:
        names = ", ".join(settings.lists)
        raise error("policy-sources/years", file="policy.yaml", id=names)
    joins, rows, schema = policy.linking, person_rows(policy, facts).bound, model.load_schema()
    tokens = joins.lists, joins.people
    released = policy.domains(schema)
    for name in settings.strata:
        if (
            name not in released
            or not 2 <= len(released[name]) <= MOST_VALUES
            or name == model.PERIOD
        ):
            raise error("policy-sources/strata", file="policy.yaml", name=name, most=MOST_VALUES)
    strata = tuple((name, tuple(released[name])) for name in dict.fromkeys(settings.strata))
    return ListTables(settings.lists, (first, last), *tokens, rows, strata)


def _contributors(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = facts.get("contributors", ())
    return [c for c in entries if isinstance(c, Mapping) and c.get("id")]


# --------------------------------------------------------------------------------------------------
# Counts by contributor, and tables of child rows: noisy, never single records.


# --------------------------------------------------------------------------------------------------
# Counts by contributor, and how the lists of contributors overlap: noisy, never single records.
#
# The unit is that of the release.  A row of people names the contributor of its earliest record,
# and is on exactly one set of lists: so it changes one cell of each table by one (more where tokens
# join people, see ``list_overlap``), and a person with at most B rows by B, wherever they are.  A
# table costs B squared / (2 sigma squared), and the costs add to those of everything else in the
# release. Which contributors and which lists there are is public.

OVERLAP_SHARE = Fraction(1, 3)
"""Part of the sources' budget that goes to the overlap, where lists are named: its cells are few,
and estimates lean on the smallest of them."""


@dataclass(frozen=True)
class SourceTables:
    """The measurements by contributor, all of it public.

    Attributes:
        domains: public values of the contributors ("" is all others), years and third columns;
            empty where nothing is measured by contributor.
        lists: the overlap that is measured; None for none.
        share: of the release's rho, with that of ``doubles``.
        reach: squared L2 sensitivity of the tables by contributor.
        doubles: the estimate of who is counted more than once; None for none.
    """

    domains: Domains
    lists: ListTables | None
    share: float
    reach: int = 1
    doubles: DoubleTables | None = None

    @property
    def tables(self) -> tuple[Columns, ...]:
        """Contributor by year, and by year and each third column."""
        if not self.domains:
            return ()
        both: Columns = (model.CONTRIBUTOR, model.PERIOD)
        return (both, *((*both, name) for name in self.domains if name not in both))

    def workload(self, rho: float) -> Workload:
        """All tables with their noise; they cost at most ``rho`` together.

        Raises:
            PolicyError: a table would get more noise than can be drawn.
        """
        whole = budget = Fraction(rho)
        questions: Workload = ()
        if self.doubles:
            part = whole * Fraction(self.doubles.settings.doubles) / Fraction(self.share)
            questions, budget = questions_of(self.doubles.tables, part), whole - part
        overlap = budget * OVERLAP_SHARE if self.tables else budget
        left = budget - overlap if self.lists else budget
        shape = {t: tuple(len(self.domains[n]) + 1 for n in t) for t in self.tables}
        questions += tuple(
            question(t, shape[t], "groups", left / len(shape), self.reach) for t in self.tables
        )
        if self.lists:
            questions += questions_of(self.lists.tables, overlap)
        if cost(questions) > whole:
            raise ArithmeticError("the measurements by contributor cost more than their budget")
        return questions

    def sigma(self, rho: float) -> dict[str, float]:
        """Standard deviation of the noise of each table, as it is published."""
        questions = self.workload(rho)
        by_contributor = tuple(q for q in questions if q.columns in self.tables)
        variance = variances(by_contributor)
        return {
            "*".join(q.columns): variance.get(q.columns, float(q.sigma2)) ** 0.5 for q in questions
        }

    @property
    def tally(self) -> Tally:
        """What is counted of people."""
        domains = self.domains
        return Tally(
            domains,
            self.tables,
            open=tuple(n for n in domains if n == model.CONTRIBUTOR),
            years=tuple(n for n in domains if n == model.PERIOD),
            regions=tuple(n for n in domains if n in COUNTRY_OF),
        )

    def measured(self, exact: Counts, rho: float, source: Bits = os.urandom) -> border.Sources:
        """The noisy measurements; whoever asks owes the ledger a charge of ``rho``.

        Args:
            exact: see :meth:`exact`; emptied as soon as its noise is drawn.
            source: random bits; the operating system's in the product.
        """
        questions = self.workload(rho)
        noisy = measure(exact, questions, source)
        exact.clear()
        by_contributor = tuple(q for q in questions if q.columns in self.tables)
        pooled = pool(noisy, by_contributor)  # contributor by year is part of every other table
        parts = [border.MEASUREMENTS.empty_table()]
        for q in by_contributor:
            values = pooled[q.columns].value if q.columns in pooled else noisy[q.columns]
            places = np.unravel_index(np.arange(q.cells), q.shape)
            parts.append(_rows(named_cells([(q.columns, places)], self.domains), values))
        lists, doubles = self.lists, self.doubles
        of: dict[Columns, list[list[str]]] = {}
        if lists:
            sets = [border.LIST_JOIN.join(s) for s in lists.sets]
            of[(border.LISTS,)] = [[s] for s in sets]
            for name, domain in lists.strata:
                of[border.LISTS, name] = [[s, v] for s in sets for v in (*domain, "")]
            of[(border.DOUBLES,)] = [["people"]]
        if doubles:
            of[POSSIBLE_BY] = [["people", name] for name in (*doubles.citizenships, "")]
            of[(border.CAPTURES,)] = [[name] for name in border.CAPTURE_CELLS]
            of[(border.UNKEYED,)] = [["people"]]
        parts += [_rows(([[*t]] * len(v), v), noisy[t]) for t, v in of.items() if t in noisy]
        return border.Sources(
            contributors=self.domains.get(model.CONTRIBUTOR, ()),
            lists=lists.names if lists else (),
            measurements=pa.concat_tables(parts).combine_chunks(),
            sigma=self.sigma(rho),
            share=self.share,
            list_years=lists.years if lists else None,
            tokens=lists.tokens if lists else 0,
            found=doubles.settings.found if doubles else None,
            merged=doubles.settings.merged if doubles else None,
        )


def public_sources(
    policy: Policy, schema: model.Schema, facts: Mapping[str, Any]
) -> SourceTables | None:
    """What is measured beside people, None where the policy leaves all of it out.

    Args:
        facts: public facts; ``contributors`` with an ``id`` and without ``show_counts: false``
            have counts of their own, and ``person_rows`` reads the unit.

    Raises:
        PolicyError: as :func:`ctdhub.dp.sources.list_tables`.
    """
    share, doubles = policy.sources.share, double_tables(policy, facts)
    entries = [c for c in facts.get("contributors", ()) if isinstance(c, Mapping) and c.get("id")]
    named = tuple(str(c["id"]) for c in entries if c.get("show_counts", True))
    lists = list_tables(policy, facts)
    released = policy.domains(schema, covered_years(policy, facts))
    domains: Domains = {}
    if share and named and model.PERIOD in released:
        domains = {model.CONTRIBUTOR: named, model.PERIOD: released[model.PERIOD]}
        domains |= {n: schema.domain(n, policy.years) for n in _thirds(released, schema)}
    if not domains and not lists:
        share = 0.0
    if doubles:
        share += policy.linking.doubles
    if not share:
        return None
    reach = joined_reach(policy.linking.people, person_rows(policy, facts).bound)
    return SourceTables(domains, lists, share, reach, doubles)


@dataclass(frozen=True)
class CountedSources(SourceTables):
    """The same with exact tables of the overlap, see ``ListTables.counts``; sensitive."""

    overlap: Counts = field(default_factory=dict, repr=False, compare=False)

    def exact(self, counts: Counts) -> Counts:
        """All that is measured: the tables of the tally, and the overlap.

        Args:
            counts: of the tally.
        """
        return counts | self.overlap


def sourced(
    overlap: Overlap | None, policy: Policy, schema: model.Schema, facts: Mapping[str, Any]
) -> CountedSources | None:
    """What is measured by contributor, and the overlap of lists, ready to be measured.

    Args:
        overlap: as the policy asks for it; None counts nobody, so that only public settings decide
            what is measured.

    Raises:
        PolicyError: as :func:`public_sources`.
        ValueError: the overlap is of other lists, years or tokens than the policy asks.
    """
    public = public_sources(policy, schema, facts)
    if public is None:
        return None
    counts = public.lists.counts(overlap) if public.lists else {}
    counts |= public.doubles.counts(overlap) if public.doubles else {}
    return CountedSources(**vars(public), overlap=counts)


def _thirds(released: Domains, schema: model.Schema) -> list[str]:
    """Columns that contributors by year are divided by."""
    columns = [n for n in released if n in (model.SEX, model.AGE)]
    for name in released:
        v = schema.variable(name)
        if v.core and model.HARM in (v.group, v.any_of):
            columns.append(name)
    return columns + [region for region, country in COUNTRY_OF.items() if country in released]


def _rows(cells: Iterable[Any], values: npt.NDArray[Any]) -> pa.Table:
    noisy = pa.array(np.round(values.astype(float), DECIMALS).ravel())
    lists = pa.list_(pa.string())
    names, texts = (pa.array(part, lists) if isinstance(part, list) else part for part in cells)
    return pa.table([names, texts, noisy], schema=border.MEASUREMENTS)


# --------------------------------------------------------------------------------------------------
# Perpetrators of people: what is public about their table, and how many rows of a person count.
#
# The unit stays the person.  Of a row of people at most ``each`` perpetrators count, and one person
# has at most B rows, so that she changes each table of perpetrators by at most ``rows`` = B x
# ``each`` in L2 (all of them in one cell): a table costs ``rows`` squared / (2 sigma squared), and
# the costs of both answers add (``accounting``).

_NO_DOMAIN = ("entity", "count")


@dataclass(frozen=True)
class Mentioned:
    """Perpetrators, and what may be spent on them.

    Attributes:
        plan: of their table; ``plan.rows`` is the public bound for all rows of one person.
        each: the public bound for one row of people.
        share: of the release's rho, 0 to 1.
        rows: one for each perpetrator of a person, who is called in the column ``PERSON``.
    """

    plan: Plan
    share: float
    rows: Rows
    each: int

    def tally(self, tables: tuple[Columns, ...], key: bytes) -> Tally:
        """Tables of at most ``each`` of each row of people.

        Args:
            key: secret; it decides which.
        """
        return Tally(self.plan.domains, tables, bound=Bound(model.PERSON, self.each, key))


def mentioned(
    perpetrators: pa.Table | Rows | None, policy: Policy, schema: model.Schema, of: PersonRows = ONE
) -> Mentioned | None:
    """The perpetrators of a release, None where the policy leaves them out.

    Args:
        perpetrators: ``person`` (what the person is called, whoever else there is) and the public
            variables of ``Schema.table("perpetrators")``; None is a table without rows.
        of: the rows that one person may have, by the agreements.
    """
    if not policy.perpetrators.share:
        return None
    if perpetrators is None:
        persons = pa.field(model.PERSON, pa.string())
        perpetrators = pa.schema([persons, *arrow_schema("perpetrators")]).empty_table()
    rows = InMemory(perpetrators) if isinstance(perpetrators, pa.Table) else perpetrators
    settings = policy.perpetrators
    return Mentioned(plan_of_perpetrators(policy, schema, of), settings.share, rows, settings.rows)


def plan_of_perpetrators(policy: Policy, schema: model.Schema, of: PersonRows = ONE) -> Plan:
    """Every column and pair of public variables of a perpetrator that have a public domain."""
    variables = schema.table("perpetrators")
    names = [v.name for v in variables if v.public and v.kind not in _NO_DOMAIN]
    return Plan(
        {name: schema.domain(name, policy.years) for name in names},
        rows=policy.perpetrators.rows * of.bound,
        tokens=policy.linking.people,
        level=policy.level,
        false_share=policy.false_share,
        support=policy.support,
    )
