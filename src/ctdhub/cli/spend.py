"""Asking before privacy budget is spent: on a terminal a person, elsewhere the option --spend."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.markup import escape

from ctdhub.cli.output import errors
from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import WouldCharge
from ctdhub.core.i18n import _

if TYPE_CHECKING:
    from ctdhub.dp.price import Pay, Price

Spend = Annotated[
    float | None,
    typer.Option(
        "--spend",
        metavar="EPSILON",
        min=0,
        help=_("Privacy budget that may be spent unasked; on a terminal the command asks."),
    ),
]

AcceptAlarms = Annotated[
    bool,
    typer.Option("--accept-alarms", help=_("Charge even though alarms about the data are open.")),
]

OPEN_ALARMS = "open-alarms"
"""The rule that refuses a charge while an alarm is open."""

_Answer = TypeVar("_Answer")


def asking(
    spend: float | None,
    work: Callable[[Pay, bool], _Answer],
    accept_alarms: bool = False,
    show: Callable[[], None] | None = None,
) -> _Answer:
    """Do work that may have to be paid for.

    Nothing is held while a person thinks: the work breaks off at the price, and begins again where
    it was once the price may be spent.

    Args:
        spend: the most epsilon that may be spent unasked, None where a person is to be asked.
        work: told what may be spent, and whether alarms about the data are accepted.
        accept_alarms: whether they are accepted unasked.
        show: shows the open alarms before a person is asked whether they are accepted.

    Raises:
        WouldCharge: it may not be spent; nothing was charged.
        UsageError: ``spend`` is no finite number (rule ``usage``).
    """
    from ctdhub.dp.price import up_to

    if spend is not None and not math.isfinite(spend):
        raise error("usage/finite", name="--spend")
    may = spend or 0.0
    told: list[Price] = []

    def pay(price: Price) -> None:
        told.append(price)
        up_to(may)(price)

    while True:
        try:
            return work(pay, accept_alarms)
        except WouldCharge as refused:
            if spend is not None or not _somebody_there():
                raise
            if refused.rule == OPEN_ALARMS and show:
                show()
            errors.print(escape(refused.what))
            if refused.rule == OPEN_ALARMS:
                if not typer.confirm(_("Accept these alarms for this charge?"), err=True):
                    raise
                accept_alarms = True
                continue
            if not typer.confirm(_("Spend it?"), err=True):
                raise
            may = told[-1].epsilon


def _somebody_there() -> bool:
    return sys.stdin.isatty() and errors.is_terminal
