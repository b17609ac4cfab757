"""Fictitious people: what happened to them, drawn so that published marginals are met."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from itertools import product

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import read_shipped
from ctdhub.schema import countries
from ctdhub.schema.countries import ALPHA3
from ctdhub.schema.model import load_schema

# --------------------------------------------------------------------------------------------------
# Drawing positions with given weights, for all people at once.

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def pick(rng: np.random.Generator, n: int, weights: ArrayLike) -> Ints:
    """n positions drawn with the given weights."""
    cumulative = np.cumsum(np.asarray(weights, float))
    places = np.searchsorted(cumulative / cumulative[-1], rng.random(n), side="right")
    chosen: Ints = np.minimum(places, len(cumulative) - 1)
    return chosen


def pick_rows(rng: np.random.Generator, weights: NDArray[np.float64], row: Ints) -> Ints:
    """One position per person, drawn with the weights in the person's row of a matrix."""
    cumulative = np.cumsum(weights, axis=1)
    cumulative /= cumulative[:, -1:]
    places = (rng.random(len(row))[:, None] >= cumulative[row]).sum(axis=1)
    chosen: Ints = np.minimum(places, weights.shape[1] - 1)
    return chosen


# --------------------------------------------------------------------------------------------------
# The marginals that the fictitious people follow, as a frozen model read from YAML.
#
# The numbers come from published figures, each named beside its number in the YAML: CTDC Data
# Codebook v6 (November 2017, missing counts), IOM's figures of October 2019 on CTDC (more than
# 90,000 cases, 169 nationalities, 172 countries of exploitation, the sentence on Europe), and the
# Ivorian case on the Central Mediterranean route (2015-2019).

BLOCKS = (
    "gender", "age", "citizenship", "country", "exploitation", "means",
    "labour", "sex", "recruiter", "assistance", "duration", "perpetrator",
)  # fmt: skip
"""Parts of a record that a contributor records or leaves empty as a whole."""


class Target(FrozenModel):
    """A published figure that the drawn people must come near to."""

    share: float | None = None
    count: int | None = None
    source: str


class ListsMarginal(FrozenModel):
    """How people come to be known to contributors."""

    hotline_share: float
    chance: dict[str, float]
    later_year: float


class ContributorModel(FrozenModel):
    """One contributor: years, growth by year, where it works, what it leaves empty."""

    years: tuple[int, int]
    growth: float
    to: dict[str, float]
    repeat: float = Field(ge=0, lt=1)
    missing: dict[str, float]
    early: dict[str, float] = Field(default_factory=dict)


class CorridorMarginal(FrozenModel):
    """Where people of one citizenship are exploited, and by which mix of classes."""

    profile: str
    weight: float
    to: dict[str, float]


class Planted(FrozenModel):
    """A corridor whose count falls while the share of women rises."""

    citizenship: str
    country_of_exploitation: str
    contributor: str
    per_people: int
    all: dict[int, int]
    women: dict[int, float]


class LatentClass(FrozenModel):
    """A kind of experience; the columns of a person hang together through it."""

    women: float
    ages: tuple[float, ...] = Field(min_length=9, max_length=9)
    exploitation: tuple[str, ...]
    labour: dict[str, float] = Field(default={"none": 1.0})
    sex: dict[str, float] = Field(default={"none": 1.0})
    recruiter: dict[str, float]
    means: dict[str, float]
    duration: tuple[float, ...] = Field(min_length=4, max_length=4)
    abduction: float


class AssistanceMarginal(FrozenModel):
    """Weights of the five statuses by group of people, and how often a need is recorded."""

    order: tuple[str, ...]
    accommodation: dict[str, tuple[float, ...]]
    others: tuple[float, ...]
    need: dict[str, float]


class Tail(FrozenModel):
    """Citizenships of which there are a few people each, by profile, exploited at home."""

    weight: float
    areas: dict[str, tuple[str, ...]]


