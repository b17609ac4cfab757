"""What the verb ``withdraw`` shows: whom a withdrawal leaves out, and the register."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer
from rich.markup import escape
from rich.table import Table

from ctdhub.cli.output import console
from ctdhub.core.format import number, stamped
from ctdhub.core.i18n import _, current, said

if TYPE_CHECKING:
    from ctdhub.build.case_rows import NumberedCase
    from ctdhub.build.find_person import FoundRecords
    from ctdhub.build.hub import Hub


def show_found(found: FoundRecords) -> None:
    """Whom this leaves out, in numbers that are for the steward alone."""
    table = Table(title=_("For the steward: not to be published"), show_header=False)
    table.add_row(_("withdrawals to write down"), number(found.told))
    if found.already:
        table.add_row(_("in force already"), number(found.already))
    if found.unknown:
        table.add_row(_("that no record carries yet"), number(len(found.unknown)))
    table.add_row(_("people whom the hub has records of"), number(found.people))
    for name, records in found.records.items():
        table.add_row(_("records of {id} left out").format(id=escape(name)), number(records))
    console.print(table)


def show_nothing_found() -> None:
    """What it means that no record has a number, and what helps."""
    from ctdhub.build.withdraw import CODE_OF_KIT, NOTHING_FOUND

    console.print(said(NOTHING_FOUND))
    console.print(said(CODE_OF_KIT))


def show_elsewhere(hub: Hub, contributor: str = "") -> None:
    """How many people of other contributors the withdrawals of each take out; nothing if none.

    Args:
        hub: the hub.
        contributor: that told them; all of them if empty.
    """
    from ctdhub.build.elsewhere import taken_elsewhere

    found = [one for one in taken_elsewhere(hub) if contributor in ("", one.contributor)]
    if not found:
        return
    table = Table(title=_("People of other contributors left out: for the steward alone"))
    for heading in (_("reported by"), _("quarter"), _("people"), _("limit"), ""):
        table.add_column(heading, overflow="fold")
    for one in found:
        state = _("you must decide: --decide") if one.open else ""
        table.add_row(
            escape(one.contributor), one.quarter, number(one.people), number(one.limit), state
        )
    console.print(table)
    console.print(_("The other contributors are not notified, and must not be asked."))


def choose_rows(case: NumberedCase) -> list[int]:
    """Ask which rows of a case are hers; gives their places from 0, none where no row is."""
    from ctdhub.schema.labels import code_label, label
    from ctdhub.schema.roles import AGE, PERIOD, SEX

    table = Table(title=_("For the steward: not to be published"))
    for heading in (
        "", _("delivery"), _("row"), *(label(name, current()) for name in (PERIOD, SEX, AGE)), "",
    ):  # fmt: skip
        table.add_column(heading, overflow="fold")
    for place, row in enumerate(case.rows, 1):
        coded = ((SEX, row.gender), (AGE, row.age))
        said = ["–" if code is None else code_label(name, code, current()) for name, code in coded]
        year = "–" if row.year is None else str(row.year)
        state = _("withdrawn") if row.withdrawn else ""
        table.add_row(str(place), row.date, number(row.row), year, *map(escape, said), state)
    console.print(
        _("The number at place {place} is shared: it has rows of several people.").format(
            place=case.place
        )
    )
    console.print(table)
    question = _(
        "Which rows are about the person who withdraws? Write their numbers, such as 1, 3; 0 if "
        "none is."
    )
    while (places := _places(typer.prompt(question), len(case.rows))) is None:
        console.print(_("Write numbers from 1 to {n} with commas between them, or 0.").format(
            n=len(case.rows)
        ))  # fmt: skip
    return places


def _places(text: str, rows: int) -> list[int] | None:
    """Places from 0; None where the text says something else."""
    words = text.replace("،", ",").split(",")
    if not all(word.strip().isdecimal() for word in words):
        return None
    numbers = sorted({int(word) for word in words})
    if numbers == [0]:
        return []
    return [n - 1 for n in numbers] if numbers[0] > 0 and numbers[-1] <= rows else None


def show_register(hub: Hub, *, as_json: bool) -> None:
    """All lines: when, by whom, how far, why; nothing by which a person could be found."""
    from ctdhub.build import withdraw

    entries, force = withdraw.register(hub)
    active = {e.number for e in force.entries}
    found = withdraw.records_found(hub)
    told = {e.number: found.get((e.contributor, e.because or e.mark)) for e in force.entries}
    if as_json:
        keep = ("number", "time", "kind", "scope", "contributor", "reason")
        rows = [
            {k: v for k, v in asdict(e).items() if k in keep}
            | {"in_force": e.number in active, "found": told.get(e.number)}
            for e in entries
        ]
        console.print(json.dumps(rows, indent=1), soft_wrap=True, markup=False, highlight=False)
        return
    if not entries:
        console.print(_("Nobody has withdrawn."))
        return
    kinds = {
        "withdrawal": _("withdrawal"),
        "undo": _("undone"),
        "renewal": _("reported again for new tokens"),
        "raw_deleted": _("raw files deleted"),
        "decided": _("people of others: decided"),
    }
    scopes = {
        "person": _("a person, everywhere"),
        "records": _("a person, in these records"),
        "contributor": _("the contributor"),
        "delivery": _("a delivery"),
    }
    reasons = {
        "asked": _("asked"),
        "consent": _("consent"),
        "agreement": _("agreement"),
        "mistake": _("mistake"),
        "other": _("other"),
    }
    table = Table(title=_("Withdrawals: for the steward, not to be published"))
    for heading in (_("entry"), _("day"), _("contributor"), _("what"), _("of"), _("reason"), ""):
        table.add_column(heading, overflow="fold")
    for e in entries:
        now = _("in force") if e.number in active else ""
        if told.get(e.number) is False:
            now = _("no record found so far")
        kind = _("found with it") if e.because and e.kind == "withdrawal" else kinds[e.kind]
        if e.kind == "renewal" and e.mark:
            kind = _("another row of the case: stays")
        cells = (e.contributor, kind, scopes[e.scope], reasons[e.reason], now)
        table.add_row(number(e.number), stamped(e.time[:10]), *map(escape, cells))
    console.print(table)
    show_elsewhere(hub)
    if False in told.values():
        show_nothing_found()
    console.print(_("The register is whole: every line follows from the one before it."))
