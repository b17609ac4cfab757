"""Noisy series by year, and the overlap of lists: unbiased inputs for statistics.

Each value is a count plus noise of mean zero and known standard deviation.  Values may be negative
and are not truncated, so that sums and means of them stay unbiased.  The noise of different years
is independent, or, where tables were fitted together, correlated by -1 / Y at most (Y + 1 values of
an axis, one of them "not recorded", whose total is known much better than each): ``sigma`` is
widened by ``sqrt((Y + 1) / Y)``, so that a difference of two values has at most the standard
deviation ``sigma * sqrt(2)`` and a sum of m values at most ``sigma * sqrt(m)``.  Series of
different tables may share noise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.border import DOUBLES, LIST_JOIN, LISTS
from ctdhub.release.measurements import YearCounts
from ctdhub.release.open import Release
from ctdhub.schema.roles import CONTRIBUTOR


@dataclass(frozen=True)
class Series:
    """Noisy counts of the people of a group by year.

    Attributes:
        of: values by variable, in the order of the table; () is everybody, the text "" stands for
            "not recorded".
        years: all years of the policy in order, as texts; years to come hold noise alone.
        noisy: people by year, unbiased, shape (years,).
        sigma: standard deviation of the noise of each, in people, widened for differences.
        no_year: noisy count of the people of the group whose year is not recorded.
    """

    of: tuple[tuple[str, str], ...]
    years: tuple[str, ...]
    noisy: npt.NDArray[np.float64]
    sigma: float
    no_year: float = 0.0


ByValue = Mapping[str, Mapping[tuple[bool, ...], float]]
"""People by value and by membership of lists."""


@dataclass(frozen=True)
class ListOverlap:
    """Noisy counts of people by the set of lists that know them.

    Attributes:
        lists: ids of the lists.
        cells: people by membership, one truth value for each list; every set but the empty one.
        sigma: standard deviation of the noise of each cell, in people.
        years: first and last year in which a list must know a person; None for any year.
        tokens: the most tokens of a person by which lists were joined, beside her key.
        doubles: noisy number of people of the release who are another one of them, and the standard
            deviation of its noise; None where further tokens were not asked.
        strata: the same cells by the value of a variable ("" where not recorded), by variable, and
            the standard deviation of the noise of each.
    """

    lists: tuple[str, ...]
    cells: dict[tuple[bool, ...], float]
    sigma: float
    years: tuple[int, int] | None = None
    tokens: int = 0
    doubles: tuple[float, float] | None = None
    strata: Mapping[str, tuple[ByValue, float]] = field(default_factory=dict)


def all_series(release: Release) -> tuple[Series, ...]:
    """Every series by year of the release, () where it has none."""
    return tuple(_fitted(release, group) for group in release.measured.values())


def series(release: Release, where: Mapping[str, str]) -> Series | None:
    """The series of the people who have these values; None where it is not in the release.

    Args:
        where: values by variable, for example ``{"citizenship": "CIV", "gender": "female"}``;
            ``{}`` is everybody.
    """
    group = release.measured.get(frozenset(where.items()))
    return _fitted(release, group) if group else None


def by_contributor(release: Release, where: Mapping[str, str]) -> dict[str, Series]:
    """The series of these people by the contributor that first reported them.

    Args:
        where: at most one variable and its value; ``{}`` is everybody.

    Returns:
        By id of the contributor; "" is all those without counts of their own, and is left out
        where there are none of these.  {} where these people were not measured by contributor.
    """
    sources = release.protected.sources
    if sources is None:
        return {}
    others = {c.id for c in release.facts.contributors} - set(sources.contributors)
    found = {}
    for name in (*sources.contributors, *([""] if others else [])):
        group = release.measured_sources.get(frozenset({**where, CONTRIBUTOR: name}.items()))
        if group:
            found[name] = _series(release, group, sources.sigma)
    return found


def overlap(release: Release) -> ListOverlap | None:
    """How the lists of contributors overlap, None where that was not measured."""
    sources = release.protected.sources
    if sources is None or not sources.lists:
        return None
    cells: dict[tuple[bool, ...], float] = {}
    strata: dict[str, dict[str, dict[tuple[bool, ...], float]]] = {}
    doubles, measured = None, sources.measurements
    by_lists = pc.is_in(pc.list_element(measured["columns"], 0), pa.array([LISTS, DOUBLES]))
    for row in measured.filter(by_lists).to_pylist():
        known = row["values"][0].split(LIST_JOIN)
        on = tuple(name in known for name in sources.lists)
        if row["columns"] == [LISTS]:
            cells[on] = row["noisy"]
        elif row["columns"] == [DOUBLES]:
            doubles = row["noisy"], sources.sigma[DOUBLES]
        else:
            name, value = row["columns"][1], row["values"][1]
            strata.setdefault(name, {}).setdefault(value, {})[on] = row["noisy"]
    return ListOverlap(
        sources.lists,
        cells,
        sources.sigma[LISTS],
        sources.list_years,
        sources.tokens,
        doubles,
        {name: (by, sources.sigma[f"{LISTS}*{name}"]) for name, by in strata.items()},
    )


def _fitted(release: Release, group: YearCounts) -> Series:
    """A series of tables that were fitted together."""
    guarantee, years = release.protected.guarantee, len(group.noisy) - 1
    found = _series(release, group, guarantee.sigma)
    return replace(found, sigma=found.sigma * math.sqrt((years + 1) / years))


def _series(release: Release, group: YearCounts, sigma: Mapping[str, float]) -> Series:
    first, last = release.facts.years
    years = tuple(str(year) for year in range(first, last + 1))
    noisy = np.array([group.noisy.get(year, 0.0) for year in years])  # 0: nobody reports
    return Series(group.of, years, noisy, sigma[group.table], group.noisy[""])
