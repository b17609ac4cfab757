"""From records to people: rows that share a person key become one row, in parts that fit the
memory.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ctdhub.core.i18n import LocalName, Text
from ctdhub.schema import model
from ctdhub.schema.countries import GROUPS, group_codes
from ctdhub.schema.emit import arrow_schema
from ctdhub.schema.labels import label
from ctdhub.sensitive import coded_parquet
from ctdhub.sensitive.linkage.token_joins import JOINS, joint_keys

# --------------------------------------------------------------------------------------------------
# Columns as codes that stand in the order of their texts: texts are compared as numbers.

Codes = npt.NDArray[np.int32]
Places = npt.NDArray[np.intp]

_ROOM = 2**62


@dataclass(frozen=True)
class Coded:
    """A column.

    Attributes:
        codes: place of each row's value in ``values``, -1 where not recorded.
        values: ascending (texts by their UTF-8 bytes), each once; some may not occur.
    """

    codes: Codes
    values: pa.Array

    @staticmethod
    def of(column: pa.ChunkedArray) -> Coded:
        """A column of texts, of numbers, or of codes of either."""
        whole = column.combine_chunks()
        coded = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()
        order = pc.sort_indices(coded.dictionary)
        rank = np.full(len(order) + 1, -1, np.int32)
        rank[order.to_numpy()] = np.arange(len(order))
        places = coded.indices.fill_null(len(order)).to_numpy()
        return Coded(rank[places], coded.dictionary.take(order))

    def code(self, value: str) -> int:
        """The code of a value, -2 where no row can have it."""
        code: int = pc.index(self.values, value).as_py()
        return code if code >= 0 else -2

    def decoded(self) -> pa.Array:
        """The values, row by row."""
        return self.values.take(self._places())

    def coded(self) -> pa.DictionaryArray:
        """The same as codes."""
        return pa.DictionaryArray.from_arrays(self._places(), self.values)

    def _places(self) -> pa.Array:
        return pa.array(self.codes, mask=self.codes < 0)


def in_order(columns: Sequence[Coded], rows: Places) -> Places:
    """Rows sorted by the columns, the first counting most; not recorded comes last."""
    keys: list[npt.NDArray[np.int64]] = []
    packed, room = np.zeros(len(rows), np.int64), 1
    for column in columns:
        size = len(column.values) + 1
        if room * size > _ROOM:
            keys.append(packed)
            packed, room = np.zeros(len(rows), np.int64), 1
        codes = column.codes[rows]
        packed = packed * size + np.where(codes < 0, size - 1, codes)
        room *= size
    return rows[np.lexsort([packed, *reversed(keys)])]


# --------------------------------------------------------------------------------------------------
# How several records become one, and what follows from a row: rules on columns of codes.

# From the least to the most that is known to have been done for a person.
STATUS_ORDER = ("not_available", "needed", "offered", "declined", "received")


@dataclass(frozen=True)
class Together:
    """Records by person; only where there are several is anything to be merged.

    Attributes:
        sizes: number of records of each person.
        alone: rows of the records that are a person's only one, and ``of_alone`` that person.
        several: rows of the other records, by person, and by what they say in the order of the
            variables, so that the earliest year comes first.
        starts: where in ``several`` each person begins, and ``of_several`` that person.
    """

    sizes: npt.NDArray[np.int64]
    alone: Places
    of_alone: Codes
    several: Places
    starts: Places
    of_several: Codes

    @staticmethod
    def of(persons: Coded, said: Sequence[Coded]) -> Together:
        """Records of persons by all that they say."""
        whose = persons.codes
        sizes = np.bincount(whose, minlength=len(persons.values))
        single = sizes[whose] == 1
        alone = np.flatnonzero(single)
        several = in_order([persons, *said], np.flatnonzero(~single))
        starts = np.flatnonzero(np.diff(whose[several], prepend=-1))
        return Together(sizes, alone, whose[alone], several, starts, whose[several[starts]])

    def merged(
        self, said: Mapping[str, Coded], variable: model.Variable, schema: model.Schema
    ) -> Coded:
        """The column of persons.

        A flag is yes where any record says yes, else no where any says no; of a status the
        furthest is kept; a variable with ``furthest`` or ``beside`` is that of the record that is
        furthest in the list of its own codes, or of those of the other; of everything else the
        first that is recorded is kept.

        Args:
            said: what the records say, by variable.
        """
        column = said[variable.name]
        numbers = np.full(len(self.sizes), -1, np.int32)
        numbers[self.of_alone] = column.codes[self.alone]
        if len(self.several):
            codes = column.codes[self.several]
            if variable.kind == "flag":  # "yes" stands behind "no"
                kept = np.maximum.reduceat(codes, self.starts)
            elif variable.kind == "status":
                kept = self._furthest(codes, column)
            elif variable.furthest or variable.beside:
                leading = variable.beside or variable.name
                ranks = _ranks(said[leading], schema.recorded(leading))[self.several]
                kept = self._first_of_most(codes, ranks)
            else:
                kept = self._first_of_most(codes, np.zeros_like(codes))
            numbers[self.of_several] = kept
        return Coded(numbers, column.values)

    def _furthest(self, codes: Codes, column: Coded) -> Codes:
        ranks = _ranks(column, STATUS_ORDER)[self.several]
        code_of = np.array([*(column.code(status) for status in STATUS_ORDER), -1], np.int32)
        return code_of[np.maximum.reduceat(ranks, self.starts)]

    def _first_of_most(self, codes: Codes, ranks: Codes) -> Codes:
        """Of the records with the highest rank the first that has a value, else no value."""
        n = len(codes)
        highest = np.maximum.reduceat(ranks, self.starts)
        owner = np.repeat(np.arange(len(self.starts)), np.diff(self.starts, append=n))
        at = np.where(ranks < highest[owner], 2 * n, np.arange(n) + n * (codes < 0))
        kept: Codes = codes[np.minimum.reduceat(at, self.starts) % n]
        return kept


def _ranks(column: Coded, order: Sequence[str]) -> Codes:
    """The place of each row's value in a list, -1 where it has none."""
    ranks = np.full(len(column.values) + 1, -1, np.int32)
    for rank, value in enumerate(order):
        if (code := column.code(value)) >= 0:
            ranks[code] = rank
    return ranks[column.codes]


