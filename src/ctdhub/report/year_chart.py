"""People by year as a block to draw, in the language in force."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from ctdhub.core.format import number, year
from ctdhub.core.i18n import _
from ctdhub.document.document import Ends, Point, Years
from ctdhub.report.wording import sized, state_words
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.table import Row

MEETING = 0.18
"""Part of the height of the axis below which two labels beside each other meet."""
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
        rows: in the order of the years; one without a year is left out.
        top: the end of the axis, in people or as a share, the same for all panels of a chart.
        written: how the axis writes a value; of people, half of ``top`` is written where it is
            a whole number.
        turns: years before which a line is drawn, because other contributors report from then on.
        same: by year, the people whom the same contributors registered in every year.
        peak: the year that the headline names, which is labelled; where the last year is so near
            that their labels would meet, alone.
    """
    dated = [row for row in rows if row.codes[0]]
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
        marked=_marked(points, shown[-1:], [k for k in shown if dated[k].codes[0] == peak], top),
    )


def _marked(
    points: Sequence[Point], last: Sequence[int], peak: Sequence[int], top: float
) -> tuple[int, ...]:
    """The last point and the peak, or the peak alone where their labels would meet."""
    for a, b in zip(peak, last, strict=False):
        apart = abs(points[a].value - points[b].value) / top if top else 0.0
        if a == b or (b - a < len(points) / 2 and apart < MEETING):
            return (a,)
    return tuple(sorted({*last, *peak}))


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
    label = _("{year}: {people}").format(year=words, people=text)
    ends = people.value, people.low, people.high
    return Point(words, text, "shown", *ends, label, beside)
