"""Mandated tables: counts are the release's, rates are exact, blanks and gaps are told."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented_people import citizenship_group
from invented_release import people_rows, protected_answer
from typer.testing import CliRunner

from ctdhub.cli.app import command
from ctdhub.core.errors import FileError, HubError
from ctdhub.core.format import isolated, span
from ctdhub.core.i18n import LANGUAGES, language
from ctdhub.release.bundle import write_release
from ctdhub.release.open import Release, open_release
from ctdhub.report import mandated
from ctdhub.report.mandated import COLUMNS, FORMATS, line_label, notes, title, words_of, written
from ctdhub.schema.model import CHILD_BANDS
from ctdhub.site.pages import mandated as mandated_page
from ctdhub.stats.answers import Answers
from ctdhub.stats.cards import Interval
from ctdhub.stats.mandated.tables import (
    SHAPES,
    Inhabitants,
    MandatedLine,
    MandatedScope,
    MandatedTable,
    Population,
    load_population,
    per,
    scope,
)

YEAR, COUNTRY, ORIGIN = "year_of_registration", "country_of_exploitation", "citizenship"
GROUP = "citizenship_group"
CROSSES = (
    COUNTRY, YEAR, f"{YEAR}*{COUNTRY}", f"{YEAR}*gender*{COUNTRY}", f"{YEAR}*age_band*{COUNTRY}",
    f"{YEAR}*{COUNTRY}*exploitation_sexual", f"{YEAR}*{COUNTRY}*exploitation_forced_labour",
    f"{YEAR}*{COUNTRY}*any_exploitation", f"{ORIGIN}*{COUNTRY}", f"{YEAR}*{ORIGIN}*{COUNTRY}",
    f"{YEAR}*{COUNTRY}*{GROUP}", f"{YEAR}*gender*{COUNTRY}*{GROUP}",
)  # fmt: skip
ROWS = [{**r, GROUP: citizenship_group(r[ORIGIN], r[COUNTRY]) or None} for r in people_rows(6000)]


def opened(folder: Path, tables: tuple[str, ...] = CROSSES) -> Release:
    answer = protected_answer(ROWS, tables=tables)
    return open_release(write_release(answer, folder / "releases", "2026.1", ""))


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Release:
    return opened(tmp_path_factory.mktemp("mandated"))


HEAD = "country,year,population,source,reference_date"
TAIL = "Practice statistics (fictitious),2017-07-01"


def poland(**parts: int) -> Population:
    """The population of Poland in 2017; parts by sex or age."""
    keys = {"female": ("female", ""), "male": ("male", ""), "children": ("", "children")}
    return Population(
        {
            ("POL", "2017", *keys.get(name, ("", ""))): Inhabitants(
                n, 2, "Practice (fictitious)", "2017-07-01"
            )
            for name, n in {"total": 38_000_000, **parts}.items()
        }
    )


def made(release: Release, shape: str, asked: MandatedScope | None = None) -> MandatedTable:
    answers = Answers(release)
    return SHAPES[shape](answers, asked or scope(answers, "POL", (2016, 2018)))


def by_key(sheet: MandatedTable) -> dict[tuple[str, str, str, str], MandatedLine]:
    return {(x.country, x.year, x.dimension, x.category): x for x in sheet.lines}


def truth(year: str, **where: str) -> int:
    return sum(
        r[YEAR] == year and all((r.get(k) or "") == v for k, v in where.items()) for r in ROWS
    )


def test_sdg_counts_are_those_of_the_release(release: Release) -> None:
    lines = by_key(made(release, "sdg-16.2.2"))
    place = {COUNTRY: "POL"}
    assert lines["POL", "2017", "total", "all"].people.value == truth("2017", **place)
    women = lines["POL", "2017", "sex", "female"].people
    assert women.value == truth("2017", gender="female", **place)
    children = sum(truth("2017", age_band=band, **place) for band in CHILD_BANDS)
    found = lines["POL", "2017", "age", "children"].people
    assert found.value == children
    assert found.low is not None
    assert found.low < children
    forced = lines["POL", "2017", "form_of_exploitation", "exploitation_forced_labour"]
    assert forced.people.value == truth("2017", exploitation_forced_labour="yes", **place)
    unknown = lines["POL", "2017", "sex", "not_recorded"]
    assert unknown.blank == "not_recorded"
    assert unknown.people.value == truth("2017", gender="", **place)


def test_what_was_not_measured_is_said_and_never_a_number(release: Release) -> None:
    for shape in SHAPES:
        for line in made(release, shape).lines:
            if line.people.state != "shown":
                assert line.people.value is None
    lines = by_key(made(release, "sdg-16.2.2"))
    for category in ("exploitation_forced_marriage", "exploitation_organ_removal"):
        found = lines["POL", "2017", "form_of_exploitation", category].people
        assert (found.state, found.low) == ("not_measured", None)
    assert lines["POL", "2017", "sex_by_age_by_form", "all"].people.state == "not_measured"
    for form in ("text", "markdown"):
        assert "not measured in this release" in written(made(release, "sdg-16.2.2"), release, form)


def test_eurostat_crosses_sex_and_citizenship(release: Release) -> None:
    lines = by_key(made(release, "eurostat", scope(Answers(release), "DEU", (2018, 2018))))
    for category, group in (("non_eu", "third_country"), ("not_recorded", "")):
        for gender in ("female", "male"):
            found = lines["DEU", "2018", "sex_by_citizenship", f"{gender}:{category}"].people
            exact = truth("2018", gender=gender, **{COUNTRY: "DEU", GROUP: group})
            if found.value is None:
                assert found.high is not None
                assert exact <= found.high
            else:
                assert found.value == exact
    assert {x.category for x in lines.values() if x.dimension == "citizenship"} == {
        "reporting_country", "other_eu", "non_eu", "not_recorded",
    }  # fmt: skip


def test_without_the_cross_eurostat_says_so(tmp_path: Path) -> None:
    fewer = tuple(t for t in CROSSES if t != f"{YEAR}*gender*{COUNTRY}*{GROUP}")
    lines = made(opened(tmp_path, fewer), "eurostat").lines
    cross = [x.people.state for x in lines if x.dimension == "sex_by_citizenship"]
    assert set(cross) == {"not_measured"}
    assert any(x.people.value for x in lines if x.dimension == "citizenship")


KIND = "source_type"
PEOPLE = (
    ("female", "9-17", "government", 40), ("female", "0-8", "hotline", 20),
    ("female", "30-38", "hotline", 50), ("female", None, "government", 30),
    ("male", "18-20", None, 60), ("male", "48+", "government", 3), (None, None, "other", 25),
)  # fmt: skip
"""Gender, age band, kind of contributor, and how many people in Poland in 2018."""
BY_KIND, BY_BOTH = f"{YEAR}*{COUNTRY}*{KIND}", f"{YEAR}*gender*age_band*{COUNTRY}"
BY_HAND = {
    ("age", "children"): 60, ("age", "adults"): 113, ("age", "not_recorded"): 55,
    ("sex_by_age", "female:children"): 60, ("sex_by_age", "female:adults"): 50,
    ("sex_by_age", "female:not_recorded"): 30, ("sex_by_age", "male:adults"): 63,
    ("sex_by_age", "not_recorded:not_recorded"): 25,
    ("registering_organisation", "government"): 73, ("registering_organisation", "hotline"): 70,
    ("registering_organisation", "other"): 25, ("registering_organisation", "not_recorded"): 60,
}  # fmt: skip


def counted(folder: Path, *tables: str) -> dict[tuple[str, str, str, str], MandatedLine]:
    """Eurostat's lines of :data:`PEOPLE`."""
    rows: list[dict[str, str | None]] = [
        {YEAR: "2018", COUNTRY: "POL", ORIGIN: "UKR", "gender": sex, "age_band": age, KIND: kind}
        for sex, age, kind, n in PEOPLE
        for _ in range(n)
    ]
    answer = protected_answer(rows, tables=(*CROSSES, *tables))
    held = open_release(write_release(answer, folder / "releases", "2026.1", ""))
    sheet = made(held, "eurostat", scope(Answers(held), "POL", (2018, 2018)))
    return by_key(sheet)


