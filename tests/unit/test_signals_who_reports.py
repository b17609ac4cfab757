"""Signals where a contributor left: few false ones, true ones found, and what moved apart."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from leaving_source import (
    CASES,
    COUNTRIES,
    HOTLINE,
    RATE,
    TOUCHED,
    C,
    G,
    Simulated,
    Y,
    simulated,
    template,
)

from ctdhub.border import MEASUREMENTS, Sources
from ctdhub.core.i18n import LANGUAGES
from ctdhub.document import text
from ctdhub.release.open import Release
from ctdhub.report import signal_charts
from ctdhub.report.signal_charts import write_signals
from ctdhub.schema.model import CONTRIBUTOR
from ctdhub.site.pages import signals as signals_page
from ctdhub.site.render import render
from ctdhub.stats.answers import Answers
from ctdhub.stats.signals.cards import by_year, cards
from ctdhub.stats.signals.find import Finding, find
from ctdhub.stats.signals.of_release import (
    CoverageChange,
    Pieces,
    ReleaseSignals,
    changed,
    panel_of,
    signals,
)

DRAWS = 6


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return template(tmp_path_factory.mktemp("leaving"))


@pytest.fixture(scope="module")
def drawn(base: Release) -> list[tuple[Simulated, ReleaseSignals]]:
    draws = [simulated(base, seed) for seed in range(DRAWS)]
    return [(one, signals(one.release)) for one in draws]


def is_true(one: Simulated, finding: Finding) -> bool:
    """Whether its place truly changed, and just in the way that it did."""
    moved = {(t.what, t.way) for t in finding.moved(RATE)}
    return finding.name.split("&")[0] in one.true and moved == {("count", "rise")}


def false_part(one: Simulated, found: tuple[Finding, ...]) -> float:
    return sum(not is_true(one, f) for f in found) / max(1, len(found))


def test_with_a_contributor_that_left_one_of_ten_signals_is_false_at_most(
    drawn: list[tuple[Simulated, ReleaseSignals]],
) -> None:
    ours, plain = [], []
    for one, result in drawn:
        assert result.search
        ours.append(false_part(one, result.search.signals))
        years = range(2014, 2026)
        as_it_is = find(panel_of(result.looked, years, frozenset()), smallest=False)
        plain.append(false_part(one, as_it_is.signals))
    assert np.mean(ours) <= RATE
    assert np.mean(plain) > 0.4  # so the split is what keeps the promise


def test_a_true_change_is_found_where_the_contributor_that_left_reported(
    drawn: list[tuple[Simulated, ReleaseSignals]],
) -> None:
    power = []
    for one, result in drawn:
        assert result.search
        names = {f.name for f in result.search.signals}
        power.append(np.mean([place in names for place in one.touched]))
        rows = {f.name: f.row for f in result.search.findings}
        assert all(result.basis(rows[place]) == "others" for place in one.touched)
    assert np.mean(power) >= 0.9


def test_nothing_is_a_signal_where_nothing_but_the_reports_changed(base: Release) -> None:
    alarms = 0
    for seed in range(12):
        result = signals(simulated(base, 200 + seed, times=1.0).release)
        assert result.search
        alarms += bool(result.search.signals)
        assert len(result.explained) > 15
    assert alarms <= 3  # 12 at one of ten: more than three in 3 of 100 such tests


def test_what_fell_with_the_contributor_stands_apart_with_its_name(
    drawn: list[tuple[Simulated, ReleaseSignals]],
) -> None:
    for one, result in drawn:
        assert result.search
        rows = {f.row for f in result.search.signals}
        places = set(COUNTRIES[:TOUCHED])
        for moved in result.explained:
            assert moved.finding.row not in rows
            assert moved.by.names == ("Line",)
            place = moved.finding.name.split("&")[0]
            assert place.removeprefix(f"{C}=") in places
            if moved.settled:
                before, now = moved.finding.count
                assert now.value < before.value or place in one.true


def test_places_that_the_contributor_does_not_report_are_tested_as_they_are(
    drawn: list[tuple[Simulated, ReleaseSignals]],
) -> None:
    one, result = drawn[0]
    assert result.search
    held = {m.name: row for row, m in enumerate(result.looked)}
    rows = [held[f"{C}={c}"] for c in COUNTRIES[TOUCHED:]]
    assert {result.basis(row) for row in rows} == {"all"}
    plain = panel_of(result.looked, range(2014, 2026), frozenset())
    assert (result.search.panel.counts[rows] == plain.counts[rows]).all()
    assert (result.search.panel.noise[rows] == plain.noise[rows]).all()
    assert one.true


def test_two_contributors_of_one_name_are_two(tmp_path: Path) -> None:
    release = template(tmp_path, ({**HOTLINE, "name": "Union"}, {**CASES, "name": "Union"}))
    result = signals(simulated(release, 0).release)
    assert result.search
    assert {result.basis(row) for row in range(len(result.looked))} > {"others"}
    finding = next(f for f in result.search.findings if result.basis(f.row) == "others")
    assert cards(result, finding).count[0].contributors == ("Union",)


def test_figures_of_a_remainder_are_of_the_others_and_name_them(
    drawn: list[tuple[Simulated, ReleaseSignals]],
) -> None:
    one, result = drawn[0]
    assert result.search
    finding = next(f for f in result.search.signals if f.name in one.touched)
    before, now = cards(result, finding).count
    assert before.contributors == now.contributors == ("Cases",)
    explained = result.explained[0].finding
    assert cards(result, explained).count[0].contributors == ("Line", "Cases")


def test_figures_of_a_remainder_are_no_points(
    drawn: list[tuple[Simulated, ReleaseSignals]],
) -> None:
    one, result = drawn[0]
    assert result.search
    finding = next(f for f in result.search.signals if f.name in one.touched)
    assert result.is_less(finding.row)
    for told in cards(result, finding).count:
        assert (told.value, told.state) == (None, "imprecise")
        assert told.low is not None
        assert told.high is not None
    assert {y.people.value for y in by_year(result, finding)} == {None}


def test_a_release_that_does_not_tell_sources_apart_says_so_in_each_signal(base: Release) -> None:
    result = signals(simulated(base, 1, by_source=False).release)
    assert {one.basis for one in result.compared} == {"undivided"}
    assert not result.explained
    lines = text.write_plain(signal_charts.release_document(result)).strip().split("\n\n")
    assert "A signal may come from that alone." in " ".join(lines)
    listed = [line for line in lines if line[:1].isdigit() and ". " in line[:4]]
    assert len(listed) == len(result.leads)
    assert all("cannot show what they report of these people" in line for line in listed)


def test_where_all_contributors_changed_nothing_can_be_taken_away(tmp_path: Path) -> None:
    base = template(tmp_path, (HOTLINE, {**CASES, "years": [2019, 2025]}))
    result = signals(simulated(base, 1).release, None)
    assert {one.basis for one in result.compared} == {"undivided"}


def test_who_joined_or_left_between_two_years() -> None:
    base = [HOTLINE, CASES, {**HOTLINE, "id": "other", "name": "Other", "years": [2014, 2025]}]
    release = _Named(base)
    assert changed(release, 2016, 2025) == (CoverageChange("hotline", ("line",), ("Line",), True),)  # type: ignore[arg-type]
    assert changed(release, 2014, 2022) == ()  # type: ignore[arg-type]
    assert changed(release, 2023, 2025) == ()  # type: ignore[arg-type]


class _Named:
    """The facts of a release, and nothing else."""

    def __init__(self, contributors: list[dict[str, object]]) -> None:
        from ctdhub.release.manifest import PublicFacts

        given = {"hub": "H", "years": [2014, 2030], "schema_version": "1.0", "languages": ["en"]}
        self.facts = PublicFacts.of({**given, "contributors": contributors})


def test_contributors_counted_apart_are_taken_away_alone(tmp_path: Path) -> None:
    """Two hotlines, of which one left: only its own counts are taken away where there are any."""
    other = {**HOTLINE, "id": "other", "name": "Other", "years": [2014, 2025]}
    release = simulated(template(tmp_path, (HOTLINE, other, CASES)), 3).release
    rows = [
        dict(
            zip(MEASUREMENTS.names, ([CONTRIBUTOR, Y], [who, year], noisy), strict=True),
        )
        for who, noisy in (("line", 50.0), ("other", 70.0), ("cases", 90.0))
        for year in (*map(str, range(2014, 2031)), "")
    ]
    table = pa.Table.from_pylist(rows, MEASUREMENTS)
    ids, sigma = ("line", "other", "cases"), {f"{CONTRIBUTOR}*{Y}": 12.0}
    sources = Sources(ids, (), table, sigma, 0.05)
    release = replace(release, answer=replace(release.protected, sources=sources))
    years = range(2014, 2026)
    (one,) = changed(release, 2016, 2025)
    assert one == CoverageChange("hotline", ("line",), ("Line",), True)
    pieces = Pieces(Answers(release), one, years, np.ones(len(years)))
    part = pieces.part((), ())
    assert part
    assert part.apart
    assert part.people.tolist() == [50.0] * 9 + [0.0] * 3
    assert part.sd.tolist() == [12.0] * 9 + [0.0] * 3
    place = pieces.part(((C, COUNTRIES[0]),), ())
    assert place
    assert not place.apart
    assert place.sd[-1] > 0  # the other hotline still reports


def test_an_estimated_part_is_a_part_and_as_uncertain_as_its_years_together(base: Release) -> None:
    release = simulated(base, 5).release
    years = range(2014, 2026)
    (one,) = changed(release, 2016, 2025)
    once = Pieces(Answers(release), one, years, np.ones(len(years)))
    often = Pieces(Answers(release), one, years, np.full(len(years), 6.0))
    for country in COUNTRIES[:5]:
        place, women = ((C, country),), ((G, "female"),)
        whole, part = once.part(place, ()), once.part(place, women)
        assert whole
        assert part
        assert part.estimated
        assert not whole.estimated
        men = once.part(place, ((G, "male"),))
        assert men
        assert part.people + men.people == pytest.approx(whole.people, rel=0.35, abs=25)
        more = often.part(place, women)
        assert more
        assert (more.people == part.people).all()
        assert (more.sd >= part.sd).all()
        assert (part.sd[-3:] == 0).all()  # exactly none after the last report


def test_page_and_files_keep_what_is_explained_apart(
    drawn: list[tuple[Simulated, ReleaseSignals]], tmp_path: Path
) -> None:
    one, result = drawn[0]
    write_signals(tmp_path, result)
    document = json.loads((tmp_path / "signals.json").read_text("utf-8"))
    with (tmp_path / "signals.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    documented = (Path(__file__).parents[2] / "docs/reference/signals.md").read_text("utf-8")
    for kind in ("signals", "explained"):
        assert all(f"`{key}`" in documented for key in document[kind][0])
        mine = [r["series"] for r in rows if bool(r["explained_by"]) == (kind == "explained")]
        assert mine == [s["series"] for s in document[kind]]
    assert {r["explained_by"] for r in rows} == {"", "Line"}
    text = render(signals_page.page(Answers(one.release)), one.release, LANGUAGES)
    assert 'id="explained"' in text
    section = text[text.index('id="explained"') : text.index('id="all"')]
    assert f"{sum(e.settled for e in result.explained)} series moved as the reports of Line" in (
        section
    )
    assert 0 < text.count("<figure") <= 10
    assert "without contributors that joined or left" in text


def test_each_signal_is_told_once_and_parts_of_a_place_with_it(
    drawn: list[tuple[Simulated, ReleaseSignals]],
) -> None:
    for _one, result in drawn:
        assert result.search
        told = [f.row for lead in result.leads for f in (lead.finding, *lead.also)]
        assert sorted(told) == sorted(f.row for f in result.search.signals)
        heads = {result.looked[lead.finding.row].name for lead in result.leads}
        for lead in result.leads:
            place = result.looked[lead.finding.row]
            assert not (place.part and f"{C}={place.places[0][1]}" in heads)


def test_what_is_told_is_believed_among_what_is_told(
    drawn: list[tuple[Simulated, ReleaseSignals]],
) -> None:
    """The false discovery rate holds over leads, as it does in a file: by another route."""
    for _one, result in drawn:
        assert result.search
        under = {f.row for lead in result.leads for f in lead.also}
        assert under
        rest = [f for f in result.search.findings if f.row not in under]
        believed = {f.row for lead in result.leads for f in [lead.finding]}
        for kind in ("count", "share"):
            tests = [t for f in rest for t in f.tests if t.what == kind]
            mean = np.mean([t.weight for t in tests])
            p = np.sort([t.p * mean / t.weight for t in tests])
            passed = np.flatnonzero(p <= 0.1 * np.arange(1, p.size + 1) / p.size)
            limit = p[passed[-1]] if passed.size else -1.0
            for f in rest:
                for t in f.moved(0.1):
                    assert t.what != kind or t.p * mean / t.weight <= limit
                    assert f.row in believed
