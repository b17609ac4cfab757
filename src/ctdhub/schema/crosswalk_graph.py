"""Arrows of a format to and from the hub, and two formats joined through the hub."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ctdhub.schema.crosswalk import CrosswalkColumn, Way, load_crosswalk, sentence
from ctdhub.schema.model import load_schema

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
    found: list[Crossing] = []
    for arrow in arrows(source):
        met = [t for t in theirs if _meet(arrow, t)]
        found += [_joined(arrow, t) for t in met]
        if not met and _leaves(arrow):
            found.append(_alone(arrow, theirs))
    found = list(dict.fromkeys(found))
    reached = {c.target for c in found}
    for arrow in {a.column: a for a in theirs}.values():
        if arrow.column not in reached:
            found.append(_unreached(arrow))
    return tuple(found)


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


def _arrows(c: CrosswalkColumn) -> Iterator[CodeMatch]:
    read, write = _note(c.lossy_read), _note(c.lossy_write)
    match c.form:
        case "none":
            yield CodeMatch(c.name, None, None, lossy_read=sentence(c.note or ""))
        case "concept":
            for name in (c.to, *c.of):
                if name:
                    yield CodeMatch(
                        c.name, None, name, lossy_read=read, lossy_write=write, concept=True
                    )
        case "mark" | "any":
            yield from _marks(c, read, write)
        case "list" | "joined":
            yield from _items(c)
        case "birth_date":
            yield CodeMatch(
                c.name, None, c.to, None, "read", sentence("age_banded"), sentence("never_written")
            )
        case "majority":
            yield CodeMatch(c.name, None, c.to, None, "read", None, sentence("never_written"))
        case "age":
            yield CodeMatch(
                c.name,
                None,
                c.to,
                None,
                "read",
                sentence("age_to_majority"),
                sentence("no_exact_age"),
            )
        case _:
            yield from _values(c, read, write)


def _marks(c: CrosswalkColumn, read: str | None, write: str | None) -> Iterator[CodeMatch]:
    if c.is_child:
        read, write = sentence("mark_once"), sentence("any_perpetrator")
    merged = c.form == "any"
    for name in c.of or (c.to,):
        stored = name == c.to
        yield CodeMatch(
            c.name,
            "1",
            name,
            "yes",
            "both" if stored else "write",
            (read or sentence("merged_read")) if merged else read,
            sentence("merged_write") if merged else write,
        )
        yield CodeMatch(c.name, None, name, "no", "none", lossy_write=sentence("mark"))


def _items(c: CrosswalkColumn) -> Iterator[CodeMatch]:
    derived = c.form == "joined"
    for v in c.values:
        if derived:
            note = sentence("derived")
            yield CodeMatch(c.name, v.text, v.to, "yes", "write", note, note, derived=True)
        else:
            read, write = _note(v.lossy_read), _note(v.lossy_write)
            yield CodeMatch(c.name, v.text, v.to, "yes", v.way, read, write)
    for name, key in c.unwritten.items():
        yield CodeMatch(c.name, None, name, "yes", "none", lossy_write=sentence(key))
    if not derived:
        flags = (*(v.to for v in c.values), *c.unwritten)
        for flag in dict.fromkeys(flags):
            yield CodeMatch(c.name, None, flag, "no", "none", lossy_write=sentence("list_no"))


def _values(c: CrosswalkColumn, read: str | None, write: str | None) -> Iterator[CodeMatch]:
    if c.is_child:
        read, write = sentence("list_position"), sentence("list_set")
    if c.bands:
        for text, (first, last) in c.bands.items():
            note = sentence("year_band") if first != last else None
            for year in range(first, last + 1):
                yield CodeMatch(
                    c.name, text, c.to, str(year), "write" if note else "both", note, note
                )
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