def test_eurostat_counts_ages_and_kinds_of_contributor_as_by_hand(tmp_path: Path) -> None:
    lines = counted(tmp_path, BY_KIND, BY_BOTH)
    for (dimension, category), n in BY_HAND.items():
        line = lines["POL", "2018", dimension, category]
        assert line.people.value == n, category
        assert (line.people.low or 0) < n < (line.people.high or 0)
        assert line.blank == ("not_recorded" if "not_recorded" in category else "")
    boys = lines["POL", "2018", "sex_by_age", "male:children"].people
    assert (boys.state, boys.value) == ("protected", None)
    with language("fr"):
        label = line_label(lines["POL", "2018", "sex_by_age", "female:not_recorded"])
    assert label == "Femme ou fille · non renseigné"


def test_eurostat_says_what_the_policy_did_not_measure(tmp_path: Path) -> None:
    lines = counted(tmp_path)
    for dimension, n in (("registering_organisation", 5), ("sex_by_age", 12)):
        states = [line.people.state for key, line in lines.items() if key[2] == dimension]
        assert states == ["not_measured"] * n
    assert lines["POL", "2018", "age", "children"].people.state == "shown"


def test_eurostat_is_for_members_of_the_eu(release: Release) -> None:
    with pytest.raises(HubError) as caught:
        made(release, "eurostat", scope(Answers(release), "ARE", (2018, 2018)))
    assert caught.value.rule == "reporting-country"
    places = {x.country for x in made(release, "eurostat", scope(Answers(release))).lines}
    assert places == {"POL", "DEU", "ITA"}