class Marginals(FrozenModel):
    """Everything the generator is told; see the YAML for what each number means."""

    years: tuple[int, int]
    targets: dict[str, Target]
    lists: ListsMarginal
    contributors: dict[str, ContributorModel]
    missing_together: float
    faulty_rows: float
    excluded_rows: float
    planted: Planted
    assistance: AssistanceMarginal
    country_rule: dict[str, float]
    trans: float
    second_kind: float
    means_default: float
    severity: float
    classes: dict[str, LatentClass]
    profiles: dict[str, dict[str, float]]
    corridors: dict[str, CorridorMarginal]
    tail: Tail

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the contributors, in order."""
        return tuple(self.contributors)

    def all_corridors(self) -> list[tuple[str, str, float, str]]:
        """(citizenship, country of exploitation, weight, profile), the long tail included."""
        corridors = [
            (origin, country, c.weight * share / sum(c.to.values()), c.profile)
            for origin, c in self.corridors.items()
            for country, share in c.to.items()
        ]
        weight = self.tail.weight / sum(map(len, self.tail.areas.values()))
        return corridors + [
            (code, code, weight, profile)
            for profile, codes in self.tail.areas.items()
            for code in codes
        ]


@cache
def load_marginals() -> Marginals:
    """The marginals that this version of the software ships."""
    shipped = resources.files("ctdhub.practice") / "data" / "marginals.yaml"
    return Marginals.model_validate(read_shipped(shipped))


# --------------------------------------------------------------------------------------------------
# What happened to fictitious people: ages, exploitation, means of control, assistance.

BANDS = ((0, 8), (9, 17), (18, 20), (21, 23), (24, 26), (27, 29), (30, 38), (39, 47), (48, 75))
"""First and last age in years of the nine age bands of the schema."""

KINDS_OF_CRIME = (45, 30, 15, 10)
"""How often forced criminality is of each kind, in the order of the schema."""
RARE = 0.05
"""Share of people in another exploitation that was surrogacy or illegal adoption."""
TECHNOLOGY = {"ict_recruitment": 0.3, "ict_control": 0.15, "ict_exploitation": 0.05}
"""Shares of people for whom technology was used."""


def draw_ages(
    codes: dict[str, Ints], latent: Ints, rng: np.random.Generator, m: Marginals
) -> tuple[Ints, Ints]:
    """Ages in years and months of exploitation; puts bands, majorities and duration in codes.

    Nobody is exploited for longer than they have lived.
    """
    n = len(latent)
    kinds = list(m.classes.values())
    band = pick_rows(rng, np.array([c.ages for c in kinds]), latent)
    low, high = np.array(BANDS).T
    age = rng.integers(low[band], high[band] + 1)
    duration = pick_rows(rng, np.array([c.duration for c in kinds]), latent)
    starts, ends = np.array([0, 13, 25, 37]), np.array([12, 24, 36, 96])
    months = np.minimum(rng.integers(starts[duration], ends[duration] + 1), age * 12)
    began = age - -(-months // 12)
    codes["age_band"] = band
    codes["majority_status"] = (age >= 18).astype(np.int64)
    codes["majority_at_exploitation"] = (began >= 18).astype(np.int64)
    codes["majority_at_entry"] = (began - (rng.random(n) < 0.1) >= 18).astype(np.int64)
    codes["trafficking_duration"] = np.searchsorted(ends[:3], months)
    return age, months


def draw_experience(
    codes: dict[str, Ints], latent: Ints, rng: np.random.Generator, m: Marginals
) -> None:
    """Flags of the five groups, from the latent class and a hidden severity."""
    n, kinds = len(latent), list(m.classes.values())
    schema, put = load_schema(), partial(_put, codes)
    for flag in schema.flags("exploitation"):
        short = flag.removeprefix("exploitation_")
        put(flag, np.array([short in c.exploitation for c in kinds])[latent])
    both = (codes["exploitation_sexual"] == 0) & (codes["exploitation_forced_labour"] == 0)
    put("exploitation_sex_and_labour", both)
    for group in ("labour", "sex", "recruiter"):
        flags = schema.flags(group)
        names = [*(f.removeprefix(f"{group}_") for f in flags), "none"]
        tables = [getattr(c, group) for c in kinds]
        weights = np.array([[t.get(k, 0.0) for k in names] for t in tables])
        main = pick_rows(rng, weights, latent)
        second = np.where(rng.random(n) < m.second_kind, pick_rows(rng, weights, latent), main)
        for i, flag in enumerate(flags):
            put(flag, (main == i) | (second == i))
        unsaid = main == len(flags)
        if group == "labour":
            put("labour_not_specified", unsaid & (codes["exploitation_forced_labour"] == 0))
        if group == "recruiter":
            put("recruiter_unknown", unsaid)
    severity = rng.normal(0.0, m.severity, n)
    for flag in schema.flags("means"):
        short = flag.removeprefix("means_")
        chance = np.array([c.means.get(short, m.means_default) for c in kinds])[latent]
        put(flag, rng.random(n) < 1 / (1 + (1 / chance - 1) * np.exp(-severity)))
    put("abduction", rng.random(n) < np.array([c.abduction for c in kinds])[latent])


def _put(codes: dict[str, Ints], name: str, yes: Bools) -> None:
    codes[name] = np.where(yes, 0, 1)


def draw_crime_and_technology(codes: dict[str, Ints], rng: np.random.Generator) -> None:
    """Forced criminality and its kinds, surrogacy, illegal adoption, use of technology.

    Whoever was put to illicit activities was exploited by forced criminality, of one kind; whoever
    was made to deceive people online was exploited by technology.
    """
    n, schema, put = len(codes["gender"]), load_schema(), partial(_put, codes)
    forced = codes["labour_illicit_activities"] == 0
    put("exploitation_forced_criminality", forced)
    kind = pick(rng, n, KINDS_OF_CRIME)
    for i, flag in enumerate(schema.flags("crime")):
        put(flag, forced & (kind == i))
    rare = (codes["exploitation_other"] == 0) & (rng.random(n) < RARE)
    surrogate = codes["gender"] == schema.domain("gender").index("female")
    put("exploitation_surrogacy", rare & surrogate)
    put("exploitation_illegal_adoption", rare & ~surrogate)
    remote = (codes["sex_remote_interactive_services"] == 0) | (codes["crime_online_scam"] == 0)
    for flag, chance in TECHNOLOGY.items():
        put(flag, rng.random(n) < chance)
    put("ict_exploitation", remote | (codes["ict_exploitation"] == 0))


def draw_assistance(codes: dict[str, Ints], rng: np.random.Generator, m: Marginals) -> None:
    """Status of each kind of assistance; -1 where there was no need.  Accommodation is unequal."""
    group = belonging(codes)
    n = len(group)
    unequal = np.array(list(m.assistance.accommodation.values()))
    for kind, need in m.assistance.need.items():
        if kind == "accommodation":
            status = pick_rows(rng, unequal, group)
        else:
            status = pick(rng, n, m.assistance.others)
        codes[f"assistance_{kind}"] = np.where(rng.random(n) < need, status, -1)


def belonging(codes: dict[str, Ints]) -> Ints:
    """0: national of the country of exploitation, 1: citizen of another EU state in the EU,
    2: third-country national.
    """
    citizenship, country = codes["citizenship"], codes["country_of_exploitation"]
    eu = np.isin(ALPHA3, countries.members("eu"))
    mobile = eu[citizenship] & eu[country]
    return np.where(citizenship == country, 0, np.where(mobile, 1, 2))


# --------------------------------------------------------------------------------------------------
# Fictitious people with known attributes, drawn so that published marginals are met.
#
# A person's columns hang together through a latent class (chosen by the corridor's profile) and a
# hidden severity.  Three contributors draw independently from one population, so its size, and so
# the number of people nobody knows, is known exactly: the truth for multiple systems estimation.


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


# --------------------------------------------------------------------------------------------------
# Fictitious people for a dry run: in the hub's codes, without files or contributors.

FEWEST = 100
"""Below so many people the planted corridor has no room."""


def invented_people(people: int, seed: int = 20260101) -> pa.Table:
    """Fictitious people with every attribute known; the same seed gives the same people.

    Args:
        people: at least :data:`FEWEST`.

    >>> invented_people(200).num_rows
    200
    """
    drawn = draw(people, np.random.default_rng(seed), load_marginals())
    return drawn.table([""] * people)
