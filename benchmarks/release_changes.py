"""How many of the cells that "What changed" calls different between two releases are not.

    python benchmarks/release_changes.py [--draws 100] [--people 10000]

Practice people (fictitious), two releases with fresh noise each: of the same people; of people
without one contributor; of people without every other citizen of one country.  Prints for each the
share of draws with any cell found, the mean false share of the cells found (goal: at most 0.05),
the share of them that moved the other way, the share of truly changed cells that were found, and
how many intervals hold the true difference (goal: at least 0.95).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit"))
sys.path.insert(0, str(Path(__file__).parents[1]))

from changed_releases import HOTLINE, draw, without
from practice_releases import Practice

from ctdhub.stats.release_changes import RATE

LEVEL = 0.95


def main() -> int:
    """Print the table; 1 where a goal is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--people", type=int, default=10_000)
    given = parser.parse_args()
    missed = False
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)

        def once(name: str, make: Callable[[Path], object]) -> Path:
            make(place / name)
            return place / name

        every = Practice.made(once, place / "all", given.people)
        cases = {
            "same people": every,
            "without one contributor": without(every, contributor=HOTLINE),
            "half of one citizenship": without(every, citizenship="UKR"),
        }
        heads = ("any", "false", "wrong way", "found", "held", "cells")
        print(f"{'case':<26}" + "".join(f"{head:>10}" for head in heads))
        for name, now in cases.items():
            drawn = [draw(every, now, seed) for seed in range(given.draws)]
            cells, found = (
                sum(x) for x in zip(*((len(d.result.cells), d.found) for d in drawn), strict=True)
            )
            false = sum(d.false_share for d in drawn) / len(drawn)
            held = sum(d.held for d in drawn) / cells
            changed = max(1, sum(d.changed for d in drawn))
            wrong = sum(d.wrong_way for d in drawn) / max(1, found)
            right = sum(d.found - d.false for d in drawn) / changed
            some = sum(d.found > 0 for d in drawn) / len(drawn)
            numbers = "".join(f"{x:>10.4f}" for x in (some, false, wrong, right, held))
            print(f"{name:<26}{numbers}{cells // len(drawn):>10}")
            missed |= false > RATE or held < LEVEL
    return int(missed)


if __name__ == "__main__":
    raise SystemExit(main())
