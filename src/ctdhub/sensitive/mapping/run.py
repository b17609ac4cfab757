"""One file through one mapping: identifiers decided, the mapping tested and run, ids given, rows
accounted for.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ctdhub.core.errors import error
from ctdhub.core.i18n import Field, Text, joined, many
from ctdhub.core.tables import fold
from ctdhub.schema.emit import arrow_schema
from ctdhub.schema.model import CONTRIBUTOR, load_schema, numbers
from ctdhub.sensitive.coded_parquet import without_codes
from ctdhub.sensitive.ingest.delimited import unescaped
from ctdhub.sensitive.ingest.raw import RawTable, buffers
from ctdhub.sensitive.ingest.rejects import REJECTS
from ctdhub.sensitive.mapping import identifiers
from ctdhub.sensitive.mapping.drafting.row_unit import undecided
from ctdhub.sensitive.mapping.evaluation import Reader, Taken, TextColumn, TextTable, as_codes
from ctdhub.sensitive.mapping.file_account import Conservation, FileTexts
from ctdhub.sensitive.mapping.mapping import Example, Mapping, Rule, Rules
from ctdhub.sensitive.mapping.parsers import Header
from ctdhub.sensitive.mapping.transform import NOT_COUNTED_RULE, MappingRun, Transformed, but_rows

# --------------------------------------------------------------------------------------------------
# What harmonising gives back, and the law that no row is lost.


@dataclass(frozen=True)
class Lineage:
    """Where one hub variable comes from.

    Attributes:
        column: the hub variable.
        sources: source columns (or hub variables) that it is made of.
        rule: the rule, to be said in any language.
        note: what is lost, None if nothing.
        mapped: records that have a value.
        empty: records without one ("not recorded").
        ignored: elements in the lists of its source columns that no rule of the mapping knows.
    """

    column: str
    sources: tuple[str, ...]
    rule: Text
    note: Text | None
    mapped: int
    empty: int
    ignored: int = 0

    @property
    def lossy(self) -> bool:
        """Whether the source says more than what is kept."""
        return self.note is not None


@dataclass(frozen=True)
class Harmonised:
    """One file in the hub's schema.  Sensitive.

    Attributes:
        coded: ``record_id``, ``person_key``, ``source_file``, ``source_row`` and the variables
            of the schema's records, in the order of the file; some texts as codes.
        perpetrators: ``record_id`` and the variables of the schema's perpetrators.
        tokens: keyed tokens of records (``ctdhub.sensitive.mapping.identifiers.TOKENS``).
        cases: keys of cases (``run.CASES``), by which withdrawals are found.
        rejects: one row per fault (``ctdhub.sensitive.ingest.rejects.REJECTS``).
        lineage: one entry per mapped hub variable.
        conservation: the account of all rows.
        no_record: person keys of rows that became no record (:data:`NO_RECORD`).
        births: person keys with different years of birth (:data:`BIRTHS`).
        texts: what the file's texts are, those that no rule can read one by one.
        notes: numbers of the rows that look like notes, rejected or left out.
        not_victims: numbers of the rows left out as ``not-a-victim``.

    Raises:
        ValueError: record ids repeat, or the tables contradict the account.
    """

    coded: pa.Table
    perpetrators: pa.Table
    tokens: pa.Table
    cases: pa.Table
    rejects: pa.Table
    lineage: tuple[Lineage, ...]
    conservation: Conservation
    no_record: pa.Table
    births: pa.Table
    texts: FileTexts = field(default_factory=FileTexts)
    notes: tuple[int, ...] = ()
    not_victims: tuple[int, ...] = ()

    @cached_property
    def records(self) -> pa.Table:
        """The records with their texts."""
        return self.coded.cast(without_codes(self.coded.schema))

    def __post_init__(self) -> None:
        ids = self.coded["record_id"]
        if len(ids.unique()) != len(ids):
            raise ValueError("record ids repeat")
        if len(ids) != self.conservation.records:
            raise ValueError("the account does not count the records")
        if self.perpetrators.num_rows:
            known = set(ids.to_pylist())
            if not known.issuperset(self.perpetrators["record_id"].to_pylist()):
                raise ValueError("a perpetrator belongs to no record")


# --------------------------------------------------------------------------------------------------
# A mapping's rules in words, with what they lose.


def lineage_of(
    mapping: Mapping, records: pa.Table, perpetrators: pa.Table, done: Transformed
) -> tuple[Lineage, ...]:
    """One entry per mapped hub variable, in the order of the mapping.

    Args:
        records: the harmonised records.
        perpetrators: the harmonised child rows.
        done: what the mapping made of the file.
    """
    entries = []
    for table, _place, columns in mapping.tables():
        of, untied = (records, {}) if table == "records" else (perpetrators, done.untied)
        entries += [_entry(name, rules, of[name], done, untied) for name, rules in columns.items()]
    return tuple(entries)


def _entry(
    name: str, rules: Rules, values: pa.ChunkedArray, done: Transformed, untied: dict[str, int]
) -> Lineage:
    sources = [s for rule in rules for s in (*rule.columns(), rule.from_hub) if s is not None]
    notes = list(dict.fromkeys(note for rule in rules for note in losses(rule, done.folded)))
    searched = {column for rule in rules if rule.has for column in rule.source}
    strays = sum(done.texts.ignored.get(column, 0) for column in searched)
    left = sum(untied.get(column, 0) for column in dict.fromkeys(sources))
    unread = many(
        "{n} element of a list is known to no rule and was skipped",
        "{n} elements of lists are known to no rule and were skipped",
        strays,
        n=strays,
    )
    if any(rule.doubts for rule in rules):
        unread = many(
            "{n} text is known to no rule: it never becomes “no”",
            "{n} texts are known to no rule: they never become “no”",
            strays,
            n=strays,
        )
    lost = many(
        "{n} value cannot be tied to one alleged perpetrator and was left out",
        "{n} values cannot be tied to one alleged perpetrator and were left out",
        left,
        n=left,
    )
    notes += [note for note, n in ((unread, strays), (lost, left)) if n]
    words = joined([in_words(rule) for rule in rules], Text("; otherwise: "))
    note, empty = joined(notes, "; ") if notes else None, values.null_count
    once = tuple(dict.fromkeys(sources))
    return Lineage(name, once, words, note, len(values) - empty, empty, strays)


def losses(rule: Rule, folded: frozenset[str]) -> list[Field]:
    """What a rule loses."""
    notes: list[Field] = [rule.lossy] if rule.lossy else []
    if rule.take:
        notes.append(Text("of several values one is kept"))
    if rule.unknown == "null" and rule.value is None and not rule.has:
        notes.append(Text("unknown texts become “not recorded”"))
    if rule.country and folded.intersection(rule.source):
        notes.append(Text("some names stand for a territory that is counted under another country"))
    return notes


def in_words(rule: Rule) -> Text:  # noqa: C901
    """A rule as a phrase.

    >>> from ctdhub.core.i18n import said
    >>> said(in_words(Rule.model_validate({"from": "a", "map": {"x": "yes"}, "when": {"b": "1"}})))
    '1 text has a code; only where b is “1”'
    """
    phrases: list[Field] = []
    if rule.value is not None:
        phrases.append(Text("always {code}", code=rule.value))
    if rule.from_hub is not None:
        phrases.append(Text("from the hub variable {name}", name=rule.from_hub))
    if rule.take:
        phrases.append(
            Text("the first of a list") if rule.take == "first" else Text("the last of a list")
        )
    if rule.map:
        n = len(rule.map)
        phrases.append(many("{n} text has a code", "{n} texts have a code", n, n=n))
    if rule.year:
        phrases.append(Text("the year of a date"))
    if rule.country:
        phrases.append(Text("the country of a name or code"))
    if rule.at:
        phrases.append(Text("the band of the age on the date in {column}", column=rule.at))
    elif rule.band:
        phrases.append(Text("the band of a number"))
    if rule.has:
        phrases.append(Text("yes where it says: {texts}", texts=", ".join(rule.has)))
        if rule.doubts:
            phrases.append(Text("no where it says only other things that some rule knows"))
        elif rule.absent:
            phrases.append(Text("no where it says anything else"))
    if len(rule.source) > 1:
        phrases.append(Text("{n} columns are combined", n=len(rule.source)))
    for column, texts in rule.when.items():
        shown = ", ".join(f"“{text}”" for text in texts)
        phrases.append(Text("only where {column} is {texts}", column=column, texts=shown))
    return joined(phrases, "; ") if phrases else Text("taken as it is")


# --------------------------------------------------------------------------------------------------
# Ids of records: made of what a record says, never of the file that it came in.
#
# Contributors deliver cumulative files: last year's records come again, with new ones among them.
# The id of a record is a keyed hash of its contributor, of its own content (with its person key,
# its case and its perpetrators; without a person key, also its tokens) and of its number among the
# equal records of its file.  So
#
# - a record that is delivered again has the same id, whatever else its file holds, and ``linkage``
#   counts it once;
# - equal records of one file stay apart, and of several files the one that has most of them
#   decides;
# - no id depends on a record that says something else: one person's records never change how
#   another's are counted;
# - a variable that came after :data:`BASE` is part of what a record says only where it is recorded:
#   software of a later schema gives records that say nothing new the ids that they had.
#
# Two records that agree in everything are told apart by their cases or tokens alone; where a file
# has neither, nor person keys, equal records of two files are taken for one record that came twice.

ID_BYTES = 10
"""Bytes of a record id, twice as many hexadecimal digits (80 bits: ten million records collide
with p < 1e-10)."""

_SLICE, _FEW = 2**14, 2**12
"""Rows whose lines are in memory at once; texts up to which neighbouring columns become one."""

_PLAIN = r"^[ !#-\[\]-~]*$"
"""Texts that JSON puts between quotation marks as they are."""

BASE = "1.1"
"""Version of the schema whose variables are written whether they are recorded or not."""

OF_THE_FILE = ("record_id", "source_file", "source_row")
"""Columns that say where a record stands, not what it says."""


def record_ids(
    records: pa.Table, apart: list[pa.Array], children: pa.Table, of: pa.Array, contributor: str,
    key: bytes,
) -> pa.Array:  # fmt: skip
    """The id of each record of a file, hexadecimal; no two are equal.

    Args:
        records: what records say; columns of :data:`OF_THE_FILE` are passed over.
        apart: what else tells records apart, such as the keys of their cases, null where a record
            has none.
        children: what the rows of perpetrators say.
        of: the record (row of ``records``) of each of these, ascending.
        contributor: id of the contributor.
        key: the hub's secret: an id tells nothing to whoever guesses what a record says.
    """
    secret = hmac.digest(key, b"\0record\0" + contributor.encode(), hashlib.sha256)
    said = records.select([n for n in records.column_names if n not in OF_THE_FILE])
    columns = _joined(_parts(said, apart))
    mentioned = _mentioned(children, of, records.num_rows) if children.num_rows else None
    ids = _ids(secret, "0", columns, mentioned)
    number = _ordinals(ids)
    again = np.flatnonzero(number)  # equal ids, equal records
    if len(again):
        rest = [JsonColumn(column.codes[again], column.texts) for column in columns]
        more = mentioned.take(pa.array(again)) if mentioned is not None else None
        counted = pa.array(number[again]).cast(pa.string())
        ids = pc.replace_with_mask(ids, pa.array(number > 0), _ids(secret, counted, rest, more))
    return ids


_LATER = {v.name for v in load_schema().variables() if numbers(v.since) > numbers(BASE)}


class JsonColumn(NamedTuple):
    """A column of JSON texts: the place of each row's text among them."""

    codes: NDArray[np.int32]
    texts: pa.Array


