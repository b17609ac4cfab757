"""The question behind every number that a brief prints, so that anybody can ask it again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal, Protocol

from ctdhub.core import datafiles

Where = Mapping[str, Collection[str]]
"""Codes that each variable may have; all variables must agree."""
Kind = Literal[
    "people",
    "share",
    "rest",
    "missing",
    "sum",
    "gap",
    "mean",
    "mean_share",
    "change",
    "change_part",
]


@dataclass(frozen=True)
class PrintedNumber:
    """A number as it is printed, and the question that it answers.

    Attributes:
        id: where it stands, for example "exploited-gender.female.people".
        kind: "people": how many people meet ``part``; "share": ``part`` among ``whole``; "rest":
            people of ``whole`` outside ``part``; "missing": the same as a share of ``whole``;
            "gap": of those in ``part`` and in ``whole`` whose status is recorded, the share of
            ``whole`` with the status named less that of ``part``; "mean" and "mean_share": people
            of ``part`` in a year, or their share of ``whole``, as the mean of the series by year
            (``measurements``) over the years named; "change": people of ``part`` less those of
            ``whole``, the same people in an earlier year; "change_part": what a part of that
            change amounts to, or the share recorded in one of its years; "sum": a number of
            cells, of contributors or of years, which is not counted in people.
        part, whole: conditions, see :data:`Where`.
        value: the answer: people (negative for fewer), a share in 0..1, or a number; None where
            it is not precise enough and only the ends of its interval are printed.
        printed: every form in which it, or an end of its interval, stands in the document.
    """

    id: str
    kind: Kind
    part: Where
    whole: Where
    value: float | None
    printed: tuple[str, ...]


class Asking(Protocol):
    """A question: who is counted, and of whom."""

    @property
    def where(self) -> Where: ...
    @property
    def of(self) -> Asking | None: ...


class Counted(Protocol):
    """A number of people, or a share of them, with its question."""

    @property
    def value(self) -> float | None: ...
    @property
    def has_range(self) -> bool: ...
    @property
    def unit(self) -> str: ...
    @property
    def query(self) -> Asking | None: ...


class Notebook:
    """Collects what a brief prints."""

    def __init__(self) -> None:
        self._found: dict[str, PrintedNumber] = {}

    @property
    def asked(self) -> tuple[PrintedNumber, ...]:
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
            self._found[id] = PrintedNumber(
                id, kind, _plain(part or {}), _plain(whole or {}), value, printed
            )

    def card(self, id: str, card: Counted, *printed: str) -> None:
        """Note a card, with every form in which it is printed; its own query says what it is.

        People with a query of others are those of the others outside it.

        Raises:
            ValueError: no single question gives the card.
        """
        query = card.query
        if query is None:
            raise ValueError("a number that no single question gives is noted by `add`")
        kind: Kind = "share" if card.unit == "share" else "rest" if query.of else "people"
        whole = query.of.where if query.of else {}
        self.add(id, kind, card.value, printed, query.where, whole)
        if card.value is None and card.has_range:
            self._found[id] = PrintedNumber(
                id, kind, _plain(query.where), _plain(whole), None, printed
            )


def as_json(asked: Sequence[PrintedNumber], title: str, citation: str) -> str:
    """The numbers of a document with their questions, for whoever wants to check them.

    Keys: ``title``, ``citation``, ``numbers``; of each number ``id``, ``kind``, ``part``,
    ``whole``, ``value``, ``printed``, as :class:`PrintedNumber` has them.
    """
    numbers = [asdict(one) for one in asked]
    held = {"title": title, "citation": citation, "numbers": numbers}
    return datafiles.as_json(held)


def _plain(where: Where) -> dict[str, tuple[str, ...]]:
    return {name: tuple(sorted(values)) for name, values in where.items()}
