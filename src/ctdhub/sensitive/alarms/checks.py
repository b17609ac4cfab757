"""All alarms of a contributor's deliveries, each decided by what the mapping accepts."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.tables import FILE_ROW, counts_of, fold
from ctdhub.schema import model
from ctdhub.schema.model import DESTINATION, HARM, ORIGIN, PERIOD, SEX, load_schema
from ctdhub.sensitive.alarms.alarm import CHILD, PERSON_KEY, Alarm, AlarmLimits, ReadDelivery
from ctdhub.sensitive.mapping.file_account import ColumnContent, UnknownText

# --------------------------------------------------------------------------------------------------
# Alarms that stop a build: texts nobody can read, and what changed since the delivery before.


def drifted(now: ReadDelivery, before: ReadDelivery | None, limits: AlarmLimits) -> Iterator[Alarm]:
    """The alarms of a delivery.

    Args:
        now: the delivery.
        before: the last one of the same contributor, None where it is the first.
        limits: when an alarm rings.
    """
    yield from _many(now, "unknown-texts", now.unknown, limits)
    if before is None:
        return
    seen = {(fold(u.column), fold(u.text)) for u in before.all_unknown}
    new = [u for u in now.unknown if (fold(u.column), fold(u.text)) not in seen]
    yield from _many(now, "new-texts", new, limits)
    yield from _new_columns(now, before)
    yield from _fell(now, before, limits)
    yield from _moved(now, before, limits)


def _many(
    now: ReadDelivery, name: str, unknown: Iterable[UnknownText], limits: AlarmLimits
) -> Iterator[Alarm]:
    """Columns in which too many of the filled cells hold these texts.

    A text that the mapping lets pass in writing (``unknown: pass``) is listed and does not count.
    """
    cells: Counter[str] = Counter()
    for one in unknown:
        if one.outcome != "passed-over":
            cells[fold(one.column)] += one.rows
    for column in now.columns:
        n = cells[fold(column.column)]
        if n >= limits.least and n > limits.unknown_share * column.filled:
            yield now.alarm(name, n, column.filled, column.column)


def _new_columns(now: ReadDelivery, *before: ReadDelivery) -> Iterator[Alarm]:
    had = {fold(c.column) for one in before for c in one.columns}
    had.add(FILE_ROW)  # the first bundle after plain files
    new = [c for c in now.columns if fold(c.column) not in had and not c.read and not c.decided]
    for column in new:
        yield now.alarm("new-column", len(new), len(now.columns), column.column)


def _fell(now: ReadDelivery, before: ReadDelivery, limits: AlarmLimits) -> Iterator[Alarm]:
    """Variables whose recorded share fell by half or more."""
    of, was_of = now.records.num_rows, before.records.num_rows
    if min(of, was_of) < limits.base:
        return
    for variable, was in before.recorded.items():
        n = now.recorded.get(variable, 0)
        if was < limits.base or n / of > limits.fell * was / was_of:
            continue
        yield now.alarm("recorded-fell", n, of, variable, was, was_of)


def _moved(now: ReadDelivery, before: ReadDelivery, limits: AlarmLimits) -> Iterator[Alarm]:
    """Variables of which a value has another share of the records: the value that moved most."""
    schema, coded = load_schema(), ("code", "flag", "country")
    for variable in before.mapping.columns.keys() & now.mapping.columns.keys():
        if variable == PERIOD or schema.variable(variable).kind not in coded:
            continue
        texts = [one.records[variable].cast(pa.string()).drop_null() for one in (now, before)]
        counts = [Counter(counts_of(each)) for each in texts]
        of, was_of = (count.total() for count in counts)
        if min(of, was_of) < limits.base:
            continue
        moves = {}
        for value in counts[0].keys() | counts[1].keys():
            n, was = (count[value] for count in counts)
            share = (n + was) / (of + was_of)
            error = math.sqrt(share * (1 - share) * (1 / of + 1 / was_of))
            if abs(n / of - was / was_of) > max(limits.moved, 3.5 * error):
                moves[value] = (abs(n / of - was / was_of), n, was)
        if moves:
            _move, n, was = max(moves.values())
            yield now.alarm("value-moved", n, of, variable, was, was_of)


# --------------------------------------------------------------------------------------------------
# Alarms about who is in a delivery: numbers written anew, nobody of before, or hardly anybody.


def about_people(
    now: ReadDelivery,
    before: ReadDelivery | None,
    known: frozenset[str],
    cumulative: bool,
    limits: AlarmLimits,
) -> Iterator[Alarm]:
    """The alarms of a delivery.

    Args:
        now: the delivery.
        before: the last one that is compared with it, None where there is none.
        known: person keys of the earlier deliveries that may be compared with it.
        cumulative: whether each delivery holds everybody anew; if not, nobody leaves.
        limits: when an alarm rings.
    """
    held = {fold(c.column): c for c in before.columns} if before else {}
    for column in now.columns:
        if n := _rewritten(column, held.get(fold(column.column)), cumulative, limits.least):
            of = column.digits + column.decimals
            yield now.alarm("ids-rewritten", n, of, column.column)
    people = now.people
    if min(len(people), len(known)) < limits.base:
        return
    if not people & known and (cumulative or not _built_alike(now, held)):
        yield now.alarm("nobody-again", 0, len(people))
    elif cumulative and before is not None and len(before.people) >= limits.base:
        left, again = len(before.people - people), len(before.people & people)
        if left > again:
            yield now.alarm("most-left", left, left + again)


def _built_alike(now: ReadDelivery, held: Mapping[str, ColumnContent]) -> bool:
    """Whether numbers of people are built as before, so that new ones are new people."""
    keyed = now.mapping.key_columns()
    names = [fold(name) for name in keyed[0]] if keyed else []
    mine = {fold(c.column): c.built for c in now.columns}
    return bool(names) and all(
        name in held and set(mine.get(name, ())) & set(held[name].built) for name in names
    )


def _rewritten(now: ColumnContent, was: ColumnContent | None, cumulative: bool, least: int) -> int:
    """Cells that a spreadsheet wrote anew; of each spelling of a number another key is made.

    In one file 17 stands beside 18.0; or a delivery has only the one where that before had only the
    other; or no number of everybody begins with 0 any more, or some do for the first time.
    """
    if min(now.digits, now.decimals) >= least:
        return now.decimals
    if was is None or now.digits + now.decimals < least:
        return 0
    if now.decimals and was.digits >= least > was.decimals:
        return now.decimals
    if not now.decimals and was.decimals >= least > was.digits:
        return now.digits
    pads, padded = (c.padded >= least for c in (now, was))
    if cumulative and was.digits >= least and pads != padded and not min(now.padded, was.padded):
        return now.padded or now.digits
    return 0


# --------------------------------------------------------------------------------------------------
# Plausibility alarms: records that a machine may have read wrongly, though every row is whole.


def implausible(now: ReadDelivery, limits: AlarmLimits) -> Iterator[Alarm]:
    """The alarms of a delivery by itself."""
    if now.rows >= limits.base and _more(now.rejected, now.rows, limits.rejects):
        yield now.alarm("many-rejects", now.rejected, now.rows)
    left_out = now.rows - now.rejected - now.records.num_rows
    if now.rows >= limits.base and left_out > limits.excluded * now.rows:
        yield now.alarm("many-excluded", left_out, now.rows)
    for column in now.columns:
        if column.dates >= limits.base and column.new_year == column.dates:
            yield now.alarm("all-first-of-january", column.new_year, column.dates, column.column)
        if column.lists >= limits.lists and column.sets == column.lists:
            yield now.alarm("sorted-lists", column.sets, column.lists, column.column)
    if now.records.num_rows < limits.base:
        return
    minors, ages = _under_18(now.records)
    if ages >= limits.base and minors in (0, ages):
        yield now.alarm("all-under-18" if minors else "none-under-18", minors, ages)
    single = {"one-gender": SEX, "one-citizenship": ORIGIN, "one-country": DESTINATION}
    for name, variable in single.items():
        known = now.records[variable].drop_null()
        if len(known) >= limits.base and len(known.unique()) == 1 and _is_read(now, variable):
            yield now.alarm(name, len(known), len(known))
    for year, n in _jumps(now.records[PERIOD], limits):
        yield now.alarm("year-jump", n, now.records.num_rows, str(year))
    yield from _flags(now, limits)
    yield from _keys(now, limits)


def _more(n: int, of: int, share: float) -> bool:
    """Whether n is more than a share of all, by more than chance (two standard errors) does."""
    return n > share * of + 2 * math.sqrt(share * (1 - share) * of)


def _is_read(now: ReadDelivery, variable: str) -> bool:
    """Whether a variable comes from cells: a constant was decided in writing."""
    rules = now.mapping.columns.get(variable, ())
    return any(rule.value is None for rule in rules)


def _under_18(records: pa.Table) -> tuple[int, int]:
    """Records of people under 18, and records that say whether somebody is."""
    known, minor = [], []
    for name, marks in load_schema().marks.items():
        if CHILD in marks and name in records.column_names:
            known.append(pc.is_valid(records[name]))
            minor.append(pc.is_in(records[name], value_set=pa.array(marks[CHILD])))
    some, recorded = (pc.sum(reduce(pc.or_, each)).as_py() for each in (minor, known))
    return some or 0, recorded or 0


def contradictions(now: ReadDelivery) -> Iterator[Alarm]:
    """Variables of which records say otherwise than what follows from other variables.

    A flag says otherwise also where it is not recorded: its people are missing from the form.
    """
    schema, wrong = load_schema(), defaultdict[str, list[pa.ChunkedArray]](list)
    for of, codes, name, code in schema.implied():
        if of in now.mapping.columns:
            given = pc.is_in(now.records[of], value_set=pa.array(codes))
            silent = schema.variable(name).kind != "flag"
            same = pc.fill_null(pc.equal(now.records[name], code), silent)
            wrong[name].append(pc.and_not(given, same))
    if now.kind:
        other = pc.not_equal(now.records[model.CONTRIBUTOR_KIND], now.kind)
        wrong[model.CONTRIBUTOR_KIND].append(pc.fill_null(other, False))
    for name, each in wrong.items():
        if n := pc.sum(reduce(pc.or_, each)).as_py():
            of = now.records.num_rows
            yield now.alarm("contradiction", n, of, name)


def _jumps(years: pa.ChunkedArray, limits: AlarmLimits) -> Iterator[tuple[int, int]]:
    """Years with ten times as many records as the years next to them have on average.

    The newest year is left out, for it is most of what a small first delivery holds, and so are
    spans of less than three years.  Years between the first and the last without a record are 0.
    """
    counted = counts_of(years.drop_null())
    if not counted or max(counted) - min(counted) < 2:
        return
    for year in range(min(counted), max(counted)):
        n = counted.get(year, 0)
        beside = [counted.get(year + step, 0) for step in (-1, 1) if year + step >= min(counted)]
        if n >= limits.base and n >= limits.jump * sum(beside) / len(beside):
            yield year, n


def _flags(now: ReadDelivery, limits: AlarmLimits) -> Iterator[Alarm]:
    """Flags that are never yes; records without exploitation.

    Where silence counts as no, a rare form may truly have nobody: it rings only where its column
    holds unknown texts, in which a yes may hide.  A flag of the schema's core always rings, and so
    does a column that is answered yes or no.
    """
    of = now.records.num_rows
    schema = load_schema()
    strange = {fold(u.column) for u in now.all_unknown}
    for variable, rules in now.mapping.columns.items():
        silent = [rule for rule in rules if rule.absent]
        hidden = any(fold(column) in strange for rule in silent for column in rule.source)
        open_ = bool(silent) and (hidden or schema.variable(variable).core)
        asked = any("no" in (rule.map or {}).values() for rule in rules)
        n, least = now.recorded.get(variable, 0), limits.base if asked else limits.never
        if (open_ or asked) and n >= least and not now.ever(variable, "yes"):
            yield now.alarm("never-yes", 0, n, variable)
    flags = [f for f in schema.flags(HARM) if f in now.mapping.columns]
    if flags:
        some = reduce(pc.or_, (pc.fill_null(pc.equal(now.records[f], "yes"), False) for f in flags))
        without = of - (pc.sum(some).as_py() or 0)
        if _more(without, of, limits.unexploited):
            yield now.alarm("no-exploitation", without, of)


def _keys(now: ReadDelivery, limits: AlarmLimits) -> Iterator[Alarm]:
    """Person keys of two genders or births, and too many records for their keys."""
    keyed = now.records.filter(pc.is_valid(now.records[PERSON_KEY])).select([PERSON_KEY, SEX])
    groups = keyed.group_by(PERSON_KEY).aggregate([(SEX, "count_distinct")])
    two = pc.sum(pc.greater(groups[f"{SEX}_count_distinct"], 1)).as_py() or 0
    if two:
        yield now.alarm("key-two-genders", two, groups.num_rows)
    if now.births:
        yield now.alarm("key-two-births", now.births, groups.num_rows)
    records, keys = keyed.num_rows, groups.num_rows
    if records >= limits.base and records > limits.records_a_key * keys:
        yield now.alarm("many-records-a-key", records, keys)


_DRIFT = frozenset(
    {"new-texts", "new-column", "recorded-fell", "value-moved"}
    | {"ids-rewritten", "nobody-again", "most-left"}
)
"""Alarms that compare a delivery with an older one."""


def ring(
    deliveries: Sequence[ReadDelivery],
    limits: AlarmLimits,
    newest: bool = False,
    cumulative: bool = True,
    corrections: frozenset[str] = frozenset(),
) -> tuple[Alarm, ...]:
    """The alarms.

    A delivery is compared with the last one that was itself like those before it, or was accepted:
    what rang an alarm does not become usual by being sent once more.

    Args:
        deliveries: of one contributor, the oldest first.
        limits: when an alarm rings.
        newest: whether the newest delivery alone counts, so that no older one rings.
        cumulative: whether each delivery holds everybody anew; if not, nobody leaves.
        corrections: dates of deliveries of corrections: they hold whom somebody chose, so that
            they are compared with nothing but for the columns that all earlier ones have.
    """
    found: list[Alarm] = []
    before: ReadDelivery | None = None
    known = frozenset[str]()
    for place, now in enumerate(deliveries):
        corrects = now.date in corrections
        rang = [
            *drifted(now, None if corrects else before, limits),
            *(_new_columns(now, *deliveries[:place]) if corrects else ()),
            *about_people(now, before, known, cumulative, limits),
        ]
        drift = [alarm.decided(now.mapping.accept) for alarm in rang]
        if not newest or now is deliveries[-1]:
            found += drift
            alone = (*contradictions(now), *implausible(now, limits))
            found += [alarm.decided(now.mapping.accept) for alarm in alone]
        if not any(alarm.name in _DRIFT and not alarm.accepted for alarm in drift):
            before = before if corrects else now
            known |= now.people
    return tuple(found)
