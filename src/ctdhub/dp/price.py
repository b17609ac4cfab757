"""What a charge would cost, told to whoever owns the data before it is made.

Belongs here: the price, its words, the refusal to pay it.
Does not belong here: counting and charging (``engine``), who is asked (``cli.hub``).

The price and its reasons follow from exact counts.  They are for the steward alone, who may see
these counts, and are written into nothing that leaves the hub.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ctdhub.core.errors import HubError, error, printable
from ctdhub.core.i18n import Text, joined, texts

Cause = Literal["first", "people", "columns", "settings", "method", "lost", "version", "unfinished"]
"""Why a request is not answered already: what is different from the last one that was paid."""

CAUSES: tuple[Cause, ...] = get_args(Cause)

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Price:
    """What one charge costs.

    Attributes:
        epsilon, delta: of the charge alone; epsilon is 0 where it was paid for already.
        left: the most epsilon that this charge might have, within the budget of the hub.
        left_by_contributor: the same by id of each contributor that takes part and whose
            agreement sets a limit.
        because: what makes the request another one than the last that was paid.
    """

    epsilon: float
    delta: float
    left: float
    left_by_contributor: Mapping[str, float]
    because: tuple[Cause, ...]


Pay = Callable[[Price], None]
"""Told a price before it is charged; whoever does not want to pay raises :func:`refusal`."""


def refusal(price: Price) -> HubError:
    """The refusal of a price."""
    cost, left, reason = price.epsilon, price.left, why(price.because)
    if not price.left_by_contributor:
        return error("would-charge", cost=cost, left=left, why=reason)
    limits = sorted(price.left_by_contributor.items())
    agreed = ", ".join(f"{printable(name)} {epsilon:.4g}" for name, epsilon in limits)
    return error("would-charge/agreements", cost=cost, left=left, why=reason, agreed=agreed)


def up_to(epsilon: float) -> Pay:
    """Pay what costs at most ``epsilon``, refuse what costs more.

    >>> up_to(0)(Price(1.0, 1e-8, 8.0, {}, ("people",)))
    Traceback (most recent call last):
        ...
    ctdhub.core.errors.WouldCharge: Going on would spend privacy budget: epsilon 1; ...
    """

    def pay(price: Price) -> None:
        if price.epsilon > epsilon + _ROUNDING:
            raise refusal(price)

    return pay


def why(because: Sequence[Cause]) -> Text:
    """The reasons in words."""
    words = texts("ctdhub.dp", "price")
    return joined([words[cause] for cause in because], Text("; "))
