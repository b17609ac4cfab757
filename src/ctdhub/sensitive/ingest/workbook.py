"""Values of one sheet of an xlsx, xlsm or ods workbook."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from ctdhub.core.error_catalogue import error
from ctdhub.core.i18n import many
from ctdhub.sensitive.ingest import headers, ods_preflight, xlsx_preflight
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.raw import ReaderResult, gather, too_many_rows
from ctdhub.sensitive.ingest.sniff import encrypted
from ctdhub.sensitive.ingest.zip_preflight import Archive


def read(data: bytes, file: str, options: ReadOptions, limits: Limits) -> ReaderResult:
    """Names, columns and row numbers of one sheet.  Macros and links are never opened.

    Raises:
        HostileFile: a limit is passed, the container is unsafe, a cell is a formula.
        UnreadableFile: this is no workbook, it is encrypted, or it is damaged.
    """
    with _library_errors(file):
        archive = Archive(data, file, limits)
        find = _ods_sheet if _is_ods(archive) else _xlsx_sheet
        name, others = find(archive, options)
        for part in archive.names:  # sizes and checksums of the parts the library may open itself
            if part.lower().endswith((".xml", ".rels")) and not part.startswith("xl/worksheets/"):
                for _piece in archive.inflate(part):
                    pass
        with _panics(file):
            sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(name)
            cells = _cells(sheet, name, file, options, limits)
        if others and options.sheet is None:
            note = many(
                "One more sheet of the workbook was not read: state sheet if it holds the records.",
                "{n} more sheets of the workbook were not read: state sheet if one holds records.",
                others,
                n=others,
            )
            cells.notes.append(note)
        return cells


@contextmanager
def _library_errors(file: str) -> Iterator[None]:
    """Errors of the libraries that open workbooks become errors with a remedy."""
    try:
        yield
    except PasswordError:
        raise encrypted(file) from None
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
        raise xlsx_preflight.damaged(file) from None


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
        return True
    raise error("content/zip", file=archive.file)


def _xlsx_sheet(archive: Archive, options: ReadOptions) -> tuple[str, int]:
    sheet = xlsx_preflight.find(archive, options.sheet)
    xlsx_preflight.measure(archive, sheet, options)
    return sheet.name, sheet.others


def _ods_sheet(archive: Archive, options: ReadOptions) -> tuple[str, int]:
    if b"encryption-data" in archive.read("META-INF/manifest.xml"):
        raise encrypted(archive.file)
    return ods_preflight.measure(archive, options)


def _cells(
    sheet: CalamineSheet, name: str, file: str, options: ReadOptions, limits: Limits
) -> ReaderResult:
    if sheet.start is None or sheet.end is None or sheet.end[0] + 1 < options.header_row:
        raise error("no-header/sheet", file=file, row=options.header_row)
    if sheet.end[0] + 1 - options.header_row > limits.rows:
        raise too_many_rows(file, limits)
    left = [""] * sheet.start[1]
    rows = sheet.iter_rows()
    names: list[str] = []
    for number in range(1, options.header_row + 1):
        cells = next(rows)
        if number == options.header_row:
            names = headers.clean(left + [as_text(v) for v in cells], file, number, limits)
    columns, numbers = gather(_texts(rows, left, options), len(names))
    return ReaderResult(names, columns, numbers, [], options.header_row, sheet=name)


def _texts(
    rows: Iterator[list[Any]], left: list[str], options: ReadOptions
) -> Iterator[tuple[int, Sequence[str]]]:
    skipped = options.unseen
    for number, cells in enumerate(rows, options.header_row + 1):
        if number not in skipped:
            yield number, left + [v if type(v) is str else as_text(v) for v in cells]


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
        raise xlsx_preflight.damaged(file) from None
