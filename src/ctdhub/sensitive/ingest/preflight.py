"""Workbooks measured before a library builds a grid from them: the container and the XML of a
sheet.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar
from xml.etree.ElementTree import Element  # defusedxml parses

import numpy as np
from defusedxml import ElementTree

from ctdhub.core.errors import error
from ctdhub.sensitive.ingest.options import Limits
from ctdhub.sensitive.ingest.tidy import Computed, MergedCells, RowOfFormulas, column_letter

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

_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]+)([0-9]+)["']""")
_CELL = re.compile(rb"<(?:[\w.-]+:)?c[\s/>]")
_FORMULA = re.compile(rb"<(?:[\w.-]+:)?f[\s/>]")
_SHARED = re.compile(rb"""\st\s*=\s*["']s["'][^>]*>\s*<(?:[\w.-]+:)?v>\s*([0-9]+)\s*<""")
_ERROR = re.compile(rb"""<(?:[\w.-]+:)?c\s(?=[^>]*\st\s*=\s*["']e["'])[^>]*>""")
_MERGED = re.compile(
    rb"""<(?:[\w.-]+:)?mergeCell\s[^>]*ref\s*=\s*["']([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)["']""",
    re.IGNORECASE,
)
_END = re.compile(rb"</(?:[\w.-]+:)?worksheet\s*>\s*$")
_LONGEST_TAG = 4 * 2**20


@dataclass(frozen=True)
class XlsxSheet:
    """A sheet of an xlsx workbook.

    Attributes:
        part: the part that holds it.
        visible: whether a spreadsheet shows it.
        texts: the parts with shared texts.
        stale: its formulas are to be computed when it is opened: what is stored with them (0, by
            some libraries) is not their value.
    """

    part: str
    visible: bool
    texts: tuple[str, ...]
    stale: bool

    def measure(self, archive: Archive, *, whole: bool) -> Computed:
        """Read the sheet's XML once, without parsing it, and refuse what must not be parsed.

        Args:
            whole: else formulas and errors are not looked for: a sheet of which only the first rows
                are looked at is measured alone.

        Returns:
            What is known of its formulas and merged cells.

        Raises:
            HostileFile: the grid would be too large.
            UnreadableFile: cells do not say where they are, or the sheet ends early.
        """
        if self.part not in archive.names:
            raise error("workbook", file=archive.file)
        made = Computed()
        columns: set[bytes] = set()
        last_row = cells = placed = 0
        has_formula, text = False, b""
        for text in _whole_tags(archive, self.part):
            places = _REFERENCE.findall(text)
            placed += len(places)
            columns.update({column for column, _row in places})
            last_row = max([last_row, *map(int, {row[:9] for _column, row in places})])
            cells += len(_CELL.findall(text))
            for left, top, right, bottom in _MERGED.findall(text) if b"mergeCell" in text else ():
                rows = int(top[:9]), int(bottom[:9])
                made.merged.append(MergedCells(*rows, _position(left), _position(right)))
            if not whole:
                continue
            has_formula |= (b"<f" in text or b":f" in text) and bool(_FORMULA.search(text))
            for cell in _ERROR.findall(text) if b'"e"' in text or b"'e'" in text else ():
                _lose(made, archive, cell)
        if placed < cells or not _END.search(text):
            raise error("workbook", file=archive.file)
        width = max((_position(column) + 1 for column in columns), default=0)
        if width * last_row > archive.limits.grid_cells:
            raise error("grid-size", file=archive.file)
        _measure_shared(archive, self, cells)
        if has_formula:
            _parsed(archive, self.part, _FormulaSearch(made, self.stale))
        return made


def xlsx_sheets(archive: Archive) -> dict[str, XlsxSheet]:
    """The sheets of an xlsx workbook by their names, in order.

    Raises:
        UnreadableFile: parts lie where the library would not look for them.
    """
    start = ElementTree.fromstring(archive.read("_rels/.rels"))
    books = {_part(link, "") for link in start if _type(link) == "officeDocument"}
    if books != {"xl/workbook.xml"}:  # the library would follow another link than this module
        raise error("workbook", file=archive.file)
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    parts = {link.get("Id"): _part(link) for link in links if _type(link) == "worksheet"}
    texts = {_part(link) for link in links if _type(link) == "sharedStrings"}
    shared = tuple(sorted({*texts, "xl/sharedStrings.xml"} & set(archive.names)))
    stale = any(
        element.get("fullCalcOnLoad") in ("1", "true") for element in book.findall(".//{*}calcPr")
    )
    sheets: dict[str, XlsxSheet] = {}
    for element in book.findall(".//{*}sheet"):
        part = next((parts.get(v) for k, v in element.attrib.items() if k.endswith("}id")), None)
        if part is not None:
            shows = element.get("state", "visible") == "visible"
            sheets[element.get("name") or ""] = XlsxSheet(part, shows, shared, stale)
    return sheets


