"""The map: laws of its layout, the release's own numbers on it, blanks told apart, its files."""

from __future__ import annotations

import csv
import gzip
import itertools
import math
import re
from collections import Counter
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented_release import TABLES, people_rows, protected_answer
from test_site_page import CSS, made

from ctdhub.core.format import number
from ctdhub.core.i18n import language
from ctdhub.document.charts.tiles import SIZE, WIDEST, Arrow, Tile, draw_map, layout, marks, stroke
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report.figures import STEPS, VIEWS, maps, steps
from ctdhub.schema import countries
from ctdhub.site.edition import PLAIN, Content
from ctdhub.site.pages import map as map_page
from ctdhub.site.render import render
from ctdhub.stats.answers import Answers

BORDERS = (
    "CAN-USA USA-MEX MEX-GTM PAN-COL COL-VEN COL-ECU PER-BOL BRA-ARG ARG-CHL ARG-URY PRT-ESP "
    "ESP-FRA FRA-DEU FRA-ITA DEU-POL POL-UKR UKR-MDA ROU-BGR GRC-BGR NOR-SWE FIN-RUS EST-LVA "
    "MAR-DZA DZA-TUN LBY-EGY EGY-SDN SEN-MLI CIV-GHA NGA-NER NGA-CMR COD-AGO KEN-TZA MOZ-ZAF "
    "ZAF-LSO TUR-SYR IRQ-IRN SAU-YEM IRN-AFG AFG-PAK PAK-IND IND-BGD CHN-MNG THA-KHM THA-MMR "
    "LAO-VNM MYS-SGP KAZ-UZB PRK-KOR IDN-TLS"
)
NORTH_TO_SOUTH = ("CAN USA MEX COL PER CHL", "NOR DEU ITA LBY NER ZAF", "RUS UKR TUR IRQ SAU YEM")
WEST_TO_EAST = ("MEX CUB DOM ATG", "PRT FRA DEU POL UKR KAZ MNG JPN", "SEN NGA ETH YEM IND THA PHL")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return made(tmp_path_factory.mktemp("hub"))


@pytest.fixture(scope="module")
def answers(release: Release) -> Answers:
    return Answers(release)


@pytest.fixture(scope="module")
def text(answers: Answers) -> str:
    with language("en"):
        return shown(answers, ["en"])


def shown(answers: Answers, languages: list[str]) -> str:
    """The pages of all maps, one after the other."""
    return "".join(render(p, answers.release, languages) for p in map_page.pages(answers))


def figure(text: str, name: str) -> str:
    found = text[text.index(f'<figure id="{name}">') :]
    return found[: found.index("</figure>")]


def tiles(drawing: str) -> dict[str, str]:
    """What each tile of a map says, by code."""
    found = re.findall(r'<title>([^<]*)</title><rect [^>]*/>'
                       r'<text [^>]*>([A-Z]{3})</text>', drawing)  # fmt: skip
    return {code: words for words, code in found}


def test_every_country_has_one_tile_of_its_own() -> None:
    written = (resources.files("ctdhub.document.charts") / "data" / "tiles.csv").read_text("utf-8")
    codes = [line.split(",")[0] for line in written.splitlines()[1:]]
    assert sorted(codes) == list(countries.ALPHA3)
    assert max(Counter(layout().values()).values()) == 1
    assert min(itertools.chain.from_iterable(layout().values())) == 0


def distance(a: str, b: str) -> int:
    return max(abs(p - q) for p, q in zip(layout()[a], layout()[b], strict=True))


@pytest.mark.parametrize("region", countries.regions())
def test_a_region_is_one_piece(region: str) -> None:
    rest = set(countries.members(region))
    reached = [rest.pop()]
    for code in reached:
        near = {other for other in rest if distance(code, other) == 1}
        reached += sorted(near)
        rest -= near
    assert rest == set()


def test_neighbours_are_near_and_directions_hold() -> None:
    for pair in BORDERS.split():
        assert distance(*pair.split("-")) <= 3, pair
    for line in NORTH_TO_SOUTH:
        rows = [layout()[code][1] for code in line.split()]
        assert rows == sorted(set(rows)), line
    for line in WEST_TO_EAST:
        columns = [layout()[code][0] for code in line.split()]
        assert columns == sorted(set(columns)), line


@given(st.integers(1, 10**9))
def test_steps_climb_and_reach_the_largest(top: int) -> None:
    found = steps(top)
    assert found[0] == 0
    assert list(found) == sorted(set(found))
    assert 2 <= len(found) <= STEPS
    assert found[-1] <= top < found[-1] * 10 / 3 + 1


@given(st.floats(0, 1), st.floats(0, 1))
def test_arrows_grow_with_people(a: float, b: float) -> None:
    small, large = sorted((a, b))
    assert 0 < stroke(small) <= stroke(large) <= WIDEST
    assert stroke(1) == WIDEST


