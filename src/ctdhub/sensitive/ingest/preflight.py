"""Workbooks measured before a library builds a grid from them: the container and the XML of a
sheet.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element  # a type only; defusedxml parses

import numpy as np
from defusedxml import ElementTree

from ctdhub.core.errors import error
from ctdhub.sensitive.ingest.options import Limits, ReadOptions
from ctdhub.sensitive.ingest.tidy import Computed, RowOfFormulas, column_letter

# --------------------------------------------------------------------------------------------------
# The zip container of a workbook, checked before anything else looks at it.

_CHUNK = 1 * 2**20
_SMALL = 1 * 2**20
_LOCAL = struct.Struct("<4s5H3I2H")
_DECLARED = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["']([^"']*)["']""")


class Archive:
    """Parts of a zip file whose directory has passed every check.

    Raises:
        HostileFile: too many or too large parts, unsafe names, parts that overlap.
        UnreadableFile: a part is encrypted or packed in a way workbooks do not use.
        zipfile.BadZipFile: the container is damaged.
    """

    def __init__(self, data: bytes, file: str, limits: Limits) -> None:
        self.data = data
        self.file = file
        self.limits = limits
        with zipfile.ZipFile(io.BytesIO(data)) as directory:
            self._infos = directory.infolist()
        if not data.startswith(b"PK\x03\x04"):
            raise error("zip/start", file=self.file)
        if len(self._infos) > limits.zip_entries:
            raise error("zip-entries", file=self.file)
        self._check_names()
        self._check_sizes()
        self._begins = {info.filename: self._begin(info) for info in self._infos}
        self._check_overlap()

    @property
    def names(self) -> list[str]:
        """Names of the parts."""
        return list(self._begins)

    def read(self, name: str) -> bytes:
        """One part in whole; empty where there is none.  Meant for the small ones."""
        return b"".join(self.inflate(name)) if name in self._begins else b""

    def inflate(self, name: str) -> Iterator[bytes]:
        """One part piece by piece, its true size and checksum compared with the directory.

        An XML part is refused if it has a document type, which is what entity bombs need, or if
        it is not UTF-8, which could hide one.
        """
        info = next(i for i in self._infos if i.filename == name)
        begin, crc, size = self._begins[name], 0, 0
        is_xml = name.lower().endswith((".xml", ".rels"))
        tail = b""
        for piece in self._raw(info, begin):
            size += len(piece)
            if size > info.file_size:
                raise error("zip-size", file=self.file)
            crc = zlib.crc32(piece, crc)
            if is_xml:
                self._check_xml(tail + piece, first=size == len(piece))
                tail = piece[-16:]
            yield piece
        if size != info.file_size or crc != info.CRC:
            raise zipfile.BadZipFile("size or checksum differs")

    def _raw(self, info: zipfile.ZipInfo, begin: int) -> Iterator[bytes]:
        packed = memoryview(self.data)[begin : begin + info.compress_size]
        if info.compress_type == zipfile.ZIP_STORED:
            for at in range(0, len(packed), _CHUNK):
                yield bytes(packed[at : at + _CHUNK])
            return
        engine = zlib.decompressobj(-15)
        feed: bytes | memoryview = packed
        while not engine.eof:
            piece = engine.decompress(feed, _CHUNK)
            feed = engine.unconsumed_tail
            if piece:
                yield piece
            elif not feed:
                raise zipfile.BadZipFile("a part ends early")

    def _check_names(self) -> None:
        seen: set[str] = set()
        for info in self._infos:
            name = info.orig_filename
            parts = re.split(r"[/\\]", name)
            if ".." in parts or name.startswith(("/", "\\")) or ":" in name or "\0" in name:
                raise error("zip-path", file=self.file)
            if info.filename.casefold() in seen:
                raise error("zip-path/same-name", file=self.file)
            seen.add(info.filename.casefold())
            if info.flag_bits & 0x2041:
                raise error("encrypted", file=self.file)
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise error("zip", file=self.file)

    def _check_sizes(self) -> None:
        if sum(info.file_size for info in self._infos) > self.limits.inflated_bytes:
            raise error(
                "zip-size/unpacked", file=self.file, limit=self.limits.inflated_bytes // 2**20
            )
        for info in self._infos:
            if (
                info.file_size > _SMALL
                and info.file_size > info.compress_size * self.limits.compression_ratio
            ):
                raise error("zip-ratio", file=self.file, limit=self.limits.compression_ratio)

    def _begin(self, info: zipfile.ZipInfo) -> int:
        """Where the packed bytes of a part begin, read from its own header."""
        head = self.data[info.header_offset : info.header_offset + _LOCAL.size]
        if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
            raise zipfile.BadZipFile("a part has no header")
        *_fields, name_size, extra_size = _LOCAL.unpack(head)
        begin = info.header_offset + _LOCAL.size
        name = self.data[begin : begin + name_size]
        if name != info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437"):
            raise error("zip-path/two-names", file=self.file)
        return begin + int(name_size) + int(extra_size)

    def _check_overlap(self) -> None:
        last = 0
        for info in sorted(self._infos, key=lambda i: i.header_offset):
            if info.header_offset < last:
                raise error("zip-overlap", file=self.file)
            last = self._begins[info.filename] + info.compress_size
        if last > len(self.data):
            raise zipfile.BadZipFile("a part ends behind the file")

    def _check_xml(self, text: bytes, *, first: bool) -> None:
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise error("dtd", file=self.file)
        if not first:
            return
        stated = _DECLARED.search(text[:512])
        if (
            text.startswith((b"\xff\xfe", b"\xfe\xff"))
            or b"\0" in text[:512]
            or (stated and stated[1].lower() not in (b"utf-8", b"us-ascii"))
        ):
            raise error("xml-encoding", file=self.file)


