"""Parts of a whole on one bar: what is drawn is what the numbers say, in both directions."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from ctdhub.document.charts import bars as whole
from ctdhub.document.document import Bar

WOMEN = Bar("Women", "60 (50 to 64)", 60, 50, 64)
MEN = Bar("Men", "30 (20 to 35)", 30, 20, 35)
OTHER = Bar("Other", "10 (5 to 15)", 10, 5, 15)
FEW = Bar("Other", "not shown")
BLANK = Bar("Not recorded", "500", 500, 490, 510, missing=True)


def drawn(bars: tuple[Bar, ...], *, rtl: bool = False, of: float | None = 100) -> ET.Element:
    return ET.fromstring(whole.draw_whole(bars, "x", rtl=rtl, whole=of))


def rects(svg: ET.Element) -> list[tuple[str, float, float]]:
    """Class, left side and width of each part, in per cent."""
    return [
        (str(r.get("class")).split()[0], float(r.get("x", "")[:-1]), float(r.get("width", "")[:-1]))
        for r in svg.iter("rect")
        if "%" in str(r.get("width"))
    ]


def whiskers(svg: ET.Element) -> list[tuple[float, float]]:
    """Both ends of each interval, without its caps."""
    ends = [
        sorted(float(line.get(x, "")[:-1]) for x in ("x1", "x2"))
        for line in svg.iter("line")
        if line.get("class") == "whisker"
    ]
    return [(low, high) for low, high in ends if low != high]


@pytest.mark.parametrize("rtl", [False, True])
def test_parts_follow_each_other_and_outer_ones_have_their_interval(rtl: bool) -> None:
    svg = drawn((WOMEN, MEN, OTHER, BLANK), rtl=rtl)
    places = [("series1", 0.0, 60.0), ("series2", 60.0, 30.0), ("series3", 90.0, 10.0)]
    ends = [(50.0, 64.0), (85.0, 95.0)]
    if rtl:
        places = [(kind, 100 - x - width, width) for kind, x, width in places]
        ends = [(100 - high, 100 - low) for low, high in ends]
    assert rects(svg) == places
    assert whiskers(svg) == ends
    words = "".join(svg.itertext())
    for bar in (WOMEN, MEN, OTHER, BLANK):
        assert f"{bar.label}: {bar.text}" in words


def test_a_part_that_is_not_shown_is_left_open_and_ends_no_interval() -> None:
    svg = drawn((WOMEN, MEN, FEW))
    assert rects(svg)[-1] == ("bar", 90.0, 10.0)
    assert whiskers(svg) == [(50.0, 64.0)]
    assert "Other: not shown" in "".join(svg.itertext())


@pytest.mark.parametrize("of", [None, 0, 40, 100])
@pytest.mark.parametrize("high", [64, 1e9])
def test_nothing_leaves_the_bar(of: float | None, high: float) -> None:
    """Parts that add to more than the whole, and an interval beyond it."""
    svg = drawn((replace(WOMEN, high=high), MEN, OTHER), of=of)
    assert sum(width for _kind, _x, width in rects(svg)) == pytest.approx(100, abs=0.05)
    assert all(0 <= low <= high <= 100 for low, high in whiskers(svg))


def test_what_has_no_place_on_one_bar() -> None:
    assert whole.fits((WOMEN, MEN, BLANK))
    assert not whole.fits((WOMEN, FEW, BLANK))
    assert not whole.fits((WOMEN, MEN, OTHER, FEW))
    assert not whole.fits(())
