"""The series of a release that are looked at, and what each is a part of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ctdhub.schema.model import load_schema
from ctdhub.schema.roles import AGE, DESTINATION, HARM, ORIGIN, SEX
from ctdhub.stats.query import Where
from ctdhub.stats.series import Series
from ctdhub.stats.table import NOT_RECORDED, YES

PLACES = (ORIGIN, DESTINATION)
PARTS = (SEX, AGE)
GROUP = HARM

Of = tuple[tuple[str, str], ...]
"""Values by variable: places first, the part last; () is everybody."""


@dataclass(frozen=True)
class Looked:
    """One series that is looked at: its people, and what they are a part of, if anything."""

    of: Of
    series: Series
    whole: Series | None

    @property
    def name(self) -> str:
        """Unique name, for example ``citizenship=CIV&gender=female``; ``all`` is everybody."""
        return "&".join(f"{variable}={code}" for variable, code in self.of) or "all"

    @property
    def places(self) -> Of:
        """Its countries."""
        return tuple(pair for pair in self.of if pair[0] in PLACES)

    @property
    def part(self) -> Of:
        """Its gender, age or type of exploitation, if any."""
        return tuple(pair for pair in self.of if pair[0] not in PLACES)

    @property
    def where(self) -> Where:
        """Who is counted, as a query asks for them."""
        return {variable: (code,) for variable, code in self.of}

    def whole_where(self, years: tuple[int, int]) -> Where:
        """Those whose answer is recorded, among the people of the same places.

        Args:
            years: first and last year of the release.
        """
        schema = load_schema()
        found: dict[str, tuple[str, ...]] = {name: (code,) for name, code in self.places}
        for variable, _code in self.part:
            if variable in PARTS:
                found[variable] = schema.domain(variable, years)
            else:
                group = schema.groups[schema.variable(variable).group or ""]
                found[group.indicator or ""] = (YES,)
        return found


def looked_at(every: tuple[Series, ...]) -> Iterator[Looked]:
    """Series of known places and parts, with their wholes, in the order of the release."""
    held = {frozenset(s.of): s for s in every}
    schema = load_schema()
    flags, indicator = schema.flags(GROUP), schema.groups[GROUP].indicator or ""
    for series in every:
        values = dict(series.of)
        places = tuple((v, values[v]) for v in PLACES if v in values)
        rest = [(v, code) for v, code in series.of if v not in PLACES]
        if any(code == NOT_RECORDED for code in values.values()) or len(rest) > 1:
            continue
        if not rest:
            yield Looked(places, series, None)
            continue
        part = rest[0]
        if len(places) > 1 or not (part[0] in PARTS or (part[0] in flags and part[1] == YES)):
            continue
        if part[0] in PARTS:
            whole = _recorded(held, places, part[0])
        else:
            whole = held.get(frozenset((*places, (indicator, YES))))
        yield Looked((*places, part), series, whole)


def _recorded(
    held: Mapping[frozenset[tuple[str, str]], Series], places: Of, part: str
) -> Series | None:
    """People of a place less those for whom the part is not recorded; these may be too few to
    have a series, then they are too few to matter."""
    everybody = held.get(frozenset(places))
    unknown = held.get(frozenset((*places, (part, NOT_RECORDED))))
    if everybody is None or unknown is None:
        return everybody
    return Series(
        everybody.of,
        everybody.years,
        everybody.noisy - unknown.noisy,
        math.hypot(everybody.sigma, unknown.sigma),
    )
