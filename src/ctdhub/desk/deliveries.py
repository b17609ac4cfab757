"""The state of a delivery, and how long it is kept."""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ctdhub.desk.models import Delivery


# --------------------------------------------------------------------------------------------------
# The state of a delivery, from its row and the hub folder: the folder decides.


def computed_state(row: str, has_file: bool, gone: bool) -> tuple[str, bool]:
    """State of a delivery, and whether its file is lost.

    Args:
        row: the state that its row says.
        has_file: whether its file is in ``contributions/``.
        gone: whether its organisation withdrew.

    >>> computed_state("checked", True, False), computed_state("accepted", False, False)
    (('accepted', False), ('accepted', True))
    """
    if row in ("accepted", "withdrawn") and has_file:
        return ("withdrawn" if gone else "accepted"), False
    if row == "checked" and has_file:
        return "accepted", False
    if row == "accepted" and gone:
        return "withdrawn", False
    return row, row == "accepted"


# --------------------------------------------------------------------------------------------------
# How long a delivery is kept: a day that follows from its own day and its agreement alone.

NOTICE = timedelta(days=30)
"""People hear of an erasure so long before it, at least."""

NOTICE_KEY = "erasure_told"
"""In the summary of a delivery: the day on which people were told, and the day they were told."""


def due_on(day: date, months: int | None) -> date | None:
    """The day on which a delivery is erased; None where the agreement gives no number of months.

    >>> due_on(date(2026, 8, 31), 6), due_on(date(2026, 1, 15), None)
    (datetime.date(2027, 2, 28), None)
    """
    if months is None:
        return None
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1] if year < 9999 else 31
    return date(year, month + 1, min(day.day, last))


def day_of(delivery: Delivery) -> date:
    """The day that a delivery is called by: that of its folder, else that on which it came."""
    try:
        return date.fromisoformat(delivery.day)
    except ValueError:
        day: date = delivery.created.date()
        return day


def erased_on(delivery: Delivery) -> date | None:
    """The day on which an accepted delivery is erased: not before people had their notice."""
    if delivery.state != "accepted" or delivery.lost:
        return None
    due = due_on(day_of(delivery), delivery.organisation.keep_months)
    if due is None or (end := end_of_notice(delivery, due)) is None:
        return due
    return max(due, end)


def end_of_notice(delivery: Delivery, due: date) -> date | None:
    """The day on which the notice of an erasure ends; None where nobody was told of this day."""
    notice = delivery.summary.get(NOTICE_KEY)
    if notice is None or notice["due"] != due.isoformat():
        return None
    return date.fromisoformat(notice["on"]) + NOTICE
