"""Deliveries of one contributor as versions: which records are in force, and what their person
keys say.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.errors import error
from ctdhub.core.i18n import texts
from ctdhub.core.tables import ROW, fold
from ctdhub.schema.model import AGE, PERIOD, SEX, load_schema
from ctdhub.sensitive.duck import run_whole
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.rejects import Reject, reject_table

# --------------------------------------------------------------------------------------------------
# Deliveries of one contributor as versions: which of their records are in force.
#
# Of one person key the newest delivery that has it counts, whole; what older ones said of her is
# replaced, and gone where the newest excludes her by a rule.  A row that the newest rejects is no
# version: what was known before stands, for nobody could read what replaces it.  All that depends
# on her own rows alone, so that one person still changes one row.  Where deliveries are cumulative,
# a key that the newest one lacks has left, and rows without a key, which nobody can find again,
# count in the newest alone.

RECORD, EXCLUDED, REJECTED = range(3)
"""What became of a row."""

ROWS = pa.schema(
    [
        pa.field("record_id", pa.string()),
        pa.field("person_key", pa.string()),
        pa.field("delivery", pa.int32(), nullable=False),
        pa.field("became", pa.int8(), nullable=False),
    ]
)
"""Rows of a contributor; deliveries are numbered from 0, the oldest.  Rows that became no record
have a key and no id."""

REPLACED, LEFT = "replaced", "left"
"""Rules by which records of older deliveries count no more, in the account of rows."""

_DROPPED = f"""
WITH keys AS (
    SELECT person_key, max(delivery) AS seen,
        max(delivery) FILTER (became <> {REJECTED}) AS standing
    FROM rows WHERE person_key IS NOT NULL GROUP BY 1
), valid AS (
    SELECT record_id FROM rows JOIN keys USING (person_key)
    WHERE became = {RECORD} AND delivery = standing AND seen NOT IN {{gone}}
    UNION
    SELECT record_id FROM rows
    WHERE became = {RECORD} AND person_key IS NULL AND delivery >= {{unkeyed}}
)
SELECT DISTINCT record_id, coalesce(seen IN {{gone}}, true) AS left_
FROM rows LEFT JOIN keys USING (person_key) ANTI JOIN valid USING (record_id)
WHERE became = {RECORD}
ORDER BY ALL
"""

_MISSING = """
WITH keys AS (
    SELECT max(delivery) AS seen FROM rows WHERE person_key IS NOT NULL GROUP BY person_key
)
SELECT DISTINCT seen + 1 AS delivery FROM keys WHERE seen < {newest} ORDER BY 1
"""

_CHANGES = f"""
WITH once AS (
    SELECT DISTINCT person_key, delivery, became, hash(record_id) AS record
    FROM rows WHERE person_key IS NOT NULL
), said AS (
    SELECT person_key, delivery, count(*) FILTER (became = {RECORD}) AS n,
        coalesce(bit_xor(record) FILTER (became = {RECORD}), 0) AS content,
        bool_and(became = {REJECTED}) AS unread
    FROM once GROUP BY ALL
), every AS (
    SELECT *, false AS gone FROM said
    UNION ALL
    SELECT person_key, delivery + 1, 0, 0, true, true FROM said
    WINDOW one AS (PARTITION BY person_key ORDER BY delivery)
    QUALIFY {{cumulative}} AND delivery < {{newest}} AND (delivery + 1) NOT IN {{kept}}
        AND coalesce(lead(delivery) OVER one, {{newest}} + 1) > delivery + 1
), stands AS (
    SELECT *, CASE WHEN gone THEN (n, content)
        ELSE last_value(CASE WHEN NOT unread THEN (n, content) END IGNORE NULLS) OVER one END AS now
    FROM every WINDOW one AS (PARTITION BY person_key ORDER BY delivery)
), step AS (
    SELECT *, coalesce(now[1], 0) AS people, coalesce(before[1], 0) AS known
    FROM (SELECT *, lag(now) OVER (PARTITION BY person_key ORDER BY delivery) AS before FROM stands)
), facts AS (
    SELECT delivery, n > 0 AS here, known = 0 AND people > 0 AS new,
        known > 0 AND people > 0 AND now <> before AS changed,
        known > 0 AND people = 0 AS left_, n > 0 AND known > 0 AS again
    FROM step
    UNION ALL
    SELECT delivery, true, false, false, false, false
    FROM (SELECT DISTINCT delivery, record_id FROM rows
        WHERE person_key IS NULL AND became = {RECORD})
)
SELECT delivery, count(*) FILTER (here) AS people, count(*) FILTER (changed) AS changed,
    count(*) FILTER (left_) AS "left", count(*) FILTER (new) AS new,
    count(*) FILTER (again) AS again
