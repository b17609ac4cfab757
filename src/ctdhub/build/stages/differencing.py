"""Whether contributors whose counts are not shown have company, in a release and in a series.

Within a release there are none or at least two of them wherever others are shown.  From release to
release they join in groups of two or more.  Who leaves, leaves at once: the law and its agreement
say so; then the approvers and those whose counts can be told from it are shown what it tells.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, hypot
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ctdhub.build.hub import Hub
from ctdhub.build.rules import policy, variables
from ctdhub.build.series import Published, told
from ctdhub.build.settings import Agreement
from ctdhub.build.versions import by_version, order
from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import Field, Percent, Text
from ctdhub.dp.policy import Policy
from ctdhub.release.manifest import MANIFEST, Manifest
from ctdhub.schema.model import Schema
from ctdhub.schema.roles import CONTRIBUTOR_KIND, PERIOD

SOURCE_TYPE = CONTRIBUTOR_KIND


@dataclass(frozen=True)
class ToldContributor:
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

    That one leaves is no reason: see :func:`told_of`.

    Raises:
        PolicyError: names the contributor, the years and what to change.
        ReleaseError: a release cannot be read.
    """
    before, now = _published(hub), _next(hub, rules, schema)
    for one in told(before, now):
        file, version = hub.root / "contributors" / f"{one.id}.yaml", before[-1].version
        years = spans(one.years or range(rules.years[0], rules.years[1] + 1))
        if one.why == "joins":
            raise error("sources-series", file=file, id=one.id, years=years, version=version)
        if one.why == "follows":
            raise error(
                "sources-series/follows", file=file, id=one.id, years=years, version=version
            )


def told_of(hub: Hub, candidate: Path | None = None) -> tuple[ToldContributor, ...]:
    """Whose counts would be told by comparing a release with those before, because one left.

    Args:
        hub: the hub.
        candidate: the bundle that is to follow; what would be made today, if None.

    Raises:
        ReleaseError: a release cannot be read.
    """
    earlier = [path for path in by_version(hub.releases) if path != candidate]
    if candidate is not None:
        earlier = [path for path in earlier if order(path) < order(candidate)]
    if not earlier:
        return ()
    names, last = _known_as(hub.agreements()), _manifest(earlier[0])
    following = _manifest(candidate) if candidate else last
    if candidate:
        now = _of(candidate, following, names)
    else:
        rules = policy(hub)
        now = _next(hub, rules, variables(hub, rules))
    before = [_of(path, _manifest(path), names) for path in reversed(earlier)]
    called = {str(c.get("id")): str(c["name"]) for c in last.facts["contributors"]}
    called |= {a.id: a.name for a in hub.agreements()}
    width = ceil(hypot(_half(last), _half(following)))
    return tuple(
        ToldContributor(
            one.id, called.get(one.id, one.id), last.version, width, last.interval_level, one.years
        )
        for one in told(before, now)
        if one.why == "leaves"
    )


def _half(manifest: Manifest) -> float:
    return (manifest.people.high - manifest.people.low) / 2


def _published(hub: Hub) -> list[Published]:
    """All releases, the oldest first."""
    names = _known_as(hub.agreements())
    return [_of(path, _manifest(path), names) for path in reversed(by_version(hub.releases))]


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


def _of(bundle: Path, manifest: Manifest, names: _Names) -> Published:
    """What a bundle tells."""
    first, last = manifest.facts["years"]
    contributors = manifest.facts["contributors"]
    sources = manifest.sources
    return Published.of(
        bundle.name, contributors, (first, last), by_year=PERIOD in manifest.sigma,
        by_kind=SOURCE_TYPE in manifest.sigma, shown=sources.contributors if sources else (),
        known_as=names.of(contributors),
    )  # fmt: skip


def _manifest(bundle: Path) -> Manifest:
    try:
        return Manifest.model_validate_json((bundle / MANIFEST).read_bytes())
    except ValidationError:
        raise error("manifest", file=bundle / MANIFEST) from None


@dataclass(frozen=True)
class _Names:
    """By what contributors of older releases are known today.

    Attributes:
        ids: of today's agreements.
        formerly: an id of old -> that of today, as an agreement says.
        names: a name that one agreement alone has -> its id.
    """

    ids: frozenset[str]
    formerly: Mapping[str, str]
    names: Mapping[str, str]

    def of(self, contributors: Iterable[Mapping[str, Any]]) -> dict[str, str]:
        """Ids of a release -> ids of today, where they differ."""
        found = {}
        for one in contributors:
            name = str(one["name"])
            id_ = str(one.get("id") or name)
            if id_ in self.formerly:
                found[id_] = self.formerly[id_]
            elif id_ not in self.ids and name in self.names:
                found[id_] = self.names[name]
        return found


def _known_as(agreements: Sequence[Agreement]) -> _Names:
    names = [a.name for a in agreements]
    return _Names(
        frozenset(a.id for a in agreements),
        {old: a.id for a in agreements for old in a.formerly},
        {a.name: a.id for a in agreements if names.count(a.name) == 1},
    )


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