def _type(link: Element) -> str:
    return (link.get("Type") or "").rpartition("/")[2]


def _part(link: Element, base: str = "xl/") -> str:
    """The part a link points to, by the same rule as the library's."""
    target = (link.get("Target") or "").removeprefix("/")
    return target if target.startswith("xl/") else base + target


Target = TypeVar("Target")


def _parsed(archive: Archive, part: str, target: Target) -> Target:
    """The target of a parser, once it was told of all of a part."""
    parser = ElementTree.DefusedXMLParser(target=target)
    for piece in archive.inflate(part):
        parser.feed(piece)
    parser.close()
    return target


def _whole_tags(archive: Archive, part: str) -> Iterator[bytes]:
    """The part in pieces that never end inside a tag."""
    rest = b""
    for piece in archive.inflate(part):
        text = rest + piece
        cut = max(text.rfind(b"<"), 0)
        rest = text[cut:]
        if len(rest) > _LONGEST_TAG:
            raise error("cell-size/sheet", file=archive.file)
        yield text[:cut]
    yield rest


def _position(column: bytes) -> int:
    position = 0
    for character in column.upper()[:8]:
        position = position * 26 + character - 64
    return position - 1


def _measure_shared(archive: Archive, sheet: XlsxSheet, cells: int) -> None:
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


class _FormulaSearch:
    """Parser target that takes down which cells hold formulas, and whether with a value.

    It builds no tree: a hostile row has millions of cells.
    """

    def __init__(self, made: Computed, stale: bool) -> None:
        self._made, self._stale = made, stale
        self._row, self._own = 0, RowOfFormulas()
        self._place: tuple[int, str] | None = None
        self._formula: str | None = None
        self._inside, self._value, self._kind, self._repeats = "", "", "", ""
        self._adding: dict[str, bool] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        name = _local(tag)
        if name == "c":
            column = attributes.get("r", "").rstrip("0123456789")
            number = attributes.get("r", "").removeprefix(column)[:9]
            self._place = (int(number or 0), column.upper())
            self._formula, self._value, self._kind = None, "", attributes.get("t", "n")
            self._repeats, self._empty = "", True
            if self._place[0] != self._row:
                self._begin_row(self._place[0])
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
        name = _local(tag)
        if name in ("f", "v", "is"):
            self._inside = ""
        elif name == "c" and self._place is not None:
            self._end_cell(self._place)
            self._place = None

    def close(self) -> None:
        self._begin_row(0)

    def _begin_row(self, number: int) -> None:
        if self._own.is_sum():
            self._made.sums.add(self._row)
        self._row, self._own = number, RowOfFormulas()

    def _end_cell(self, place: tuple[int, str]) -> None:
        formula, value = self._formula, self._value
        adds_up = not formula and self._adding.get(self._repeats, False)
        adds = self._own.cell(place[0], formula, filled=bool(value), adds_up=adds_up)
        if self._repeats and formula:
            self._adding[self._repeats] = adds
        if formula is None or place in self._made.lost:
            return
        if not self._stale and (value or (self._kind == "str" and not self._empty)):
            self._made.saw(place)
        else:
            self._made.lost[place] = "formula"


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _lose(made: Computed, archive: Archive, cell: bytes) -> None:
    """Take down a cell such as #N/A, which the library hands on as an empty one."""
    match = _REFERENCE.search(cell)
    if match is None:
        raise error("error-cell", file=archive.file, row=None, column=None)
    made.lost[int(match[2][:9]), match[1].decode().upper()] = "error-cell"


# --------------------------------------------------------------------------------------------------
# The XML of an ods workbook, measured before a workbook library builds a grid from it.
#
# An ods cell, row or blank may say that it is repeated a billion times, so every repetition is
# counted.

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_CELLS = (_TABLE + "table-cell", _TABLE + "covered-table-cell")
_REPEATED = _TABLE + "number-columns-repeated"
_SPANS = ("number-rows-spanned", "number-columns-spanned")
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_STORED = ("value", "date-value", "time-value", "boolean-value", "string-value")


