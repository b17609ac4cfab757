"""The methods that estimate the hidden population side by side: a block to draw, a file."""

from __future__ import annotations

from collections.abc import Mapping

from ctdhub.core.errors import printable
from ctdhub.core.format import number, share
from ctdhub.core.i18n import RIGHT_TO_LEFT, _, current
from ctdhub.document.charts.dots import body
from ctdhub.document.document import Bar, Dots
from ctdhub.document.svg import EMPTY, round_top
from ctdhub.report import mse as words
from ctdhub.report.picture import alone
from ctdhub.stats.mse.estimate import Result
from ctdhub.stats.mse.methods import Method


def methods(result: Result) -> Dots:
    """The methods side by side, then the rows if people differ and those of strata."""
    rows = (*result.methods, *differing(result))
    top = float(round_top(max((m.high for m in rows if m.high is not None), default=1.0)))
    return Dots(
        rows=tuple(_row(method) for method in rows),
        top=top,
        axis=(number(0.0), number(top / 2), number(top)),
    )


def differing(result: Result) -> tuple[Method, ...]:
    """The rows that allow for people who differ in how easily they are found."""
    uneven = result.uneven.rows if result.uneven else ()
    return (*uneven, *(result.strata.rows if result.strata else ()))


def chart_file(result: Result, names: Mapping[str, str], source: str, first: str = "") -> str:
    """The chart as an SVG file that stands alone, in the language in force.

    Args:
        names: how lists are shown, by their names in the table.
        source: where the table came from.
        first: a warning that stands before all others.
    """
    notes = [words.seen(result), *words.warnings(result, names), *words.always()]
    notes.append(_("Source: {source}.").format(source=printable(source)))
    if result.gate.refused:
        return alone(title(), words.refusal(result.gate, names), EMPTY, notes)
    subtitle = f"{first} {words.spread(result)} {note(result)}".strip()
    return alone(title(), subtitle, body(methods(result), rtl=current() in RIGHT_TO_LEFT), notes)


def title() -> str:
    """The question."""
    return _("How large is the hidden population?")


def note(result: Result) -> str:
    """How to read a row."""
    return _(
        "Each point is the estimate of one method, including people on no list; the line is its "
        "{level} interval."
    ).format(level=share(result.level))


def ranged(method: Method) -> str:
    """Estimate and interval, or a dash."""
    if method.value is None or method.low is None or method.high is None:
        return "–"
    return _("{people} ({low} to {high})").format(
        people=number(method.value), low=number(method.low), high=number(method.high)
    )


def _row(method: Method) -> Bar:
    name = words.method_name(method.name)
    if method.value is None or method.low is None or method.high is None:
        return Bar(name, _("no number; the table says why"))
    return Bar(name, ranged(method), method.value, method.low, method.high)