# --------------------------------------------------------------------------------------------------
# The XML of one xlsx sheet, measured before a workbook library builds its grid from it.
#
# A library allocates every cell between the first and the last used one, and writes a shared text
# out wherever it is used, so a few bytes can ask for gigabytes.  Formulas are never run: what is
# read is the value that was stored with them.  Macros, embedded objects and links to other files
# lie in parts that are never opened.

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
        raise error("workbook", file=archive.file)
    return SheetInfo(name, sheets[name][0], texts, stale)


def visible_xlsx(archive: Archive) -> list[str]:
    """Names of the visible sheets, in order."""
    return [name for name, (_part, shows) in _listed(archive)[0].items() if shows]


def _listed(archive: Archive) -> tuple[dict[str, tuple[str, bool]], tuple[str, ...], bool]:
    """Part and visibility of each sheet by name, parts with shared texts, ``SheetInfo.stale``."""
    start = ElementTree.fromstring(archive.read("_rels/.rels"))
    books = {_part(link, "") for link in start if _type(link) == "officeDocument"}
    if books != {"xl/workbook.xml"}:  # the library would follow another link than this module
        raise error("workbook", file=archive.file)
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
        raise error("workbook", file=file)
    if wanted in sheets:
        return wanted
    raise error("no-sheet", file=file, n=len(sheets))


