"""What a steward may say about a file and its shape, and what no file may exceed."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    PositiveInt,
    field_validator,
    model_validator,
)

from ctdhub.core.frozen import FrozenModel

# --------------------------------------------------------------------------------------------------
# Paths through a tree: names of members with dots between, and a choice among members of a list.
#
# ``a.b`` is member ``b`` of member ``a``; a list on the way stands for each of its members;
# ``a[k=text].v`` takes of the list ``a`` only those objects whose member ``k`` is the text.

SELF = "."
"""The path of the document itself."""

ANY = "*"
"""Stands for the document where it is a list, else for the list in the envelope of a system."""

_STEP = re.compile(r"([^.\[\]]+)(?:\[([^=\[\]]+)=([^\[\]]*)\])?(?:\.(?!$)|$)")


class PathStep(NamedTuple):
    """One member, and which of them where they are several."""

    name: str
    key: str | None
    text: str | None


def steps_of(path: str) -> tuple[PathStep, ...]:
    """The steps of a path.

    Raises:
        ValueError: it is no path.

    >>> steps_of("a[k=x y].v")
    (PathStep(name='a', key='k', text='x y'), PathStep(name='v', key=None, text=None))
    >>> steps_of(".")
    ()
    """
    if path == SELF:
        return ()
    steps, place = [], 0
    while place < len(path):
        if not (match := _STEP.match(path, place)):
            raise ValueError("a path is names with dots between, such as a.b or a[k=text].v")
        steps.append(PathStep(*match.groups()))
        place = match.end()
    return tuple(steps)


def follow(value: Any, steps: tuple[PathStep, ...]) -> Iterator[Any]:
    """What stands at the end of a path; members that are missing are passed over.

    >>> list(follow({"a": [{"k": "x", "v": "1"}, {"k": "y", "v": "2"}]}, steps_of("a[k=y].v")))
    ['2']
    """
    if isinstance(value, list) and steps:
        for member in value:
            yield from follow(member, steps)
    elif not steps:
        yield value
    elif isinstance(value, dict) and steps[0].name in value:
        branch = value[steps[0].name]
        if steps[0].key is not None:
            members = branch if isinstance(branch, list) else [branch]
            key, text = steps[0].key, steps[0].text
            branch = [m for m in members if isinstance(m, dict) and m.get(key) == text]
        yield from follow(branch, steps[1:])


# --------------------------------------------------------------------------------------------------
# What a mapping says under ``read`` about the shape of a file.


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""One text or a list of texts."""

LONGEST = 500
"""Characters of a path."""

Dotted = Annotated[str, Field(min_length=1, max_length=LONGEST)]
"""Names of members from the record inwards, with dots between them."""


def _with_steps(path: str) -> str:
    steps_of(path)
    return path


TreePath = Annotated[Dotted, AfterValidator(_with_steps)]
"""The same with choices among members of a list."""


class Quantified(FrozenModel):
    """A fold that asks whether any, or each, of the child rows has one of some texts.

    Attributes:
        any: the cell is the first of these texts that a child row has; where none has one it is
            what the child rows say instead, and null where one of them says nothing.
        all: the cell is what child rows say that have none of these texts; where there is no such
            row it is the text they have, and null where one of them says nothing.
    """

    any: Texts = ()
    all: Texts = ()

    @model_validator(mode="after")
    def _one(self) -> Quantified:
        if bool(self.any) == bool(self.all):
            raise ValueError("give exactly one of: any, all")
        return self


Fold = Literal["list", "first", "last", "none"] | Quantified
"""What a column of child rows becomes in their record: the list of its texts, its first or last
text, nothing, or the answer to a question."""


class Child(FrozenModel):
    """Where the child rows of records stand, and what becomes of them.

    A child row is tied to its record by standing inside it (``path``), or by a key.  Without
    ``path``, ``sheet`` and ``file`` it is a row of the table itself that fulfils ``where``.

    Attributes:
        path: in JSON, the list (or the one object) inside the record.
        sheet: in a workbook, the name of the sheet.
        file: in a zip archive, the name of the file.
        where: column of the child to texts; a row counts only where each column has one of them.
        key: column of the record that child rows refer to.
        of: child table, named before this one, to whose rows ``key`` belongs instead.
        parent: column of the child that holds this key.
        fold: column of the child to what becomes of it in the record; a list unless said.
        count: whether the record gets a column with the number of its child rows.
    """

    path: Dotted | None = None
    sheet: str | None = None
    file: str | None = None
    where: dict[str, Texts] = Field(default_factory=dict)
    key: str | None = None
    of: str | None = None
    parent: str | None = None
    fold: dict[str, Fold] = Field(default_factory=dict)
    count: bool = False

    @property
    def inside(self) -> bool:
        """Whether the child rows are rows of the table itself."""
        return self.path is None and self.sheet is None and self.file is None

    @model_validator(mode="after")
    def _tied(self) -> Child:
        if (self.path is not None) + (self.sheet is not None) + (self.file is not None) > 1:
            raise ValueError("give one of: path, sheet, file")
        if (self.key is None) != (self.parent is None):
            raise ValueError("key and parent go together")
        if self.path is None and self.key is None:
            raise ValueError("say by key and parent which record a child row belongs to")
        if self.path is not None and self.key is not None:
            raise ValueError("what stands inside a record needs no key and no parent")
        if self.inside and not self.where:
            raise ValueError("say by where which rows are child rows")
        return self


