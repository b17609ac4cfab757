"""Events: series of one event are one signal, whatever it is seen from."""

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ctdhub.schema.model import AGE, DESTINATION, HARM, ORIGIN, SEX, load_schema
from ctdhub.stats.cards import NOT_RECORDED, YES
from ctdhub.stats.query import Where
from ctdhub.stats.signals.chances import Floats
from ctdhub.stats.signals.find import Finding, Search, Test, Verdict, Way, What, ordered, q_values
from ctdhub.stats.signals.panel import SeriesPanel, Side
from ctdhub.stats.trend import Series

# --------------------------------------------------------------------------------------------------
# One event is one signal: the false discovery rate over what is told once.

_ROUNDS = 10


@dataclass(frozen=True)
class Lead:
    """A signal with those told in the same breath, and those to see as well."""

    finding: Finding
    also: tuple[Finding, ...] = ()
    see: tuple[Finding, ...] = ()


def each_event_once(search: Search, leads: Callable[[Search], tuple[Lead, ...]]) -> Search:
    """The false discovery rate over leads.

    A large event makes a hundred tests true, and these would lend their weight to others that are
    not: so the tests that are told with a lead leave the list, and what is believed is chosen among
    the rest, until nothing changes.  So do falls that may be reports that did not come: nobody
    counts them as true.  What leaves the list stays believed; no q-value falls.  The smallest rises
    are those that would have been believed among the rest.

    Args:
        leads: all signals of a result, each once as a lead or under one.
    """
    rate = search.settings.rate
    for _round in range(_ROUNDS):
        events = leads(search)
        under = {f.row for lead in events for f in lead.also}
        under |= {f.row for f in search.findings if f.rests_on_zeros(rate)}
        findings = list(search.findings)
        left = [k for k, f in enumerate(findings) if f.row not in under]
        for kind in ("count", "share"):
            tests = [(k, t) for k in left for t in findings[k].tests if t.what == kind]
            q = q_values(*np.array([(t.p, t.weight) for _k, t in tests]).reshape(-1, 2).T)
            for (k, test), value in zip(tests, q, strict=True):
                findings[k] = _with_q(findings[k], test, max(test.q, float(value)), rate)
        search = replace(search, findings=ordered(findings, rate))
        if len(leads(search)) == len(events):
            break
    rest = [f for f in search.findings if f.row not in under]
    return replace(search, findings=search.rising(search.findings, rest))


def _with_q(finding: Finding, test: Test, q: float, rate: float) -> Finding:
    verdict: Verdict = "break" if q <= rate else "" if test.verdict == "break" else test.verdict
    new = replace(test, q=q, verdict=verdict)
    return replace(finding, tests=tuple(new if t is test else t for t in finding.tests))


# --------------------------------------------------------------------------------------------------
# Corridors of a file: the totals by origin and by destination, and one lead for one event.

MOST_MISSING = 0.2
"""Part of a total, by the means of its series, that may be missing in a period."""
NEARLY_ALL = 0.7
"""Part of the movement of a total that one corridor makes up, to lead instead of it."""
MOSTLY = 0.5
"""Part of the movement of a total that series of another one make up, to be told with that one."""
_NAMED = re.compile(r"(.+?)\s*(?: to |→|->)\s*(.+)")


def sides_of(names: Sequence[str]) -> tuple[Side, ...]:
    """Origin and destination where every name is of the form "A to B"; else ()."""
    matches = [_NAMED.fullmatch(name) for name in names]
    sides = tuple((m[1].strip(), m[2].strip()) for m in matches if m)
    return sides if len(sides) == len(names) else ()


def with_totals(panel: SeriesPanel) -> SeriesPanel:
    """The panel and, below its series, the totals of every side that has two corridors or more.

    A total's side leaves the other end empty.  A period in which corridors are missing takes their
    means; it is missing itself where these make up more than :data:`MOST_MISSING`.
    """
    if not panel.sides:
        return panel
    made: list[tuple[Floats, Floats, Side]] = []
    for end in (1, 0):
        for place in sorted({side[end] for side in panel.sides}):
            members = [k for k, side in enumerate(panel.sides) if side[end] == place]
            if len(members) > 1 and place:
                made.append((*_total(panel, members), ("", place) if end else (place, "")))
    if not made:
        return panel
    rows, noise, sides = zip(*made, strict=True)
    empty = np.full((len(rows), len(panel.periods)), np.nan)
    return replace(
        panel,
        names=(*panel.names, *(_name(side) for side in sides)),
        counts=np.vstack([panel.counts, rows]),
        wholes=np.vstack([panel.wholes, empty]),
        noise=np.vstack([panel.noise, noise]),
        noise_of_wholes=np.vstack([panel.noise_of_wholes, 0 * np.nan_to_num(empty)]),
        sides=(*panel.sides, *sides),
    )


