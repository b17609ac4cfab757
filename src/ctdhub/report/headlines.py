"""The headline of a chart: a sentence that its numbers allow, and never its subtitle again.

"About seven in ten are women or girls: 70.0% ± 0.1%".  Which words a share allows says ``claims``:
the whole interval lies inside the claim.  A group is called the most frequent only where its
interval overlaps no other one.
"""

from __future__ import annotations

from collections.abc import Callable

from ctdhub.core.format import share, year
from ctdhub.core.i18n import _
from ctdhub.report.claims import share_words
from ctdhub.report.wording import sized
from ctdhub.schema.roles import DESTINATION, FORCED_LABOUR, ORIGIN, PERIOD, SEX, SEXUAL_EXPLOITATION
from ctdhub.stats.precision import in_headline
from ctdhub.stats.table import Row, Table

MUCH = 0.2
"""Where more than this share of people is not recorded, the headline says so."""


def headline(table: Table, words: Callable[[tuple[str, ...]], str]) -> str:
    """The headline of a table, in the language in force.

    Args:
        words: the label of a row's codes.
    """
    largest = table.largest
    if largest is None:
        return _unclear(table)
    if table.variables == (PERIOD,):
        return _("Most people were identified in {year}: {people}").format(
            year=year(largest.codes[0]), people=sized(largest.people)
        )
    if table.variables == (ORIGIN, DESTINATION):
        return _("The corridor with the most people: {label}, {people}").format(
            label=words(largest.codes), people=sized(largest.people)
        )
    return _of_a_share(table, largest, words(largest.codes))


def _unclear(table: Table) -> str:
    values = [row for row in table.rows if row.kind == "value"]
    if not any(row.people.value is not None for row in values):
        return _("No answer is shown: all are below the reporting threshold")
    if table.variables == (PERIOD,):
        return _("No year clearly has the most people")
    if table.variables == (ORIGIN, DESTINATION):
        return _("No corridor clearly has the most people")
    return _("No answer is clearly the most frequent")


def _of_a_share(table: Table, row: Row, label: str) -> str:
    if row.share is None or not in_headline(row.share):
        return _("Most frequent: {label}").format(label=label)
    claim = share_words(row.share)
    if claim:
        text = _told(table.variables[0], row.codes[0]).format(claim=claim, label=label)
        text = f"{text[:1].upper()}{text[1:]}"
    else:
        text = _("Most frequent: {label}").format(label=label)
    text = _("{claim}: {share}").format(claim=text, share=sized(row.share))
    if table.missing is not None and table.missing > MUCH:
        text = _("{headline}; not recorded for {share} of people").format(
            headline=text, share=share(table.missing)
        )
    return text


def _told(variable: str, code: str) -> str:
    """What is said of a claim about a row; the claim is a word for a share, such as "most"."""
    known = {
        (SEX, "female"): _("{claim} are women or girls"),
        (SEX, "male"): _("{claim} are men or boys"),
    }
    flags = {
        FORCED_LABOUR: _("{claim} were subjected to forced labour"),
        SEXUAL_EXPLOITATION: _("{claim} were subjected to sexual exploitation"),
    }
    return known.get((variable, code)) or flags.get(code) or _("{label}, {claim} of those recorded")
