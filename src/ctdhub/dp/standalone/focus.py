"""Which pair of columns readers use most: what a draft proposes, and what goes without it.

Belongs here: the proposal, and from how many people on the records keep a combination of two wide
columns.  Does not belong here: how the budget is shared (``dp.plan``).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from itertools import combinations

from pydantic import ValidationError

from ctdhub.dp.accounting import rho_of
from ctdhub.dp.plan import NARROW, Columns, Plan
from ctdhub.dp.pooling import variances
from ctdhub.dp.standalone.domains import DomainColumn, DomainsFile, Focus
from ctdhub.dp.synth.origin_destination import KEEP_SIGMAS
from ctdhub.dp.workload import workload

SEX = re.compile("sex|gender|sexe|genre|sexo|género|genero|sesso|geschlecht|пол|стать|الجنس|النوع")
"""Words of a header that say that its column is one of sex or gender."""

SEXES = {
    *("f", "m", "x", "female", "male", "woman", "man", "girl", "boy", "femme", "homme", "mujer"),
    *("hombre", "femenino", "masculino", "féminin", "masculin", "other", "ذكر", "أنثى"),
}
"""Values, in small letters, of such a column."""


def proposed(columns: Mapping[str, DomainColumn]) -> Focus | None:
    """The focus for a table: two columns of countries, else the two widest, by years and sex.

    None where fewer than two columns have more values than NARROW, or the tables would be too many
    to count.
    """
    countries = [n for n, column in columns.items() if column.values == "countries"]
    wide = [n for n, column in columns.items() if len(column.domain) >= NARROW]
    wide.sort(key=lambda n: (n not in countries, -len(columns[n].domain)))
    if len(wide) < 2:
        return None
    pair = (wide[0], wide[1])
    by = [n for n, column in columns.items() if column.years and n not in pair][:1]
    by += [n for n, column in columns.items() if _of_sex(n, column) and n not in pair][:1]
    focus = Focus(corridor=pair, by=tuple(by))
    try:
        DomainsFile(version="1", columns=dict(columns), focus=focus)
    except ValidationError:
        return None
    return focus


def kept_from(plan: Plan, epsilon: float, delta: float) -> dict[Columns, int]:
    """By pair of wide columns that is no focus: people from whom on its combinations are kept.

    The records keep what stands out of the noise; smaller combinations are spread over what
    is likely by all tables together.  It depends on public values alone.

    Raises:
        PolicyError: epsilon is too small for the tables.
    """
    focus = {*(plan.corridor or ())}
    pairs = [t for t in combinations(plan.ordered(tuple(plan.wide)), 2) if {*t} != focus]
    if not pairs:
        return {}
    variance = variances(workload(plan, rho_of(epsilon, delta)))
    pairs = [t for t in pairs if t in variance]
    return {t: math.ceil(KEEP_SIGMAS * variance[t] ** 0.5) for t in pairs}


def _of_sex(name: str, column: DomainColumn) -> bool:
    words = re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    values = {value.casefold() for value in column.domain}
    few = len(values) <= NARROW
    return few and (any(SEX.fullmatch(w.casefold()) for w in words) or (len(values & SEXES) > 1))
