"""Who is assisted: needed, offered, received, declined, not available, by group; and who is not.

Each kind of assistance stands alone: its denominator is the people whose status of that kind is
recorded.  "Of need" leaves out those who declined, for they chose not to take it up.

Gaps.  Two groups are compared by the share who received, of those recorded.  The interval of the
difference is made of the two shares' own (Zou and Donner 2008, Stat. Med. 27:1693: the distances
to the nearer ends add in quadrature); a share's is Fieller's interval for the noise of protection,
widened in quadrature by what chance alone gives among so many people (``z sqrt(p (1 - p) / n)``),
so that few people are not taken for a rule.  Where the release measures what links miss, it is
made as wide as people who count twice, or share a row, may make it.  All pairs of groups of all
kinds of assistance of one grouping are compared at once, so each interval has the level
1 - (1 - level) / pairs (Bonferroni): all that is said of a grouping holds together at the release's
level.  A gap is clear where the interval leaves out zero; of several clear ones of a kind the one
with the largest lower end is told, for a large but unsure difference is mostly noise.
"""

import math
from dataclasses import dataclass, replace
from itertools import combinations, product
from statistics import NormalDist

from ctdhub.schema.model import AGE, DESTINATION, RELATION, SERVICE, SEX, load_schema
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import NOT_MEASURED, NOT_RECORDED, YES, Interval, NumberCard, fieller, wider
from ctdhub.stats.estimator import memoised
from ctdhub.stats.query import Query, Where

# --------------------------------------------------------------------------------------------------
# Two groups of which one receives a kind of assistance less often.

By = tuple[str, ...]
"""One grouping: the variable, or the two, that people are told apart by."""


@dataclass(frozen=True)
class Gap:
    """Two groups of which one is recorded less often as having received, beyond noise and chance.

    Attributes:
        kind: of assistance.
        by: the grouping.
        least, most: codes of the group that received it less often, and of the one beside it.  A
            group whose share is too small to be shown is not compared and may receive even less.
        shares: who received of those recorded, the smaller first, in 0..1.
        ends: of the intervals of the two, each at the level of the release.
        difference, low, high: of the two shares, in 0..1, with its simultaneous interval.
        pairs: how many pairs were compared at once.
        unknown: shares of the two groups whose status is not recorded.
        bounds: between which shares of each group received it, whatever is not recorded (C. F.
            Manski, 1989, J. Hum. Resour. 24:343).
    """

    kind: str
    by: By
    least: tuple[str, ...]
    most: tuple[str, ...]
    shares: tuple[float, float]
    ends: tuple[tuple[float, float], tuple[float, float]]
    difference: float
    low: float
    high: float
    pairs: int
    unknown: tuple[float, float] = (0.0, 0.0)
    bounds: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 1.0), (0.0, 1.0))

    @property
    def decided(self) -> bool:
        """Whether the same group received it less often whatever is not recorded."""
        return self.bounds[0][1] < self.bounds[1][0]


GROUPINGS: tuple[By, ...] = (
    (RELATION,),
    (RELATION, SEX),
    (SEX,),
    (AGE,),
    (DESTINATION,),
)
RECEIVED, DECLINED = "received", "declined"
MOST = 12
"""Groups of a grouping by countries: the largest."""


@dataclass(frozen=True)
class EquityGroup:
    """People of one group, and where matters stand with one kind of assistance.

    Attributes:
        codes: values of the grouping; the empty text is "not recorded"; () is everybody.
        recorded: people whose status is recorded, the denominator of ``shares``.
        unknown: share of the group whose status is not recorded.
        people: by status the number of people.
        shares: by status their share of those recorded.
        of_need: share who received among those recorded who did not decline.
    """

    codes: tuple[str, ...]
    recorded: NumberCard
    unknown: NumberCard
    people: dict[str, NumberCard]
    shares: dict[str, NumberCard]
    of_need: NumberCard


@dataclass(frozen=True)
class Assistance:
    """One kind of assistance by one grouping; ``gap`` is None where none is clear."""

    kind: str
    by: By
    everybody: EquityGroup
    groups: tuple[EquityGroup, ...]
    gap: Gap | None = None


