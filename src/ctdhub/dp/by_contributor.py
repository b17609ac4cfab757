"""Counts by contributor, and how the lists of contributors overlap: noisy, never single records.

The unit is that of the release.  A row of people names the contributor of its earliest record, and
is on exactly one set of lists: so it changes one cell of each table by one (more where tokens join
people, see ``list_overlap``), and a person with at most B rows by B, wherever they are.  A table
costs B squared / (2 sigma squared), and the costs add to those of everything else in the release.
Which contributors and which lists there are is public.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub.border import (
    BIRTHS,
    CAPTURE_CELLS,
    CAPTURES,
    DOUBLES,
    LIST_JOIN,
    LISTS,
    MEASUREMENTS,
    UNKEYED,
    Sources,
)
from ctdhub.dp.count import Counts
from ctdhub.dp.coverage import covered_years
from ctdhub.dp.list_overlap import BIRTHS_BY, POSSIBLE_BY, ListTables, list_tables
from ctdhub.dp.noise import Bits
from ctdhub.dp.overlap import Overlap
from ctdhub.dp.person_rows import person_rows
from ctdhub.dp.plan import Columns, joined_reach
from ctdhub.dp.policy import Domains, Policy
from ctdhub.dp.pooling import pool, variances
from ctdhub.dp.published import named_cells
from ctdhub.dp.regions import COUNTRY_OF
from ctdhub.dp.rows import Tally
from ctdhub.dp.workload import Workload, cost, measure, question
from ctdhub.dp.yearly import DECIMALS
from ctdhub.schema.model import Schema
from ctdhub.schema.roles import AGE, CONTRIBUTOR, HARM, PERIOD, SEX

OVERLAP_SHARE = Fraction(1, 3)
"""Part of the sources' budget that goes to the overlap, where lists are named: its cells are few,
and estimates lean on the smallest of them."""


@dataclass(frozen=True)
class SourceTables:
    """What is public about the measurements by contributor.

    Attributes:
        domains: public values of the contributors ("" is all others), years and third columns;
            empty where nothing is measured by contributor.
        lists: the overlap that is measured; None for none.
        share: of the release's rho.
        reach: squared L2 sensitivity of the tables by contributor.
    """

    domains: Domains
    lists: ListTables | None
    share: float
    reach: int = 1

    @property
    def tables(self) -> tuple[Columns, ...]:
        """Contributor by year, and by year and each third column."""
        if not self.domains:
            return ()
        both: Columns = (CONTRIBUTOR, PERIOD)
        return (both, *((*both, name) for name in self.domains if name not in both))

    def workload(self, rho: float) -> Workload:
        """All tables with their noise, the overlap last; they cost at most ``rho`` together.

        Raises:
            PolicyError: a table would get more noise than can be drawn.
        """
        budget = Fraction(rho)
        overlap = budget * OVERLAP_SHARE if self.tables else budget
        left = budget - overlap if self.lists else budget
        shape = {t: tuple(len(self.domains[n]) + 1 for n in t) for t in self.tables}
        questions = tuple(
            question(t, shape[t], "groups", left / len(shape), self.reach) for t in self.tables
        )
        if self.lists:
            questions += self.lists.questions(overlap)
        if cost(questions) > budget:
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


@dataclass(frozen=True)
class Sourced:
    """What is measured of people by contributor, and how lists overlap.

    Attributes:
        overlap: exact tables of the overlap, as ``ListTables.counts`` gives them.
    """

    public: SourceTables
    overlap: Counts

    @property
    def share(self) -> float:
        """Of the release's rho."""
        return self.public.share

    @property
    def tally(self) -> Tally:
        """What is counted of people."""
        domains = self.public.domains
        return Tally(
            domains,
            self.public.tables,
            open=tuple(n for n in domains if n in (CONTRIBUTOR, PERIOD)),
            regions=tuple(n for n in domains if n in COUNTRY_OF),
        )

    def exact(self, counts: Counts) -> Counts:
        """All that is measured: the tables of the tally, and the overlap.

        Args:
            counts: of the tally.
        """
        return counts | self.overlap

    def measured(self, exact: Counts, rho: float, source: Bits = os.urandom) -> Sources:
        """The noisy measurements; whoever asks owes the ledger a charge of ``rho``.

        Args:
            exact: see :meth:`exact`; emptied as soon as its noise is drawn.
            source: random bits; the operating system's in the product.
        """
        public = self.public
        questions = public.workload(rho)
        noisy = measure(exact, questions, source)
        exact.clear()
        by_contributor = tuple(q for q in questions if q.columns in public.tables)
        pooled = pool(noisy, by_contributor)  # contributor by year is part of every other table
        parts = [MEASUREMENTS.empty_table()]
        for q in by_contributor:
            values = pooled[q.columns].value if q.columns in pooled else noisy[q.columns]
            places = np.unravel_index(np.arange(q.cells), q.shape)
            parts.append(_rows(named_cells([(q.columns, places)], public.domains), values))
        if public.lists:
            sets = public.lists.sets
            cells = [[LISTS]] * len(sets), [[LIST_JOIN.join(s)] for s in sets]
            parts.append(_rows(cells, noisy[(LISTS,)]))
            for name, domain in public.lists.strata:
                both = [[LIST_JOIN.join(s), v] for s in sets for v in (*domain, "")]
                parts.append(_rows(([[LISTS, name]] * len(both), both), noisy[LISTS, name]))
        if (DOUBLES,) in noisy:
            parts.append(_rows(([[DOUBLES]], [["people"]]), noisy[(DOUBLES,)]))
        if public.lists and POSSIBLE_BY in noisy:
            of: dict[Columns, list[list[str]]] = {
                POSSIBLE_BY: [["people", name] for name in (*public.lists.citizenships, "")],
                BIRTHS_BY: [["people", name] for name in BIRTHS],
                (CAPTURES,): [[name] for name in CAPTURE_CELLS],
                (UNKEYED,): [["people"]],
            }
            parts += [_rows(([[*t]] * len(v), v), noisy[t]) for t, v in of.items()]
        return Sources(
            contributors=public.domains.get(CONTRIBUTOR, ()),
            lists=public.lists.names if public.lists else (),
            measurements=pa.concat_tables(parts).combine_chunks(),
            sigma=public.sigma(rho),
            share=public.share,
            list_years=public.lists.years if public.lists else None,
            tokens=public.lists.tokens if public.lists else 0,
            found=public.lists.found if public.lists else None,
            merged=public.lists.merged if public.lists else None,
        )


