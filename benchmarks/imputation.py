"""How often the pooled interval of a logistic coefficient holds the true one.

    python benchmarks/imputation.py [--runs 200] [--case plain]

Fictitious people of three latent classes have six columns; whether they were helped follows a
logistic model of four of them, with known coefficients.  Each run draws people anew, protects them
with ten sets for inference, fits the model in every set and pools.  Prints for each coefficient how
often its 95 % interval holds the truth, and the mean half-width: of the exact data, of the
protected records taken as if they were real, and pooled.  The target is 184 of 200 runs, or as
many in a hundred, for each coefficient of the cases whose pairs with the outcome are measured.

Cases: plain; core (pairs alone are measured, no triples); large (20,000 people); epsilon2 and
half (epsilon 2 and 0.5); rare (the outcome of about two in a hundred); twin (two columns that
differ for one in fifty); blanks (a third of the answers missing in three columns); unmeasured (the
pairs of two columns with the outcome are not measured).
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ctdhub.client import pool
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.count import Codes, encode
from ctdhub.dp.mechanism import answer
from ctdhub.dp.plan import Plan
from ctdhub.dp.policy import Weights

Floats = npt.NDArray[np.float64]
People = dict[str, npt.NDArray[np.uint8]]

SIZES = {"sex": 2, "age": 3, "job": 4, "debt": 2, "route": 5, "helped": 2}
MODEL = ("sex", "age", "job", "debt")
NAMES = ("intercept", "sex", "age 2", "age 3", "job 2", "job 3", "job 4", "debt")
TRUE = (-0.8, 0.7, -0.5, 0.4, 0.6, -0.3, 0.3, -0.6)
CLASSES = (0.5, 0.3, 0.2)
SHARES: dict[str, list[list[float]]] = {
    "sex": [[0.7, 0.3], [0.4, 0.6], [0.2, 0.8]],
    "age": [[0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.1, 0.3, 0.6]],
    "job": [[0.4, 0.3, 0.2, 0.1], [0.1, 0.4, 0.3, 0.2], [0.25, 0.1, 0.15, 0.5]],
    "debt": [[0.8, 0.2], [0.5, 0.5], [0.3, 0.7]],
    "route": [[0.5, 0.2, 0.1, 0.1, 0.1], [0.1, 0.5, 0.2, 0.1, 0.1], [0.1, 0.1, 0.1, 0.3, 0.4]],
}
LEVEL, LEAST = 0.95, 0.92


@dataclass(frozen=True)
class Case:
    """People, and how they are protected.

    Attributes:
        intercept: of the logistic model.
        twin: share of people whose debt is what their sex says.
        blank: share of answers that are missing, in age, debt and helped.
        core: columns of which triples are measured.
        measured: whether every pair is, else those of core columns alone.
        promised: whether the target is for this case.
    """

    people: int = 5_000
    epsilon: float = 1.0
    intercept: float = TRUE[0]
    twin: float = 0.0
    blank: float = 0.0
    core: tuple[str, ...] = tuple(SIZES)
    measured: bool = True
    promised: bool = True


CASES = {
    "plain": Case(),
    "core": Case(core=()),
    "large": Case(people=20_000),
    "epsilon2": Case(epsilon=2.0),
    "half": Case(epsilon=0.5),
    "rare": Case(intercept=-4.0, promised=False),
    "twin": Case(twin=0.98, promised=False),
    "blanks": Case(blank=1 / 3),
    "unmeasured": Case(core=("sex", "age", "helped"), measured=False, promised=False),
}


def people_of(case: Case, rng: np.random.Generator) -> People:
    """Fictitious people, as codes; 0 is not recorded."""
    n = case.people
    latent = rng.choice(len(CLASSES), n, p=CLASSES)
    found = {}
    for name, shares in SHARES.items():
        upto = np.cumsum(np.array(shares), axis=1)[latent, :-1]
        found[name] = (1 + (rng.random(n)[:, None] > upto).sum(1)).astype(np.uint8)
    same = rng.random(n) < case.twin
    found["debt"][same] = found["sex"][same]
    chance = 1 / (1 + np.exp(-design(found) @ (case.intercept, *TRUE[1:])))
    found["helped"] = (1 + (rng.random(n) < chance)).astype(np.uint8)
    found["route"][rng.random(n) < 0.15] = 0
    for name in ("age", "debt", "helped"):
        found[name][rng.random(n) < case.blank] = 0
    return found


def design(people: People) -> Floats:
    """A column of ones, and one for each value but the first of each column of the model."""
    flags = [people[name] == v for name in MODEL for v in range(2, SIZES[name] + 1)]
    return np.stack([np.ones(len(flags[0])), *flags], axis=1)


def logistic(people: People) -> tuple[Floats, Floats]:
    """Coefficients and their variances by maximum likelihood, of people with every answer."""
    full = np.all([people[name] > 0 for name in (*MODEL, "helped")], axis=0)
    some = {name: codes[full] for name, codes in people.items()}
    rows, of = np.unique(design(some), axis=0, return_inverse=True)
    size = np.bincount(of.ravel()).astype(float)
    helped = np.bincount(of.ravel(), weights=some["helped"] == 2)
    found = np.zeros(rows.shape[1])
    for _ in range(25):
        chance = 1 / (1 + np.exp(-rows @ found))
        inverse = np.linalg.pinv((rows * (size * chance * (1 - chance))[:, None]).T @ rows)
        step = inverse @ rows.T @ (helped - size * chance)
        found += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            break
    return found, np.maximum(np.diag(inverse), 1e-12)


@dataclass(frozen=True)
class Estimates:
    """Coefficients and their variances: of the exact data, of the records, of each set."""

    exact: tuple[Floats, Floats]
    naive: tuple[Floats, Floats]
    sets: list[tuple[Floats, Floats]]


def estimated(case: Case, seed: int, sets: int = 10) -> Estimates:
    """Draw people, protect them, and fit the model to all that comes of it."""
    rng = np.random.default_rng(seed)
    people = people_of(case, rng)
    weights = Weights() if case.measured else Weights(pairs=0.0)
    domains = {n: tuple(str(k) for k in range(1, size + 1)) for n, size in SIZES.items()}
    plan = Plan(domains, core=case.core, weights=weights, imputations=sets)
    codes, rho = Codes(people, plan.sizes, case.people), rho_of(case.epsilon, 1e-6)
    found = answer(codes, plan, rho, rng.bytes)
    records, *each = (
        logistic(encode(table, domains).columns) for table in (found.records, *found.imputations)
    )
    return Estimates(logistic(people), records, each)


def run(case: Case, seed: int) -> tuple[Floats, Floats]:
    """By way (exact, naive, pooled) and coefficient: whether it is covered, and the half-width."""
    found = estimated(case, seed)
    pooled = [
        pool([e[k] for e, _ in found.sets], [v[k] for _, v in found.sets], level=LEVEL)
        for k in range(len(NAMES))
    ]
    lone = (found.exact, found.naive)
    centre = np.array([*(e for e, _ in lone), [p.estimate for p in pooled]])
    half = np.array([*(1.96 * v**0.5 for _, v in lone), [p.high - p.estimate for p in pooled]])
    true = np.array([case.intercept, *TRUE[1:]])
    return np.abs(centre - true) <= half, half


def show(name: str, case: Case, runs: int) -> bool:
    """Run a case and print its table; whether it meets the target, or need not."""
    began = time.process_time()
    found = [run(case, seed) for seed in range(runs)]
    covered = np.sum([c for c, _ in found], axis=0)
    half = np.mean([h for _, h in found], axis=0)
    cpu = (time.process_time() - began) / runs
    print(f"\n{name}: {case.people:,} people, epsilon {case.epsilon:g}; {cpu:.2f} CPU s a run")
    print(f"{'':10}{'covered of ' + str(runs):>24}{'mean half-width':>27}")
    print(f"{'':10}" + 2 * f"{'exact':>9}{'naive':>8}{'pooled':>8}")
    for k, label in enumerate(NAMES):
        counts = "".join(f"{n:>8.0f}" for n in covered[:, k])
        print(f"{label:10} {counts}  " + "".join(f"{h:>8.3f}" for h in half[:, k]))
    met = bool(covered[2].min() >= LEAST * runs)
    print(
        "target:",
        ("met" if met else "missed") if case.promised else "none for this case",
        flush=True,
    )
    return met or not case.promised


def main() -> int:
    """Every case, or the one that is named; 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--case", choices=CASES, action="append")
    asked = parser.parse_args()
    met = [show(name, CASES[name], asked.runs) for name in asked.case or CASES]
    return int(not all(met))


if __name__ == "__main__":
    sys.exit(main())
