"""The shape of a document: sections made of words, numbers, bars, years and tables.

Every text is already in the language of the document, and numbers are already written out; the
sizes beside them (``size``, ``low``, ``high``, ``value``) only say how long to draw.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cache
from typing import Any, Literal


@dataclass(frozen=True)
class Words:
    """Paragraphs, under a title if there is one."""

    paragraphs: tuple[str, ...]
    title: str = ""
    kind: Literal["words"] = "words"


@dataclass(frozen=True)
class Bar:
    """A row of a bar chart; its sizes are None where ``text`` says why there is no number.

    ``missing`` marks the row of those whose answer is not recorded.
    """

    label: str
    text: str
    size: float | None = None
    low: float | None = None
    high: float | None = None
    missing: bool = False


def scale_end(bars: Iterable[Bar]) -> float:
    """The highest upper end, in the unit of the sizes; 1 where nothing is drawn.

    People whose answer is not recorded count only where nobody else is drawn: they are often many
    times the people of any answer, whose bars would shrink to nothing.
    """
    shown = [b for b in bars if b.size is not None]
    known = [b.high or 0 for b in shown if not b.missing]
    return max(known or [b.high or 0 for b in shown], default=0) or 1.0


@dataclass(frozen=True)
class Bars:
    """A bar chart with whiskers: what stands out, what is counted, its rows, who is in it."""

    title: str
    subtitle: str
    bars: tuple[Bar, ...]
    note: str = ""
    kind: Literal["bars"] = "bars"

    @property
    def top(self) -> float:
        """See :func:`scale_end`."""
        return scale_end(self.bars)


@dataclass(frozen=True)
class Ends:
    """A value with its interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Point:
    """A year of a series.

    Attributes:
        state: tells the blanks apart: "shown"; "protected" (between none and ``high``); "nobody"
            (nobody reports); "not_measured".
        label: what stands in the picture where the point is marked; ``number`` and ``ends``, its
            interval, are for a label of several lines.
        same: the same contributors in every year, None where they were not counted apart.
    """

    year: str
    text: str
    state: Literal["shown", "protected", "nobody", "not_measured"]
    value: float = 0.0
    low: float = 0.0
    high: float = 0.0
    label: str = ""
    same: Ends | None = None
    number: str = ""
    ends: str = ""


@dataclass(frozen=True)
class Years:
    """People by year on an axis from 0 to ``top``.

    Attributes:
        points: years in order.
        axis: the words for 0, half of ``top`` and ``top``; the middle one may be empty.
        turns: places in ``points`` before which contributors joined or left.
        marked: places in ``points`` whose numbers stand in the picture; the last point that is
            shown is labelled at its side, any other above itself.
        column: heading of the table's column of people; ``year`` of that of years.
    """

    points: tuple[Point, ...]
    top: float
    axis: tuple[str, str, str]
    turns: tuple[int, ...] = ()
    marked: tuple[int, ...] = ()
    title: str = ""
    subtitle: str = ""
    year: str = ""
    column: str = ""
    note: str = ""
    kind: Literal["years"] = "years"


@dataclass(frozen=True)
class Dots:
    """Points with whiskers side by side, none of them from zero, on an axis from 0 to ``top``.

    Attributes:
        rows: a row each: its name, its numbers in words, the point and its interval.
        axis: the words for 0, half of ``top`` and ``top``.
    """

    rows: tuple[Bar, ...]
    top: float
    axis: tuple[str, str, str]


@dataclass(frozen=True)
class Change:
    """A change, or a part of one: more or fewer, and its interval.

    ``text`` names it with its numbers; ``rest`` marks what no other part explains.
    """

    text: str
    value: float
    low: float
    high: float
    rest: bool = False


@dataclass(frozen=True)
class TextTable:
    """Rows of texts under headings; the first column names the row.

    A table without headings is a list of names with what belongs to them.

    Attributes:
        words: whether the cells are words, which begin where lines do; figures stand at the end.
    """

    title: str
    subtitle: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    words: bool = False
    kind: Literal["table"] = "table"


@dataclass(frozen=True)
class Sentences:
    """Sentences that make one paragraph; as plain text each has a line."""

    sentences: tuple[str, ...]
    kind: Literal["sentences"] = "sentences"


