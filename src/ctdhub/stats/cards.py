"""The number card: no published figure stands alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ctdhub.core.format import isolated
from ctdhub.core.i18n import _
from ctdhub.release.open import Release
from ctdhub.stats.answers import Answer

State = Literal["shown", "protected", "not_measured"]
Unit = Literal[
    "people",
    "case_records",
    "share",
    "nationalities",
    "countries",
    "contributors",
    "per_100000",
]


@dataclass(frozen=True)
class NumberCard:
    """One figure with all that a reader needs to use it rightly.

    Attributes:
        value: the estimate in ``unit`` (a share lies in 0..1); None unless ``state`` is "shown".
        low, high: its interval at ``level``; None where nothing was measured.
        level: coverage of the interval, in 0..1.
        unit: what is counted.
        denominator: the people that a share, or a rate per 100,000, refers to; None for a count.
        missing: share of people, in 0..1, for whom the answer is not recorded; None where the
            question has no such part.
        state: "shown"; "protected" (too few to show reliably, never zero); "not_measured" (this
            release holds no table that answers the question).
        contributors: names of the organisations behind the figure.
        caveat: the sentence that must stand beside it.
        citation: how to cite it; names the release.

    Raises:
        ValueError: the parts contradict each other.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    unit: Unit
    denominator: int | None
    missing: float | None
    state: State
    contributors: tuple[str, ...]
    caveat: str
    citation: str

    def __post_init__(self) -> None:
        if (self.value is None) == (self.state == "shown"):
            raise ValueError("a card has a value exactly where its state is shown")
        if (self.low is None or self.high is None) != (self.state == "not_measured"):
            raise ValueError("a card has an interval unless nothing was measured")
        if self.low is not None and self.high is not None:
            middle = self.low if self.value is None else self.value
            if not self.low <= middle <= self.high:
                raise ValueError("a card's value lies inside its interval")
        if not 0 < self.level < 1 or not self.citation or not self.caveat:
            raise ValueError("a card has a level, a caveat and a citation")

    @property
    def half_width(self) -> float:
        """The larger distance from the value to an end of the interval, 0 without a value."""
        if self.value is None or self.low is None or self.high is None:
            return 0.0
        return max(self.high - self.value, self.value - self.low)


def caveat() -> str:
    """The sentence that stands beside every figure."""
    return _("Identified cases, not prevalence.")


def citation(release: Release) -> str:
    """How to cite a figure of a release; the version is part of it."""
    text = _("{hub} ({year}). Protected trafficking case data, release {version}.").format(
        hub=isolated(release.facts.hub), year=release.year, version=release.version
    )
    return text + " " + _("Practice data: invented.") if release.facts.invented else text


def card(
    release: Release,
    answer: Answer,
    unit: Unit,
    *,
    denominator: int | None = None,
    missing: float | None = None,
) -> NumberCard:
    """A card for an answer; a value whose interval reaches zero is protected, not shown."""
    state: State = "shown" if answer.low is not None and answer.low > 0 else "protected"
    if answer.low is None:
        state = "not_measured"
    return NumberCard(
        value=answer.value if state == "shown" else None,
        low=answer.low,
        high=answer.high,
        level=release.protected.guarantee.level,
        unit=unit,
        denominator=denominator,
        missing=missing,
        state=state,
        contributors=tuple(c.name for c in release.facts.contributors),
        caveat=caveat(),
        citation=citation(release),
    )