def derived(
    people: Mapping[str, Coded], records: npt.NDArray[np.int64], schema: model.Schema
) -> dict[str, Coded]:
    """The derived variables: an indicator per group of flags, whether some assistance was
    received, records per person, groups.

    Args:
        people: the other variables of persons.
        records: number of records of each.
    """
    columns = {}
    for v in schema.people:
        if v.any_of:
            members = [people[name] for name in schema.members(v.any_of)]
            some = np.any([m.codes == m.code(v.member_code) for m in members], axis=0)
            least = 0 if schema.is_indicator(v.name) else np.min([m.codes for m in members], axis=0)
            codes = np.where(some, 1, np.minimum(least, 0)).astype(np.int32)
            columns[v.name] = Coded(codes, pa.array(["no", "yes"]))
        if v.follows:
            citizenship, country = (people[parent] for parent in v.follows)
            groups = group_codes(citizenship.values.to_pylist(), country.values.to_pylist())
            codes = groups[citizenship.codes + 1, country.codes + 1].astype(np.int32) - 1
            columns[v.name] = Coded(codes, pa.array(GROUPS))
    domain = schema.domain(model.DELIVERIES)
    columns[model.DELIVERIES] = Coded(
        np.minimum(records, len(domain)).astype(np.int32) - 1, pa.array(domain)
    )
    return columns


# --------------------------------------------------------------------------------------------------
# Which of several records of one person counts, in words; ``Together.merged`` does it.


