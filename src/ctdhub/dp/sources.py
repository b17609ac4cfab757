"""Counts by contributor, and tables of child rows: noisy, never single records."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub import border
from ctdhub.dp.count import COUNTRY_OF, Bound, Counts, InMemory, Rows, Tally
from ctdhub.dp.lists import (
    POSSIBLE_BY,
    DoubleTables,
    ListTables,
    Overlap,
    double_tables,
    list_tables,
    questions_of,
)
from ctdhub.dp.noise import Bits
from ctdhub.dp.plan import ONE, Columns, PersonRows, Plan, covered_years, joined_reach, person_rows
from ctdhub.dp.policy import Domains, Policy
from ctdhub.dp.published import DECIMALS, named_cells
from ctdhub.dp.workload import Workload, cost, measure, pool, question, variances
from ctdhub.schema.emit import arrow_schema
from ctdhub.schema.model import AGE, CONTRIBUTOR, HARM, PERIOD, PERSON, SEX, Schema

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
        both: Columns = (CONTRIBUTOR, PERIOD)
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
            open=tuple(n for n in domains if n == CONTRIBUTOR),
            years=tuple(n for n in domains if n == PERIOD),
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
            contributors=self.domains.get(CONTRIBUTOR, ()),
            lists=lists.names if lists else (),
            measurements=pa.concat_tables(parts).combine_chunks(),
            sigma=self.sigma(rho),
            share=self.share,
            list_years=lists.years if lists else None,
            tokens=lists.tokens if lists else 0,
            found=doubles.settings.found if doubles else None,
            merged=doubles.settings.merged if doubles else None,
        )


def public_sources(policy: Policy, schema: Schema, facts: Mapping[str, Any]) -> SourceTables | None:
    """What is measured beside people, None where the policy leaves all of it out.

    Args:
        facts: public facts; ``contributors`` with an ``id`` and without ``show_counts: false``
            have counts of their own, and ``person_rows`` reads the unit.

    Raises:
        PolicyError: as :func:`ctdhub.dp.lists.list_tables`.
    """
    share, doubles = policy.sources.share, double_tables(policy, facts)
    given = [c for c in facts.get("contributors", ()) if isinstance(c, Mapping) and c.get("id")]
    named = tuple(str(c["id"]) for c in given if c.get("show_counts", True))
    lists = list_tables(policy, facts)
    released = policy.domains(schema, covered_years(policy, facts))
    domains: Domains = {}
    if share and named and PERIOD in released:
        domains = {CONTRIBUTOR: named, PERIOD: released[PERIOD]}
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
    overlap: Overlap | None, policy: Policy, schema: Schema, facts: Mapping[str, Any]
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


def _thirds(released: Domains, schema: Schema) -> list[str]:
    """Columns that contributors by year are divided by."""
    found = [n for n in released if n in (SEX, AGE)]
    for name in released:
        v = schema.variable(name)
        if v.core and HARM in (v.group, v.any_of):
            found.append(name)
    return found + [region for region, country in COUNTRY_OF.items() if country in released]


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
        return Tally(self.plan.domains, tables, bound=Bound(PERSON, self.each, key))


def mentioned(
    perpetrators: pa.Table | Rows | None, policy: Policy, schema: Schema, of: PersonRows = ONE
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
        persons = pa.field(PERSON, pa.string())
        perpetrators = pa.schema([persons, *arrow_schema("perpetrators")]).empty_table()
    rows = InMemory(perpetrators) if isinstance(perpetrators, pa.Table) else perpetrators
    settings = policy.perpetrators
    return Mentioned(plan_of_perpetrators(policy, schema, of), settings.share, rows, settings.rows)


def plan_of_perpetrators(policy: Policy, schema: Schema, of: PersonRows = ONE) -> Plan:
    """Every column and pair of public variables of a perpetrator that have a public domain."""
    found = schema.table("perpetrators")
    names = [v.name for v in found if v.public and v.kind not in _NO_DOMAIN]
    return Plan(
        {name: schema.domain(name, policy.years) for name in names},
        rows=policy.perpetrators.rows * of.bound,
        tokens=policy.linking.people,
        level=policy.level,
        false_share=policy.false_share,
        support=policy.support,
    )
