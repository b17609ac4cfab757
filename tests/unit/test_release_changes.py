"""Two releases of one hub: which cells differ, how sure that is, and what the page says."""

from __future__ import annotations

import csv
import gc
import re
from dataclasses import replace
from itertools import islice
from pathlib import Path
from weakref import ref

import pytest
from changed_releases import HOTLINE, draw, without
from hypothesis import given
from hypothesis import strategies as st
from invented_release import FACTS, people_rows, protected_answer
from practice_releases import Practice
from tests.conftest import Once

from ctdhub.border import Estimate
from ctdhub.core.format import signed
from ctdhub.core.i18n import LANGUAGES, Text, language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report import release_changes as words
from ctdhub.site.build import build_site
from ctdhub.site.edition import PLAIN, Content
from ctdhub.site.frame import Page
from ctdhub.site.pages import changes, places
from ctdhub.stats.answers import Answers
from ctdhub.stats.release_changes import RATE, CellChange, compare

SEEDS = range(2)
HOSTILE = "<b>Gone</b> https://x.example ‮ [a](javascript:1)"
LEFT = {"contributors": [FACTS["contributors"][0]], "languages": ["en", "ar"]}


@pytest.fixture(scope="module")
def practice(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Practice:
    return Practice.made(once, tmp_path_factory.mktemp("changes"), 4000)


def made(
    folder: Path, version: str, rows: list[dict[str, str | None]], note: str = "", **facts: object
) -> Release:
    answer = protected_answer(rows, facts={"languages": ["en", "ar"], **facts})
    told = (Text("No longer in the data: {names}", names="x"),) if note else ()
    return open_release(write_release(answer, folder, version, note, changed=told))


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Release, ...]:
    """The newest first: one contributor and the people in Poland gone, nothing new, the first."""
    folder, rows = tmp_path_factory.mktemp("three"), people_rows()
    first = made(folder, "2025.1", rows)
    second = made(folder, "2025.2", rows)
    fewer = [row for row in rows if row["country_of_exploitation"] != "POL"]
    return made(folder, "2025.10", fewer, HOSTILE, **LEFT), second, first


def test_fresh_noise_alone_makes_no_difference(practice: Practice) -> None:
    drawn = [draw(practice, practice, seed) for seed in SEEDS]
    assert sum(d.found for d in drawn) == 0
    assert all(d.held / len(d.result.cells) > 0.99 for d in drawn)


def test_found_differences_are_true_and_their_intervals_hold(practice: Practice) -> None:
    for now in (without(practice, contributor=HOTLINE), without(practice, citizenship="UKR")):
        drawn = draw(practice, now, 1)
        assert drawn.found > 5
        assert drawn.false_share <= RATE
        assert not drawn.wrong_way
        assert drawn.held / len(drawn.result.cells) > 0.99


def test_what_was_compared_goes_with_its_releases(three: tuple[Release, ...]) -> None:
    """The desk opens releases for each page, in one process: comparisons must not hold them all."""
    now = Answers(three[0])
    found = words.compared(before := Answers(three[1]), now)
    assert words.compared(before, now) is found
    held = [ref(before), ref(now)]
    del before, now
    gc.collect()
    assert [each() for each in held] == [None, None]


def test_an_interval_leaves_out_zero_exactly_where_the_cell_differs(
    three: tuple[Release, ...],
) -> None:
    found = compare(Answers(three[1]), Answers(three[0]))
    assert found.beyond
    assert all(c.beyond != (c.low <= 0 <= c.high) for c in found.cells)
    assert all(c.low <= (c.difference or c.low) <= c.high for c in found.cells)
    gone = next(c for c in found.beyond if c.values == ("POL",))
    assert gone.now is None
    assert gone.difference is None
    assert gone.high < 0


@given(st.integers(0, 1), st.integers(0, 1))
def test_of_one_release_nothing_differs(three: tuple[Release, ...], i: int, j: int) -> None:
    older = (three[1], three[2])
    assert not compare(Answers(older[i]), Answers(older[j])).beyond


def test_the_other_way_round_the_signs_turn(three: tuple[Release, ...]) -> None:
    there, back = (
        {c.values: (c.low, c.high) for c in compare(Answers(a), Answers(b)).beyond}
        for a, b in ((three[0], three[1]), (three[1], three[0]))
    )
    assert there.keys() == back.keys()
    assert all(there[k] == pytest.approx((-back[k][1], -back[k][0])) for k in there)


