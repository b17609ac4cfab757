"""Fictitious people with known attributes, drawn so that published marginals are met.

A person's columns hang together through a latent class (chosen by the corridor's profile) and a
hidden severity.  Three contributors draw independently from one population, so its size, and so
the number of people nobody knows, is known exactly: the truth for multiple systems estimation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pyarrow as pa

from ctdhub.practice.chance import Bools, Ints, pick, pick_rows
from ctdhub.practice.experience import (
    draw_ages,
    draw_assistance,
    draw_crime_and_technology,
    draw_experience,
)
from ctdhub.practice.marginals import Marginals
from ctdhub.schema.countries import ALPHA3
from ctdhub.schema.model import load_schema


@dataclass(frozen=True)
class People:
    """Fictitious people; every array has one entry per person.

    Attributes:
        known: (people, contributors), whether the contributor knows the person.
        first_list: position of the contributor that registered the person first.
        year: year of the first registration.
        age: age in years at that registration, 0 to 75.
        months: months of exploitation, 0 where the person was never exploited long enough.
        codes: hub variable to position in its domain; -1 where nothing is true of the person.
        planted: whether the person belongs to the planted corridor.
        population: people behind the lists that carry tokens, known to a list or not.
        ids: the contributors, in the order of ``known``.
    """

    known: Bools
    first_list: Ints
    year: Ints
    age: Ints
    months: Ints
    codes: dict[str, Ints]
    planted: Bools
    population: int
    ids: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.known.any(axis=1).all():
            raise ValueError("somebody is known to no contributor")
        if any(len(column) != len(self.year) for column in self.codes.values()):
            raise ValueError("columns differ in length")

    def is_yes(self, name: str) -> Bools:
        """Whether a flag is yes."""
        return np.asarray(self.codes[name] == 0)

    def is_gender(self, code: str) -> Bools:
        """Whether the person's gender is that code."""
        wanted = load_schema().domain("gender").index(code)
        return np.asarray(self.codes["gender"] == wanted)

    def table(self, tokens: Sequence[str]) -> pa.Table:
        """The truth: person, token, age, who knows the person, and every variable in hub codes."""
        columns: dict[str, pa.Array] = {
            "person": pa.array(np.arange(1, len(self.year) + 1)),
            "token": pa.array(tokens, pa.string()),
            "age": pa.array(self.age.astype(np.int16)),
        }
        for i, contributor in enumerate(self.ids):
            columns[f"known_to_{contributor}"] = pa.array(self.known[:, i])
        columns["year_of_registration"] = pa.array(self.year.astype(np.int16))
        schema = load_schema()
        for name, codes in self.codes.items():
            index = pa.array(codes.astype(np.int32), mask=codes < 0)
            coded = pa.DictionaryArray.from_arrays(index, pa.array(schema.domain(name)))
            columns[name] = coded.cast(pa.string())
        return pa.table(columns)


def draw(people: int, rng: np.random.Generator, m: Marginals) -> People:
    """Draw people.

    Args:
        people: how many, all known to at least one contributor.
        rng: seeded generator; practice data are the only use of one outside tests.
        m: the marginals.
    """
    known, population = _lists(people, rng, m)
    first = _first_list(known, m)
    year = np.zeros(people, np.int64)
    citizenship = np.zeros(people, np.int64)
    country = np.zeros(people, np.int64)
    profile = np.zeros(people, np.int64)
    profiles = list(m.profiles)
    corridors = m.all_corridors()
    origin = np.array([ALPHA3.index(c[0]) for c in corridors])
    target = np.array([ALPHA3.index(c[1]) for c in corridors])
    kind = np.array([profiles.index(c[3]) for c in corridors])
    for i, contributor in enumerate(m.contributors.values()):
        (who,) = np.nonzero(first == i)
        start, end = contributor.years
        year[who] = start + pick(rng, len(who), contributor.growth ** np.arange(end - start + 1))
        works = [c[2] * contributor.to.get(c[1], contributor.to["default"]) for c in corridors]
        chosen = pick(rng, len(who), works)
        citizenship[who], country[who] = origin[chosen], target[chosen]
        profile[who] = kind[chosen]
    planted, women = _plant(known, year, m)
    citizenship[planted] = ALPHA3.index(m.planted.citizenship)
    country[planted] = ALPHA3.index(m.planted.country_of_exploitation)
    profile[planted] = profiles.index("planted_men")
    profile[women] = profiles.index("planted_women")

    mix = np.array([[p.get(c, 0.0) for c in m.classes] for p in m.profiles.values()])
    latent = pick_rows(rng, mix, profile)
    share = np.array([c.women for c in m.classes.values()])
    gender = (rng.random(people) >= share[latent]).astype(np.int64)
    gender[rng.random(people) < m.trans] = 2
    gender[planted] = 1
    gender[women] = 0
    codes: dict[str, Ints] = {"gender": gender, "citizenship": citizenship}
    codes["country_of_exploitation"] = country
    codes["country_of_exploitation_rule"] = pick(rng, people, list(m.country_rule.values()))
    age, months = draw_ages(codes, latent, rng, m)
    draw_experience(codes, latent, rng, m)
    draw_assistance(codes, rng, m)
    [own] = rng.spawn(1)  # what came later leaves all that was drawn before as it was
    draw_crime_and_technology(codes, own)
    order = [v.name for v in load_schema().records if v.name in codes]
    codes = {name: codes[name] for name in order}
    return People(known, first, year, age, months, codes, planted, population, m.ids)


def _lists(people: int, rng: np.random.Generator, m: Marginals) -> tuple[Bools, int]:
    """Who knows whom; the lists with tokens overlap by chance alone, the hotline with none."""
    names, chances = zip(*m.lists.chance.items(), strict=True)
    patterns = [p for p in product((False, True), repeat=len(names)) if any(p)]
    weights = [
        float(np.prod([c if hit else 1 - c for hit, c in zip(p, chances, strict=True)]))
        for p in patterns
    ]
    listed = people - round(people * m.lists.hotline_share)
    known = np.zeros((people, len(m.ids)), bool)
    columns = [m.ids.index(name) for name in names]
    known[:listed, columns] = np.array(patterns)[pick(rng, listed, weights)]
    known[listed:, [i for i in range(len(m.ids)) if i not in columns]] = True
    return known[rng.permutation(people)], round(listed / sum(weights))


def _first_list(known: Bools, m: Marginals) -> Ints:
    """The contributor whose years and places a person follows: of several the smallest list."""
    spans = [c.years[1] - c.years[0] for c in m.contributors.values()]
    order = np.argsort(spans)
    first: Ints = order[np.argmax(known[:, order], axis=1)]
    return first


def _plant(known: Bools, year: Ints, m: Marginals) -> tuple[Bools, Bools]:
    """Lay the planted corridor over people whom only its contributor knows; sets their year."""
    scale = len(year) / m.planted.per_people
    only = known[:, m.ids.index(m.planted.contributor)] & (known.sum(axis=1) == 1)
    (free,) = np.nonzero(only)
    planted, women = np.zeros(len(year), bool), np.zeros(len(year), bool)
    used = 0
    for y, count in m.planted.all.items():
        n = max(1, round(count * scale))
        chosen = free[used : used + n]
        used += n
        year[chosen] = y
        planted[chosen] = True
        women[chosen[: round(n * m.planted.women[y])]] = True
    return planted, women
