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
        people: how many; their place is recorded.
        at_most: how many there would be at most if everybody whose place is not recorded were
            among them (C. F. Manski, 1989, J. Hum. Resour. 24:343, whose lower bound is the lower
            end of ``people``); None where it was not measured, or for all people of a release.
        women: a share of the people whose gender is recorded.
        types: each flag of exploitation with its share of the people with any type of
            exploitation recorded, largest first; those that are not shown come last.
        corridors: citizenship, country of exploitation and people, largest first, those that are
            shown.  Of several years they are picked, and put in order, by values adjusted for
            selection (:func:`ctdhub.stats.selection_adjusted.picked`).
        corridors_in_years: whether the corridors are about the years that were asked for, as the
            other figures are; False where the release holds corridors for all years only.
        corridors_state: "shown", or why there are none.
    """

    people: NumberCard
    at_most: float | None
    women: NumberCard
    types: tuple[tuple[str, NumberCard], ...]
    corridors: tuple[tuple[str, str, NumberCard], ...]
    corridors_in_years: bool
    corridors_state: State

    @property
    def exploitation(self) -> tuple[tuple[str, NumberCard], ...]:
        """The types that are printed, as a share or, where it is imprecise, as a range."""
        return tuple((flag, c) for flag, c in self.types if c.has_range)

    def main_types(self, most: int) -> bool:
        """Whether the first types have the largest shares beyond doubt, if everybody counts once
        too (:attr:`NumberCard.ends`)."""
        first = [c.ends or (0.0, 1.0) for _flag, c in self.exploitation[:most]]
        rest = [c.ends or (0.0, 1.0) for _flag, c in self.types[len(first) :]]
        return all(low > high for low, _high in first for _low, high in rest)

    @property
    def types_state(self) -> State:
        """ "shown" where some type is, else why none is."""
        states = {c.state for _flag, c in self.types}
        order: tuple[State, ...] = ("shown", "imprecise", "protected")
        return next((s for s in order if s in states), "not_measured")


@dataclass(frozen=True)
class Headline:
    """The first figures of a release; nationalities and countries are numbers of cells that are
    shown, so they read "at least"; ``records`` are the case records of the whole release, ``years``
    the first and last that the other figures are about, and ``undated`` says whether people whose
    year is not recorded are among them."""

    years: tuple[int, int]
    people: NumberCard
    records: NumberCard
    nationalities: NumberCard
    countries: NumberCard
    contributors: NumberCard
    undated: bool = False