def _ids(
    secret: bytes, number: str | pa.Array, columns: list[JsonColumn], mentioned: pa.Array | None
) -> pa.Array:
    """Keyed hashes of number, line end and line; the lines of a slice at a time."""
    keyed, digests = hashlib.blake2b(digest_size=ID_BYTES, key=secret), bytearray()
    rows = len(columns[0].codes)
    for start in range(0, rows, _SLICE):
        here = slice(start, start + _SLICE)
        first, *rest = [texts.take(pa.array(codes[here])) for codes, texts in columns]
        counted = number if isinstance(number, str) else number[here]
        first = pc.binary_join_element_wise(counted, first, "\n")
        lines = pc.binary_join_element_wise(first, *rest, "")
        if mentioned is not None:
            lines = pc.binary_join_element_wise(lines, mentioned[here], "")
        offsets, data = buffers(lines)
        view = data.data
        for begin, end in pairwise(offsets.tolist()):
            one = keyed.copy()
            one.update(view[begin:end])
            digests += one.digest()
    digits = pa.py_buffer(bytes(digests).hex().encode())
    ends = pa.py_buffer(np.arange(rows + 1, dtype=np.int32) * (2 * ID_BYTES))
    return pa.StringArray.from_buffers(rows, ends, digits)


def _parts(table: pa.Table, apart: list[pa.Array]) -> list[JsonColumn]:
    """What each column adds to a line: its value; of later variables name and value, if any."""
    names = [n for n in table.column_names if n not in _LATER]
    first, *rest = [*(_coded(table[n]) for n in names), *map(_coded, apart)]
    columns = [first, *(JsonColumn(c.codes, _behind(",", c.texts)) for c in rest)]
    for name in (n for n in table.column_names if n in _LATER):
        codes, texts = _coded(table[name])
        said = _behind(f',"{name}":', texts[:-1])
        columns.append(JsonColumn(codes, pa.concat_arrays([said, pa.array([""])])))
    return columns


