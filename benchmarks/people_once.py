"""Whether the printed interval of a hub holds the number of people, by culture of names.

    python benchmarks/people_once.py [--people 1000] [--draws 3] [--epsilon 2] [--world NAME]

Each culture of ``tests/unit/cultures_source.py``, and the five scripts of ``ctdhub practice
--names``, is a hub of its own, with births of every quality; then worlds of other kinds: names of
syllables typed with ever more errors, one contributor, people of whom nobody is double, and
contributors who share few.  People do not exist.  Each draw has other people and noise as a release
of the default policy draws it: rows by person, the recorded people, the interval that is printed,
whether it holds the people, and whether the release says that there may be even fewer.  Goal: in
each world every interval holds them, or says so; the worst is the figure.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "unit"))

from cultures_source import MIXED, Recipe, cultures, offices, people
from test_linkage_clusters import MAKER, tables

from ctdhub.border import COUNTS, Estimate
from ctdhub.dp.accounting import rho_of
from ctdhub.dp.policy import AUTO_DOUBLES, Policy
from ctdhub.dp.sources import Overlap, SourceTables, double_tables
from ctdhub.practice.naming import write_names
from ctdhub.release.manifest import LinkErrors
from ctdhub.schema.model import ORIGIN
from ctdhub.sensitive.linkage.pprl.derive import QUALITIES, Identity, quality_of
from ctdhub.sensitive.linkage.token_joins import joins, joint_keys, possible_doubles

Known = Iterator[tuple[str, str, Identity, str | None, str | None]]
"""Office, person, how the office writes her, gender, citizenship."""
World = Callable[[int, np.random.Generator], Known]
SIZES = (((1, 3), 400), ((2, 4), 2000), ((3, 3), 80))
"""Syllables of own names, family names and places, and how many there are of each."""
SIGMA = 10.0
"""Noise of the number of people; what it is matters little here."""


def culture(name: str) -> World:
    """Three offices, each of which knows half of the people."""

    def known(n: int, rng: np.random.Generator) -> Known:
        recipe, of = Recipe(MIXED.births, 0.9), cultures()[name]
        group = people(of, n, rng, recipe)
        for office, at, who in offices(group, rng, recipe, 0.5):
            yield str(office), str(at), who, group[at].gender, of.citizenship

    return known


def scripts(n: int, rng: np.random.Generator) -> Known:
    """Five offices, four scripts."""
    with TemporaryDirectory() as folder:
        files = write_names(Path(folder), n, int(rng.integers(2**31)))
        with (Path(folder) / "truth.csv").open(encoding="utf-8") as lines:
            truth = {r["case"]: r["person"] for r in csv.DictReader(lines)}
        for office, path in files.items():
            with path.open(encoding="utf-8") as lines:
                for r in csv.DictReader(lines):
                    who = Identity(r["given_name"], r["family_name"], r["birth_date"], r["town"])
                    gender = {"F": "female", "M": "male"}[r["sex"]]
                    yield office, truth[r["case_number"]], who, gender, r["citizenship"] or None


def typed(rate: float, number: int = 3, knows: float = 0.5) -> World:
    """Names of syllables, at ``number`` offices that mistype that share of all letters, and three
    times that share of days, months and years."""

    def known(n: int, rng: np.random.Generator) -> Known:
        def name(least: int, most: int) -> str:
            parts = int(rng.integers(least, most + 1))
            return "".join(rng.choice(list("bdfgklmnprstvz")) + rng.choice(list("aeiou"))
                           for _part in range(parts))  # fmt: skip

        def mistyped(text: str) -> str:
            slips = ("", "xx", str(rng.choice(list("qwertyuiopasdfghjklzxcvbnm"))))
            return "".join(slips[int(rng.integers(3))].replace("xx", letter * 2)
                           if rng.random() < rate else letter for letter in text)  # fmt: skip

        own, houses, towns = ([name(*size) for _i in range(many)]
                              for size, many in SIZES)  # fmt: skip
        for person in range(n):
            names = [some[int(len(some) * rng.random() ** 2)] for some in (own, houses, towns)]
            born = 1965 + int(rng.integers(45)), *(int(rng.integers(1, k)) for k in (13, 29))
            gender = "female" if rng.random() < 0.6 else "male"
            for office in range(number):
                if rng.random() >= knows:
                    continue
                date = [int(rng.integers(low, high)) if rng.random() < 3 * rate else part
                        for part, (low, high) in zip(born, ((1965, 2010), (1, 13), (1, 29)),
                                                     strict=True)]  # fmt: skip
                given, family, town = map(mistyped, names)
                who = Identity(given, family, "{}-{:02}-{:02}".format(*date), town)
                yield str(office), str(person), who, gender, "ROU"

    return known


def nobody(n: int, rng: np.random.Generator) -> Known:
    """Three offices; each person is known to one of them."""
    for at, (_office, *rest) in enumerate(typed(0.02, 1, 1.0)(n, rng)):
        yield str(at % 3), *rest


WORLDS: dict[str, World] = {
    **{name: culture(name) for name in cultures()},
    "four scripts": scripts,
    **{f"typed, {rate:.0%}": typed(rate) for rate in (0.01, 0.03, 0.06, 0.1)},
    "nobody double": nobody,
    "few shared": typed(0.03, 3, 0.05),
    "one contributor": typed(0.03, 1, 1.0),
}


def drawn(world: World, asked: argparse.Namespace, seed: int) -> tuple[int, int, LinkErrors]:
    """Recorded people, people, and what a release says of its links."""
    rng, rows, truth = np.random.default_rng(seed), [], set()
    origins: Counter[str] = Counter()
    for at, (by, person, who, gender, of) in enumerate(world(asked.people, rng)):
        first, every = MAKER.tokens(who)
        held = [*every, QUALITIES[quality_of(who)]]
        rows.append({"id": f"{at:06d}", "by": by, "key": first or None, "tokens": held,
                     "gender": gender, "citizenship": of,
                     "year_of_registration": 2020})  # fmt: skip
        truth.add(person)
        origins[str(of)] += 1
    records, tokens = tables(rows)
    by_rows = joins(records, tokens, 1)
    person = pc.coalesce(records["person_key"], records["record_id"]).combine_chunks()
    recorded = len(set(joint_keys(person, by_rows).to_pylist()))
    found = possible_doubles(records, tokens, by_rows, 1)
    linking = {"people": 1, "lists": 1, "doubles": AUTO_DOUBLES}
    policy = Policy.model_validate({"linking": linking})
    facts = {"contributors": [{"id": by} for by in sorted({str(r["by"]) for r in rows})]}
    doubles = double_tables(policy, facts)
    assert doubles is not None
    exact = Overlap(
        without_key=found.without_key,
        possible=dict(found.citizenship),
        captures=dict(found.captures),
    )
    tables_ = SourceTables({}, None, AUTO_DOUBLES, 1, doubles)
    rho = rho_of(asked.epsilon, policy.delta) * AUTO_DOUBLES
    sources = tables_.measured(doubles.counts(exact), rho, rng.bytes)
    low = round(recorded + SIGMA * rng.standard_normal() - 1.96 * SIGMA)
    answer = SimpleNamespace(
        sources=sources,
        guarantee=SimpleNamespace(level=policy.level),
        people=Estimate(low + round(1.96 * SIGMA), low, low + round(3.92 * SIGMA)),
        facts=facts,
        counts=pa.table(
            [[[ORIGIN]], [[origins.most_common(1)[0][0]]], [recorded], [1], [recorded], ["shown"]],
            schema=COUNTS,
        ),
    )
    errors = LinkErrors.of(answer)  # type: ignore[arg-type]
    assert errors is not None
    asked.ends = errors.once(answer.people.low, answer.people.high)
    return recorded, len(truth), errors


def main() -> int:
    """Print a line for each world; 1 where an interval claims people that it does not hold."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--epsilon", type=float, default=2.0)
    parser.add_argument("--world", choices=WORLDS, default=None)
    asked = parser.parse_args()
    print("world             rows/person  recorded  people  printed interval   holds  says so")
    claimed, worst = [], (1.0, "")
    for name, world in WORLDS.items():
        if asked.world not in (None, name):
            continue
        held, said, wrong, ratios = 0, 0, 0, []
        for seed in range(asked.draws):
            recorded, true, errors = drawn(world, asked, 1000 + seed)
            low, high = asked.ends
            holds = low <= true <= high
            held, said, wrong = (
                held + holds,
                said + errors.even_more,
                wrong + (not (holds or errors.even_more)),
            )
            ratios.append(recorded / true)
        share = held / asked.draws
        print(f"{name:18} {np.mean(ratios):9.2f} {recorded:9,} {true:8,}  {low:7,.0f} {high:7,.0f}"
              f"   {held}/{asked.draws}    {said}/{asked.draws}", flush=True)  # fmt: skip
        worst = min(worst, (share, name))
        claimed += [name] * wrong
    print(f"worst: {worst[1] or 'all hold'} {worst[0]:.2f}; claimed wrongly: {claimed or 'none'}")
    return bool(claimed)


if __name__ == "__main__":
    sys.exit(main())
