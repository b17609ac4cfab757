"""Values of one sheet of an xlsx, xlsm or ods workbook."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from ctdhub.core.errors import error, printable
from ctdhub.core.i18n import Text, many
from ctdhub.core.tables import fold, trim
from ctdhub.sensitive.ingest import layout, raw, tidy
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.preflight import Archive, OdsSheet, XlsxSheet, ods_sheets, xlsx_sheets
from ctdhub.sensitive.ingest.raw import ReaderResult, gather
from ctdhub.sensitive.ingest.survey_form import SurveyForm, form_of
from ctdhub.sensitive.ingest.tidy import LOOKED_AT, SheetView


def read(data: bytes, file: str, options: ReadOptions, limits: Limits) -> ReaderResult:
    """Names, columns and row numbers of one sheet, or of all.  Macros and links are never opened.

    Raises:
        HostileFile: a limit is passed, the container is unsafe.
        UnreadableFile: this is no workbook, it is encrypted, or it is damaged; another sheet has
            the same column names and nothing is stated (``sheets``).
    """
    with library_errors(file):
        book = Book(data, file, limits)
        if options.sheets is not None:
            cells = layout.read_stacked(book, options)
        else:
            cells = book.cells(options)
            _tell_of_others(book, cells, options)
        if options.children:
            tables, lost = layout.children(book, cells, options)
            cells = replace(cells, children=tables, rejects=[*cells.rejects, *lost])
        return cells


def _tell_of_others(book: Book, cells: ReaderResult, options: ReadOptions) -> None:
    """A note on sheets that were not read; an error where one is of the same kind."""
    if options.sheet is not None:
        return
    known = {cells.sheet, *layout.child_places(book, options).values()}
    others = [name for name in book.visible() if name not in known]
    if layout.agreeing_sheets(book, others, cells.names, options):
        raise error("sheets", file=book.file)
    if others:
        note = many(
            "One more sheet of the workbook was not read. Look whether it holds records.",
            "{n} more sheets of the workbook were not read. Look whether one holds records.",
            len(others),
            n=len(others),
        )
        cells.notes.append(note)


def views(data: bytes, file: str, _options: ReadOptions, limits: Limits) -> list[SheetView]:
    """The first rows of every visible sheet that has any, for a draft.

    Raises:
        HostileFile, UnreadableFile: see :func:`read`.
    """
    with library_errors(file):
        book = Book(data, file, limits)
        return [view for name in book.visible() if (view := book.view(name)).rows]


class Book:
    """A workbook whose container has been checked; its sheets are checked as they are read.

    Raises:
        HostileFile, UnreadableFile: see :func:`read`.
    """

    def __init__(self, data: bytes, file: str, limits: Limits) -> None:
        self.file, self.limits = file, limits
        self._archive = Archive(data, file, limits)
        archive = self._archive
        listed = ods_sheets if _is_ods(archive) else xlsx_sheets
        self._sheets: Mapping[str, OdsSheet | XlsxSheet] = listed(archive)
        for part in archive.names:  # sizes and checksums of the parts the library may open itself
            if part.lower().endswith((".xml", ".rels")) and not part.startswith("xl/worksheets/"):
                for _piece in archive.inflate(part):
                    pass
        self._data = data
        self._opened: CalamineWorkbook | None = None

    def visible(self) -> list[str]:
        """Names of the visible sheets, in order."""
        return [name for name, sheet in self._sheets.items() if sheet.visible]

    def cells(self, options: ReadOptions) -> ReaderResult:
        """One sheet as the options say, all its content checked."""
        name = self._chosen(options.sheet)
        computed = self._sheets[name].measure(self._archive, whole=True)
        with _panics(self.file):
            sheet = self._sheet(name)
            cells = _cells(sheet, name, self.file, options, self.limits, computed.merged)
        return replace(cells, computed=computed.without(range(options.header_row)))

    def _chosen(self, wanted: str | None) -> str:
        """The wanted name, or the first visible one.  Sheets may be named after people, so an error
        says how many there are and not their names.
        """
        if wanted is None:
            wanted = next(iter(self.visible()), None)
            if wanted is None:
                raise error("workbook", file=self.file)
        if wanted not in self._sheets:
            raise error("no-sheet", file=self.file, n=len(self._sheets))
        return wanted

    def view(self, name: str) -> SheetView:
        """The first rows of a sheet as texts, and its merged cells; only its size is checked."""
        merged = self._sheets[name].measure(self._archive, whole=False).merged
        with _panics(self.file):
            sheet = self._sheet(name)
            if sheet.start is None or sheet.end is None:
                return SheetView(name, (), 0)
            left = [""] * sheet.start[1]
            top = islice(sheet.iter_rows(), LOOKED_AT)
            rows = tuple(tuple(left + [as_text(v) for v in cells]) for cells in top)
            return SheetView(name, rows, sheet.end[0] + 1, tuple(merged))

    def _sheet(self, name: str) -> CalamineSheet:
        if self._opened is None:
            self._opened = CalamineWorkbook.from_filelike(io.BytesIO(self._data))
        return self._opened.get_sheet_by_name(name)


def read_form(path: Path) -> SurveyForm:
    """The XLSForm in a workbook.

    Raises:
        UnreadableFile: it is no XLSForm (``no-form``), or the file cannot be read.
        HostileFile: see the readers.
    """
    file, limits = printable(path.name), Limits()
    with raw.translated(file):
        data = raw.load(path, file, limits)
        if raw.kind(data, file).name != "workbook":
            raise error("no-form", file=file)
        with library_errors(file):
            book = Book(data, file, limits)
            named = {fold(name): name for name in book.visible()}
            sheets = [_rows(book, named[one]) for one in ("survey", "choices") if one in named]
            form = form_of(*sheets) if "survey" in named else None
    if form is None:
        raise error("no-form", file=file)
    return form


def _rows(book: Book, sheet: str) -> Iterator[dict[str, str]]:
    """Rows of a sheet as folded column name to text; a language after ``::`` is kept."""
    cells = book.cells(ReadOptions(sheet=sheet, footer="none"))
    names = [fold(name) for name in cells.names]
    columns = [column.to_pylist() for column in cells.columns]
    for row in zip(*columns, strict=True):
        yield {name: trim(text) for name, text in zip(names, row, strict=True) if name and text}


@contextmanager
def library_errors(file: str) -> Iterator[None]:
    """Errors of the libraries that open workbooks become errors with a remedy."""
    try:
        yield
    except PasswordError:
        raise error("encrypted", file=file) from None
    except DefusedXmlException:
        raise error("dtd", file=file) from None
    except (
        zipfile.BadZipFile,
        zipfile.LargeZipFile,
        zlib.error,
        CalamineError,
        ParseError,
        EOFError,
        NotImplementedError,  # zipfile: a version or method it does not know
    ):
        raise error("workbook", file=file) from None


def as_text(value: Any) -> str:
    """A workbook value as text: ISO dates, whole numbers without ".0", TRUE and FALSE.

    >>> [as_text(v) for v in (2.0, 0.1, True, datetime(2024, 5, 1), datetime(2024, 5, 1, 8, 30))]
    ['2', '0.1', 'TRUE', '2024-05-01', '2024-05-01T08:30:00']
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e16 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat()
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value)  # whole numbers and durations


