"""The tables that states and the United Nations ask for, out of one release.

Every table is aligned with what its users ask for, not certified by them, and says what is missing.
"""

from __future__ import annotations

from collections.abc import Callable

from ctdhub.stats.answers import Answers
from ctdhub.stats.mandated import eurostat, greta, sdg, unodc
from ctdhub.stats.mandated.lines import (
    MandatedScope,
    MandatedTable,
)

SHAPES: dict[str, Callable[[Answers, MandatedScope], MandatedTable]] = {
    "sdg-16.2.2": sdg.sheet,
    "eurostat": eurostat.sheet,
    "greta": greta.sheet,
    "unodc": unodc.sheet,
}
"""By name what makes the table."""