FROM facts GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True)
class Succession:
    """How deliveries of a contributor follow each other.

    Attributes:
        number: of deliveries.
        cumulative: whether a key that a newer delivery lacks has left.
        kept: deliveries whose missing people stay all the same.
    """

    number: int
    cumulative: bool = False
    kept: frozenset[int] = frozenset()

    @property
    def newest(self) -> int:
        """Number of the newest delivery."""
        return self.number - 1

    @property
    def gone(self) -> list[int]:
        """People whom none of the deliveries after one of these has are gone."""
        if not self.cumulative:
            return []
        return [d for d in range(self.newest) if d + 1 not in self.kept]


@dataclass(frozen=True)
class Dropped:
    """Records that are in force no more.

    Attributes:
        replaced: ids of records of people whom a newer delivery tells of.
        left: ids of records of people who left, and of rows without a key that did.
    """

    replaced: pa.Array
    left: pa.Array


@dataclass(frozen=True)
class DeliveryChange:
    """What a delivery brought.

    Attributes:
        people: whom its records are about; each record without a key is one.
        changed, left, new: people with a key: whose records are others than before, who had
            records before and have none now, and the other way round.
        again: people with a key who had records before.
    """

    people: int = 0
    changed: int = 0
    left: int = 0
    new: int = 0
    again: int = 0


def dropped(rows: pa.Table, way: Succession) -> Dropped:
    """What newer deliveries of a contributor replace or leave out.

    Args:
        rows: all its rows, schema :data:`ROWS`; a record that two deliveries hold stands twice.
        way: how they follow each other.
    """
    unkeyed = way.newest if way.cumulative else 0
    table = run_whole(_DROPPED.format(gone=_numbers(way.gone), unkeyed=unkeyed), rows=rows)
    left, ids = table["left_"].combine_chunks(), table["record_id"].combine_chunks()
    return Dropped(ids.filter(pc.invert(left)), ids.filter(left))


def unkeyed(rows: pa.Table) -> list[int]:
    """Deliveries with records of which none has a key."""
    records = rows.filter(pc.equal(rows["became"], RECORD))
    counts = records.group_by("delivery").aggregate([("person_key", "count")])
    none = counts.filter(pc.equal(counts["person_key_count"], 0))
    return sorted(none["delivery"].to_pylist())


def missing(rows: pa.Table, way: Succession) -> list[int]:
    """Deliveries that lack people whom the one before had, and who never come again."""
    sql = _MISSING.format(newest=way.newest)
    return run_whole(sql, rows=rows)["delivery"].to_pylist()  # type: ignore[no-any-return]


def changes(rows: pa.Table, way: Succession) -> list[DeliveryChange]:
    """What each delivery brought, the oldest first."""
    if way.number == 1:  # nothing to compare: a count will do
        records = rows.filter(pc.equal(rows["became"], RECORD))
        alone = records.filter(pc.is_null(records["person_key"]))["record_id"]
        keyed = pc.count_distinct(records["person_key"], mode="only_valid").as_py()
        return [DeliveryChange(keyed + pc.count_distinct(alone).as_py(), new=keyed)]
    sql = _CHANGES.format(cumulative=way.cumulative, newest=way.newest, kept=_numbers(way.kept))
    brought = run_whole(sql, rows=_coded(rows)).to_pylist()
    by_number = {row.pop("delivery"): DeliveryChange(**row) for row in brought}
    return [by_number.get(number, DeliveryChange()) for number in range(way.number)]


def _coded(rows: pa.Table) -> pa.Table:
    """The rows with a number in place of each key, which takes a fraction of the memory."""
    coded = pa.table([rows["person_key"].dictionary_encode()], ["key"]).unify_dictionaries()["key"]
    numbers = pa.chunked_array([chunk.indices for chunk in coded.chunks], pa.int32())
    return rows.set_column(ROWS.names.index("person_key"), "person_key", numbers)


def _numbers(numbers: Collection[int]) -> str:
    """A list for SQL, never empty."""
    return "(" + ", ".join(map(str, [-1, *sorted(numbers)])) + ")"


# --------------------------------------------------------------------------------------------------
# Deliveries of corrections: a blank cell says that what was known of the case stands.
#
# Cells are filled before the mapping is applied, so that its rules, exclusions, tokens and person
# keys meet a whole row, which then replaces the older one as any version does.  What nobody can
# know is a reject: a row without a case, of a case that nobody sent, of one that has several rows,
# and rows of one case that contradict each other.  A case is a person key, by the one rule that
# makes keys, so one person's row depends on hers alone.

