"""What the verb ``withdraw`` shows: whom a withdrawal leaves out, and the register."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from ctdhub.cli.output import console
from ctdhub.core.format import number
from ctdhub.core.i18n import _

if TYPE_CHECKING:
    from ctdhub.build.find_person import FoundRecords
    from ctdhub.build.hub import Hub


def show_found(found: FoundRecords) -> None:
    """Whom this leaves out, in numbers that are for the steward alone."""
    table = Table(title=_("For the steward: not to be published"), show_header=False)
    table.add_row(
        _("withdrawals to write down"), number(sum(not entry.because for entry in found.entries))
    )
    if found.already:
        table.add_row(_("in force already"), number(found.already))
    if found.unknown:
        table.add_row(_("that no record carries yet"), number(len(found.unknown)))
    table.add_row(_("people whom the hub has records of"), number(found.people))
    for name, records in found.records.items():
        table.add_row(_("records of {id} left out").format(id=escape(name)), number(records))
    console.print(table)


def show_register(hub: Hub, *, as_json: bool) -> None:
    """All lines: when, by whom, how far, why; nothing by which a person could be found."""
    from ctdhub.build import withdraw

    entries, force = withdraw.register(hub)
    active = {e.number for e in force.entries}
    if as_json:
        keep = ("number", "time", "kind", "scope", "contributor", "reason")
        rows = [
            {k: v for k, v in asdict(e).items() if k in keep} | {"in_force": e.number in active}
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
        "renewal": _("told for new tokens"),
        "raw_deleted": _("raw files deleted"),
    }
    scopes = {
        "person": _("a person, everywhere"),
        "records": _("a person, in these records"),
        "contributor": _("the contributor"),
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
        kind = _("found with it") if e.because and e.kind == "withdrawal" else kinds[e.kind]
        cells = (e.contributor, kind, scopes[e.scope], reasons[e.reason], now)
        table.add_row(number(e.number), e.time[:10], *map(escape, cells))
    console.print(table)
    console.print(_("The register is whole: every line follows from the one before it."))