class NameValue(FrozenModel):
    """A list of objects of which each holds a name and its value.

    Attributes:
        name: member that holds the name; of several the first that is filled counts.
        value: member that holds the value.
    """

    name: Texts = Field(min_length=1)
    value: str


class LongTable(FrozenModel):
    """A table with one line for each value of a record.

    Attributes:
        id: column that is equal in all lines of a record.
        name: column that holds the name of the value.
        value: column that holds the value.
    """

    id: str
    name: str
    value: str

    @model_validator(mode="after")
    def _apart(self) -> LongTable:
        if len({self.id, self.name, self.value}) < 3:
            raise ValueError("id, name and value are three columns")
        return self


class ShapeOptions(FrozenModel):
    """The shape of a file; nothing is said about one that is a flat table already.

    Attributes:
        rows: in JSON, the path of the list of records; ``.`` is the document itself, ``*`` the
            document where it is a list, else the list in the envelope of a known system.
        partial: whether a document that is one page of several may be read.
        pairs: path of a list of names and values, whose values become members by these names.
        names: name in a list of names and values, or in a long table, to what it is called.
        paths: name of a column to the path of what it holds; ``a[b=text].c`` takes ``c`` of those
            members of the list ``a`` of which ``b`` is the text.
        drop: paths that are left out; a star at the end stands for any rest.
        lists: separator that lists are joined by.
        children: name of a child table to where it stands.
        long: columns of a long table.

    >>> ShapeOptions().shaped, ShapeOptions(rows="results").shaped
    (False, True)
    """

    rows: TreePath | None = None
    partial: bool = False
    pairs: dict[Dotted, NameValue] = Field(default_factory=dict)
    names: dict[str, str] = Field(default_factory=dict)
    paths: dict[str, TreePath] = Field(default_factory=dict)
    drop: Texts = ()
    lists: Annotated[str, Field(pattern=r"^[^\w\s\"'\[\]{}\\]{1,4}$")] | None = None
    children: dict[Annotated[str, Field(pattern=r"^[^\s.\[\]=]+$")], Child] = Field(
        default_factory=dict
    )
    long: LongTable | None = None

    @property
    def shaped(self) -> bool:
        """Whether objects and lists inside a record are read, and not rejected."""
        parts: list[Any] = [self.rows, self.pairs, self.paths, self.drop, self.lists, self.children]
        return any(parts)

    @property
    def mark(self) -> str:
        """The separator that lists are joined by."""
        return self.lists or ";"


# --------------------------------------------------------------------------------------------------
# What a steward may say about a file, and what no file may exceed.

ENCODINGS = {
    codecs.lookup(name).name: name
    for name in (
        *("ascii", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1"),
        *(f"cp{n}" for n in (437, 850, 852, 855, 857, 858, 864, 866, 874, *range(1250, 1259))),
        *(f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)),
        *("mac-roman", "koi8-r", "koi8-u", "gb18030", "big5", "shift_jis", "euc-jp", "euc-kr"),
    )
}
"""Encodings that may be stated, by what Python calls each.  Codecs that decode anything else than
text are left out."""


class ReadOptions(ShapeOptions):
    r"""How to read a file, where looking at it is not enough; its shape is :class:`ShapeOptions`.

    Attributes:
        sheet: name of the sheet of a workbook; by default the first visible one.
        sheets: ``all`` reads every visible sheet that has the same column names as one table, with
            the sheet's name in the column ``_sheet``.
        header_row: 1-based row that holds the column names; rows above it are ignored.
        header_rows: how many rows name the columns together, ``header_row`` the last of them; a
            name above, or above and to the left, stands before that below it: ``above/below``.
        skip_rows: 1-based rows that are no records, for example a second header row of labels.
            They are not counted as rows read.
        skip_if: column name to text; a row of ``skip_rows`` is left out only where it holds one of
            these texts, and is a row like any other where somebody has deleted the labels.
        delimiter: one ASCII character between the cells of a text file; by default the one of
            ``, ; tab |`` that splits the file most evenly.
        footer: ``salesforce`` or ``none``; by default the footer of a Salesforce report is looked
            for, and left out where it is found.
        notes: ``left_out`` leaves totals and notes among the rows (an average, a source, a
            footnote) out, ``records`` takes them for records; by default they are found and are
            rejects, so that somebody is asked.
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
    header_rows: Annotated[int, Field(ge=1, le=3)] = 1
    skip_rows: tuple[PositiveInt, ...] = ()
    skip_if: dict[str, str] = Field(default_factory=dict)
    delimiter: Annotated[str, Field(pattern=r"^[\t -~]$")] | None = None
    footer: Literal["salesforce", "none"] | None = None
    notes: Literal["left_out", "records"] | None = None
    choices: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    form: Literal["ctdhub"] | None = None
    encoding: str | None = None
    kobo: bool | None = None

    @property
    def named_in(self) -> int:
        """Rows that name the columns together."""
        return min(self.header_rows, self.header_row)

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
    def _encoding_name(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            name = codecs.lookup(value.strip().lower().replace("windows-", "cp")).name
        except LookupError:
            name = ""
        if name not in ENCODINGS:
            known = ", ".join(sorted(ENCODINGS.values()))
            raise ValueError(f"no such encoding; known are: {known}")
        return ENCODINGS[name]


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
