"""One set of counts: how near it is to the truth, and how often its intervals hold it.

    python benchmarks/reconcile.py [DRAWS]       5 draws of noise by default

The shapes are those of ``engine/shapes.py``, which the engine is not tuned on, and a crowd of
clumps with many empty cells.  For each shape: root mean square error of the cells that stand out,
in standard deviations of the least-squares fit, for the fit alone and as published; how many of
these cells are left out; coverage of all intervals, of small counts (under four standard
deviations) and of large ones, misses below and above the interval, the least coverage of tables of
one size; parts above their whole; CPU seconds.
Goals: coverage at least .95 in all columns, at most 4 % left out, no part above its whole.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from itertools import combinations
from time import process_time

import numpy as np
from engine.shapes import SHAPES, wide_columns

from ctdhub.dp import published
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.count import Codes, Counts, count
from ctdhub.dp.plan import Columns, Plan
from ctdhub.dp.published import (
    PublishedCells,
    cell_variances,
    least_squares,
    most_pooled,
    pool,
    published_cells,
)
from ctdhub.dp.synth.fit import fit
from ctdhub.dp.synth.records import NoisyTables, settled
from ctdhub.dp.workload import Workload, measure, workload

ROWS, EPSILON, DELTA, LEVEL, SHARE = 20_000, 1.0, 1e-6, 0.95, 0.005


def clumps(rows: int) -> dict[str, tuple[tuple[str, ...], np.ndarray]]:
    """Each person takes over the row of somebody who is there, but for one new value."""
    rng = np.random.default_rng(21)
    sizes = [9, 121, 81, 4, 4, 3, 3]
    found = np.zeros((rows, len(sizes)), dtype=np.int64)
    for i in range(1, rows):
        found[i] = found[rng.integers(i)]
        if rng.random() < 0.25:
            k = rng.integers(len(sizes))
            found[i, k] = min(sizes[k] - 1, int(rng.pareto(0.8)))
    return {f"c{k}": (tuple(map(str, range(1, size))), found[:, k]) for k, size in enumerate(sizes)}


def main() -> int:
    """Print the table; 1 where a goal was missed."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    shapes = {n: make for n, (make, _rows) in SHAPES.items()}
    shapes |= {"wide": lambda rows: wide_columns(rows, (60, 200, 300)), "clumps": clumps}
    print("shape | cells | fit | published | left out | held | small | large | below | above |"
          " least table size | parts above | CPU fit, settle")  # fmt: skip
    good = True
    for name, make in shapes.items():
        table = make(ROWS)
        domains = {n: tuple(values) for n, (values, _codes) in table.items()}
        core = tuple(domains) if len(domains) <= 12 else ()
        plan = Plan(domains, core=core)
        codes = Codes(
            {n: np.asarray(c).astype(np.uint16) for n, (_v, c) in table.items()}, plan.sizes, ROWS
        )
        questions = workload(plan, rho_of(EPSILON, DELTA))
        truth = count(codes, [q.columns for q in questions])
        found = Figures()
        for _ in range(draws):
            found.draw(plan, questions, truth)
        good &= found.row(name)
    return 0 if good else 1


class Figures:
    """What several draws of noise give."""

    def __init__(self) -> None:
        self.fit: list[np.ndarray] = []
        self.made: list[np.ndarray] = []
        self.hold: dict[str, list[np.ndarray]] = defaultdict(list)
        self.chosen = self.lost = self.above = 0
        self.cpu = [0.0, 0.0]

    def draw(self, plan: Plan, questions: Workload, truth: Counts) -> None:
        """Once through the mechanism, with what it forgets at hand."""
        noisy = measure(truth, questions)
        pooled, variance = pool(noisy, questions), cell_variances(questions)
        most = pool(noisy, questions, most_pooled(questions))
        found = dict(least_squares(noisy, questions, most, variance))
        total = published.total_people(found, LEVEL)
        shown = published.shown_cells(found.items(), questions, total, LEVEL, SHARE, plan.domains)
        begun = process_time()
        records = fit(NoisyTables.of(noisy, questions, pooled), plan, total.value)
        self.cpu[0] += process_time() - begun
        begun = process_time()
        records = settled(records, shown, plan, total.value)
        self.cpu[1] += process_time() - begun
        made = count(Codes(dict(records), plan.sizes, total.value), [q.columns for q in questions])
        cells = published_cells(made, questions, total, shown, LEVEL, SHARE)
        for q in questions:
            t = q.columns
            if not t:
                continue
            at, true = cells[t], truth[t].ravel()[cells[t].cells]
            self.fit.append((found[t].value.ravel()[at.cells] - true) / found[t].sd)
            self.made.append((at.count - true) / found[t].sd)
            self.chosen += shown[t].cells.size
            self.lost += shown[t].cells.size - at.cells.size
            inside = (at.low <= true) & (true <= at.high)
            self.hold["all"].append(inside)
            near = at.count < 4 * found[t].sd
            self.hold["small"].append(inside[near])
            self.hold["large"].append(inside[~near])
            self.hold["below"].append(true >= at.low)
            self.hold["above"].append(true <= at.high)
            self.hold[f"{len(t)}"].append(inside)
        self.above += parts_above(cells, plan)

    def row(self, name: str) -> bool:
        """Print the figures; whether the goals are met."""
        held = {k: float(np.concatenate(v).mean()) for k, v in self.hold.items()}
        least = min(held[k] for k in held if k.isdigit())
        lost = self.lost / max(1, self.chosen)
        errors = [float(np.sqrt(np.mean(np.concatenate(e) ** 2))) for e in (self.fit, self.made)]
        print(
            f"{name} | {self.chosen} | {errors[0]:.2f} | {errors[1]:.2f} | {lost:.2%} | "
            f"{held['all']:.3f} | {held['small']:.3f} | {held['large']:.3f} | "
            f"{1 - held['below']:.3f} | {1 - held['above']:.3f} | {least:.3f} | {self.above} | "
            f"{self.cpu[0]:.1f}, {self.cpu[1]:.1f}",
            flush=True,
        )
        return min(held["all"], held["small"], held["large"], least) >= 0.95 and (
            lost <= 0.04 and not self.above
        )


def parts_above(cells: dict[Columns, PublishedCells], plan: Plan) -> int:
    """Published cells with a published whole that is smaller, in count or in either end."""
    wrong = 0
    for t, part in cells.items():
        at = dict(zip(t, np.unravel_index(part.cells, plan.shape(t)), strict=True)) if t else {}
        for k in range(1, len(t)):
            for whole in combinations(t, k):
                if whole not in cells:
                    continue
                place = np.ravel_multi_index([at[n] for n in whole], plan.shape(whole))
                for mine, its in (
                    (part.count, cells[whole].count),
                    (part.low, cells[whole].low),
                    (part.high, cells[whole].high),
                ):
                    all_ = np.full(int(np.prod(plan.shape(whole))), np.iinfo(np.int64).max)
                    all_[cells[whole].cells] = its
                    wrong += int((mine > all_[place]).sum())
    return wrong


if __name__ == "__main__":
    sys.exit(main())