Cells = dict[str, str]
"""A row: its cells that hold something, by folded name of the column."""

Row = tuple[int, str | None, Cells]
"""The number of a row, its case, its cells."""

Keys = Callable[[pa.Table], pa.Array]
"""Person keys of the rows of a table, null where a row has none."""


def patched(
    raw: RawTable, before: Iterable[tuple[bool, Sequence[RawTable]]], keys: Keys
) -> RawTable:
    """A file of corrections, its blank cells filled with what was known of each case.

    Args:
        raw: the file.
        before: the files of each earlier delivery, the oldest first, and whether they are
            corrections.
        keys: how person keys are made of its rows.

    Raises:
        HubError: a file has child rows, which belong to no case by its number.
    """
    names = {fold(name): name for name in raw.table.column_names if name != ROW}
    known: dict[str | None, list[Cells]] = {}
    for corrects, files in before:
        said = [row for one in files for row in _rows_of(one, keys)]
        names = {fold(c): c for one in files for c in one.table.column_names if c != ROW} | names
        if corrects:
            filled, _refused = _whole(said, known)
            said = [(n, case, filled[n]) for n, case, _cells in said if n in filled]
        known |= _by_case(said)
    filled, refused = _whole(_rows_of(raw, keys), known)
    kept = list(filled)
    columns = [pa.array([filled[n].get(c) for n in kept], pa.string()) for c in names]
    table = pa.table([*columns, pa.array(kept, raw.table[ROW].type)], [*names.values(), ROW])
    why = texts("ctdhub.sensitive.linkage", "deliveries")
    rejects = reject_table(raw.file, [Reject(n, r, why[r]) for n, r in refused.items()])
    return replace(raw, table=table, rejects=pa.concat_tables([raw.rejects, rejects]))


def _rows_of(raw: RawTable, keys: Keys) -> list[Row]:
    if raw.children:
        raise error("patch-children", file=raw.file)
    names = {name: fold(name) for name in raw.table.column_names if name != ROW}
    return [
        (row[ROW], case, {c: row[n] for n, c in names.items() if fold(row[n] or "")})
        for case, row in zip(keys(raw.table).to_pylist(), raw.table.to_pylist(), strict=True)
    ]


def _by_case(rows: Iterable[Row]) -> dict[str | None, list[Cells]]:
    """Different rows of each case; of rows that name none under None."""
    cases: dict[str | None, list[Cells]] = {}
    for _number, case, cells in rows:
        own = cases.setdefault(case, [])
        if cells not in own:
            own.append(cells)
    return cases


def _whole(
    rows: Sequence[Row], known: dict[str | None, list[Cells]]
) -> tuple[dict[int, Cells], dict[int, str]]:
    """Rows of corrections by their numbers, filled; and the rules of those that cannot be."""
    filled: dict[int, Cells] = {}
    refused: dict[int, str] = {}
    said = _by_case(rows)
    for number, case, _cells in rows:
        old, new = known.get(case, []), said[case]
        texts = {(name, fold(text)) for one in new for name, text in one.items()}
        if case is None:
            refused[number] = "patch-key"
        elif len(old) != 1:
            refused[number] = "patch-several" if old else "patch-unknown"
        elif len(texts) > len({name for name, _text in texts}):
            refused[number] = "patch-contradicts"
        else:
            filled[number] = {name: text for one in (*old, *new) for name, text in one.items()}
    return filled, refused


# --------------------------------------------------------------------------------------------------
# The bound of an agreement on rows of one person, as far as files let it be enforced.
#
# Where an agreement says how many rows one person may have, a case is one person: of the persons
# (keys, or records without one) that carry the number of a case, no more than the bound count.
# Which of them stay is decided by what they are called, a keyed hash (``mapping.run``,
# ``Keying``) or a token: as good as chance, the same in each build, and a matter of that case
# alone. So whoever takes a case away takes at most so many rows.

BEYOND = "rows-per-person"
"""The rule by which rows beyond the bound count no more, in the account of rows."""

_BEYOND = """
WITH filed AS (
    SELECT DISTINCT record_id, coalesce(person_key, record_id) AS person, cases."case" AS one
    FROM records JOIN cases USING (record_id)
), surplus AS (
    SELECT one, person FROM (SELECT DISTINCT one, person FROM filed)
    QUALIFY row_number() OVER (PARTITION BY one ORDER BY person) > {most:d}
)
SELECT DISTINCT record_id FROM filed JOIN surplus USING (one, person) ORDER BY 1
"""