def _is_ods(archive: Archive) -> bool:
    names = set(archive.names)
    if "xl/workbook.xml" in names and "[Content_Types].xml" in names:
        return False
    kind = archive.read("mimetype").strip() if "mimetype" in names else b""
    if kind.startswith(b"application/vnd.oasis.opendocument.spreadsheet") and (
        "content.xml" in names
    ):
        if b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise error("encrypted", file=archive.file)
        return True
    raise error("content/zip", file=archive.file)


def _cells(
    sheet: CalamineSheet,
    name: str,
    file: str,
    options: ReadOptions,
    limits: Limits,
    merged: Sequence[tidy.MergedCells],
) -> ReaderResult:
    if sheet.start is None or sheet.end is None or sheet.end[0] + 1 < options.header_row:
        raise error("no-header/sheet", file=file, row=options.header_row)
    if sheet.end[0] + 1 - options.header_row > limits.rows:
        raise error("rows", file=file, limit=limits.rows)
    left = [""] * sheet.start[1]
    rows = sheet.iter_rows()
    above = [next(rows) for _number in range(options.header_row)][-options.named_in :]
    texts, first = [left + [as_text(v) for v in cells] for cells in above], options.header_row
    heads = tidy.joined_names(texts, merged, first - len(texts) + 1)
    names = tidy.clean_headers(heads, file, options.header_row, limits)
    down = tidy.filling_down(merged, len(names), file, options)
    columns, numbers = gather(_filled(_texts(rows, left, options), down, file), len(names))
    made = ReaderResult(names, columns, numbers, [], options.header_row, sheet=name)
    if down:
        letters = ", ".join(map(tidy.column_letter, sorted({c.left for c in down})))
        note = Text("Merged cells were read with their value in each row, in columns {columns}.")
        made.notes.append(note.holding(columns=letters))
    return made if options.footer == "none" else _without_footer(made)


