"""The page of assistance says what the release says; so do its files and the tables for reports."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from invented_release import ASSISTED, TABLES, protected_answer

from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report.equity import assistance_caveat, charts, file_of
from ctdhub.site.build import build_site
from ctdhub.site.pages import assistance as page_of
from ctdhub.site.pages import mandated as tables_page
from ctdhub.site.render import render
from ctdhub.stats import equity
from ctdhub.stats.answers import Answers
from ctdhub.stats.mandated import tables
from ctdhub.stats.mandated.tables import reported_places

BY = ("citizenship_group",)


def made(folder: Path, tables: tuple[str, ...] = (*TABLES, *ASSISTED)) -> Release:
    answer = protected_answer(tables=tables, facts={"languages": list(LANGUAGES)})
    return open_release(write_release(answer, folder / "releases", "2026.1", "First."))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return made(tmp_path_factory.mktemp("assistance"))


@pytest.fixture(scope="module")
def site(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site"
    build_site(release, folder, only=["assistance", "mandated", "data", "places"])
    return folder


def test_every_grouping_has_a_chart_with_all_its_numbers(release: Release) -> None:
    answers = Answers(release)
    found = charts(answers)
    assert [c.id for c in found] == [file_of(by) for by in equity.groupings(answers)]
    by_group = equity.assistance(answers, BY)
    chart = next(c for c in found if c.id == file_of(BY))
    assert len(chart.panels) == len(by_group) == 2
    for panel, a in zip(chart.panels, by_group, strict=True):
        for bar, group in zip(panel.bars, a.groups, strict=False):
            part = group.shares["received"]
            assert (bar.size, bar.kind != "value") == (part.value, part.value is None)
            if part.value is None:
                assert bar.text
        assert panel.bars[-1].missing
        assert panel.bars[-1].size == a.everybody.unknown.value
    assert len(chart.lines) == sum(1 + len(a.groups) for a in by_group)
    assert {len(line) for line in chart.lines} == {len(chart.heads)}


def test_a_clear_gap_is_the_headline_and_stands_first(release: Release) -> None:
    gaps = {c.id: c.gaps for c in charts(Answers(release))}
    (told,) = gaps[file_of(("gender",))]  # men and boys: 20 % against 60 %, medical equal
    assert told.index("men and boys") < told.index("women and girls")
    assert told.startswith("Accommodation")
    assert not gaps[file_of(("age_band",))]
    for lang in LANGUAGES:
        with language(lang):
            page = next(page_of.pages(Answers(release)))
            html = render(page, release, LANGUAGES)
            for chart in (drawn["figure"] for drawn in page.values["charts"]):
                assert chart.headline == (chart.heads_of_gaps[0] if chart.gaps else chart.subtitle)
            first = html.index('<section aria-labelledby="gaps">')
            assert first < html.index("<figure")


def test_the_page_carries_its_caveats_and_the_five_actions(release: Release) -> None:
    html = "".join(render(p, release, LANGUAGES) for p in page_of.pages(Answers(release)))
    assert assistance_caveat() in html
    assert html.count("Identified people, not prevalence.") > html.count("<figure")
    for figure in re.findall(r"<figure.*?</figure>", html, re.DOTALL):
        for action in ("CSV", "Metadata", "Link", "Share and cite", "About this data", "Table"):
            assert action in figure
        assert figure.count('class="chart') >= 2


def test_a_release_without_assistance_says_so(tmp_path: Path) -> None:
    page = next(page_of.pages(Answers(made(tmp_path, TABLES))))
    html = render(page, made(tmp_path / "b"), LANGUAGES)
    assert "not measured in this release" in html
    assert "<figure" not in html


def test_files_hold_the_same_numbers(release: Release, site: Path) -> None:
    answers = Answers(release)
    for by in equity.groupings(answers):
        path = site / "r/2026.1/charts" / f"{file_of(by)}.csv"
        rows = list(csv.DictReader(path.open(encoding="utf-8")))
        by_kind = {a.kind: a for a in equity.assistance(answers, by)}
        for row in rows:
            a = by_kind[row["assistance"]]
            if row["group"] == "all" and row["measure"] == "received":
                value = a.everybody.shares["received"].value
                assert value is not None
                assert float(row["share"]) == pytest.approx(value, abs=1e-4)
        facts = json.loads(path.with_suffix(".metadata.json").read_text("utf-8"))
        assert facts["caveat"]
        assert facts["citation"]
        assert "rows" not in facts


def test_every_table_for_reports_is_linked_and_there(release: Release, site: Path) -> None:
    html = (site / "en" / "mandated.html").read_text("utf-8")
    links = [h for h in re.findall(r'href="([^"]+)"', html) if "charts/mandated" in h]
    assert links
    for link in links:
        assert (site / "en" / link.partition("#")[0]).is_file(), link
    held = set(reported_places(Answers(release)))
    for shape in tables.SHAPES:
        own = {
            h.partition("#country=")[2]
            for h in links
            if h.startswith(f"../r/2026.1/charts/mandated/{shape}.csv")
        }
        assert own == (held - {"ARE"} if shape == "eurostat" else held)
        with (site / "r/2026.1/charts/mandated" / f"{shape}.csv").open(encoding="utf-8") as handle:
            assert {row["country"] for row in csv.DictReader(handle)} == own
    assert 'href="mandated.html"' in (site / "en" / "data.html").read_text("utf-8")
    place = (site / "en" / "countries" / "pol.html").read_text("utf-8")
    assert 'href="../mandated.html#pol"' in place
    assert 'id="pol"' in html


def test_notes_that_all_tables_share_stand_once(release: Release) -> None:
    page = tables_page.page(Answers(release))
    html = render(page, release, LANGUAGES)
    for note in page.values["common"]:
        assert html.count(note) == 1
    for shape in page.values["shapes"]:
        assert set(shape["notes"]) == {*page.values["common"], *shape["own"]}
        assert any("not certified" in note for note in shape["own"])
