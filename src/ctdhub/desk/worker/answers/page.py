"""The parts of an answer: a document, and beside it what forms of the page need."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from ctdhub.core.errors import printable
from ctdhub.core.format import day, isolated
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.document.document import Block, Document, Meta, Section, TextTable, Words, to_json
from ctdhub.hub.folder import Hub

MOST_ROWS = 200
"""Rows of a table on a page."""


def answered(
    hub: Hub,
    title: str,
    lead: Sequence[str],
    sections: Sequence[Section],
    given: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """An answer.

    Args:
        hub: whose page it is.
        title, lead: at the head.
        sections: of the document.
        given: values that JSON knows, for forms and links.
    """
    made = today()
    meta = Meta(
        lang=current(),
        rtl=current() in RIGHT_TO_LEFT,
        organisation=hub.settings.name,
        made=made,
        day=day(made),
    )
    document = Document(meta, title, tuple(lead), tuple(sections))
    return {"document": to_json(document), "given": dict(given or {})}


def today() -> date:
    """The day of asking, in UTC."""
    return datetime.now(UTC).date()


def table(
    title: str,
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    note: str = "",
    subtitle: str = "",
    words: bool = False,
) -> TextTable:
    """A table of at most :data:`MOST_ROWS` rows, which says where it was cut."""
    if len(rows) > MOST_ROWS:
        cut = _("Only the first {n} rows are shown.").format(n=MOST_ROWS)
        note = f"{note} {cut}".strip()
    shown = tuple(tuple(row) for row in rows[:MOST_ROWS])
    return TextTable(title, subtitle, tuple(head), shown, note, words)


def words(*paragraphs: str, title: str = "") -> Words:
    """Paragraphs; empty ones are left out."""
    return Words(tuple(p for p in paragraphs if p), title)


def section(id_: str, title: str, *blocks: Block | None) -> Section:
    """A section of those blocks that there are."""
    return Section(id_, title, tuple(block for block in blocks if block is not None), across=True)


def name(text: str, limit: int = 80) -> str:
    """A name or a text from outside: without control characters, keeping its own direction."""
    return isolated(printable(text, limit))


def yes_no(value: bool) -> str:
    """Yes or no."""
    return _("yes") if value else _("no")


def days(value: date | None) -> str:
    """A day in words, or that there is none."""
    return day(value) if value else "–"
