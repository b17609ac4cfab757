"""Releases of one set of practice people under seeded noise, beside the truth about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tests.conftest import Once

from ctdhub.border import Guarantee, Protected, restore
from ctdhub.dp import mechanism
from ctdhub.dp.count import encode
from ctdhub.dp.plan import plan_of
from ctdhub.dp.policy import Policy
from ctdhub.dp.sources import sourced
from ctdhub.hub import contributions, init, pipeline
from ctdhub.hub.folder import Hub
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.schema.model import load_schema
from ctdhub.stats.answers import Answers
from ctdhub.stats.decomposition import WHOLE, Cell, ChangeSubject, Counts, Noisy

COLUMNS = (
    "year_of_registration", "gender", "citizenship", "exploitation_forced_labour",
    "exploitation_sexual", "any_exploitation", "means_debt_bondage", "any_means",
)  # fmt: skip
YEAR, WHO = "year_of_registration", "reporting_entity"
YEARS = (2002, 2030)


class Practice:
    """People of a practice hub, linked once; releases of them are made by seed.

    Args:
        folder: where releases are written.
        people, facts: the linked people, the hub's public facts.
    """

    def __init__(self, folder: Path, people: pa.Table, facts: dict[str, Any]) -> None:
        self.folder, self.people, self.facts = folder, people, facts
        self.policy = Policy(columns=COLUMNS, years=YEARS, epsilon=4.0)
        self.rho = 3.0

    @classmethod
    def made(cls, once: Once, folder: Path, people: int) -> Practice:
        """Of a practice hub with so many people, linked once in a run of tests.

        Args:
            folder: where releases are written.
        """

        def make(place: Path) -> None:
            pipeline.build(init.practice_hub(place, people=people), until="link")

        hub = Hub(once(f"practice-{people}", make))
        table = pq.read_table(hub.work / "people" / contributions.PEOPLE)
        return cls(folder, table, hub.facts(YEARS))

    def only(self, contributor: str) -> Practice:
        """As if no other contributor had sent anything."""
        named = [c for c in self.facts["contributors"] if c["id"] == contributor]
        people = self.people.filter(pc.equal(self.people[WHO], contributor))
        return Practice(self.folder / contributor, people, {**self.facts, "contributors": named})

    def release(self, seed: int) -> Release:
        """A release whose noise follows from the seed."""
        protected = self._protected(np.random.default_rng(seed).bytes)
        return replace(self._first, answer=protected)

    @cached_property
    def _first(self) -> Release:
        """Written and read once: what it says of its files holds for no other seed."""
        protected = self._protected(np.random.default_rng(0).bytes)
        return open_release(write_release(protected, self.folder / "releases", "2026.1", ""))

    def _protected(self, source: Callable[[int], bytes]) -> Protected:
        schema, policy = load_schema(), self.policy
        plan = plan_of(policy, schema)
        found = mechanism.answer(encode(self.people, plan.domains), plan, self.rho, source)
        sources = sourced(None, policy, schema, self.facts)
        assert sources is not None
        by_contributor = sources.exact(sources.tally.of(self.people))
        return restore(
            records=found.records,
            counts=found.counts,
            people=found.people,
            case_records=found.case_records,
            guarantee=Guarantee(
                20.0,
                1e-9,
                3.2,
                "person",
                "discrete Gaussian",
                policy.level,
                found.sigma,
                "practice",
                drawn=found.drawn,
                regions=found.regions,
            ),
            facts=self.facts,
            measurements=found.measurements,
            sources=sources.measured(by_contributor, 0.2, source),
        )

    def truth(self, counts: Counts, answers: Answers) -> Counts:
        """The same cells with the true numbers in place of the noisy ones."""
        q = counts.question
        asked = self._by_year(self._mask(q.where))
        recorded = self._by_year(self._mask(q.recorded(answers)))
        everybody = self._by_year(self._mask({}))
        cells = {}
        for (who, year), cell in counts.cells.items():
            at = [found.get((who, year), 0) for found in (asked, recorded, everybody)]
            old = (cell.asked, cell.recorded, cell.everybody)
            new = (Noisy(n, noisy.errors) for n, noisy in zip(at, old, strict=True))
            cells[who, year] = Cell(*new)
        return replace(counts, cells=cells)

    def people_where(self, where: Any) -> dict[int, int]:
        """The true number of people who meet conditions, by year; those without a year are out."""
        found = self._by_year(self._mask(where))
        return {year: n for (who, year), n in found.items() if who == WHOLE}

    def _mask(self, where: Any) -> pa.Array:
        kept = pa.array(np.ones(self.people.num_rows, dtype=bool))
        for name, values in where.items():
            inside = pc.is_in(self.people[name], value_set=pa.array(list(values)))
            kept = pc.and_(kept, inside)
        return kept

    def _by_year(self, mask: pa.Array) -> dict[tuple[str, int], int]:
        """People by contributor and year; all contributors together as well."""
        rows = self.people.filter(mask).group_by([WHO, YEAR]).aggregate([([], "count_all")])
        found: dict[tuple[str, int], int] = {}
        for row in rows.to_pylist():
            if row[YEAR] is not None:
                for who in (row[WHO], WHOLE):
                    key = who, int(row[YEAR])
                    found[key] = found.get(key, 0) + row["count_all"]
        return found


SEXUAL, WOMEN = ChangeSubject("exploitation_sexual", "yes"), ChangeSubject("gender", "female")
EUROPEANS = ChangeSubject("citizenship", "europe")
