"""What stands on each page, in the language in force.

Belongs here: one module for each kind of page.
Does not belong here: what all pages share (``frame``), how a figure is drawn (``draw``).
"""

from __future__ import annotations

from collections.abc import Iterator

from ctdhub.insight import Answers
from ctdhub.portal.frame import Page
from ctdhub.portal.pages import corridors, data, help, home, map, methods, places, trends


def pages(answers: Answers) -> Iterator[Page]:
    """Every page of a release, in the language in force."""
    yield home.page(answers)
    yield map.page(answers)
    yield from places.pages(answers)
    yield corridors.page(answers)
    yield trends.page(answers)
    yield from data.pages(answers.release)
    yield methods.page(answers.release)
    yield help.page()


__all__ = ["pages"]
