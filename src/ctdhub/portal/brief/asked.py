"""The question behind every number that a brief prints, so that anybody can ask it again.

Belongs here: questions, and the printed forms of their answers.
Does not belong here: which numbers a brief has (``parts``, ``place``, …).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ctdhub.insight import Answers, NumberCard
from ctdhub.insight.answers import Where

Kind = Literal["people", "share", "rest", "missing", "sum"]


@dataclass(frozen=True)
class Asked:
    """A number as it is printed, and the question that it answers.

    Attributes:
        id: where it stands, for example "exploited-gender.female.people".
        kind: "people": how many people meet ``part``; "share": ``part`` among ``whole``; "rest":
            people of ``whole`` outside ``part``; "missing": the same as a share of ``whole``;
            "sum": a number of cells, of contributors or of years, which is not counted in people.
        part, whole: conditions, see :data:`ctdhub.insight.answers.Where`.
        value: the answer: people, a share in 0..1, or a number.
        printed: every form in which it, or an end of its interval, stands in the document.
    """

    id: str
    kind: Kind
    part: Where
    whole: Where
    value: float
    printed: tuple[str, ...]


class Ledger:
    """Collects what a brief prints."""

    def __init__(self) -> None:
        self._found: dict[str, Asked] = {}

    @property
    def asked(self) -> tuple[Asked, ...]:
        """All numbers, in the order of writing."""
        return tuple(self._found.values())

    def add(
        self,
        id: str,
        kind: Kind,
        value: float | None,
        printed: tuple[str, ...],
        part: Where | None = None,
        whole: Where | None = None,
    ) -> None:
        """Note a number that is printed; one without a value has nothing to note."""
        if value is not None:
            self._found[id] = Asked(
                id, kind, _plain(part or {}), _plain(whole or {}), value, printed
            )

    def card(self, id: str, card: NumberCard, text: str, part: Where, whole: Where) -> None:
        """Note a card that is printed as ``text``."""
        kind: Kind = "share" if card.unit == "share" else "people"
        self.add(id, kind, card.value, (text,), part, whole)


def recomputed(answers: Answers, asked: Asked) -> float | None:
    """Ask the question of a number again; None for one that is not counted in people."""
    if asked.kind == "people":
        return answers.count(asked.part).value
    if asked.kind == "share":
        return answers.share(asked.part, asked.whole).value
    if asked.kind == "sum":
        return None
    whole, part = answers.count(asked.whole).value, answers.count(asked.part).value
    if whole is None or part is None:
        return None
    rest = max(0.0, whole - part)
    return rest if asked.kind == "rest" else rest / whole


def _plain(where: Where) -> Mapping[str, tuple[str, ...]]:
    return {name: tuple(sorted(values)) for name, values in where.items()}
