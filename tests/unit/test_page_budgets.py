"""The budgets of pages where data are largest: a place of which every answer is shown."""

from __future__ import annotations

import random

import pytest
from invented_release import FACTS, protected_answer
from page_budgets import PACKED, WHOLE, too_heavy

from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import open_release
from ctdhub.schema.model import DESTINATION, ORIGIN, load_schema
from ctdhub.site.pages import places
from ctdhub.site.render import render
from ctdhub.stats.answers import Answers

ENDS = (ORIGIN, DESTINATION)
YEARS = (1999, 2025)
CITIZENS = ("ALB", "BGR", "BLR", "GBR", "HUN", "LTU", "MDA", "POL", "ROU", "RUS", "SVK", "UKR")
PLACES = ("AUT", "BEL", "DEU", "ESP", "FRA", "GBR", "ITA", "NLD", "POL")


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """A release with all that a page of a place asks for, measured by citizenship and by country,
    and noise so small that each cell is shown."""
    rng, schema = random.Random(3), load_schema()
    flags = {g: schema.flags(g) for g in ("exploitation", "means")}
    rows = []
    for _ in range(4_000):
        row: dict[str, str | None] = {
            "year_of_registration": str(rng.randint(*YEARS)),
            "gender": rng.choice((*schema.codes["gender"], None)),
            "age_band": rng.choice((*schema.codes["age_band"], None)),
            ORIGIN: rng.choice(CITIZENS),
            DESTINATION: rng.choice(PLACES),
        }
        for group, names in flags.items():
            row |= {name: rng.choice(("yes", None)) for name in names}
            row[schema.groups[group].indicator or ""] = "yes"
        rows.append(row)
    ones = [name for name in rows[0] if name not in ENDS]
    tables = [*rows[0], "*".join(ENDS), *(f"{name}*{end}" for name in ones for end in ENDS)]
    facts = {**FACTS, "years": list(YEARS), "languages": list(LANGUAGES)}
    answer = protected_answer(rows, sigma=0.4, tables=tables, facts=facts)
    folder = tmp_path_factory.mktemp("hub") / "releases"
    return Answers(open_release(write_release(answer, folder, "2026.1", "First.")))


@pytest.mark.parametrize("code", ["ar", "fr"])
def test_a_place_of_which_everything_is_shown_keeps_to_the_budget(
    code: str, answers: Answers
) -> None:
    """Arabic letters are two bytes each, French words the longest."""
    wanted = ("countries/europe.html", "countries/europe-charts.html")
    with language(code):
        pages = (page for page in places.pages(answers) if page.path in wanted)
        found = [render(next(pages), answers.release, LANGUAGES) for _name in wanted]
    assert min(text.count('<svg class="chart') for text in found) >= 4  # no words in their stead
    faults = [f for x in zip(wanted, found, strict=True) for f in too_heavy(x[0], x[1].encode())]
    assert faults == []


def test_a_heavy_page_is_found() -> None:
    assert too_heavy("x", b"a" * (WHOLE + 1)) == [f"x: {WHOLE + 1} bytes unpacked, at most {WHOLE}"]
    assert len(too_heavy("x", random.Random(1).randbytes(PACKED))) == 1