def _behind(prefix: str, texts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(prefix, texts, "")


def _coded(column: pa.ChunkedArray | pa.Array) -> JsonColumn:
    """The values of a column as JSON, null as ``null``, which comes last."""
    if column.null_count == len(column):
        return JsonColumn(np.zeros(len(column), np.int32), pa.array(["null"]))
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    coded = whole if pa.types.is_dictionary(whole.type) else whole.dictionary_encode()
    values = coded.dictionary.cast(pa.string())
    if pc.all(pc.match_substring_regex(values, _PLAIN)).as_py():
        texts = pc.binary_join_element_wise("", values, "", '"')  # between two quotation marks
    else:
        texts = pa.array([json.dumps(value) for value in values.to_pylist()], pa.string())
    codes = coded.indices.cast(pa.int32()).fill_null(len(texts)).to_numpy()
    return JsonColumn(codes, pa.concat_arrays([texts, pa.array(["null"])]))


def _joined(columns: list[JsonColumn]) -> list[JsonColumn]:
    """Neighbours as one column of both texts, where these are few."""
    groups: list[JsonColumn] = []
    for column in columns:
        if groups and (size := len(groups[-1].texts) * len(column.texts)) <= _FEW:
            before = groups.pop()
            places = np.divmod(np.arange(size), len(column.texts))
            each = zip((before.texts, column.texts), places, strict=True)
            parts = (t if len(t) == size else t.take(pa.array(at)) for t, at in each)
            texts = pc.binary_join_element_wise(*parts, "")
            codes = column.codes
            if len(before.texts) > 1:
                codes = before.codes * np.int32(len(column.texts)) + codes
            column = JsonColumn(codes, texts)
        groups.append(column)
    return groups


def _mentioned(children: pa.Table, of: pa.Array, rows: int) -> pa.Array:
    """The lines of each record's perpetrators, each behind a line end."""
    parts = _parts(children, [])
    lines = pc.binary_join_element_wise("\n", *(t.take(pa.array(c)) for c, t in parts), "")
    ends = np.cumsum(np.bincount(of.to_numpy(), minlength=rows))
    lists = pa.ListArray.from_arrays(pa.array([0, *ends], pa.int32()), lines)
    return pc.binary_join(lists, "")


def _ordinals(texts: pa.Array) -> NDArray[np.int64]:
    """The number of each text among the equal ones before it, from 0."""
    coded = texts.dictionary_encode()
    ordinals = np.zeros(len(texts), np.int64)
    if len(coded.dictionary) < len(texts):
        same = coded.indices.to_numpy()
        order = np.argsort(same, kind="stable")
        sizes = np.bincount(same)
        starts = np.cumsum(sizes) - sizes
        ordinals[order] = np.arange(len(texts)) - starts[same[order]]
    return ordinals


# --------------------------------------------------------------------------------------------------
# What else a file says of person keys: rows that became no record, and births that differ.
#
# A newer delivery replaces what older ones said of a person, also where it excludes her; and a key
# with two years of birth is shared by several people.  Keys and nothing else are kept of that.

_KEY = pa.field("person_key", pa.string(), nullable=False)
NO_RECORD = pa.schema([_KEY, pa.field("excluded", pa.bool_(), nullable=False)])
"""Keys of rows that became no record, and whether a rule excluded the row or a fault did."""

BIRTHS = pa.schema([_KEY])
"""Keys whose records have different years of birth."""


def no_record(table: pa.Table, keys: pa.Array, records: pa.Array, excluded: pa.Array) -> pa.Table:
    """Keys of the rows of a file that became no record, schema :data:`NO_RECORD`, each once.

    Args:
        table: the file as read.
        keys: the key of each row of it, null where it has none.
        records, excluded: numbers of the rows that became records, and that a rule excluded.
    """
    rows = table["_row"].combine_chunks()
    other = pc.and_(pc.is_valid(keys), pc.invert(pc.is_in(rows, value_set=records)))
    pairs = pa.table([keys.filter(other), pc.is_in(rows.filter(other), value_set=excluded)],
                     NO_RECORD)  # fmt: skip
    return pairs.group_by(NO_RECORD.names).aggregate([]).sort_by("person_key").cast(NO_RECORD)


def births_differ(
    table: pa.Table, place: pa.Array | None, keys: pa.Array, done: Transformed
) -> pa.Table:
    """Keys with different years in a column of birth dates, schema :data:`BIRTHS`, sorted.

    Args:
        table: the file as read.
        place: where in it the rows stand that became records; None where all of them did.
        keys: the key of each of these.
        done: says which columns are birth dates (``band``), and how dates are written.
    """
    header, births, mapping = Header(table.column_names), BIRTHS.empty_table(), done.mapping
    empty = frozenset({"", *map(fold, mapping.empty)})
    for column, decision in mapping.identifiers.items():
        name = header.find(column) if decision.action == "band" else None
        if name is None:
            continue
        cells = table[name] if place is None else table[name].take(place)
        coded = cells.combine_chunks().dictionary_encode()
        column_texts = TextColumn(coded.dictionary.to_pylist())
        pieces = column_texts.taken(Taken(empty, frozenset()))[:-1].tolist()
        reader, days = Reader("year", dates=mapping.dates), done.numbered.get(name, {})
        texts = [fold(column_texts.pieces[at]) if at >= 0 else "" for at in pieces]
        read = [days.get(text) or reader.read(text) for text in texts]
        years = pc.utf8_slice_codeunits(pa.array(read, pa.string()), 0, 4)
        born = pa.table({"person_key": keys, "year": years.take(coded.indices)})
        ends = born.filter(pc.is_valid(keys)).group_by("person_key")
        ends = ends.aggregate([("year", "min"), ("year", "max")])
        several = ends.filter(pc.not_equal(ends["year_min"], ends["year_max"]))
        births = pa.concat_tables([births, several.select(["person_key"]).cast(BIRTHS)])
    return births.group_by("person_key").aggregate([]).sort_by("person_key").cast(BIRTHS)


# --------------------------------------------------------------------------------------------------
# A mapping's own tests: made-up rows and what must become of them.

YEARS = (1990, 2100)
"""Years that the examples may use, whatever the hub's policy."""


def check_mapping(mapping: Mapping) -> int:
    """Run the mapping's examples.

    Returns:
        How many there are; all hold.

    Raises:
        MappingError: names each example that fails, what it expects and what came out.  Example
            rows are made up, so their values may be shown.
    """
    return _checked(MappingRun.of(mapping, YEARS)) if mapping.tests else 0


@lru_cache(maxsize=16)
def _checked(run: MappingRun) -> int:
    """The same; that a mapping's tests hold is kept, for it is asked of each of its files."""
    mapping = run.mapping
    columns = dict.fromkeys([*mapping.needed(), *(c for e in mapping.tests for c in e.row)])
    rows = {c: pa.array([e.row.get(c) for e in mapping.tests], pa.string()) for c in columns}
    numbers = pa.array(range(len(mapping.tests)), pa.int64())
    done = Transformed(mapping, TextTable(pa.table({"_row": numbers, **rows})), YEARS)
    failed = [
        Text("test {n}: {what}", n=i + 1, what=what)
        for i, example in enumerate(mapping.tests)
        if (what := _difference(i, example, done))
    ]
    if failed:
        raise error("mapping-tests", file=mapping.name, tests=joined(failed, "; "))
    return len(mapping.tests)


def _difference(row: int, example: Example, done: Transformed) -> Text | None:
    """What differs from what the example expects, None where nothing does."""
    rule = next((done.rules[n - 1] for n in done.excluded[[row]].tolist() if n), None)
    faults = sorted({r["target"] for r in done.rejects.to_pylist() if r["source_row"] == row})
    wanted = [example.rejected] if example.rejected is not None else []
    if rule != example.excluded or not (example.rejected in faults if wanted else not faults):
        return _wrong(_outcome(example.excluded, wanted), _outcome(rule, faults))
    if rule or faults:
        return None
    record = next(v for v in done.values.to_pylist() if v["_row"] == row)
    differing = _differing(example.gives or {}, record)
    if example.perpetrators is not None and done.children is not None:
        children = [c for c in done.children.to_pylist() if c["_row"] == row]
        if len(children) != len(example.perpetrators):
            n = Text("{n} alleged perpetrators", n=len(example.perpetrators))
            differing.append(_wrong(n, len(children)))
        else:
            for gives, child in zip(example.perpetrators, children, strict=True):
                differing += _differing(gives, child)
    return joined(differing, ", ") if differing else None


def _outcome(rule: str | None, columns: list[str]) -> Text:
    """What became of a row: an exclusion left it out, variables are at fault, or it is a record."""
    if rule is not None:
        return Text("excluded by {rule}", rule=rule)
    if columns:
        return Text("rejected for {columns}", columns=", ".join(columns))
    return Text("a record")


def _wrong(expected: Text, got: Text | int) -> Text:
    return Text("expected {expected}, got {got}", expected=expected, got=got)


def _differing(wanted: dict[str, str | None], record: dict[str, object]) -> list[Text]:
    texts = {name: None if v is None else str(v) for name, v in record.items()}
    said = Text("{column}: expected {expected}, got {got}")
    return [
        said.holding(column=name, expected=code or "null", got=texts.get(name) or "null")
        for name, code in wanted.items()
        if texts.get(name) != code
    ]


# --------------------------------------------------------------------------------------------------
# One file through one mapping: decide identifiers, test the mapping, run it, account for rows.

_ID = pa.field("record_id", pa.string(), nullable=False)
RECORDS = pa.schema(
    [
        _ID,
        pa.field("person_key", pa.string()),
        pa.field("source_file", pa.string(), nullable=False),
        pa.field("source_row", pa.int64(), nullable=False),
        *arrow_schema("records"),
    ]
)
PERPETRATORS = pa.schema([_ID, *arrow_schema("perpetrators")])
CASES = pa.schema([_ID, pa.field("case", pa.string())])
"""Keys of cases by record, where the mapping has a column for them that is no person key."""


def harmonise(
    raw: RawTable,
    mapping: Mapping,
    contributor: str,
    years: tuple[int, int],
    key: bytes,
) -> Harmonised:
    """Turn a contributor's file into records of the hub's schema.

    Args:
        raw: the file as read.
        mapping: how its format becomes the schema.
        contributor: id of the contributor; part of record ids and of hashed person keys, and
            the reporting entity where the mapping names none.
        years: first and last year of the public bounds, both included.
        key: the hub's secret for record ids and for person keys made by ``hash``; at least 16
            bytes.

    Raises:
        IdentifierFound: a likely identifier that the mapping does not decide.
        MappingError: the mapping's own tests fail; or it does not decide about a column that says
            who consented, or who is a victim (rule "who-counts").
        FileError: the file lacks columns that the mapping reads.
        ValueError: the key is too short.
    """
    if len(key) < 16:
        raise ValueError("the key for person keys needs at least 16 bytes")
    children = {name: unescaped(rows) for name, rows in raw.children.items()}
    whole = replace(raw, table=unescaped(raw.table), children=children)
    raw = identifiers.without_stripped(whole, mapping)
    _check_columns(raw, mapping)  # first: without a header row its "names" are people's data
    identifiers.check_decided(raw, mapping)
    codes = as_codes(whole.table)
    if open_ := undecided(codes.select(raw.table.column_names), mapping):
        raise error("who-counts", file=raw.file, columns=", ".join(open_), column=open_[0])
    check_mapping(mapping)
    texts = TextTable(codes.select(raw.table.column_names))
    done = Transformed(mapping, texts, years, raw.children, whole, codes)
    notes = done.numbers(done.aside)  # nobody's rows, which have no key
    table = but_rows(raw.table, notes) if len(notes) else raw.table
    person, case = identifiers.keyings(mapping, contributor, key)
    rows = done.values["_row"]
    place = None  # all rows became records
    if len(rows) < table.num_rows:
        place = pc.index_in(rows.combine_chunks(), value_set=table["_row"].combine_chunks())
    none = pa.nulls(table.num_rows, pa.string())
    all_keys, case_keys = (keying.keys(table) if keying else none for keying in (person, case))
    keys, case_keys = (one if place is None else one.take(place) for one in (all_keys, case_keys))
    by_record = identifiers.tokens_of(table, mapping, rows.combine_chunks())
    apart = identifiers.told_apart(by_record, keys)
    records, perpetrators = _records(raw, contributor, key, keys, [case_keys, apart], done)
    cases = pa.table([records["record_id"], case_keys], schema=CASES).filter(pc.is_valid(case_keys))
    tokens = identifiers.token_table(by_record, records["record_id"].combine_chunks(), contributor)
    rejects = pa.concat_tables([raw.rejects.cast(REJECTS), _with_file(done.rejects, raw.file)])
    conservation = Conservation(
        rows_read=raw.rows_read,
        records=records.num_rows,
        rejected=raw.rejects.num_rows + int(done.rejected.sum()),
        excluded=dict.fromkeys((e.rule for e in mapping.exclude), 0) | done.left_out,
    )
    lineage = lineage_of(mapping, records, perpetrators, done)
    excluded = done.numbers(done.excluded > 0)
    others = no_record(table, all_keys, rows.combine_chunks(), excluded)
    return Harmonised(
        records,
        perpetrators,
        tokens,
        cases,
        rejects,
        lineage,
        conservation,
        others,
        births_differ(table, place, keys, done),
        done.texts,
        tuple(notes.to_pylist()),
        tuple(done.numbers(done.excluded == done.rules.index(NOT_COUNTED_RULE) + 1).to_pylist()),
    )


def _check_columns(raw: RawTable, mapping: Mapping) -> None:
    header = Header(raw.column_names())
    spared = {fold(column) for column in mapping.optional} | replaced(mapping, header)
    missing = [
        column
        for column in mapping.needed()
        if header.find(column) is None and fold(column) not in spared
    ]
    if missing:
        raise error("missing-columns", file=raw.file, columns=", ".join(missing))


def replaced(mapping: Mapping, header: Header) -> set[str]:
    """Folded columns that a file need not have, for it has another that a rule takes instead.

    Of a flag all columns must be there: one that is missing could hold the only yes.
    """
    keys, _action = mapping.key_columns() or ((), "")
    asked = {fold(c) for c in (*keys, *mapping.tokens, mapping.case_column() or "")}
    others_there: set[str] = set()
    for exclusion in mapping.exclude:
        asked |= {fold(column) for column in exclusion.columns()}
    for _table, _place, target, rule in mapping.rules():
        columns = {fold(column) for column in rule.columns()}
        others = {fold(c) for c in rule.source if header.find(c) is None}
        if load_schema().variable(target).kind != "flag" and others < {*map(fold, rule.source)}:
            others_there |= others
            columns -= others
        asked |= columns
    return others_there - asked


def _records(
    raw: RawTable, contributor: str, key: bytes, keys: pa.Array, apart: list[pa.Array],
    done: Transformed,
) -> tuple[pa.Table, pa.Table]:  # fmt: skip
    """The records and their perpetrators, tied by ids."""
    rows = done.values["_row"]
    columns: dict[str, object] = {
        "record_id": pa.repeat(pa.scalar(""), len(rows)),
        "person_key": keys,
        "source_file": pa.repeat(pa.scalar(raw.file), len(rows)),
        "source_row": rows,
    }
    records = _shaped(RECORDS, columns, done.values)
    place = records.schema.get_field_index(CONTRIBUTOR)
    named = records[CONTRIBUTOR].cast(pa.string()).fill_null(contributor)
    records = records.set_column(place, CONTRIBUTOR, named)
    children = PERPETRATORS.empty_table()
    of = pa.array([], pa.int32())
    if done.children is not None:
        of = pc.index_in(done.children["_row"], value_set=rows.combine_chunks()).combine_chunks()
        blank = pa.repeat(pa.scalar(""), len(of))
        children = _shaped(PERPETRATORS, {"record_id": blank}, done.children)
    said = children.drop_columns(["record_id"])
    ids = record_ids(records, apart, said, of, contributor, key)
    return (
        _cast(RECORDS, records.set_column(0, "record_id", ids)),
        children.set_column(0, "record_id", ids.take(of)).cast(PERPETRATORS),
    )


def _shaped(schema: pa.Schema, columns: dict[str, object], values: pa.Table) -> pa.Table:
    """The columns of the schema in order, codes as they are; what is not mapped is null."""
    for name, kind in zip(schema.names, schema.types, strict=True):
        if name in values.column_names:
            column = values[name]
            columns[name] = column if pa.types.is_dictionary(column.type) else column.cast(kind)
        elif name not in columns:
            columns[name] = pa.nulls(values.num_rows, kind)
    return pa.table({name: columns[name] for name in schema.names})


def _cast(schema: pa.Schema, table: pa.Table) -> pa.Table:
    """The table with the fields of the schema, codes as they are."""
    kinds = zip(schema, table.schema.types, strict=True)
    return table.cast(pa.schema([field.with_type(kind) for field, kind in kinds]))


def _with_file(rejects: pa.Table, file: str) -> pa.Table:
    named = rejects.drop_columns(["target"]).add_column(
        0, "source_file", pa.repeat(pa.scalar(file), rejects.num_rows)
    )
    return named.sort_by("source_row").cast(REJECTS)