@dataclass(frozen=True)
class Items:
    """A list of notes."""

    items: tuple[str, ...]
    kind: Literal["items"] = "items"


@dataclass(frozen=True)
class LargeNumber:
    """One large number: as it is written, what it counts, its range in words."""

    text: str
    unit: str
    interval: str
    kind: Literal["number"] = "number"


Block = Words | Sentences | Items | LargeNumber | Bars | Years | TextTable


@dataclass(frozen=True)
class Section:
    """A part of a document that is kept or left out as a whole.

    Attributes:
        id: unique in the document, for links and for tests.
        title: of the part; empty where its blocks have their own.
        keep: how much it matters; of the sections that do not fit the one with the least goes
            first, the last of several.  ``None`` never goes.
        name: what it is called where the document says what was left out.
        across: whether its title runs across the columns of a page, so that what follows is not
            taken for a part of what stood before.
    """

    id: str
    title: str
    blocks: tuple[Block, ...]
    keep: int | None = None
    name: str = ""
    across: bool = False


@dataclass(frozen=True)
class Meta:
    """What every page carries.

    Attributes:
        lang: code of the language.
        rtl: whether it runs from right to left.
        organisation: who publishes.
        mark: a warning on every page, such as that the data are fictitious; may be empty.
        foot: citation.
        made: the day of the document, and the same day in words; a file that is set needs one.
        page: "{page} of {pages}" in the language.
    """

    lang: str
    rtl: bool
    organisation: str
    mark: str = ""
    foot: str = ""
    made: date | None = None
    day: str = ""
    page: str = ""


@dataclass(frozen=True)
class Document:
    """What is written as HTML, PDF, Markdown or text.

    Attributes:
        meta: what every page carries.
        title, subtitle: at the head of the first page.
        lead: what a hurried reader takes away, over the whole width.
        sections: in the order of reading.
        always: the sentence that stands beside every number.
        most: pages that it may take; None for as many as it needs.
        left_out: "Left out for want of room: {names}." in the language; empty says nothing.
        paper: "a4"; or "a3" for a poster, whose lead is large, and whose sections are "number",
            lines that may go, and "call", which says where to turn.
    """

    meta: Meta
    title: str
    lead: tuple[str, ...]
    sections: tuple[Section, ...]
    subtitle: str = ""
    always: str = ""
    most: int | None = None
    left_out: str = "{names}"
    paper: Literal["a4", "a3"] = "a4"

    def __post_init__(self) -> None:
        ids = [s.id for s in self.sections]
        if len(set(ids)) != len(ids):
            raise ValueError("the sections of a document have different ids")
        first = self.sections[0] if self.sections else Section("", "", ())
        pages = self.paper == "a4" and self.most is not None
        if pages and (not first.title or first.keep is not None):
            raise ValueError("a document of so many pages begins with a section that stays")

    def without(self, ids: Collection[str]) -> Document:
        """The same document without some sections."""
        return replace(self, sections=tuple(s for s in self.sections if s.id not in ids))

    def expendable(self) -> Section | None:
        """The section that goes first, None where all must stay."""
        free = [(s.keep, -n) for n, s in enumerate(self.sections) if s.keep is not None]
        return self.sections[-min(free)[1]] if free else None


# --------------------------------------------------------------------------------------------------
# A document as values that JSON knows, and back: from the process that writes it to the one that
# shows it.


def to_json(document: Document) -> dict[str, Any]:
    """The document; :func:`from_json` is the way back.

    >>> one = Document(Meta("en", False, "Hub", made=date(2026, 1, 2)), "Title", ("Lead",), ())
    >>> from_json(to_json(one)) == one
    True
    """
    made = document.meta.made
    fields = asdict(document)
    fields["meta"]["made"] = made.isoformat() if made else None
    return fields


def from_json(value: dict[str, Any]) -> Document:
    """The document that :func:`to_json` gave.

    Raises:
        ValueError: it is no document or says more than one, or two sections have one id.

    >>> from_json({**to_json(Document(Meta("en", False, "Hub"), "Title", (), ())), "more": 1})
    Traceback (most recent call last):
    ValueError: a document says nothing else
    """
    document: Document = _adapter().validate_python(value)
    if json.loads(json.dumps(to_json(document))) != json.loads(json.dumps(value)):
        raise ValueError("a document says nothing else")
    return document


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Document)
