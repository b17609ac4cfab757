"""The change of a series split into parts: what contributors report, what is recorded, what is
left.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add
from typing import Literal

from ctdhub.core.errors import error
from ctdhub.release.open import Release
from ctdhub.schema import countries, model
from ctdhub.schema.countries import CountryOf, find_place, place_of
from ctdhub.stats import trend
from ctdhub.stats.answers import Answers, recorded
from ctdhub.stats.cards import NOT_RECORDED, YES, Ends, Interval, NumberCard, Row, card, whole
from ctdhub.stats.estimator import memoised
from ctdhub.stats.query import Where

# --------------------------------------------------------------------------------------------------
# Groups of contributors whose people were counted apart, and who of them reports in a year.

POOLED, WHOLE = "", "*"
"""Ids of the group of all contributors without counts of their own, and of all together."""


@dataclass(frozen=True)
class ContributorGroup:
    """Contributors that have one count between them.

    Attributes:
        id: of the contributor; :data:`POOLED` or :data:`WHOLE` where there may be several.
        members: name, first and last year of each.
    """

    id: str
    members: tuple[tuple[str, int, int], ...]

    def reporting(self, year: int) -> tuple[str, ...]:
        """Names of the members that report on a year."""
        return tuple(name for name, first, last in self.members if first <= year <= last)

    def is_steady(self, first: int, last: int) -> bool:
        """Whether the same members, and some, report on every year from first to last."""
        members = {self.reporting(year) for year in range(first, last + 1)}
        return len(members) == 1 and () not in members


def groups(release: Release, ids: tuple[str, ...]) -> tuple[ContributorGroup, ...]:
    """Groups of a release.

    Args:
        ids: of contributors that have counts of their own; :data:`POOLED` is the others.  Empty:
            one group of all.
    """
    keys = [c.id or c.name for c in release.facts.contributors]
    spans = dict(zip(keys, trend.contributor_spans(release), strict=True))
    parts = [ContributorGroup(id_, (spans.pop(id_),)) for id_ in ids if id_ in spans]
    if spans:
        parts.append(ContributorGroup(POOLED if ids else WHOLE, tuple(spans.values())))
    return tuple(parts)


# --------------------------------------------------------------------------------------------------
# A number and the independent errors in it, carried through sums, products and quotients.
#
# Method.  Each draw of noise has a name; a number keeps, by name, how far one standard deviation of
# that draw moves it.  Sums and differences are exact.  Products and quotients keep the first-order
# term of Taylor's series (the delta method: G. W. Oehlert, 1992, The American Statistician 46:27),
# so numbers that share a draw stay correlated rightly.

Errors = Mapping[Hashable, float]


@dataclass(frozen=True)
class Noisy:
    """A value and its errors.

    Attributes:
        value: the estimate.
        errors: by name of a draw, what one standard deviation of it adds; the draws are
            independent of each other.

    >>> a, b = Noisy(10, {"a": 3.0}), Noisy(6, {"b": 4.0})
    >>> (a + b).value, (a + b).sd, (a - a).sd
    (16, 5.0, 0.0)
    """

    value: float
    errors: Errors = field(default_factory=dict)

    @property
    def sd(self) -> float:
        """Standard deviation."""
        return math.hypot(*self.errors.values())

    def is_clear(self, times: float) -> bool:
        """Whether it lies above zero by so many standard deviations."""
        return self.value > times * self.sd

    def __add__(self, other: Noisy) -> Noisy:
        return Noisy(self.value + other.value, _mixed((self, 1.0), (other, 1.0)))

    def __sub__(self, other: Noisy) -> Noisy:
        return Noisy(self.value - other.value, _mixed((self, 1.0), (other, -1.0)))

    def __mul__(self, other: Noisy) -> Noisy:
        return Noisy(self.value * other.value, _mixed((self, other.value), (other, self.value)))

    def __truediv__(self, other: Noisy) -> Noisy:
        ratio = self.value / other.value
        return Noisy(ratio, _mixed((self, 1 / other.value), (other, -ratio / other.value)))

    def times(self, factor: float) -> Noisy:
        """The product with an exact number."""
        return Noisy(self.value * factor, _mixed((self, factor)))


def total(numbers: Iterable[Noisy]) -> Noisy:
    """The sum."""
    return sum(numbers, Noisy(0.0))


def _mixed(*parts: tuple[Noisy, float]) -> dict[Hashable, float]:
    errors: dict[Hashable, float] = {}
    for number, factor in parts:
        for name, size in number.errors.items():
            errors[name] = errors.get(name, 0.0) + factor * size
    return errors


# --------------------------------------------------------------------------------------------------
# The people that a series is about: everybody, or those with one answer to one question.

REGIONS = {model.ORIGIN: model.ORIGIN_REGION, model.DESTINATION: model.DESTINATION_REGION}
"""Variables that stand for the region of each country where contributors are counted apart."""


@dataclass(frozen=True)
class ChangeSubject:
    """One answer to one question.

    Attributes:
        variable: of the schema; "" asks about everybody.
        value: the answer: a code, or for a country the key of a place.
    """

    variable: str = ""
    value: str = ""

    @property
    def where(self) -> Where:
        """The conditions as counts by year have them."""
        if not self.variable:
            return {}
        if self.variable in REGIONS and self.value not in countries.ALPHA3:
            return {self.variable: place_of(self.value).members}
        return {self.variable: [self.value]}

    @property
    def cell(self) -> dict[str, str]:
        """The same as one value of one variable, where countries stand as regions."""
        if not self.variable:
            return {}
        if self.variable in REGIONS and self.value not in countries.ALPHA3:
            return {REGIONS[self.variable]: self.value}
        return {self.variable: self.value}

    @property
    def variables(self) -> tuple[str, ...]:
        """What it asks about, () for everybody."""
        return (self.variable,) if self.variable else ()

    @property
    def indicator(self) -> str:
        """The indicator of the group of flags that the variable belongs to, "" where none."""
        group = model.load_schema().groups.get(
            model.load_schema().variable(self.variable).group or ""
        )
        return (group.indicator or "") if self.variable and group else ""

    def recorded(self, answers: Answers) -> Where:
        """The people for whom the answer is recorded."""
        return recorded(answers, self.variables).where

    @property
    def code(self) -> str:
        """As :func:`find_question` reads it, "" for everybody."""
        return f"{self.variable}={self.value}" if self.variable else ""


EVERYBODY = ChangeSubject()


def find_question(
    text: str, answers: Answers, country_of: CountryOf | None = None
) -> ChangeSubject:
    """The question that a text asks: "gender=female", "exploitation_sexual", "citizenship=Europe".

    Args:
        text: a variable of the release and one of its codes; a flag alone means yes; a country
            or a region by name or code; "" is everybody.
        country_of: as in :func:`find_place`.

    Raises:
        QuestionError: the release has no such variable, or the variable no such value.
    """
    name, _equals, value = (part.strip() for part in text.partition("="))
    if not name:
        return EVERYBODY
    known = [n for n in sorted(answers.variables) if model.load_schema().variable(n).kind != "year"]
    if name not in known:
        raise error("no-such-variable", names=", ".join(known))
    if name in REGIONS:
        if not value:
            raise error("no-such-place/missing", name=name)
        return ChangeSubject(name, find_place(value, country_of).key)
    codes = answers.domain(name)
    if not value and model.load_schema().variable(name).kind == "flag":
        value = YES
    if value not in codes:
        raise error("no-such-value", name=name, names=", ".join(codes))
    return ChangeSubject(name, value)


# --------------------------------------------------------------------------------------------------
# Counts of a question by group of contributors and year, with the noise in each.
#
# Where the release counted the people of the question by contributor, there is a group for each
# contributor with counts of its own, and one of all others.  Their sum is moved to what the release
# answers for the year, regions included, so that a split adds up to the whole numbers that the
# charts show: each group takes a part of the difference in proportion to the variance of its noise.
# Otherwise there is one group of all contributors.


@dataclass(frozen=True)
class Cell:
    """People of a group in a year.

    Attributes:
        asked: those of the question.
        recorded: those for whom the question's answer is recorded.
        everybody: all.
    """

    asked: Noisy
    recorded: Noisy
    everybody: Noisy

    def __add__(self, other: Cell) -> Cell:
        return Cell(
            self.asked + other.asked,
            self.recorded + other.recorded,
            self.everybody + other.everybody,
        )


@dataclass(frozen=True)
class Counts:
    """Cells by group and year.

    Attributes:
        question: whom they are about.
        groups: in the order of the release.
        cells: by id of the group and year; a group that does not report on a year has none.
        apart: whether contributors were counted apart.
        loose: years in which the groups do not add up to the release's own answer, because it shows
            none.
        level: coverage of intervals.
        z: the normal quantile of that level.
    """

    question: ChangeSubject
    groups: tuple[ContributorGroup, ...]
    cells: Mapping[tuple[str, int], Cell]
    apart: bool
    loose: frozenset[int]
    level: float
    z: float


def counts(answers: Answers, question: ChangeSubject) -> Counts | None:
    """The counts of a question; None where the release did not measure it by year."""
    release = answers.release
    years = range(release.years[0], release.years[1] + 1)
    measured = _apart(answers, question)
    contributors = groups(release, tuple(id_ for id_ in measured if id_ != POOLED))
    cells: dict[tuple[str, int], Cell] = {}
    loose = set()
    for year in years:
        here = [g for g in contributors if g.reporting(year)]
        if measured:
            published = _published(answers, question, year)
            if published is None:
                loose.add(year)
            row = _moved({g.id: _measured(measured[g.id], year) for g in here}, published)
            cells |= {(id_, year): cell for id_, cell in row.items()}
        elif (whole := _whole(answers, question, year)) is None:
            return None
        else:
            cells |= {(g.id, year): whole for g in here}
    level = release.protected.guarantee.level
    return Counts(question, contributors, cells, bool(measured), frozenset(loose), level, answers.z)


_Three = tuple[trend.Series, trend.Series | None, trend.Series]
"""Series of the people asked about, of what tells who is recorded, of everybody."""


def _apart(answers: Answers, question: ChangeSubject) -> dict[str, tuple[_Three, bool]]:
    """Series by contributor, and whether the second counts those recorded or those who are not;
    empty where some were not measured."""
    release, cell = answers.release, question.cell
    asked, everybody = trend.by_contributor(release, cell), trend.by_contributor(release, {})
    if not asked or asked.keys() != everybody.keys():
        return {}
    if not cell:
        return {id_: ((s, None, s), True) for id_, s in asked.items()}
    flag = next(iter(question.recorded(answers).items()))
    yes = list(flag[1]) == [YES]
    ((name, _value),) = cell.items()
    other = trend.by_contributor(release, {flag[0]: YES} if yes else {name: NOT_RECORDED})
    if other.keys() != asked.keys():
        return {}
    return {id_: ((asked[id_], other[id_], everybody[id_]), yes) for id_ in asked}


def _measured(series: tuple[_Three, bool], year: int) -> Cell:
    (asked, other, everybody), yes = series
    people = _draw(everybody, year)
    if other is None:
        return Cell(people, people, people)
    second = _draw(other, year)
    return Cell(_draw(asked, year), second if yes else people - second, people)


def _draw(series_: trend.Series, year: int) -> Noisy:
    at = series_.years.index(str(year))
    return Noisy(float(series_.noisy[at]), {(series_.of, year): series_.sigma})


def _moved(cells: dict[str, Cell], published: Noisy | None) -> dict[str, Cell]:
    """The same cells with their sum moved to the published count, the noisiest farthest."""
    if published is None or not cells:
        return cells
    gap = published - total(c.asked for c in cells.values())
    whole = math.fsum(c.asked.sd**2 for c in cells.values())
    moved = {}
    for id_, c in cells.items():
        asked = c.asked + gap.times(c.asked.sd**2 / whole if whole else 1 / len(cells))
        everybody = c.recorded is c.asked
        moved[id_] = (
            Cell(asked, asked, asked) if everybody else Cell(asked, c.recorded, c.everybody)
        )
    return moved


def _published(answers: Answers, question: ChangeSubject, year: int) -> Noisy | None:
    """The release's own answer for a year; None where it has none.

    It is the whole number that is printed, so that changes are the differences of those beside
    them; where too few are shown, it is the unbiased value of the series, and of a region, which
    has no series, nothing.
    """
    shown = answers.count({**question.where, model.PERIOD: [str(year)]})
    printed = shown.value is not None and shown.low is not None and shown.low > 0
    if any(len(values) > 1 for values in question.where.values()):
        return _read(shown, ("published", question.code, year), answers.z) if printed else None
    series = trend.series(answers.release, question.cell)
    if series is None:
        return None
    drawn = _draw(series, year)
    return Noisy(shown.value or 0.0, drawn.errors) if printed else drawn


def _whole(answers: Answers, question: ChangeSubject, year: int) -> Cell | None:
    """All contributors together, as the release answers; None where it did not measure this."""
    numbers = []
    for name, where in (
        ("asked", question.where),
        ("recorded", question.recorded(answers)),
        ("", {}),
    ):
        answer = answers.count({**where, model.PERIOD: [str(year)]})
        if answer.value is None:
            return None
        numbers.append(_read(answer, (WHOLE, name if where else "", year), answers.z))
    return Cell(*numbers)


def _read(answer: Interval, name: tuple[object, ...], z: float) -> Noisy:
    """An answer as a noisy number; one that is too small to show is uncertain by its whole end."""
    return Noisy(answer.value or 0.0, {name: answer.half_width / z})


# --------------------------------------------------------------------------------------------------
# The change between two years, split into parts that add up to it exactly.
#
# Method.  N(y) counts the people asked about whom the contributors registered in year y.
# 1. **Contributors.**  What a contributor counted that reports on one of the two years only belongs
#    to the mix of contributors, whole.
# 2. Within each contributor c of both years, with T(y) people, R(y) of them with the answer
#    recorded
#    and N(y) asked about, N = r W, where r = R / T is the share recorded, and W = N / r the people
#    that there would be if those not recorded were like those recorded.  The change of this product
#    is shared out as Shapley does, by the mean over both orders of the two factors:
#      **recording**  (r' - r) (W + W') / 2
#      **the rest**   (W' - W) (r + r') / 2
#    which add up to N' - N.  No order of the three steps gives the contributors another part, so
#    this is the Shapley value of all three.  Where hardly anybody is recorded in one of the years
#    (R not clear of the noise), W is T times N / R of the other year, and the rest is what is left.
# 3. Contributors that are counted together cannot be split unless the same of them report on both
#    years: their change is a part of its own, and never under the name of one that left or joined.
# Contributors in which those recorded are clear of the noise in neither year are split together.
#
# Sources: P. Das Gupta, Standardization and Decomposition of Rates, U.S. Bureau of the Census,
# P23-186 (1993), for two factors; A. F. Shorrocks, J. Economic Inequality 11:99 (2013), for
# Shapley.
#
# Intervals.  Contributors' and undivided parts are exact linear combinations of independent noise.
# Recording and the rest are not linear; their errors are of first order (``errors``).  Each
# interval holds for its own part at the release's level.  They are about the noise of the
# protection, and say nothing about chance in who was identified.

Kind = Literal["left", "joined", "recording", "rest", "undivided", "unmeasured", "unclear"]
CLEAR = 5.0
"""People recorded lie above zero by so many standard deviations, or a group is not split alone:
the quotients then err by at most a fifth, and the term of second order by a few per cent."""


@dataclass(frozen=True)
class ChangePart(Ends):
    """A part of a change: how many more people there are in the later year because of it.

    Attributes:
        kind: "left" and "joined" (contributors of one of the years only), "recording", "rest",
            "undivided" (contributors counted together, not all of them in both years),
            "unmeasured" (the same, because the release counted no contributor apart), "unclear"
            (contributors of both years with too few people recorded to tell the last two apart).
        names: the contributors that it is about; () for all of both years.
        value, low, high: people, whole numbers; negative where there are fewer.
    """

    kind: Kind
    names: tuple[str, ...]
    value: int
    low: int
    high: int


@dataclass(frozen=True)
class Split(Ends):
    """A change and its parts.

    Attributes:
        earlier, later: the two years.
        value, low, high: how many more people the later year has.
        parts: they add up to ``value``.
        shares: share of people, in 0..1, for whom the answer is recorded in the earlier and the
            later year among the contributors of both, each with its interval (of first order, cut
            to 0..1); None where that is no part.
        borrowed: whether some contributors recorded hardly any answer in one of the years, so
            that those recorded in the other year stand for both.
        level: coverage of each interval.
        breaks: that contributors of both years declared between the two.
    """

    earlier: int
    later: int
    value: int
    low: int
    high: int
    parts: tuple[ChangePart, ...]
    shares: tuple[Interval, Interval] | None
    borrowed: bool
    level: float
    breaks: tuple[trend.DeclaredBreak, ...] = ()

    def of(self, *kinds: Kind) -> tuple[ChangePart, ...]:
        """The parts of some kinds."""
        return tuple(part for part in self.parts if part.kind in kinds)


def split(counts: Counts, earlier: int, later: int) -> Split | None:
    """Split the change between two years; None where nobody reports on one of them."""
    left, joined, both, mixed = (
        [group for group in counts.groups if _fate(group, earlier, later) == fate]
        for fate in ("left", "joined", "both", "mixed")
    )
    if not all(any(g.reporting(year) for g in counts.groups) for year in (earlier, later)):
        return None
    terms: list[tuple[Kind, tuple[str, ...], Noisy]] = []
    alone: tuple[tuple[Kind, list[ContributorGroup], int, int], ...] = (
        ("left", left, earlier, -1),
        ("joined", joined, later, 1),
    )
    for kind, contributors, year, sign in alone:
        for group in contributors:
            people = counts.cells[group.id, year].asked.times(sign)
            terms.append((kind, group.reporting(year), people))
    shares = None
    pairs, unclear = _pairs(counts, both, earlier, later)
    rest = total(after.asked - before.asked for before, after in pairs)
    if pairs and counts.question.variable:
        recording = total(_recording(*pair) for pair in pairs)
        terms.append(("recording", (), recording))
        before, after = (reduce(add, cells) for cells in zip(*pairs, strict=True))
        shares = _recorded(before, counts.z), _recorded(after, counts.z)
        rest = rest - recording
    if pairs:
        terms.append(("rest", (), rest))
    together: Kind = "undivided" if counts.apart else "unmeasured"
    others: tuple[tuple[Kind, list[ContributorGroup]], ...] = (
        (together, mixed),
        ("unclear", unclear),
    )
    for kind, contributors in others:
        if contributors:
            old, new = (
                total(counts.cells[g.id, year].asked for g in contributors if g.reporting(year))
                for year in (earlier, later)
            )
            both_years = (g.reporting(year) for g in contributors for year in (earlier, later))
            names = tuple(dict.fromkeys(name for names in both_years for name in names))
            terms.append((kind, names, new - old))
    borrowed = shares is not None and not all(
        cell.recorded.is_clear(CLEAR) for pair in pairs for cell in pair
    )
    values = whole([number.value for *_kind, number in terms])
    parts = tuple(
        ChangePart(kind, names, value, *_ends(number, value, counts.z))
        for (kind, names, number), value in zip(terms, values, strict=True)
    )
    ends = _ends(total(number for *_kind, number in terms), sum(values), counts.z)
    return Split(earlier, later, sum(values), *ends, parts, shares, borrowed, counts.level)


def _fate(group: ContributorGroup, earlier: int, later: int) -> str:
    """What became of a group from one year to another; "" where it reports on neither."""
    before, after = group.reporting(earlier), group.reporting(later)
    if before == after:
        return "both" if before else ""
    if group.id == POOLED or (before and after):
        return "mixed"  # no name stands for what several were counted together
    return "left" if before else "joined"


_Pair = tuple[Cell, Cell]


def _pairs(
    counts: Counts, both: Sequence[ContributorGroup], earlier: int, later: int
) -> tuple[list[_Pair], list[ContributorGroup]]:
    """Cells of both years that can be split, and the groups that cannot even together."""
    pairs, small = [], []
    for group in both:
        pair = counts.cells[group.id, earlier], counts.cells[group.id, later]
        if _is_clear(counts, pair):
            pairs.append(pair)
        else:
            small.append((group, pair))
    if not small:
        return pairs, []
    befores, afters = zip(*(pair for _group, pair in small), strict=True)
    joint = reduce(add, befores), reduce(add, afters)
    if _is_clear(counts, joint):
        return [*pairs, joint], []
    return pairs, [group for group, _pair in small]


def _is_clear(counts: Counts, pair: _Pair) -> bool:
    if not counts.question.variable:
        return True
    everybody = all(c.everybody.is_clear(CLEAR) for c in pair)
    return everybody and any(c.recorded.is_clear(CLEAR) for c in pair)


def _if_all(cell: Cell, other: Cell) -> Noisy:
    """The people asked about if all were recorded, like those who are, in the other year if none
    is in this one."""
    like = cell if cell.recorded.is_clear(CLEAR) else other
    return cell.everybody * (like.asked / like.recorded)


def _recording(before: Cell, after: Cell) -> Noisy:
    shares = after.recorded / after.everybody - before.recorded / before.everybody
    return (shares * (_if_all(before, after) + _if_all(after, before))).times(0.5)


def _recorded(cell: Cell, z: float) -> Interval:
    """The share recorded, cut to 0..1; anything where there may be nobody at all."""
    if not cell.everybody.is_clear(z):
        return Interval(0.0, 0.0, 1.0)
    share = cell.recorded / cell.everybody
    half = z * share.sd
    value, low, high = (
        min(1.0, max(0.0, x)) for x in (share.value, share.value - half, share.value + half)
    )
    return Interval(value, low, high, width=2 * half)


def _ends(number: Noisy, value: int, z: float) -> tuple[int, int]:
    """The interval around whole people that still add up, rounded outwards."""
    half = z * number.sd
    low, high = math.floor(number.value - half), math.ceil(number.value + half)
    return min(low, value), max(high, value)


# --------------------------------------------------------------------------------------------------
# The same contributors in every year: a series that no contributor joins or leaves.


@dataclass(frozen=True)
class FixedPanel:
    """People by year, registered by contributors that report on all of these years.

    Attributes:
        names: the contributors.
        years: every year from the first to the last, with a card whose contributors are these.
    """

    names: tuple[str, ...]
    years: tuple[tuple[int, NumberCard], ...]

    @property
    def span(self) -> tuple[int, int]:
        """First and last year."""
        return self.years[0][0], self.years[-1][0]


def last_whole_year(release: Release) -> int:
    """The last covered year that was over when the release was made."""
    first, last = release.years
    return max(first, min(last, int(release.year) - 1))


def fixed_panel(
    release: Release, counts: Counts, span: tuple[int, int] | None, rows: Iterable[Row]
) -> FixedPanel | None:
    """The series of the contributors that report on all years of a span.

    Args:
        rows: people by year as published, which stand in the years in which nobody else reports.
        span: first and last year.  For None the last whole year is the last, and of all first
            years that one which the most groups of contributors have in common with it, of those
            the earliest.  It follows from public facts alone.

    Returns:
        None where no group reports on all of the years.
    """
    last = last_whole_year(release)
    starts = range(release.years[0], last + 1)
    first, last = span or (
        max(starts, key=lambda first: (len(_steady(counts.groups, first, last)), -first)),
        last,
    )
    panel = _steady(counts.groups, first, last)
    if not panel or first >= last:
        return None
    names = tuple(name for g in panel for name in g.reporting(last))
    published = {int(row.codes[0]): row.people for row in rows}
    years = []
    for year in range(first, last + 1):
        if year in published and set(trend.covering(release, year)) == set(names):
            years.append((year, replace(published[year], contributors=names)))
            continue
        people = total(counts.cells[g.id, year].asked for g in panel)
        half, value = counts.z * people.sd, max(0, round(people.value))
        low, high = math.floor(people.value - half), math.ceil(max(0.0, people.value) + half)
        answer = Interval(value, min(value, max(0, low)), max(value, high))
        years.append((year, replace(card(release, answer, "people", None), contributors=names)))
    return FixedPanel(names, tuple(years))


def _steady(groups: Sequence[ContributorGroup], first: int, last: int) -> list[ContributorGroup]:
    return [g for g in groups if g.is_steady(first, last)]


# --------------------------------------------------------------------------------------------------
# All that is said of one series: as published, of the same contributors, and its change split.

BACK = 1, 5
"""The last whole year is compared with the years so many years before."""


@dataclass(frozen=True)
class Report:
    """A series and how it changed.

    Attributes:
        question: whom it is about.
        rows: people by year as published, every contributor that reported.
        panel: the same contributors in every year; None where there is no such series.
        splits: the changes that were asked for; by default of the last whole year beside the year
            before and five years before.
        yearly: the change of every year beside the year before, as far as it can be split.
        apart: whether contributors were counted apart for these people.
        moved: whether their counts add up to the rows in the years of ``splits``; where not, the
            release shows too few of these people in one of them, and the two differ by their noise.
        breaks: that contributors declared in the years of the rows.
    """

    question: ChangeSubject
    rows: tuple[Row, ...]
    panel: FixedPanel | None
    splits: tuple[Split, ...]
    yearly: tuple[Split, ...]
    apart: bool
    moved: bool
    breaks: tuple[trend.DeclaredBreak, ...] = ()


@memoised
def report(
    answers: Answers, question: ChangeSubject, years: tuple[int, int] | None = None
) -> Report | None:
    """The report of a question; None where this release did not measure it by year.

    Args:
        years: the earlier and the later year to compare, and the span of the other series.
    """
    table = trend.trend(answers, "line", [trend.Line("asked", question.where)])
    tally = counts(answers, question)
    if table is None or tally is None:
        return None
    rows = tuple(row for row in table.rows if row.codes[0])
    first, last = answers.release.years[0], last_whole_year(answers.release)
    pairs: Iterable[tuple[int, int]] = [(last - n, last) for n in BACK if last - n >= first]
    if years is not None:
        first, last = years
        pairs = [years]
    splits = _splits(answers.release, tally, pairs)
    steps = ((year - 1, year) for year in range(first + 1, last + 1))
    return Report(
        question=question,
        rows=tuple(r for r in rows if years is None or first <= int(r.codes[0]) <= last),
        panel=fixed_panel(answers.release, tally, years, rows),
        splits=splits,
        yearly=_splits(answers.release, tally, steps),
        apart=tally.apart,
        breaks=trend.breaks_within(answers.release, question.variables, first, last),
        moved=not tally.loose & {year for s in splits for year in (s.earlier, s.later)},
    )


def _splits(release: Release, tally: Counts, pairs: Iterable[tuple[int, int]]) -> tuple[Split, ...]:
    asked = tally.question.variables
    return tuple(
        replace(one, breaks=trend.breaks_between(release, asked, *pair))
        for pair in pairs
        if (one := split(tally, *pair)) is not None
    )


# --------------------------------------------------------------------------------------------------
# What a series by year says first: a break that contributors explain, a rise, a fall, or neither.


@dataclass(frozen=True)
class YearClaim:
    """The change that the headline of a series names.

    Attributes:
        earlier, later: the rows of the two years; at most one is too small to show.
        sign: 1 for a rise, -1 for a fall, 0 for no difference beyond the noise.
        kind: "joined", "left" or "declared" (a break) where public facts about ``names`` explain
            the largest step of the series; "differ" where other contributors report on the two
            years; else "".
    """

    earlier: Row
    later: Row
    sign: int
    kind: Literal["joined", "left", "declared", "differ", ""] = ""
    names: tuple[str, ...] = ()


def year_claim(answers: Answers, where: Where, rows: Iterable[Row]) -> YearClaim | None:
    """What stands out in people by year; None where two years cannot be compared.

    The largest step from a year to the next comes first, where it is clear by :data:`CLEAR`
    standard deviations, as the largest of many, and contributors explain it: some joined or left in
    the direction of the step, or declared a break.  Else the last whole year is compared with the
    furthest year of :data:`BACK` that is covered.

    Args:
        where: conditions that the people meet.
        rows: of years.
    """
    last = last_whole_year(answers.release)
    years = {int(r.codes[0]): r for r in rows if r.kind == "value" and int(r.codes[0]) <= last}
    steps = [pair for year in years if (pair := _change(years, year - 1, year)) is not None]
    if steps:
        claim, step = max(steps, key=lambda step: abs(step[1].value))
        far = abs(step.value) * answers.z > CLEAR * step.half_width
        if far and (broken := _explained(answers, where, claim)) is not None:
            return broken
    first = min((last - n for n in BACK if last - n in years), default=None)
    if first is None or (pair := _change(years, first, last)) is None:
        return None
    claim = pair[0]
    if not claim.sign:
        shown = [row.people.value is not None for row in (claim.earlier, claim.later)]
        return claim if all(shown) else None
    same = trend.covering(answers.release, first) == trend.covering(answers.release, last)
    return claim if same else replace(claim, kind="differ")


def _change(
    years: Mapping[int, Row], earlier: int, later: int
) -> tuple[YearClaim, trend.Difference] | None:
    rows = years.get(earlier), years.get(later)
    if rows[0] is None or rows[1] is None:
        return None
    change = trend.difference(rows[0].people, rows[1].people, hidden=True)
    if change is None:
        return None
    sign = (1 if change.value > 0 else -1) if change.is_clear else 0
    return YearClaim(rows[0], rows[1], sign), change


def _explained(answers: Answers, where: Where, claim: YearClaim) -> YearClaim | None:
    """The claim with the contributors that explain it; None where none do.

    Those that joined or left must make a part of the change that is clear of the noise: where the
    release did not count contributors apart, it names none of them as a cause.
    """
    release, pair = answers.release, (int(claim.earlier.codes[0]), int(claim.later.codes[0]))
    kind: Literal["joined", "left"] = "joined" if claim.sign > 0 else "left"
    turn = next((t for t in trend.turns(release) if t.year == pair[1]), None)
    names = getattr(turn, kind, ())
    if names:
        question = _subject(where)
        asked = report(answers, question, pair) if question else None
        parts = asked.splits[0].of("joined", "left") if asked and asked.splits else ()
        if any(p.kind == kind and p.is_clear for p in parts):
            return replace(claim, kind=kind, names=names)
    declared = trend.breaks_between(release, tuple(where), *pair)
    if declared:
        return replace(claim, kind="declared", names=tuple(b.name for b in declared))
    return None


def _subject(where: Where) -> ChangeSubject | None:
    """People as a question whose change can be split; None where they meet other conditions."""
    if len(where) > 1:
        return None
    for name, codes in where.items():
        keys = tuple(codes) if len(codes) == 1 else countries.regions() if name in REGIONS else ()
        subjects = (ChangeSubject(name, key) for key in keys)
        return next((one for one in subjects if set(one.where[name]) == set(codes)), None)
    return EVERYBODY
