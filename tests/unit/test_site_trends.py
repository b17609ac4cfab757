"""Trends: the release's own numbers, honest words on change, contributors as safe text."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from invented_release import TABLES, people_rows, protected_answer
from test_site_page import EVIL, Page

from ctdhub.core.format import number
from ctdhub.core.i18n import LANGUAGES, RIGHT_TO_LEFT, language
from ctdhub.document.svg import round_top
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.schema import countries
from ctdhub.site.edition import PLAIN, Content
from ctdhub.site.pages import trends as trends_page
from ctdhub.site.render import render
from ctdhub.stats.answers import Answers

YEAR = "year_of_registration"
FLAGS = ("any_exploitation", "exploitation_sexual", "exploitation_forced_labour")
MORE = (f"{YEAR}*gender", *(f"{YEAR}*{flag}" for flag in FLAGS))
CHARTS = {
    "trends-total", "trends-gender", "trends-exploitation", "trends-citizenship",
    "trends-exploited-in",
}  # fmt: skip


def made(
    folder: Path, weights: Sequence[int] = (2, 3, 4, 5), tables: Sequence[str] = (), **facts: Any
) -> Release:
    rows = people_rows()
    years = [y for y, w in zip(range(2015, 2019), weights, strict=True) for _ in range(w)]
    for k, row in enumerate(rows):
        row[YEAR] = str(years[k % len(years)])
    answer = protected_answer(rows, tables=tables or (*TABLES, *MORE), facts=facts)
    return open_release(write_release(answer, folder / "releases", "2026.1", "First."))


def shown(release: Release, code: str = "en") -> str:
    with language(code):
        pages = trends_page.pages(Answers(release))
        return "".join(render(page, release, LANGUAGES) for page in pages)


def figure(text: str, name: str) -> str:
    found = text[text.index(f'<figure id="{name}"') :]
    return found[: found.index("</figure>")]


def table(part: str) -> tuple[list[str], dict[str, list[str]]]:
    head = re.findall(r'<th scope="col"[^>]*>([^<]*)</th>', part)
    rows = re.findall(r'<tr><th scope="row">([^<]*)</th>(.*?)</tr>', part)
    return head, {name: re.findall(r'<td class="n">([^<]*)</td>', cells) for name, cells in rows}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    contributors = [
        {"name": "First", "kind": "hotline", "years": [2015, 2019]},
        {"name": "Second", "kind": "hotline", "years": [2016, 2017]},
    ]
    return made(tmp_path_factory.mktemp("hub"), contributors=contributors, years=[2014, 2019])


@pytest.fixture(scope="module")
def text(release: Release) -> str:
    return shown(release)


def test_charts_that_the_release_measured_are_there_and_no_other(text: str, tmp_path: Path) -> None:
    assert set(re.findall(r'<figure id="([^"]*)"', text)) == CHARTS
    few = shown(made(tmp_path, tables=("gender", YEAR)))
    assert set(re.findall(r'<figure id="([^"]*)"', few)) == {"trends-total"}
    none = shown(made(tmp_path / "none", tables=("gender",)))
    assert "<p>not measured in this release</p>" in none


def test_tables_hold_the_counts(text: str, release: Release) -> None:
    answers = Answers(release)

    def cell(**where: Any) -> str:
        found = answers.count(where)
        if not found.low:
            return "not shown (below the reporting threshold)"
        return f"{number(found.value or 0)} ({number(found.low)} to {number(found.high or 0)})"

    _head, total = table(figure(text, "trends-total"))
    head, regions = table(figure(text, "trends-citizenship"))
    at = head.index("Europe") - 1
    assert list(total) == ["2015", "2016", "2017", "2018", "2019", "not recorded"]
    for year in ("2015", "2016", "2017", "2018", "2019"):
        assert total[year][0] == cell(year_of_registration=[year])
        europe = cell(year_of_registration=[year], citizenship=countries.members("europe"))
        assert regions[year][at] == europe
    assert [cells[1] for cells in total.values()] == ["1", "2", "2", "1", "1", "–"]


def test_blanks_are_told_apart(text: str) -> None:
    _head, total = table(figure(text, "trends-total"))
    assert "2014" not in total, "nobody covers it, so it has no row and no place"
    assert total["2019"][0] == "not shown (below the reporting threshold)"
    part = figure(text, "trends-total")
    drawing = part[part.index('<svg class="chart years"') : part.index('<div class="as-table')]
    assert drawing.count('class="nobody"') == 0
    assert drawing.count('class="veiled"') == 1
    assert drawing.count("<circle") == 4
    assert drawing.count('class="band"') == 1
    assert "nobody reports here: none of these years" in text
    assert "zero: no year says so" in text
    assert "not shown (below the reporting threshold): between none" in text


def test_every_number_on_a_chart_has_its_interval(text: str) -> None:
    for name in CHARTS:
        for drawing in re.findall(r'<svg class="chart years" role.*?</svg>\n', figure(text, name)):
            intervals = drawing.count('class="band"') + drawing.count('class="whisker"')
            assert bool(intervals) is ("<circle" in drawing)
            for k, said in enumerate(re.findall(r'class="number"[^>]*>([^<]*)<', drawing)):
                beside = re.search(rf">{said}</text><text[^>]*>[\d,]+–[\d,]+<", drawing)
                assert beside or re.fullmatch(r"201\d: [\d,]+ \([\d,]+–[\d,]+\)", said), k


def test_points_lie_where_the_numbers_say(text: str) -> None:
    part = figure(text, "trends-total")
    top = max(int(n.replace(",", "")) for n in re.findall(r'text-anchor="end">([\d,]+)<', part))
    _head, rows = table(part)
    cells = [re.findall(r"[\d,]+", c[0]) for c in rows.values() if c[0][0].isdigit()]
    points = re.findall(r'<circle [^>]*cy="([\d.]+)%"', part)
    band = re.search(r'class="band" points="([^"]*)"', part)
    assert band
    heights = [100 - float(pair.split(",")[1]) / 10 for pair in band[1].split()]
    upper, lower = heights[: len(heights) // 2], heights[len(heights) // 2 :][::-1]
    ends = zip(lower, upper, strict=True)
    for told, point, interval in zip(cells, points, ends, strict=True):
        for number_, height in zip(told, (100 - float(point), *interval), strict=True):
            part_of_axis = 100 * int(number_.replace(",", "")) / top
            assert height == pytest.approx(part_of_axis, abs=0.011)


def test_change_is_told_only_where_it_is_clear(tmp_path: Path) -> None:
    same = [{"name": "One", "kind": "hotline", "years": [2015, 2018]}]
    for weights, words in (
        ((1, 1, 1, 1), "2018 compared with 2015: no difference beyond the noise."),
        (
            (1, 1, 1, 2),
            "2018 compared with 2015: 800 more people identified (between 788 and 812).",
        ),
        (
            (2, 1, 1, 1),
            "2018 compared with 2015: 800 fewer people identified (between 788 and 812).",
        ),
    ):
        release = made(tmp_path / str(weights), weights, contributors=same)
        text = shown(release)
        part = figure(text, "trends-total")
        assert f">{words}</p>" in part
        assert "The same contributors cover all years." in text
        assert not re.search(r"trafficking (rose|fell|increased|decreased|grew)", text)
    _head, rows = table(part)
    assert rows["2016"][2] == "−800 ± 12"
    assert rows["2017"][2] == "no difference beyond the noise"
    assert rows["2015"][2] == "–"


def test_who_joined_and_left_stands_under_every_chart(text: str) -> None:
    for name in CHARTS:
        part = figure(text, name)
        turns = re.findall(r"<li>(.*?)</li>", part[part.index('<ol class="turns">') :])
        assert turns[:2] == [
            "2016: a contributor joined, <bdi>Second</bdi>.",
            "2018: a contributor no longer reports, <bdi>Second</bdi>.",
        ]
        lines = re.findall(r'class="turn" x1="([\d.]+)%"', part)
        assert [float(x) for x in lines[:2]] == [20, 60]
    part = text[text.index('<h2 id="who">') :]
    part = part[: part.index("</html>")]
    assert part.count("<li><bdi>") == 4, "the timeline, and who contributed"
    assert "<bdi>Second</bdi> (2016\u00a0–\u00a02017)" in part
    assert "A rise or fall around these years may come from that." in part
    first, second = re.findall(r'<rect class="bar" x="([\d.]+)%" y="2" width="([\d.]+)%"', part)
    assert [round(float(n)) for n in first] == [0, 100]
    assert [round(float(n)) for n in second] == [20, 40]


def test_a_change_of_contributors_stands_beside_the_change(tmp_path: Path) -> None:
    contributors = [
        {"name": "One", "kind": "hotline", "years": [2015, 2018]},
        {"name": "Two", "kind": "hotline", "years": [2018, 2018]},
    ]
    part = figure(shown(made(tmp_path, contributors=contributors)), "trends-total")
    assert "The contributors of these two years differ." in part


def test_hostile_names_are_shown_as_text(tmp_path: Path) -> None:
    contributors = [
        {"name": EVIL, "kind": "hotline", "years": [2015, 2016]},
        {"name": "{year} {names.__class__} %s", "kind": "hotline", "years": [2017, 2018]},
    ]
    text = shown(made(tmp_path, contributors=contributors))
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "joined, <bdi>{year} {names.__class__} %s</bdi>." in text
    assert Page(text).text.count("<html") == text.count("<!doctype") == 3


def test_years_are_mirrored_right_to_left(release: Release) -> None:
    places = {}
    for code in LANGUAGES:
        text = shown(release, code)
        found = re.findall(r'<circle class="bar" cx="([\d.]+)%" cy="([\d.]+)%"', text)
        spans = re.findall(r'<rect class="bar" x="([\d.]+)%" y="2" width="([\d.]+)%"', text)
        first = [float(x) for x, _y in found[:4]]
        assert first == sorted(set(first), reverse=code in RIGHT_TO_LEFT)
        places[code] = found, spans
    assert places["en"] == places["fr"] == places["es"]
    for (x, y), (u, v) in zip(places["en"][0], places["ar"][0], strict=True):
        assert (100 - float(x), y) == (pytest.approx(float(u), abs=0.011), v)


def test_files_hold_the_same_counts(release: Release, tmp_path: Path) -> None:
    folder = tmp_path / "charts"
    with language("en"):
        trends_page.KIND.files(tmp_path, Content(Answers(release), PLAIN))
    for name in CHARTS:
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
            counted = [int(row["denominator"]) for row in csv.DictReader(handle)]
        assert counted
        assert min(counted) > 0
    with (folder / "trends-gender.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    cells = Answers(release).cells(YEAR, "gender")
    found = {(r[YEAR], r["gender"]): int(r["people"]) for r in rows if r["people"]}
    assert found == {k: e.value for k, e in cells.items()}
    assert "2014" not in {r[YEAR] for r in rows}
    assert {r["release"] for r in rows} == {"2026.1"}
    assert {r["source_url"] for r in rows} == {"r/2026.1/charts/trends-gender.csv"}
    described = json.loads((folder / "trends-gender.csv-metadata.json").read_text("utf-8"))
    assert [c["name"] for c in described["tableSchema"]["columns"]] == list(rows[0])
    assert described["dc:license"] == {"@id": "https://creativecommons.org/licenses/by/4.0/"}
    assert {r["kind"] for r in rows if not r["gender"] and r[YEAR] > "2014"} == {"not_recorded"}


def test_scale_holds_every_number() -> None:
    for top in range(1, 3000, 7):
        assert top <= round_top(top) <= 2 * top