def test_eurostat_has_lines_by_form_and_takes_candidates(release: Release, tmp_path: Path) -> None:
    lines = made(release, "eurostat", scope(Answers(release), "DEU", (2018, 2018))).lines
    forms = {x.category: x.people for x in lines if x.dimension == "form_of_exploitation"}
    assert list(forms)[:3] == ["exploitation_sexual", "exploitation_forced_labour", "other_forms"]
    exact = truth("2018", exploitation_sexual="yes", **{COUNTRY: "DEU"})
    assert forms["exploitation_sexual"].value == exact
    assert forms["other_forms"].state == "not_measured"
    rows = [{**r, COUNTRY: "SRB" if r[COUNTRY] == "POL" else r[COUNTRY]} for r in ROWS]
    answer = protected_answer(rows, tables=CROSSES)
    held = open_release(write_release(answer, tmp_path / "releases", "2026.1", ""))
    sheet = made(held, "eurostat", scope(Answers(held), "SRB", (2018, 2018)))
    assert any("Not a member of the European Union: Serbia" in n for n in notes(sheet, held))
    page = mandated_page.page(Answers(held)).values["shapes"]
    (own,) = [shape["own"] for shape in page if shape["name"] == "eurostat"]
    assert any("Not a member of the European Union: Serbia." in note for note in own)
    text = written(sheet, held, "text")
    assert "All other forms together" in text
    assert "“legal status” means victim, suspected or convicted person" in text


def test_the_most_frequent_nationalities_are_those_of_the_years(tmp_path: Path) -> None:
    """Ukrainians are the most in all years, and nobody in the year asked for."""
    rows = [r for r in ROWS if not (r[YEAR] == "2018" and r[ORIGIN] == "UKR")]
    answer = protected_answer(rows, tables=CROSSES)
    held = open_release(write_release(answer, tmp_path / "releases", "2026.1", ""))
    answers = Answers(held)
    always = made(held, "greta", scope(answers, "POL", held.years))
    once = made(held, "greta", scope(answers, "POL", (2018, 2018)))
    order = [[x.category for x in t.lines if x.dimension == "nationality"] for t in (always, once)]
    assert order[0][0] == "UKR"
    assert order[1][0] != "UKR"
    counts = [x.people.value or 0 for x in once.lines if x.dimension == "nationality"][:-1]
    assert counts == sorted(counts, reverse=True)


def test_greta_tells_nationalities_and_places_apart(release: Release) -> None:
    lines = by_key(made(release, "greta", scope(Answers(release), "POL", (2017, 2017))))
    ukrainians = lines["POL", "2017", "nationality", "UKR"].people
    assert ukrainians.value == truth("2017", **{COUNTRY: "POL", ORIGIN: "UKR"})
    foreign = lines["POL", "2017", "place_of_exploitation", "foreigners"].people
    exact = sum(
        r[YEAR] == "2017" and r[COUNTRY] == "POL" and r[ORIGIN] not in (None, "POL") for r in ROWS
    )
    assert foreign.low is not None
    assert foreign.high is not None
    assert foreign.low <= exact <= foreign.high
    several = by_key(made(release, "greta", scope(Answers(release), "POL", (2016, 2018))))
    three = several["POL", "2016-2018", "total", "all"].people
    assert three.value == sum(truth(str(y), **{COUNTRY: "POL"}) for y in (2016, 2017, 2018))


@pytest.mark.parametrize("shape", SHAPES)
def test_every_line_names_its_years_in_every_form(shape: str, release: Release) -> None:
    answers = Answers(release)
    for years in ((2016, 2018), (2017, 2017), release.years):
        sheet = made(release, shape, scope(answers, "POL", years))
        found = json.loads(written(sheet, release, "json"))
        assert found["years"] == list(years)
        assert {tuple(row["years"]) for row in found["rows"]} == {x.years for x in sheet.lines}
        rows = csv.DictReader(io.StringIO(written(sheet, release, "csv")))
        assert [row["year"] for row in rows] == [line.year for line in sheet.lines]
        if shape == "greta":
            for form in ("text", "markdown"):
                assert f"Poland, {span(years)}\n" in written(sheet, release, form)