def measure_xlsx(
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
        has_formula |= (b"<f" in text or b":f" in text) and bool(_FORMULA.search(text))
        for cell in _ERROR.findall(text) if b'"e"' in text or b"'e'" in text else ():
            _lose(made, archive, cell)
        for column, last in _MERGED.findall(text) if b"mergeCell " in text else ():
            refuse_merged(archive, column.decode().upper(), int(last[:9]), options)
    if placed < cells or not _END.search(text):
        raise error("workbook", file=archive.file)
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


# --------------------------------------------------------------------------------------------------
# The XML of an ods workbook, measured before a workbook library builds a grid from it.
#
# An ods cell, row or blank may say that it is repeated a billion times, so every repetition is
# counted.

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_SPANS = ("number-rows-spanned", "number-columns-spanned")
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_STORED = ("value", "date-value", "time-value", "boolean-value", "string-value")


def measure_ods(archive: Archive, options: ReadOptions) -> tuple[str, Computed]:
    """Parse an ods workbook's content once, refuse what must not be read, name the sheet.

    Returns:
        Its name, and what is known of its formulas.

    Raises:
        HostileFile: repeated cells would fill too large a grid.
        UnreadableFile: there is no such sheet, or its cells are merged.
    """
    survey = _surveyed(archive)
    name = choose(dict.fromkeys(survey.names, True), options.sheet, archive.file)
    for last, column in survey.merged.get(name, ()):
        refuse_merged(archive, column_letter(column), last, options)
    return name, survey.computed.get(name, Computed())


def visible_ods(archive: Archive) -> list[str]:
    """Names of the sheets, in order; all of them are within the limits.

    Raises:
        HostileFile: repeated cells would fill too large a grid.
    """
    return list(dict.fromkeys(_surveyed(archive).names))


def _surveyed(archive: Archive) -> _Survey:
    survey = _Survey(archive)
    parser = ElementTree.DefusedXMLParser(target=survey)
    for piece in archive.inflate("content.xml"):
        parser.feed(piece)
    parser.close()
    return survey


class _Survey:
    """Parser target that counts the grid of every sheet of an ods workbook."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._row = self._column = self._repeat = self._width = self._last = 0
        self._cell_repeat = 1
        self._text = self._row_text = self._total = 0
        self.names: list[str] = []
        self.computed: dict[str, Computed] = {}
        self._own = RowOfFormulas()
        self._formula: dict[str, str] | None = None
        self.merged: dict[str, set[tuple[int, int]]] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in (_TABLE + "table-cell", _TABLE + "covered-table-cell"):
            self._cell_repeat = _times(attributes.get(_TABLE + "number-columns-repeated"))
            self._text = sum(len(v) for k, v in attributes.items() if k.startswith(_OFFICE))
            rows, columns = (_times(attributes.get(_TABLE + spans)) for spans in _SPANS)
            if rows * columns > 1 and self.names:
                merged = self.merged.setdefault(self.names[-1], set())
                merged.add((self._row + rows, self._column))
            self._formula = attributes if _TABLE + "formula" in attributes else None
        elif tag == _TEXT + "s":
            self._blanks(_times(attributes.get(_TEXT + "c"), digits=18))
        elif tag == _TABLE + "table-row":
            self._repeat = _times(attributes.get(_TABLE + "number-rows-repeated"))
            self._column = self._last = self._row_text = 0
            self._own = RowOfFormulas()
        elif tag == _TABLE + "table":
            self.names.append(attributes.get(_TABLE + "name", ""))
            self._row = self._width = 0

    def data(self, text: str) -> None:
        self._text += len(text)

    def end(self, tag: str) -> None:
        if tag in (_TABLE + "table-cell", _TABLE + "covered-table-cell"):
            self._end_cell()
            self._column += self._cell_repeat
            if self._text:
                self._last = self._column
                self._row_text += self._text * self._cell_repeat
        elif tag == _TABLE + "table-row":
            if self._own.is_sum() and self.names:
                self.computed[self.names[-1]].sums.add(self._row + 1)
            self._row += self._repeat
            self._width = max(self._width, self._last)
            self._total += self._row_text * self._repeat
            if self._last and self._width * self._row > self._archive.limits.grid_cells:
                raise error("grid-size", file=self._archive.file)
            if self._total > self._archive.limits.sheet_bytes:
                raise error("sheet-size", file=self._archive.file)

    def _end_cell(self) -> None:
        given = self._formula
        text = given[_TABLE + "formula"] if given is not None else None
        self._own.cell(self._row + 1, text, filled=bool(self._text))
        if given is None or not self.names:
            return
        made = self.computed.setdefault(self.names[-1], Computed())
        place = (self._row + 1, column_letter(self._column))
        if given.get(_CALC + "value-type") == "error":
            made.lost[place] = "error-cell"
        elif (kind := given.get(_OFFICE + "value-type")) == "string" or (
            kind and any(_OFFICE + name in given for name in _STORED)
        ):
            made.saw(place)
        else:
            made.lost[place] = "formula"

    def _blanks(self, n: int) -> None:
        """Count blanks that one element stands for; more than a cell may hold are refused."""
        self._text += n
        limit = self._archive.limits.cell_characters
        if n > limit:
            row, column = self._row + 1, column_letter(self._column)
            raise error("cell-size", file=self._archive.file, row=row, column=column, limit=limit)

    def close(self) -> None:
        return None


def _times(value: str | None, digits: int = 9) -> int:
    return int(value[:digits]) if value and value.isascii() and value.isdigit() else 1
