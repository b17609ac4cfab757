"""Labels of a chart by year stand beside the points that they name."""

from __future__ import annotations

import re

import pytest

from ctdhub.core.i18n import language
from ctdhub.document.charts import years as chart_years
from ctdhub.document.document import Point, Years
from ctdhub.report.figures import year_chart
from ctdhub.stats.cards import NumberCard, Row

WIDE, HIGH = 640, 320
"""Pixels of the plot; positions are in per cent of it."""


def row(year: int, people: int) -> Row:
    ends = max(1, people - 20), people + 20
    found = NumberCard(people, *ends, 0.95, "people", None, None, "shown", ("One",), None)
    return Row((str(year),), "value", found)


def parts(svg: str, tag: str, kind: str) -> list[dict[str, str]]:
    """Attributes of each element of a kind, and its text."""
    found = re.findall(rf'<{tag}((?: [a-zA-Z0-9-]+="[^"]*")*)/?>(?:([^<]*)</text>)?', svg)
    held = [{**dict(re.findall(r'([a-zA-Z0-9-]+)="([^"]*)"', a)), "": t} for a, t in found]
    return [one for one in held if one.get("class", "").split()[:1] == [kind]]


def place(mark: dict[str, str], x: str = "x", y: str = "y") -> tuple[float, float]:
    """Pixels of a mark in the plot."""
    across, down = (float(mark[name].rstrip("%")) / 100 for name in (x, y))
    return WIDE * across + float(mark.get("dx", 0)), HIGH * down + float(mark.get("dy", 0))


def series(people: dict[int, int], peak: int, top: int = 6_000) -> Years:
    with language("en"):
        return year_chart([row(*pair) for pair in people.items()], top, named=[str(peak)])


@pytest.mark.parametrize("rtl", [False, True])
@pytest.mark.parametrize("peak", [2003, 2012, 2022, 2024])
def test_a_label_stands_beside_its_point(peak: int, rtl: bool) -> None:
    """Also where a higher point is near, as 2025 beside the peak of 2022."""
    people = {y: 900 + 40 * (y % 5) for y in range(2002, 2026)} | {peak: 5_000, 2025: 3_400}
    chart = series(people, peak)
    svg = str(chart_years.draw(chart, "x", rtl=rtl))
    dots = [place(dot, "cx", "cy") for dot in parts(svg, "circle", "bar")]
    said = {mark[""]: mark for mark in parts(svg, "text", "number")}
    (top,) = (mark for words, mark in said.items() if words.startswith(f"{peak}:"))
    x, y = place(top)
    at = dots[peak - 2002]
    assert abs(x - at[0]) <= 12
    assert abs(y - at[1]) <= 12 + HIGH * 20 / 6_000
    x, y = place(said["3,400"])
    assert abs(x - dots[-1][0]) <= 12
    assert abs(y - dots[-1][1]) <= 12
    assert said["3,400"]["text-anchor"] == ("end" if rtl else "start")
    assert (x < dots[-1][0]) is rtl, "beside the line, where it has ended"


def test_right_to_left_is_the_mirror_of_left_to_right() -> None:
    chart = series({2015: 100, 2016: 300, 2017: 200}, 2016, 400)
    there, back = (str(chart_years.draw(chart, "x", rtl=rtl)) for rtl in (False, True))
    for tag, kind, name in (("circle", "bar", "cx"), ("line", "whisker", "x1")):
        first, second = (parts(svg, tag, kind) for svg in (there, back))
        for one, other in zip(first, second, strict=True):
            mirrored = 100 - float(one[name].rstrip("%"))
            assert float(other[name].rstrip("%")) == pytest.approx(mirrored, abs=0.011)
    band, mirror = (re.search(r'points="([^"]*)"', svg)[1].split() for svg in (there, back))  # type: ignore[index]
    for one, other in zip(band, mirror, strict=True):
        (x, y), (u, v) = (tuple(map(float, p.split(","))) for p in (one, other))
        assert (u, v) == (pytest.approx(1000 - x, abs=0.11), y)


def test_a_band_breaks_where_a_year_is_not_shown() -> None:
    rows = [row(y, 500) for y in range(2015, 2021)]
    few = NumberCard(None, 0, 83, 0.95, "people", None, None, "protected", ("One",), None)
    rows[2] = Row(("2017",), "value", few)
    with language("en"):
        svg = str(chart_years.draw(year_chart(rows, 600), "x"))
    assert svg.count('class="band"') == 2
    assert svg.count('class="veiled"') == 1
    assert "2017" in svg


def test_no_year_after_the_last_that_somebody_covers() -> None:
    empty = NumberCard(None, None, None, 0.95, "people", None, None, "not_measured", (), None)
    silent = [Row((str(y),), "nobody_reports", empty) for y in (2013, 2014, 2017, 2019, 2020)]
    shown = [row(y, 500) for y in (2015, 2016, 2018)]
    rows = sorted([*silent, *shown], key=lambda r: r.codes)
    with language("en"):
        chart = year_chart(rows, 600)
    assert [p.year for p in chart.points] == ["2015", "2016", "2017", "2018"]
    assert chart.points[2].state == "nobody"


def test_nothing_shown_has_no_label() -> None:
    assert year_chart([], 10, named=["2020"]).marked == ()
    assert Point("2020", "", "nobody").label == ""