def in_words(variable: model.Variable) -> Text:
    """The rule by which records of one person that differ in a variable become one value."""
    if variable.kind == "flag":
        return Text("yes where any record says yes, else no where any says no")
    if variable.kind == "status" or variable.furthest:
        return Text("the most advanced in any record")
    if leading := variable.beside:
        named = LocalName.of(lambda language: label(leading, language))
        return Text("that of the record with the most advanced {variable}", variable=named)
    return Text("that of the earliest record that has one, by year of registration")


# --------------------------------------------------------------------------------------------------
# What records of one person say differently, and which of it the person's row keeps.

CONFLICTS = pa.schema(
    [
        pa.field(model.PERSON, pa.string(), nullable=False),
        pa.field("variable", pa.string(), nullable=False),
        pa.field("record_id", pa.string(), nullable=False),
        pa.field(model.CONTRIBUTOR, pa.string()),
        pa.field("value", pa.string(), nullable=False),
        pa.field("kept", pa.bool_(), nullable=False),
    ]
)
"""One row for each record that has a value where records of its person differ."""

_OF_THE_RECORD = {
    model.CONTRIBUTOR,
    model.CONTRIBUTOR_KIND,
    model.PERIOD,
    model.DESTINATION_RULE,
}
"""Variables about a record; that two records differ in them is no contradiction about a person."""

_MOST = np.iinfo(np.int32).max


def conflicts(
    together: Together,
    persons: pa.Array,
    ids: pa.ChunkedArray,
    said: Mapping[str, Coded],
    people: Mapping[str, Coded],
    schema: model.Schema,
) -> pa.Table:
    """Where records of one person differ, schema :data:`CONFLICTS`, sorted.

    Args:
        together: the records by person.
        persons: what each person is called, ascending.
        ids: ids of the records, each once.
        said: what the records say, by variable.
        people: what was merged of them.
        schema: the hub's schema.
    """
    if not len(together.several):
        return CONFLICTS.empty_table()
    of_people = {v.name for v in schema.table("people")} - _OF_THE_RECORD
    names = sorted(v.name for v in schema.records if v.name in of_people)
    ends = np.append(together.starts[1:], len(together.several))
    whose = np.repeat(together.of_several, ends - together.starts)
    by_id = np.empty(len(whose), np.int64)
    by_id[pc.sort_indices(ids.take(pa.array(together.several))).to_numpy()] = np.arange(len(whose))
    rows = together.several[np.lexsort((by_id, whose))]
    places, keys, values, kept = [], [], [], []
    for number, name in enumerate(names):
        codes = said[name].codes[rows]
        least = np.minimum.reduceat(np.where(codes < 0, _MOST, codes), together.starts)
        differ = np.maximum.reduceat(codes, together.starts) > least
        at = np.flatnonzero(np.repeat(differ, ends - together.starts) & (codes >= 0))
        places.append(rows[at])
        keys.append(whose[at].astype(np.int64) * len(names) + number)
        values.append(said[name].values.take(pa.array(codes[at])))
        kept.append(codes[at] == people[name].codes[whose[at]])
    key = np.concatenate(keys)
    order = np.argsort(key, kind="stable")
    person, variable = np.divmod(key[order], len(names))
    row = np.concatenate(places)[order]
    contributor = said[model.CONTRIBUTOR]
    codes = contributor.codes[row]
    columns = [
        persons.take(pa.array(person)),
        pa.array(names).take(pa.array(variable)),
        ids.take(pa.array(row)),
        contributor.values.take(pa.array(codes, mask=codes < 0)),
        pa.concat_arrays(values).take(pa.array(order)),
        pa.array(np.concatenate(kept)[order]),
    ]
    return pa.table(columns, schema=CONFLICTS)


# --------------------------------------------------------------------------------------------------
# People counted by the set of lists that know them: exact, and never published as it is.

ByStratum = Counter[tuple[str, str, tuple[str, ...]]]
"""People by variable, value ("" where not recorded) and the lists that know them."""


