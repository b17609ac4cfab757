"""The number cards of a page with figures: what each number of a table is about."""

from __future__ import annotations

from typing import Any

from ctdhub.core.format import share
from ctdhub.release.open import Release
from ctdhub.report.called import called
from ctdhub.report.citing import bibtex, ris, template
from ctdhub.report.figures import Figure
from ctdhub.report.picture import source_line
from ctdhub.report.wording import caveat, citation, ranged, state_words


def common(release: Release) -> dict[str, Any]:
    """What all cards of a release have in common: values of the template ``card.html``."""
    return {
        "level": share(release.protected.guarantee.level),
        "names": [called(c) for c in release.facts.contributors],
        "caveat": caveat(),
        "citation": citation(release),
        "source": source_line(release, "{url}"),
        "quote": template(release),
        "plain": template(release, shares=False),
        "bibtex": bibtex("{id}", "{title}", release, "{url}"),
        "ris": ris("{title}", release, "{url}"),
        "day": release.manifest.created[:10],
    }


def base(figure: Figure) -> str:
    """The people whose answer is recorded, with their interval, or why there is no number."""
    return ranged(figure.table.base)


def missing(figure: Figure) -> str:
    """The share whose answer is not recorded, or that it was not measured."""
    part = figure.table.missing
    return state_words("not_measured") if part is None else share(part)
