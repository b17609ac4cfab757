"""Whether contributors whose counts are not shown have company among those that are not shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctdhub.core.error_catalogue import error
from ctdhub.dp.policy import Policy
from ctdhub.schema.model import Schema
from ctdhub.schema.roles import CONTRIBUTOR_KIND, PERIOD

SOURCE_TYPE = CONTRIBUTOR_KIND


def check_company(contributors: Sequence[Mapping[str, Any]], rules: Policy, schema: Schema) -> None:
    """Refuse a release in which what is left of others' counts is those of one that hides its own.

    In each year, by the agreements, none or at least two of those that are not shown report.  Where
    the type of source is released this holds within each type: counts by type can be subtracted
    likewise.  Where nobody's counts are shown there is nothing to subtract.

    Args:
        contributors: public facts: ``id``, ``kind``, ``years``, and ``show_counts`` where false.
        schema: the variables that there are for the hub.

    Raises:
        PolicyError: names the contributor, the years and what to change.
    """
    released = rules.domains(schema)
    hidden = [c for c in contributors if not c.get("show_counts", True)]
    if not rules.sources.share or PERIOD not in released or len(hidden) == len(contributors):
        return
    if alone := _alone(hidden, rules.years):
        id_, years = _first(alone)
        raise error("sources-company", file="policy.yaml", id=id_, years=years)
    for kind in dict.fromkeys(c["kind"] for c in hidden) if SOURCE_TYPE in released else ():
        if alone := _alone([c for c in hidden if c["kind"] == kind], rules.years):
            id_, years = _first(alone)
            raise error("sources-company/kind", file="policy.yaml", id=id_, years=years)


def _alone(hidden: Sequence[Mapping[str, Any]], years: tuple[int, int]) -> dict[str, list[int]]:
    """The years in which one contributor alone reports, by its id."""
    found: dict[str, list[int]] = {}
    for year in range(years[0], years[1] + 1):
        here = [c["id"] for c in hidden if c["years"][0] <= year <= c["years"][1]]
        if len(here) == 1:
            found.setdefault(here[0], []).append(year)
    return found


def _first(alone: Mapping[str, Sequence[int]]) -> tuple[str, str]:
    """The id of the first contributor that is alone, and its years in words."""
    id_, years = next(iter(alone.items()))
    return id_, spans(years)


def spans(years: Sequence[int]) -> str:
    """Years in order as spans.

    >>> spans([2012, 2013, 2014, 2020])
    '2012–2014, 2020'
    """
    starts = [y for y in years if y - 1 not in years]
    ends = [y for y in years if y + 1 not in years]
    pairs = zip(starts, ends, strict=True)
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in pairs)
