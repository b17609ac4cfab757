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

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, cast

from pydantic import Field, model_validator

from ctdhub.core.errors import error
from ctdhub.core.frozen import FrozenModel
from ctdhub.core.i18n import read_shipped
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


NAMES = ("ctdc-2017", "ctdc-2021", "ctdc-gsd-k10", "ctdc-2024", "ctdc-vp-2022", "htcds-2", "ic-tip")
"""The formats that have a crosswalk."""


def _read(name: str) -> Any:
    return read_shipped(resources.files("ctdhub.schema") / "data" / "crosswalks" / f"{name}.yaml")


@cache
def _sentences() -> dict[str, str]:
    return dict(_read("notes"))


def sentence(key: str) -> str:
    """The English sentence of a note, to be shown through ``_()``; KeyError where there is none."""
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


# --------------------------------------------------------------------------------------------------
# Arrows of a format to and from the hub, and two formats joined through the hub.

State = Literal["exact", "aligned", "lossy", "derived", "none"]

HUB = "hub"
"""Name that stands for the hub's own schema beside the formats."""


@dataclass(frozen=True)
class CodeMatch:
    """A column, or one of its values, and what it meets in the hub.

    Attributes:
        column: the format's column.
        value: its text, None for the column as a whole.
        variable: the hub's variable, None where there is no counterpart.
        code: the hub's code, None for every code, "" for "not recorded".
        way: the directions in which it is followed.
        lossy_read, lossy_write: what is lost in that direction, in English; None if nothing.
            A loss in a direction that is not followed says why it is not.
        derived: the column repeats others.
        concept: a concept, not a column of a file.
    """

    column: str
    value: str | None
    variable: str | None
    code: str | None = None
    way: Way = "both"
    lossy_read: str | None = None
    lossy_write: str | None = None
    derived: bool = False
    concept: bool = False

    @property
    def reads(self) -> bool:
        """Whether it is followed from the format to the hub."""
        return self.way in ("both", "read")

    @property
    def writes(self) -> bool:
        """Whether it is followed from the hub to the format."""
        return self.way in ("both", "write")


@dataclass(frozen=True)
class Crossing:
    """What becomes of a column or value of one format in another.

    ``source`` or ``target`` is None where there is no counterpart; ``notes`` are English sentences.
    """

    source: str | None
    source_value: str | None
    variable: str | None
    code: str | None
    target: str | None
    target_value: str | None
    state: State
    notes: tuple[str, ...] = ()


def arrows(name: str) -> tuple[CodeMatch, ...]:
    """Every arrow of a format, in the order of its columns.

    Raises:
        HubError: no format of that name.

    >>> [a.code for a in arrows("ctdc-2024") if a.column == "gender"]
    ['female', 'male', 'transgender_nonconforming']
    """
    if name == HUB:
        schema = load_schema()
        variables = (*schema.table("records"), *schema.table("perpetrators"))
        return tuple(CodeMatch(v.name, None, v.name) for v in variables)
    return tuple(arrow for column in load_crosswalk(name).columns for arrow in _arrows(column))


def crosswalk(source: str, target: str) -> tuple[Crossing, ...]:
    """Join two formats through the hub.

    Args:
        source, target: names of formats, or ``hub``.

    Raises:
        HubError: no format of that name.

    >>> [c.state for c in crosswalk("ctdc-2021", "ctdc-2024") if c.source == "isAbduction"]
    ['none']
    """
    theirs = arrows(target)
    crossings: list[Crossing] = []
    for arrow in arrows(source):
        met = [t for t in theirs if _meet(arrow, t)]
        crossings += [_joined(arrow, t) for t in met]
        if not met and _leaves(arrow):
            crossings.append(_alone(arrow, theirs))
    crossings = list(dict.fromkeys(crossings))
    reached = {c.target for c in crossings}
    for arrow in {a.column: a for a in theirs}.values():
        if arrow.column not in reached:
            crossings.append(_unreached(arrow))
    return tuple(crossings)


def _leaves(arrow: CodeMatch) -> bool:
    return arrow.variable is None or arrow.reads or bool(arrow.lossy_read)


def _meet(s: CodeMatch, t: CodeMatch) -> bool:
    if s.variable is None or s.variable != t.variable or "" in (s.code, t.code):
        return False
    if s.derived or t.derived or not _leaves(s) or not (t.writes or t.lossy_write):
        return False
    return None in (s.code, t.code) or s.code == t.code


def _joined(s: CodeMatch, t: CodeMatch) -> Crossing:
    notes = tuple(dict.fromkeys(n for n in (s.lossy_read, t.lossy_write) if n))
    state: State = "exact"
    if notes or not (s.reads and t.writes):
        state = "lossy"
    elif s.concept or t.concept:
        state = "aligned"
    code = s.code if s.code is not None else t.code
    return Crossing(s.column, s.value, s.variable, code, t.column, t.value, state, notes)


