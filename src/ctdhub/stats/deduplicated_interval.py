"""The second interval of a number or share of people: if everybody is counted once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from ctdhub.release.open import Release
from ctdhub.schema.roles import ORIGIN
from ctdhub.stats.intervals import Interval
from ctdhub.stats.query import Query, Where

Unit = Literal[
    "people",
    "case_records",
    "share",
    "nationalities",
    "countries",
    "contributors",
    "per_100000",
]


def once(
    release: Release, answer: Interval, unit: Unit, query: Query | None, whole: int | None
) -> tuple[float, float] | None:
    """The second interval of an answer; None where there is none.

    Args:
        answer: with its interval of noise, in the unit.
        unit: of the answer; only numbers, shares and rates of people have a second interval.
        query: the question.
        whole: the people that a share refers to, or the population of a rate.
    """
    errors = release.link_errors
    if errors is None or query is None or answer.low is None or answer.high is None:
        return None
    of = _citizenships(query)
    if unit == "people":
        return errors.once(answer.low, answer.high, of)
    if unit == "share" and whole is not None:
        return errors.share_once(answer.low, answer.high, whole, of)
    if unit == "per_100000" and whole:
        each = whole / 100_000
        low, high = errors.once(answer.low * each, answer.high * each, of)
        return min(answer.low, low / each), max(answer.high, high / each)
    return None


def wider(
    release: Release, ends: tuple[float, float], whole: float, where: Where
) -> tuple[float, float]:
    """An interval of a share, as wide as doubles and shared rows may make it.

    Args:
        ends: in 0..1, of whatever level.
        whole: the people that the share is of.
        where: conditions that these meet.
    """
    errors = release.link_errors
    return ends if errors is None else errors.share_once(*ends, whole, where.get(ORIGIN))


def _citizenships(query: Query) -> Collection[str] | None:
    """The citizenships that all people of a question have, of a share or of people outside those
    of all that they are among; None where any."""
    return query.of.where.get(ORIGIN) if query.of else query.where.get(ORIGIN)
