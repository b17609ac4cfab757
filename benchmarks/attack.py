"""The two-world attack with a wide record: n = 500, 3,000, 6,000 at epsilon 0.5, 1, 2.

    python benchmarks/attack.py [--runs 80] [--tables 1000] [--out FILE.json]

Each cell attacks the product's own releases of six columns, as often as --runs says in each world
(and as often again to choose how to judge), and its noisy tables as often as --tables says.  The
people are fictitious.  It prints the lower bounds on epsilon that the attacks prove, beside what a
perfect attack on as many releases would prove, and misses its target where one is above the claim.
Each bound is wrong with a chance of at most 1 in 1000.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from ctdhub.dp.audit import two_worlds
from ctdhub.dp.audit.bounds import two_world_epsilon
from ctdhub.dp.audit.views import Setting, packed
from ctdhub.dp.count import Codes
from ctdhub.dp.plan import Plan, plan_of
from ctdhub.dp.policy import Policy
from ctdhub.schema.model import load_schema

OUT = Path(__file__).parent / "out" / "attack.json"
COLUMNS = (
    "gender",
    "age_band",
    "country_of_exploitation",
    "means_threats",
    "means_debt_bondage",
    "exploitation_sexual",
)
PEOPLE, EPSILONS, DELTA, RISK, SEED = (500, 3000, 6000), (0.5, 1.0, 2.0), 1e-6, 1e-3, 4


def crowd(plan: Plan, people: int) -> Codes:
    """Fictitious people who are alike: at most three values of each column are in use."""
    rng, columns = np.random.default_rng(SEED), {}
    for name, size in plan.sizes.items():
        shares = rng.dirichlet(np.ones(min(size, 4)))
        columns[name] = packed(rng.choice(shares.size, people, p=shares), size)
    return Codes(columns, dict(plan.sizes), people)


def main() -> int:
    """Print and write all nine; 1 where a bound is above its claim."""
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=80)
    options.add_argument("--tables", type=int, default=1000)
    options.add_argument("--out", type=Path, default=OUT)
    given = options.parse_args()
    perfect = two_world_epsilon(given.runs, 0, given.runs, DELTA, RISK)
    print(f"a perfect attack on {given.runs} releases would prove {perfect:.2f}")
    print(f"{'people':>7}{'claimed':>9}{'release':>9}{'tables':>9}{'CPU s':>8}", flush=True)
    found = []
    for people in PEOPLE:
        for epsilon in EPSILONS:
            policy = Policy(columns=COLUMNS, epsilon=epsilon, delta=DELTA, max_people=10_000)
            setting = Setting(plan_of(policy, load_schema()), epsilon, DELTA)
            own, start = crowd(setting.plan, people), time.process_time()
            release = two_worlds.attack_releases(setting, own, RISK, given.runs)
            tables = two_worlds.attack_tables(setting, own, RISK, given.tables)
            seconds = time.process_time() - start
            print(
                f"{people:7}{epsilon:9g}{release.epsilon:9.3f}{tables.epsilon:9.3f}{seconds:8.1f}",
                flush=True,
            )
            found.append(
                {
                    "people": people,
                    "claimed": epsilon,
                    "release": asdict(release),
                    "tables": asdict(tables),
                    "cpu_seconds": round(seconds, 1),
                }
            )
    given.out.parent.mkdir(parents=True, exist_ok=True)
    report = {"risk": RISK, "perfect": perfect, "attacks": found}
    given.out.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    above = [
        f for f in found if max(f["release"]["epsilon"], f["tables"]["epsilon"]) > f["claimed"]
    ]
    print(f"above the claim: {len(above)} of {len(found)} (target 0)")
    return int(bool(above))


if __name__ == "__main__":
    sys.exit(main())
