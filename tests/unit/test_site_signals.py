"""Signals of a release: the planted rise, its cards, its page, its files, and the empty states."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from invented_release import TABLES, protected_answer

from ctdhub.border import MEASUREMENTS, Protected
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.practice.people import draw, load_marginals
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report import signal_charts
from ctdhub.report.signal_charts import write_signals
from ctdhub.report.signals import of_release, sentence
from ctdhub.report.wording import ranged
from ctdhub.site.pages import signals as signals_page
from ctdhub.site.render import render
from ctdhub.stats.answers import Answers
from ctdhub.stats.signals.cards import by_year, cards
from ctdhub.stats.signals.of_release import ReleaseSignals, signals

YEAR = "year_of_registration"
WOMEN = "citizenship=CIV&gender=female"
SIGMA = {f"{YEAR}*citizenship": 8.5, f"{YEAR}*gender*citizenship": 18.5}
"""Noise of a practice hub of 60,000 people with the default policy, rounded up."""
COLUMNS = (YEAR, "citizenship", "gender")
CITIZENSHIPS = ("CIV", "UKR", "MDA", "PHL", "NGA", "USA")
LEFT = [
    {"id": "one", "name": "First <b>organisation</b>", "kind": "hotline", "years": [2002, 2022]},
    {"id": "two", "name": "Second", "kind": "case_management", "years": [2002, 2025]},
]


@cache
def people() -> list[dict[str, str | None]]:
    """The practice people of six citizenships."""
    drawn = draw(60_000, np.random.default_rng(20260101), load_marginals()).table([""] * 60_000)
    held = ({n: v and str(v) for n, v in p.items()} for p in drawn.select(COLUMNS).to_pylist())
    return [person for person in held if person["citizenship"] in CITIZENSHIPS]


def measured(seed: int) -> pa.Table:
    """Noisy counts by year of the practice people of six citizenships."""
    rng, years = np.random.default_rng(seed), [str(y) for y in range(2002, 2031)]
    of = {n: np.array([p[n] for p in people()], dtype=str) for n in COLUMNS}
    rows = []
    for code in CITIZENSHIPS:
        for gender in (None, "female", "male"):
            inside = (of["citizenship"] == code) & (gender is None or of["gender"] == gender)
            table = f"{YEAR}*gender*citizenship" if gender else f"{YEAR}*citizenship"
            for year in (*years, ""):
                values = (year, gender, code) if gender else (year, code)
                noisy = (inside & (of[YEAR] == year)).sum() + rng.normal(0, SIGMA[table])
                rows.append(
                    dict(zip(MEASUREMENTS.names, (table.split("*"), values, noisy), strict=False))
                )
    return pa.Table.from_pylist(rows, MEASUREMENTS)


def made(folder: Path, measurements: pa.Table, **facts: Any) -> Release:
    """A release of these people whose noisy counts by year are these."""
    given = {"years": [2002, 2030], "contributors": LEFT, **facts}
    plain = protected_answer(people(), facts=given, tables=(*TABLES, *SIGMA))
    sigma = {**plain.guarantee.sigma, **SIGMA}
    guarantee = replace(plain.guarantee, sigma=sigma, drawn=sigma)
    answer: Protected = replace(plain, measurements=measurements, guarantee=guarantee)
    return open_release(write_release(answer, folder, "2026.1", "First."))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return made(tmp_path_factory.mktemp("planted"), measured(1))


@pytest.fixture(scope="module")
def result(release: Release) -> ReleaseSignals:
    return signals(release)


def shown(release: Release, code: str = "en") -> str:
    with language(code):
        return render(signals_page.page(Answers(release)), release, LANGUAGES)


def test_the_planted_rise_is_found_and_the_fall_is_in_its_sentence(result: ReleaseSignals) -> None:
    assert result.search is not None
    signal = next(f for f in result.search.signals if f.name == WOMEN)
    assert ("share", "rise") in [(t.what, t.way) for t in signal.moved(0.1)]
    told = of_release(result, signal)
    assert told.title == "Citizenship: Côte d’Ivoire"
    said = sentence(told)
    assert "The share of women and girls rose from" in said
    assert "while the total of those recorded fell from" in said
    assert signal.share
    assert signal.share[0].value < 0.2 < 0.3 < signal.share[1].value


def test_the_unfinished_year_and_years_to_come_are_left_out(result: ReleaseSignals) -> None:
    assert result.search is not None
    assert result.search.span(result.search.window) == ("2023", "2025")
    assert result.search.span(result.search.past) == ("2017", "2022")
    assert [(t.year, t.left) for t in result.turns] == [(2023, ("First <b>organisation</b>",))]


def test_years_that_nobody_covers_are_missing_not_zero(tmp_path: Path) -> None:
    early = [{"id": "a", "name": "A", "years": [2019, 2025]}]
    found = signals(made(tmp_path, measured(1), contributors=early)).search
    assert found is not None
    assert str(found.panel.periods[0]) == "2019"
    gap = [*early, {"id": "b", "name": "B", "years": [2002, 2016]}]
    result = signals(made(tmp_path / "gap", measured(1), contributors=gap))
    assert result.search is not None
    columns = [str(p) for p in result.search.panel.periods]
    empty = np.isnan(result.search.panel.counts).all(axis=0)
    assert [y for y, e in zip(columns, empty, strict=True) if e] == ["2017", "2018"]
    years = by_year(result, result.search.findings[0])
    assert [y.year for y in years if not y.covered] == [2017, 2018]
    assert [y.people.state for y in years if not y.covered] == ["not_measured"] * 2


def test_cards_hold_the_truth_and_hide_what_is_not_clear_of_zero(result: ReleaseSignals) -> None:
    assert result.search is not None
    truth = load_marginals().planted
    for finding in result.search.findings:
        of = cards(result, finding)
        pairs = [of.count, of.whole or (), of.share or ()]
        for card in (c for pair in pairs for c in pair):
            clear = (card.low or 0) > 0 and card.state != "imprecise"
            assert (card.value is not None) == clear
            assert card.level == 0.95
    signal = next(f for f in result.search.findings if f.name == WOMEN)
    women = {y: round(n * 2 * truth.women[y]) for y, n in truth.all.items()}
    now = cards(result, signal).count[1]
    mean = np.mean([women[y] for y in (2023, 2024, 2025)])
    assert (now.low or 0) - 20 <= mean <= (now.high or 0) + 20  # and some citizens elsewhere


def test_shares_of_women_and_men_never_exceed_the_whole_as_printed(result: ReleaseSignals) -> None:
    """Their counts and the whole have noise of their own, so the plain quotients do."""
    assert result.search is not None
    by_name = {f.name: f for f in result.search.findings}
    sums = []
    for name, women in by_name.items():
        men = by_name.get(name.replace("female", "male"))
        if "female" not in name or men is None:
            continue
        one, two = cards(result, women).share, cards(result, men).share
        assert one
        assert two
        pairs = list(zip(one, two, strict=True))
        years = zip(by_year(result, women), by_year(result, men), strict=True)
        pairs += [(w.share, m.share) for w, m in years if w.share and m.share]
        shown = [pair for pair in pairs if all(c.value is not None for c in pair)]
        sums += [sum(Decimal(ranged(c).split("%")[0]) for c in pair) for pair in shown]
    assert len(sums) > 20
    assert max(sums) == 100


def test_a_ratio_is_told_only_where_the_numbers_are_and_holds_them(result: ReleaseSignals) -> None:
    document = signal_charts.of_release(result)
    women = next(s for s in document["signals"] if s["series"] == WOMEN)
    ratio = women["ratio"]["share"]
    assert 1 < ratio["low"] < ratio["value"] < ratio["high"]
    assert ratio["value"] == pytest.approx(
        women["share"]["now"]["value"] / women["share"]["before"]["value"], rel=0.35
    )
    for told in (*document["signals"], *document["explained"]):
        for what, of in told["ratio"].items():
            assert what in told["moved"]
            assert of["low"] <= of["value"] <= of["high"]
            assert all(told[what][when]["state"] == "shown" for when in ("before", "now"))
    lead = next(one for one in result.leads if one.finding.name == WOMEN)
    with language("en"):
        text = " ".join(signal_charts.sentences_of(result, lead))
    assert "times what was expected" in text


def test_the_page_says_count_share_whole_and_who_left(release: Release) -> None:
    text = shown(release)
    part = text[text.index("Citizenship: Côte d’Ivoire: the share of women and girls rose") :]
    part = part[: part.index("</figure>")]
    assert part.count('<svg class="chart years" role') == 2
    assert part.count('class="turn"') == 2
    assert "100%" in part
    drawing = part[part.index("<svg") :]
    intervals = drawing.count('class="whisker"') + drawing.count('class="band"')
    assert bool(intervals) is ("<circle" in drawing)
    assert "First &lt;b&gt;organisation&lt;/b&gt;" in text
    assert "<b>organisation" not in text
    assert "A signal may come from that alone." in text
    assert "Of 10 signals such as these, at most one is expected to be false." in text
    for sentence_ in ("Not a cause", "Not prevalence", "Never about one person"):
        assert sentence_ in text


def test_a_table_line_for_each_signal(release: Release, result: ReleaseSignals) -> None:
    assert result.search is not None
    text = shown(release)
    lines = text[text.index('<h2 id="all">') :]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>', lines)
    assert len(rows) == len(result.search.signals)
    assert len(re.findall(r"1 in [\d,]+</td>", lines)) == len(rows)


def test_files_hold_what_the_page_says(
    release: Release, result: ReleaseSignals, tmp_path: Path
) -> None:
    write_signals(tmp_path, result)
    document = json.loads((tmp_path / "signals.json").read_text("utf-8"))
    with (tmp_path / "signals.csv").open(encoding="utf-8", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert result.search is not None
    names = [f.name for f in result.search.signals]
    assert [r["series"] for r in rows] == [s["series"] for s in document["signals"]] == names
    women = next(r for r in rows if r["series"] == WOMEN)
    assert women["moved"].split("+")[-1] == "share"
    assert float(women["share_before"]) < float(women["share_now"])
    assert document["release"]["version"] == "2026.1"
    meta = json.loads((tmp_path / "signals.metadata.json").read_text("utf-8"))
    assert meta["caveat"] == "Identified people, not prevalence."
    page = shown(release)
    for name in ("signals.csv", "signals.json", "signals.metadata.json"):
        assert f"charts/{name}" in page


def test_no_signal_is_a_state_of_its_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    years = [str(y) for y in range(2002, 2031)]
    rows = [
        {"columns": [YEAR, "citizenship"], "values": [y, c], "noisy": 200 + rng.normal(0, 8.5)}
        for c in ("UKR", "MDA", "CIV")
        for y in (*years, "")
    ]
    release = made(tmp_path, pa.Table.from_pylist(rows, MEASUREMENTS))
    text = shown(release)
    assert "There is no signal." in text
    assert "small changes cannot be seen" in text
    assert "<figure" not in text
    assert "Of 10 signals" not in text


def test_a_release_without_yearly_series_says_so(tmp_path: Path) -> None:
    release = made(tmp_path, MEASUREMENTS.empty_table())
    assert signals(release).search is None
    assert "no yearly series to test" in shown(release)
    write_signals(tmp_path / "out", signals(release))
    document = json.loads((tmp_path / "out/signals.json").read_text("utf-8"))
    assert document["signals"] == []
    assert document["warnings"]


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_page_is_drawn_in_every_language(release: Release, code: str) -> None:
    text = shown(release, code)
    assert f'lang="{code}"' in text
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    for label in re.findall(r'aria-labelledby="([^"]+)"', text):
        assert set(label.split()) <= set(ids)
