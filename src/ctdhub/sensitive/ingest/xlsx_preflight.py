"""The XML of one xlsx sheet, measured before a workbook library builds its grid from it.

A library allocates every cell between the first and the last used one, and writes a shared text
out wherever it is used, so a few bytes can ask for gigabytes.  Formulas are never run: what is
read is the value that was stored with them.  Macros, embedded objects and links to other files lie
in parts that are never opened.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element  # a type only; defusedxml parses

import numpy as np
from defusedxml import ElementTree

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import HubError
from ctdhub.sensitive.ingest.computed import Computed, RowOfFormulas
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.zip_preflight import Archive

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]+)([0-9]+)["']""")
_CELL = re.compile(rb"<(?:[\w.-]+:)?c[\s/>]")
_FORMULA = re.compile(rb"<(?:[\w.-]+:)?f[\s/>]")
_SHARED = re.compile(rb"""\st\s*=\s*["']s["'][^>]*>\s*<(?:[\w.-]+:)?v>\s*([0-9]+)\s*<""")
_ERROR = re.compile(rb"""<(?:[\w.-]+:)?c\s(?=[^>]*\st\s*=\s*["']e["'])[^>]*>""")
_MERGED = re.compile(
    rb"""<(?:[\w.-]+:)?mergeCell\s[^>]*ref\s*=\s*["']([A-Za-z]+)[0-9]+:[A-Za-z]+([0-9]+)["']"""
)
_END = re.compile(rb"</(?:[\w.-]+:)?worksheet\s*>\s*$")
_HELD = 4 * 2**20


@dataclass(frozen=True)
class SheetInfo:
    """A sheet of a workbook: its name, the part that holds it, the parts with shared texts.

    ``stale`` says that its formulas are to be computed when it is opened: what is stored with them
    (0, by some libraries) is not their value.
    """

    name: str
    part: str
    texts: tuple[str, ...]
    stale: bool


def find(archive: Archive, wanted: str | None) -> SheetInfo:
    """The wanted sheet of an xlsx workbook, or the first visible one.

    Raises:
        UnreadableFile: there is no such sheet.
    """
    sheets, texts, stale = _listed(archive)
    shows = {name: visible for name, (_part, visible) in sheets.items()}
    name = choose(shows, wanted, archive.file)
    if sheets[name][0] not in archive.names:
        raise damaged(archive.file)
    return SheetInfo(name, sheets[name][0], texts, stale)


def visible(archive: Archive) -> list[str]:
    """Names of the visible sheets, in order."""
    return [name for name, (_part, shows) in _listed(archive)[0].items() if shows]


def _listed(archive: Archive) -> tuple[dict[str, tuple[str, bool]], tuple[str, ...], bool]:
    """Part and visibility of each sheet by name, parts with shared texts, ``SheetInfo.stale``."""
    start = ElementTree.fromstring(archive.read("_rels/.rels"))
    books = {_part(link, "") for link in start if _type(link) == "officeDocument"}
    if books != {"xl/workbook.xml"}:  # the library would follow another link than this module
        raise damaged(archive.file)
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    parts = {link.get("Id"): _part(link) for link in links if _type(link) == "worksheet"}
    texts = {_part(link) for link in links if _type(link) == "sharedStrings"}
    sheets: dict[str, tuple[str, bool]] = {}
    stale = False
    for element in book.iter():
        kind = element.tag.rpartition("}")[2]
        stale |= kind == "calcPr" and element.get("fullCalcOnLoad") in ("1", "true")
        if kind != "sheet":
            continue
        part = next((parts.get(v) for k, v in element.attrib.items() if k.endswith("}id")), None)
        if part is not None:
            shows = element.get("state", "visible") == "visible"
            sheets[element.get("name") or ""] = (part, shows)
    texts = {*texts, "xl/sharedStrings.xml"} & set(archive.names)
    return sheets, tuple(sorted(texts)), stale


def _type(link: Element) -> str:
    return (link.get("Type") or "").rpartition("/")[2]


def _part(link: Element, base: str = "xl/") -> str:
    """The part a link points to, by the same rule as the library's."""
    target = (link.get("Target") or "").removeprefix("/")
    return target if target.startswith("xl/") else base + target


def choose(sheets: dict[str, bool], wanted: str | None, file: str) -> str:
    """The wanted name, or the first visible one.  Sheets may be named after people, so an error
    says how many there are and not their names.

    Args:
        sheets: whether each sheet is visible, in order.
    """
    if wanted is None:
        visible = [name for name, shows in sheets.items() if shows]
        if visible:
            return visible[0]
        raise damaged(file)
    if wanted in sheets:
        return wanted
    raise error("no-sheet", file=file, n=len(sheets))


def measure(
    archive: Archive, sheet: SheetInfo, options: ReadOptions, *, content: bool = True
) -> Computed:
    """Read a sheet's XML once, without parsing it, and refuse what must not be parsed.

    Args:
        content: look for formulas, errors and merged cells too; a sheet of which only the first
            rows are looked at is measured alone.

    Returns:
        What is known of its formulas.

    Raises:
        HostileFile: the grid would be too large.
        UnreadableFile: cells do not say where they are or are merged, or the sheet ends early.
    """
    made = Computed()
    columns: set[bytes] = set()
    last_row = cells = placed = 0
    has_formula, text = False, b""
    for text in _whole_tags(archive, sheet.part):
        found = _REFERENCE.findall(text)
        placed += len(found)
        columns.update({column for column, _row in found})
        last_row = max([last_row, *map(int, {row[:9] for _column, row in found})])
        cells += _count(text)
        if not content:
            continue
        has_formula = has_formula or _may_hold_formula(text)
        for cell in _ERROR.findall(text) if b'"e"' in text or b"'e'" in text else ():
            _lose(made, archive, cell)
        for column, last in _MERGED.findall(text) if b"mergeCell " in text else ():
            refuse_merged(archive, column.decode().upper(), int(last[:9]), options)
    if placed < cells or not _END.search(text):
        raise damaged(archive.file)
    width = max((_position(column) + 1 for column in columns), default=0)
    if width * last_row > archive.limits.grid_cells:
        raise error("grid-size", file=archive.file)
    _measure_shared(archive, sheet, cells)
    return _with_formulas(made, archive, sheet) if has_formula else made


