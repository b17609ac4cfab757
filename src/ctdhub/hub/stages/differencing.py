"""Whether contributors whose counts are not shown have company, in a release and in a series.

Within a release there are none or at least two of them wherever others are shown.  From release to
release they join in groups of two or more.  Who leaves, leaves at once: the law and its agreement
say so; then the approvers and those whose counts can be told from it are shown what it tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import ceil, hypot
from pathlib import Path
from typing import Any

from ctdhub.core.errors import error
from ctdhub.core.i18n import Field, Percent, Text
from ctdhub.dp.policy import Policy
from ctdhub.hub.folder import Agreement, Hub, by_version, order, policy, variables
from ctdhub.release.manifest import Manifest
from ctdhub.schema.model import CONTRIBUTOR_KIND, PERIOD, Schema

# --------------------------------------------------------------------------------------------------
# What a series of releases tells of single contributors whose counts are not shown.
#
# Each release gives, with noise, one total for each group of contributors that nobody can tell
# apart in it: those that report and are not shown, in all, in each year and within each type of
# source where these are released.  Whoever holds several releases can add and subtract such totals,
# and counts that are shown.  What follows in this way is linear algebra: the count of a contributor
# follows where its unit vector lies in the space that the totals span.

Cell = tuple[str, int]
"""A type of source, "" for all of them, and a year, 0 for all of them."""

Group = frozenset[str]
"""Ids of contributors."""


@dataclass(frozen=True)
class Published:
    """Who is in a release, and in which cells its totals are given.

    Attributes:
        version: of the release.
        members: all contributors, by cell.
        agreed: those of them whose counts may be shown.
        shown: those whose counts the release gives, under their names.
        years: first and last one that people are counted by; none where they are not.
        by_kind: whether they are counted by type of source.
    """

    version: str
    members: Mapping[Cell, Group]
    agreed: Group
    shown: Group
    years: range
    by_kind: bool

    @classmethod
    def of(
        cls,
        version: str,
        contributors: Iterable[Mapping[str, Any]],
        years: tuple[int, int],
        *,
        by_year: bool,
        by_kind: bool,
        shown: Iterable[str] = (),
        known_as: Mapping[str, str] | None = None,
    ) -> Published:
        """From public facts.

        Args:
            version: of the release.
            contributors: ``id``, ``name``, ``kind``, ``years``, ``show_counts`` where false.
            years: first and last year of the release.
            by_year, by_kind: whether people are counted by year, by type of source.
            shown: ids of those whose counts it gives.
            known_as: ids of old that mean a contributor of today.
        """
        names, members = known_as or {}, dict[Cell, set[str]]()
        span = range(years[0], years[1] + 1) if by_year else range(0)
        agreed: set[str] = set()
        for one in contributors:
            id_ = names.get(one["id"], one["id"])
            first, last = one.get("years") or years
            for kind in ("", str(one.get("kind", ""))) if by_kind else ("",):
                for year in (0, *(y for y in span if first <= y <= last)):
                    members.setdefault((kind, year), set()).add(id_)
            if one.get("show_counts", True):
                agreed.add(id_)
        cells = {cell: frozenset(ids) for cell, ids in members.items()}
        named = frozenset(names.get(id_, id_) for id_ in shown)
        return cls(version, cells, frozenset(agreed), named, span, by_kind)

    def gives(self, cell: Cell) -> bool:
        """Whether its total for a cell can be read from the release."""
        kind, year = cell
        return (not kind or self.by_kind) and (not year or year in self.years)

    def here(self, cell: Cell) -> Group:
        """All who report in a cell."""
        return self.members.get(cell, frozenset())

    def total(self, cell: Cell) -> Group:
        """Those of them whose counts are known together, and not one by one."""
        return self.here(cell) - self.shown


@dataclass(frozen=True)
class Disclosure:
    """What one more release would tell of a contributor.

    Attributes:
        id: of the contributor.
        why: ``joins`` where it joins alone, ``follows`` where its counts follow because others
            join or agree to be shown, ``leaves`` where they follow because it, or another, leaves.
        years: those in which its counts would be told; none where its number in all would.
    """

    id: str
    why: str
    years: tuple[int, ...]


def disclosures(before: Sequence[Published], now: Published) -> tuple[Disclosure, ...]:
    """What a release tells that those before it did not, by comparison with them.

    Args:
        before: published releases, the oldest first; without any nothing is told.
        now: the one that is to follow.
    """
    leaks: dict[tuple[str, str], set[int]] = {}
    cells = {cell for release in (*before, now) for cell in release.members if now.gives(cell)}
    for cell in sorted(cells):
        earlier = [r for r in before if r.gives(cell)]
        for id_, why in _told_in(cell, earlier, now) if earlier else ():
            leaks.setdefault((id_, why), set()).add(cell[1])
    return tuple(
        Disclosure(id_, why, tuple(sorted(years - {0})))
        for (id_, why), years in sorted(leaks.items())
    )


def _told_in(cell: Cell, earlier: Sequence[Published], now: Published) -> Iterable[tuple[str, str]]:
    last = earlier[-1]
    totals = frozenset(r.total(cell) for r in earlier)
    known = frozenset(id_ for r in earlier for id_ in r.here(cell) & r.shown)
    already = following(totals, known)
    joining, leaving = now.total(cell) - last.here(cell), last.total(cell) - now.here(cell)
    lone = joining if len(joining) == 1 else frozenset()
    gone = leaving if len(leaving) == 1 else frozenset()
    newly = last.total(cell) & now.here(cell) & now.shown
    forced = gone | following(totals | {now.total(cell) - joining | newly}, known)
    every = following(totals | {now.total(cell)}, known | now.here(cell) & now.shown)
    agreed = frozenset[str]()
    for release in (*earlier, now):  # what each said last
        agreed = agreed - release.here(cell) | release.here(cell) & release.agreed
    yield from ((id_, "joins") for id_ in lone - agreed)
    yield from ((id_, "leaves") for id_ in forced - already - agreed)
    yield from ((id_, "follows") for id_ in every - forced - already - lone - agreed)


@cache
def following(totals: frozenset[Group], known: Group) -> Group:
    """Whose counts follow from totals of groups and known counts, by adding and subtracting.

    >>> sorted(following(frozenset({frozenset("ab"), frozenset("abc")}), frozenset()))
    ['c']
    """
    groups = sorted({group - known for group in totals} - {frozenset()}, key=sorted)
    alike: dict[tuple[bool, ...], list[str]] = {}
    for name in sorted(frozenset().union(*groups)):  # who is in the same groups is never told apart
        alike.setdefault(tuple(name in group for group in groups), []).append(name)
    names = [members[0] for members in alike.values()]
    single = {members[0] for members in alike.values() if len(members) == 1}
    rows = [[Fraction(name in group) for name in names] for group in groups]
    reduced: list[list[Fraction]] = []
    for place in range(len(names)):
        pivot = next((row for row in rows if row[place]), None)
        if pivot is None:
            continue
        rows.remove(pivot)
        unit = [value / pivot[place] for value in pivot]
        rows = [_without(row, unit, place) for row in rows]
        reduced = [*(_without(row, unit, place) for row in reduced), unit]
    alone = [row for row in reduced if sum(map(bool, row)) == 1]
    ids = {name for row in alone for name, value in zip(names, row, strict=True) if value}
    return frozenset(ids & single)


def _without(row: list[Fraction], unit: list[Fraction], place: int) -> list[Fraction]:
    """A row less the multiple of another that makes its value in a place zero."""
    factor = row[place]
    return [a - factor * b for a, b in zip(row, unit, strict=True)] if factor else row


SOURCE_TYPE = CONTRIBUTOR_KIND


@dataclass(frozen=True)
class DisclosedContributor:
    """A contributor whose counts are not shown and can be told by comparing releases.

    Attributes:
        id, name: of the contributor.
        release: the last one, to which the next is compared.
        people: half-width of the interval of its number of people: how exactly it is told.
        level: of that interval.
        years: by which its counts are told as well, where people are counted by year.
    """

    id: str
    name: str
    release: str
    people: int
    level: float
    years: tuple[int, ...]

    @property
    def words(self) -> Text:
        """What it is, for the approvers and the contributor itself."""
        words: dict[str, Field] = {
            "name": self.name,
            "release": self.release,
            "n": self.people,
            "level": Percent(self.level),
        }
        if not self.years:
            return Text(
                "Anyone who compares this release with {release} and earlier ones can work "
                "out how many people {name} sent, to within about {n} ({level}), though "
                "its counts are not shown.",
                **words,
            )
        return Text(
            "Anyone who compares this release with {release} and earlier ones can work out "
            "how many people {name} sent, to within about {n} ({level}), and about how "
            "many in each of the years {years}, though its counts are not shown.",
            **words,
            years=spans(self.years),
        )


def check_series(hub: Hub, rules: Policy, schema: Schema) -> None:
    """Refuse a release that would tell the counts of one contributor by comparison with others.

    That one leaves is no reason: see :func:`disclosures_of`.

    Raises:
        PolicyError: names the contributor, the years and what to change.
        ReleaseError: a release cannot be read.
    """
    before, now = _published(hub), _next(hub, rules, schema)
    for one in disclosures(before, now):
        years = spans(one.years or range(rules.years[0], rules.years[1] + 1))
        file, id_, version = hub.agreement_file(one.id), one.id, before[-1].version
        if one.why == "joins":
            raise error("sources-series", file=file, id=id_, years=years, version=version)
        if one.why == "follows":
            raise error("sources-series/follows", file=file, id=id_, years=years, version=version)


TELL_THEM = Text(
    "A contributor left. It is removed at once, whatever that reveals. Show this to each "
    "contributor that is named before you sign."
)


def disclosures_of(hub: Hub, candidate: Path | None = None) -> tuple[DisclosedContributor, ...]:
    """Whose counts would be told by comparing a release with those before, because one left.

    Args:
        hub: the hub.
        candidate: the bundle that is to follow; what would be made today, if None.

    Raises:
        ReleaseError: a release cannot be read.
    """
    earlier = by_version(hub.releases)
    if candidate is not None:
        earlier = [path for path in earlier if order(path) < order(candidate)]
    if not earlier:
        return ()
    last, agreements = Manifest.read(earlier[0]), hub.agreements()
    following = Manifest.read(candidate) if candidate else last
    if candidate:
        now = _of(agreements, candidate)
    else:
        rules = policy(hub)
        now = _next(hub, rules, variables(hub, rules))
    before = [_of(agreements, path) for path in reversed(earlier)]
    called = {str(c["id"]): str(c["name"]) for c in last.facts["contributors"]}
    called |= {a.id: a.name for a in agreements}
    width = ceil(hypot(_half(last), _half(following)))
    return tuple(
        DisclosedContributor(
            one.id, called.get(one.id, one.id), last.version, width, last.interval_level, one.years
        )
        for one in disclosures(before, now)
        if one.why == "leaves"
    )


def _half(manifest: Manifest) -> float:
    return (manifest.people.high - manifest.people.low) / 2


def _published(hub: Hub) -> list[Published]:
    """All releases, the oldest first."""
    agreements = hub.agreements()
    return [_of(agreements, path) for path in reversed(by_version(hub.releases))]


def _next(hub: Hub, rules: Policy, schema: Schema) -> Published:
    """What would be released today."""
    facts, released = hub.facts(rules.years), rules.domains(schema)
    counted = rules.sources.share and PERIOD in released
    named = [str(c["id"]) for c in facts["contributors"] if c.get("show_counts", True)]
    return Published.of(
        "", facts["contributors"], rules.years, by_year=PERIOD in released,
        by_kind=SOURCE_TYPE in released,
        shown=named if counted else (),
    )  # fmt: skip


def _of(agreements: Sequence[Agreement], bundle: Path) -> Published:
    """What a bundle tells."""
    manifest = Manifest.read(bundle)
    first, last = manifest.facts["years"]
    contributors, sources = manifest.facts["contributors"], manifest.sources
    return Published.of(
        bundle.name, contributors, (first, last), by_year=PERIOD in manifest.sigma,
        by_kind=SOURCE_TYPE in manifest.sigma, shown=sources.contributors if sources else (),
        known_as=_known_as(agreements, contributors),
    )  # fmt: skip


def _known_as(
    agreements: Sequence[Agreement], contributors: Iterable[Mapping[str, Any]]
) -> dict[str, str]:
    """Ids of a release -> ids of today, where they differ.

    An agreement says what its id was, or is the only one with the name that the release gives.
    """
    ids, names = {a.id for a in agreements}, [a.name for a in agreements]
    formerly = {old: a.id for a in agreements for old in a.formerly}
    named = {a.name: a.id for a in agreements if names.count(a.name) == 1}
    aliases = {}
    for one in contributors:
        id_, name = str(one["id"]), str(one["name"])
        today = formerly.get(id_) or (named.get(name) if id_ not in ids else None)
        if today:
            aliases[id_] = today
    return aliases


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
        id_, years = alone
        raise error("sources-company", file="policy.yaml", id=id_, years=years)
    for kind in dict.fromkeys(c["kind"] for c in hidden) if SOURCE_TYPE in released else ():
        if alone := _alone([c for c in hidden if c["kind"] == kind], rules.years):
            id_, years = alone
            raise error("sources-company/kind", file="policy.yaml", id=id_, years=years)


def _alone(hidden: Sequence[Mapping[str, Any]], years: tuple[int, int]) -> tuple[str, str] | None:
    """The first contributor that reports alone in some years: its id, and these."""
    by_id: dict[str, list[int]] = {}
    for year in range(years[0], years[1] + 1):
        here = [c["id"] for c in hidden if c["years"][0] <= year <= c["years"][1]]
        if len(here) == 1:
            by_id.setdefault(here[0], []).append(year)
    return next(((id_, spans(alone)) for id_, alone in by_id.items()), None)


def spans(years: Sequence[int]) -> str:
    """Years in order as spans.

    >>> spans([2012, 2013, 2014, 2020])
    '2012–2014, 2020'
    """
    starts = [y for y in years if y - 1 not in years]
    ends = [y for y in years if y + 1 not in years]
    pairs = zip(starts, ends, strict=True)
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in pairs)
