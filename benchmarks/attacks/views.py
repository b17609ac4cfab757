"""What an attacker sees: the published answer, or the noisy tables, as tables of cells."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ctdhub.border import COUNTS
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.count import Codes, Counts, count, encode
from ctdhub.dp.mechanism import MechanismOutput, answer
from ctdhub.dp.noise import Bits
from ctdhub.dp.plan import Columns, Plan
from ctdhub.dp.workload import Measurement, Workload, in_regions, measure, regional, workload


@dataclass(frozen=True)
class Seen:
    """What is seen of one run: every table of the workload, and the protected records if any."""

    tables: Counts
    records: Codes | None = None


View = Callable[[Codes], Seen]
"""One run of the engine, and what of it is seen."""

Key = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Setting:
    """What is attacked: a plan at a cost, and the guarantee that this is claimed to give.

    Attributes:
        source: random bits of the engine; tests break it to prove that attacks notice.
    """

    plan: Plan
    epsilon: float
    delta: float
    source: Bits = os.urandom

    @cached_property
    def rho(self) -> float:
        """What one run costs."""
        return rho_of(self.epsilon, self.delta)

    @cached_property
    def questions(self) -> Workload:
        """The tables that are measured, with their noise; those of regions by their own names."""
        names = regional_names(self.plan)
        regions = (replace(q, columns=names[q.columns]) for q in regional(self.plan, self.rho))
        return (*workload(self.plan, self.rho), *regions)

    def count(self, people: Codes) -> Counts:
        """Exact counts of the workload: what the attacker knows of everybody else."""
        return counted(people, self.plan, self.questions)

    def answer(self, people: Codes) -> MechanismOutput:
        """One run of the engine."""
        return answer(people, self.plan, self.rho, self.source)

    def published(self, people: Codes) -> Seen:
        """What those see who read a release: see :func:`rebuilt`."""
        return rebuilt(self.answer(people), self.plan, self.questions)

    def measured(self, people: Codes) -> Seen:
        """What somebody sees inside the engine: every noisy table in full, none of the rest."""
        return Seen(measure(self.count(people), self.questions, self.source))


def rebuilt(found: MechanismOutput, plan: Plan, questions: Workload) -> Seen:
    """All tables of the workload from what is published: the count where one is shown or published
    by year, else the number of protected records."""
    records = encode(found.records, plan.domains)
    tables = counted(records, plan, questions)
    place = {n: {"": 0} | {v: i for i, v in enumerate(d, 1)} for n, d in plan.domains.items()}
    of_regions = {name: table for table, name in regional_names(plan).items()}
    for columns, values, seen in shown(found.counts):
        if columns in tables:
            cell = tuple(place[c][v] for c, v in zip(columns, values, strict=True))
            tables[columns][cell] = seen
    for row in found.measurements.to_pylist():
        columns = tuple(row["columns"])
        axes = [["", *plan.region_axis(n)].index for n in of_regions.get(columns, ())]
        axes = axes or [place[n].__getitem__ for n in columns]
        cell = tuple(at(v) for at, v in zip(axes, row["values"], strict=True))
        tables[columns][cell] = round(row["noisy"])
    return Seen(tables, records)


def regional_names(plan: Plan) -> dict[Columns, Columns]:
    """The tables of regions, each with the names of its columns in a release."""
    return {table: tuple(plan.region_key(table).split("*")) for table in plan.regions}


def counted(people: Codes, plan: Plan, questions: Workload) -> Counts:
    """Exact counts of the tables, those of regions by their own names."""
    names = regional_names(plan)
    single = [q.columns for q in questions if q.columns not in names.values()]
    exact = count(people, [*dict.fromkeys((*single, *names))])
    regions = {names[table]: cells for table, cells in in_regions(exact, plan).items()}
    return {table: exact[table] for table in single} | regions


def shown(counts: pa.Table) -> list[tuple[Columns, tuple[str, ...], int]]:
    """The published counts as (columns, values, count), the number of people left out."""
    rows = counts.select(COUNTS.names[:3]).to_pydict()
    return [
        (tuple(c), tuple(v), n)
        for c, v, n in zip(rows["columns"], rows["values"], rows["count"], strict=True)
        if c
    ]


def cells(people: Codes, q: Measurement, plan: Plan) -> Key:
    """The flat place of each person in a table."""
    if not q.columns:
        return np.zeros(people.people, dtype=np.int64)
    table = {name: table for table, name in regional_names(plan).items()}.get(q.columns)
    if table:
        places = [plan.region_codes(n)[people.columns[n]].astype(np.int64) for n in table]
    else:
        places = [people.columns[n].astype(np.int64) for n in q.columns]
    return np.ravel_multi_index(tuple(places), q.shape).astype(np.int64)


def packed(codes: npt.NDArray[Any], size: int) -> npt.NDArray[np.unsignedinteger]:
    """Codes below ``size`` in the type that :class:`Codes` keeps them in."""
    return codes.astype(np.uint8) if size <= 256 else codes.astype(np.uint16)


def joined(one: Codes, other: Codes) -> Codes:
    """The people of both."""
    columns = {n: np.concatenate([c, other.columns[n]]) for n, c in one.columns.items()}
    return Codes(columns, one.sizes, one.people + other.people)


def chosen(people: Codes, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64]) -> Codes:
    """Some of the people, by a mask or by their places."""
    columns = {n: c[rows] for n, c in people.columns.items()}
    held = int(rows.sum()) if rows.dtype == bool else rows.size
    return Codes(columns, people.sizes, held)
