"""``ctdhub tables --for otip``: a contributor's own report, private from end to end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from ctdhub.cli import options
from ctdhub.cli.output import bar, console
from ctdhub.core.datafiles import as_csv
from ctdhub.core.format import number
from ctdhub.core.i18n import _

if TYPE_CHECKING:
    from ctdhub.sensitive.returns.fill import SheetAccount
    from ctdhub.sensitive.returns.return_mapping import ReturnMapping

ROWS_SHOWN = 10
SOURCES = ("sheet", "column", "from", "filled", "not_recorded", "not_understood", "not_in_list",
           "formula_kept")  # fmt: skip


def fill(file: Path, mapping: Path, workbook: Path, out: Path) -> None:
    """Fill a publisher's workbook from a file, then say where each cell comes from.

    Raises:
        HubError: something cannot be read or filled; nothing is written.
    """
    from ctdhub.sensitive.ingest.isolated import read_isolated
    from ctdhub.sensitive.returns.fill import fill as fill_workbook
    from ctdhub.sensitive.returns.return_mapping import load_return_mapping

    sources = out.with_name(f"{out.stem}.sources.csv")
    options.require_new(sources)
    rules = load_return_mapping(mapping)
    with bar() as progress:
        progress(_("Reading the file"), 0.0)
        raw = read_isolated(file, rules.read)
        progress(_("Filling the workbook"), 0.5)
        told = fill_workbook(raw, rules, workbook, out)
    options.write(as_csv(SOURCES, _sources(told, rules)), sources, private=True)
    for sheet in told:
        _show(sheet)
    if raw.rejects.num_rows:
        text = _("Rows of the file that could not be read and are in no sheet: {n}.")
        console.print(text.format(n=number(raw.rejects.num_rows)))
    options.tell_written(out)
    options.tell_written(sources)
    console.print(
        _(
            "Both files are as private as the file of records: they describe individual people, "
            "and nothing in them is protected. Check the workbook before you send it."
        )
    )


def _sources(told: list[SheetAccount], rules: ReturnMapping) -> list[list[object]]:
    """Where the cells of each column come from; "not held" for those that stay empty."""
    rows: list[list[object]] = []
    for sheet in told:
        for name, account in sheet.columns.items():
            rule = rules.sheets[sheet.name].columns[name]
            origin = f"always: {rule.value}" if rule.value is not None else "; ".join(rule.source)
            counts = (account.filled, account.empty, len(account.unread), account.unlisted)
            rows.append([sheet.name, name, origin, *counts, account.kept])
        rows += [[sheet.name, name, "not held", 0, sheet.rows, 0, 0, 0] for name in sheet.unfilled]
    return rows


def _show(sheet: SheetAccount) -> None:
    table = Table(title=escape(f"{sheet.name}: {number(sheet.rows)}"))
    heads = (_("column"), _("filled"), _("not recorded"), _("not understood"), _("not in its list"))
    for place, heading in enumerate(heads):
        table.add_column(heading, justify="right" if place else "left")
    for name, account in sheet.columns.items():
        counts = (account.filled, account.empty, len(account.unread), account.unlisted)
        table.add_row(escape(name), *map(number, counts))
    console.print(table)
    for name, account in sheet.columns.items():
        if account.unread:
            text = _("{column}: not understood in the rows {rows} of the file; left empty.")
            console.print(escape(text.format(column=name, rows=_rows(account.unread))))
    if sheet.outside:
        text = _("Rows of the file that belong to another period or group, not in this sheet: {n}.")
        console.print(text.format(n=number(sheet.outside)))
    if sheet.undated:
        text = _("Left out, because their date is not understood: rows {rows} of the file.")
        console.print(escape(text.format(rows=_rows(sheet.undated))))
    if sheet.unfilled:
        text = _("Not held, so these columns stay empty: {columns}.")
        console.print(escape(text.format(columns=", ".join(sheet.unfilled))))
    if sheet.unchecked:
        text = _("The workbook's list of choices could not be read for: {columns}.")
        console.print(escape(text.format(columns=", ".join(sheet.unchecked))))


def _rows(rows: list[int] | tuple[int, ...]) -> str:
    shown = ", ".join(map(str, rows[:ROWS_SHOWN]))
    return f"{shown}, …" if len(rows) > ROWS_SHOWN else shown
