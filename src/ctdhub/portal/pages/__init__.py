"""What stands on each page, in the language in force.

Belongs here: one module for each kind of page.
Does not belong here: what all pages share (``frame``), how a figure is drawn (``draw``).
"""

from __future__ import annotations

from collections.abc import Iterator

from ctdhub.insight import Answers
from ctdhub.portal.calendar import Calendar
from ctdhub.portal.frame import Page
from ctdhub.portal.pages import corridors, data, events, help, home, learn, methods, places


def pages(answers: Answers, calendar: Calendar | None = None) -> Iterator[Page]:
    """Every page of a release, in the language in force.

    Args:
        calendar: the hub's events; None where it has none, and so no page of events.
    """
    yield home.page(answers)
    yield from places.pages(answers)
    yield corridors.page(answers)
    yield from learn.pages(answers)
    if calendar is not None:
        yield events.page(answers.release, calendar)
    yield from data.pages(answers.release)
    yield methods.page(answers.release)
    yield help.page()


__all__ = ["pages"]
