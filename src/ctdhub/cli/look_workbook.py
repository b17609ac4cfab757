"""The look as a workbook, and a contributor's own quality report."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from ctdhub.build.look import (
    RejectedCell,
    SeenContributor,
    SeenDelivery,
    alarm_table,
    comparing,
    meta,
    text_row,
    value_label,
)
from ctdhub.core.errors import printable
from ctdhub.core.format import isolated, number
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current, said
from ctdhub.core.tables import harmless
from ctdhub.document.document import Document, Section, TextTable, Words
from ctdhub.document.spreadsheet import PlainSheet, write_spreadsheet
from ctdhub.schema.labels import label
from ctdhub.sensitive.mapping.texts import OUTCOMES

# --------------------------------------------------------------------------------------------------
# The look as a workbook: every value, text and fault, for a spreadsheet.

LONGEST = 32_000
"""Characters of a cell; a workbook holds 32,767."""

CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
WIDTH = 20
"""Of a column, in letters."""

Cells = Sequence[str | int]
Sheet = tuple[str, Sequence[str], Iterable[Cells]]
"""A title, the headings, and rows."""


def workbook(found: Sequence[SeenContributor]) -> bytes:
    """The workbook, in the language in force."""
    deliveries = [(one, d) for one in found for d in (one.now, one.before) if d is not None]
    who = (_("contributor"), _("delivery"))
    return as_workbook(
        [
            (
                _("Alarms"),
                (*who, _("alarm"), _("what"), _("it stops"), _("accepted"), _("reason")),
                _alarms(deliveries),
            ),
            (
                _("Unknown texts"),
                (
                    *who, _("column"), _("text"), _("rows"), _("nearest code"),
                    _("what became of it"),
                ),
                (
                    (one.agreement.id, d.date, u.column, u.text, u.rows, u.nearest,
                     said(OUTCOMES[u.outcome]))
                    for one, d in deliveries
                    for u in d.unknown
                ),
            ),
            (
                _("Values"),
                (*who, _("variable"), _("label"), _("code"), _("value"), _("records")),
                _all_values(deliveries),
            ),
            (
                _("Rejects"),
                (*who, _("rule"), _("column"), _("rows")),
                (
                    (one.agreement.id, d.date, rule, column, n)
                    for one, d in deliveries
                    for (rule, column), n in d.faults.items()
                ),
            ),
            (
                _("Unread columns"),
                (*who, _("column")),
                ((one.agreement.id, d.date, c) for one, d in deliveries for c in d.unread),
            ),
        ]
    )  # fmt: skip


def as_workbook(sheets: Iterable[Sheet]) -> bytes:
    """Sheets of a workbook; a text that a spreadsheet would run as a formula stays a text.

    The bytes depend on the content and the language in force alone.
    """
    plain = [
        PlainSheet(
            title[:31], [WIDTH] * len(head), [head, *([*map(_fitting, row)] for row in rows)]
        )
        for title, head, rows in sheets
    ]
    held = io.BytesIO()
    write_spreadsheet(held, plain, rtl=current() in RIGHT_TO_LEFT)
    return held.getvalue()


def _fitting(cell: str | int) -> str | int:
    """A cell without what a workbook cannot hold: control characters, and more than its length."""
    return str(harmless(CONTROL.sub("·", cell)[:LONGEST])) if isinstance(cell, str) else cell


def _alarms(
    deliveries: list[tuple[SeenContributor, SeenDelivery]],
) -> Iterator[Cells]:
    for one, d in deliveries:
        for a in d.alarms:
            stops = _("the build") if a.stops else _("a charge")
            accepted = _("yes") if a.accepted else _("no")
            yield one.agreement.id, d.date, a.entry, said(a.what()), stops, accepted, a.reason


def _all_values(
    deliveries: list[tuple[SeenContributor, SeenDelivery]],
) -> Iterator[Cells]:
    for one, d in deliveries:
        for variable, counts in d.values.items():
            words = label(variable, current())
            for code, n in counts.items():
                yield (
                    one.agreement.id, d.date, variable, words, code, value_label(variable, code), n
                )  # fmt: skip


# --------------------------------------------------------------------------------------------------
# A contributor's quality report: its own rejected rows, as a page or as a workbook.

MOST_ROWS = 500
"""Rejected rows that the page lists; the workbook has all of them."""


def own_page(
    hub: str,
    one: SeenContributor,
    rows: Sequence[RejectedCell],
    made: date,
    compared: Sequence[str] = (),
) -> Document:
    """The quality report of a contributor's delivery.

    Args:
        hub: name of the hub.
        one: what was seen of it.
        rows: its rejected rows.
        made: the day that stands on it.
        compared: what comparing the next release with earlier ones would tell of this contributor.
    """
    now = one.now
    private = _(
        "Private, for this contributor only: it holds rows of its own file. Do not publish."
    )
    head = (_("Row"), _("Column"), _("Text"), _("Rule"), _("What is wrong"))
    left = len(rows) - MOST_ROWS
    note = _("More rows in the workbook: {n}.").format(n=number(left)) if left > 0 else ""
    listed = tuple(
        (number(r.row), isolated(printable(r.column)) or "–", isolated(printable(r.text)) or "–",
         isolated(r.rule), said(r.reason))
        for r in rows[:MOST_ROWS]
    )  # fmt: skip
    sections = [*comparing(compared), Section("alarms", "", tuple(alarm_table(now.alarms)))]
    if rows:
        title = _("Rows that were rejected")
        subtitle = _("Correct them in your own system, and send the file again.")
        sections.append(
            Section("rows", title, (TextTable(title, subtitle, head, listed, note, words=True),))
        )
    else:
        sections.append(Section("rows", "", (Words((_("No row was rejected."),)),)))
    if now.unknown:
        title = _("Texts that no rule can read")
        columns = (_("Column"), _("Text"), _("Rows"), _("Nearest code"), _("What became of it"))
        told = tuple(map(text_row, now.unknown[:MOST_ROWS]))
        texts = TextTable(title, "", columns, told, words=True)
        sections.append(Section("texts", title, (texts,)))
    return Document(
        meta=meta(hub, private, made),
        title=one.agreement.name,
        subtitle=_("Quality report on the delivery of {date}").format(date=isolated(now.date)),
        lead=(
            _(
                "Of {rows} rows, {records} became records and {rejected} were rejected. Every row "
                "in this report is your own."
            ).format(
                rows=number(now.rows), records=number(now.records), rejected=number(now.rejected)
            ),
        ),
        sections=tuple(sections),
    )


def own_workbook(one: SeenContributor, rows: Sequence[RejectedCell]) -> bytes:
    """The same as a workbook: a sheet of rejected rows, with a column for the correction."""
    head = (
        _("file"), _("row"), _("column"), _("text"), _("rule"), _("what is wrong"),
        _("your correction"),
    )  # fmt: skip
    return as_workbook(
        [
            (_("Rejected rows"), head, _lines(rows)),
            (
                _("Unknown texts"),
                (_("column"), _("text"), _("rows"), _("nearest code")),
                ((u.column, u.text, u.rows, u.nearest) for u in one.now.unknown),
            ),
        ]
    )


def _lines(rows: Sequence[RejectedCell]) -> Iterator[Cells]:
    for r in rows:
        yield r.file, r.row, r.column, r.text, r.rule, said(r.reason), ""
