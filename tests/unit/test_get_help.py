"""The page "Get help", helplines of a country, and what ``check`` says of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
import yaml
from invented_release import protected_answer

from ctdhub.core.errors import PolicyError
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.hub import init
from ctdhub.hub.folder import Hub
from ctdhub.hub.stages.site import edition
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report.brief.make import brief, make_poster
from ctdhub.report.brief.subjects import named_place
from ctdhub.report.helplines import Help, Helpline
from ctdhub.site.edition import Content, Edition
from ctdhub.site.pages import help
from ctdhub.site.render import MOST, render
from ctdhub.stats.answers import Answers

DAY = date(2026, 1, 31)
HOSTILE = "desk+x@example.org"


def line(country: str, kind: str = "trafficking", **more: object) -> Helpline:
    given = {"country": country, "name": f"Line {country}", "kind": kind, "checked_on": DAY}
    return Helpline.model_validate({"number": "0800 000 111", **given, **more})


LINES = (
    line("GBR", languages=["en"]),
    line("UKR", "emergency", number="*112#"),
    line("UKR", languages=["uk"], number="+380 44 000-11"),
    line("ITA", languages=["it", "ar"], text="1234", number=""),
    line("FRA", "children", languages=["fr"]),
    *(line(code, languages=["es"]) for code in ("ESP", "MEX")),
)


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    folder = tmp_path_factory.mktemp("hub") / "releases"
    return open_release(
        write_release(
            protected_answer(facts={"languages": list(LANGUAGES)}), folder, "2026.1", "First."
        )
    )


def shown(release: Release, edition: Edition) -> str:
    page = help.get_help_page(Content(Answers(release), edition))
    return render(page, release, LANGUAGES, edition)


def test_lines_of_the_chosen_country_then_of_the_readers_language() -> None:
    help = Help(LINES)
    with language("es"):
        assert [c.label for c in help.contacts("ITA")][:3] == [
            "Italia, Line ITA",
            "España, Line ESP",
            "México, Line MEX",
        ]
        assert help.countries()[:2] == ("ESP", "MEX")
    assert [c.label for c in help.contacts("UKR", only=True)] == ["Line UKR"]
    assert [c.reach for c in help.emergency("UKR")] == ["*112#"]
    assert "*112#" not in [c.reach for c in help.contacts("UKR")], "it is no helpline"
    assert help.contacts("ZAF", only=True) == ()


def test_a_telephone_dials_what_is_printed() -> None:
    found = {c.label: c.href for c in Help(LINES).contacts()}
    assert found["Ukraine, Line UKR"] == "tel:+3804400011"
    assert found["Italy, Line ITA"] == "sms:1234"
    assert Help(LINES).emergency("UKR")[0].href == "", "* and # are no part of a number to dial"


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_page_has_what_it_must_have(release: Release, code: str) -> None:
    with language(code):
        text = shown(release, Edition(help=Help(LINES), contact=HOSTILE))
    ids = re.findall(r'id="([a-z-]+)"', text)
    order = [ids.index(part) for part in ("now", "talk", "yours", "child", "safely", "reach")]
    assert order == sorted(order)
    assert {each.country.lower() for each in LINES} <= set(ids), "without a script: anchors"
    assert f'href="mailto:{HOSTILE}"' in text
    own = re.sub(r"<[^>]+>", " ", text[text.index("<h1>") : text.index("</main>")])
    assert len(own.split()) < 340
    assert text.index("get-help.html") < text.index("explore.html"), "first in the menu"


def test_a_hub_without_lines_and_address_says_so(release: Release) -> None:
    text = shown(release, Edition(help=Help()))
    assert "lists no helpline yet" in text
    assert "has not named an address yet" in text
    assert "mailto:" not in text


def test_the_foot_has_few_lines_and_those_of_the_country_first(release: Release) -> None:
    edition = Edition(help=Help(LINES))
    page = help.guides()[0]
    foot = render(page, release, LANGUAGES, edition).partition("<footer")[2]
    assert foot.count("<li>") == MOST < len(LINES)
    assert "get-help.html" in foot


def test_brief_and_poster_name_the_line_of_their_country(release: Release) -> None:
    subject, answers = named_place("Ukraine", is_region=False), Answers(release)
    sheet = brief(answers, subject, DAY, Help(LINES)).document
    words = next(s for s in sheet.sections if s.id == "help").blocks[0].paragraphs  # type: ignore[union-attr]
    assert "emergency services" in words[0]
    assert "Ukraine, Line UKR" in words[1]
    assert "+380 44 000-11" in words[1]
    assert (
        "Ukraine, Line UKR"
        in make_poster(answers, subject, DAY, Help(LINES)).document.sections[-1].title
    )


def settings(hub: Hub, **more: object) -> None:
    path = hub.root / "hub.yaml"
    held = yaml.safe_load(path.read_text("utf-8"))
    path.write_text(yaml.safe_dump({**held, **more}), "utf-8")


def test_check_asks_for_a_contact_and_a_review(
    ctdhub: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    hub = init.new_hub(tmp_path / "hub", "A hub")
    code, out, _err = ctdhub("check", hub.root)
    assert code == 0
    assert "names no `contact`" in out
    assert out.count("nobody has reviewed") == len(hub.settings.languages)
    marks = {}
    for each in hub.settings.languages:
        with language(each):
            marks[str(each)] = help.review_mark()
    assert len(set(marks.values())) == len(marks)
    settings(hub, contact=HOSTILE, help_reviewed={**marks, "ar": "not yet"})
    out = ctdhub("check", hub.root)[1]
    assert "names no `contact`" not in out
    assert out.count("nobody has reviewed") == 1
    assert "العربية" in out
    settings(hub, doi={"2026.1": "10.5281/zenodo.1"})
    assert edition(Hub(hub.root)).sharing.doi == {"2026.1": "10.5281/zenodo.1"}  # the site's too


@pytest.mark.parametrize(
    "bad",
    [
        {"contact": "javascript:alert(1)"},
        {"contact": 'a"b@example.org'},
        {"contact": "12 Example Street"},
        {"exit": {"en": "http://example.org"}},
        {"exit": {"en": "javascript:alert(1)"}},
        {"exit": {"xx": "https://example.org"}},
        {"help_reviewed": {"en": "yes"}},
    ],
)
def test_a_wrong_address_is_refused(tmp_path: Path, bad: dict[str, object]) -> None:
    hub = init.new_hub(tmp_path / "hub", "A hub")
    settings(hub, **bad)
    with pytest.raises(PolicyError):
        _ = hub.settings


def test_another_exit_is_where_the_page_leads(release: Release) -> None:
    edition = Edition(exits={"fr": "https://meteo.example.org/"})
    with language("fr"):
        assert 'class="exit" href="https://meteo.example.org/"' in shown(release, edition)
    with language("es"):
        assert 'class="exit" href="https://es.wikipedia.org/"' in shown(release, edition)
