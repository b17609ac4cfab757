"""What a mapping accepts by name: alarms about a contributor's files, and texts nobody can read.

Belongs here: the names of all alarms, what each is about, the entries of ``accept``.
Does not belong here: when an alarm rings (``sensitive.alarms``), what it stops.

An entry is exact.  It names an alarm, with the column, variable or year that the alarm is about
after a colon; or a text with its column.  What is accepted of one column is not accepted of the
next.  The names are a public contract.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import model_validator

from ctdhub.core.days import is_day
from ctdhub.core.i18n import Text
from ctdhub.core.text import fold
from ctdhub.sensitive.mapping.rule import Frozen, MappingFault

Subject = Literal["", "column", "variable", "year"]

ALARMS: dict[str, Subject] = {
    "unknown-texts": "column",
    "new-texts": "column",
    "new-column": "column",
    "recorded-fell": "variable",
    "all-under-18": "",
    "none-under-18": "",
    "one-gender": "",
    "one-citizenship": "",
    "one-country": "",
    "year-jump": "year",
    "all-first-of-january": "column",
    "never-yes": "variable",
    "no-exploitation": "",
    "many-rejects": "",
    "many-excluded": "",
    "key-two-genders": "",
    "key-two-births": "",
    "many-records-a-key": "",
    "sorted-lists": "column",
    "ids-rewritten": "column",
    "nobody-again": "",
    "most-left": "",
}
"""Every alarm and what it is about; of those about nothing a delivery has at most one."""

STOPPING = frozenset({"unknown-texts", "new-texts", "new-column", "recorded-fell"})
"""Alarms that stop a build before people are made; the others stop a charge."""


class Accepted(Frozen):
    """An entry of ``accept``: an alarm, or a text of a column.

    Attributes:
        alarm: name of an alarm, and after a colon what it is about; a text alone stands for it.
        text, column: instead of an alarm: a text that may stay unknown in this column.
        delivery: the date of the only delivery for which it is accepted; all of them, if None.
        reason: why, for those who approve a release.

    >>> Accepted.model_validate("unknown-texts: Tipo").is_for("unknown-texts", "tipo", "2026-01-15")
    True
    """

    alarm: str | None = None
    text: str | None = None
    column: str | None = None
    delivery: str | None = None
    reason: str = ""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"alarm": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _check(self) -> Accepted:
        if (self.alarm is None) == (self.text is None):
            raise MappingFault(Text("give exactly one of: alarm, text"))
        if (self.text is None) != (self.column is None):
            raise MappingFault(Text("a text is accepted in one column: name both"))
        if self.delivery is not None and not is_day(self.delivery):
            raise MappingFault(Text("write the date as 2026-01-15"), "delivery")
        if self.alarm is None:
            return self
        if self.name not in ALARMS:
            names = ", ".join(ALARMS)
            raise MappingFault(Text("there is no such alarm; there are: {names}", names=names))
        wanted = ALARMS[self.name]
        if wanted and not self.about:
            fault = {
                "column": Text("name the column after a colon: {name}: Column", name=self.name),
                "variable": Text(
                    "name the variable after a colon: {name}: variable", name=self.name
                ),
                "year": Text("name the year after a colon: {name}: 2020", name=self.name),
            }
            raise MappingFault(fault[wanted])
        if not wanted and self.about:
            raise MappingFault(
                Text("{name} is about a whole delivery: write the name alone", name=self.name)
            )
        if wanted == "year" and not re.fullmatch(r"\d{4}", self.about):
            raise MappingFault(Text("name the year after a colon: {name}: 2020", name=self.name))
        return self

    @property
    def name(self) -> str:
        """Name of the alarm, "" where a text is accepted."""
        return (self.alarm or "").partition(":")[0].strip()

    @property
    def about(self) -> str:
        """What the alarm is about, "" where it is about a whole delivery."""
        return (self.alarm or "").partition(":")[2].strip()

    def is_for(self, alarm: str, about: str, delivery: str) -> bool:
        """Whether it accepts this alarm about this column, variable or year of this delivery."""
        same = self.name == alarm and fold(self.about) == fold(about)
        return same and self.delivery in (None, delivery)

    def knows(self, column: str, text: str, delivery: str) -> bool:
        """Whether it accepts this text of this column in this delivery."""
        if self.text is None or self.column is None:
            return False
        same = fold(self.column) == fold(column) and fold(self.text) == fold(text)
        return same and self.delivery in (None, delivery)


def check_accepted(
    accept: tuple[Accepted, ...], columns: Iterable[str], variables: Iterable[str]
) -> None:
    """Refuse entries about what the mapping does not read.

    Args:
        accept: the entries.
        columns: source columns that rules read.
        variables: hub variables that have a rule.

    Raises:
        MappingFault: names the entry.
    """
    read, mapped = set(map(fold, columns)), set(variables)
    for i, entry in enumerate(accept):
        column = entry.column or (entry.about if ALARMS.get(entry.name) == "column" else None)
        if column is not None and entry.name != "new-column" and fold(column) not in read:
            raise MappingFault(Text("no rule reads {column}", column=column), "accept", i)
        if ALARMS.get(entry.name) == "variable" and entry.about not in mapped:
            raise MappingFault(Text("{name} is not mapped here", name=entry.about), "accept", i)
