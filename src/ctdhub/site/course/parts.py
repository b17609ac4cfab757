"""What a lesson is made of: text, a figure, exercises that check themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

from ctdhub.core.format import number
from ctdhub.report.figures import Figure
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.table import Row
from ctdhub.stats.trend import difference

Drawn = Mapping[str, Figure]
"""The figures of the release by id; those that it does not allow are missing."""


@dataclass(frozen=True)
class Choice:
    """One answer to choose; ``why`` says what is right or not quite right about it."""

    text: str
    right: bool
    why: str


@dataclass(frozen=True)
class Exercise:
    """A question that checks itself.

    Attributes:
        question: what is asked.
        choices: answers to choose from, one of them right; empty where a number is typed.
        answer: the number to type, in people or contributors; None where one chooses.
        why: explains the number to type.
        hint: helps after a wrong number.
    """

    question: str
    choices: tuple[Choice, ...] = ()
    answer: int | None = None
    why: str = ""
    hint: str = ""

    def __post_init__(self) -> None:
        right = sum(choice.right for choice in self.choices)
        if right != (self.answer is None):
            raise ValueError("an exercise has one right answer")

    @property
    def pattern(self) -> str:
        """What a right number looks like, as the attribute of an input: any digits and grouping.

        >>> Exercise("?", answer=1205).pattern[:27]
        "\\\\s*[1١][\\\\s.,'’٬]?[2٢][0٠][5"
        """
        digits = str(self.answer)
        parts = []
        for place, digit in enumerate(digits):
            grouped = place and (len(digits) - place) % 3 == 0
            parts.append("[\\s.,'’٬]?" if grouped else "")
            parts.append(f"[{digit}{chr(0x660 + int(digit))}]")
        return f"\\s*{''.join(parts)}\\s*"


@dataclass(frozen=True)
class Lesson:
    """One lesson.

    Attributes:
        id: its file's name, without the ending.
        minutes: that it takes about.
        aim: what one can do afterwards.
        paragraphs: its text.
        terms: words and meanings that stand below the text.
        figure: the figure that it reads, None where the release does not allow it.
        exercises: those that the release has numbers for.
        takeaway: what to remember.
    """

    id: str
    title: str
    minutes: int
    aim: str
    paragraphs: tuple[str, ...]
    exercises: tuple[Exercise, ...]
    takeaway: str
    figure: Figure | None = None
    terms: tuple[tuple[str, str], ...] = ()


def labelled(figure: Figure | None) -> list[tuple[str, Row]]:
    """Rows of a figure that show people, with their labels; "not recorded" left out."""
    if figure is None:
        return []
    pairs = zip(figure.bars, figure.table.rows, strict=True)
    return [(b.label, r) for b, r in pairs if r.kind == "value" and r.people.value is not None]


def overlap(a: NumberCard, b: NumberCard) -> bool:
    """Whether the intervals of two shown counts have a value in common."""
    return max(a.low or 0, b.low or 0) <= min(a.high or 0, b.high or 0)


def neighbours(rows: Iterable[tuple[str, Row]]) -> list[tuple[tuple[str, Row], tuple[str, Row]]]:
    """Rows next to each other in the order given, those whose intervals overlap first.

    Left out are pairs that no short rule decides: equal estimates, and intervals that overlap
    although the difference of the two is beyond the noise.
    """
    found = [pair for pair in pairwise(rows) if _decided(pair[0][1].people, pair[1][1].people)]
    return sorted(found, key=lambda pair: not overlap(pair[0][1].people, pair[1][1].people))


def _decided(a: NumberCard, b: NumberCard) -> bool:
    found = difference(a, b)
    clear = found is not None and found.is_clear
    return a.value != b.value and overlap(a, b) != clear


def ends(card: NumberCard) -> dict[str, str]:
    """Value, low and high of a shown count, in words."""
    return {
        "value": number(card.value or 0),
        "low": number(card.low or 0),
        "high": number(card.high or 0),
    }