def _name(side: Side) -> str:
    return f"origin={side[0]}" if side[0] else f"destination={side[1]}"


def _total(panel: SeriesPanel, members: list[int]) -> tuple[Floats, Floats]:
    counts = panel.counts[members]
    known = ~np.isnan(counts)
    sums = np.where(known, counts, 0.0).sum(axis=1)
    means = (sums / np.maximum(known.sum(axis=1), 1))[:, None]
    missing = np.where(known, 0.0, means).sum(axis=0)
    total = np.where(known, counts, means).sum(axis=0)
    some = known.any(axis=0) & (missing <= MOST_MISSING * max(float(means.sum()), 1e-9))
    noise = np.sqrt((np.where(known, panel.noise[members], 0.0) ** 2).sum(axis=0))
    return np.where(some, total, np.nan), noise


def leads_of(search: Search) -> tuple[Lead, ...]:
    """All signals, each once as a lead or under one, the largest first."""
    left = list(search.signals)
    if not search.panel.sides:
        return tuple(Lead(f) for f in left)
    rate = search.settings.rate
    leads = []
    while left:
        head = _narrowest(search, left)
        left = [f for f in left if f is not head]
        under = [f for f in left if _same_event(search, head, f, rate)]
        left = [f for f in left if f not in under]
        leads.append(Lead(head, tuple(under)))
    return tuple(leads)


def _narrowest(search: Search, left: list[Finding]) -> Finding:
    """The first signal, or the one corridor that makes up most of it."""
    first, rate = left[0], search.settings.rate
    members = _members(search.panel, first.row)
    change = _change(search, sorted(members))
    for other in left[1:]:
        if {other.row} < members and _ways(other, rate) & _ways(first, rate):
            own = _change(search, [other.row])
            if change and own / change >= NEARLY_ALL:
                return other
    return first


def _same_event(search: Search, head: Finding, other: Finding, rate: float) -> bool:
    if not _ways(head, rate) & _ways(other, rate):
        return False
    a, b = (_members(search.panel, f.row) for f in (head, other))
    if b <= a:
        return True
    change = _change(search, sorted(b))
    shared = _change(search, sorted(a & b))
    return bool(a & b) and change * shared > 0 and shared / change >= MOSTLY


def _ways(finding: Finding, rate: float) -> set[tuple[What, Way]]:
    return {(t.what, t.way) for t in finding.moved(rate)}


def _members(panel: SeriesPanel, row: int) -> set[int]:
    """Rows of the corridors that a series counts."""
    origin, destination = panel.sides[row]
    if origin and destination:
        return {row}
    return {
        k
        for k, (a, b) in enumerate(panel.sides)
        if a and b and (not origin or a == origin) and (not destination or b == destination)
    }


def _change(search: Search, rows: list[int]) -> float:
    """People of a period in the window less those of the past."""
    (begin, end), (first, last) = search.past, search.window
    counts = search.panel.counts[rows]
    before, now = counts[:, begin : end + 1], counts[:, first : last + 1]
    return sum(
        float(np.nanmean(b) - np.nanmean(a))
        for a, b in zip(before, now, strict=True)
        if not (np.isnan(a).all() or np.isnan(b).all())
    )


# --------------------------------------------------------------------------------------------------
# The series of a release that are looked at, and what each is a part of.

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
        where: dict[str, tuple[str, ...]] = {name: (code,) for name, code in self.places}
        for variable, _code in self.part:
            if variable in PARTS:
                where[variable] = schema.domain(variable, years)
            else:
                group = schema.groups[schema.variable(variable).group or ""]
                where[group.indicator or ""] = (YES,)
        return where


def looked_at(every: tuple[Series, ...]) -> Iterator[Looked]:
    """Series of known places and parts, with their wholes, in the order of the release."""
    by_place = {frozenset(s.of): s for s in every}
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
            whole = _recorded(by_place, places, part[0])
        else:
            whole = by_place.get(frozenset((*places, (indicator, YES))))
        yield Looked((*places, part), series, whole)