def people_by_lists(sets: pa.Table, lists: Sequence[str]) -> Counter[tuple[str, ...]]:
    """People by the lists that know them, ids in order; see :func:`lists_of_people`."""
    counts = pc.value_counts(sets["bits_sum"]).to_pylist()
    return Counter({_lists_of(row["values"], lists): row["counts"] for row in counts})


def people_by_strata(
    sets: pa.Table, people: pa.Array, said: Mapping[str, Coded], lists: Sequence[str]
) -> ByStratum:
    """People by the lists that know them and by what their rows say.

    A person on lists may have several rows: she has the first value that one of them records, in
    the order of ``people``, which depends on nobody else's rows.

    Args:
        sets: see :func:`lists_of_people`.
        people: the person on lists whom each row of people is about, rows by their names.
        said: variables that are asked for, row by row of people.
        lists: ids of contributors.
    """
    counts: ByStratum = Counter()
    for name, column in said.items():
        rows = pa.table({"person": people, "value": column.decoded().cast(pa.string())})
        rows = rows.filter(rows["value"].is_valid())
        firsts = rows.group_by("person", use_threads=False).aggregate([("value", "first")])
        joined = sets.join(firsts, "person").group_by(["bits_sum", "value_first"])
        for row in joined.aggregate([([], "count_all")]).to_pylist():
            on = _lists_of(row["bits_sum"], lists)
            counts[name, row["value_first"] or "", on] += row["count_all"]
    return counts


def _lists_of(bits: int, lists: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for i, name in enumerate(lists) if bits >> i & 1)


def lists_of_people(
    records: pa.Table, persons: pa.Array, lists: Sequence[str], years: tuple[int, int]
) -> pa.Table:
    """``person`` and ``bits_sum``, the lists that know her as bits; who is on none has no row.

    Args:
        records: ``reporting_entity``, ``year_of_registration``.
        persons: whose each record is.
        lists: ids of contributors.
        years: a list knows a person where it has a record of her from these years.
    """
    names = records[model.CONTRIBUTOR].combine_chunks().cast(pa.string())
    which = pc.index_in(names, value_set=pa.array(lists, pa.string()))
    year = records[model.PERIOD].combine_chunks()
    inside = pc.and_(pc.greater_equal(year, years[0]), pc.less_equal(year, years[1]))
    known = pa.table({"person": persons, "list": which})
    known = known.filter(pc.and_(inside, which.is_valid()))
    once = known.group_by(["person", "list"]).aggregate([])
    bits = pc.shift_left(pa.scalar(1, pa.int32()), once["list"])
    return once.append_column("bits", bits).group_by("person").aggregate([("bits", "sum")])


# --------------------------------------------------------------------------------------------------
# By what people are joined besides their keys, and whose lists are counted.


@dataclass(frozen=True)
class Linking:
    """Plain values, so that they can be sent to where records lie.

    Attributes:
        rows: persons whose rows are one, schema ``JOINS``.
        lists: persons who are one on lists; no fewer than in ``rows``, in the same groups.
        names: ids of the contributors whose lists are counted.
        years: first and last year in which a list must know a person.
        strata: variables by whose values people on lists are counted too.
    """

    rows: pa.Table = field(default_factory=JOINS.empty_table)
    lists: pa.Table = field(default_factory=JOINS.empty_table)
    names: tuple[str, ...] = ()
    years: tuple[int, int] = (0, 0)
    strata: tuple[str, ...] = ()

    def in_rows(self, persons: pa.Array) -> pa.Array:
        """Persons by the key of their row."""
        return joint_keys(persons, self.rows)

    def on_lists(self, persons: pa.Array) -> pa.Array:
        """Persons, or keys of rows, by the key that stands for them on all lists."""
        return joint_keys(persons, self.lists)


