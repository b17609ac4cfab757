"""What stands on each page, in the language in force."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ctdhub.site.course import page as learn
from ctdhub.site.edition import Edition
from ctdhub.site.explorer import page as explore
from ctdhub.site.frame import Page
from ctdhub.site.pages import (
    assistance,
    briefs,
    corridors,
    data,
    estimates,
    events,
    facts,
    help,
    home,
    mandated,
    map,
    methods,
    places,
    signals,
    trends,
)
from ctdhub.site.stories import page as stories
from ctdhub.stats.answers import Answers


def pages(answers: Answers, edition: Edition) -> Iterator[Page]:
    """Every page of a site, in the language in force; stories come last and link to others."""
    held = set()
    for page in _without_stories(answers, edition):
        held.add(page.path)
        yield page
    if edition.stories:
        yield from stories.pages(answers, edition.stories, held)


def _without_stories(answers: Answers, edition: Edition) -> Iterator[Page]:
    yield home.page(answers, edition.stories[0] if edition.stories else None)
    yield explore.page(answers, offline=edition.offline)
    yield map.page(answers)
    yield from places.pages(answers)
    yield corridors.page(answers)
    yield trends.page(answers)
    yield facts.page(answers)
    yield signals.page(answers)
    yield estimates.page(answers)
    yield assistance.page(answers)
    yield from learn.pages(answers)
    if edition.calendar is not None:
        yield events.page(answers.release, edition.calendar)
    yield briefs.page(answers)
    yield from data.pages(answers.release)
    yield mandated.page(answers)
    yield methods.page(answers.release, edition)
    yield help.page()


def fitting(answers: Answers, edition: Edition) -> Edition:
    """The edition as far as an earlier release can carry it.

    A story that asks for what the release does not hold, or links to a page that it does not have,
    was never told on it.
    """
    told = edition.stories
    if not told:
        return edition
    others = {page.path for page in _without_stories(answers, replace(edition, stories=()))}
    while told:
        held = {*others, *(stories.path(story) for story in told)}
        fit = tuple(story for story in told if stories.fits(answers, story, held))
        if fit == told:
            break
        told = fit  # a story may link to another one
    return replace(edition, stories=told)


__all__ = ["fitting", "pages"]
