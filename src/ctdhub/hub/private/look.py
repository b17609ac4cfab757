"""What there is to see of deliveries before privacy is spent, how they drift, and where a number
comes from.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from ctdhub.core.errors import error, printable
from ctdhub.core.i18n import Text, joined
from ctdhub.core.tables import counts_of
from ctdhub.hub import contributions as work
from ctdhub.hub import pipeline
from ctdhub.hub.contributions import contributor_of, date_of, faults_of, mapping_file
from ctdhub.hub.find_person import file_steps
from ctdhub.hub.folder import Agreement, Hub, policy
from ctdhub.hub.stages.alarms import alarms_of, delivered
from ctdhub.hub.stages.harmonise import harmonise_file
from ctdhub.hub.stages.link import DeliveryLine, deliveries
from ctdhub.hub.steps import Step, hash_file
from ctdhub.release.bundle import latest_release
from ctdhub.release.open import open_release
from ctdhub.schema.model import CONTRIBUTOR, PERIOD
from ctdhub.sensitive.alarms.checks import Alarm, ReadDelivery
from ctdhub.sensitive.ingest.isolated import read_isolated
from ctdhub.sensitive.ingest.rejects import reason_of
from ctdhub.sensitive.mapping.file_account import UnknownText
from ctdhub.sensitive.mapping.identifiers import without_stripped
from ctdhub.sensitive.mapping.mapping_file import load_mapping
from ctdhub.sensitive.mapping.parsers import Header
from ctdhub.sensitive.mapping.run import in_words, losses
from ctdhub.stats.answers import Answers
from ctdhub.stats.query import Query

# --------------------------------------------------------------------------------------------------
# What there is to see of each contributor's deliveries, gathered from the work folder.

NOT_RECORDED = ""


@dataclass(frozen=True)
class SeenDelivery:
    """A delivery.  Sensitive: counts are exact, and texts of case records stand in it.

    Attributes:
        date: of its folder.
        rows, records, rejected: rows read, records made, rows rejected.
        excluded: rows left out by each rule.
        values: records by value of each mapped variable; the empty text is "not recorded".
        unknown: texts that no rule can read.
        unread: columns that no rule reads and about which the mapping says nothing.
        faults: rejected rows by rule and column; a row with several faults counts under each.
        people: what linking saw of it, None where it did not come so far.
        alarms: those that ring for it, open and accepted.
    """

    date: str
    rows: int
    records: int
    rejected: int
    excluded: Mapping[str, int]
    values: Mapping[str, Mapping[str, int]]
    unknown: tuple[UnknownText, ...]
    unread: tuple[str, ...]
    faults: Mapping[tuple[str, str], int]
    people: DeliveryLine | None
    alarms: tuple[Alarm, ...]

    def recorded(self, variable: str) -> int:
        """Records in which a variable is recorded."""
        values = self.values.get(variable, {NOT_RECORDED: self.records})
        return self.records - values.get(NOT_RECORDED, 0)


@dataclass(frozen=True)
class SeenContributor:
    """What is shown of a contributor: a delivery, and the one before, if there is one."""

    agreement: Agreement
    now: SeenDelivery
    before: SeenDelivery | None

    @property
    def pair(self) -> tuple[SeenDelivery, ...]:
        """Both, the newer one first."""
        return (self.now, self.before) if self.before else (self.now,)


def look(
    hub: Hub, contributor: str | None = None, date: str | None = None, *, read: bool = True
) -> list[SeenContributor]:
    """Bring records and alarms up to date, which costs nothing, and gather what there is to see.

    Args:
        hub: the hub.
        contributor: its id; all that sent something, if None.
        date: of the delivery to look at; the newest of each contributor, if None.
        read: False gathers what the last build left, of deliveries that it read.

    Raises:
        DocumentError: no such contributor, or it has no such delivery.
        HubError: harmonising fails.
    """
    if contributor is not None:
        hub.agreement(contributor, report=True)
    if read:
        pipeline.build(hub, until="alarms")
    lines = {(d.contributor, d.date): d for d in deliveries(hub)}
    steps = file_steps(hub, contributor or "")
    steps = [step for step in steps if read or (step.output / work.RECORDS).is_file()]
    rung, views = alarms_of(hub), []
    for name, sent in delivered(hub, steps):
        own = [one for one in sent if date is None or one.date <= date]
        if own and date in (None, own[-1].date):
            now, *before = (
                _delivery(one, steps, rung, lines.get((name, one.date))) for one in own[:-3:-1]
            )
            views.append(SeenContributor(hub.agreement(name), now, before[0] if before else None))
    if not views:
        raise error("no-delivery", id=printable(contributor or "–"), date=printable(date or "–"))
    return views


def unread_files(hub: Hub) -> int:
    """Files that were not read since they, their mapping or the program changed."""
    return sum(step.reason() is not None for step in file_steps(hub))


def _delivery(
    one: ReadDelivery, every: list[Step], rung: tuple[Alarm, ...], line: DeliveryLine | None
) -> SeenDelivery:
    steps = [s for s in every if (contributor_of(s), date_of(s)) == (one.contributor, one.date)]
    columns = [name for name in one.mapping.columns if name != CONTRIBUTOR]
    records = pa.concat_tables(
        [pq.read_table(s.output / work.RECORDS, columns=columns) for s in steps]
    )
    excluded, faults = Counter[str](), Counter[tuple[str, str]]()
    for step in steps:
        excluded.update(work.account_of(step)["excluded"])
        wrong = faults_of(step).group_by(["source_row", "rule", "column"]).aggregate([])
        faults.update((f["rule"], f["column"] or "") for f in wrong.to_pylist())
    return SeenDelivery(
        date=one.date,
        rows=one.rows,
        records=records.num_rows,
        rejected=one.rejected,
        excluded=dict(excluded),
        values={name: _counted(records[name]) for name in columns},
        unknown=one.all_unknown,
        unread=tuple(c.column for c in one.columns if not c.read and not c.decided),
        faults=dict(faults),
        people=line,
        alarms=tuple(a for a in rung if (a.contributor, a.delivery) == (one.contributor, one.date)),
    )


def _counted(column: pa.ChunkedArray) -> dict[str, int]:
    return counts_of(column.cast(pa.string()).fill_null(NOT_RECORDED))


# --------------------------------------------------------------------------------------------------
# From a column of a contributor's file to a published number, by joining what is there already.
#
# The reports of harmonised files say which column became which variable by which rule; the mapping
# is named by its SHA-256; the manifest says which tables were measured; a number carries its query.
# The way ends at the noisy number.  It never leads to a record.


@dataclass(frozen=True)
class ColumnSource:
    """How columns of a delivery become a variable.  Sensitive: counts are exact.

    Attributes:
        contributor, date: of the delivery.
        variable: of the schema.
        columns: of the file; none where the rule reads none.
        rule: in words; it may quote texts that the mapping names.
        loss: what the rule loses, or None.
        recorded, empty: records in which the variable is recorded, and others.
        mapping: SHA-256 of the mapping's file, hexadecimal.
        starts: from which date on the mapping reads, "" from the first delivery on.
    """

    contributor: str
    date: str
    variable: str
    columns: tuple[str, ...]
    rule: Text
    loss: Text | None
    recorded: int
    empty: int
    mapping: str
    starts: str


def column_sources(hub: Hub, variable: str | None = None) -> list[ColumnSource]:
    """Every variable of every delivery that was read, or one variable of all.

    Raises:
        HubError: a mapping or an agreement has faults.
    """
    sources = []
    for step in file_steps(hub):
        if not (step.output / work.REPORT).is_file():
            continue
        who, day = contributor_of(step), date_of(step)
        path = mapping_file(hub, who, day)
        tables, commit = load_mapping(path).tables(), hash_file(path)
        rules = {name: each for *_at, columns in tables for name, each in columns.items()}
        starts = "" if path == hub.mapping(who) else path.stem
        for line in work.report_of(step)["lineage"]:
            name = str(line["column"])
            if variable not in (None, name) or name not in rules:
                continue
            lost = [note for rule in rules[name] for note in losses(rule, frozenset())]
            sources.append(
                ColumnSource(
                    contributor=who,
                    date=day,
                    variable=name,
                    columns=tuple(line["sources"]),
                    rule=joined([in_words(rule) for rule in rules[name]], Text("; otherwise: ")),
                    loss=joined(list(dict.fromkeys(lost)), "; ") if lost else None,
                    recorded=int(line["mapped"]),
                    empty=int(line["empty"]),
                    mapping=commit,
                    starts=starts,
                )
            )
    return sources


def tables_with(sigma: dict[str, float], variable: str) -> list[tuple[str, ...]]:
    """The measured tables of a release that a variable is a part of, those of fewest first.

    >>> tables_with({"": 1.0, "gender": 2.0, "gender*age_band": 3.0, "age_band": 1.0}, "gender")
    [('gender',), ('gender', 'age_band')]
    """
    tables = [tuple(key.split("*")) for key in sigma if variable in key.split("*")]
    return sorted(tables, key=lambda names: (len(names), names))


# --------------------------------------------------------------------------------------------------
# How deliveries differ from those before them, and people from what was published last.
#
# All counts are exact.  Sensitive: for those who see the look, and for nobody else.


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
    moves = [_moved(name, one.now, one.before) for name in names]
    return tuple(sorted(moves, key=lambda m: (-max(m.distance or 0, abs(m.fell)), m.variable)))


def _moved(name: str, now: SeenDelivery, before: SeenDelivery) -> MovedVariable:
    n, was, distance = now.recorded(name), before.recorded(name), None
    if n and was:
        here, there = now.values.get(name, {}), before.values.get(name, {})
        codes = {*here, *there} - {NOT_RECORDED}
        distance = sum(abs(here.get(c, 0) / n - there.get(c, 0) / was) for c in codes) / 2
    return MovedVariable(name, n, now.records, was, before.records, distance)


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
    path = hub.work / "people" / work.PEOPLE
    if not path.is_file():
        return None
    names = set(pq.read_schema(path).names)
    return pq.read_table(path, columns=[name for name in columns if name in names])


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
    values, compared, (first, last) = [], 0, release.years
    for name in people.column_names:
        counts = _counted(people[name])
        for row in answers.table(Query(by=(name,)), shares=False).rows:
            (code,), card = row.codes, row.people
            outside = name == PERIOD and code and not first <= int(code) <= last
            if card.low is None or card.high is None or outside or row.kind == "nobody_reports":
                continue
            compared += 1
            n = counts.get(code, 0)
            if not card.low <= n <= card.high:
                values.append(OutsideInterval(name, code, n, card.low, card.high))
    values.sort(key=lambda o: (-o.off, o.variable, o.code))
    return SinceRelease(release.version, compared, tuple(values))


def people_by_year(hub: Hub) -> dict[str, dict[int | None, int]]:
    """People by contributor and year, as the last build made them; {} where it made none."""
    people = people_of(hub, [CONTRIBUTOR, PERIOD])
    if people is None:
        return {}
    counted = people.group_by([CONTRIBUTOR, PERIOD]).aggregate([([], "count_all")]).to_pylist()
    totals: dict[str, dict[int | None, int]] = {}
    for row in counted:
        totals.setdefault(str(row[CONTRIBUTOR]), {})[row[PERIOD]] = row["count_all"]
    return totals


# --------------------------------------------------------------------------------------------------
# A contributor's own part of the look: its rejected rows, to be corrected and sent back.
#
# It holds rows of this contributor alone, with the texts that were not read.  Columns that the
# mapping strips, hashes or keeps as numbers of cases are never read for it.


@dataclass(frozen=True)
class RejectedCell:
    """A fault of a row of the contributor's own file.  Sensitive.

    Attributes:
        file: name of the file.
        row: as a spreadsheet shows it.
        column: "" where the fault concerns the whole row.
        rule, reason: what is wrong.
        text: what the cell holds, "" where no one column is at fault.
    """

    file: str
    row: int
    column: str
    rule: str
    reason: Text
    text: str


def own_rows(hub: Hub, contributor: str, day: str) -> tuple[RejectedCell, ...]:
    """The faults in a contributor's delivery of a day, in the order of its files and rows."""
    rules = policy(hub)
    mapping = load_mapping(mapping_file(hub, contributor, day))
    readable = {c for _place, rule in mapping.uses() for c in rule.columns()}
    cells: list[RejectedCell] = []
    for entry in hub.contributions():
        if (entry.contributor, entry.date) != (contributor, day):
            continue
        faults = faults_of(harmonise_file(hub, entry, rules.years)).to_pylist()
        if not faults:
            continue
        raw = without_stripped(read_isolated(entry.file, mapping.read), mapping)
        header = Header(raw.table.column_names)
        at = {row: place for place, row in enumerate(raw.table["_row"].to_pylist())}
        for fault in faults:
            name = header.find(fault["column"]) if fault["column"] in readable else None
            row, column, rule = fault["source_row"], fault["column"] or "", fault["rule"]
            text = raw.table[name][at[row]].as_py() if name and row in at else None
            said = "" if text is None else str(text)
            reason = reason_of(fault["fields"])
            cells.append(RejectedCell(entry.file.name, row, column, rule, reason, said))
    return tuple(cells)
