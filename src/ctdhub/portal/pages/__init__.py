"""What stands on each page, in the language in force.

Belongs here: one module for each kind of page.
Does not belong here: what all pages share (``frame``), how a figure is drawn (``draw``).
"""

from __future__ import annotations

from collections.abc import Iterator

from ctdhub.insight import Answers
from ctdhub.portal.frame import Page
from ctdhub.portal.pages import corridors, data, explore, help, home, methods, places


def pages(answers: Answers, *, offline: bool = False) -> Iterator[Page]:
    """Every page of a release, in the language in force; ``offline`` as in ``build_site``."""
    yield home.page(answers)
    yield explore.page(answers, offline=offline)
    yield from places.pages(answers)
    yield corridors.page(answers)
    yield from data.pages(answers.release)
    yield methods.page(answers.release)
    yield help.page()


__all__ = ["pages"]