# --------------------------------------------------------------------------------------------------
# From records to people: rows that share a person key become one row.
#
# A person key that a contributor made with the shared key (``token`` in a mapping) joins records
# across contributors; one made from a case number joins them inside one contributor; a record
# without a key is a person of its own.  The join is an equality, records of one person are put in
# order by what they say, and the id of a record depends on nothing that other records say
# (``mapping.run``): so one person's row never depends on another person's records, and
# adding or removing one person changes exactly one row, in however many files her records stand.
# Where the policy lets tokens join rows, she changes as many more as it pays for (decision 27).


@dataclass(frozen=True)
class Totals:
    """What went in and came out.

    Attributes:
        records: records that went in.
        people: people they are about.
        conflicts: persons by the variable in which their records differ.
        known: people by the lists that know them, see ``people_by_lists``.
        strata: the same by what is asked of them, see ``people_by_strata``.
    """

    records: int = 0
    people: int = 0
    conflicts: Counter[str] = field(default_factory=Counter)
    known: Counter[tuple[str, ...]] = field(default_factory=Counter)
    strata: ByStratum = field(default_factory=Counter)

    def __add__(self, other: Totals) -> Totals:
        return Totals(*(n + getattr(other, name) for name, n in vars(self).items()))


@dataclass(frozen=True)
class Linked:
    """People, and what was seen while they were made.

    Attributes:
        columns: the columns of ``Schema.table("people")``, one row per person, in the order of
            what the persons are called, so that equal people give equal tables whatever the order
            of the files.
        conflicts: what records of one person say differently, see ``conflicts``.
        totals: how many.
    """

    columns: Mapping[str, Coded]
    conflicts: pa.Table
    totals: Totals

    @cached_property
    def people(self) -> pa.Table:
        """People as texts and numbers."""
        return self.coded.cast(arrow_schema("people"))

    @property
    def coded(self) -> pa.Table:
        """People with codes for texts."""
        numbers = [pa.types.is_integer(f.type) for f in arrow_schema("people")]
        columns = [
            column.decoded() if is_number else column.coded()
            for column, is_number in zip(self.columns.values(), numbers, strict=True)
        ]
        return pa.table(columns, names=list(self.columns))


def persons_of(records: pa.Table) -> pa.Array:
    """What the person of each record is called, whoever else there is: her key, or the record."""
    return pc.coalesce(records["person_key"], records["record_id"]).combine_chunks()


def link(records: pa.Table, schema: model.Schema, linking: Linking | None = None) -> Linked:
    """Join records to people.

    Args:
        records: columns ``record_id``, ``person_key`` (null allowed) and
            ``Schema.table("records")``.
        schema: the hub's schema.
        linking: who is joined beside equal keys, and whose lists are counted; nobody, if None.

    Merging rules: a flag is yes where any record says yes, else no where any says no; assistance
    keeps the furthest status of
    :data:`STATUS_ORDER`; everything else keeps the value of the
    earliest record that has one (by year of registration; within a year by its other values in
    the order of the schema).  A record id that comes twice is one record that was delivered twice,
    in the same file or in one that holds more.
    """
    linking = linking or Linking()
    persons = linking.in_rows(persons_of(records))
    sets = lists_of_people(records, linking.on_lists(persons), linking.names, linking.years)
    table = records.append_column(model.PERSON, persons)
    once = _first(table["record_id"])
    if len(once) < table.num_rows:
        table = table.take(pa.array(once))
    whose = Coded.of(table[model.PERSON])
    said = {v.name: Coded.of(table[v.name]) for v in schema.records}
    together = Together.of(whose, list(said.values()))
    merged = {v.name: together.merged(said, v, schema) for v in schema.records}
    merged |= derived(merged, together.sizes, schema)
    differ = conflicts(together, whose.values, table["record_id"], said, merged, schema)
    columns = {name: merged[name] for name in arrow_schema("people").names}
    strata: ByStratum = Counter()
    if linking.strata:
        asked = {name: columns[name] for name in linking.strata}
        strata = people_by_strata(sets, linking.on_lists(whose.values), asked, linking.names)
    by_variable = differ.group_by([model.PERSON, "variable"]).aggregate([])["variable"].to_pylist()
    known = people_by_lists(sets, linking.names)
    totals = Totals(records.num_rows, len(whose.values), Counter(by_variable), known, strata)
    return Linked(columns, differ, totals)