@dataclass(frozen=True)
class OdsSheet:
    """A sheet of an ods workbook: its formulas and merged cells."""

    computed: Computed = field(default_factory=Computed)
    visible: bool = True

    def measure(self, _archive: Archive, *, whole: bool) -> Computed:
        """What is known of its formulas and merged cells."""
        return self.computed


def ods_sheets(archive: Archive) -> dict[str, OdsSheet]:
    """The sheets of an ods workbook by their names, in order; all of them are within the limits.

    Raises:
        HostileFile: repeated cells would fill too large a grid.
    """
    return _parsed(archive, "content.xml", _Survey(archive)).sheets


class _Survey:
    """Parser target that counts the grid of every sheet of an ods workbook.

    It builds no tree: a hostile row has millions of cells.
    """

    def __init__(self, archive: Archive) -> None:
        self._file, self._limits = archive.file, archive.limits
        self._row = self._column = self._repeat = self._width = self._last = 0
        self._text = self._row_text = self._total = 0
        self._cell_repeat, self._own = 1, RowOfFormulas()
        self._cell: dict[str, str] = {}
        self._sheet = OdsSheet()
        self.sheets: dict[str, OdsSheet] = {}

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag in _CELLS:
            self._cell, self._cell_repeat = attributes, _times(attributes.get(_REPEATED))
            self._text = sum(len(v) for k, v in attributes.items() if k.startswith(_OFFICE))
            rows, columns = (_times(attributes.get(_TABLE + spans)) for spans in _SPANS)
            if rows * columns > 1:
                top, left = self._row + 1, self._column
                cells = MergedCells(top, self._row + rows, left, left + columns - 1)
                self._sheet.computed.merged.append(cells)
        elif tag == _TEXT + "s":
            self._blanks(_times(attributes.get(_TEXT + "c"), digits=18))
        elif tag == _TABLE + "table-row":
            self._repeat = _times(attributes.get(_TABLE + "number-rows-repeated"))
            self._column = self._last = self._row_text = 0
            self._own = RowOfFormulas()
        elif tag == _TABLE + "table":
            self._sheet = self.sheets.setdefault(attributes.get(_TABLE + "name", ""), OdsSheet())
            self._row = self._width = 0

    def data(self, text: str) -> None:
        self._text += len(text)

    def end(self, tag: str) -> None:
        if tag in _CELLS:
            self._end_cell()
        elif tag == _TABLE + "table-row":
            if self._own.is_sum():
                self._sheet.computed.sums.add(self._row + 1)
            self._row += self._repeat
            self._width = max(self._width, self._last)
            self._total += self._row_text * self._repeat
            if self._last and self._width * self._row > self._limits.grid_cells:
                raise error("grid-size", file=self._file)
            if self._total > self._limits.sheet_bytes:
                raise error("sheet-size", file=self._file)

    def close(self) -> None:
        return None

    def _end_cell(self) -> None:
        formula, place = self._cell.get(_TABLE + "formula"), (self._row + 1, self._column)
        self._own.cell(place[0], formula, filled=bool(self._text))
        if formula is not None:
            self._formula((place[0], column_letter(place[1])))
        self._column += self._cell_repeat
        if self._text:
            self._last = self._column
            self._row_text += self._text * self._cell_repeat

    def _formula(self, place: tuple[int, str]) -> None:
        made, kind = self._sheet.computed, self._cell.get(_OFFICE + "value-type")
        if self._cell.get(_CALC + "value-type") == "error":
            made.lost[place] = "error-cell"
        elif kind == "string" or (kind and any(_OFFICE + name in self._cell for name in _STORED)):
            made.saw(place)
        else:
            made.lost[place] = "formula"

    def _blanks(self, n: int) -> None:
        """Count blanks that one element stands for; more than a cell may hold are refused."""
        self._text += n
        limit = self._limits.cell_characters
        if n > limit:
            row, letter = self._row + 1, column_letter(self._column)
            raise error("cell-size", file=self._file, row=row, column=letter, limit=limit)


def _times(value: str | None, digits: int = 9) -> int:
    return int(value[:digits]) if value and value.isascii() and value.isdigit() else 1
