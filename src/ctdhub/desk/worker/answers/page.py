"""The parts of an answer: a document, and beside it what forms of the page need."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from ctdhub.core.errors import printable
from ctdhub.core.format import day, isolated
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.document.document import Block, Document, Meta, Section, TextTable, Words, to_json
from ctdhub.hub.folder import Hub

MOST_ROWS = 200
"""Rows of a table on a page."""


class Page:
    """A page of a hub in the reader's language, as it is put together.

    Args:
        hub: whose page it is.
        title, lead: at the head; empty sentences are left out.
    """

    def __init__(self, hub: Hub, title: str, *lead: str) -> None:
        self.hub, self.title, self.lead = hub, title, tuple(text for text in lead if text)
        self.sections: list[Section] = []

    def add(self, id_: str, title: str, *blocks: Block | None) -> None:
        """A further section, of those blocks that there are."""
        there = tuple(block for block in blocks if block is not None)
        self.sections.append(Section(id_, title, there, across=True))

    def answer(self, **values: Any) -> dict[str, Any]:
        """The answer: the document, and values that JSON knows, for forms and links."""
        made, lang = today(), current()
        rtl, name = lang in RIGHT_TO_LEFT, self.hub.settings.name
        meta = Meta(lang=lang, rtl=rtl, organisation=name, made=made, day=day(made))
        document = Document(meta, self.title, self.lead, tuple(self.sections))
        return {"document": to_json(document), "given": values}


def today() -> date:
    """The day of asking, in UTC."""
    return datetime.now(UTC).date()


def table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    title: str = "",
    note: str = "",
    words: bool = False,
    most: int | None = MOST_ROWS,
) -> TextTable | None:
    """A table of at most so many rows, which says where it was cut; none of no rows.

    Args:
        most: None for what somebody signs or pays for, which is never cut.
    """
    if not rows:
        return None
    if most and len(rows) > most:
        cut = _("Only the first {n} rows are shown.").format(n=most)
        note = f"{note} {cut}".strip()
    shown = tuple(tuple(row) for row in rows[:most])
    return TextTable(title, "", tuple(head), shown, note, words)


def words(*paragraphs: str, title: str = "") -> Words:
    """Paragraphs; empty ones are left out."""
    return Words(tuple(p for p in paragraphs if p), title)


def name(text: str, limit: int = 80) -> str:
    """A name or a text from outside: without control characters, keeping its own direction."""
    return isolated(printable(text, limit))


def days(value: date | None) -> str:
    """A day in words, or that there is none."""
    return day(value) if value else "–"
