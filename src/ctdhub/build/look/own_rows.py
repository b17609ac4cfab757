"""A contributor's own part of the look: its rejected rows, to be corrected and sent back.

It holds rows of this contributor alone, with the texts that were not read.  Columns that the
mapping strips, hashes or keeps as numbers of cases are never read for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from ctdhub.build.hub import Hub
from ctdhub.build.look.page import alarm_table, meta, text_row
from ctdhub.build.look.seen import SeenContributor, faults_of
from ctdhub.build.look.workbook import as_workbook
from ctdhub.build.mapping_by_date import mapping_file
from ctdhub.build.rules import policy
from ctdhub.build.stages.harmonise import harmonise_file
from ctdhub.core.errors import printable
from ctdhub.core.format import isolated, number
from ctdhub.core.i18n import _, said
from ctdhub.document.document import Document, Section, TextTable, Words
from ctdhub.sensitive.ingest.readers import read_table
from ctdhub.sensitive.ingest.rejects import reason_of
from ctdhub.sensitive.mapping.identifiers import without_stripped
from ctdhub.sensitive.mapping.mapping_file import load_mapping
from ctdhub.sensitive.mapping.parsers import Header

MOST = 500
"""Rejected rows that the page lists; the workbook has all of them."""


@dataclass(frozen=True)
class RejectedCell:
    """A fault of a row of the contributor's own file.  Sensitive.

    Attributes:
        file: name of the file.
        row: as a spreadsheet shows it.
        column: "" where the fault concerns the whole row.
        rule, reason: what is wrong, in the language in force.
        text: what the cell holds, "" where no one column is at fault.
    """

    file: str
    row: int
    column: str
    rule: str
    reason: str
    text: str


def own_rows(hub: Hub, contributor: str, day: str) -> tuple[RejectedCell, ...]:
    """The faults in a contributor's delivery of a day, in the order of its files and rows."""
    rules = policy(hub)
    mapping = load_mapping(mapping_file(hub, contributor, day))
    readable = {c for _place, rule in mapping.uses() for c in rule.columns()}
    found: list[RejectedCell] = []
    for given in hub.contributions():
        if (given.contributor, given.date) != (contributor, day):
            continue
        faults = faults_of(harmonise_file(hub, given, rules.years)).to_pylist()
        if not faults:
            continue
        raw = without_stripped(read_table(given.file, mapping.read), mapping)
        header = Header(raw.table.column_names)
        at = {row: place for place, row in enumerate(raw.table["_row"].to_pylist())}
        for fault in faults:
            name = header.find(fault["column"]) if fault["column"] in readable else None
            place = at.get(fault["source_row"])
            text = raw.table[name][place].as_py() if name and place is not None else None
            found.append(
                RejectedCell(
                    given.file.name,
                    fault["source_row"],
                    fault["column"] or "",
                    fault["rule"],
                    said(reason_of(fault["fields"])),
                    "" if text is None else str(text),
                )
            )
    return tuple(found)


def own_page(hub: str, one: SeenContributor, rows: Sequence[RejectedCell], made: date) -> Document:
    """The quality report of a contributor's delivery.

    Args:
        hub: name of the hub.
        one: what was seen of it.
        rows: its rejected rows.
        made: the day that stands on it.
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
         isolated(r.rule), r.reason)
        for r in rows[:MOST]
    )  # fmt: skip
    sections = [Section("alarms", "", tuple(alarm_table(now.alarms)))]
    if rows:
        title = _("Rows that were rejected")
        subtitle = _("Correct them in your own system, and send the file again.")
        sections.append(Section("rows", title, (TextTable(title, subtitle, head, listed, note),)))
    else:
        sections.append(Section("rows", "", (Words((_("No row was rejected."),)),)))
    if now.unknown:
        title = _("Texts that no rule can read")
        columns = (_("Column"), _("Text"), _("Rows"), _("Nearest code"), _("What became of it"))
        texts = TextTable(title, "", columns, tuple(map(text_row, now.unknown[:MOST])))
        sections.append(Section("texts", title, (texts,)))
    return Document(
        meta=meta(hub, private, made),
        title=one.agreement.name,
        subtitle=_("Quality report on the delivery of {date}").format(date=isolated(now.date)),
        lead=(
            _(
                "Of {rows} rows {records} became records, and {rejected} were rejected. Every row "
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
        yield r.file, r.row, r.column, r.text, r.rule, r.reason, ""
