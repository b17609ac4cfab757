"""A contributor's quality report: its own rejected rows, as a page or as a workbook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from ctdhub.build.look.own_rows import RejectedCell
from ctdhub.build.look.seen import SeenContributor
from ctdhub.cli.look_page import alarm_table, comparing, meta, text_row
from ctdhub.cli.look_workbook import as_workbook
from ctdhub.core.errors import printable
from ctdhub.core.format import isolated, number
from ctdhub.core.i18n import _, said
from ctdhub.document.document import Document, Section, TextTable, Words

MOST = 500
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
    left = len(rows) - MOST
    note = _("More rows in the workbook: {n}.").format(n=number(left)) if left > 0 else ""
    listed = tuple(
        (number(r.row), isolated(printable(r.column)) or "–", isolated(printable(r.text)) or "–",
         isolated(r.rule), said(r.reason))
        for r in rows[:MOST]
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
        told = tuple(map(text_row, now.unknown[:MOST]))
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


def _lines(rows: Sequence[RejectedCell]) -> Iterator[Sequence[object]]:
    for r in rows:
        yield r.file, r.row, r.column, r.text, r.rule, said(r.reason), ""
