"""Attacks on the engine's METHOD: planted people, two worlds that differ by one, guesses.

    python benchmarks/attack.py           prints, and writes benchmarks/out/attacks.json
    python benchmarks/attack.py --card    writes src/ctdhub/dp/attacks.json, which ctdhub ships

Run it with --card once for each new METHOD (``ctdhub.dp.quote``).  All people are fictitious, and
every attacker knows everybody else.  A line says by how much guesses were better than chance, with
an interval at the level of 95 %, the most that the guarantee allows, and the lower bound on epsilon
that they prove.  It misses its target where an attack is surely above what is allowed.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from attacks import canary, membership, two_worlds
from attacks.bounds import RateDifference, greatest_advantage
from attacks.views import Setting

import ctdhub
from ctdhub.dp.count import Codes, encode
from ctdhub.dp.plan import plan_of
from ctdhub.dp.policy import Policy
from ctdhub.dp.quote import METHOD
from ctdhub.practice.people import FEWEST, invented_people
from ctdhub.schema.model import load_schema

OUT = Path(__file__).parent / "out" / "attacks.json"
CARD = Path(ctdhub.__file__).parent / "dp" / "attacks.json"
FEW = (
    "gender",
    "age_band",
    "country_of_exploitation",
    "means_threats",
    "means_debt_bondage",
    "exploitation_sexual",
)
"""Columns of the two worlds, which take many runs."""
PEOPLE, WORLDS, CANARIES = 3000, (500, 3000, 6000), 500
EPSILONS, DELTA, RISK = (0.5, 1.0, 2.0), 1e-6, 0.05
Row = dict[str, Any]


def setting(epsilon: float, columns: tuple[str, ...] = ()) -> Setting:
    """What a new hub promises at that epsilon; all columns that invented people have, or some."""
    schema, held = load_schema(), set(invented_people(FEWEST).column_names)
    promise = {"epsilon": epsilon, "delta": DELTA, "max_people": 10_000, "imputations": 0}
    every = [n for n in Policy.model_validate(promise).domains(schema) if n in held]
    policy = Policy.model_validate(promise | {"columns": columns or every})
    return Setting(plan_of(policy, schema), epsilon, DELTA)


def crowd(people: int, of: Setting) -> Codes:
    """Invented people in the codes of a plan."""
    table = invented_people(people)
    texts = {n: table[n].cast(pa.string()) for n in of.plan.domains}
    return encode(pa.table(texts), of.plan.domains)


def attacks(runs: int, tables: int) -> Iterator[Row]:
    """Each attack as a row of the card.

    Args:
        runs: releases in each of two worlds that are judged; as many again choose how to judge.
        tables: the same of noisy tables.
    """
    for epsilon in EPSILONS:
        whole = setting(epsilon)
        people = crowd(PEOPLE, whole)
        planted = canary.canaries(whole.plan, CANARIES)
        for seen, view in (("release", whole.published), ("tables", whole.measured)):
            found = canary.attack(whole, people, planted, view, RISK)
            guesses = found.guesses, found.right, found.gain, found.epsilon
            yield row("canary", seen, whole, PEOPLE, *guesses)
        schema = load_schema()
        columns = [schema.variable(n) for n in whole.plan.domains]
        secret = tuple(v.name for v in columns if v.kind in ("flag", "status") and not v.any_of)
        sides = membership.attack(whole, people, secret)
        inside, outside = sides.inside, sides.outside
        for name, right, other, gain in (
            ("inference", inside.right, outside.right, sides.guessed(RISK)),
            ("copies", inside.copies, outside.copies, sides.copied(RISK)),
        ):
            others = outside.targets, other / max(1, outside.targets)
            yield row(name, "release", whole, PEOPLE, inside.targets, right, gain, None, others)
        for n in WORLDS:
            few = setting(epsilon, FEW)
            others = crowd(n, few)
            for seen, tried in (
                ("release", two_worlds.attack_releases(few, others, RISK, runs)),
                ("tables", two_worlds.attack_tables(few, others, RISK, tables)),
            ):
                right = tried.right + tried.runs - tried.wrong
                yield row("worlds", seen, few, n, 2 * tried.runs, right, tried.gain, tried.epsilon)


def row(
    attack: str,
    seen: str,
    of: Setting,
    people: int,
    trials: int,
    right: int,
    gain: RateDifference,
    proved: float | None,
    others: tuple[int | None, float] = (None, 0.5),
) -> Row:
    """A line of the card.

    Args:
        trials, right: guesses, and how many of them were right.
        gain: the share of right guesses less that without the person, with its interval.
        proved: the lower bound on epsilon, None where people in and out are compared.
        others: number of people held out, and the share of right guesses about them; a coin is
            guessed with one half.
    """
    allowed = greatest_advantage(of.epsilon, of.delta) * (1.0 if proved is None else 0.5)
    return {
        "attack": attack,
        "seen": seen,
        "people": people,
        "columns": len(of.plan.domains),
        "epsilon": of.epsilon,
        "delta": of.delta,
        "trials": trials,
        "right": right,
        "others": others[0],
        "chance": round(others[1], 4),
        "gain": round(gain.value, 4),
        "low": math.floor(gain.low * 1e4) / 1e4,
        "high": math.ceil(gain.high * 1e4) / 1e4,
        "allowed": math.floor(allowed * 1e4) / 1e4,
        "proved": None if proved is None else round(proved, 3),
    }


def main() -> int:
    """Print and write all; 1 where an attack is above what is allowed."""
    options = argparse.ArgumentParser()
    options.add_argument("--runs", type=int, default=40)
    options.add_argument("--tables", type=int, default=400)
    options.add_argument("--card", action="store_true")
    given = options.parse_args()
    print(
        f"{'attack':20}{'people':>7}{'epsilon':>8}{'trials':>7}{'right':>6}  gain, allowed, proved"
    )
    start, found = time.process_time(), []
    for one in attacks(given.runs, given.tables):
        found.append(one)
        told = "{gain:+.3f} ({low:+.3f} to {high:+.3f}), {allowed:.3f}, {proved}".format(**one)
        print(
            f"{one['attack']:10}{one['seen']:10}{one['people']:7}{one['epsilon']:8g}"
            f"{one['trials']:7}{one['right']:6}  {told}",
            flush=True,
        )
    above = [f for f in found if f["low"] > f["allowed"] or (f["proved"] or 0) > f["epsilon"]]
    print(
        f"{time.process_time() - start:.0f} CPU s; above: {len(above)} of {len(found)} (target 0)"
    )
    card = {
        "method": METHOD,
        "made": datetime.now(UTC).date().isoformat(),
        "level": 1 - RISK,
        "attacks": found,
    }
    file = CARD if given.card else OUT
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    return int(bool(above))


if __name__ == "__main__":
    sys.exit(main())