@dataclass(frozen=True)
class NotCompared:
    """Groups of a grouping that the gaps leave out, because their share is too small to be shown.

    Attributes:
        never: codes of those that no kind of assistance compares.
        partly: codes of those that some kind does not compare.
    """

    by: By
    never: tuple[tuple[str, ...], ...]
    partly: tuple[tuple[str, ...], ...]


def kinds(answers: Answers) -> tuple[str, ...]:
    """Kinds of assistance that the release holds."""
    return tuple(k for k in load_schema().members(SERVICE) if k in answers.variables)


def assisted(answers: Answers, where: Where) -> tuple[tuple[str, NumberCard], ...]:
    """People who received some assistance, with the variable that says so, where the release
    measured that; else those of the kind that most received, who are some of them; () of none."""
    some = answers.variables & {v.name for v in load_schema().people if v.any_of == SERVICE}
    asked = [(name, YES) for name in some] or [(kind, RECEIVED) for kind in kinds(answers)]
    found = [(name, answers.card(Query({**where, name: [code]}))) for name, code in asked]
    return tuple(sorted(found, key=lambda one: -one[1].middle)[:1])


def groupings(answers: Answers) -> tuple[By, ...]:
    """Groupings that the release measured for some kind of assistance."""
    return tuple(
        by for by in GROUPINGS if any(answers.measured(kind, *by) for kind in kinds(answers))
    )


@memoised
def assistance(answers: Answers, by: By) -> tuple[Assistance, ...]:
    """Every kind of assistance by one grouping, with the gaps that are clear.

    Args:
        by: one of :data:`GROUPINGS`.

    Returns:
        One for each kind that was measured by the grouping, in the order of the schema.
    """
    by_kind = [
        Assistance(kind, by, standing(answers, kind, {}), _groups(answers, kind, by))
        for kind in kinds(answers)
        if answers.measured(kind, *by)
    ]
    pairs = sum(math.comb(len(comparable(a)), 2) for a in by_kind)
    return tuple(replace(a, gap=_gap(answers, a, pairs)) for a in by_kind)


def clear_gaps(by_kind: tuple[Assistance, ...]) -> tuple[Gap, ...]:
    """The clear gaps, the one that is surely largest first."""
    return tuple(sorted((a.gap for a in by_kind if a.gap), key=lambda g: -g.low))


def _groups(answers: Answers, kind: str, by: By) -> tuple[EquityGroup, ...]:
    """Groups in the order of the schema, countries by size, "not recorded" last where alone."""
    codes = [*product(*(_values(answers, v) for v in by)), *([("",)] if len(by) == 1 else [])]
    return tuple(standing(answers, kind, _where(by, c), c) for c in codes)


def _values(answers: Answers, variable: str) -> tuple[str, ...]:
    if load_schema().variable(variable).kind != "country":
        return answers.domain(variable)
    cells = {code: e.value for (code,), e in answers.cells(variable).items() if code}
    return tuple(sorted(cells, key=lambda code: (-cells[code], code))[:MOST])


def standing(answers: Answers, kind: str, where: Where, codes: tuple[str, ...] = ()) -> EquityGroup:
    """Where matters stand with one kind of assistance among some people.

    Args:
        where: conditions that they meet; {} is everybody.
        codes: what the group is called.
    """
    statuses = answers.domain(kind)
    recorded: Where = {**where, kind: statuses}
    nothing: Where = {**where, kind: [NOT_RECORDED]}
    missing = answers.share(nothing, where).value

    def part(status: str, of: Where) -> NumberCard:
        return answers.card(Query({**where, kind: [status]}, of=Query(of)), missing=missing)

    return EquityGroup(
        codes=codes,
        recorded=answers.card(Query(recorded), missing=missing),
        unknown=answers.card(Query(nothing, of=Query(where))),
        people={s: answers.card(Query({**where, kind: [s]}), missing=missing) for s in statuses},
        shares={s: part(s, recorded) for s in statuses},
        of_need=part(RECEIVED, {**where, kind: [s for s in statuses if s != DECLINED]}),
    )


