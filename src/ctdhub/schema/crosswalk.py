"""Crosswalks: how the columns and values of known formats meet the hub's variables and codes.

One file per format (``data/crosswalks/<name>.yaml``) holds for both directions.  Forms of columns:

    year        a year, or ``bands`` of years
    code        a text per code; several perpetrators of a case are joined by ";"
    country     ISO 3166-1 codes, of ``alpha`` 2 or 3 letters
    flag        1, 0 or empty
    mark        1 or empty
    any         a mark that stands for several flags (``of``); read only where ``to`` is given
    list        several flags in one cell
    joined      a list that repeats other columns: filled on writing, left aside on reading
    birth_date  becomes an age band (``at`` the date of another column); never written
    majority    follows from an age band that was read (``from_hub``)
    age         becomes minor or adult; never written
    concept     a concept of a standard that is no file format
    none        no counterpart (``note`` says why); may decide over rows or must be stripped
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml
from pydantic import Field, field_validator, model_validator

from ctdhub.core.error_catalogue import error
from ctdhub.core.frozen import FrozenModel
from ctdhub.schema.model import Schema, load_schema

Way = Literal["both", "read", "write", "none"]
Form = Literal[
    "year", "code", "country", "flag", "mark", "any", "list", "joined", "birth_date", "majority",
    "age", "concept", "none",
]  # fmt: skip


class _Lossy(FrozenModel):
    """Keys of the notes that say what is lost in each direction; ``lossy`` sets both."""

    lossy_read: str | None = None
    lossy_write: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _both(cls, value: Any) -> Any:
        if isinstance(value, dict) and "lossy" in value:
            value = dict(value)
            key = value.pop("lossy")
            return {"lossy_read": key, "lossy_write": key} | value
        return value

    @field_validator("lossy_read", "lossy_write")
    @classmethod
    def _known(cls, key: str | None) -> str | None:
        if key is not None:
            sentence(key)
        return key


class Value(_Lossy):
    """A text of a column and what it stands for.

    Attributes:
        text: the text that is written.
        also: other spellings that are read.
        to: a code of the column's variable; in lists the flag; null is "not recorded".
        way: the direction in which it holds.
    """

    text: str
    also: tuple[str, ...] = ()
    to: str | None
    way: Literal["both", "read", "write"] = "both"


class CrosswalkColumn(_Lossy):
    """A column of a format; the forms are listed in the module's docstring.

    Attributes:
        also: other names under which files have it (case never matters).
        label: its label in the second header row.
        unwritten: codes (in lists: flags) that the format cannot express, with the note's key.
        region_of: the country variable whose region is written where no region is recorded.
        separators: of the elements of a list; the first one is written.
        unknown: what happens to a text that stands for nothing: reject the row, or null.
        identifier: what must happen to the column before anything else.
        optional: a file may lack it; it is read but never written.
    """

    name: str = Field(min_length=1)
    also: tuple[str, ...] = ()
    label: str | None = None
    form: Form
    to: str | None = None
    of: tuple[str, ...] = ()
    values: tuple[Value, ...] = ()
    unwritten: dict[str, str] = Field(default_factory=dict)
    bands: dict[str, tuple[int, int]] = Field(default_factory=dict)
    alpha: Literal[2, 3] | None = None
    region_of: str | None = None
    at: str | None = None
    from_hub: str | None = None
    separators: tuple[str, ...] = ()
    unknown: Literal["reject", "null"] = "reject"
    identifier: Literal["strip", "band", "keep"] | None = None
    optional: bool = False
    note: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _group(cls, value: Any) -> Any:
        if isinstance(value, dict) and "group" in value:
            value = dict(value)
            value["of"] = load_schema().members(value.pop("group"))
        return value

    @model_validator(mode="after")
    def _check(self) -> CrosswalkColumn:
        schema = load_schema()
        lists = self.form in ("list", "joined")
        for name in (self.to, *self.of, *(v.to for v in self.values if lists)):
            if name is not None and not schema.has(name):
                raise ValueError(f"{self.name}: no variable {name}")
        if self.form == "code":
            codes = set(schema.domain(self.to or ""))
            written = {v.to for v in self.values if v.way != "read"} | set(self.unwritten)
            if wrong := {v.to for v in self.values} - codes - {None}:
                raise ValueError(f"{self.name}: no codes {sorted(map(str, wrong))}")
            if written != codes:
                raise ValueError(f"{self.name}: {sorted(map(str, codes ^ written))} is not settled")
        if (self.form == "none") != (self.note is not None):
            raise ValueError(f"{self.name}: a note says why there is no counterpart, and only that")
        for key in (self.note, *self.unwritten.values()):
            if key is not None:
                sentence(key)
        for text in (self.name, *(v.text for v in self.values), *self.bands):
            if text[0] in "=+-@\t\r":
                raise ValueError(f"{self.name}: a spreadsheet would run {text} as a formula")
        return self

    @property
    def is_child(self) -> bool:
        """Whether it tells about perpetrators, several of whom share a row."""
        return self.to in {v.name for v in load_schema().table("perpetrators")}


class Variant(FrozenModel):
    """A way in which files of a format are laid out."""

    skip_rows: tuple[int, ...] = ()
    skip_if: dict[str, str] = Field(default_factory=dict)


class Crosswalk(FrozenModel):
    """One format.

    Attributes:
        kind: a file format, or the concepts of a standard, which are aligned and never certified.
        delimiter: of the CSV files that are written.
        first_column: header of an extra, empty first column.
        labels_in_row_2: whether files have a second header row, of labels.
        missing: the text written for "not recorded".
        empty: texts read as "not recorded" in every column.
        variants: names of the mappings that read the format; without any the format's own name.
        strip: columns that other programs add and that must never leave the reader.
        exclude: rules that leave rows out, as in a mapping.

    >>> load_crosswalk("ctdc-2024").column("gender").to
    'gender'
    """

    name: str
    title: str
    kind: Literal["file", "concepts"]
    delimiter: str = ","
    first_column: str | None = None
    labels_in_row_2: bool = False
    missing: str = ""
    empty: tuple[str, ...] = ()
    variants: dict[str, Variant] = Field(default_factory=dict)
    strip: tuple[str, ...] = ()
    exclude: tuple[dict[str, Any], ...] = ()
    columns: tuple[CrosswalkColumn, ...]

    def column(self, name: str) -> CrosswalkColumn:
        """The first column of that name.

        Raises:
            KeyError: no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def written(self) -> tuple[str, ...]:
        """Names of the columns that are written, in order."""
        return tuple(dict.fromkeys(c.name for c in self.columns if not c.optional))