def test_assistance_of_all_years_says_so_itself(tmp_path: Path) -> None:
    kind = "assistance_accommodation"
    tables = (*CROSSES, f"{COUNTRY}*{kind}", kind)
    statuses = ("received", "declined", None)
    rows = [{**r, kind: statuses[k % 3]} for k, r in enumerate(ROWS)]
    answer = protected_answer(rows, tables=tables)
    held = open_release(write_release(answer, tmp_path / "releases", "2026.1", ""))
    sheet = made(held, "greta", scope(Answers(held), "POL", (2017, 2017)))
    lines = [x for x in sheet.lines if x.dimension == "assistance"]
    assert lines
    assert {x.years for x in lines} == {held.years}
    assert all(line_label(x).endswith(", all years") for x in lines)
    text = written(sheet, held, "text")
    before, after = text.split(f"Poland, {span(held.years)}\n")
    assert "Assistance: " in after
    assert "Assistance: " not in before
    with language("fr"):
        sheet = made(held, "greta", scope(Answers(held), "POL", (2017, 2017)))
        assert "Genre, tel que renseigné\u00a0: " in written(sheet, held, "text")


def test_states_and_blanks_are_told_in_the_language_in_force(release: Release) -> None:
    english, french = [], []
    for code, texts in (("en", english), ("fr", french)):
        with language(code):
            found = json.loads(written(made(release, "greta"), release, "json"))
        texts += [*found["states"].values(), *found["blanks"].values()]
    assert not set(english) & set(french)


STATUS, CHANNEL = "victim_status", "recruited_online_network"


def told(folder: Path) -> Release:
    """A release that tells presumed from identified victims, channels, technology, sex by age."""
    tables = (
        *CROSSES, STATUS, f"{YEAR}*{COUNTRY}*{STATUS}", f"{COUNTRY}*{CHANNEL}", CHANNEL,
        f"{COUNTRY}*any_recruited", "any_recruited", f"{COUNTRY}*ict_control", "ict_control",
        f"gender*age_band*{COUNTRY}",
    )  # fmt: skip
    statuses, flags = ("presumed", "identified", "identified", None), ("yes", "no", None)
    rows = [
        {**r, STATUS: statuses[k % 4], CHANNEL: flags[k % 3], "any_recruited": flags[k % 3 > 0],
         "ict_control": flags[k % 3]}
        for k, r in enumerate(ROWS)
    ]  # fmt: skip
    answer = protected_answer(rows, tables=tables)
    return open_release(write_release(answer, folder / "releases", "2026.1", ""))


def test_presumed_and_identified_stand_apart_where_the_release_tells_them(
    tmp_path: Path, release: Release
) -> None:
    held = told(tmp_path)
    for shape in ("eurostat", "greta", "unodc"):
        sheet = made(held, shape, scope(Answers(held), "POL", (2017, 2017)))
        lines = [x for x in sheet.lines if x.dimension == "status"]
        assert [x.category for x in lines] == ["presumed", "identified", "not_recorded"]
        [everybody] = [x for x in sheet.lines if x.dimension == "total"]
        assert sum(x.people.value or 0 for x in lines) == everybody.people.value
        assert any("under “Presumed or identified”" in note for note in notes(sheet, held))
        before = made(release, shape)
        assert not [x for x in before.lines if x.dimension == "status"]
        assert any("does not distinguish presumed" in note for note in notes(before, release))


def test_greta_has_recruitment_and_technology_of_all_years(
    tmp_path: Path, release: Release
) -> None:
    held = told(tmp_path)
    sheet = made(held, "greta", scope(Answers(held), "POL", (2017, 2017)))
    lines = by_key(sheet)
    years = "{}-{}".format(*held.years)
    for dimension, flag in (("recruitment", CHANNEL), ("technology", "ict_control")):
        line = lines["POL", years, dimension, flag]
        assert line.people.state == "shown"
        assert line_label(line).endswith(", all years")
    assert lines["POL", years, "recruitment", "recorded"].people.value
    older = {x.dimension for x in made(release, "greta").lines}
    assert not older & {"recruitment", "technology"}