def _whole_tags(archive: Archive, part: str) -> Iterator[bytes]:
    """The part in pieces that never end inside a tag."""
    held = b""
    for piece in archive.inflate(part):
        text = held + piece
        cut = max(text.rfind(b"<"), 0)
        held = text[cut:]
        if len(held) > _HELD:
            raise error("cell-size/sheet", file=archive.file)
        yield text[:cut]
    yield held


def _count(text: bytes) -> int:
    if b":c" in text or b"<c\n" in text or b"<c\r" in text or b"<c\t" in text:
        return len(_CELL.findall(text))
    return text.count(b"<c ") + text.count(b"<c>") + text.count(b"<c/")


def _may_hold_formula(text: bytes) -> bool:
    return (b"<f" in text or b":f" in text) and bool(_FORMULA.search(text))


def _position(column: bytes) -> int:
    position = 0
    for character in column.upper()[:8]:
        position = position * 26 + character - 64
    return position - 1


def _measure_shared(archive: Archive, sheet: SheetInfo, cells: int) -> None:
    """Bytes of shared texts, each as often as the sheet uses it."""
    for part in sheet.texts:
        texts = re.split(rb"</(?:[\w.-]+:)?si>", archive.read(part))
        sizes = np.array([len(text) for text in texts], np.int64)
        if int(sizes.max()) * cells <= archive.limits.sheet_bytes:
            continue
        total = 0
        for text in _whole_tags(archive, sheet.part):
            indices = np.array([int(use[:9]) for use in _SHARED.findall(text)], np.int64)
            total += int(sizes[indices[indices < len(sizes)]].sum())
        if total > archive.limits.sheet_bytes:
            raise error("sheet-size", file=archive.file)


def _with_formulas(made: Computed, archive: Archive, sheet: SheetInfo) -> Computed:
    parser = ElementTree.DefusedXMLParser(target=_FormulaSearch(made, sheet.stale))
    for piece in archive.inflate(sheet.part):
        parser.feed(piece)
    parser.close()
    return made


class _FormulaSearch:
    """Parser target that takes down which cells hold formulas, and whether with a value."""

    def __init__(self, made: Computed, stale: bool) -> None:
        self._made, self._stale = made, stale
        self._row, self._own = 0, RowOfFormulas()
        self._place: tuple[int, str] | None = None
        self._formula: str | None = None
        self._inside, self._value, self._kind, self._repeats = "", "", "", ""
        self._adding: dict[str, bool] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.removeprefix(_MAIN).removeprefix(_STRICT)
        if name == "c":
            column = attributes.get("r", "").rstrip("0123456789")
            number = attributes.get("r", "").removeprefix(column)[:9]
            self._place = (int(number or 0), column.upper())
            self._formula, self._value, self._kind = None, "", attributes.get("t", "n")
            self._empty = True
            if self._place[0] != self._row:
                self._end_row()
                self._row = self._place[0]
        elif name == "f" and self._place is not None:
            self._formula, self._inside = "", "f"
            self._repeats = attributes.get("si", "") if attributes.get("t") == "shared" else ""
        elif name in ("v", "is") and self._place is not None:
            self._inside, self._empty = "v", False

    def data(self, text: str) -> None:
        if self._inside == "f":
            self._formula = (self._formula or "") + text
        elif self._inside == "v":
            self._value += text

    def end(self, tag: str) -> None:
        name = tag.removeprefix(_MAIN).removeprefix(_STRICT)
        if name in ("f", "v", "is"):
            self._inside = ""
        elif name == "c" and self._place is not None:
            self._end_cell(self._place)
            self._place = None

    def _end_cell(self, place: tuple[int, str]) -> None:
        repeats = self._adding.get(self._repeats, False) if self._formula is not None else False
        adds = self._own.cell(
            place[0], self._formula, filled=bool(self._value), adds_up=repeats and not self._formula
        )
        if self._formula is None:
            return
        if self._repeats and self._formula:
            self._adding[self._repeats] = adds
        if place in self._made.lost:
            return
        stored = self._value or (self._kind == "str" and not self._empty)
        if stored and not self._stale:
            self._made.saw(place)
        else:
            self._made.lost[place] = "formula"

    def _end_row(self) -> None:
        if self._own.is_sum():
            self._made.sums.add(self._row)
        self._own = RowOfFormulas()

    def close(self) -> None:
        self._end_row()


def _lose(made: Computed, archive: Archive, cell: bytes) -> None:
    """Take down a cell such as #N/A, which the library hands on as an empty one."""
    found = _REFERENCE.search(cell)
    if found is None:
        raise error("error-cell", file=archive.file, row=None, column=None)
    made.lost[int(found[2][:9]), found[1].decode().upper()] = "error-cell"


def refuse_merged(archive: Archive, column: str, last: int, options: ReadOptions) -> None:
    """Refuse merged cells below the header: only the first of them holds the value.

    Raises:
        UnreadableFile: the last row of the merged cells is a row of the table.
    """
    if last <= options.header_row or last in options.skip_rows:
        return
    raise error("merged-cells", file=archive.file, row=last, column=column)


def damaged(file: str) -> HubError:
    """The error for a workbook whose parts do not fit together."""
    return error("workbook", file=file)
