"""What one method found: a number with its interval, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ctdhub.stats.mse.bca import BootstrapInterval

Name = Literal[
    "independent", "stepwise", "bic", "average", "graphs",
    "common_square", "common_log", "common_strong", "at_least",
    "independent_strata", "stepwise_strata",
]  # fmt: skip
Why = Literal["no_finite_estimate", "too_many_lists", "few_lists", "nobody_on_three", "too_wide"]
Doubt = Literal["edge"]


@dataclass(frozen=True)
class Method:
    """What one method found.

    Attributes:
        name: of the method.
        value, low, high: people in the population, seen and unseen, with the interval at the
            result's level; None where ``why`` says so.
        why: why there is no number; None where there is one.
        doubts: what speaks against its numbers; a method with one takes no part in ranges.
        pairs: lists that depend on each other, by name, where the method names some.
        bootstrap: how the interval came about, where it is one of the bootstrap.
    """

    name: Name
    value: float | None = None
    low: float | None = None
    high: float | None = None
    why: Why | None = None
    doubts: tuple[Doubt, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    bootstrap: BootstrapInterval | None = None