def test_unodc_says_what_is_not_held(tmp_path: Path) -> None:
    held = told(tmp_path)
    sheet = made(held, "unodc", scope(Answers(held), "POL", (2017, 2017)))
    missing = [x for x in sheet.lines if x.blank == "not_held"]
    asked = {"offences", "formal_contact", "prosecuted", "convicted"}
    assert {x.dimension for x in missing} == asked
    assert all(x.people.value is None and x.people.high is None for x in missing)
    assert {x.blank for x in sheet.lines if x.dimension not in asked} <= {"", "not_recorded"}
    exact = sum(
        r[COUNTRY] == "POL" and r["gender"] == "female" and r["age_band"] in CHILD_BANDS
        for r in ROWS
    )
    girls = by_key(sheet)["POL", "{}-{}".format(*held.years), "sex_by_age", "female:children"]
    assert girls.people.value == exact
    assert "not held" in written(sheet, held, "text")
    assert {r["blank"] for r in json.loads(written(sheet, held, "json"))["rows"]} >= {"not_held"}


def test_sdmx_has_the_columns_and_codes_of_the_dataflow(release: Release) -> None:
    people = poland()
    sheet = made(release, "sdg-16.2.2", scope(Answers(release), "POL", (2016, 2017), people))
    with language("fr"):
        text = mandated.sdmx(sheet, release)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == mandated.SDMX_COLUMNS
    keys = [tuple(r[c] for c in rows[0] if c.isupper())[:17] for r in rows]
    assert len(set(keys)) == len(rows)
    assert {r["REF_AREA"] for r in rows} == {"616"}
    assert {(r["SEX"], r["AGE"]) for r in rows} == {
        ("_T", "_T"), ("F", "_T"), ("M", "_T"), ("_T", "Y0T17"), ("_T", "Y_GE18"),
    }  # fmt: skip
    found = {(r["SERIES"], r["SEX"], r["AGE"], r["TIME_PERIOD"]): r for r in rows}
    total = found["VC_HTF_DETV", "_T", "_T", "2017"]
    assert int(total["OBS_VALUE"]) == truth("2017", **{COUNTRY: "POL"})
    assert int(total["LOWER_BOUND"]) <= int(total["OBS_VALUE"]) <= int(total["UPPER_BOUND"])
    rate = found["VC_HTF_DETVR", "_T", "_T", "2017"]
    assert rate["UNIT_MEASURE"] == "PER_100000_POP"
    exact = int(total["OBS_VALUE"]) / 380
    assert float(rate["OBS_VALUE"]) == pytest.approx(exact, abs=1e-4)
    assert ("VC_HTF_DETVR", "_T", "_T", "2016") not in found
    assert "Identified people" in total["COMMENT_TS"]
    uncoded, hidden = mandated.left_out_of_sdmx(sheet)
    counts = [r for r in rows if r["UNIT_MEASURE"] == "NUMBER"]
    assert uncoded + hidden + len(counts) == len(sheet.lines)


def test_a_library_of_sdmx_reads_the_file_back(release: Release, tmp_path: Path) -> None:
    sdmx = pytest.importorskip(
        "pysdmx.io", reason="pysdmx is missing: it is in requirements-dev.lock"
    )
    answers, people = Answers(release), poland(female=19_600_000)
    sheet = made(release, "sdg-16.2.2", scope(answers, "POL", (2016, 2017), people))
    path = tmp_path / "poland.csv"
    path.write_text(mandated.sdmx(sheet, release), "utf-8")
    (found,) = sdmx.read_sdmx(path).data
    assert str(found.structure).endswith(mandated.DATAFLOW)
    assert tuple(found.data.columns) == mandated.SDMX_COLUMNS[1:]
    rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))
    assert [float(x) for x in found.data["OBS_VALUE"]] == [float(r["OBS_VALUE"]) for r in rows]
    women = [r for r in rows if (r["SERIES"], r["SEX"]) == ("VC_HTF_DETVR", "F")]
    assert (
        "Per 100,000 of: women and girls (Practice (fictitious), 2017-07-01)"
        in women[0]["COMMENT_TS"]
    )


def test_forms_that_a_hub_of_an_older_schema_cannot_have_are_no_lines(release: Release) -> None:
    for shape in ("sdg-16.2.2", "greta", "unodc"):
        found = {x.category for x in made(release, shape).lines}
        assert "exploitation_organ_removal" in found
        assert "exploitation_surrogacy" not in found


def test_a_year_that_nobody_covers_has_no_count(tmp_path: Path) -> None:
    people = [{"id": "one", "name": "One", "kind": "hotline", "years": [2015, 2016]}]
    people += [{"id": "two", "name": "Two", "kind": "hotline", "years": [2018, 2019]}]
    answer = protected_answer(ROWS, tables=CROSSES, facts={"contributors": people})
    path = write_release(answer, tmp_path / "releases", "2026.1", "")
    for shape in ("sdg-16.2.2", "eurostat"):
        lines = made(open_release(path), shape).lines
        silent = [x for x in lines if x.year == "2017"]
        assert {x.blank for x in silent} == {"nobody_reports"}
        assert {x.people.state for x in silent} == {"not_measured"}
        assert "nobody_reports" not in {x.blank for x in lines if x.year == "2018"}