def public_sources(policy: Policy, schema: Schema, facts: Mapping[str, Any]) -> SourceTables | None:
    """The tables by contributor of a release, None where the policy leaves them out.

    Args:
        facts: public facts; ``contributors`` with an ``id`` and without ``show_counts: false``
            have counts of their own, and ``person_rows`` reads the unit.

    Raises:
        PolicyError: as :func:`ctdhub.dp.list_overlap.list_tables`.
    """
    share = policy.sources.share
    if not share:
        return None
    given = [c for c in facts.get("contributors", ()) if isinstance(c, Mapping) and c.get("id")]
    named = tuple(str(c["id"]) for c in given if c.get("show_counts", True))
    lists = list_tables(policy, facts)
    released = policy.domains(schema, covered_years(policy, facts))
    domains: Domains = {}
    if named and PERIOD in released:
        domains = {CONTRIBUTOR: named, PERIOD: released[PERIOD]}
        domains |= {n: schema.domain(n, policy.years) for n in _thirds(released, schema)}
    if not domains and not lists:
        return None
    reach = joined_reach(policy.linking.people, person_rows(policy, facts).bound)
    return SourceTables(domains, lists, share, reach)


def sourced(
    overlap: Overlap | None, policy: Policy, schema: Schema, facts: Mapping[str, Any]
) -> Sourced | None:
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
    return Sourced(public, public.lists.counts(overlap) if public.lists else {})


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
    return pa.table([names, texts, noisy], schema=MEASUREMENTS)
