"""Labels of a chart by year stand beside the points that they name."""

from __future__ import annotations

import re

import pytest

from ctdhub.core.i18n import language
from ctdhub.document.charts import years as chart_years
from ctdhub.document.document import Point, Years
from ctdhub.report.year_chart import year_chart
from ctdhub.stats.cards import NumberCard
from ctdhub.stats.table import Row

WIDE = 640
"""Pixels of a page; positions are in per cent."""


def row(year: int, people: int) -> Row:
    ends = max(1, people - 20), people + 20
    found = NumberCard(people, *ends, 0.95, "people", None, None, "shown", ("One",), None)
    return Row((str(year),), "value", found)


def labels(chart: Years) -> list[tuple[str, float, float, float, float]]:
    """Each label with its place, and the place of its point."""
    drawn = str(chart_years.draw(chart, "x"))
    found = []
    for attributes, text in re.findall(r"<text([^>]*number[^>]*)>([^<]*)</text>", drawn):
        values = dict(re.findall(r'([a-z-]+)="([^"]*)"', attributes))
        k = next(i for i, p in enumerate(chart.points) if p.label == text)
        x = WIDE * float(values["x"].rstrip("%")) / 100 + float(values.get("dx", 0))
        at = WIDE * (k + 0.5) / len(chart.points)
        y = 26 + 130 * (1 - chart.points[k].value / chart.top)
        found.append((text, x, float(values["y"]), at, y))
    return found


@pytest.mark.parametrize("peak", [2003, 2012, 2022, 2024])
def test_a_label_stands_beside_its_point(peak: int) -> None:
    """Also where a higher point is near, as 2025 beside the peak of 2022."""
    people = {y: 900 + 40 * (y % 5) for y in range(2002, 2026)} | {peak: 5_000, 2025: 3_400}
    with language("en"):
        chart = year_chart([row(*pair) for pair in people.items()], 6_000, peak=str(peak))
    found = labels(chart)
    assert any(text.startswith(f"{peak}:") for text, *_ in found)
    for _text, x, y, at_x, at_y in found:
        assert abs(x - at_x) <= 12
        assert abs(y - at_y) <= 12


def test_labels_that_would_meet_leave_the_peak_alone() -> None:
    people = dict.fromkeys(range(2015, 2024), 1_000) | {2024: 5_000, 2025: 4_900}
    with language("en"):
        chart = year_chart([row(*pair) for pair in people.items()], 6_000, peak="2024")
        alone = year_chart([row(*pair) for pair in people.items()], 6_000)
    assert [chart.points[k].year for k in chart.marked] == ["2024"]
    assert [alone.points[k].year for k in alone.marked] == ["2025"]


def test_nothing_shown_has_no_label() -> None:
    assert year_chart([], 10, peak="2020").marked == ()
    assert Point("2020", "", "nobody").label == ""
