"""How often what is printed holds the truth, by the kind of statement, over many draws of noise.

    python benchmarks/statements.py [--draws 50] [--first 1] [--people 20000] [--epsilon 4]

Practice people, linked once, under other noise each draw.  Each statement is asked for as a reader
gets it: tables, sheets of facts and press paragraphs of places, mandated tables, the largest
corridors.  The question that each number card carries is put to the linked people themselves.
An interval holds where the truth lies inside; "at least" holds where the number that is written is
not above the truth.  Goal: each kind holds in at least 95 of 100 cases, "at least" in 97.5.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit"))

from practice_releases import COLUMNS, YEARS, Practice

from ctdhub.core.i18n import language
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.policy import Policy
from ctdhub.report.facts import FactSheet, headline_sheet, place_sheet, press_sheet
from ctdhub.report.wording import at_least
from ctdhub.schema.countries import place_of
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.mandated.tables import SHAPES, scope
from ctdhub.stats.query import Query, Where
from ctdhub.stats.tables import corridors, place_facts

PLACES = ("europe", "eu", "africa", "asia", "CIV", "PHL", "ITA", "ROU", "UKR", "NGA")
SPANS = None, (2002, 2018), (2019, 2022)
TABLES = (
    ("gender",),
    ("citizenship",),
    ("country_of_exploitation",),
    ("year_of_registration", "gender"),
    ("citizenship", "gender"),
    ("citizenship", "country_of_exploitation"),
    ("year_of_registration", "citizenship", "gender"),
)
GOAL, LEAST_GOAL = 0.95, 0.975


class Said(NamedTuple):
    """A card as it is printed somewhere."""

    kind: str
    card: NumberCard


class Truth:
    """The linked people: how many meet conditions."""

    def __init__(self, practice: Practice) -> None:
        table = practice.people
        self._codes: dict[str, dict[str, int]] = {}
        self._columns: dict[str, np.ndarray] = {}
        self.rows = table.num_rows
        for name in table.column_names:
            values = ["" if v is None else str(v) for v in table[name].to_pylist()]
            known = {value: k for k, value in enumerate(sorted(set(values)))}
            self._codes[name] = known
            self._columns[name] = np.array([known[v] for v in values])
        self._counts: dict[Query, int] = {}

    def count(self, where: Where) -> int:
        """People who meet all conditions."""
        query = Query(where)
        if query not in self._counts:
            kept = np.ones(self.rows, bool)
            for name, codes in query.where.items():
                wanted = [self._codes[name][c] for c in codes if c in self._codes[name]]
                kept &= np.isin(self._columns[name], wanted)
            self._counts[query] = int(kept.sum())
        return self._counts[query]

    def of(self, card: NumberCard) -> float | None:
        """What the card's question is answered by; None where it has no single answer."""
        query = card.query
        if query is None or query.by:
            return None
        n = self.count(query.where)
        if card.unit == "share" and query.of:
            whole = self.count(query.of.where)
            return n / whole if whole else None
        if card.unit == "people":
            return self.count(query.of.where) - n if query.of else n
        return None


def said(answers: Answers) -> Iterator[Said]:
    """All that is read of a release here."""
    for by in TABLES:
        for row in answers.table(Query(by=by)).rows:
            yield Said(f"table of {len(by)}, people", row.people)
            if row.share:
                yield Said(f"table of {len(by)}, share", row.share)
    found = corridors(answers, most=40)
    for row in found.rows if found else ():
        yield Said("largest corridors", row.people)
    for span in SPANS:
        for where, sheet in _sheets(answers, span):
            for line in (line for part in sheet.sections for line in part.lines):
                form = "press" if sheet.is_press else "facts"
                yield Said(f"{form} of {where}, {line.card.unit}", line.card)
    asked = scope(answers, "ITA")
    for table_of in SHAPES.values():
        for line in table_of(answers, asked).lines:
            yield Said(f"mandated, {line.people.unit}", line.people)


def _sheets(answers: Answers, span: tuple[int, int] | None) -> Iterator[tuple[str, FactSheet]]:
    yield "all", headline_sheet(answers, span)
    yield "all", press_sheet(answers, None, span)
    for key in PLACES:
        place = place_of(key)
        kind = "a country" if place.kind == "country" else "a region"
        yield kind, place_sheet(place_facts(answers, place, span), answers.release)
        yield kind, press_sheet(answers, place, span)


class Tally:
    """How often statements of a kind held, how wide they were, how far off."""

    def __init__(self) -> None:
        self.asked = self.shown = self.ranges = self.held = self.leasts = self.least_held = 0
        self.above, self.below = 0, 0
        self.widths: list[float] = []

    def add(self, card: NumberCard, truth: float) -> None:
        """Compare a card with the truth."""
        self.asked += 1
        if not card.has_range or card.low is None or card.high is None:
            return
        self.shown += card.state == "shown"
        self.ranges += card.state == "imprecise"
        self.above += truth > card.high + 1e-9
        self.below += truth < card.low - 1e-9
        self.held += card.low - 1e-9 <= truth <= card.high + 1e-9
        self.widths.append(card.high - card.low)
        if card.unit == "people":
            self.leasts += 1
            self.least_held += at_least(card.low) <= truth


def main() -> int:
    """Print the table; 1 where a kind of 400 statements and more misses its goal."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--draws", type=int, default=50)
    parser.add_argument("--first", type=int, default=1, help="seed of the first draw")
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--epsilon", type=float, default=4.0)
    given = parser.parse_args()
    tallies: dict[str, Tally] = {}
    with tempfile.TemporaryDirectory() as folder, language("en"):
        place = Path(folder)

        def once(name: str, make: object) -> Path:
            make(place / name)  # type: ignore[operator]
            return place / name

        practice = Practice.made(once, place, given.people)  # type: ignore[arg-type]
        columns = (*COLUMNS, "country_of_exploitation", "age_band", "exploitation_other")
        practice.policy = Policy(columns=columns, years=YEARS, epsilon=given.epsilon)
        practice.rho = rho_of(given.epsilon, 1e-8)
        truth = Truth(practice)
        for seed in range(given.first, given.first + given.draws):
            for kind, card in said(Answers(practice.release(seed))):
                if (real := truth.of(card)) is not None:
                    tallies.setdefault(kind, Tally()).add(card, real)
            if (done := seed + 1 - given.first) % 10 == 0 and done < given.draws:
                print(f"after {done} draws")
                _print(tallies)
    return _print(tallies)


def _print(tallies: dict[str, Tally]) -> int:
    print(
        f"{'kind':<34}{'asked':>8}{'point':>8}{'range':>7}{'holds':>7}{'above':>7}{'below':>7}"
        f"{'at least':>10}{'width':>9}"
    )
    missed = 0
    for kind, t in sorted(tallies.items()):
        n = t.shown + t.ranges
        if not n:
            continue
        holds, least = t.held / n, t.least_held / t.leasts if t.leasts else math.nan
        missed += n >= 400 and (holds < GOAL or least < LEAST_GOAL)
        print(
            f"{kind:<34}{t.asked:>8,}{t.shown:>8,}{t.ranges:>7,}{holds:>7.3f}{t.above / n:>7.3f}"
            f"{t.below / n:>7.3f}{least:>10.3f}{median(t.widths):>9.3g}"
        )
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
