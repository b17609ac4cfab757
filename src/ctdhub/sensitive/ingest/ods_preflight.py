"""The XML of an ods workbook, measured before a workbook library builds a grid from it.

An ods cell, row or blank may say that it is repeated a billion times, so every repetition is
counted.
"""

from __future__ import annotations

from defusedxml import ElementTree

from ctdhub.core.error_catalogue import error
from ctdhub.sensitive.ingest.computed import Computed, RowOfFormulas
from ctdhub.sensitive.ingest.headers import letter
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.xlsx_preflight import choose, refuse_merged
from ctdhub.sensitive.ingest.zip_preflight import Archive

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_SPANS = ("number-rows-spanned", "number-columns-spanned")
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_STORED = ("value", "date-value", "time-value", "boolean-value", "string-value")


def measure(archive: Archive, options: ReadOptions) -> tuple[str, Computed]:
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
        refuse_merged(archive, letter(column), last, options)
    return name, survey.computed.get(name, Computed())


def visible(archive: Archive) -> list[str]:
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
        place = (self._row + 1, letter(self._column))
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
            row, column = self._row + 1, letter(self._column)
            raise error("cell-size", file=self._archive.file, row=row, column=column, limit=limit)

    def close(self) -> None:
        return None


def _times(value: str | None, digits: int = 9) -> int:
    return int(value[:digits]) if value and value.isascii() and value.isdigit() else 1
