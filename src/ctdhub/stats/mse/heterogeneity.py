"""If some people are easier to find than others: rows that allow for it, and a test of it.

Where the chance to be on list j is a x p_j and a differs from person to person, every overlap is
larger than independent lists would have it, and every method that takes people to be alike is too
low: to first order its estimate is N / (1 + CV2), CV2 the squared coefficient of variation of a.

**Common interaction** (J. N. Darroch, S. E. Fienberg, G. F. V. Glonek, B. W. Junker, 1993, J. Am.
Stat. Assoc. 88:1137; S. Baillargeon and L.-P. Rivest, 2007, J. Stat. Softw. 19(5)): the log-linear
model of independent lists with one more column, h(k) of the number k of lists of a cell.  Three
forms are shown: h = k^2 / 2, and h = log a - log(a + k) with a = 3.5 and a = 0.5, in which more and
more people are harder to find.  z is the coefficient of the first over its standard error; people
who differ make it positive; where it is negative a row shows the estimate of people who are alike,
and the higher of the two upper ends.  The last form is there for the upper end: where z does not
see that people differ, the other two are often too low with it (``benchmarks/estimate.py``).

**Bound** (L.-P. Rivest and S. Baillargeon, 2007, Biometrics 63:999; A. Chao, 1987, Biometrics
43:783): free effects of three and more lists, so that only people on one list or two are compared.
It is a lower bound where people differ and lists do not avoid each other.

Intervals take log(people on no list) as normal, with the variance of the intercept plus
1 / (people on no list), and what the noise of protection adds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np

from ctdhub.stats.mse.lists import Bools, Floats, Lists, members
from ctdhub.stats.mse.loglinear import Columns
from ctdhub.stats.mse.methods import Method, Name

HINT, SIGN = 0.9, 1.645
"""z from which the lists hint that people differ (18 of 100 tables of people who do not reach it)
and from which they show it (5 of 100)."""
WIDEST = 10.0
"""Upper over lower end beyond which an interval says too little to be a number."""
TIMES = (2, 5, 10)
"""How many times harder half of the people may be to find."""

_FORMS: dict[Name, Callable[[Floats], Floats]] = {
    "common_square": lambda k: k**2 / 2,
    "common_log": lambda k: np.log(3.5) - np.log(3.5 + k),
    "common_strong": lambda k: np.log(0.5) - np.log(0.5 + k),
}


@dataclass(frozen=True)
class Uneven:
    """What is said if people differ in how easily they are found.

    Attributes:
        z: of the common interaction, h = k^2 / 2; None where no form of it gave a number.
        rows: the common interaction in three forms, and the lower bound.
        what_if: how many times harder half of the people are to find, and the people there then
            are by the lists taken as independent; () where these gave no number.
    """

    z: float | None
    rows: tuple[Method, ...]
    what_if: tuple[tuple[int, float], ...]

    @property
    def hinted(self) -> bool:
        """Whether the lists hint that people differ; what takes them to be alike is then a lower
        end, and no range may be claimed to hold the population."""
        return self.z is not None and self.z > HINT

    @property
    def asked(self) -> bool:
        """Whether the lists can be asked how far people differ: every form gives a number."""
        return all(row.value is not None for row in self.rows if row.name in _FORMS)

    @property
    def shown(self) -> bool:
        """Whether the lists show that people differ."""
        return self.z is not None and self.z > SIGN


def uneven(lists: Lists, level: float, independent: float | None) -> Uneven:
    """All rows.

    Args:
        lists: as the gate let them through.
        level: of the intervals, in 0..1.
        independent: people by the lists taken as independent; None where there is no number.
    """
    forms = [_common(lists, level, name) for name in _FORMS]
    z = forms[0][1] if any(row.value is not None for row, _z in forms) else None
    rows = (*(row for row, _z in forms), _bound(lists, level))
    return Uneven(z, rows, () if independent is None else what_if(independent))


def what_if(people: float) -> tuple[tuple[int, float], ...]:
    """The population if half of the people are so many times harder to find on every list.

    1 + CV2 is then 2 (1 + k^2) / (1 + k)^2; it multiplies the whole number that is printed, so
    that a reader can check it.

    >>> [(k, round(n)) for k, n in what_if(2020.9)]
    [(2, 2246), (5, 2919), (10, 3374)]
    """
    return tuple((k, round(people) * 2 * (1 + k**2) / (1 + k) ** 2) for k in TIMES)


def _common(lists: Lists, level: float, name: Name) -> tuple[Method, float | None]:
    """A row of the common interaction, and its z."""
    if len(lists.names) < 3:
        return Method(name, why="few_lists"), None
    every = np.ones(len(lists.y), dtype=bool)
    three = lists.on.sum(axis=1) >= 3
    half = NormalDist().inv_cdf((1 + level) / 2) * lists.sigma * float(three.sum()) ** 0.5
    if float(lists.y[three].sum()) - half <= 0:
        return Method(name, why="nobody_on_three"), None
    found = _fitted(lists, level, _columns(len(lists.names), name), every)
    alike = _fitted(lists, level, _columns(len(lists.names), None), every)
    if found is None or alike is None:
        return Method(name, why="no_finite_estimate"), None
    people, z = found
    if z < 0:  # the coefficient is at least 0: at 0 people are alike
        people = (alike[0][0], alike[0][1], max(people[2], alike[0][2]))
    return _row(name, people), z


def _bound(lists: Lists, level: float) -> Method:
    if len(lists.names) < 3:
        return Method("at_least", why="few_lists")
    columns = _columns(len(lists.names), None)
    found = _fitted(lists, level, columns, lists.on.sum(axis=1) <= 2)
    return Method("at_least", why="no_finite_estimate") if not found else _row("at_least", found[0])


def _row(name: Name, people: tuple[float, float, float]) -> Method:
    _value, low, high = people
    return Method(name, *people) if high <= WIDEST * low else Method(name, why="too_wide")


def _fitted(
    lists: Lists, level: float, columns: Columns, cells: Bools
) -> tuple[tuple[float, float, float], float] | None:
    """People with their interval, and the last coefficient over its standard error; None where no
    finite estimate exists."""
    y, kept = lists.y[None] * cells, cells[None]
    finite = np.ones((1, columns.x.shape[1]), dtype=bool)
    if not columns.exists(y, finite, kept)[0]:
        return None
    b, means = columns.fit(y, finite, kept)
    inverse = columns.covariance(means, finite)[0]
    if lists.sigma:
        slopes = inverse @ columns.x.T * cells
        inverse = inverse + lists.sigma**2 * slopes @ slopes.T
    z = float(b[0, -1] / inverse[-1, -1] ** 0.5)
    hidden = float(np.exp(b[0, 0]))
    error = float(inverse[0, 0] + 1 / hidden) ** 0.5 if hidden > 0 else np.inf
    reach = float(np.exp(min(NormalDist().inv_cdf((1 + level) / 2) * error, 700.0)))
    seen = lists.seen
    return (seen + hidden, seen + hidden / reach, seen + hidden * reach), z


@lru_cache(maxsize=32)
def _columns(lists: int, form: Name | None) -> Columns:
    """Intercept, lists, and a form of the common interaction if one is named."""
    on = members(lists)
    parts: list[Floats] = [np.ones((len(on), 1)), on.astype(np.float64)]
    if form is not None:
        parts.append(_FORMS[form](on.sum(axis=1).astype(np.float64))[:, None])
    return Columns(np.hstack(parts))
