"""The tables that states and the United Nations ask for, out of one release.

Belongs here: one module for each shape, what their lines have in common, population, writing.
Does not belong here: any figure that a release does not hold (suspects, convictions).

Every table is aligned with what its users ask for, not certified by them, and says what is missing.
"""

from __future__ import annotations

from collections.abc import Callable

from ctdhub.insight.answers import Answers
from ctdhub.insight.mandated import eurostat, greta, sdg
from ctdhub.insight.mandated.population import Population, load_population
from ctdhub.insight.mandated.sheet import Line, Scope, Sheet, reported_places, scope
from ctdhub.insight.mandated.writing import FORMATS, metadata, written

SHAPES: dict[str, Callable[[Answers, Scope], Sheet]] = {
    "sdg-16.2.2": sdg.sheet,
    "eurostat": eurostat.sheet,
    "greta": greta.sheet,
}
"""By name what makes the table."""

__all__ = [
    "FORMATS",
    "SHAPES",
    "Line",
    "Population",
    "Scope",
    "Sheet",
    "load_population",
    "metadata",
    "reported_places",
    "scope",
    "written",
]
