"""Briefs: every number that is printed is in the release, and no other number is printed."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import duckdb
import pytest
from brief_questions import check, numbers, texts
from invented_release import protected_answer
from pdf_text import pages, squeezed

from ctdhub.core.errors import DocumentError
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.document.document import Document, Words, Years
from ctdhub.document.html import write as to_html
from ctdhub.document.pdf import Typesetter
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report.brief import subjects
from ctdhub.report.brief.make import Brief, brief, make_poster
from ctdhub.report.brief.sections import PrintedNumber
from ctdhub.report.brief.subjects import OBSERVANCES, BriefPlace, Corridor, Day, observance
from ctdhub.report.calendar import Event
from ctdhub.stats.answers import Answers

pytest.importorskip("typst", reason="typst is not installed: pip install '.[pdf]'")
MADE = date(2026, 11, 25)
TYPESETTER = Typesetter()
EVENT = Event.model_validate(
    {"id": "talk", "title": "A #talk [on] $work$", "kind": "talk", "place": "Town hall",
     "start": "2026-10-18 18:30", "end": "2026-10-18 20:00", "time_zone": "Europe/Zurich"}
)  # fmt: skip
SUBJECTS = {
    "country": BriefPlace("ITA"),
    "origin": BriefPlace("UKR"),
    "region": BriefPlace("europe"),
    "union": BriefPlace("eu"),
    "empty": BriefPlace("FJI"),
    "corridor": Corridor("UKR", "POL"),
    "thin corridor": Corridor("FJI", "POL"),
    **{f"day {o.month}-{o.day}": Day(date(2026, o.month, o.day), o, (EVENT,)) for o in OBSERVANCES},
    "own day": Day(date(2026, 1, 17), None, (EVENT,)),
}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = tmp_path_factory.mktemp("hub")
    answer = protected_answer(facts={"languages": list(LANGUAGES), "helpline": "0800 000 000"})
    return open_release(write_release(answer, folder / "releases", "2026.1", "First."))


@pytest.fixture(scope="module")
def answers(release: Release) -> Answers:
    return Answers(release)


@pytest.fixture(params=SUBJECTS)
def made(request: pytest.FixtureRequest, answers: Answers) -> Brief:
    with language("en"):
        return brief(answers, SUBJECTS[request.param], MADE)


def test_every_number_is_that_of_the_release(answers: Answers, made: Brief) -> None:
    for one in made.numbers:
        check(answers, one)


def test_no_number_is_printed_without_its_question(release: Release, made: Brief) -> None:
    known = set().union(*(numbers(p) for one in made.numbers for p in one.printed))
    first, last = release.facts.years
    known |= {str(y) for y in range(first, last + 1)} | {"18"}  # years, and "under 18"
    for text in texts(made.document):
        assert numbers(text) <= known, text


def test_single_cells_are_those_of_the_published_file(release: Release, made: Brief) -> None:
    """Asked of the file with another program, not with the software's own answers."""
    database, file = duckdb.connect(), str(release.path / "counts.parquet")
    cells = {
        (tuple(sorted(zip(columns, values, strict=True)))): count
        for columns, values, count in database.execute(
            "select columns, values, count from read_parquet(?) where state = 'shown'", [file]
        ).fetchall()
    }
    seen = 0
    for one in made.numbers:
        where = {name: values[0] for name, values in one.part.items() if len(values) == 1}
        if one.kind == "people" and len(where) == len(one.part):
            cell = tuple(sorted(where.items()))
            if cell in cells:
                assert one.value == cells[cell], one
                seen += 1
    has_numbers = any(one.kind == "people" for one in made.numbers)
    several = any(len(values) > 1 for one in made.numbers for values in one.part.values())
    assert seen or several or not has_numbers


def test_numbers_stand_in_the_pdf_and_in_the_page(answers: Answers, made: Brief) -> None:
    with language("en"):
        document = made.document
        assert isinstance(document, Document)
        fitted = TYPESETTER.fitted(document)
        printed = squeezed("".join(pages(TYPESETTER.write(document))))
        html = squeezed(to_html(document))
    kept = {s.id for s in fitted.sections}
    marked = {
        point.text
        for section in fitted.sections
        for block in section.blocks
        if isinstance(block, Years)
        for point in (block.points[k] for k in block.marked)
    }
    for one in made.numbers:
        for text in one.printed:
            if not _is_drawn(one, text):
                continue
            assert squeezed(text) in html, one
            years = re.search(r"-years\.\d", one.id)
            if _section(one, kept) and (not years or text in marked):
                assert squeezed(text) in printed, one


