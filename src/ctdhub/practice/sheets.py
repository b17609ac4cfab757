"""Writing tables as contributors send them: delimited text and Excel workbooks.

The workbook is written by hand (Office Open XML, ECMA-376) because a library stamps the time of
writing into the file, and because a streaming writer of ten lines is faster.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import chain
from pathlib import Path
from xml.sax.saxutils import escape

from ctdhub.core.tables import put_rows

Cell = str | int | date | None
_EPOCH = date(1899, 12, 30).toordinal()
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml."


def write_csv(
    path: Path, columns: Mapping[str, Iterable[Cell]], *, delimiter: str, encoding: str
) -> None:
    """Write a delimited text file with Windows line ends; cells with the delimiter are quoted."""
    with path.open("w", encoding=encoding, newline="") as file:
        rows = zip(*columns.values(), strict=True)
        put_rows(file, list(columns), rows, delimiter=delimiter, end="\r\n", as_is=True)


def write_xlsx(
    path: Path, sheet: str, columns: Mapping[str, Iterable[Cell]], labels: Sequence[str] = ()
) -> None:
    """Write a workbook of one sheet: names in row 1, ``labels`` (if any) in row 2, then the rows.

    Texts become shared strings, dates become numbers with a date format, "" and None stay empty.
    """
    texts: dict[str, int] = {}
    letters = [_letters(i) for i in range(len(columns))]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        for name, text in _parts(sheet).items():
            book.writestr(_entry(name), _XML + text)
        with book.open(_entry("xl/worksheets/sheet1.xml"), "w") as out:
            out.write(f'{_XML}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            heads: list[Iterable[Cell]] = [list(columns), labels] if labels else [list(columns)]
            rows = chain(heads, zip(*columns.values(), strict=True))
            for number, row in enumerate(rows, 1):
                cells = "".join(
                    _cell(f"{letter}{number}", value, texts)
                    for letter, value in zip(letters, row, strict=True)
                    if value not in ("", None)
                )
                out.write(f'<row r="{number}">{cells}</row>'.encode())
            out.write(b"</sheetData></worksheet>")
        strings = "".join(f'<si><t xml:space="preserve">{escape(t)}</t></si>' for t in texts)
        text = f'<sst xmlns="{_MAIN}" uniqueCount="{len(texts)}">{strings}</sst>'
        book.writestr(_entry("xl/sharedStrings.xml"), _XML + text)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _cell(place: str, value: Cell, texts: dict[str, int]) -> str:
    if isinstance(value, date):
        return f'<c r="{place}" s="1"><v>{value.toordinal() - _EPOCH}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="s"><v>{texts.setdefault(value, len(texts))}</v></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def _letters(i: int) -> str:
    return chr(65 + i) if i < 26 else _letters(i // 26 - 1) + chr(65 + i % 26)


def _parts(sheet: str) -> dict[str, str]:
    relation = f'<Relationship Id="rId{{n}}" Type="{_OFFICE}/{{kind}}" Target="{{target}}"/>'

    def relations(*found: tuple[str, str]) -> str:
        inner = "".join(
            relation.format(n=n, kind=kind, target=target)
            for n, (kind, target) in enumerate(found, 1)
        )
        return f'<Relationships xmlns="{_PACKAGE}/relationships">{inner}</Relationships>'

    override = '<Override PartName="/xl/{0}.xml" ContentType="' + _TYPE + '{1}+xml"/>'
    overrides = "".join(
        override.format(*part)
        for part in (
            ("workbook", "sheet.main"),
            ("worksheets/sheet1", "worksheet"),
            ("styles", "styles"),
            ("sharedStrings", "sharedStrings"),
        )
    )
    plain, day = '<xf numFmtId="0"/>', '<xf numFmtId="14" applyNumberFormat="1"/>'
    return {
        "[Content_Types].xml": (
            f'<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/'
            'vnd.openxmlformats-package.relationships+xml"/>'
            f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
        ),
        "_rels/.rels": relations(("officeDocument", "xl/workbook.xml")),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            f'<sheet name="{escape(sheet)}" sheetId="1" r:id="rId1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": relations(
            ("worksheet", "worksheets/sheet1.xml"),
            ("styles", "styles.xml"),
            ("sharedStrings", "sharedStrings.xml"),
        ),
        "xl/styles.xml": (
            f'<styleSheet xmlns="{_MAIN}"><fonts><font/></fonts><fills><fill>'
            '<patternFill patternType="none"/></fill></fills>'
            "<borders><border/></borders><cellStyleXfs><xf/></cellStyleXfs>"
            f'<cellXfs>{plain}{day}</cellXfs><cellStyles><cellStyle name="Normal" xfId="0" '
            'builtinId="0"/></cellStyles></styleSheet>'
        ),
    }