def _where(by: By, codes: tuple[str, ...]) -> dict[str, list[str]]:
    return {v: [code] for v, code in zip(by, codes, strict=True)} if codes else {}


def comparable(aid: Assistance) -> list[EquityGroup]:
    """Groups with recorded values whose share is shown: only these are compared."""
    return [g for g in aid.groups if all(g.codes) and g.shares[RECEIVED].value is not None]


def not_compared(by_kind: tuple[Assistance, ...]) -> NotCompared:
    """Which groups with recorded values the gaps leave out."""
    sets = [{g.codes for g in comparable(a)} for a in by_kind]
    groups = list(dict.fromkeys(g.codes for a in by_kind for g in a.groups if all(g.codes)))
    never = tuple(codes for codes in groups if not any(codes in here for here in sets))
    partly = (c for c in groups if c not in never and not all(c in here for here in sets))
    return NotCompared(by_kind[0].by if by_kind else (), never, tuple(partly))


def _gap(answers: Answers, aid: Assistance, pairs: int) -> Gap | None:
    if not pairs:
        return None
    outside = (1 - answers.release.protected.guarantee.level) / 2
    z = NormalDist().inv_cdf(1 - outside / pairs)
    groups = {g.codes: g for g in comparable(aid)}
    ends = {codes: _ends(answers, aid, group, z) for codes, group in groups.items()}
    gaps = []
    for one, other in combinations(ends, 2):
        least, most = sorted((one, other), key=lambda c: ends[c][0])
        (p, low, high), (q, low_q, high_q) = ends[least], ends[most]
        lower = q - p - math.hypot(q - low_q, high - p)
        upper = q - p + math.hypot(high_q - q, p - low)
        if lower > 0:
            gaps.append((lower, min(1.0, upper), (p, q), (least, most)))
    if not gaps:
        return None
    low, high, shares, (least, most) = max(gaps, key=lambda gap: gap[0])
    return Gap(
        kind=aid.kind,
        by=aid.by,
        least=least,
        most=most,
        shares=shares,
        ends=(_own(groups[least]), _own(groups[most])),
        difference=shares[1] - shares[0],
        low=low,
        high=high,
        pairs=pairs,
        unknown=(groups[least].unknown.middle, groups[most].unknown.middle),
        bounds=(_bounds(answers, aid, least), _bounds(answers, aid, most)),
    )


def _bounds(answers: Answers, aid: Assistance, codes: tuple[str, ...]) -> tuple[float, float]:
    """Between which shares of a group received, whatever is not recorded."""
    where = _where(aid.by, codes)
    asked = ([RECEIVED], [RECEIVED, NOT_RECORDED])
    least, most = (
        answers.card(Query({**where, aid.kind: status}, of=Query(where))).ends for status in asked
    )
    return least[0] if least else 0.0, most[1] if most else 1.0


def _own(group: EquityGroup) -> tuple[float, float]:
    """The interval of the share who received, as it is shown."""
    return group.shares[RECEIVED].low or 0.0, group.shares[RECEIVED].high or 0.0


def _ends(answers: Answers, aid: Assistance, group: EquityGroup, z: float) -> tuple[float, ...]:
    """The share who received, and the ends of its interval at another quantile, with chance."""
    where = _where(aid.by, group.codes)
    part = answers.count({**where, aid.kind: [RECEIVED]})
    whole = answers.count({**where, aid.kind: answers.domain(aid.kind)})
    at = fieller(_wider(part, z / answers.z), _wider(whole, z / answers.z))
    if at.value is None or at.low is None or at.high is None:
        raise ValueError("a share that is shown was not measured")
    chance = z * math.sqrt(at.value * (1 - at.value) / max(1.0, whole.value or 0))
    low = max(0.0, at.value - math.hypot(at.value - at.low, chance))
    high = min(1.0, at.value + math.hypot(at.high - at.value, chance))
    return (at.value, *wider(answers.release, (low, high), whole.value or 0, where))


def _wider(answer: Interval, by: float) -> Interval:
    """The same estimate, its interval so many times as wide."""
    if answer.value is None:
        return NOT_MEASURED
    half = by * answer.half_width
    return Interval(answer.value, answer.value - half, answer.value + half)
