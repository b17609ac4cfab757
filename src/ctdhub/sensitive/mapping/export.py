"""Hub records written as a file in a known format, with an account of what was lost.

Every cell is a text of the crosswalk, a country code or a year: no text of a case record is ever
copied, so no cell can be a formula that a spreadsheet would run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from itertools import chain
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.errors import error
from ctdhub.core.files import made_whole
from ctdhub.core.tables import put_rows
from ctdhub.schema import countries, crosswalk
from ctdhub.schema.model import load_schema

# --------------------------------------------------------------------------------------------------
# Columns of a known format out of hub records, by the crosswalk alone.

REGIONS = {"africa": "africa", "americas": "americas_oceania", "oceania": "americas_oceania",
           "asia": "asia", "europe": "europe"}  # fmt: skip
"""UN M49 region to the hub's region; Antarctica has none."""


class HubColumns:
    """Records and their perpetrators, every value checked against the schema.

    Args:
        records: columns of the schema's records, any of which may be missing.
        perpetrators: ``record_id`` and columns of the schema's perpetrators.

    Raises:
        FileError: a value is not in the schema; which one is not said.
    """

    def __init__(self, records: pa.Table, perpetrators: pa.Table | None = None) -> None:
        schema = load_schema()
        self.rows: int = records.num_rows
        self._columns: dict[str, pa.ChunkedArray] = {}
        tables = [(records, schema.table("records"))]
        self._parent: list[int | None] = []
        if perpetrators is not None and perpetrators.num_rows:
            tables.append((perpetrators, schema.table("perpetrators")))
            ids = records["record_id"].combine_chunks()
            self._parent = pc.index_in(perpetrators["record_id"], value_set=ids).to_pylist()
        for table, variables in tables:
            for v in variables:
                if v.name not in table.column_names:
                    continue
                column = table[v.name]
                if v.kind not in ("year", "entity"):
                    domain = pa.array([*schema.domain(v.name), None], pa.string())
                    if not pc.all(pc.is_in(column, value_set=domain), min_count=0).as_py():
                        raise error("domain", column=v.name)
                self._columns[v.name] = column

    def column(self, name: str) -> pa.ChunkedArray | None:
        """The values of a variable, None where the tables do not have it."""
        return self._columns.get(name)

    def texts(self, name: str) -> pa.Array:
        """The values of a variable of the records as texts, null where it is missing."""
        column = self._columns.get(name)
        if column is None:
            return pa.nulls(self.rows, pa.string())
        return pc.cast(column, pa.string()).combine_chunks()

    def yes(self, name: str) -> pa.Array:
        """Where a flag of the records is yes; never null."""
        return pc.fill_null(pc.equal(self.texts(name), "yes"), False)

    def of_children(self, name: str, texts: Mapping[str, str]) -> pa.Array:
        """Per record the distinct texts of its perpetrators, sorted and joined by ";"."""
        sets: list[set[str]] = [set() for _row in range(self.rows)]
        values = self._columns.get(name)
        for row, code in zip(self._parent, values.to_pylist() if values else [], strict=False):
            if row is not None and code in texts:
                sets[row].add(texts[code])
        return pa.array([";".join(sorted(f)) or None for f in sets], pa.string())


def cells(walk: crosswalk.Crosswalk, name: str, hub: HubColumns) -> pa.Array:
    """The cells of one column, ``missing`` where nothing is recorded.

    Raises:
        KeyError: the format has no such column.
    """
    return pc.fill_null(_cells(walk.column(name), hub), walk.missing)


def _cells(c: crosswalk.CrosswalkColumn, hub: HubColumns) -> pa.Array:
    match c.form:
        case "flag":
            return _mapped(hub.texts(c.to or ""), {"yes": "1", "no": "0"})
        case "mark" if c.is_child:
            return hub.of_children(c.to or "", {"yes": "1"})
        case "mark" | "any":
            some = reduce(pc.or_, [hub.yes(name) for name in c.of or (c.to or "",)])
            return _where(some, "1")
        case "code":
            codes = {v.to: v.text for v in c.values if v.to and v.way != "read"}
            if c.is_child:
                return hub.of_children(c.to or "", codes)
            return _mapped(_with_region(c, hub), codes)
        case "country":
            plain = hub.texts(c.to or "")
            return plain if c.alpha == 3 else _mapped(plain, countries.ALPHA3_TO_ALPHA2)
        case "year":
            bands = {
                str(year): text
                for text, (first, last) in c.bands.items()
                for year in range(first, last + 1)
            }
            return _mapped(hub.texts(c.to or ""), bands) if bands else hub.texts(c.to or "")
        case "list" | "joined":
            return _list(c, hub)
        case _:
            return pa.nulls(hub.rows, pa.string())


def _with_region(c: crosswalk.CrosswalkColumn, hub: HubColumns) -> pa.Array:
    if c.region_of is None:
        return hub.texts(c.to or "")
    of = {code: r for code in countries.ALPHA3 if (r := REGIONS.get(countries.region(code)))}
    return pc.coalesce(hub.texts(c.to or ""), _mapped(hub.texts(c.region_of), of))


