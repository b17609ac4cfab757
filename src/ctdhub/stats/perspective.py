"""The figures that a reader meets first: of a release, and of one side of a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ctdhub.stats.cards import NumberCard, State

SideName = Literal["citizens", "exploited"]


@dataclass(frozen=True)
class Side:
    """People seen from one side of a place: its citizens, or those exploited there.

    Attributes:
        people: how many.
        women: a share of the people whose gender is recorded.
        types: each flag of exploitation with its share of the people with any type of
            exploitation recorded, largest first; those that are not shown come last.
        corridors: citizenship, country of exploitation and people, largest first; shown ones.
            Sums of years have intervals that allow for their having been picked as the largest.
        corridors_in_years: whether the corridors are about the years that were asked for, as the
            other figures are; False where the release holds corridors for all years only.
        corridors_state: "shown", or why there are none.
    """

    people: NumberCard
    women: NumberCard
    types: tuple[tuple[str, NumberCard], ...]
    corridors: tuple[tuple[str, str, NumberCard], ...]
    corridors_in_years: bool
    corridors_state: State

    @property
    def exploitation(self) -> tuple[tuple[str, NumberCard], ...]:
        """The types that are shown."""
        return tuple((flag, c) for flag, c in self.types if c.value is not None)

    @property
    def types_state(self) -> State:
        """ "shown" where some type is, else why none is."""
        states = {c.state for _flag, c in self.types}
        order: tuple[State, ...] = ("shown", "protected")
        return next((s for s in order if s in states), "not_measured")


@dataclass(frozen=True)
class Headline:
    """The first figures of a release; nationalities and countries are numbers of cells that are
    shown, so they read "at least"; ``years`` are the first and last that the figures are about, and
    ``undated`` says whether people whose year is not recorded are among them."""

    years: tuple[int, int]
    people: NumberCard
    nationalities: NumberCard
    countries: NumberCard
    contributors: NumberCard
    undated: bool = False
