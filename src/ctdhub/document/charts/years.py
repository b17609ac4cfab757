"""Draw people by year as inline SVG: points with whiskers, and the contributors' timeline.

Years run from left to right in every language, as on the axis of a printed chart: nothing here is
mirrored.  Widths are in per cent and heights in pixels, as in ``bars``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection

from markupsafe import Markup

from ctdhub.core.format import number, year
from ctdhub.core.i18n import _
from ctdhub.report.series import Panel
from ctdhub.report.wording import sized
from ctdhub.stats.tables import Row

HIGH, ABOVE, BELOW = 130, 26, 22
"""Pixels of the plot, of the room above it for labels and below it for years."""
DIAMOND = "M0-6L6 0L0 6L-6 0Z"
"""The mark of the same contributors, around its place."""
_LABELS = 6
"""Years that are written below a panel, at most."""


def scale(top: float) -> int:
    """The end of the axis: the first of 1, 2, 3, 4, 5, 6, 8, 10, 20 … that is not below ``top``.

    >>> scale(4971), scale(1), scale(12), scale(2400)
    (5000, 1, 20, 3000)
    """
    power = 1
    while 10 * power < top:
        power *= 10
    return next(k * power for k in (1, 2, 3, 4, 5, 6, 8, 10) if k * power >= top)


def draw_panel(
    panel: Panel,
    id_: str,
    top: float,
    written: Callable[[float], str] = number,
    turns: Collection[str] = (),
) -> Markup:
    """One line's points in an ``<svg>`` that is named by the elements ``<id>-t`` and ``<id>-s``.

    Args:
        top: the end of the axis, in people or as a share, the same for all panels of a chart.
        written: how the axis writes a value; shares are written as per cent.
        turns: years before which a line is drawn, because other contributors report from then on.
    """
    rows = [r for r in panel.rows if r.codes[0]]
    body = [
        _grid((value, at), written)
        for value, at in ((0, 0.0), (top / 2, 0.5), (top, 1.0))
        if written is not number or _whole(value)
    ]
    body += [_turn(k, len(rows)) for k, row in enumerate(rows) if k and row.codes[0] in turns]
    body += [_year(k, row, len(rows)) for k, row in enumerate(rows)]
    body += [_same(k, panel, rows, top) for k in range(len(rows))]
    body += [_join(k, rows, top) for k in range(1, len(rows))]
    body += [_mark(k, row, len(rows), top) for k, row in enumerate(rows)]
    shown = [k for k, row in enumerate(rows) if _is_shown(row)]
    if shown:
        body.append(_text(rows, shown[-1], top))
    return Markup(
        '<svg class="chart years" role="img" aria-labelledby="{id}-t {id}-s" width="100%" '
        'height="{h}">{body}</svg>'
    ).format(id=id_, h=HIGH + ABOVE + BELOW, body=Markup("").join(body))


def draw_span(years: tuple[int, ...], covered: tuple[int, int]) -> Markup:
    """The years that a contributor covers, on the axis of the panels."""
    inside = [k for k, y in enumerate(years) if covered[0] <= y <= covered[1]]
    bar = Markup("")
    if inside:
        bar = Markup('<rect class="bar" x="{x:.2f}%" y="2" width="{w:.2f}%" height="8"/>').format(
            x=100 * inside[0] / len(years), w=100 * len(inside) / len(years)
        )
    return Markup(
        '<svg class="chart years" aria-hidden="true" width="100%" height="12">'
        '<line class="grid" x1="0" x2="100%" y1="6" y2="6"/>{bar}</svg>'
    ).format(bar=bar)


def _whole(value: float) -> bool:
    return value == int(value)


def _is_shown(row: Row) -> bool:
    return row.kind != "nobody_reports" and row.people.value is not None


def _x(k: int, n: int) -> float:
    return 100 * (k + 0.5) / n


def _y(people: float, top: float) -> float:
    return ABOVE + HIGH * (1 - min(1.0, people / top))


def _turn(k: int, n: int) -> Markup:
    """A line between two years."""
    return Markup('<line class="turn" x1="{x:.2f}%" x2="{x:.2f}%" y1="{a}" y2="{b}"/>').format(
        x=100 * k / n, a=ABOVE - 8, b=ABOVE + HIGH
    )


def _grid(at: tuple[float, float], written: Callable[[float], str]) -> Markup:
    y = ABOVE + HIGH * (1 - at[1])
    return Markup(
        '<line class="grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
        '<text x="-6" y="{t:.1f}" text-anchor="end">{n}</text>'
    ).format(y=y, t=y + 5, n=written(at[0]))


def _year(k: int, row: Row, n: int) -> Markup:
    if k % math.ceil(n / _LABELS):
        return Markup("")
    return Markup('<text x="{x:.2f}%" y="{y}" text-anchor="middle">{year}</text>').format(
        x=_x(k, n), y=ABOVE + HIGH + BELOW - 4, year=year(row.codes[0])
    )


def _join(k: int, rows: list[Row], top: float) -> Markup:
    """A thin line between neighbours that are both shown."""
    if not (_is_shown(rows[k - 1]) and _is_shown(rows[k])):
        return Markup("")
    return Markup(
        '<line class="join" x1="{a:.2f}%" y1="{b:.1f}" x2="{c:.2f}%" y2="{d:.1f}"/>'
    ).format(
        a=_x(k - 1, len(rows)),
        b=_y(rows[k - 1].people.value or 0, top),
        c=_x(k, len(rows)),
        d=_y(rows[k].people.value or 0, top),
    )


def _same(k: int, panel: Panel, rows: list[Row], top: float) -> Markup:
    """A hollow diamond for the same contributors in every year, with its whisker and a join."""
    same = panel.shift.same if panel.shift else {}
    card = same.get(rows[k].codes[0])
    if card is None or card.value is None:
        return Markup("")
    line = Markup('<line class="{c}" x1="{a:.2f}%" y1="{b:.1f}" x2="{d:.2f}%" y2="{e:.1f}"/>')
    x, y = _x(k, len(rows)), _y(card.value, top)
    ends = (_y(end, top) for end in (card.low or 0, card.high or 0))
    low, high = ends
    found = line.format(c="same", a=x, b=low, d=x, e=high)
    before = same.get(rows[k - 1].codes[0]) if k else None
    if before is not None and before.value is not None:
        found += line.format(
            c="same dashed", a=_x(k - 1, len(rows)), b=_y(before.value, top), d=x, e=y
        )
    return found + Markup(
        '<svg x="{x:.2f}%" y="{y:.1f}" overflow="visible"><path class="same" d="{d}"/></svg>'
    ).format(x=x, y=y, d=DIAMOND)


def _mark(k: int, row: Row, n: int, top: float) -> Markup:
    """A point with its whisker; a dashed line where too few are shown; a band where nobody is."""
    if row.kind == "nobody_reports":
        return Markup(
            '<rect class="nobody" x="{x:.2f}%" y="{y}" width="{w:.2f}%" height="{h}"/>'
        ).format(x=100 * k / n, y=ABOVE, w=100 / n, h=HIGH)
    people = row.people
    if people.low is None or people.high is None:
        return Markup("")
    line = Markup('<line class="{c}" x1="{x:.2f}%" x2="{x:.2f}%" y1="{a:.1f}" y2="{b:.1f}"/>')
    if people.value is None:
        return line.format(c="veiled", x=_x(k, n), a=_y(0, top), b=_y(people.high, top))
    whisker = line.format(c="whisker", x=_x(k, n), a=_y(people.low, top), b=_y(people.high, top))
    point = Markup('<circle class="bar" cx="{x:.2f}%" cy="{y:.1f}" r="3.5"/>')
    return point.format(x=_x(k, n), y=_y(people.value, top)) + whisker


def _text(rows: list[Row], k: int, top: float) -> Markup:
    """Year, value and half-width of a point, above all points that the text may cover."""
    late = 2 * k >= len(rows)
    half = math.ceil(len(rows) / 2)
    below = rows[max(0, k - half) : k + 1] if late else rows[k : k + half + 1]
    peak = max((r.people.high or 0 for r in below if _is_shown(r)), default=0)
    return Markup(
        '<text class="number" x="{x:.2f}%" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
    ).format(
        x=_x(k, len(rows)),
        y=_y(peak, top) - 8,
        anchor="end" if late else "start",
        text=_("{year}: {people}").format(
            year=year(rows[k].codes[0]), people=sized(rows[k].people)
        ),
    )
