"""People beside rows and records by delivery, and what the newest delivery changed."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from ctdhub.cli.output import console
from ctdhub.core.format import number
from ctdhub.core.i18n import Text, _, joined, many, said

if TYPE_CHECKING:
    from ctdhub.build.hub import Hub
    from ctdhub.build.stages.delivery_report import DeliveryLine


ABOUT_PEOPLE = ("nobody-again", "most-left")
"""Alarms that say what a warning here says of a delivery too small for an alarm."""


def show_deliveries(hub: Hub) -> None:
    """What the last link saw of each delivery, for the steward alone."""
    from ctdhub.build.stages.alarms import alarms_of
    from ctdhub.build.stages.delivery_report import deliveries

    found = deliveries(hub)
    if not found:
        return
    rang = {(a.contributor, a.delivery) for a in alarms_of(hub) if a.name in ABOUT_PEOPLE}
    table = Table(title=_("People by delivery: for the steward, not to be published"))
    table.add_column(_("contributor, delivery"), overflow="fold")
    shared = any(d.shared for d in found)
    headings = [_("rows"), _("records"), _("people"), _("changed"), _("left"), _("new")]
    for heading in (*headings, *([_("keys that contradict")] if shared else [])):
        table.add_column(heading, justify="right")
    for d in found:
        compared = [number(n) if d.compared else "–" for n in (d.changed, d.left, d.new)]
        figures = [number(n) for n in (d.rows, d.records, d.people)]
        last = [number(d.shared)] if shared else []
        table.add_row(f"{escape(d.contributor)}\n{d.date}", *figures, *compared, *last)
    console.print(table)
    for contributor, each in groupby(found, key=lambda d: d.contributor):
        own = list(each)
        if len(own) > 1 and not own[-1].compared:
            console.print(
                _("{id}: rows without a person key, so its deliveries cannot be compared.").format(
                    id=escape(contributor)
                )
            )
        elif len(own) > 1:
            console.print(escape(f"{contributor}: {said(_brought(own[-1]))}"))
            if (contributor, own[-1].date) in rang:
                pass  # the alarm says so
            elif own[-1].new and not own[-1].again:
                console.print(_all_new(own[-1]) if own[-1].left else _twice(own[-1]))
            elif own[-1].left > own[-1].again:
                console.print(_most_left(own[-1]))
        if contradicting := sum(d.shared for d in own):
            console.print(_warning(contributor, contradicting))


def _brought(delivery: DeliveryLine) -> Text:
    """What a delivery changed, in a sentence."""
    parts = [
        many("{n} person changed", "{n} people changed", delivery.changed, n=delivery.changed),
        many("{n} person left", "{n} people left", delivery.left, n=delivery.left),
        many("{n} new person", "{n} new people", delivery.new, n=delivery.new),
    ]
    return Text(
        "{changes} by the delivery of {date}.", changes=joined(parts, ", "), date=delivery.date
    )


def _all_new(delivery: DeliveryLine) -> str:
    """A delivery that nobody of the one before is in; numbers may be written in another way."""
    return _(
        "Warning: none of the people in earlier deliveries of {id} is in that of {date}. If its "
        "numbers are now written in another way, such as 123 for 00123, people who withdrew are "
        "not recognised."
    ).format(id=escape(delivery.contributor), date=delivery.date)


def _twice(delivery: DeliveryLine) -> str:
    """Additions without anybody of before; numbers may be written in another way."""
    return _(
        "Warning: none of the people in earlier deliveries of {id} is in that of {date}. If it "
        "repeats people whose numbers are now written in another way, such as 123 for 00123, they "
        "count twice."
    ).format(id=escape(delivery.contributor), date=delivery.date)


def _most_left(delivery: DeliveryLine) -> str:
    """A cumulative delivery that most people of before are not in; it may hold changes alone."""
    return _(
        "Warning: most people in earlier deliveries of {id} are not in that of {date} and were "
        "removed. If it holds only what is new or changed, its agreement must say deliveries: "
        "additions."
    ).format(id=escape(delivery.contributor), date=delivery.date)


def _warning(contributor: str, shared: int) -> str:
    """Who is one person though the rows say otherwise."""
    found = many(
        "Warning: in the files of {id}, {n} person key has rows that contradict each "
        "other: two genders, or dates of birth too different for one person.",
        "Warning: in the files of {id}, {n} person keys have rows that contradict each "
        "other: two genders, or dates of birth too different for one person.",
        shared,
        id=contributor,
        n=shared,
    )
    remedy = _(
        "Each key still counts as one person. If several people share a number, write key with "
        "several columns in the mapping, or case instead of hash."
    )
    return escape(f"{said(found)} {remedy}")