@given(st.integers(0, 10**6), st.integers(0, 10**4), st.integers(0, 10**4), st.integers(1, 10**10))
def test_rates_scale_counts_and_their_ends(n: int, down: int, up: int, population: int) -> None:
    found = per(Interval(n, max(0, n - down), n + up), population)
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert found.value * population / 100_000 == pytest.approx(n)
    assert found.low <= found.value <= found.high


def test_rates_need_a_population_and_its_gaps_are_told(release: Release) -> None:
    answers = Answers(release)
    plain = made(release, "sdg-16.2.2")
    assert all(line.rate is None for line in plain.lines)
    assert any("--population" in note for note in notes(plain, release))
    known = poland()
    sheet = made(release, "sdg-16.2.2", scope(answers, "POL", (2016, 2017), known))
    lines = by_key(sheet)
    total = lines["POL", "2017", "total", "all"]
    assert total.rate is not None
    assert total.people.value is not None
    assert total.rate.value == pytest.approx(100_000 * total.people.value / 38_000_000)
    assert total.rate.denominator == 38_000_000
    assert lines["POL", "2016", "total", "all"].rate is None
    assert any("POL 2016" in note for note in notes(sheet, release))


FAULTS = {
    "": (1, "country"),
    "country,year\nITA,2020\n": (1, "population"),
    "country,year,population\nITA,2020,59641488\n": (1, "source"),
    f"{HEAD}\nItaly,2017,59641488,{TAIL}\n": (2, "country"),
    f"{HEAD}\nITA,17,59641488,{TAIL}\n": (2, "year"),
    f"{HEAD}\nITA,2017,5.5,{TAIL}\n": (2, "population"),
    f"{HEAD}\nITA,2017,0,{TAIL}\n": (2, "population"),
    f"{HEAD}\nITA,2017,59 000,{TAIL}\n": (2, "population"),
    f"{HEAD}\nITA,2017,59641488,Office\n": (2, None),
    f"{HEAD}\nITA,2017,59641488,,2017-07-01\n": (2, "source"),
    f"{HEAD}\nITA,2017,59641488,Office,mid-year\n": (2, "reference_date"),
    f"{HEAD}\nITA,2017,59641488,Office,2015-07-01\n": (2, "reference_date"),
    f"{HEAD}\nITA,2017,59641488,Office,2018-01-02\n": (2, "reference_date"),
    f"{HEAD}\nITA,2017,59641488,{TAIL}\nITA,2017,59641489,{TAIL}\n": (3, None),
    f"{HEAD}\n": (2, None),
    f"{HEAD}\nPOL,2017,38000000,{TAIL}\nITA,2017,59641,{TAIL}\n": (3, "population"),
    f"{HEAD}\nITA,2017,59,{TAIL}\n": (2, "population"),
    f"{HEAD}\nITA,2017,596414880,{TAIL}\n": (2, "population"),
    f"{HEAD},sex\nITA,2017,30500,{TAIL},femmes\n": (2, "population"),
    f"{HEAD},sex\nITA,2017,30500000,{TAIL},Frauen\n": (2, "sex"),
    f"{HEAD},age\nITA,2017,30500000,{TAIL},15-64\n": (2, "age"),
    f"{HEAD},sex\nITA,2017,59000000,{TAIL},\nITA,2017,30500000,{TAIL},F\n"
    f"ITA,2017,20500000,{TAIL},M\n": (3, "population"),
    f"{HEAD},sex\nITA,2017,29000000,{TAIL},T\nITA,2017,30500000,{TAIL},F\n": (3, "population"),
    f"{HEAD},région\nITA,2017,59000000,{TAIL},Nord\n": (1, "région"),
    f"{HEAD},sex,sex\nITA,2017,59000000,{TAIL},T,T\n": (1, "sex"),
    'country,year,population,reference_date,source\nITA,2017,59641488,2017-07-01,"Office\n'
    "ITA,2018,59641488,2018-07-01,Office\n": (2, None),
}


def test_a_population_below_the_count_is_refused(release: Release) -> None:
    few = Population({("POL", "2017", "", ""): Inhabitants(38, 3, "Office", "2017-07-01")})
    with pytest.raises(FileError) as caught:
        made(release, "sdg-16.2.2", scope(Answers(release), "POL", (2017, 2017), few))
    assert (caught.value.rule, caught.value.row) == ("population-small", 3)
    assert caught.value.fix


