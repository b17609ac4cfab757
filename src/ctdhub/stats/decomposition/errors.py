"""A number and the independent errors in it, carried through sums, products and quotients.

Method.  Each draw of noise has a name; a number keeps, by name, how far one standard deviation of
that draw moves it.  Sums and differences are exact.  Products and quotients keep the first-order
term of Taylor's series (the delta method: G. W. Oehlert, 1992, The American Statistician 46:27),
so numbers that share a draw stay correlated rightly.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field

Errors = Mapping[Hashable, float]


@dataclass(frozen=True)
class Noisy:
    """A value and its errors.

    Attributes:
        value: the estimate.
        errors: by name of a draw, what one standard deviation of it adds; the draws are
            independent of each other.

    >>> a, b = Noisy(10, {"a": 3.0}), Noisy(6, {"b": 4.0})
    >>> (a + b).value, (a + b).sd, (a - a).sd
    (16, 5.0, 0.0)
    """

    value: float
    errors: Errors = field(default_factory=dict)

    @property
    def sd(self) -> float:
        """Standard deviation."""
        return math.hypot(*self.errors.values())

    def is_clear(self, times: float) -> bool:
        """Whether it lies above zero by so many standard deviations."""
        return self.value > times * self.sd

    def __add__(self, other: Noisy) -> Noisy:
        return Noisy(self.value + other.value, _mixed((self, 1.0), (other, 1.0)))

    def __sub__(self, other: Noisy) -> Noisy:
        return Noisy(self.value - other.value, _mixed((self, 1.0), (other, -1.0)))

    def __mul__(self, other: Noisy) -> Noisy:
        return Noisy(self.value * other.value, _mixed((self, other.value), (other, self.value)))

    def __truediv__(self, other: Noisy) -> Noisy:
        ratio = self.value / other.value
        return Noisy(ratio, _mixed((self, 1 / other.value), (other, -ratio / other.value)))

    def times(self, factor: float) -> Noisy:
        """The product with an exact number."""
        return Noisy(self.value * factor, _mixed((self, factor)))


def total(numbers: Iterable[Noisy]) -> Noisy:
    """The sum."""
    found = Noisy(0.0)
    for number in numbers:
        found = found + number
    return found


def _mixed(*parts: tuple[Noisy, float]) -> dict[Hashable, float]:
    found: dict[Hashable, float] = {}
    for number, factor in parts:
        for name, error in number.errors.items():
            found[name] = found.get(name, 0.0) + factor * error
    return found
