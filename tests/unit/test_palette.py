"""The palette: contrast and difference of colours, light and dark, for every colour vision."""

from __future__ import annotations

import re
from importlib import resources
from itertools import combinations
from pathlib import Path

import pytest
from colour_science import MACHADO, ciede2000, contrast, lab, seen

from ctdhub.document.html import inlined
from ctdhub.document.svg import colours

PACKAGE = Path(str(resources.files("ctdhub")))
SOURCE = (PACKAGE / "document/data/colours.css").read_text("utf-8")
SHEETS = [
    str(inlined(folder, name)[0])
    for folder, name in (
        *(("ctdhub.site/static", f"{n}.css") for n in ("explorer", "events", "learn", "map")),
        ("ctdhub.site/static", "exhibit.css"),
        ("ctdhub.document/data", "sheet.css"),
    )
]
SERIES = ("harbour", "ember", "fern", "mallow", "ink")
LIGHT, DARK, FORCED = (
    dict(re.findall(r"--([a-z0-9]+):([^;}\n]+)", part)) for part in SOURCE.split("@media")
)
MODES = {"light": LIGHT, "dark": DARK}
READABLE, VISIBLE = 4.5, 3.0
"""WCAG 2.2, 1.4.3 (text) and 1.4.11 (parts of a chart, outlines of controls)."""
LEAST = {
    "light": {"normal": 26, "protan": 13, "deutan": 17, "tritan": 16},
    "dark": {"normal": 25, "protan": 13, "deutan": 14, "tritan": 14},
}
"""Least CIEDE2000 between two series, by mode and colour vision."""


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, -1, 2), (50, 0, 0), 2.3669),
        ((50, 2.49, -0.001), (50, -2.49, 0.0009), 7.1792),
        ((50, 2.49, -0.001), (50, -2.49, 0.0011), 7.2195),
        ((50, 2.5, 0), (50, 0, -2.5), 4.3065),
        ((2.0776, 0.0795, -1.135), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_formula_gives_the_published_differences(
    one: tuple[float, float, float], other: tuple[float, float, float], difference: float
) -> None:
    assert ciede2000(one, other) == pytest.approx(difference, abs=5e-5)
    assert ciede2000(other, one) == pytest.approx(difference, abs=5e-5)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("vision", ["normal", *MACHADO])
def test_series_can_be_told_apart(mode: str, vision: str) -> None:
    labs = [lab(seen(MODES[mode][name], vision)) for name in SERIES]
    assert min(ciede2000(a, b) for a, b in combinations(labs, 2)) >= LEAST[mode][vision]


@pytest.mark.parametrize("mode", MODES)
def test_text_is_readable_and_marks_are_visible(mode: str) -> None:
    of = MODES[mode]
    for text in ("ink", "muted", "link"):
        assert contrast(of[text], of["paper"]) >= READABLE, text
    for text in ("ink", "muted", "link"):
        assert contrast(of[text], of["warm"]) >= READABLE, text
    for mark in (*SERIES, "edge"):
        assert contrast(of[mark], of["paper"]) >= VISIBLE, mark
    assert contrast(of["ink"], of["paper"]) >= 15


@pytest.mark.parametrize("mode", MODES)
def test_steps_of_the_map_carry_their_text(mode: str) -> None:
    of = MODES[mode]
    for step in range(1, 6):
        text = of["ink"] if step <= 3 else of["paper"]
        assert contrast(of[f"step{step}"], text) >= READABLE, step
    order = [contrast(of[f"step{step}"], of["paper"]) for step in range(1, 6)]
    assert order == sorted(order)


def test_every_mode_has_every_colour() -> None:
    names = {name for name, value in LIGHT.items() if value.startswith("#")}
    assert names == set(DARK) == set(FORCED)
    assert names == set(colours())


def test_pictures_and_print_are_light() -> None:
    assert colours()["paper"] == LIGHT["paper"] == "#ffffff"
    assert "@media screen and (prefers-color-scheme:dark)" in SOURCE
    for name in ("sheet.typ", "poster.typ"):
        text = (PACKAGE / "document/data" / name).read_text("utf-8")
        assert set(re.findall(r"#[0-9a-f]{6}", text)) <= set(colours().values()), name


def test_a_sheet_names_no_colour_and_no_token_that_is_not_there() -> None:
    known = set(re.findall(r"--([a-z0-9-]+):", SOURCE))
    for text in SHEETS:
        assert set(re.findall(r"var\(--([a-z0-9-]+)", text)) <= known
        assert "@import" not in text
        assert "/*" not in text
    for path in PACKAGE.rglob("*.css"):
        if path.name != "colours.css":
            assert not re.search(r"#[0-9a-f]{3,8}\b(?![^{]*\{)", path.read_text("utf-8")), path


def test_every_token_is_documented() -> None:
    page = Path(__file__).parents[2] / "docs/reference/look.md"
    told = set(re.findall(r"`--([a-z0-9-]+)`", page.read_text("utf-8")))
    assert told == set(re.findall(r"--([a-z0-9-]+):", SOURCE))