def beyond(records: pa.Table, cases: pa.Table, most: int) -> pa.Array:
    """Ids of records that count no more, so that no case has more than ``most`` persons.

    Args:
        records: those of one contributor that are in force: ``record_id``, ``person_key``.
        cases: ``record_id``, ``case`` of those that have the number of one.
        most: the bound of the agreement.
    """
    excess = run_whole(_BEYOND.format(most=most), records=records, cases=cases)
    return excess["record_id"].combine_chunks()


# --------------------------------------------------------------------------------------------------
# Person keys that several people share, by what their rows say: two genders, births far apart.
#
# A number of a case that a whole report shares makes one person of several.  Rows of one delivery
# that contradict each other in what does not change show it; that two rows say different things of
# one person otherwise is common, and no contradiction.  Rows are never divided by what they say:
# then one person's row would decide whether another's are one or two (decision 45).

TOLERANCE = 1
"""Years by which births may differ: an age is known to the year, a registration too."""

FACTS = (SEX, AGE, PERIOD)
READ = ("record_id", "person_key", *FACTS)
"""Columns of records that are looked at."""

SHARED = pa.schema(
    [
        pa.field("person_key", pa.string()),
        pa.field("delivery", pa.int32()),
        pa.field("genders", pa.bool_()),
        pa.field("births", pa.bool_()),
    ]
)
"""Keys that several people share, by delivery, and whether genders or births say so."""


def shared_keys(rows: pa.Table, births: pa.Table) -> pa.Table:
    """Keys whose rows in one delivery cannot be about one person, schema :data:`SHARED`.

    Args:
        rows: :data:`READ` but for the id, and ``delivery``.
        births: ``person_key`` and ``delivery`` of keys with two different years of birth.
    """
    rows = rows.filter(pc.is_valid(rows["person_key"]))
    sex, year, bands = rows[SEX].cast(pa.string()), rows[PERIOD].cast(pa.int32()), _bands()
    band = pc.index_in(rows[AGE].cast(pa.string()), bands["code"])
    facts = {
        "female": pc.equal(sex, "female"),
        "male": pc.equal(sex, "male"),
        "first": pc.subtract(year, pc.add(bands["high"].take(band), 1)),
        "last": pc.subtract(year, bands["low"].take(band)),
    }
    key = ["person_key", "delivery"]
    keys = rows.select(key)
    for name, fact in facts.items():
        keys = keys.append_column(name, fact)
    groups = keys.group_by(key).aggregate(
        [([], "count_all"), ("female", "any"), ("male", "any"), ("first", "max"), ("last", "min")]
    )
    known = births.select(key).group_by(key).aggregate([([], "count_all")])
    groups = groups.filter(pc.greater(groups["count_all"], 1)).join(
        known.rename_columns([*key, "born"]), key
    )
    apart = pc.greater(groups["first_max"], pc.add(groups["last_min"], TOLERANCE))
    genders = pc.fill_null(pc.and_(groups["female_any"], groups["male_any"]), False)
    different = pc.or_(pc.fill_null(apart, False), pc.is_valid(groups["born"]))
    shared = pa.table([groups["person_key"], groups["delivery"], genders, different], SHARED.names)
    shared = shared.filter(pc.or_(genders, different)).cast(SHARED)
    return shared.sort_by([(name, "ascending") for name in SHARED.names])


def _bands() -> pa.Table:
    """Youngest and oldest age of each band; one without an end ends nowhere."""
    codes = load_schema().domain(AGE)
    ends = [(code.rstrip("+").partition("-")[0], code.partition("-")[2]) for code in codes]
    return pa.table(
        {
            "code": pa.array(codes, pa.string()),
            "low": pa.array([int(low) for low, _high in ends], pa.int32()),
            "high": pa.array([int(high) if high else None for _low, high in ends], pa.int32()),
        }
    )


def shared_in_one(records: pa.Table, births: pa.Table) -> pa.Table:
    """The same of the records of one delivery, which need no number of it.

    Args:
        records: its records.
        births: ``person_key`` of those with two different years of birth.
    """
    return shared_keys(*(_first(t) for t in (records.select(["person_key", *FACTS]), births)))


def births_apart(records: pa.Table, births: pa.Table) -> int:
    """How many keys of one delivery have births too far apart for one person."""
    return pc.sum(shared_in_one(records, births)["births"]).as_py() or 0


def _first(table: pa.Table) -> pa.Table:
    return table.append_column("delivery", pa.repeat(pa.scalar(0, pa.int32()), table.num_rows))
