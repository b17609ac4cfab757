"""What stands on each page, in the language in force.

Belongs here: one module for each kind of page.
Does not belong here: what all pages share (``frame``), how a figure is drawn (``draw``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ctdhub.insight import Answers
from ctdhub.portal.frame import Page
from ctdhub.portal.pages import corridors, data, help, home, methods, places, stories
from ctdhub.portal.story import Story


def pages(answers: Answers, told: Sequence[Story] = ()) -> Iterator[Page]:
    """Every page of a release, in the language in force; stories come last and link to others."""
    held = set()
    for page in _without_stories(answers, told):
        held.add(page.path)
        yield page
    yield from stories.pages(answers, told, held)


def _without_stories(answers: Answers, told: Sequence[Story]) -> Iterator[Page]:
    yield home.page(answers, told[0] if told else None)
    yield from places.pages(answers)
    yield corridors.page(answers)
    yield from data.pages(answers.release)
    yield methods.page(answers.release)
    yield help.page()


__all__ = ["pages"]
