"""The page on people who are not seen: spread first, no number where there cannot be one."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from invented_release import protected_answer
from lists_of_invented_people import invented, sources_of
from typer.testing import CliRunner

from ctdhub.border import DOUBLES, MEASUREMENTS
from ctdhub.cli.app import command
from ctdhub.core.format import number
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report.mse import double_people, scope
from ctdhub.site.build import build_site
from ctdhub.site.pages import estimates
from ctdhub.site.pages.estimates import write_estimates, write_estimates_picture
from ctdhub.site.render import render
from ctdhub.stats.answers import Answers
from ctdhub.stats.mse.estimate import remembered
from ctdhub.stats.mse.lists import Lists
from ctdhub.stats.mse.of_release import estimate_in, lists_in

IDS, NAMES = ("one", "two", "three"), ("First", "Second <b>", "Third")
LISTS_OF_THREE = invented(20_000, (0.25, 0.2, 0.1), 4, 6.0)
EVIL = {
    "contributors": [
        {"id": i, "name": name, "kind": "hotline"} for i, name in zip(IDS, NAMES, strict=True)
    ]
}


def made(folder: Path, lists: Lists | None) -> Release:
    """A release whose overlaps are those of fictitious lists a, b, c: one, two, three."""
    answer = protected_answer(facts={**EVIL, "languages": list(LANGUAGES)})
    if lists is not None:
        answer = replace(answer, sources=sources_of(lists, IDS))
    return open_release(write_release(answer, folder / "releases", "2026.1", "First."))


def shown(release: Release, code: str = "en") -> str:
    with language(code):
        return render(estimates.page(Answers(release)), release, LANGUAGES)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return made(tmp_path_factory.mktemp("hub"), LISTS_OF_THREE)


@pytest.fixture(scope="module")
def text(release: Release) -> str:
    return shown(release)


def test_the_lists_of_the_release_are_read(release: Release) -> None:
    found = lists_in(release)
    assert found is not None
    assert found.names == ("one", "three", "two")
    assert found.sigma == 6
    sizes = dict(zip(IDS, LISTS_OF_THREE.sizes.values(), strict=True))
    assert found.sizes == pytest.approx(sizes)


def test_the_spread_comes_before_every_number_of_a_method(text: str, release: Release) -> None:
    result = estimate_in(release)
    assert result is not None
    assert result.spread is not None
    low, high = (number(x) for x in result.spread)
    first = f"Across methods the estimates go from {low} to {high} people"
    if low == high:
        first = f"The estimate is {low} people, including people on no list."
    assert text.index(first) < text.index("<figure")
    for m in result.methods:
        assert m.value is not None
        assert m.low is not None
        assert m.high is not None
        drawn = f"{number(m.value)} ({number(m.low)} to {number(m.high)})"
        assert text.count(drawn) == 1
        row = "".join(f'<td class="n">{number(x)}</td>' for x in (m.value, m.low, m.high))
        assert row in text
        assert m.low < 20_000 < m.high


def test_people_seen_carry_their_noise(text: str) -> None:
    """Seven cells of noise 6: 1.96 * 6 * sqrt(7) = 31.1, rounded up."""
    assert re.search(
        r"[\d,]+ ± 32 people are on at least one of 3 lists, [\d,]+ ± 24 of them", text
    )


def test_drawing_has_a_point_and_a_whisker_for_each_method(text: str) -> None:
    drawing = text[text.index('<svg class="chart"') : text.index("</svg>")]
    assert drawing.count("<circle") == 6  # two methods, four rows if lists depend
    assert drawing.count('class="whisker"') == 18


def test_right_to_left_is_mirrored(release: Release, text: str) -> None:
    def middles(page: str) -> list[float]:
        return [float(x) for x in re.findall(r'<circle class="bar" cx="([\d.]+)%"', page)]

    there, back = middles(text), middles(shown(release, "ar"))
    assert [100 - x for x in there] == pytest.approx(back, abs=0.02)


def test_names_are_safe_and_shown(text: str) -> None:
    assert "Without the list Second &lt;b&gt;" in text
    assert "<b>," not in text
    assert "Second <b>" not in text


def test_small_cells_are_protected_not_zero(text: str, tmp_path: Path) -> None:
    counts = [*LISTS_OF_THREE.counts]
    counts[-1] = 3.0
    part = shown(made(tmp_path, LISTS_OF_THREE.replace(counts)))
    rows = part[part.index('id="overlaps"') :]
    assert rows.count("not shown (below the reporting threshold)") == 1
    assert "± 12" in text[text.index('id="overlaps"') :]


def test_without_overlaps_the_page_says_so_and_has_no_number(tmp_path: Path) -> None:
    bare = made(tmp_path, None)
    page = shown(bare)
    assert "did not measure how the lists" in page
    assert "<figure" not in page
    write_estimates(tmp_path / "charts", bare)
    write_estimates_picture(tmp_path / "charts", bare)
    assert not (tmp_path / "charts").exists()


def test_refused_the_page_says_why_and_has_no_number(tmp_path: Path) -> None:
    few = Lists(LISTS_OF_THREE.names, (900.0, 800.0, 6.0, 700.0, 4.0, 5.0, 1.0), 6.0)
    refused = made(tmp_path, few)
    page = shown(refused)
    assert "No estimate:" in page
    assert "<figure" not in page
    assert "The estimate is " not in page
    write_estimates(tmp_path / "charts", refused)
    facts = json.loads((tmp_path / "charts" / "estimates.json").read_text("utf-8"))
    assert facts["methods"] == []
    assert facts["refused"]["rule"] in ("overlap", "two-lists")


def test_files_hold_the_numbers_of_the_page(release: Release, text: str, tmp_path: Path) -> None:
    with language("en"):
        write_estimates(tmp_path, release)
    facts = json.loads((tmp_path / "estimates.json").read_text("utf-8"))
    assert "2026.1" in facts["citation"]
    assert facts["noise"] == 6
    with (tmp_path / "estimates.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(facts["methods"]) + len(facts["if_lists_depend"]["rows"]) == 6
    for row in rows:
        assert f"{int(row['people']):,} ({int(row['low']):,} to {int(row['high']):,})" in text


def test_a_site_has_the_page_in_every_language_and_a_rebuild_changes_no_number(
    release: Release, tmp_path: Path
) -> None:
    build_site(release, tmp_path / "one", only=["estimates"])
    remembered.cache_clear()
    build_site(release, tmp_path / "two", only=["estimates"])
    one, two = (tmp_path / name for name in ("one", "two"))
    for code in LANGUAGES:
        page = (one / code / "estimates.html").read_text("utf-8")
        assert page == (two / code / "estimates.html").read_text("utf-8")
        assert (one / "r/2026.1/charts" / code / "estimates.svg").is_file()
        for link in re.findall(r'href="([^"#]+estimates\.(?:svg|csv|json))"', page):
            assert (one / code / link).is_file(), link


def test_site_command_and_files_say_what_the_organisations_answered(tmp_path: Path) -> None:
    facts = {**EVIL, "languages": ["en"], "list_answers": {"same_place": True, "refer": True}}
    answer = replace(protected_answer(facts=facts), sources=sources_of(LISTS_OF_THREE, IDS))
    release = open_release(write_release(answer, tmp_path / "releases", "2026.1", "First."))
    page = shown(release)
    asked = "refuse each other’s people? yes. Do they share a register? not answered."
    assert page.index(asked) < page.index("The estimate is ")
    assert "by their answers the lists are not independent" in page
    write_estimates(tmp_path, release)
    found = json.loads((tmp_path / "estimates.json").read_text("utf-8"))
    assert found["answers"] == {"same_place": True, "refer": True, "one_register": None}
    told = CliRunner().invoke(command(), ["estimate", str(release.path), "--own-registers"]).output
    assert "yes. Do they share a register? no." in " ".join(told.split())


def test_lists_of_different_years_are_told_before_any_number(tmp_path: Path) -> None:
    spans = ((2015, 2019), (2016, 2019), (2015, 2017))
    several = [{**c, "years": s} for c, s in zip(EVIL["contributors"], spans, strict=True)]
    answer = protected_answer(facts={**EVIL, "contributors": several, "languages": ["en"]})
    answer = replace(answer, sources=sources_of(LISTS_OF_THREE, IDS))
    release = open_release(write_release(answer, tmp_path / "releases", "2026.1", "First."))
    page, warning = shown(release), scope(release)
    assert "First (2015 to 2019)" in warning
    assert "Only 2016 to 2017 is covered by all of them" in warning
    assert page.index("different years") < page.index("The estimate is ")
    write_estimates(tmp_path, release)
    found = json.loads((tmp_path / "estimates.json").read_text("utf-8"))
    assert found["warnings"][0] == warning
    assert found["list_years"]["two"] == [2016, 2019]
    told = " ".join(CliRunner().invoke(command(), ["estimate", str(release.path)]).output.split())
    assert "different years" in told
    assert told.index("different years") < told.index("The estimate is ")
    data = json.loads(
        CliRunner().invoke(command(), ["estimate", str(release.path), "--format", "json"]).output
    )
    assert data["warnings"][0] == warning
    assert data["methods"] == found["methods"]  # site and command: the same numbers


def test_years_and_people_who_count_twice_are_told(tmp_path: Path) -> None:
    """A release joined by tokens says in which years, and how many of its people are another."""
    found = sources_of(LISTS_OF_THREE, IDS)
    row = {"columns": [DOUBLES], "values": ["people"], "noisy": 240.4}
    table = pa.concat_tables([found.measurements, pa.Table.from_pylist([row], MEASUREMENTS)])
    sources = replace(
        found,
        measurements=table,
        sigma={**found.sigma, DOUBLES: 10.0},
        list_years=(2016, 2017),
        tokens=2,
    )
    answer = replace(protected_answer(facts={**EVIL, "languages": ["en"]}), sources=sources)
    release = open_release(write_release(answer, tmp_path / "releases", "2026.1", "First."))
    assert release.protected.sources is not None
    assert release.protected.sources.list_years == (2016, 2017)
    page = shown(release)
    assert "known to it in 2016 to 2017" in scope(release)
    assert page.index("known to it in 2016 to 2017") < page.index("The estimate is ")
    assert "about 240 people of this release" in double_people(release)
    assert double_people(release) in page
    told = " ".join(CliRunner().invoke(command(), ["estimate", str(release.path)]).output.split())
    assert "(noise alone: 220 to 260)" in " ".join(told.split())
    data = json.loads(
        CliRunner().invoke(command(), ["estimate", str(release.path), "--format", "json"]).output
    )
    assert data["doubles"] == {"people": 240, "low": 220, "high": 260}
    assert data["warnings"][:2] == [scope(release), double_people(release)]
    readme = (release.path / "README.md").read_text("utf-8")
    assert "2016 to 2017" in readme
    assert "at most 2 further tokens" in readme


def test_lists_of_the_same_years_need_no_warning(release: Release, text: str) -> None:
    assert scope(release) == ""
    assert "different years" not in text
