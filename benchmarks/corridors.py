"""The largest corridors of some years: how far what is printed is from the truth.

Run: `python benchmarks/corridors.py [draws]`.  Truths come from a generator of its own,
with corridors of very different size, for small and large hubs.  Two rules are compared: the
largest sums that are clear of zero, and the picks of `ctdhub.stats.tables`.
"""

from __future__ import annotations

import math
import sys
from typing import NamedTuple

import numpy as np

from ctdhub.stats.cards import Interval
from ctdhub.stats.tables import picked

Z, YEARS, CORRIDORS, MOST = 1.96, 20, 600, 5
COVERED, TWICE, SUM = 0.93, 0.10, 0.10
PUBLISHED = 3
"""Standard deviations from which a total over all years is published."""


class Hub(NamedTuple):
    """People, years asked for, noise of a cell, tail of the sizes (1.1 heavy, 3 nearly even)."""

    people: int
    years: int
    sigma: float
    tail: float


HUBS = (
    Hub(300, 2, 4, 1.1),
    Hub(1_500, 2, 4, 1.1),
    Hub(1_500, 5, 4, 1.1),
    Hub(5_000, 3, 8, 3.0),
    Hub(20_000, 3, 20, 2.0),
    Hub(20_000, 2, 8, 1.1),
    Hub(20_000, 5, 8, 1.1),
    Hub(20_000, 16, 8, 1.1),
)


def simulate(hub: Hub, draws: int, *, adjusted: bool) -> tuple[float, float, float, float]:
    """Listed per draw; coverage; share over twice the truth; sum of values by sum of truths."""
    rng = np.random.default_rng(1)
    listed = hits = over = 0
    values = truths = 0.0
    for _ in range(draws):
        weights = rng.pareto(hub.tail, CORRIDORS)
        total = rng.poisson(hub.people * weights / weights.sum())
        part = np.minimum(1, hub.years / YEARS * rng.lognormal(0, 0.4, CORRIDORS))
        truth = rng.binomial(total, part)
        sd = hub.sigma * math.sqrt(hub.years)
        half = math.ceil(Z * sd)
        noisy = np.maximum(0, np.rint(truth + rng.normal(0, sd, CORRIDORS))).astype(int)
        usual = total + rng.normal(0, hub.sigma, CORRIDORS)
        share = float(truth.sum()) / max(1, hub.people)
        asked = {
            k: (Interval(int(y), max(0, int(y) - half), int(y) + half), share * float(usual[k]))
            for k, y in enumerate(noisy)
            if usual[k] > PUBLISHED * hub.sigma
        }
        if adjusted:
            found = picked(asked, Z, MOST)
        else:
            clear = [k for k, (a, _m) in asked.items() if (a.low or 0) > 0]
            found = sorted(clear, key=lambda k: -noisy[k])[:MOST]
        listed += len(found)
        hits += sum(noisy[k] - half <= truth[k] <= noisy[k] + half for k in found)
        over += sum(noisy[k] > 2 * truth[k] for k in found)
        values += sum(int(noisy[k]) for k in found)
        truths += sum(int(truth[k]) for k in found)
    n = max(1, listed)
    return listed / draws, hits / n, over / n, values / max(1.0, truths)


def main() -> int:
    """Print both rules for every hub; 1 where a hub of 1,000 people and more misses a target."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    print("people  years  sigma  tail  rule      listed  coverage  over twice  values/truths")
    missed = False
    for hub in HUBS:
        for name, adjusted in (("largest", False), ("adjusted", True)):
            row = simulate(hub, draws, adjusted=adjusted)
            print(
                f"{hub.people:6}  {hub.years:5}  {hub.sigma:5.0f}  {hub.tail:4.1f}  {name:8}"
                f"  {row[0]:6.2f}  {row[1]:8.3f}  {row[2]:10.3f}  {row[3]:13.2f}"
            )
            held = row[1] >= COVERED and row[2] <= TWICE and abs(row[3] - 1) <= SUM
            missed |= adjusted and hub.people >= 1_000 and not held
    print(f"targets of adjusted: coverage {COVERED}, over twice {TWICE}, sum within {SUM}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
