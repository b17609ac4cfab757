"""How deliveries differ from those before them, and people from what was published last.

All counts are exact.  Sensitive: for those who see the look, and for nobody else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.build.filenames import PEOPLE
from ctdhub.build.hub import Hub
from ctdhub.build.look.seen import NOT_RECORDED, SeenContributor, SeenDelivery
from ctdhub.release.bundle import latest_release
from ctdhub.release.open import open_release
from ctdhub.schema.roles import CONTRIBUTOR, PERIOD
from ctdhub.stats.answers import Answers
from ctdhub.stats.query import Query


@dataclass(frozen=True)
class MovedVariable:
    """A variable in two deliveries of a contributor.

    Attributes:
        variable: of the schema.
        now, of, was, was_of: records in which it is recorded, and all, now and before.
        distance: total variation distance between its values, of those that are recorded, 0 (the
            same shares) to 1; None where nobody recorded it in one of the two.
    """

    variable: str
    now: int
    of: int
    was: int
    was_of: int
    distance: float | None

    @property
    def fell(self) -> float:
        """By how much the recorded share fell, -1 to 1."""
        before = self.was / self.was_of if self.was_of else 0.0
        return before - (self.now / self.of if self.of else 0.0)


def moved(one: SeenContributor) -> tuple[MovedVariable, ...]:
    """The variables of a delivery compared with the one before, those that moved most first; none
    where it is the first."""
    if one.before is None:
        return ()
    names = {*one.now.values, *one.before.values}
    found = [_moved(name, one.now, one.before) for name in names]
    return tuple(sorted(found, key=lambda m: (-max(m.distance or 0, abs(m.fell)), m.variable)))


def _moved(name: str, now: SeenDelivery, before: SeenDelivery) -> MovedVariable:
    n, was = now.recorded(name), before.recorded(name)
    distance = None
    if n and was:
        distance = _distance(now.values.get(name, {}), n, before.values.get(name, {}), was)
    return MovedVariable(name, n, now.records, was, before.records, distance)


def _distance(now: Mapping[str, int], n: int, before: Mapping[str, int], was: int) -> float:
    codes = {*now, *before} - {NOT_RECORDED}
    return sum(abs(now.get(c, 0) / n - before.get(c, 0) / was) for c in codes) / 2


@dataclass(frozen=True)
class OutsideInterval:
    """A value of which the hub's people are not inside the interval that was published last.

    Attributes:
        variable, code: of the schema; the empty code is "not recorded".
        people: exact, today.
        low, high: the published interval.
    """

    variable: str
    code: str
    people: int
    low: float
    high: float

    @property
    def off(self) -> float:
        """How far outside, in widths of the interval."""
        far = max(self.people - self.high, self.low - self.people)
        return far / max(1.0, self.high - self.low)


@dataclass(frozen=True)
class SinceRelease:
    """Today's people compared with the last release.

    Attributes:
        version: of the release.
        compared: values that were compared.
        outside: of them those outside the interval, the farthest first.
    """

    version: str
    compared: int
    outside: tuple[OutsideInterval, ...]


def people_of(hub: Hub, columns: Sequence[str]) -> pa.Table | None:
    """Columns of the table of people that the last build made, as far as it has them; None where
    there is no table."""
    path = hub.work / "people" / PEOPLE
    if not path.is_file():
        return None
    held = set(pq.read_schema(path).names)
    return pq.read_table(path, columns=[name for name in columns if name in held])


def since_release(hub: Hub) -> SinceRelease | None:
    """Today's people by each published variable, against the newest release; None without one.

    Raises:
        ReleaseError: the release is damaged.
    """
    newest = latest_release(hub.releases)
    if newest is None:
        return None
    release = open_release(newest)
    answers = Answers(release)
    names = [key for key in release.protected.guarantee.sigma if key and "*" not in key]
    people = people_of(hub, names)
    if people is None:
        return SinceRelease(release.version, 0, ())
    found, compared = [], 0
    for name in people.column_names:
        counts = _counted(people[name])
        for row in answers.table(Query(by=(name,)), shares=False).rows:
            (code,), card = row.codes, row.people
            if card.low is None or card.high is None or row.kind == "nobody_reports":
                continue
            if name == PERIOD and code and not _covered(code, release.years):
                continue
            compared += 1
            n = counts.get(code, 0)
            if not card.low <= n <= card.high:
                found.append(OutsideInterval(name, code, n, card.low, card.high))
    return SinceRelease(
        release.version, compared, tuple(sorted(found, key=lambda o: (-o.off, o.variable, o.code)))
    )


def _covered(code: str, years: tuple[int, int]) -> bool:
    return years[0] <= int(code) <= years[1]


def _counted(column: pa.ChunkedArray) -> dict[str, int]:
    counted = pc.value_counts(column.cast(pa.string()).fill_null(NOT_RECORDED)).to_pylist()
    return {str(c["values"]): c["counts"] for c in counted}


def people_by_year(hub: Hub) -> dict[str, dict[int | None, int]]:
    """People by contributor and year, as the last build made them; {} where it made none."""
    people = people_of(hub, [CONTRIBUTOR, PERIOD])
    if people is None:
        return {}
    counted = people.group_by([CONTRIBUTOR, PERIOD]).aggregate([([], "count_all")]).to_pylist()
    found: dict[str, dict[int | None, int]] = {}
    for row in counted:
        found.setdefault(str(row[CONTRIBUTOR]), {})[row[PERIOD]] = row["count_all"]
    return found
