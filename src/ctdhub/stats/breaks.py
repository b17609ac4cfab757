"""Breaks that contributors declared: days from which on their figures are not comparable.

They are public facts of a release, never found in its numbers.  A break concerns a question if it
names no variables, or one of the question's; only a contributor that reports before and after it
can have one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ctdhub.release.open import Release
from ctdhub.schema.model import load_schema
from ctdhub.stats.trend import contributor_spans


@dataclass(frozen=True)
class DeclaredBreak:
    """A break of one contributor.

    Attributes:
        day: from which on figures differ, ISO 8601.
        name: of the contributor.
        kind: "operator", "law", "form", "definition" or "other".
        variables: names of variables or groups that it concerns; () for all figures.
        note: of the steward, in whatever language.
    """

    day: str
    name: str
    kind: str
    variables: tuple[str, ...] = ()
    note: str = ""

    @property
    def year(self) -> int:
        """The first year with figures after it."""
        return int(self.day[:4])

    def parts(self, earlier: int, later: int) -> bool:
        """Whether it lies between the beginning of one year and the end of another.

        >>> january = DeclaredBreak("2016-01-01", "One", "form")
        >>> january.parts(2015, 2016), january.parts(2016, 2017), january.parts(2014, 2015)
        (True, False, False)
        >>> DeclaredBreak("2016-05-01", "One", "form").parts(2016, 2017)
        True
        """
        return f"{earlier:04}-01-01" < self.day and self.year <= later


def breaks_within(
    release: Release, variables: tuple[str, ...] | None, first: int, last: int
) -> tuple[DeclaredBreak, ...]:
    """Breaks of a series of years, in the order of days.

    Args:
        variables: what the question asks about, () for all people; None for every break.
    """
    return tuple(
        found
        for found, (begin, end) in _declared(release, variables)
        if found.parts(max(begin, first), min(end, last))
    )


def breaks_between(
    release: Release, variables: tuple[str, ...], earlier: int, later: int
) -> tuple[DeclaredBreak, ...]:
    """Breaks that a comparison of two years meets: of contributors that report on both."""
    return tuple(
        found
        for found, (begin, end) in _declared(release, variables)
        if begin <= earlier and later <= end and found.parts(earlier, later)
    )


def _declared(
    release: Release, variables: tuple[str, ...] | None
) -> Iterator[tuple[DeclaredBreak, tuple[int, int]]]:
    """Breaks that concern variables, each once, with the years of their contributor."""
    asked = None if variables is None else {n for v in variables for n in _also(v)}
    found: dict[DeclaredBreak, tuple[int, int]] = {}
    spans = contributor_spans(release)
    for one, (name, first, last) in zip(release.facts.contributors, spans, strict=True):
        for b in one.breaks:
            if asked is None or not b.variables or asked & set(b.variables):
                made = DeclaredBreak(b.date, name, b.kind, b.variables, b.note)
                found.setdefault(made, (first, last))
    yield from sorted(found.items(), key=lambda pair: (pair[0].day, pair[0].name))


def _also(variable: str) -> set[str]:
    """A variable, its group and the group's indicator, under any of which a break may name it."""
    schema = load_schema()
    try:
        held = schema.variable(variable)
    except KeyError:
        return {variable}
    group = held.group or held.any_of or ""
    indicator = schema.groups[group].indicator if group in schema.groups else None
    return {variable, group, indicator or ""} - {""}
