"""The two-world attack: many releases with and without one wide record, told apart by an attacker.

A wide record has a rare value in every column.  An older generator of protected records let its
bounds depend on the data, so that one such record changed what was published and was told almost
always.  The attacker here knows everybody else and looks for just that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from attacks.bounds import RateDifference, rate, two_world_epsilon
from attacks.views import Setting, cells, joined, packed, shown
from ctdhub.dp.count import Codes
from ctdhub.dp.mechanism import MechanismOutput
from ctdhub.dp.plan import Plan
from ctdhub.dp.workload import measure

Floats = npt.NDArray[np.float64]

STATISTICS = (
    "counts of the wide record that are shown",
    "their sum",
    "counts that are shown",
    "most values that a protected record shares with the wide record",
    "protected records that share a value with it",
    "different values among the protected records",
    "people",
)
"""What the attacker reads from a release, in English words, in the order of :func:`read`."""


@dataclass(frozen=True)
class WorldsAttack:
    """What the attack proved.

    Attributes:
        people: number of people in the world without the wide record.
        runs: releases in each world that were judged; as many again chose how to judge.
        right, wrong: alarms in the world with the record, and in the one without.
        statistic: what the attacker looked at.
        epsilon: lower bound on epsilon.
        gain: share of releases whose world was told, less one half, with its interval.
    """

    people: int
    runs: int
    right: int
    wrong: int
    statistic: str
    epsilon: float
    gain: RateDifference


def wide(people: Codes) -> Codes:
    """One record with the rarest recorded value of each column, the last among equals."""
    columns = {}
    for name, codes in people.columns.items():
        held = np.bincount(codes, minlength=people.sizes[name])[1:]
        rarest = held.size - int(np.argmin(held[::-1])) if held.size else 0
        columns[name] = packed(np.array([rarest]), people.sizes[name])
    return Codes(columns, people.sizes, 1)


def attack_releases(setting: Setting, people: Codes, risk: float, runs: int) -> WorldsAttack:
    """Tell the worlds apart by what is released; ``runs`` judged releases in each world."""
    record = wide(people)
    worlds = (people, joined(people, record))
    found = np.zeros((2, 2 * runs, len(STATISTICS)))
    for run in range(2 * runs):
        for inside, world in enumerate(worlds):
            found[inside, run] = read(setting.answer(world), setting.plan, record)
    return _judged(found, people.people, STATISTICS, setting.delta, risk)


def attack_tables(setting: Setting, people: Codes, risk: float, runs: int) -> WorldsAttack:
    """Tell the worlds apart by the noisy tables: the likelihood ratio, which no test can beat.

    The wide record adds one to one cell of each table, so the logarithm of the ratio is the sum
    over tables of (y - b) / sigma squared, up to a constant.
    """
    record, questions = wide(people), setting.questions
    worlds = [setting.count(world) for world in (people, joined(people, record))]
    place = {q.columns: int(cells(record, q, setting.plan)[0]) for q in questions}
    found = np.zeros((2, 2 * runs, 1))
    for inside, exact in enumerate(worlds):
        for run in range(2 * runs):
            seen = measure(exact, questions, setting.source)
            found[inside, run] = sum(
                float(seen[t].ravel()[place[t]] - worlds[0][t].ravel()[place[t]]) / float(q.sigma2)
                for q in questions
                for t in [q.columns]
            )
    return _judged(found, people.people, ("likelihood ratio",), setting.delta, risk)


def read(found: MechanismOutput, plan: Plan, record: Codes) -> Floats:
    """What a release says about the wide record, by :data:`STATISTICS`."""
    values = {n: ("", *plan.domains[n])[int(c[0])] for n, c in record.columns.items()}
    counts = shown(found.counts)
    mine = [
        n
        for columns, v, n in counts
        if all(values[c] == x for c, x in zip(columns, v, strict=True))
    ]
    shared = np.zeros(found.records.num_rows, dtype=np.int64)
    different = 0
    for name, value in values.items():
        column = np.array(found.records.column(name).fill_null("").to_pylist(), dtype=object)
        shared += column == value
        different += len(set(column))
    most, some = (int(shared.max()), int((shared > 0).sum())) if shared.size else (0, 0)
    figures = (len(mine), sum(mine), len(counts), most, some, different, found.people.value)
    return np.array(figures, dtype=float)


def _judged(
    found: Floats, people: int, names: Sequence[str], delta: float, risk: float
) -> WorldsAttack:
    """Choose statistic, threshold and direction on one half of the runs, judge on the other.

    So the choice costs no confidence.
    """
    runs = found.shape[1] // 2
    chosen, best = (0, 0.0, 1), -np.inf
    for s in range(found.shape[2]):
        out, held = found[:, :runs, s]
        for threshold in np.unique(np.concatenate([out, held])):
            for sign in (1, -1):
                right, wrong = (float((sign * w >= sign * threshold).mean()) for w in (held, out))
                # The distance of two rates in standard errors; a run more of each keeps it finite.
                p, q = ((r * runs + 0.5) / (runs + 1) for r in (right, wrong))
                gain = (p - q) / np.sqrt(p * (1 - p) + q * (1 - q))
                if gain > best:
                    chosen, best = (s, float(threshold), sign), gain
    s, threshold, sign = chosen
    out, held = sign * found[:, runs:, s]
    right, wrong = int((held >= sign * threshold).sum()), int((out >= sign * threshold).sum())
    epsilon = two_world_epsilon(right, wrong, runs, delta, risk)
    gain = rate(right + runs - wrong, 2 * runs, risk)
    return WorldsAttack(people, runs, right, wrong, names[s], epsilon, gain)
