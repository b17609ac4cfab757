"""The marginals that the fictitious people follow, as a frozen model read from YAML.

The numbers come from published figures, each named beside its number in the YAML: CTDC Data
Codebook v6 (November 2017, missing counts), IOM's figures of October 2019 on CTDC (more than
90,000 cases, 169 nationalities, 172 countries of exploitation, the sentence on Europe), and the
Ivorian case on the Central Mediterranean route (2015-2019).
"""

from __future__ import annotations

from functools import cache
from importlib import resources

import yaml
from pydantic import Field, model_validator

from ctdhub.core.frozen import FrozenModel
from ctdhub.schema import countries
from ctdhub.schema.model import load_schema

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

    @model_validator(mode="after")
    def _check(self) -> ContributorModel:
        if set(self.missing) != set(BLOCKS):
            raise ValueError("missing: every block needs a share")
        return self


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

    @model_validator(mode="after")
    def _check(self) -> Marginals:
        s = load_schema()
        for name, kind in self.classes.items():
            for group, kinds in (
                ("exploitation", kind.exploitation),
                ("labour", kind.labour),
                ("sex", kind.sex),
                ("recruiter", kind.recruiter),
                ("means", kind.means),
            ):
                unknown = {f"{group}_{k}" for k in kinds if k != "none"} - set(s.flags(group))
                if unknown:
                    raise ValueError(f"class {name}: not in the schema: {sorted(unknown)}")
        for name, mix in self.profiles.items():
            if not set(mix) <= set(self.classes):
                raise ValueError(f"profile {name} names an unknown class")
        for origin, country, _weight, profile in self.all_corridors():
            if not {origin, country} <= set(countries.ALPHA3) or profile not in self.profiles:
                raise ValueError(f"corridor {origin}-{country}: unknown country or profile")
        if self.assistance.order != s.domain("assistance_medical"):
            raise ValueError("the order of statuses is the order of the schema")
        return self

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the contributors, in order."""
        return tuple(self.contributors)

    def all_corridors(self) -> list[tuple[str, str, float, str]]:
        """(citizenship, country of exploitation, weight, profile), the long tail included."""
        found = [
            (origin, country, c.weight * share / sum(c.to.values()), c.profile)
            for origin, c in self.corridors.items()
            for country, share in c.to.items()
        ]
        weight = self.tail.weight / sum(map(len, self.tail.areas.values()))
        return found + [
            (code, code, weight, profile)
            for profile, codes in self.tail.areas.items()
            for code in codes
        ]


@cache
def load_marginals() -> Marginals:
    """The marginals that this version of the software ships."""
    text = (resources.files("ctdhub.practice") / "data" / "marginals.yaml").read_text("utf-8")
    return Marginals.model_validate(yaml.safe_load(text))
