"""What a mapping says under ``read`` about the shape of a file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from ctdhub.core.frozen import FrozenModel
from ctdhub.sensitive.ingest.shape.paths import steps_of


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""One text or a list of texts."""

LONGEST = 500
"""Characters of a path."""

Dotted = Annotated[str, Field(min_length=1, max_length=LONGEST)]
"""Names of members from the record inwards, with dots between them."""


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

    rows: Dotted | None = None
    partial: bool = False
    pairs: dict[Dotted, NameValue] = Field(default_factory=dict)
    names: dict[str, str] = Field(default_factory=dict)
    paths: dict[str, Dotted] = Field(default_factory=dict)
    drop: Texts = ()
    lists: Annotated[str, Field(pattern=r"^[^\w\s\"'\[\]{}\\]{1,4}$")] | None = None
    children: dict[Annotated[str, Field(pattern=r"^[^\s.\[\]=]+$")], Child] = Field(
        default_factory=dict
    )
    long: LongTable | None = None

    @field_validator("rows")
    @classmethod
    def _leads_to_rows(cls, path: str | None) -> str | None:
        if path is not None:
            steps_of(path)
        return path

    @field_validator("paths")
    @classmethod
    def _lead_somewhere(cls, paths: dict[str, str]) -> dict[str, str]:
        for path in paths.values():
            steps_of(path)
        return paths

    @property
    def shaped(self) -> bool:
        """Whether objects and lists inside a record are read, and not rejected."""
        given: list[Any] = [self.rows, self.pairs, self.paths, self.drop, self.lists, self.children]
        return any(given)

    @property
    def mark(self) -> str:
        """The separator that lists are joined by."""
        return self.lists or ";"