def _without_footer(cells: ReaderResult) -> ReaderResult:
    end = len(cells.rows)
    tail = [c.slice(max(end - tidy.LONGEST_FOOTER, 0)).to_pylist() for c in cells.columns]
    first = tidy.footer_start([[text or "" for text in row] for row in zip(*tail, strict=True)])
    if first is None:
        return cells
    kept = max(end - tidy.LONGEST_FOOTER, 0) + first
    cells.notes.append(tidy.footer_note(end - kept))
    columns = [column.slice(0, kept) for column in cells.columns]
    return replace(cells, columns=columns, rows=cells.rows[:kept])


def _texts(
    rows: Iterator[list[Any]], left: list[str], options: ReadOptions
) -> Iterator[tuple[int, Sequence[str]]]:
    skipped = options.unseen
    for number, cells in enumerate(rows, options.header_row + 1):
        if number not in skipped:
            yield number, left + [v if type(v) is str else as_text(v) for v in cells]


def _filled(
    rows: Iterable[tuple[int, Sequence[str]]], down: Sequence[tidy.MergedCells], file: str
) -> Iterator[tuple[int, Sequence[str]]]:
    """Rows with the value of merged cells in each; one that holds nothing else is empty.

    Raises:
        UnreadableFile: a cell that is not shown holds another value (rule "merged-cells").
    """
    coming, spans = list(reversed(down)), dict[int, tuple[int, str]]()
    for number, cells in rows:
        spans = {column: one for column, one in spans.items() if one[0] >= number}
        for column, (_end, value) in spans.items():
            if column < len(cells) and cells[column] not in ("", value):
                letter = tidy.column_letter(column)
                raise error("merged-cells", file=file, row=number, column=letter)
        if spans:
            own = ["" if column in spans else cell for column, cell in enumerate(cells)]
            full = [spans[c][1] if c in spans else cell for c, cell in enumerate(own)]
            cells = full if any(own) else own
        while coming and coming[-1].top <= number:
            one = coming.pop()
            spans[one.left] = one.bottom, cells[one.left] if one.left < len(cells) else ""
        yield number, cells


@contextmanager
def _panics(file: str) -> Iterator[None]:
    """Turn a panic of the library's Rust code into an error with a remedy.

    Such a panic reaches Python as ``pyo3_runtime.PanicException``, which cannot be imported and
    derives from BaseException so that nobody swallows it by accident.  It is looked for by name
    and only around the library's calls; anything else goes on as it was.
    """
    try:
        yield
    except BaseException as cause:
        if type(cause).__name__ != "PanicException":
            raise
        raise error("workbook", file=file) from None