def test_more_than_100_in_100000_need_a_word(release: Release) -> None:
    people = {("POL", "2017", "", ""): Inhabitants(50_000, 4, "Office", "2017-07-01")}
    with pytest.raises(FileError) as caught:
        made(
            release, "sdg-16.2.2", scope(Answers(release), "POL", (2017, 2017), Population(people))
        )
    assert (caught.value.rule, caught.value.row) == ("population-rate", 4)
    assert "--high-rates" in (caught.value.fix or "")
    said = Population(people, high_rates=True)
    sheet = made(release, "sdg-16.2.2", scope(Answers(release), "POL", (2017, 2017), said))
    rate = by_key(sheet)["POL", "2017", "total", "all"].rate
    assert rate is not None
    assert (rate.value or 0) > 100


def test_women_are_divided_by_women_where_the_file_has_them(release: Release) -> None:
    answers = Answers(release)
    parts = {"female": 19_600_000, "male": 18_400_000, "children": 6_900_000}
    sheet = made(release, "sdg-16.2.2", scope(answers, "POL", (2017, 2017), poland(**parts)))
    lines = by_key(sheet)
    for dimension, category in (("sex", "female"), ("sex", "male"), ("age", "children")):
        line = lines["POL", "2017", dimension, category]
        assert line.rate is not None
        assert (line.per, line.rate.denominator) == (category, parts[category])
        if line.people.value:
            exact = 100_000 * line.people.value / parts[category]
            assert line.rate.value == pytest.approx(exact)
    adults = lines["POL", "2017", "age", "adults"]
    assert adults.rate is not None
    assert (adults.per, adults.rate.denominator) == ("", 38_000_000)
    text = written(sheet, release, "text")
    assert "women and girls" in text
    assert f"Population: {isolated('Practice (fictitious)')}, on 1 July 2017." in text
    assert any("of all inhabitants" in note for note in notes(sheet, release))
    assert any("noise added for privacy and nothing else" in n for n in notes(sheet, release))
    rows = list(csv.DictReader(io.StringIO(written(sheet, release, "csv"))))
    found = {(r["dimension"], r["category"]): r for r in rows}
    assert found["sex", "female"]["population_of"] == "female"
    assert found["age", "adults"]["population_of"] == "all"
    assert {r["population_date"] for r in rows if r["per_100000"]} == {"2017-07-01"}


def test_titles_say_what_is_in_the_table(release: Release) -> None:
    answers = Answers(release)
    other_year = Population(
        {("POL", "2016", "", ""): Inhabitants(38_000_000, 2, "Office", "2016-07-01")}
    )
    for people in (None, other_year):
        asked = scope(answers, "POL", (2017, 2017), people)
        sheet = made(release, "sdg-16.2.2", asked)
        assert "per 100,000" not in title(sheet)
        assert "detected or not" in " ".join(notes(sheet, release))
    asked = scope(answers, "POL", (2017, 2017), poland())
    assert "per 100,000" in title(made(release, "sdg-16.2.2", asked))
    for shape in SHAPES:
        assert "Sex" not in {
            words_of("dimension", line.dimension) for line in made(release, shape).lines
        }
    assert "Gender, as recorded: " in written(made(release, "greta"), release, "text")


def test_rates_tell_their_blanks_apart(release: Release) -> None:
    answers, people = Answers(release), poland()
    sheet = made(release, "sdg-16.2.2", scope(answers, "POL", (2016, 2017), people))
    with language("en"):
        text = written(sheet, release, "text")
    assert "no population given" not in text
    assert "–" not in text.split("Poland, 2017")[1].split("\n\n")[0]
    assert "not shown (below the reporting threshold)" in text or "not measured" in text


@pytest.mark.parametrize("text", FAULTS)
def test_a_wrong_population_names_row_and_column(text: str, tmp_path: Path) -> None:
    path = tmp_path / "population.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(FileError) as caught:
        load_population(path)
    assert (caught.value.row, caught.value.column) == FAULTS[text]
    assert caught.value.fix


