"""What stewards see of alarms and of unknown texts on their own terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from ctdhub.cli.output import console
from ctdhub.core.errors import printable
from ctdhub.core.format import number
from ctdhub.core.i18n import _, ngettext, said

if TYPE_CHECKING:
    from ctdhub.sensitive.alarms.alarm import Alarm
    from ctdhub.sensitive.mapping.unknown_texts import UnknownText

MOST = 20
"""Unknown texts that are shown; the file has all of them."""


def show_alarms(alarms: Sequence[Alarm]) -> None:
    """Open alarms one by one, those that stop the build first; accepted ones by number."""
    found = sorted((a for a in alarms if not a.accepted), key=lambda a: not a.stops)
    if found:
        table = Table(title=_("Alarms about the data: look before you go on"))
        for heading in (_("contributor"), _("delivery"), _("alarm"), _("what"), _("it stops")):
            table.add_column(heading, overflow="fold")
        for alarm in found:
            stops = _("the build") if alarm.stops else _("a charge")
            words = (alarm.contributor, alarm.delivery, printable(alarm.entry), said(alarm.what()))
            table.add_row(*map(escape, words), stops)
        console.print(table)
    if accepted := len(alarms) - len(found):
        text = ngettext(
            "{n} alarm is accepted in a mapping.", "{n} alarms are accepted in mappings.", accepted
        )
        console.print(text.format(n=number(accepted)))


def show_unknown(texts: Sequence[UnknownText]) -> None:
    """The unknown texts of most rows; they are texts of case records."""
    from ctdhub.sensitive.mapping.unknown_texts import OUTCOMES

    if not texts:
        return
    title = _("Texts that no rule can read: for the steward alone")
    table = Table(title=title)
    for heading in (_("column"), _("text"), _("rows"), _("nearest code"), _("what became of it")):
        table.add_column(heading, overflow="fold")
    for one in sorted(texts, key=lambda u: -u.rows)[:MOST]:
        words = (printable(one.column), printable(one.text), number(one.rows), one.nearest)
        table.add_row(*map(escape, words), said(OUTCOMES[one.outcome]))
    console.print(table)
    if (more := len(texts) - MOST) > 0:
        text = ngettext("and {n} more text", "and {n} more texts", more)
        console.print(text.format(n=number(more)))
