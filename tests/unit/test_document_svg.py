"""The one canvas: whatever a label holds is shown as it stands, and right to left is a mirror."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import get_args
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.source import PACKAGE, modules, none

from ctdhub.document.charts import bars, pages, tiles, years
from ctdhub.document.charts.years import Sign, key
from ctdhub.document.document import Bar, Change, Dots, Ends, Point, Years
from ctdhub.document.html import bidi
from ctdhub.document.svg import Canvas, Scale, colours, element, round_top

HOSTILE = "</text></svg><script>alert(1)</script>\"'&<!-- ]]> {x} %s"
PLACES = st.floats(0, 100)


def marks(svg: str) -> ET.Element:
    """The marks as a tree; fails where they are not well formed."""
    return ET.fromstring(f"<svg>{svg}</svg>")


def everything(label: str) -> list[str]:
    """Every chart, with a label in each place that takes words."""
    rows = (
        Bar(label, label, 60, 55, 65),
        Bar(label, label),
        Bar(label, label, 9, 4, 14, missing=True),
    )
    points = (
        Point(label, label, "shown", 40, 35, 45, label, Ends(20, 15, 25)),
        Point(label, label, "protected", high=9),
        Point(label, label, "nobody"),
        Point(label, label, "not_measured", same=Ends(10, 5, 15)),
    )
    series = Years(points, 50, (label,) * 3, turns=(1,), marked=(0,))
    change = Change(label, -5, -8, -2)
    words = tiles.Tile("CIV", "step3", label, label)
    arrows = (tiles.Arrow("CIV", "ITA", 1.0, label, label), tiles.Arrow("CIV", "CIV", 0.5, "", ""))
    keys = (tiles.Key(label, "few"), tiles.Key(label, size=0.5), tiles.Key(label))
    world = tiles.TileMap(label, label, (words,), arrows, keys)
    around = pages.Picture(label, label, (label,), "en", False, {"license": label})
    return [
        *(bars.draw_bars(rows, rtl=rtl).chart("x") for rtl in (False, True)),
        *(bars.draw_screen(rows, "x", 9, rtl=rtl) for rtl in (False, True)),
        *(
            bars.draw_dots(Dots(rows, 70, (label,) * 3), rtl=rtl).chart("x")
            for rtl in (False, True)
        ),
        *(pages.bar(row, 65, rtl=False) for row in rows),
        *(years.printed(series, rtl=rtl) for rtl in (False, True)),
        *(years.draw(series, "x", rtl=rtl) for rtl in (False, True)),
        *(years.spark(series, rtl=rtl) for rtl in (False, True)),
        years.body(series, rtl=True, wide=700).marks,
        years.draw_span((2015, 2016), (2016, 2016)),
        *bars.draw_balance((change, change), rtl=True),
        tiles.draw_map(world, "x"),
        *(tiles.picture(key) for key in keys),
        tiles.standalone(world, (label,), {"source": label}),
        pages.standalone(around, bars.draw_bars(rows, rtl=False)),
    ]


@given(
    st.text(
        st.characters(codec="utf-8", exclude_categories=("Cc", "Cn", "Cs")), min_size=1, max_size=60
    )
)
def test_no_label_becomes_a_mark(label: str) -> None:
    plain = [sorted(e.tag for e in marks(svg).iter()) for svg in everything("x")]
    for svg, tags in zip(everything(label), plain, strict=True):
        found = sorted(e.tag for e in marks(svg).iter())
        assert set(found) == set(tags)


def test_hostile_labels_are_shown_as_they_stand() -> None:
    for svg in everything(HOSTILE):
        assert "<script" not in svg
        assert "<!--" not in svg
    assert HOSTILE in unescape(element("text", HOSTILE, aria_label=HOSTILE))
    assert marks(element("g", aria_label=HOSTILE))[0].get("aria-label") == HOSTILE


def place(mark: ET.Element, name: str) -> float:
    return float((mark.get(name) or "").rstrip("%"))


@given(PLACES, st.floats(0, 50), PLACES, PLACES)
def test_right_to_left_is_the_mirror_of_left_to_right(
    x: float, width: float, low: float, high: float
) -> None:
    drawn = []
    for rtl in (False, True):
        canvas = Canvas(rtl=rtl)
        canvas.rect("bar", x, 1, width, 16)
        canvas.whisker(low, high, 9, 4)
        canvas.dot("bar", x, 9, 3)
        canvas.text("words", x, 9, gap=8)
        canvas.text("words", None, 9)
        drawn.append(marks(canvas.marks))
    there, back = drawn
    assert [m.tag for m in there] == [m.tag for m in back]
    for a, b in zip(there, back, strict=True):
        if a.tag == "rect":
            assert place(b, "x") == pytest.approx(100 - place(a, "x") - place(a, "width"), abs=0.02)
        for name in {"x1", "x2", "cx"} & set(a.keys()):
            assert place(b, name) == pytest.approx(100 - place(a, name), abs=0.011)
        if a.tag == "text":
            assert place(b, "x") == pytest.approx(100 - place(a, "x"), abs=0.011)
            assert (a.get("text-anchor"), b.get("text-anchor")) == (None, "end")  # None: start
            assert {a.get("dx"), b.get("dx")} in ({"8", "-8"}, {None})


def test_a_canvas_of_pixels_mirrors_in_its_width() -> None:
    canvas = Canvas(760, "px", rtl=True)
    canvas.rect("bar", 24, 0, 100, 9)
    canvas.text("words", 24, 9, anchor="middle")
    box, words = marks(canvas.marks)
    assert (box.get("x"), box.get("width")) == ("636", "100")
    assert (words.get("x"), words.get("text-anchor")) == ("736", "middle")


def test_years_are_not_mirrored_and_parts_of_a_change_are() -> None:
    rise, fall = Change("", 10, 8, 12), Change("", -10, -12, -8)
    for one, other in zip(
        bars.draw_balance((rise, fall), rtl=False),
        bars.draw_balance((fall, rise), rtl=True),
        strict=True,
    ):
        assert re.sub('x1="([^"]*)" x2="([^"]*)"', "", one) == re.sub(
            'x1="([^"]*)" x2="([^"]*)"', "", other
        )


def test_a_scale_ends_above_everything_and_keeps_it_inside() -> None:
    for most in (0.4, 1, 7, 99, 100, 101, 4971, 86_000):
        top = round_top(most)
        assert most <= top < 2.1 * max(1, most)
        assert Scale(top).part(most) <= 1
    assert Scale(10).part(11) == 1
    assert Scale(10).part(-1) == 0


def test_names_that_are_set_apart_become_elements() -> None:
    assert bidi("a \u2068<b>\u2069 c") == "a <bdi>&lt;b&gt;</bdi> c"
    assert bidi("<i>\u2068open") == "&lt;i&gt;\u2068open"


def test_a_picture_holds_no_colour_by_name() -> None:
    alone = pages.standalone(
        pages.Picture("", "", (), "ar", rtl=True), bars.draw_bars((Bar("", "", 1, 1, 1),), rtl=True)
    )
    for svg in (alone, tiles.standalone(tiles.TileMap("", "", (), (), ()), (), {})):
        assert "var(" not in svg
        assert "@import" not in svg
        assert colours()["harbour"] in svg


def test_marks_are_written_in_one_place() -> None:
    """No module but ``document.svg``, and no template, holds a tag of SVG."""
    tag = re.compile(r"<(svg|rect|circle|line|path|polygon|text|g)[ >/]")
    texts = {page.name: page.read_text("utf-8") for page in PACKAGE.rglob("*.html")}
    texts |= {m.place: m.text for m in modules() if m.place != "document/svg.py"}
    none(place for place, text in texts.items() if tag.search(re.sub(r"``[^`]*``", "", text)))


def test_a_key_holds_the_signs_of_the_chart() -> None:
    """What a legend explains is what the charts draw: each class of a key stands in a chart."""
    drawn = {e.get("class") for svg in everything("x") for e in marks(svg).iter()}
    for sign in get_args(Sign):
        (svg,) = marks(key(sign))
        assert {e.get("class") for e in svg.iter() if e is not svg} - {None} <= drawn


def test_a_year_without_a_number_is_told_apart() -> None:
    points = (Point("2015", "", "shown", 4, 3, 5, "2015: 4"), Point("2016", "", "not_measured"))
    series = Years(points, 5, ("0", "", "5"), marked=(0,))
    kinds = [m.get("class") for m in marks(years.draw(series, "x"))[0]]
    assert kinds.count("grid") == 2
    assert kinds.count("bar") == kinds.count("whisker") == 1
    nobody = replace(series, points=(points[0], replace(points[1], state="nobody")))
    assert "nobody" in [m.get("class") for m in marks(years.draw(nobody, "x"))[0]]
