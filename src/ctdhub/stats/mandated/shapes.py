"""The tables that states and the United Nations ask for, out of one release.

Every table is aligned with what its users ask for, not certified by them, and says what is missing.
"""

from __future__ import annotations

from collections.abc import Callable

from ctdhub.stats.answers import Answers
from ctdhub.stats.mandated import eurostat, greta, sdg
from ctdhub.stats.mandated.lines import MandatedLine, MandatedTable, Scope, reported_places, scope
from ctdhub.stats.mandated.population import Population, load_population

SHAPES: dict[str, Callable[[Answers, Scope], MandatedTable]] = {
    "sdg-16.2.2": sdg.sheet,
    "eurostat": eurostat.sheet,
    "greta": greta.sheet,
}
"""By name what makes the table."""

__all__ = [
    "SHAPES",
    "MandatedLine",
    "MandatedTable",
    "Population",
    "Scope",
    "load_population",
    "reported_places",
    "scope",
]