NAMES = (
    "ctdc-2017",
    "ctdc-2021",
    "ctdc-gsd-k10",
    "ctdc-2024",
    "ctdc-vp-2022",
    "htcds-2",
    "ic-tip",
)
"""The formats that have a crosswalk."""


def _read(name: str) -> Any:
    path = resources.files("ctdhub.schema") / "data" / "crosswalks" / f"{name}.yaml"
    return yaml.safe_load(path.read_text("utf-8"))


@cache
def _sentences() -> dict[str, str]:
    return dict(_read("notes"))


def sentence(key: str) -> str:
    """The English sentence of a note, to be shown through ``_()``.

    Raises:
        ValueError: no such note.
    """
    if key not in _sentences():
        raise ValueError(f"no note {key}")
    return _sentences()[key]


def notes() -> list[str]:
    """Every note in English, for the translation catalogues."""
    return list(_sentences().values())


@cache
def load_crosswalk(name: str) -> Crosswalk:
    """The crosswalk of a format.

    Raises:
        HubError: no format of that name.
    """
    if name not in NAMES:
        raise error("crosswalk-name", name=name, names=", ".join(NAMES))
    return Crosswalk.model_validate(_read(name))


def covered(crosswalk: Crosswalk, schema: Schema) -> Iterator[str]:
    """Hub variables that the format can hold at least in part, in the schema's order."""
    reached = {name for column in crosswalk.columns for name in targets(column)}
    for variable in (*schema.table("records"), *schema.table("perpetrators")):
        if variable.name in reached:
            yield variable.name


def targets(column: CrosswalkColumn) -> tuple[str, ...]:
    """Hub variables that a column is about."""
    items = tuple(v.to for v in column.values if v.to) if column.form in ("list", "joined") else ()
    names = (column.to, column.region_of, *column.of, *items)
    return tuple(dict.fromkeys(name for name in names if name))