def test_a_right_population_is_read(tmp_path: Path) -> None:
    path = tmp_path / "population.csv"
    head, tail = (
        "Year,Population,Country,Source,Reference_date,Sexe",
        '"An office, a table",2020-01-01',
    )
    path.write_text(f"\ufeff{head}\n2020, 59641488 ,ITA,{tail},\n\n", "utf-8")
    found = load_population(path).get("ITA", "2020")
    assert found == Inhabitants(59641488, 2, "An office, a table", "2020-01-01")
    for women, men, both in (
        ("Femmes", "Hommes", "Les deux sexes"), ("F", "M", "_T"), ("mujeres", "hombres", "total"),
        ("نساء", "رجال", "المجموع"),
    ):  # fmt: skip
        rows = ((women, 30_600_000), (men, 29_041_488), (both, 59_641_488))
        text = "".join(f"2020,{n},ITA,{tail},{word}\n" for word, n in rows)
        for part in (text, "".join(text.splitlines(keepends=True)[:2])):  # with and without total
            path.write_text(f"{head}\n{part}", "utf-8")
            held = load_population(path)
            numbers = [held.get("ITA", "2020", sex) for sex in ("female", "male", "")]
            assert [p and p.number for p in numbers] == [n for _word, n in rows]
    for bad in (tmp_path / "missing.csv", tmp_path):
        with pytest.raises(OSError, match=bad.name):
            load_population(bad)


_HEADER = "country,year,population,source,reference_date,sex,age\n"


def test_a_total_that_is_missing_is_made_before_parts_are_checked(tmp_path: Path) -> None:
    path, end = tmp_path / "population.csv", "An office,2020-01-01"
    ages = f"ITA,2020,20000000,{end},,children\nITA,2020,30000000,{end},,adults\n"
    total = f"ITA,2020,50000000,{end},,\n"
    for text in ("", total):
        path.write_text(f"{_HEADER}{text}ITA,2020,55000000,{end},female,\n{ages}", "utf-8")
        with pytest.raises(FileError) as caught:
            load_population(path)
        assert caught.value.column == "population"
        path.write_text(f"{_HEADER}{text}ITA,2020,26000000,{end},female,\n{ages}", "utf-8")
        people = load_population(path).get("ITA", "2020")
        assert people
        assert people.number == 50_000_000


def test_rows_of_a_population_are_those_of_csv(tmp_path: Path) -> None:
    path, row = tmp_path / "population.csv", "ITA,2020,59641488,An\u2028office,2020-01-01,,"
    path.write_text(f"{_HEADER}{row}\n", "utf-8")
    people = load_population(path).get("ITA", "2020")
    assert people
    assert people.source.endswith("office")
    for text in (f"{row},female", row.replace("An", "A" * 140_000)):
        path.write_text(f"{_HEADER}\n{text}\n", "utf-8")
        with pytest.raises(FileError) as caught:
            load_population(path)
        assert caught.value.row == 3


def test_scopes_are_checked(release: Release) -> None:
    answers = Answers(release)
    assert scope(answers, "pol").places == ("POL",)
    assert scope(answers).years == ("2017", "2018", "2019")
    for wrong in ({"country": "XXX"}, {"years": (2018, 2016)}, {"years": (1990, 2018)}):
        with pytest.raises(HubError):
            scope(answers, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_form_says_what_is_missing_and_that_it_is_not_certified(
    shape: str, release: Release
) -> None:
    for lang in LANGUAGES:
        with language(lang):
            sheet = made(release, shape)
            for form in ("text", "markdown", "json"):
                text = written(sheet, release, form)
                assert all(note in text for note in notes(sheet, release))
    sheet = made(release, shape)
    assert any("not certified" in note for note in notes(sheet, release))
    assert any("onvict" in note for note in notes(sheet, release))
    rows = list(csv.DictReader(io.StringIO(written(sheet, release, "csv"))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == len(sheet.lines)
    for row in rows:
        assert bool(row["people"]) == (row["state"] == "shown")
    found = json.loads(written(sheet, release, "json"))
    assert len(found["rows"]) == len(rows)
    assert found["caveat"]
    assert set(FORMATS) == {"text", "csv", "json", "markdown"}


def test_the_verb(release: Release, tmp_path: Path) -> None:
    def run(*words: str) -> str:
        result = CliRunner().invoke(command(), ["tables", str(release.path), *words])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.output

    file, people = tmp_path / "out.json", tmp_path / "population.csv"
    people.write_text(f"{HEAD}\nPOL,2017,38000000,{TAIL}\n", "utf-8")
    asked = ("--for", "sdg-16.2.2", "--country", "POL", "--year", "2017")
    run(*asked, "--population", str(people), "--format", "json", "--out", str(file))
    given = json.loads(file.read_text("utf-8"))
    assert given["rows"][0]["per_100000"] > 0
    assert given["rows"][0]["population_source"] == "Practice statistics (fictitious)"
    assert "Pologne" in run(*asked, "--lang", "fr")
    for wrong in (
        ("--for", "nonsense"),
        (*asked, "--years", "2016-2017"),
        ("--for", "greta", "--years", "16"),
        (*asked, "--format", "pdf"),
        (*asked, "--lang", "de"),
    ):
        with pytest.raises(HubError) as caught:
            run(*wrong)
        assert caught.value.exit_code == 2
