"""What is too imprecise is nowhere a point; what is not recorded is said, and bounds hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial

import pytest
from invented_release import people_rows, protected_answer

from ctdhub.core.format import number, share
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import open_release
from ctdhub.report.facts import press_sheet
from ctdhub.report.figures import Among, figures
from ctdhub.report.sentences import place_sentences, side_sentences
from ctdhub.report.wording import ranged, sized
from ctdhub.schema import countries
from ctdhub.schema.countries import find_place
from ctdhub.schema.model import DESTINATION, ORIGIN
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import POINT, Interval, card, fieller, in_headline, is_precise
from ctdhub.stats.tables import place_facts

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    folder = tmp_path_factory.mktemp("precision")
    return Answers(open_release(write_release(protected_answer(), folder, "2026.1", "")))


@pytest.fixture
def facts(ctdhub: Run) -> Run:
    return partial(ctdhub, "facts")


def test_a_share_that_clipping_made_narrow_is_no_point(answers: Answers) -> None:
    """Both counts are noisy, the part is even larger than the whole: "100 % (4 % to 100 %)"."""
    share = fieller(Interval(120, 70, 170), Interval(100, 50, 150))
    found = card(answers.release, share, "share", None)
    assert share.width is not None
    assert share.width > 1
    assert (found.value, found.state, found.has_range) == (None, "imprecise", True)
    narrow = fieller(Interval(950, 900, 1000), Interval(1000, 950, 1050))
    assert card(answers.release, narrow, "share", None).state == "shown"
    with language("en"):
        assert sized(found) == ranged(found)
        assert "between" in sized(found)
        assert not re.search(r"\d+% \(", sized(found))


def test_how_wide_a_printed_number_may_be(answers: Answers) -> None:
    """The widths of the documentation, in figures: 30 points, 20 in a headline, 160 %."""
    for width, printed, headline in [
        (0.19, True, True), (0.21, True, False), (0.29, True, False), (0.31, False, False),
    ]:  # fmt: skip
        share = Interval(0.5, 0.5 - width / 2, 0.5 + width / 2)
        found = card(answers.release, share, "share", None)
        assert (found.state == "shown") == printed, width
        assert in_headline(share) == headline, width
        with language("en"):
            said = sized(found).replace("\u00a0", " ")
        assert said.startswith("50% ± ") if printed else said.startswith("between "), said
    for half, printed in ((79, True), (81, False)):
        assert is_precise(Interval(100, 100 - half, 100 + half), "people") == printed


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (0.97, 0.88, 1.0, "97% (88% to 100%)"),
        (0.5, 0.4, 0.6, "50% ± 10%"),
        (0.5, 0.45, 0.6, "50% (45% to 60%)"),
        (0.09, 0.02, 0.16, "9% ± 7%"),
        (0.06, 0.0, 0.13, "6% (0% to 13%)"),
    ],
)
def test_unequal_ends_are_two_ends(
    answers: Answers, value: float, low: float, high: float, text: str
) -> None:
    with language("en"):
        found = card(answers.release, Interval(value, low or 1e-9, high), "share", None)
        assert sized(found).replace("\u00a0", " ") in (text, text.replace("(0%", "(<0.1%"))


def test_every_place_says_at_least_and_what_is_not_recorded(answers: Answers) -> None:
    rows = people_rows()
    for key in ("europe", "UKR", "western_africa", "eu"):
        facts_of = place_facts(answers, key)
        for name, variable in (("citizens", ORIGIN), ("exploited", DESTINATION)):
            side = facts_of.side(name)  # type: ignore[arg-type]
            inside = [r for r in rows if r[variable] in facts_of.where.members]
            blank = [r for r in rows if not r[variable]]
            if not side.people.has_range:
                continue
            assert side.at_most is not None
            assert side.people.low is not None
            assert side.people.low <= len(inside) <= len(inside) + len(blank) <= side.at_most
            for lang in LANGUAGES:
                with language(lang):
                    first = side_sentences(facts_of, name)[0]  # type: ignore[arg-type]
                assert "%" in first
                assert "{" not in first


def test_no_figure_has_a_half_width_that_leaves_its_range(answers: Answers) -> None:
    seen = 0
    for key in countries.regions():
        inside = countries.members(key)
        for variable in (ORIGIN, DESTINATION):
            with language("en"):
                for figure in figures(answers, Among({variable: inside}, "x-", "x")):
                    for bar in (*figure.bars,):
                        found = re.fullmatch(r"([\d.]+)%\s±\s([\d.]+)%", bar.text)
                        if found:
                            value, half = (float(x) for x in found.groups())
                            assert value - half >= 0
                            assert value + half <= 100
                            assert 2 * half <= 100 * POINT + 2
                            seen += 1
    assert seen


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_press_paragraph_has_a_card_for_each_clause(
    facts: Run, answers: Answers, lang: str
) -> None:
    folder = answers.release.path
    code, out, err = facts(
        folder, "--region", "Europe", "--press", "--format", "json", "--lang", lang
    )
    assert code == 0, err
    data = json.loads(out)
    for section in data["sections"]:
        told = [c for c in section["cards"] if c["sentence"]]
        assert [c["sentence"] for c in told] == section["sentences"]
        assert len(told) > 1
        for one in section["cards"]:
            assert one["query"]["where"]
            assert one["low"] <= one["value"] <= one["high"]
            assert one["missing"] is not None
            asked = one["query"]
            assert (one["denominator"] is not None) == ("of" in asked)
    text = facts(folder, "--region", "Europe", "--press", "--lang", lang)[1]
    assert all(s in text for section in data["sections"] for s in section["sentences"])


def test_a_press_paragraph_claims_only_what_is_sure(answers: Answers) -> None:
    with language("en"):
        sheet = press_sheet(answers, find_place("Europe"))
        whole = press_sheet(answers)
    assert all("more than " in s.sentences[0] for s in sheet.sections)
    assert "of all people is not recorded" in sheet.sections[0].sentences[0]
    assert "human trafficking" in whole.sections[0].sentences[0]
    with language("en"):
        (few,) = {s.sentences for s in press_sheet(answers, find_place("Melanesia")).sections}
    assert few == ("Not shown: below the reporting threshold; this is not zero.",)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_bounds_are_for_regions_and_a_country_says_what_is_not_recorded(
    answers: Answers, lang: str
) -> None:
    """Whoever is not recorded may be of any country: of each the bound would be nearly the same."""
    shown = [p for p in ("UKR", "ITA", "POL") if place_facts(answers, p).citizens.people.has_range]
    assert shown
    facts = [place_facts(answers, place) for place in (shown[0], "europe")]
    with language(lang):
        country, region = (side_sentences(found, "citizens")[0] for found in facts)
        most = [number(found.citizens.at_most or 0) for found in facts]
        missing = share(facts[0].citizens.people.missing or 0)
    assert country.count(missing) == region.count(missing) == 1
    assert most[0] not in country
    assert most[1] in region


def test_facts_of_a_place_share_their_first_sentence_with_its_page(answers: Answers) -> None:
    with language("en"):
        told = place_sentences(place_facts(answers, "europe"))
    numbers = [s for s in told if "is not recorded; counting all of them" in s]
    assert len(numbers) == 2
    assert all("were identified" in s and "(between " in s and "at least" not in s for s in numbers)