def _alone(s: CodeMatch, theirs: tuple[CodeMatch, ...]) -> Crossing:
    notes = (s.lossy_read,) if s.lossy_read else ()
    if s.derived:
        return Crossing(s.column, None, None, None, None, None, "derived", notes)
    if s.code == "":
        state: State = "lossy" if notes else "exact"
        return Crossing(s.column, s.value, s.variable, "", None, None, state, notes)
    known = any(t.variable == s.variable for t in theirs)
    value, code = (s.value, s.code) if known else (None, None)
    return Crossing(s.column, value, s.variable, code, None, None, "none", notes)


def _unreached(t: CodeMatch) -> Crossing:
    state: State = "derived" if t.derived else "none"
    notes = (t.lossy_read,) if t.lossy_read and (t.derived or t.variable is None) else ()
    return Crossing(None, None, None, None, t.column, None, state, notes)


def _note(key: str | None) -> str | None:
    return sentence(key) if key else None


_FOLLOWS: dict[str, tuple[str | None, str]] = {
    "birth_date": ("age_banded", "never_written"),
    "majority": (None, "never_written"),
    "age": ("age_to_majority", "no_exact_age"),
}
"""Forms that are read and never written, with the notes of both directions."""


def _arrows(c: CrosswalkColumn) -> Iterator[CodeMatch]:
    read, write = map(_note, _FOLLOWS.get(c.form, (c.lossy_read, c.lossy_write)))
    if c.form == "none":
        yield CodeMatch(c.name, None, None, lossy_read=_note(c.note))
    elif c.form == "concept":
        for name in filter(None, (c.to, *c.of)):
            yield CodeMatch(c.name, None, name, None, "both", read, write, concept=True)
    elif c.form in ("mark", "any"):
        yield from _marks(c, read, write)
    elif c.form in ("list", "joined"):
        yield from _items(c)
    elif c.form in _FOLLOWS:
        yield CodeMatch(c.name, None, c.to, None, "read", read, write)
    else:
        yield from _values(c, read, write)


def _marks(c: CrosswalkColumn, read: str | None, write: str | None) -> Iterator[CodeMatch]:
    if c.is_child:
        read, write = sentence("mark_once"), sentence("any_perpetrator")
    if c.form == "any":
        read, write = read or sentence("merged_read"), sentence("merged_write")
    for name in c.of or (c.to,):
        way: Way = "both" if name == c.to else "write"
        yield CodeMatch(c.name, "1", name, "yes", way, read, write)
        yield CodeMatch(c.name, None, name, "no", "none", lossy_write=sentence("mark"))


def _items(c: CrosswalkColumn) -> Iterator[CodeMatch]:
    if c.form == "joined":
        note = sentence("derived")
        for v in c.values:
            yield CodeMatch(c.name, v.text, v.to, "yes", "write", note, note, derived=True)
    else:
        for v in c.values:
            read, write = _note(v.lossy_read), _note(v.lossy_write)
            yield CodeMatch(c.name, v.text, v.to, "yes", v.way, read, write)
    for name, key in c.unwritten.items():
        yield CodeMatch(c.name, None, name, "yes", "none", lossy_write=sentence(key))
    for flag in dict.fromkeys((*(v.to for v in c.values), *c.unwritten)):
        if c.form != "joined":
            yield CodeMatch(c.name, None, flag, "no", "none", lossy_write=sentence("list_no"))


def _values(c: CrosswalkColumn, read: str | None, write: str | None) -> Iterator[CodeMatch]:
    if c.is_child:
        read, write = sentence("list_position"), sentence("list_set")
    for text, (first, last) in c.bands.items():
        note, way = (sentence("year_band"), "write") if first != last else (None, "both")
        for year in range(first, last + 1):
            yield CodeMatch(c.name, text, c.to, str(year), cast(Way, way), note, note)
    if c.bands:
        yield CodeMatch(c.name, None, c.to, None, "none", lossy_write=sentence("year_outside"))
    elif c.form != "code":
        yield CodeMatch(c.name, None, c.to, None, "both", read, write)
    for v in c.values:
        own_read, own_write = _note(v.lossy_read) or read, _note(v.lossy_write) or write
        yield CodeMatch(c.name, v.text, c.to, v.to or "", v.way, own_read, own_write)
    for code, key in c.unwritten.items():
        yield CodeMatch(c.name, None, c.to, code, "none", lossy_write=sentence(key))
    if c.region_of:
        yield CodeMatch(c.name, None, c.region_of, None, "write", None, sentence("region_only"))
