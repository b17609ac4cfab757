"""A rule for a variable with its reason, or a doubt that no rule can settle."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ctdhub.core.i18n import Field, Numeral, Several, Text, joined
from ctdhub.core.text import fold
from ctdhub.sensitive.mapping.glance import Glance
from ctdhub.sensitive.mapping.values import number_of
from ctdhub.sensitive.mapping.vocabulary import vocabulary

SHOWN = 10
"""Texts that a doubt names."""


SETS = Text("its lists are sorted and never repeat: sets, not lists, whose positions say nothing")
"""What to know of lists whose order is the alphabet's."""


@dataclass(frozen=True)
class Proposal:
    """A rule for a hub variable.

    Attributes:
        target: the hub variable.
        column: the source column.
        rule: the rule in the words of a mapping.
        score: how sure, 0 to 1.
        reason: one sentence.
        doubts: what the steward should look at.
        null_values: texts that the rule takes for "not recorded".
        also: further columns of the same list, such as "type 2" beside "type 1".
    """

    target: str
    column: str
    rule: dict[str, Any]
    score: float
    reason: Text
    doubts: tuple[Text, ...] = field(default=())
    null_values: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Every column that the rule reads."""
        return (self.column, *self.also)


@dataclass(frozen=True)
class Doubt:
    """Why nothing is proposed for a column that looks like something.

    Attributes:
        shows: the texts of the column, as code lists are shown, help to decide.
    """

    column: str
    reason: Text
    shows: bool = False


def texts_with_rows(
    column: Glance, texts: Iterable[str], near: Callable[[str], Text | None] | None = None
) -> Field:
    """Texts of a column, each with the rows that hold it, as one field of a sentence."""
    shown: list[Field] = []
    for text in list(texts)[:SHOWN]:
        close = near(text) if near else None
        named = joined([text, close], " ") if close else text
        shown.append(Text("{text} (rows: {n})", text=named, n=Numeral(column.rows_of([text]))))
    return Several(tuple(shown))


def rejected(
    column: Glance,
    texts: list[str],
    said: Text | None = None,
    near: Callable[[str], Text | None] | None = None,
) -> tuple[Text, ...]:
    """Doubts on texts that a rule does not know, with the number of rows that it would reject.

    Args:
        said: a sentence with the field ``texts``; None where the texts are not to be shown.
        near: what a text may have meant.
    """
    if not texts:
        return ()
    rows = Text(
        "rows that this rule would reject: {n} of {all}",
        n=Numeral(column.rows_of(texts)),
        all=Numeral(column.all),
    )
    named = (said.holding(texts=texts_with_rows(column, texts, near)),) if said else ()
    return (*named, rows)


def null_codes(column: Glance, numbers: tuple[str, ...] = ()) -> list[str]:
    """Numbers such as 0 or 99 that stand for "not recorded" among texts that are no numbers.

    Args:
        numbers: the numbers that say something in such a column.
    """
    codes = vocabulary().null_codes - {*numbers}
    found = [text for text in column.texts if fold(text) in codes]
    others = [fold(text) for text in column.texts if text not in found]
    counted = any(number_of(text) is not None and text not in numbers for text in others)
    return found if others and not counted else []
