"""Hub records written as a file in a known format, with an account of what was lost.

Every cell is a text of the crosswalk, a country code or a year: no text of a case record is ever
copied, so no cell can be a formula that a spreadsheet would run.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.compute as pc

from ctdhub.core.atomic import made_whole
from ctdhub.core.datafiles import put_rows
from ctdhub.core.error_catalogue import error
from ctdhub.schema.crosswalk import Crosswalk, load_crosswalk, sentence
from ctdhub.schema.crosswalk_graph import CodeMatch, arrows
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.mapping.export_columns import HubColumns, cells


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
    crosswalk = load_crosswalk(name)
    if crosswalk.kind != "file":
        raise error("format-kind", name=name)
    if out.suffix.lower() not in (".csv", ".xlsx"):
        raise error("format-suffix/export", file=out)
    hub = HubColumns(records, perpetrators)
    columns = [cells(crosswalk, column, hub).to_pylist() for column in crosswalk.written()]
    _save(crosswalk, columns, hub.rows, out)
    return losses(name, hub)


def losses(name: str, hub: HubColumns) -> tuple[LossNote, ...]:
    """What a format cannot hold of these records; see :func:`write_format`."""
    schema = load_schema()
    ways = arrows(name)
    found: list[LossNote] = []
    for variable in (*schema.table("records"), *schema.table("perpetrators")):
        column = hub.column(variable.name)
        if column is None or column.null_count == len(column):
            continue
        mine = [a for a in ways if a.variable == variable.name and not a.derived]
        if not any(a.writes or a.lossy_write for a in mine):
            note, n = sentence("no_column"), len(column) - column.null_count
            found.append(LossNote(variable.name, None, None, note, n))
            continue
        settled = {a.code for a in mine if a.writes and a.code}
        for arrow in mine:
            if arrow.lossy_write and (n := _concerned(arrow, column, settled)):
                note = arrow.lossy_write
                found.append(LossNote(variable.name, arrow.code, arrow.column, note, n))
    return tuple(found)


def _concerned(arrow: CodeMatch, column: pa.ChunkedArray, settled: set[str]) -> int:
    """How many values an arrow concerns; one without a code those that no other arrow settles."""
    texts = column.cast(pa.string())
    if arrow.code is not None:
        return int(pc.sum(pc.equal(texts, arrow.code)).as_py() or 0)
    left = pc.invert(pc.is_in(texts, value_set=pa.array(sorted(settled), pa.string())))
    return int(pc.sum(pc.and_(left, texts.is_valid())).as_py() or 0)


def _save(crosswalk: Crosswalk, columns: list[list[str]], rows: int, out: Path) -> None:
    """Write beside the file and put it in place at the end, so that no half file is ever seen."""
    names = crosswalk.written()
    workbook = out.suffix.lower() == ".xlsx"
    heads = [list(names)]
    if crosswalk.labels_in_row_2:
        heads.append([crosswalk.column(name).label or "" for name in names])
    if crosswalk.first_column is not None:
        heads = [[crosswalk.first_column, *head] for head in heads]
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
                put_rows(file, (), lines, delimiter=crosswalk.delimiter, as_is=True)