def _first(ids: pa.ChunkedArray) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Where each id comes first."""
    coded = ids.combine_chunks().dictionary_encode().indices.to_numpy()
    return np.sort(np.unique(coded, return_index=True)[1])


# --------------------------------------------------------------------------------------------------
# Perpetrators by person: who is mentioned in the records of one person, each once.


def by_person(
    mentioned: pa.Table, records: pa.Table, schema: model.Schema, linking: Linking
) -> pa.Table:
    """Child rows of records as rows of the persons whom these records are about.

    Args:
        mentioned: ``record_id`` and ``Schema.table("perpetrators")``.
        records: ``record_id`` and ``person_key`` of those same records.
        linking: who is joined beside equal keys.

    Returns:
        ``person`` (what the person is called, whoever else there is) and
        ``Schema.table("perpetrators")``.

    Raises:
        ValueError: a row belongs to no record.
    """
    place = pc.index_in(mentioned["record_id"], value_set=records["record_id"])
    if place.null_count:
        raise ValueError("a perpetrator belongs to no record")
    names = [v.name for v in schema.table("perpetrators")]
    persons = linking.in_rows(persons_of(records))
    return mentioned.select(names).add_column(0, model.PERSON, persons.take(place))


def each_once(mentioned: pa.Table) -> pa.Table:
    """Rows by person, those that agree in every column once, sorted by all columns.

    Such rows are the same perpetrator told twice, or two that are described alike.  So a file
    that is delivered twice adds nobody.
    """
    once = mentioned.group_by(mentioned.column_names).aggregate([])
    return once.sort_by([(name, "ascending") for name in mentioned.column_names])


# --------------------------------------------------------------------------------------------------
# People of more records than fit into memory: all records of a person lie in one part.
#
# A part is chosen by a checksum of what the person is called, so that it depends on nobody but
# those who are joined with her. Memory holds one contributed file, then one part.  Parts lie in a
# folder of their own inside the folder that is filled, and are deleted as they are read; what a
# killed run leaves goes with it.

PART_ROWS = 2**18
"""Records of a part, on average."""

MOST_PARTS = 100
"""Two files of each are open at once, and some systems allow 256; beyond it parts grow."""

_PEOPLE = coded_parquet.as_codes(arrow_schema("people"))
MENTIONED = pa.schema([pa.field(model.PERSON, pa.string()), *arrow_schema("perpetrators")])
"""Perpetrators by person."""


@dataclass(frozen=True)
class PartitionsPlaces:
    """Where people, their perpetrators and conflicts of their records go, as Parquet."""

    people: Path
    perpetrators: Path
    conflicts: Path


def link_parts(
    files: Iterable[tuple[pa.Table, pa.Table]],
    rows: int,
    places: PartitionsPlaces,
    linking: Linking,
    schema: model.Schema,
) -> Totals:
    """Join the records of many files to people; see :func:`ctdhub.sensitive.linkage.people.link`.

    Equal records give equal files, whatever their order and that of the files.

    Args:
        files: records and the perpetrators that they mention, as ``harmonise`` gives them.
        rows: about how many records these are; it decides the number of parts.
        places: files to be written; of perpetrators, those of one person stand together.
        linking: who is joined beside equal keys, and whose lists are counted.

    Raises:
        ValueError: a perpetrator belongs to no record of its file.
    """
    parts = min(MOST_PARTS, -(-rows // PART_ROWS) or 1)
    folder = places.people.parent / "parts"
    folder.mkdir()
    paths = [[folder / f"{i}.{kind}" for i in range(parts)] for kind in ("records", "mentioned")]
    with ExitStack() as stack:
        records = _Divided(paths[0], stack)
        mentioned = _Divided(paths[1], stack)
        for said, children in files:
            persons = linking.on_lists(persons_of(said))
            records.add(divided(said.select(linked_columns(schema)), persons, parts))
            rows_of = by_person(children, said, schema, linking)
            persons = linking.on_lists(rows_of[model.PERSON].combine_chunks())
            mentioned.add(divided(rows_of, persons, parts))
    totals = _written(paths, places, linking, schema)
    folder.rmdir()
    return totals


def _written(
    paths: Sequence[Sequence[Path]],
    places: PartitionsPlaces,
    linking: Linking,
    schema: model.Schema,
) -> Totals:
    totals = Totals()
    with (
        coded_parquet.writer(places.people, _PEOPLE) as all_people,
        pq.ParquetWriter(places.perpetrators, MENTIONED) as all_mentioned,
        pq.ParquetWriter(places.conflicts, CONFLICTS) as all_conflicts,
    ):
        for part, children in zip(*paths, strict=True):
            if (records := _read(part)) is not None:
                linked = link(records, schema, linking)
                totals += linked.totals
                all_people.write_table(linked.coded)
                all_conflicts.write_table(linked.conflicts.combine_chunks())
            if (rows := _read(children)) is not None:
                all_mentioned.write_table(each_once(rows.cast(MENTIONED)).combine_chunks())
            pa.default_memory_pool().release_unused()
    return totals


def linked_columns(schema: model.Schema) -> list[str]:
    """Columns of records that people are made of."""
    return ["record_id", "person_key", *(v.name for v in schema.records)]


def divided(rows: pa.Table, persons: pa.Array, parts: int) -> Iterator[tuple[int, pa.Table]]:
    """Rows by part, in their order; a part without rows is left out.

    Args:
        persons: what the person of each row is called.
    """
    part_of = _parts(persons, parts)
    order = np.argsort(part_of, kind="stable")
    ends = np.cumsum(np.bincount(part_of, minlength=parts))
    turned = _narrow(rows).combine_chunks().take(pa.array(order))
    for part, (start, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        if end > start:
            yield part, turned.slice(start, end - start)


def _narrow(rows: pa.Table) -> pa.Table:
    """Codes of flags and of statuses, which most columns are, in a byte each."""
    few = {v.name for v in model.load_schema().records if v.kind in ("flag", "status")}
    for i, column in enumerate(rows.schema):
        if column.name in few and pa.types.is_dictionary(column.type):
            narrow = pa.dictionary(pa.int8(), column.type.value_type)
            rows = rows.set_column(i, column.name, rows.column(i).cast(narrow))
    return rows


def _parts(persons: pa.Array, parts: int) -> npt.NDArray[np.int64]:
    """The part of each person."""
    if parts == 1:
        return np.zeros(len(persons), dtype=np.int64)
    return np.array([zlib.crc32(p.encode()) % parts for p in persons.to_pylist()], dtype=np.int64)


class _Divided:
    """Rows in a file for each part, written as they come."""

    def __init__(self, paths: Sequence[Path], stack: ExitStack) -> None:
        self._paths, self._stack = paths, stack
        self._writers: dict[int, pa.ipc.RecordBatchStreamWriter] = {}

    def add(self, rows: Iterable[tuple[int, pa.Table]]) -> None:
        """Put rows into their parts."""
        for part, some in rows:
            self._writer(part, some.schema).write_table(some)

    def _writer(self, part: int, schema: pa.Schema) -> pa.ipc.RecordBatchStreamWriter:
        if part not in self._writers:
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            writer = pa.ipc.new_stream(str(self._paths[part]), schema, options=options)
            self._writers[part] = self._stack.enter_context(writer)
        return self._writers[part]


def _read(path: Path) -> pa.Table | None:
    """The rows of a part, which is deleted; None where there are none."""
    if not path.exists():
        return None
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
        rows = stream.read_all()
    path.unlink()
    return rows
