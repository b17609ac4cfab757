"""Tidying: where column names are, what they are, and rows around the records that are none."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from ctdhub.core.errors import error
from ctdhub.core.i18n import Text, many
from ctdhub.core.tables import ROW, fold, trim
from ctdhub.sensitive.ingest.options import Limits, ReadOptions

# --------------------------------------------------------------------------------------------------
# Column names: trimmed, present, unique; group prefixes of Kobo exports taken off.
#
# Errors of the readers name columns by their letters: in a file without a header row the "names"
# are a person's data.

KOBO = frozenset(("_uuid", "_submission_time"))
"""Columns that every table of submissions from a KoboToolbox server has."""

_SPACE = " \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff\u2060"
_SPACE += "".join(chr(code) for code in range(0x2000, 0x2010))


def clean_headers(cells: Sequence[str | None], file: str, row: int, limits: Limits) -> list[str]:
    """Header cells without surrounding white space (no-break space included); "" where empty.

    Raises:
        HostileFile: more columns than allowed, or a name longer than a cell may be.
        UnreadableFile: no name at all, a name twice, or the reserved name ``_row``.

    >>> clean_headers(["\\xa0Age ", "Sex", ""], "a.csv", 1, Limits())
    ['Age', 'Sex', '']
    """
    if len(cells) > limits.columns:
        raise error("columns", file=file, row=row, n=len(cells), limit=limits.columns)
    names = [(cell or "").strip(_SPACE) for cell in cells]
    if not any(names):
        raise error("no-header/empty", file=file, row=row)
    for position, name in enumerate(names):
        if len(name) > limits.cell_characters:
            letter, limit = column_letter(position), limits.cell_characters
            raise error("cell-size/name", file=file, row=row, column=letter, limit=limit)
    count = Counter(names)
    twice = [column_letter(i) for i, name in enumerate(names) if name and count[name] > 1]
    if twice:
        raise error("duplicate-header", file=file, row=row, column=", ".join(twice[:8]))
    if ROW in names:
        raise error("reserved-header", file=file, row=row, column=ROW, name=ROW)
    return names


def joined_names(
    rows: Sequence[Sequence[str | None]], merged: Iterable[MergedCells] = (), first: int = 1
) -> list[str]:
    """The names of columns that stand in several rows, a group before what it holds.

    A cell without a text is named by the one to its left: it is merged, or the next choice of a
    question.  In a row with merged cells only these are.

    Args:
        rows: the rows.
        merged: merged cells of the sheet.
        first: the number of the first row.

    >>> joined_names([["Id", "Forms", "", ""], ["", "Labour", "Sexual", "Other"]])
    ['Id', 'Forms/Labour', 'Forms/Sexual', 'Forms/Other']
    >>> joined_names([["Forms", "", ""], ["Labour", "Sexual", "Age"]], [MergedCells(1, 1, 0, 1)])
    ['Forms/Labour', 'Forms/Sexual', 'Age']
    """
    width = max(map(len, rows), default=0)
    names = [""] * width
    for number, row in enumerate(rows, first):
        cells = [(cell or "").strip(_SPACE) for cell in row] + [""] * (width - len(row))
        wide = [one for one in merged if one.top == number and one.left < one.right]
        for place in range(1, width) if row is not rows[-1] else ():
            if not wide or any(one.left < place <= one.right for one in wide):
                cells[place] = cells[place] or cells[place - 1]
        names = ["/".join(filter(None, pair)) for pair in zip(names, cells, strict=True)]
    return names


def column_letter(position: int) -> str:
    """The letters a spreadsheet shows for a 0-based column.

    >>> [column_letter(k) for k in (0, 25, 26, 701, 702)]
    ['A', 'Z', 'AA', 'ZZ', 'AAA']
    """
    name = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        name = chr(65 + rest) + name
    return name


def without_groups(names: Sequence[str], wanted: bool | None) -> list[str]:
    """Names without the group prefixes that Kobo and other XLSForm servers put before them.

    ``group/field`` becomes ``field``.  A ``field/option`` column of a select_multiple question
    keeps the name of its field.  Names that would no longer be unique stay as they are.

    Args:
        names: the column names.
        wanted: yes, no, or None to find out.

    >>> without_groups(["_uuid", "_submission_time", "a/sex", "a/why", "a/why/war"], None)
    ['_uuid', '_submission_time', 'sex', 'why', 'why/war']
    >>> without_groups(["a/sex", "b/sex"], True)
    ['a/sex', 'b/sex']
    """
    if not (wanted or (wanted is None and set(names) >= KOBO)):
        return list(names)
    fields = set(names)

    def short(name: str) -> str:
        parent, _slash, last = name.rpartition("/")
        if parent in fields:
            return f"{short(parent)}/{last}"
        return last or name

    shorter = [short(name) for name in names]
    count = Counter(shorter)
    mixed = [s if count[s] == 1 else name for s, name in zip(shorter, names, strict=True)]
    return mixed if len(set(mixed)) == len(mixed) else list(names)


# --------------------------------------------------------------------------------------------------
# Where the column names of a sheet are: a title may stand above them, labels or tags below.
#
# Only a draft looks for them (``suggest``); what it finds is written into the mapping as
# ``header_row``, ``skip_rows`` and ``skip_if``, so that a person reads it and nothing moves unseen.

LAST = 10
"""The last row in which column names are looked for."""

LOOKED_AT = 60
"""Rows of a sheet that are looked at."""

LEAST = 3
"""Distinct texts of a row of names, in a table of as many columns or more."""

ENOUGH = 0.9
"""Share of the columns with values below that a row of names must name."""

ALIKE_ROWS = 10
"""Rows below names under a row of groups, from which on records are known by what they share."""

_NUMBER = re.compile(r"[-+]?[\d٠-٩۰-۹][\d٠-٩۰-۹\s.,:/%-]*(?:T[\d:.+Z-]+)?")
_TRUTH = frozenset(("true", "false"))
_NOTE = re.compile(r"\d|:|.{60}", re.DOTALL)

Rows = Sequence[Sequence[str | None]]


@dataclass(frozen=True)
class SheetView:
    """What is seen of a sheet: its name, its first rows as texts, its number of rows.

    A text file is one sheet without a name.
    """

    name: str
    rows: tuple[tuple[str, ...], ...]
    length: int
    merged: tuple[MergedCells, ...] = ()

    def header(self, options: ReadOptions) -> list[str]:
        """The names of its columns, as the options say where they stand."""
        rows = self.rows[: options.header_row][-options.named_in :]
        complete = len(self.rows) >= options.header_row
        first = options.header_row - options.named_in + 1
        return joined_names(rows, self.merged, first) if complete else []


def find(rows: Rows, options: ReadOptions, merged: Sequence[MergedCells] = ()) -> ReadOptions:
    """What is to be stated about a sheet so that its names are read as names.

    Args:
        rows: the first rows of the sheet as texts, at most :data:`LOOKED_AT`.
        options: what is known already; a ``header_row`` that is stated is left as it is.
        merged: merged cells of the sheet.

    Returns:
        The options with ``header_row``, ``skip_rows`` and ``skip_if`` where they are needed.

    >>> title = [["Cases 2024", None, None], [None], ["sex", "age", "year"], ["F", "20", "2024"]]
    >>> find(title, ReadOptions()).header_row
    3
    """
    if options.model_fields_set & {"header_row", "skip_rows"}:
        return options
    if survey := _questions(rows):
        return options.model_copy(update=survey)
    place = _names(rows, merged)
    if place is None:
        place = _named_in_two(rows)
        if place is None:
            return options
        return options.model_copy(update={"header_row": place + 2, "header_rows": 2})
    settings: dict[str, Any] = {} if place == 0 else {"header_row": place + 1}
    if _are_groups(rows, place - 1, merged):
        settings["header_rows"] = 2
    label = _label_below(rows[place:])
    if label is not None:
        settings |= {"skip_rows": (place + 2,), "skip_if": label}
    return options.model_copy(update=settings)


def has_names(rows: Rows, merged: Sequence[MergedCells] = ()) -> bool:
    """Whether :func:`find` knows the row of names, and does not take the first for want of another.

    >>> has_names([["Cases 2024", None, None], ["F", "20", "2024"], ["F", "21", "2024"]])
    False
    """
    places = (_questions(rows), _names(rows, merged), _named_in_two(rows))
    return any(one is not None for one in places)


_ANSWERS = ("response", "open-ended response", "date / time")
"""What SurveyMonkey writes below a question that has one column."""

_IMPORT = re.compile(r'\s*\{\s*"ImportId"')
"""How a cell of the third row of an export of Qualtrics begins."""


def _questions(rows: Rows) -> dict[str, Any] | None:
    """The row of the questions where Qualtrics wrote short names above and ids below it."""
    for place, row in enumerate(rows[:LAST]):
        ids = _filled(row)
        if len(ids) >= LEAST and all(_IMPORT.match(cell) for _column, cell in ids):
            texts = [trim(cell) for _column, cell in _filled(rows[place - 1])] if place else []
            named = place if len(set(texts)) == len(texts) == len(ids) else place - 1
            below = range(named + 1, place + 2)
            if named < 1 or (names := dict(_filled(rows[named - 1]))) == {}:
                return None
            skipped = dict(_filled(rows[named]))
            pairs = {trim(names[c]): trim(skipped[c]) for c in names.keys() & skipped.keys()}
            differ = {name: text for name, text in sorted(pairs.items()) if name != text}
            if not differ:
                return None
            label = dict([next(iter(differ.items()))])
            return {"header_row": named, "skip_rows": tuple(below), "skip_if": label}
    return None


def _named_in_two(rows: Rows) -> int | None:
    """The first of two rows that name the columns together, as SurveyMonkey has them.

    A column that the first row alone names is filled in the rows below the second; below a question
    with a column of its own stands what SurveyMonkey writes there, and no record does.
    """
    for place, (row, next_row) in enumerate(pairwise(rows[:LAST])):
        first, second = dict(_filled(row)), dict(_filled(next_row))
        below = [dict(_filled(later)) for later in rows[place + 2 :]]
        names = joined_names([row, next_row])
        used = {column for later in below for column in later}
        alone = [c for c in first if c not in second and all(c in later for later in below)]
        once = {c for c, cell in first.items() if [*first.values()].count(cell) == 1}
        own = {c for c in once & second.keys() if c + 1 in first or c + 1 not in second}
        if (
            len(first) >= LEAST
            and len(below) >= LEAST
            and len(alone) > 1
            and len(second) > 1
            and all(fold(second[c]) in _ANSWERS for c in own)
            and all(column < len(names) and names[column] for column in used)
            and len(set(names)) == len(names)
            and not any(map(is_typed, (*first.values(), *second.values())))
        ):
            return place
    return None


def _are_groups(rows: Rows, place: int, merged: Sequence[MergedCells] = ()) -> bool:
    """Whether a row says of which group each of the names below it is, some of several names.

    A title stands above the first column, with a note or a day beside it, which is not merged.

    >>> names = ["No", "Sex", "Sexual", "Labour", "Shelter"]
    >>> _are_groups([["Person", "", "Forms", "", "Help"], names], 0)
    True
    >>> [_are_groups([[*row, "", ""], names], 0) for row in (["Cases"], ["Cases", "", "Open"])]
    [False, False]
    """
    groups, names = dict(_filled(rows[place])), dict(_filled(rows[place + 1]))
    wide = {column for column in groups if column + 1 in names and column + 1 not in groups}
    whole = {one.left for one in merged if one.top == place + 1 and one.left < one.right}
    few = min(names, default=0) not in groups or groups.keys() <= whole
    return (
        place >= 0
        and bool(wide)
        and len(groups) >= LEAST - few
        and groups.keys()
        <= names.keys() | {c for row in rows[place + 2 :] for c, _ in _filled(row)}
        and not any(map(_NOTE.search, groups.values()))
    )


def _names(rows: Rows, merged: Sequence[MergedCells]) -> int | None:
    """The first row of distinct texts that names the columns which hold values below it.

    Below a row that names half of the columns a record could be taken for names, so there a row
    must stand below merged groups, have a text where all rows below it have numbers or dates, or be
    unlike all of them.
    """
    dense = False
    for place, row in enumerate(rows[:LAST]):
        names = {column: fold(cell) for column, cell in _filled(row)}
        above = rows[place - 1 : place] if _are_groups(rows, place - 1, merged) else []
        sure = bool(above) and any(one.top == place and one.left < one.right for one in merged)
        whole = joined_names([*above, row])
        own = {fold(whole[column]) for column in names}
        below = [dict(_filled(later)) for later in rows[place + 1 :]]
        used = set().union(*below) if below else set()
        texts = [name for name in names.values() if not is_typed(name)]
        named = len({c for c in used if c < len(whole) and whole[c]}) / len(used) if used else 1.0
        if (
            len(texts) >= min(LEAST, max(len(used), 1))
            and len(texts) >= ENOUGH * len(names)
            and len(own) == len(names)
            and named >= ENOUGH
            and (sure or not dense or _above_typed(names, below) or _unlike(names, below))
        ):
            return place
        dense = dense or named >= 0.5
    return None


def _above_typed(texts: Mapping[int, str], below: Sequence[Mapping[int, str]]) -> bool:
    """Whether a text stands above a column of numbers or dates."""
    for column, text in texts.items():
        cells = [row[column] for row in below if column in row]
        if len(cells) >= LEAST and all(map(is_typed, cells)) and not is_typed(text):
            return True
    return False


def _unlike(texts: Mapping[int, str], below: Sequence[Mapping[int, str]]) -> bool:
    """Whether no text of a row stands again below it, in a table of texts that do.

    A record shares its sex or its country with others; names below a row of groups do not.
    """
    if len(below) < ALIKE_ROWS:
        return False
    repeated = 0
    for column, text in texts.items():
        cells = [fold(row[column]) for row in below if column in row]
        if text in cells:
            return False
        repeated += len(cells) >= LEAST and 2 * len(set(cells)) <= len(cells)
    return repeated >= max(LEAST, len(texts) / 2)


def _label_below(rows: Rows) -> dict[str, str] | None:
    """A name and its label where the row below the names holds labels, no record.

    A row of labels has a text in nearly every column, no text twice, no text that stands again
    below it in its column, and a text where all other rows have numbers or dates.
    """
    if len(rows) < 2 + LEAST:
        return None
    names = {column: trim(cell) for column, cell in _filled(rows[0])}
    labels = dict(_filled(rows[1]))
    texts = [fold(cell) for cell in labels.values()]
    if len(labels) < ENOUGH * len(names) or len(set(texts)) < len(texts):
        return None
    below = [dict(_filled(row)) for row in rows[2:]]
    for column, label in labels.items():
        if is_typed(label) or fold(label) in {fold(row[column]) for row in below if column in row}:
            return None
    if not _above_typed(labels, below):
        return None
    differ = (c for c in labels if c in names and fold(labels[c]) != fold(names[c]))
    return {names[c]: trim(labels[c]) for c in islice(differ, 1)} or None


def is_typed(text: str) -> bool:
    """Whether a text is a number, a date or a truth value: no name of a column.

    >>> [is_typed(t) for t in ("2024-05-01", "1,5", "TRUE", "٢٠٢٤", "age 2", "q1")]
    [True, True, True, True, False, False]
    """
    plain = trim(text)
    return _NUMBER.fullmatch(plain) is not None or plain.lower() in _TRUTH


def _filled(row: Sequence[str | None]) -> list[tuple[int, str]]:
    return [(column, cell) for column, cell in enumerate(row) if cell and trim(cell)]


# --------------------------------------------------------------------------------------------------
# Rows below the header that are no records: labels and tags.

_TAG = re.compile(r"#[A-Za-z]\w*(\s*\+\s*[A-Za-z]\w*)*")


def is_label_row(
    names: Sequence[str],
    columns: Sequence[pa.ChunkedArray],
    rows: NDArray[np.int64],
    options: ReadOptions,
) -> NDArray[np.bool_]:
    """Which rows are those of ``skip_rows`` and hold a text that ``skip_if`` names.

    >>> a = pa.chunked_array([["Gender", "F"]])
    >>> options = ReadOptions(skip_rows=(2,), skip_if={"sex": "Gender"})
    >>> is_label_row(["sex"], [a], np.array([2, 3]), options).tolist()
    [True, False]
    """
    mask = np.zeros(len(rows), bool)
    for place in np.flatnonzero(np.isin(rows, list(options.skip_rows))):
        for name, column in zip(names, columns, strict=True):
            text = column[int(place)].as_py()
            if name in options.skip_if and text is not None:
                mask[place] |= _plain(text) == _plain(options.skip_if[name])
    return mask


def is_tag_row(columns: Sequence[pa.ChunkedArray]) -> bool:
    """Whether the first row holds HXL tags (``#adm1+name``), two or more and nothing else.

    Source: the HXL standard 1.1, which tools such as KoboToolbox write below the names.

    >>> is_tag_row([pa.chunked_array([["#adm1 +name"]]), pa.chunked_array([["#date"]])])
    True
    """
    first = [column[0].as_py() for column in columns if len(column)]
    cells = [cell for cell in first if cell and cell.strip()]
    return len(cells) > 1 and all(_TAG.fullmatch(cell.strip()) for cell in cells)


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


# --------------------------------------------------------------------------------------------------
# The footer of a Salesforce report: lines below the records that name the report and its user.
#
# A detail report ends with blank lines, its title, a line of copyright, a line on confidentiality,
# who made it and the organisation.  They are no records, and the user's name is shown nowhere.

LONGEST_FOOTER = 20
"""Rows from the end in which a footer is looked for."""

_TAIL = 16 * 2**10
_COPYRIGHT = re.compile(r"copyright\s+\(c\)\s+\d{4}-\d{4}\s+salesforce\.com", re.IGNORECASE)


def footer_start(rows: Sequence[Sequence[str]]) -> int | None:
    """Where the footer begins in the last rows of a table, None where there is none.

    The line of copyright is looked for from the end.  Below it, and above it up to a blank row,
    every row must have one filled cell at most, or these are no lines of a footer.

    Args:
        rows: the last rows, at most :data:`LONGEST_FOOTER`; cells as text, "" where empty.

    >>> footer_start([["a", "b"], ["", ""], ["Report"], ["Copyright (c) 2000-2025 salesforce.com"]])
    1
    """
    filled = [[cell for cell in row if cell.strip()] for row in rows]
    marks = [i for i, cells in enumerate(filled) if len(cells) == 1 and _marks(cells[0])]
    if not marks or any(len(cells) > 1 for cells in filled[marks[-1] :]):
        return None
    first = marks[-1]
    while first and len(filled[first - 1]) == 1:
        first -= 1
    if first and filled[first - 1]:
        first = marks[-1]  # no blank row above: only what cannot be a record
    while first and not filled[first - 1]:
        first -= 1
    return first


def cut_footer(text: bytes, delimiter: str) -> tuple[bytes, int]:
    """A delimited text without its footer, and how many lines that was.

    Args:
        text: UTF-8.
    """
    begin = max(len(text) - _TAIL, 0)
    lines = text[begin:].splitlines(keepends=True)[-LONGEST_FOOTER:]
    rows = [_cells(line, delimiter) for line in lines]
    first = footer_start(rows)
    if first is None:
        return text, 0
    return text[: len(text) - sum(map(len, lines[first:]))], len(lines) - first


def _cells(line: bytes, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line.decode("utf-8", "replace")], delimiter=delimiter), [])
    except csv.Error:
        return ["?", "?"]  # no line of a footer


def _marks(cell: str) -> bool:
    return _COPYRIGHT.match(cell.strip()) is not None


def footer_note(rows: int) -> Text:
    """What is said of the rows that were left out."""
    return many("{n} row at the end is the footer of a Salesforce report; it is not a record.",
                "{n} rows at the end are the footer of a Salesforce report; they are not records.",
                rows, n=rows)  # fmt: skip


# --------------------------------------------------------------------------------------------------
# What tells the sheet of a form from a table of records.

_TYPES = frozenset(
    ("text", "integer", "decimal", "date", "datetime", "time", "note", "calculate", "start", "end")
) | {"select_one", "select_multiple", "begin_group", "begin_repeat", "geopoint", "today"}
"""Types of questions that most forms have (xlsform.org)."""


def is_form(names: Iterable[str], types: Iterable[str | None]) -> bool:
    """Whether a table is the survey sheet of an XLSForm, and no data.

    Args:
        names: its column names.
        types: cells of its column ``type``.

    >>> is_form(["type", "name", "label"], ["text", "select_one sex", None])
    True
    """
    columns = {fold(name).partition(":")[0] for name in names}
    said = [fold(text).replace(" ", "_") for text in types if text]
    known = sum(any(text == t or text.startswith(f"{t}_") for t in _TYPES) for text in said)
    return {"type", "name", "label"} <= columns and known > 0.5 * len(said)


# --------------------------------------------------------------------------------------------------
# Cells of a workbook that a formula computed: read by the value that was stored with them.
#
# A formula without a stored value, and one that failed, has no value that anybody could count; a
# formula that adds up rows above or below marks a line of totals.  Formulas are never run.

_ADDS_UP = re.compile(
    r"\b(?:SUM|SUBTOTAL|AGGREGATE|COUNT|COUNTA|COUNTIFS?|SUMIFS?|SUMPRODUCT|AVERAGE|MIN|MAX)\s*\("
)
_RANGE = re.compile(r"(?<![!\w$])\[?\.?\$?[A-Z]{1,3}\$?(\d{1,9}):\.?\$?[A-Z]{1,3}\$?(\d{1,9})\]?")
_COLUMN_OF_A_TABLE = re.compile(r"\[(?!#This)[^\]\[@.#]+\]", re.IGNORECASE)

Place = tuple[int, str]
"""Row and letters of a cell, as a spreadsheet shows them."""


class MergedCells(NamedTuple):
    """Cells that are one: their first and last row from 1, their first and last column from 0."""

    top: int
    bottom: int
    left: int
    right: int


def filling_down(
    merged: Iterable[MergedCells], width: int, file: str, options: ReadOptions
) -> list[MergedCells]:
    """Merged cells of one column of the table, whose value holds in each of their rows.

    Args:
        merged: those of the sheet.
        width: columns of the table.

    Raises:
        UnreadableFile: some are of several columns, or reach into the table from a row that is
            not read; or most columns of their rows are merged, so that these rows are parts of
            one record (rule "merged-cells").
    """
    cells, ends, skipped = list[MergedCells](), list[int](), frozenset(options.skip_rows)
    for one in sorted(merged):
        if one.bottom <= options.header_row or skipped.issuperset(range(one.top, one.bottom + 1)):
            continue
        above = one.top <= options.header_row or one.top in options.unseen
        ends = [*(end for end in ends if end >= one.top), one.bottom]
        if one.left < one.right or above or len(ends) * 2 > width:
            raise error("merged-cells", file=file, row=one.bottom, column=column_letter(one.left))
        cells.append(one)
    return cells


@dataclass
class Computed:
    """What is known of the formulas of a sheet, and of its merged cells.

    Attributes:
        lost: cells without a usable value, with the rule that refuses each.
        sums: rows of which the formulas add up other rows.
        first: the first cell with a formula that has a value.
        cells: how many of these there are.
        merged: its merged cells.
    """

    lost: dict[Place, str] = field(default_factory=dict)
    sums: set[int] = field(default_factory=set)
    first: Place | None = None
    cells: int = 0
    merged: list[MergedCells] = field(default_factory=list)

    def saw(self, place: Place) -> None:
        """Count a formula with its value."""
        self.first = self.first or place
        self.cells += 1

    def without(self, rows: Collection[int]) -> Computed:
        """Without the cells of rows that are no records: they do not matter."""
        lost = {place: rule for place, rule in self.lost.items() if place[0] not in rows}
        return replace(self, lost=lost)

    def refuse(self, file: str) -> None:
        """Refuse a cell that has no value.

        Raises:
            HostileFile: a formula has no value (rule "formula").
            UnreadableFile: a formula failed (rule "error-cell").
        """
        for (row, column), rule in sorted(self.lost.items()):
            raise error(
                "formula" if rule == "formula" else "error-cell", file=file, row=row, column=column
            )

    def note(self) -> Text | None:
        """What is said of the formulas that were read by their values."""
        if self.first is None:
            return None
        return many(
            "{n} cell holds a formula: {cell}. The value that was stored with it was read.",
            "{n} cells hold formulas, the first is {cell}. The values that were stored with them "
            "were read.",
            self.cells,
            n=self.cells,
            cell=f"{self.first[1]}{self.first[0]}",
        )


class RowOfFormulas:
    """Cells of one row as they are met; says at its end whether it is a line of totals."""

    def __init__(self) -> None:
        self.filled = self.adding = 0

    def cell(self, row: int, formula: str | None, *, filled: bool, adds_up: bool = False) -> bool:
        """Take a cell; returns whether its formula adds up other rows.

        Args:
            formula: its text, None for a cell without one.
            filled: whether it holds anything.
            adds_up: what is known of a formula that repeats another one.
        """
        adds = formula is not None and (adds_up or adds_up_rows(formula, row))
        self.filled += filled or formula is not None
        self.adding += adds
        return adds

    def is_sum(self) -> bool:
        """Whether most of what it holds adds up other rows, but for a label."""
        return self.adding > 0 and self.filled - self.adding <= max(1, self.filled // 2)


def adds_up_rows(formula: str, row: int) -> bool:
    """Whether a formula adds up, or counts, several rows that are all above it or all below.

    >>> adds_up_rows("SUM(C2:C9)", 10), adds_up_rows("SUM(B9:F9)", 9)
    (True, False)
    >>> adds_up_rows("of:=COUNTA([.B2:.B9])", 10), adds_up_rows("COUNTIF(A$2:A$99,A5)", 5)
    (True, False)
    >>> adds_up_rows("SUBTOTAL(103,Table1[Sex])", 40), adds_up_rows("VLOOKUP(A2,F1:G9,2)", 20)
    (True, False)
    """
    if not _ADDS_UP.search(formula):
        return False
    if _COLUMN_OF_A_TABLE.search(formula):
        return True
    ranges = [tuple(sorted(map(int, ends))) for ends in _RANGE.findall(formula)]
    return bool(ranges) and all(
        last > first and (last < row or first > row) for first, last in ranges
    )


def together(parts: Mapping[int, Computed]) -> Computed:
    """The formulas of several sheets, by how far the rows of each are moved."""
    total = Computed()
    for step, part in parts.items():
        total.lost |= {(row + step, column): rule for (row, column), rule in part.lost.items()}
        total.sums |= {row + step for row in part.sums}
        if part.first and not total.first:
            total.first = (part.first[0] + step, part.first[1])
        total.cells += part.cells
    return total
