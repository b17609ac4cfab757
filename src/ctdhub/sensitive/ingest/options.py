"""What a steward may say about a file, and what no file may exceed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PositiveInt, field_validator

from ctdhub.core.frozen import FrozenModel
from ctdhub.sensitive.ingest.shape.options import ShapeOptions

ENCODINGS = frozenset(
    ["ascii", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "mac-roman"]
    + [f"cp{n}" for n in (437, 850, 852, 855, 857, 858, 864, 866, 874, *range(1250, 1259))]
    + [f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)]
    + ["koi8-r", "koi8-u", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr"]
)
"""Encodings that may be stated.  Codecs that decode anything else than text are left out."""


class ReadOptions(ShapeOptions):
    r"""How to read a file, where looking at it is not enough; its shape is :class:`ShapeOptions`.

    Attributes:
        sheet: name of the sheet of a workbook; by default the first visible one.
        sheets: ``all`` reads every visible sheet that has the same column names as one table, with
            the sheet's name in the column ``_sheet``.
        header_row: 1-based row that holds the column names; rows above it are ignored.
        skip_rows: 1-based rows that are no records, for example a second header row of labels.
            They are not counted as rows read.
        skip_if: column name to text; a row of ``skip_rows`` is left out only where it holds one of
            these texts, and is a row like any other where somebody has deleted the labels.
        delimiter: one ASCII character between the cells of a text file; by default the one of
            ``, ; tab |`` that splits the file most evenly.
        footer: ``salesforce`` or ``none``; by default the footer of a Salesforce report is looked
            for, and left out where it is found.
        totals: ``left_out`` leaves lines of totals out, ``records`` takes them for records; by
            default they are found and are rejects, so that somebody is asked.
        notes: ``left_out`` leaves notes among the rows (a source, a footnote) out, ``records``
            takes them for records; by default they are found and are rejects, so that somebody is
            asked.
        choices: column to all labels that its cells are made of, with blanks between and inside
            them, as exports by labels write several choices; cells become lists.
        form: ``ctdhub`` where the file is an export of the form that ``ctdhub form`` writes;
            headers and answers by label, in any language of the form, are then read as names.
        encoding: one of :data:`ENCODINGS`; by default found by byte order mark and content.
        kobo: whether to take group prefixes (``group/field``) off the column names of a Kobo or
            XLSForm export; by default done where the columns ``_uuid`` and ``_submission_time``
            show that it is one.

    >>> ReadOptions(delimiter=";", encoding="Windows-1252").encoding
    'cp1252'
    """

    sheet: str | None = None
    sheets: Literal["all"] | None = None
    header_row: PositiveInt = 1
    skip_rows: tuple[PositiveInt, ...] = ()
    skip_if: dict[str, str] = Field(default_factory=dict)
    delimiter: Annotated[str, Field(pattern=r"^[\t -~]$")] | None = None
    footer: Literal["salesforce", "none"] | None = None
    totals: Literal["left_out", "records"] | None = None
    notes: Literal["left_out", "records"] | None = None
    choices: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    form: Literal["ctdhub"] | None = None
    encoding: str | None = None
    kobo: bool | None = None

    @property
    def unseen(self) -> frozenset[int]:
        """Rows that a reader may leave out without a look at them."""
        return frozenset() if self.skip_if else frozenset(self.skip_rows)

    @field_validator("delimiter")
    @classmethod
    def _separates(cls, value: str | None) -> str | None:
        if value is not None and (value.isalnum() or value in "\"'"):
            raise ValueError("a letter, a digit or a quotation mark does not separate cells")
        return value

    @field_validator("encoding")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value is None:
            return None
        name = value.strip().lower().replace("_", "-").replace(" ", "-")
        name = _SPELLINGS.get(name, name)
        for prefix, canonical in (("windows-", "cp"), ("iso-8859-", "iso8859-")):
            if name.startswith(prefix):
                name = canonical + name.removeprefix(prefix)
        if name not in ENCODINGS:
            raise ValueError(f"no such encoding; known are: {', '.join(sorted(ENCODINGS))}")
        return name


_SPELLINGS = {
    "utf8": "utf-8",
    "utf16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "latin1": "latin-1",
    "iso-8859-1": "latin-1",
    "iso8859-1": "latin-1",
    "shift-jis": "shift_jis",
    "us-ascii": "ascii",
    "macroman": "mac-roman",
}


class Limits(FrozenModel):
    """What no contributed file may exceed; checked before parsing wherever that is possible.

    Attributes:
        file_bytes: size of the file as it lies on the disk.
        rows: rows below the header.
        columns: columns of the header.  Excel itself allows 16,384.
        cell_characters: characters of one cell; 32,767 is the limit of Excel.
        inflated_bytes: all parts of a workbook together, once decompressed.
        compression_ratio: how many times a part of more than 1 MiB may grow when decompressed
            (sheets grow 5 to 20 times; deflate cannot do more than 1,032).
        zip_entries: parts inside a workbook.
        grid_cells: rows times columns up to the last used cell of a sheet, empty cells counted:
            what a workbook reader must hold in memory.
        sheet_bytes: text of a sheet once every shared or repeated text is written out.
        nesting: depth of brackets in JSON.
        children: child rows of one record in one child table.
        list_characters: characters of a cell that child rows were folded into.
    """

    file_bytes: PositiveInt = 512 * 2**20
    rows: PositiveInt = 5_000_000
    columns: PositiveInt = 2_000
    cell_characters: PositiveInt = 32_767
    inflated_bytes: PositiveInt = 2 * 2**30
    compression_ratio: PositiveInt = 200
    zip_entries: PositiveInt = 10_000
    grid_cells: PositiveInt = 50_000_000
    sheet_bytes: PositiveInt = 2 * 2**30
    nesting: PositiveInt = 32
    children: PositiveInt = 1_000
    list_characters: PositiveInt = 1_000_000