def test_every_step_has_its_colour() -> None:
    found = re.findall(r"\.tiles \.step(\d)\{fill:var\(--step\1\)", CSS)
    assert found == [str(k) for k in range(1, STEPS + 1)]


@pytest.mark.parametrize("name", VIEWS)
def test_tiles_say_what_the_release_counts(name: str, text: str, answers: Answers) -> None:
    said = tiles(figure(text, name))
    assert set(said) == set(countries.ALPHA3)
    shown = answers.cells(VIEWS[name])
    assert shown
    for code, words in said.items():
        country = f"{code} – " + countries.name(code, "en").replace("&", "&amp;")
        assert words.startswith(f"{country}: "), words
        if (code,) in shown:
            cell = shown[(code,)]
            half = max(cell.high - cell.value, cell.value - cell.low)
            assert words == f"{country}: {number(cell.value)} ± {number(half)}"
        else:
            assert "not shown (below the reporting threshold)" in words


def test_what_is_too_few_says_the_number_of_its_region(text: str, answers: Answers) -> None:
    europe = answers.count({"citizenship": countries.members("europe")})
    assert europe.value
    words = tiles(figure(text, "map-citizenship"))["FRA"]
    assert f"(region, Europe: {number(europe.value)} ± " in words
    outside = tiles(figure(text, "map-citizenship"))["ATA"]
    assert outside == "ATA – Antarctica: not shown (below the reporting threshold)"


def test_the_table_of_regions_holds_their_counts(text: str, answers: Answers) -> None:
    body = text[text.index('<h2 id="regions">') :]
    rows = dict(re.findall(r'<th scope="row">(?:<a[^>]*>)?([^<]*)(?:</a>)?</th>(.*?)</tr>', body))
    for key in (*countries.regions(), *countries.subregions()):
        found = re.findall(r'<td class="n">([^<]*)</td>', rows[countries.region_name(key, "en")])
        for variable, cell in zip(VIEWS.values(), found, strict=True):
            count = answers.count({variable: countries.members(key)})
            expected = (
                f"{number(count.value or 0)} "
                if count.low
                else ("not shown (below the reporting threshold)")
            )
            assert cell.startswith(expected), (cell, count)


def test_blanks_are_told_apart(text: str) -> None:
    part = figure(text, "map-citizenship")
    drawing = part[
        part.index('<div class="worldmap wide-only">') : part.index('<ul class="legend"')
    ]
    legend = part[part.index('<ul class="legend"') :]
    for words in (
        "zero: no tile says so",
        "not shown (below the reporting threshold): there may be some people or none",
        "nobody reports here: a release states which years",
        "not recorded: ",
    ):
        assert words in legend, words
    assert re.search(r"not recorded: [\d,]+ ± \d+ people, on no tile", legend)
    looks = Counter(re.findall(r'<rect class="([a-z]+)\d?"', drawing))
    assert set(looks) == {"step", "few"}
    assert looks.total() == len(countries.ALPHA3)
    for look in ("few", "unknown"):
        assert f'<rect class="{look}"' in legend
        assert re.search(rf"\.tiles \.{look}\{{[^}}]*stroke-dasharray", CSS)
    assert not re.search(r"[^\d,.]0 ±", part)


def test_steps_are_also_told_by_dots(text: str) -> None:
    part = figure(text, "map-exploitation")
    found = re.findall(r'class="step(\d)"[^>]*/>(?:<text[^>]*>\w+</text>)?'
                       r'<path class="pip" d="([^"]*)"', part)  # fmt: skip
    assert found
    assert all(path.count("h0") == int(step) for step, path in found)


@pytest.mark.parametrize("name", VIEWS)
def test_a_tile_has_the_step_of_its_count(name: str, text: str, answers: Answers) -> None:
    part = figure(text, name)
    found = re.findall(r'<rect class="step(\d)"[^>]*/><text[^>]*>(\w+)</text>', part)
    looks = {code: int(step) for step, code in found}
    cells = {v: answers.cells(v) for v in VIEWS.values()}
    top = max(e.value for c in cells.values() for (code,), e in c.items() if code)
    bounds = steps(top)
    for (code,), cell in cells[VIEWS[name]].items():
        if code:
            last = bounds[looks[code]] if looks[code] < len(bounds) else float("inf")
            assert bounds[looks[code] - 1] <= cell.value < last, code


def test_a_bound_belongs_to_the_step_it_begins() -> None:
    rows = people_rows(1000)
    for k, row in enumerate(rows):
        row["citizenship"] = "UKR" if k < 300 else "MDA" if k < 599 else None
    answer = protected_answer(rows, tables=("citizenship",))
    with TemporaryDirectory() as folder:
        path = write_release(answer, Path(folder) / "releases", "2026.1", "First.")
        with language("en"):
            (found,) = maps(Answers(open_release(path)))
    looks = {tile.code: tile.look for tile in found.drawn.tiles}
    assert steps(300) == (0, 10, 30, 100, 300)
    assert (looks["UKR"], looks["MDA"], looks["FRA"]) == ("step5", "step4", "few")