def _list(c: crosswalk.CrosswalkColumn, hub: HubColumns) -> pa.Array:
    flags: dict[str, list[str]] = {}
    for value in c.values:
        if value.to and value.way != "read":
            flags.setdefault(value.text, []).append(value.to)
    if not flags:
        return pa.nulls(hub.rows, pa.string())
    parts = [_where(reduce(pc.or_, map(hub.yes, names)), text) for text, names in flags.items()]
    separator = c.separators[0] if c.separators else ";"
    return reduce(
        lambda a, b: pc.coalesce(pc.binary_join_element_wise(a, b, separator), a, b), parts
    )


def _where(mask: pa.Array, text: str) -> pa.Array:
    return pc.if_else(mask, pa.scalar(text), pa.scalar(None, pa.string()))


def _mapped(column: pa.Array, texts: Mapping[str, str]) -> pa.Array:
    known = pa.array(list(texts), pa.string())
    return pa.array(list(texts.values()), pa.string()).take(pc.index_in(column, value_set=known))


@dataclass(frozen=True)
class LossNote:
    """A lossy arrow that was followed.

    Attributes:
        variable: the hub's variable.
        code: the code concerned, None for all.
        column: the format's column, None where the format has none for the variable.
        note: what was lost, an English sentence to be shown through ``_()``.
        cells: values of the hub that it concerned, at least 1.
    """

    variable: str
    code: str | None
    column: str | None
    note: str
    cells: int


def write_format(
    records: pa.Table, name: str, out: Path, perpetrators: pa.Table | None = None
) -> tuple[LossNote, ...]:
    """Write records in a format.

    Args:
        records: columns of the schema's records, any of which may be missing; with perpetrators
            also ``record_id``.
        name: a format with a crosswalk, for example ``ctdc-2024``.
        out: file to write; ``.csv`` or ``.xlsx`` decides how.  An existing file is replaced.
        perpetrators: ``record_id`` and columns of the schema's perpetrators.

    Returns:
        Every lossy arrow that concerned at least one value, in the order of the schema.

    Raises:
        HubError: no format of that name.
        FileError: the name ends otherwise, the format is no file format, or a value of the
            records is not in the schema.
    """
    walk = crosswalk.load_crosswalk(name)
    if walk.kind != "file":
        raise error("format-kind", name=name)
    if out.suffix.lower() not in (".csv", ".xlsx"):
        raise error("format-suffix/export", file=out)
    hub = HubColumns(records, perpetrators)
    columns = [cells(walk, column, hub).to_pylist() for column in walk.written()]
    _save(walk, columns, hub.rows, out)
    return losses(name, hub)


def losses(name: str, hub: HubColumns) -> tuple[LossNote, ...]:
    """What a format cannot hold of these records; see :func:`write_format`."""
    schema = load_schema()
    ways = crosswalk.arrows(name)
    notes: list[LossNote] = []
    for variable in (*schema.table("records"), *schema.table("perpetrators")):
        column = hub.column(variable.name)
        if column is None or column.null_count == len(column):
            continue
        mine = [a for a in ways if a.variable == variable.name and not a.derived]
        if not any(a.writes or a.lossy_write for a in mine):
            note, n = crosswalk.sentence("no_column"), len(column) - column.null_count
            notes.append(LossNote(variable.name, None, None, note, n))
            continue
        settled = {a.code for a in mine if a.writes and a.code}
        for arrow in mine:
            if arrow.lossy_write and (n := _concerned(arrow, column, settled)):
                note = arrow.lossy_write
                notes.append(LossNote(variable.name, arrow.code, arrow.column, note, n))
    return tuple(notes)


def _concerned(arrow: crosswalk.CodeMatch, column: pa.ChunkedArray, settled: set[str]) -> int:
    """How many values an arrow concerns; one without a code those that no other arrow settles."""
    texts = column.cast(pa.string())
    if arrow.code is not None:
        return int(pc.sum(pc.equal(texts, arrow.code)).as_py() or 0)
    left = pc.invert(pc.is_in(texts, value_set=pa.array(sorted(settled), pa.string())))
    return int(pc.sum(pc.and_(left, texts.is_valid())).as_py() or 0)


def _save(walk: crosswalk.Crosswalk, columns: list[list[str]], rows: int, out: Path) -> None:
    """Write beside the file and put it in place at the end, so that no half file is ever seen."""
    names = walk.written()
    workbook = out.suffix.lower() == ".xlsx"
    heads = [list(names)]
    if walk.labels_in_row_2:
        heads.append([walk.column(name).label or "" for name in names])
    if walk.first_column is not None:
        heads = [[walk.first_column, *head] for head in heads]
        columns = [[""] * rows, *columns]
    lines = chain(heads, zip(*columns, strict=True))
    with made_whole(out) as part:
        part.touch(0o600, exist_ok=False)  # records: only their owner may read them
        if workbook:
            book = openpyxl.Workbook(write_only=True)
            sheet = book.create_sheet("records")
            for line in lines:
                sheet.append([text or None for text in line])
            book.save(part)
        else:
            with part.open("w", encoding="utf-8", newline="") as file:
                put_rows(file, (), lines, delimiter=walk.delimiter, as_is=True)
