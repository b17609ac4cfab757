"""Briefs: who is assisted, signals, and whether the world changed or the data."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from brief_questions import check, numbers, split_of, texts
from invented_release import protected_answer
from moving_release import LAST_OF_ONE, YEARS, moving_release, moving_rows
from pdf_text import pages, squeezed
from trap_one import SHARES, trap_one

from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.document.document import Document, Words
from ctdhub.document.html import write as to_html
from ctdhub.document.pdf import Typesetter
from ctdhub.release.bundle import write_release
from ctdhub.release.open import open_release
from ctdhub.report.brief.make import Brief, brief
from ctdhub.report.brief.sections import PrintedNumber
from ctdhub.report.brief.subjects import BriefPlace, Corridor, Day, observance
from ctdhub.stats.answers import Answers

pytest.importorskip("typst", reason="typst is not installed: pip install '.[pdf]'")
MADE = date(2026, 11, 25)
TYPESETTER = Typesetter()
SUBJECTS = {
    "country": BriefPlace("POL"),
    "origin": BriefPlace("CIV"),
    "left": BriefPlace("MDA"),
    "region": BriefPlace("europe"),
    "union": BriefPlace("eu"),
    "corridor": Corridor("UKR", "POL"),
    "everybody": Day(date(2026, 7, 30), observance(date(2026, 7, 30))),
    "women": Day(date(2026, 3, 8), observance(date(2026, 3, 8))),
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    return Answers(moving_release(tmp_path_factory.mktemp("moving")))


@pytest.fixture(scope="module")
def made(answers: Answers) -> dict[str, Brief]:
    with language("en"):
        return {name: brief(answers, subject, MADE) for name, subject in SUBJECTS.items()}


def said(made: Brief, section: str) -> str:
    """The words of a section, "" where the brief has none."""
    assert isinstance(made.document, Document)
    return " ".join(
        " ".join((block.title, *block.paragraphs))
        for one in made.document.sections
        if one.id == section
        for block in one.blocks
        if isinstance(block, Words)
    )


def kinds(made: Brief, section: str) -> set[str]:
    return {one.kind for one in made.numbers if one.id.split(".")[0].startswith(section)}


@pytest.mark.parametrize("name", SUBJECTS)
def test_every_number_is_that_of_the_release(
    answers: Answers, made: dict[str, Brief], name: str
) -> None:
    for one in made[name].numbers:
        check(answers, one)
    known = set().union(*(numbers(p) for one in made[name].numbers for p in one.printed))
    known |= {str(y) for y in range(YEARS[0], YEARS[1] + 1)} | {"18"}
    for text in texts(made[name].document):
        assert numbers(text) <= known, text


def test_all_kinds_of_questions_are_among_them(made: dict[str, Brief]) -> None:
    assert kinds(made["country"], "assistance") == {"share", "people", "gap"}
    assert {"mean", "mean_share"} <= kinds(made["country"], "signals")
    assert {"change", "change_part"} <= kinds(made["everybody"], "change")


def test_numbers_that_count_no_people_are_noted_as_printed(made: dict[str, Brief]) -> None:
    reach = {one.id: one for one in made["everybody"].numbers if one.id.startswith("day.")}
    assert {"day.nationalities", "day.countries"} <= reach.keys()
    for one in reach.values():
        assert one.kind != "sum" or one.printed == (f"{one.value:,.0f}",), one.id


def test_numbers_stand_in_the_pdf_and_in_the_page(made: dict[str, Brief]) -> None:
    for one in made.values():
        assert isinstance(one.document, Document)
        with language("en"):
            fitted = TYPESETTER.fitted(one.document)
            printed = squeezed("".join(pages(TYPESETTER.write(one.document))))
            html = squeezed(to_html(one.document))
        kept = {s.id for s in fitted.sections}
        for number in one.numbers:
            section = next((s for s in SECTIONS if number.id.startswith(s)), "")
            if not section:
                continue
            for text in number.printed:
                assert squeezed(text) in html, number
                if section in kept:
                    assert squeezed(text) in printed, number


SECTIONS = ("assistance-hub", "assistance", "signals", "change")


def test_a_signal_says_number_share_and_denominator_together(made: dict[str, Brief]) -> None:
    text = said(made["country"], "signals")
    assert "Country of exploitation: Poland The share of women and girls rose from 40.0% (" in text
    assert "while the total of those recorded went from 400 (" in text
    assert "the number of women and girls rose from 160 (" in text
    assert "men and boys" not in text  # the other side of the same rise
    assert "2018: a contributor no longer reports" in text
    assert "A signal is a question, not a cause" in text


def test_parts_follow_from_their_whole_unless_their_share_moved(made: dict[str, Brief]) -> None:
    text = said(made["left"], "signals")
    assert "The number of people fell from 200 (" in text
    assert "women" not in text  # all fell, and these no more than all


def test_signals_are_those_of_the_subject(made: dict[str, Brief]) -> None:
    assert "Moldova" in said(made["left"], "signals")
    assert "Poland" not in said(made["left"], "signals")
    assert said(made["origin"], "signals") == ""
    assert "Ukraine" in said(made["corridor"], "signals")
    assert "Moldova" not in said(made["corridor"], "signals")


def test_a_gap_is_told_and_where_it_was_measured(made: dict[str, Brief]) -> None:
    hub = said(made["origin"], "assistance-hub")
    assert "All people of this hub, by citizenship" in hub
    assert "third-country citizens were recorded less often as having received" in hub
    assert (
        "nationals of the country of exploitation: 30.0% (29.6% to 30.4%) compared with 80% (77%"
        in hub
    )
    assert "The difference is 50 percentage points" in hub
    assert said(made["origin"], "assistance") == ""  # nobody is exploited there
    assert "that says neither that they received it nor that they did not" in hub
    here = made["country"].document
    assert isinstance(here, Document)
    assert next(s for s in here.sections if s.id == "assistance").title
    assert not next(s for s in here.sections if s.id == "assistance-hub").title


def test_without_a_clear_gap_it_says_who_received(tmp_path: Path) -> None:
    same = moving_release(tmp_path, lambda _group, i: "received" if i % 2 else "offered")
    with language("en"):
        found = brief(Answers(same), BriefPlace("CIV"), MADE)
    text = said(found, "assistance-hub")
    assert "No difference is clear." in text
    assert re.search(
        r"Medical assistance. Received, of those recorded: .*nationals of the [^,]*, 66\.0% \(\d",
        text,
    )
    for one in found.numbers:
        check(Answers(same), one)


def test_a_change_is_split_where_contributors_are_counted_apart(
    answers: Answers, made: dict[str, Brief]
) -> None:
    text = said(made["everybody"], "change")
    gone = sum(r["reporting_entity"] == "one" for r in moving_rows()) // (LAST_OF_ONE - 2012 + 1)
    assert f"{gone} fewer people" in text
    assert "because \u2068" not in text
    assert "First organisation no longer reports" in text
    left = next(a for a in made["everybody"].numbers if a.id.endswith("2014-2019.0-left"))
    assert left.value == -gone
    parts = [
        a.value
        for a in made["everybody"].numbers
        if a.kind == "change_part" and ".2014-2019." in a.id
    ]
    assert sum(parts) == split_of(answers, left).value


def test_a_country_that_cannot_be_split_tells_of_its_contributors_only(
    made: dict[str, Brief],
) -> None:
    text = said(made["country"], "change")
    assert "2019 compared with 2014: contributors changed" in text
    assert "2018: a contributor no longer reports, \u2068First organisation\u2069." in text
    assert text.count("contributors changed") == 1  # once for both sides
    assert "Country of exploitation: Poland; Citizenship: Poland" in text
    years = {str(y) for y in range(YEARS[0], YEARS[1] + 1)}
    assert numbers(text) <= years  # 2019 beside 2018: nothing is clear, so nothing is said
    assert not kinds(made["country"], "change")


def test_a_corridor_tells_of_change_and_means(answers: Answers, made: dict[str, Brief]) -> None:
    document = made["corridor"].document
    assert isinstance(document, Document)
    assert "corridor-means-of-control" in {s.id for s in document.sections}
    assert "contributors changed" in said(made["corridor"], "change")


def test_a_corridor_on_which_the_same_contributors_report_tells_how_many_more(
    tmp_path: Path,
) -> None:
    steady = Answers(moving_release(tmp_path, last_of_one=YEARS[1]))
    with language("en"):
        found = brief(steady, Corridor("ROU", "DEU"), MADE)
    text = said(found, "change")
    assert "2019 compared with 2014: 50 more people (+38 to +62)." in text
    assert "The same contributors report on both years." in text
    assert "2019 compared with 2018" not in text  # ten more people are within the noise
    (one,) = (a for a in found.numbers if a.kind == "change")
    check(steady, one)
    with language("en"):
        same = brief(steady, Corridor("CIV", "ITA"), MADE)
    assert said(same, "change") == ""


def test_nothing_is_said_where_nothing_was_measured(tmp_path: Path) -> None:
    plain = protected_answer(tables=("gender", "citizenship", "country_of_exploitation"))
    release = open_release(write_release(plain, tmp_path / "releases", "2026.1", "First."))
    for subject in (BriefPlace("POL"), BriefPlace("europe"), Corridor("UKR", "POL")):
        document = brief(Answers(release), subject, MADE).document
        assert isinstance(document, Document)
        assert not {s.id for s in document.sections} & set(SECTIONS)


def test_two_pages_hold_and_the_least_important_goes_first(answers: Answers) -> None:
    for code in LANGUAGES:
        for subject in SUBJECTS.values():
            with language(code):
                document = brief(answers, subject, MADE).document
                assert isinstance(document, Document)
                assert len(pages(TYPESETTER.write(document))) <= 2, (code, subject)
                order = [s.id for s in sorted(document.sections, key=lambda s: s.keep or 100)]
                ids = {s.id for s in TYPESETTER.fitted(document).sections}
            gone = [s for s in order if s not in ids]
            assert sorted(gone) == sorted(order[: len(gone)]), (code, subject)


@pytest.mark.parametrize("place", ["POL", "UKR"])
def test_a_brief_never_counts_an_empty_flag_as_no(tmp_path: Path, place: str) -> None:
    """Trap 1: 50, 50 and 25 per cent, and never 40, 40 and 20."""
    with language("en"):
        found = brief(Answers(trap_one(tmp_path)), BriefPlace(place), MADE)
        assert isinstance(found.document, Document)
        html = to_html(found.document)
        printed = "".join(pages(TYPESETTER.write(found.document)))
    side = "exploited" if place == "POL" else "citizens"
    shares: dict[str, PrintedNumber] = {
        a.id.rpartition(".")[2]: a for a in found.numbers if f"{side}-exploitation." in a.id
    }
    for flag, share in SHARES.items():
        assert shares[flag].value == pytest.approx(share)
    for text in (re.sub(r"<style.*?</style>|<[^>]*>", " ", html, flags=re.DOTALL), printed):
        squeezed_ = squeezed(text)
        for label, share in (
            ("Forcedlabour", "50"), ("Sexualexploitation", "50"), ("Otherexploitation", "25"),
        ):  # fmt: skip
            assert re.search(rf"{label}\D{{0,3}}{share}(\.0)?%±", squeezed_), label
        assert not re.search(r"\D(40|20)(\.\d)?%±", squeezed_)
        assert not re.search(r"\D40(\.\d)?%", squeezed_)  # 20 per cent are not recorded