def test_arrows_are_the_largest_corridors_in_order(text: str, answers: Answers) -> None:
    part = figure(text, "map-corridors")
    cells = answers.cells("citizenship", "country_of_exploitation")
    known = sorted((p for p in cells if all(p)), key=lambda p: (-cells[p].value, p))[:25]
    drawn = re.findall(r'<g class="flow" data-ends="(\w+) (\w+)"', part)
    assert [tuple(pair) for pair in drawn] == known
    words = re.findall(r'<g class="flow"[^>]*aria-label="([^"]*)"', part)
    for pair, said in zip(known, words, strict=True):
        assert f": {number(cells[pair].value)} ± " in said
    rows = re.findall(r"<tr[^>]*><td class=\"n\">\d+</td>.*?</tr>", part)
    assert len(rows) == len(known)
    first = re.findall(r'<td class="n">([\d,]+)</td>', rows[0])
    cell = cells[known[0]]
    assert first[1:] == [number(n) for n in (cell.value, cell.low, cell.high)]


def test_the_map_is_not_mirrored(answers: Answers) -> None:
    with language("en"):
        one = [
            re.findall(r'<text x="(\d+)"', draw_map(m.drawn, m.figure.id)) for m in maps(answers)
        ]
    with language("ar"):
        two = [
            re.findall(r'<text x="(\d+)"', draw_map(m.drawn, m.figure.id)) for m in maps(answers)
        ]
    assert one == two
    assert len(one[0]) == len(countries.ALPHA3)


def test_files_stand_alone_and_hold_the_counts(answers: Answers, tmp_path: Path) -> None:
    folder = tmp_path / "charts"
    with language("en"):
        map_page.KIND.files(tmp_path, Content(answers, PLAIN))
    for name, variable in VIEWS.items():
        with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
            rows = list(csv.DictReader(handle))
        shown = {k: e.value for (k,), e in answers.cells(variable).items()}
        assert {r[variable]: int(r["people"]) for r in rows if r["people"]} == shown
        assert (folder / f"{name}.csv-metadata.json").is_file()
    for name in (*VIEWS, "map-corridors"):
        drawing = (folder / f"{name}.svg").read_text("utf-8")
        root = ElementTree.fromstring(drawing)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert not re.search(r"href|<script|url\(|@import", drawing)
        assert "release 2026.1" in drawing
        assert "Identified people, not prevalence. Practice data: fictitious." in drawing
        assert "fill:#" in drawing


def test_what_was_not_measured_is_said(tmp_path: Path) -> None:
    answer = protected_answer(tables=("gender",))
    release = open_release(write_release(answer, tmp_path / "releases", "2026.1", "First."))
    with language("en"):
        text = shown(Answers(release), ["en"])
    assert "<p>not measured in this release</p>" in text
    assert "<svg" not in text


def test_a_full_map_stays_small(tmp_path: Path) -> None:
    rows = people_rows(249 * 24)
    for k, row in enumerate(rows):
        row["citizenship"] = countries.ALPHA3[k % 249]
        row["country_of_exploitation"] = countries.ALPHA3[(k + k // 249 % 2) % 249]
    tables = ("citizenship", "country_of_exploitation", "citizenship*country_of_exploitation")
    assert set(tables) <= set(TABLES)
    answer = protected_answer(rows, tables=tables)
    release = open_release(write_release(answer, tmp_path / "releases", "2026.1", "First."))
    for code in ("en", "ar"):
        with language(code):
            text = shown(Answers(release), ["en", "ar"])
        assert len(gzip.compress(text.encode())) <= 100_000
    assert text.count("data-tile=") == 3 * 249


def test_ranks_of_a_crowded_map_hide_neither_each_other_nor_codes() -> None:
    """Neighbours with corridors to each other and inside, where ranks are most likely to meet."""
    near = ["HTI", "DOM", "ARG", "URY", "PRY", "BOL", "UKR", "BLR", "RUS"]
    pairs = [(a, b) for a, b in itertools.pairwise(near)] + [(a, a) for a in near]
    arrows = [Arrow(a, b, 0.1, str(k), "words") for k, (a, b) in enumerate(pairs)]
    world = [Tile(code, "few", code) for code in layout()]
    drawn = ElementTree.fromstring(f"<svg>{marks(world, arrows)}</svg>")
    ranks = [(float(c.get("cx", "")), float(c.get("cy", ""))) for c in drawn.iter("circle")]
    assert len(ranks) == len(arrows)
    assert min(math.dist(a, b) for a, b in itertools.combinations(ranks, 2)) > 9
    codes = [((x + 0.5) * SIZE, (y + 0.5) * SIZE) for x, y in layout().values()]
    hidden = [
        (r, c) for r in ranks for c in codes if abs(r[0] - c[0]) < 10 and abs(r[1] - c[1]) < 6
    ]
    assert hidden == []
