"""How often the intervals of a change and its parts hold the truth, over many draws of noise.

    python benchmarks/change.py [--draws 24] [--people 4000]

Practice people, linked once, under other noise each draw; everybody, women, sexual exploitation and
the citizens of three regions; every year from 2009 beside the year before and five years before.
Goal: each kind of part holds the truth in at least 93 % of cases.  The second table has the
standard deviation of a year's count of a region: as the release answers it, as the contributors'
counts add up, and as both would weigh together.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit"))

from practice_releases import EUROPEANS, SEXUAL, WOMEN, Practice
from split_coverage import coverage

from ctdhub.schema.model import PERIOD
from ctdhub.stats.answers import Answers
from ctdhub.stats.decomposition import EVERYBODY, ChangeSubject
from ctdhub.stats.trend import by_contributor

REGIONS = EUROPEANS, ChangeSubject("citizenship", "asia"), ChangeSubject("citizenship", "africa")
GOAL = 0.93


def spreads(answers: Answers, question: ChangeSubject) -> list[tuple[float, float, float]]:
    """Standard deviations of each year's count: answered, of contributors, of both together."""
    found = []
    own = math.hypot(*(s.sigma for s in by_contributor(answers.release, question.cell).values()))
    for year in range(2009, 2026):
        said = answers.count({**question.where, PERIOD: [str(year)]})
        published = ((said.high or 0) - (said.value or 0)) / answers.z
        found.append((published, own, 1 / math.sqrt(published**-2 + own**-2)))
    return found


def main() -> int:
    """Print both tables; 1 where a kind misses the goal."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=24)
    parser.add_argument("--people", type=int, default=4000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)

        def once(name: str, make: object) -> Path:
            make(place / name)  # type: ignore[operator]
            return place / name

        practice = Practice.made(once, place, given.people)  # type: ignore[arg-type]
        found: dict[str, tuple[int, int]] = {}
        wide: list[tuple[float, float, float]] = []
        for seed in range(1, given.draws + 1):
            answers = Answers(practice.release(seed))
            new = coverage(practice, [answers], (EVERYBODY, WOMEN, SEXUAL, *REGIONS))
            for kind, (hits, total) in new.items():
                old = found.get(kind, (0, 0))
                found[kind] = old[0] + hits, old[1] + total
            wide += [row for question in REGIONS for row in spreads(answers, question)]
    print(f"{'kind':<12}{'intervals':>10}{'hold the truth':>16}")
    for kind, (hits, total) in found.items():
        print(f"{kind:<12}{total:>10,}{hits / total:>16.3f}")
    print("a region's count of a year, median standard deviation in people")
    for name, column in zip(
        ("answered", "contributors", "both"), zip(*wide, strict=True), strict=True
    ):
        print(f"{name:<14}{median(column):>8.1f}")
    return any(hits / total < GOAL for hits, total in found.values())


if __name__ == "__main__":
    sys.exit(main())