def _recorded(
    by_place: Mapping[frozenset[tuple[str, str]], Series], places: Of, part: str
) -> Series | None:
    """People of a place less those for whom the part is not recorded; these may be too few to
    have a series, then they are too few to matter."""
    everybody = by_place.get(frozenset(places))
    unknown = by_place.get(frozenset((*places, (part, NOT_RECORDED))))
    if everybody is None or unknown is None:
        return everybody
    return Series(
        everybody.of,
        everybody.years,
        everybody.noisy - unknown.noisy,
        math.hypot(everybody.sigma, unknown.sigma),
    )


# --------------------------------------------------------------------------------------------------
# The same people seen from two sides: which signals are told together.
#
# A share that rises makes another share of the same whole fall: the fall is told with the largest
# rise.  A place whose number falls makes the numbers of its women and its children fall: these are
# told with the place.  Together they stand where the largest of them does.  A citizenship, a
# country and the corridor between them are not the same people, but may be mostly so: these, and
# signals of the same place, are linked.

MOST = 0.5
"""Part of a citizenship's or a country's people in a corridor that makes its signals linked."""
_KIND = "kind of exploitation"
Moves = dict[int, dict[What, Way]]
"""What moved which way, by row."""


def leads_among(search: Search, looked: Sequence[Looked]) -> tuple[Lead, ...]:
    """All signals, each once as a lead or under one, the largest first.

    Args:
        looked: the series by row of the panel.
    """
    signals, rate = search.signals, search.settings.rate
    moves = {f.row: {t.what: t.way for t in f.moved(rate)} for f in signals}
    over = {
        f.row: next((o.row for o in signals if _told_with(looked, moves, f, o)), f.row)
        for f in signals
    }
    by_row = {f.row: f for f in signals}
    heads = [by_row[row] for row in dict.fromkeys(over.values())]
    return tuple(
        Lead(
            head,
            tuple(f for f in signals if f is not head and over[f.row] == head.row),
            tuple(f for f in heads if f is not head and _linked(search, looked, moves, head, f)),
        )
        for head in heads
    )


def told_once(search: Search, looked: Sequence[Looked]) -> Search:
    """The false discovery rate over what is told, see :func:`each_event_once`."""
    return each_event_once(search, lambda of: leads_among(of, looked))


def _told_with(looked: Sequence[Looked], moves: Moves, finding: Finding, other: Finding) -> bool:
    """Whether a signal is the other one, seen from its other side or from within."""
    one, two = looked[finding.row], looked[other.row]
    mine, theirs = moves[finding.row], moves[other.row]
    if one.places != two.places or not one.part:
        return False
    if not two.part:
        return set(mine) == {"count"} and mine["count"] == theirs["count"]
    ways = mine.get("share"), theirs.get("share")
    return ways == ("fall", "rise") and _answers_to(one.part) == _answers_to(two.part)


def _answers_to(part: Of) -> str:
    """The question that a part answers; types of exploitation are answers to one."""
    return _KIND if part[0][0] in load_schema().flags(HARM) else part[0][0]


def _linked(
    search: Search, looked: Sequence[Looked], moves: Moves, one: Finding, two: Finding
) -> bool:
    a, b = looked[one.row], looked[two.row]
    if a.places == b.places:
        return bool(a.places)
    if a.part != b.part or not moves[one.row].items() & moves[two.row].items():
        return False
    places = dict(a.places) | dict(b.places)
    if set(places) != {ORIGIN, DESTINATION}:
        return False
    if not (set(a.places) <= set(places.items()) and set(b.places) <= set(places.items())):
        return False
    return _mostly_same(search, looked, places)


def _mostly_same(search: Search, looked: Sequence[Looked], places: dict[str, str]) -> bool:
    """Whether half of the citizens, or of those exploited in the country, are of the corridor."""
    rows = {frozenset(one.of): row for row, one in enumerate(looked)}
    corridor = _people(search, rows.get(frozenset(places.items())))
    sides = [_people(search, rows.get(frozenset({pair}))) for pair in places.items()]
    return any(side > 0 and corridor / side >= MOST for side in sides)


def _people(search: Search, row: int | None) -> float:
    """People of the compared years; none where there is no series."""
    if row is None:
        return 0.0
    first, last = search.past[0], search.window[1]
    return float(np.nansum(search.panel.counts[row, first : last + 1]))