def test_years_that_one_release_does_not_cover_are_no_change(
    three: tuple[Release, ...], tmp_path: Path
) -> None:
    rows = people_rows()
    late = [
        {**row, "year_of_registration": "2019"} if row["year_of_registration"] == "2018" else row
        for row in rows
    ]
    short = {"contributors": [{"id": "one", "name": "A", "years": [2015, 2018]}]}
    before, now = made(tmp_path, "2024.1", rows, **short), made(tmp_path, "2024.2", late)
    found = compare(Answers(before), Answers(now))
    of_years = [c for c in found.cells if "year_of_registration" in c.variables]
    assert of_years
    assert not any("2019" in c.values for c in of_years)


def test_a_table_that_one_release_lacks_is_named_and_not_compared(tmp_path: Path) -> None:
    rows = people_rows(800)
    tables = ("gender", "age_band")
    before = open_release(
        write_release(protected_answer(rows, tables=tables), tmp_path, "2024.1", "")
    )
    now = open_release(
        write_release(protected_answer(rows, tables=tables[:1]), tmp_path, "2024.2", "")
    )
    found = compare(Answers(before), Answers(now))
    assert found.only_before == ("age_band",)
    assert {c.variables for c in found.cells} == {(), ("gender",)}
    with language("en"):
        assert any("Age" in text for text in words.public_changes(before, now, found))


def test_the_site_compares_the_newest_with_any_other(
    three: tuple[Release, ...], tmp_path: Path
) -> None:
    build_site(
        three[0], tmp_path / "s", earlier=three[1:], only=["changes"], languages=["en", "ar"]
    )
    site = tmp_path / "s"
    page = (site / "en/changes.html").read_text("utf-8")
    other = (site / "en/changes/2025.1.html").read_text("utf-8")
    assert "Release 2025.2 compared with release 2025.10" in page
    assert "Release 2025.1 compared with release 2025.10" in other
    assert "Second organisation" in page
    assert "<b>Gone</b>" not in page
    assert "‮" not in page
    assert 'id="pol"' in page
    for text, folder in ((page, site / "en"), (other, site / "en/changes")):
        for href in re.findall(r'href="([^"#]*(?:changes/|changes\.html)[^"]*)"', text):
            assert (folder / href).exists(), href
    build_site(three[2], tmp_path / "first", only=["changes"], languages=["en"])
    assert "earlier one" in (tmp_path / "first/en/changes.html").read_text("utf-8")
    assert "no longer" not in (site / "ar/changes.html").read_text("utf-8")
    with (site / "r/2025.10/changes/2025.2.csv").open(encoding="utf-8") as file:
        listed = list(csv.DictReader(file))
    assert {"POL"} <= {row["values"] for row in listed if row["beyond_noise"] == "yes"}


def test_the_home_page_has_a_sentence(three: tuple[Release, ...]) -> None:
    series = tuple(map(Answers, three))
    with language("en"):
        told = changes.teaser(Content(series[0], replace(PLAIN, series=series)))
        assert changes.teaser(Content(series[2], replace(PLAIN, series=series))) is None
    assert told is not None
    assert "differ by more than the noise" in told["sentence"]


def test_a_country_leads_to_its_own_row(three: tuple[Release, ...]) -> None:
    series = tuple(map(Answers, three))
    newest, first = (
        Content(each, replace(PLAIN, series=series)) for each in (series[0], series[2])
    )
    with language("ar"):
        rows = {place["id"] for place in next(changes.pages(newest)).values["pair"]["places"]}
        for here in (newest, first):
            found = (
                page for page in places.KIND.pages(here) if isinstance(page, Page) and page.country
            )
            for page in islice(found, 3):
                led = page.values["changed"]
                assert led == "" if here is first else led.partition("#")[2] in rows


def test_no_printed_interval_of_a_difference_ends_in_zero() -> None:
    before, now = Estimate(180, 100, 260), Estimate(100, 20, 180)
    near = CellChange((), (), before, now, -80.35, (80.05, 0.0), None, z=1.0, beyond=True)
    gone = replace(near, before=Estimate(80, 0, 160), now=None, least=-80.7, errors=(80.4, 0.0))
    with language("en"):
        assert words.difference(near) == "−80 (−160 to −1)"
        assert words.difference(gone) == "between −160 and −1"
        unclear = replace(near, least=-79.85, errors=(80.55, 0.0), beyond=False)
        assert words.verdict(unclear).endswith("(−160 to 0)")


@pytest.mark.parametrize("code", LANGUAGES)
def test_signs_and_counts_in_every_language(code: str) -> None:
    with language(code):
        assert "−" in signed(-1234)
        assert "+" in signed(7)
