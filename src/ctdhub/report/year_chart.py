"""People by year as a block to draw, in the language in force: the years that are covered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from ctdhub.core.format import number, year
from ctdhub.core.i18n import _, formula
from ctdhub.document.document import Ends, Point, Years
from ctdhub.document.svg import round_top
from ctdhub.report.figures import Figure
from ctdhub.report.wording import printed, sized, state_words
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.table import Row

NOTHING: Mapping[str, NumberCard] = {}


def year_chart(
    rows: Sequence[Row],
    top: float,
    written: Callable[[float], str] = number,
    turns: Collection[str] = (),
    same: Mapping[str, NumberCard] = NOTHING,
    peak: str = "",
) -> Years:
    """One line's points; the last that is shown, and the peak, stand in words in the picture.

    Args:
        rows: in the order of the years; those without a year, and years before the first or after
            the last that somebody covers, are left out.
        top: the end of the axis, in people or as a share, the same for all panels of a chart.
        written: how the axis writes a value; of people, half of ``top`` is written where it is
            a whole number.
        turns: years before which a line is drawn, because other contributors report from then on.
        same: by year, the people whom the same contributors registered in every year.
        peak: the year that the headline names, which is labelled too.
    """
    dated = [row for row in covered_rows(rows) if row.codes[0]]
    points = tuple(point(row, same.get(row.codes[0])) for row in dated)
    shown = [k for k, p in enumerate(points) if p.state == "shown"]
    half = top / 2
    return Years(
        points=points,
        top=top,
        axis=(
            written(0),
            "" if written is number and half != int(half) else written(half),
            written(top),
        ),
        turns=tuple(k for k, row in enumerate(dated) if k and row.codes[0] in turns),
        marked=tuple(sorted({*shown[-1:], *(k for k in shown if dated[k].codes[0] == peak)})),
    )


def line_of(figure: Figure) -> Years:
    """The years of a figure by year as a line."""
    rows = figure.table.rows
    values = [r.people.high or 0 for r in rows if r.kind == "value" and r.people.value is not None]
    largest = figure.table.largest
    peak = largest.codes[0] if largest else ""
    return year_chart(rows, round_top(max(values, default=1)), peak=peak, turns=figure.turns)


def covered_rows(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows by year without those before the first and after the last year that somebody covers.

    >>> covered_rows([])
    ()
    """
    covered = [k for k, row in enumerate(rows) if row.codes[0] and row.kind != "nobody_reports"]
    first, last = (covered[0], covered[-1]) if covered else (len(rows), -1)
    return tuple(row for k, row in enumerate(rows) if not row.codes[0] or first <= k <= last)


def point(row: Row, same: NumberCard | None = None) -> Point:
    """A year in words, and what is drawn of it."""
    people, words = row.people, year(row.codes[0])
    beside = None
    if same is not None and same.value is not None:
        beside = Ends(same.value, same.low or 0, same.high or 0)
    if row.kind == "nobody_reports":
        return Point(words, state_words("nobody_reports"), "nobody", same=beside)
    if people.low is None or people.high is None:
        return Point(words, state_words("not_measured"), "not_measured", same=beside)
    if people.value is None:
        text = sized(people)
        return Point(words, text, "protected", high=people.high, same=beside)
    text = sized(people)
    value, low, high = printed(people)
    number_, ends = formula(value), formula(f"{low}–{high}")
    label = _("{year}: {people}").format(year=words, people=formula(f"{value} ({low}–{high})"))
    drawn = people.value, people.low, people.high
    return Point(words, text, "shown", *drawn, label, beside, number_, ends)