def _is_drawn(one: PrintedNumber, text: str) -> bool:
    """Parts that a figure says only in some cases: its largest share, a share not recorded."""
    return not one.id.endswith((".largest", ".missing", ".base"))


def _section(one: PrintedNumber, kept: set[str]) -> bool:
    name = one.id.split(".")[0]
    return name in kept or not re.match(r"(citizens|exploited|day|corridor)-", name)


def test_two_pages_suffice_in_every_language(answers: Answers) -> None:
    for code in LANGUAGES:
        for name in ("country", "origin", "region", "empty", "corridor", "day 10-18", "day 12-2"):
            subject = SUBJECTS[name]
            with language(code):
                pdf = TYPESETTER.write(brief(answers, subject, MADE).document)
                big = TYPESETTER.write(make_poster(answers, subject, MADE).document)
            assert 1 <= len(pages(pdf)) <= 2, (code, name)
            assert len(pages(big)) == 1, (code, name)
            assert f"/Lang({code})".encode() in pdf


def test_each_page_says_that_the_data_are_invented(answers: Answers) -> None:
    for code in LANGUAGES:
        with language(code):
            made = brief(answers, SUBJECTS["region"], MADE)
            large = make_poster(answers, SUBJECTS["region"], MADE)
        assert made.document.meta.mark == large.document.meta.mark != ""
        if code != "ar":  # glyphs of right-to-left text come in the order of the eye
            for document in (made.document, large.document):
                for page in pages(TYPESETTER.write(document)):
                    assert squeezed(document.meta.mark) in squeezed(page)


def test_real_data_bear_no_mark(tmp_path: Path) -> None:
    answer = protected_answer(facts={"invented": False})
    real = open_release(write_release(answer, tmp_path / "releases", "2026.1", "First."))
    assert brief(Answers(real), BriefPlace("ITA"), MADE).document.meta.mark == ""


def test_shares_refer_to_people_with_some_flag(answers: Answers) -> None:
    made = brief(answers, BriefPlace("UKR"), MADE)
    shares = [a for a in made.numbers if a.id.startswith("citizens-exploitation.exploitation_")]
    assert shares
    for one in shares:
        assert one.kind == "share"
        assert one.whole["any_exploitation"] == ("yes",)


def test_too_few_are_never_zero(answers: Answers) -> None:
    with language("en"):
        made = brief(answers, SUBJECTS["empty"], MADE)
    document = made.document
    assert isinstance(document, Document)
    assert document.lead[0] == "Not shown: below the reporting threshold; this is not zero."
    assert not [t for t in texts(document) if re.search(r"\b0 people", t)]
    # people of its region stand in: nobody of Oceania is in the fictitious data, so no sentence
    assert len(document.lead) == 2


def test_a_country_with_too_few_shows_its_region(answers: Answers) -> None:
    with language("en"):
        document = brief(answers, BriefPlace("FRA"), MADE).document
    assert isinstance(document, Document)
    assert document.lead[1] == "The region as a whole:"
    assert any("Europe" in line for line in document.lead[2:])


def test_years_mark_where_contributors_change(tmp_path: Path) -> None:
    one = {"id": "one", "name": "One", "kind": "hotline", "years": [2015, 2016]}
    two = {"id": "two", "name": "Two", "kind": "case_management", "years": [2016, 2019]}
    answer = protected_answer(facts={"contributors": [one, two]})
    release = open_release(write_release(answer, tmp_path / "releases", "2026.1", "First."))
    with language("en"):
        document = brief(Answers(release), BriefPlace("POL"), MADE).document
    assert isinstance(document, Document)
    years = next(b for s in document.sections for b in s.blocks if isinstance(b, Years))
    assert [years.points[k].year for k in years.turns] == ["2016", "2017"]
    assert "2016: a contributor joined, \u2068Two\u2069." in years.note
    assert "2017: a contributor no longer reports, \u2068One\u2069." in years.note


