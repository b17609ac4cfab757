"""Days that the world keeps in mind, and which part of a hub's data each is about.

Sources of the dates: 8 March, United Nations resolution 32/142; 12 June, International Labour
Organization (2002); 30 July, 68/192; 18 October, European Commission (2007); 20 November, 836 (IX);
25 November, 54/134; 2 December, the Convention of 1949 (317 (IV)); 10 December, 423 (V); 18
December, 55/93.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from ctdhub.core.i18n import _
from ctdhub.schema.roles import AGE, CHILD_BANDS, FORCED_LABOUR, SEX
from ctdhub.stats.query import Where

Theme = Literal["all", "women", "children", "labour", "eu", "corridors"]

"""Age bands of people under 18."""


@dataclass(frozen=True)
class Observance:
    """A day of the year: month, day, its name in the language in force, its theme."""

    month: int
    day: int
    name: Callable[[], str]
    theme: Theme


OBSERVANCES = (
    Observance(3, 8, lambda: _("International Women's Day"), "women"),
    Observance(6, 12, lambda: _("World Day Against Child Labour"), "children"),
    Observance(7, 30, lambda: _("World Day against Trafficking in Persons"), "all"),
    Observance(10, 18, lambda: _("EU Anti-Trafficking Day"), "eu"),
    Observance(11, 20, lambda: _("World Children's Day"), "children"),
    Observance(
        11,
        25,
        lambda: _("International Day for the Elimination of Violence against Women"),
        "women",
    ),
    Observance(12, 2, lambda: _("International Day for the Abolition of Slavery"), "labour"),
    Observance(12, 10, lambda: _("Human Rights Day"), "all"),
    Observance(12, 18, lambda: _("International Migrants Day"), "corridors"),
)


def observance(when: date) -> Observance | None:
    """What a day is for, None where it is none of those listed."""
    return next((o for o in OBSERVANCES if (o.month, o.day) == (when.month, when.day)), None)


def among(theme: Theme) -> Where:
    """The people that a theme is about; no condition for all."""
    found: dict[Theme, Where] = {
        "women": {SEX: ["female"]},
        "children": {AGE: list(CHILD_BANDS)},
        "labour": {FORCED_LABOUR: ["yes"]},
    }
    return found.get(theme, {})


def sentence(theme: Theme) -> str:
    """One sentence for a poster, about people and help."""
    return {
        "all": _("People who were trafficked are identified when somebody asks, and listens."),
        "women": _("Every woman and every girl has the right to live free from exploitation."),
        "children": _("Every child has the right to be safe from exploitation."),
        "labour": _("Nobody may be forced to work. There is help, and there are rights."),
        "eu": _("Across Europe, people who were exploited have a right to help and protection."),
        "corridors": _("Whoever crosses a border keeps every right to safety and fair work."),
    }[theme]