def test_a_day_says_its_name_and_its_events(answers: Answers) -> None:
    with language("en"):
        document = brief(answers, SUBJECTS["day 10-18"], MADE).document
        large = make_poster(answers, SUBJECTS["day 10-18"], MADE).document
    assert isinstance(document, Document)
    assert (document.paper, large.paper) == ("a4", "a3")
    assert document.title == "EU Anti-Trafficking Day"
    for found in (TYPESETTER.write(document), TYPESETTER.write(large)):
        assert squeezed("A #talk [on] $work$") in squeezed("".join(pages(found)))
    assert large.sections[-1].blocks == (Words(("0800 000 000",)),)


def test_a_report_tells_eight_events_and_how_many_more(answers: Answers) -> None:
    long = EVENT.model_copy(update={"title": "T" * 200, "place": "P" * 200, "region": "R" * 200})
    many = Day(date(2026, 1, 17), None, (long,) * 11)
    with language("en"):
        document = brief(answers, many, MADE).document
        large = make_poster(answers, many, MADE).document
    assert isinstance(document, Document)
    told = next(s for s in document.sections if s.id == "events").blocks[0]
    assert isinstance(told, Words)
    assert len(told.paragraphs) == 9
    assert told.paragraphs[-1].startswith("3 more events")
    assert len(pages(TYPESETTER.write(document))) <= 2
    assert len(pages(TYPESETTER.write(large))) == 1


def test_a_report_says_whom_its_figures_are_about(answers: Answers) -> None:
    with language("en"):
        for name, words in (("day 3-8", "women and girls"), ("day 12-2", "forced labour")):
            document = brief(answers, SUBJECTS[name], MADE).document
            assert isinstance(document, Document)
            assert words in document.lead[-1]


def test_women_and_children_are_counted_among_themselves(answers: Answers) -> None:
    women = brief(answers, SUBJECTS["day 3-8"], MADE)
    assert all(
        a.part.get("gender") == ("female",) for a in women.numbers if a.id.startswith("day-age.")
    )
    children = brief(answers, SUBJECTS["day 11-20"], MADE)
    people = next(a for a in children.numbers if a.id == "day.people")
    assert people.part == {"age_band": ("0-8", "9-17")}


def test_the_citation_names_the_release(made: Brief) -> None:
    assert "release 2026.1" in made.document.meta.foot
    assert "release 2026.1" in to_html(made.document)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("CIV-ITA", ("CIV", "ITA")),
        ("Côte d’Ivoire - Italie", ("CIV", "ITA")),
        ("Costa de Marfil > ITA", ("CIV", "ITA")),
        ("Guinea-Bissau-Timor-Leste", ("GNB", "TLS")),
        ("كوت ديفوار→إيطاليا", ("CIV", "ITA")),
    ],
)
def test_corridors_are_found_by_any_name(typed: str, meant: tuple[str, str]) -> None:
    assert subjects.named_corridor(typed) == Corridor(*meant)


def test_what_cannot_be_found_is_told_with_what_is_near() -> None:
    with language("en"):
        for call, rule, near in (
            (lambda: subjects.named_country("Moroco"), "country", "MAR"),
            (lambda: subjects.named_country("Yugoslavia"), "country", "several"),
            (lambda: subjects.region("Europ"), "region", "europe"),
            (lambda: subjects.named_corridor("CIV"), "corridor", "CIV-ITA"),
            (lambda: subjects.named_corridor("CIV-Itly"), "country", "ITA"),
            (lambda: subjects.named_day("18.10.2026", None), "day", "2026-10-18"),
            (lambda: subjects.named_day("2026-01-17", None), "day", "2026-12-02"),
        ):
            with pytest.raises(DocumentError) as caught:
                call()
            assert caught.value.rule == rule
            assert near in caught.value.fix


def test_a_day_of_the_hubs_calendar_is_found(tmp_path: Path) -> None:
    (tmp_path / "events.yaml").write_text(
        json.dumps({"events": [{"id": "a", "title": "Walk", "kind": "other", "place": "Town",
                                "start": "2026-01-16", "end": "2026-01-18"}]}), "utf-8"
    )  # fmt: skip
    found = subjects.named_day("2026-01-17", tmp_path)
    assert [e.id for e in found.events] == ["a"]
    assert found.observance is None
    assert subjects.named_day("2027-03-08", tmp_path).observance is observance(date(2027, 3, 8))
