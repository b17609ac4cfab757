"""What drafts ask about instead of guessing, and what they read that a stranger would write."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctdhub.core.errors import MappingError
from ctdhub.core.i18n import LANGUAGES
from ctdhub.schema.labels import code_label
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.ingest.raw import RawTable
from ctdhub.sensitive.ingest.rejects import REJECTS
from ctdhub.sensitive.mapping.builtin import builtin
from ctdhub.sensitive.mapping.drafting.suggest import suggest
from ctdhub.sensitive.mapping.drafting.vocabulary import sexes, vocabulary
from ctdhub.sensitive.mapping.drafting.written_ages import years_in
from ctdhub.sensitive.mapping.mapping import Accepted
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import harmonise

HEADERS = {"en": "sex", "fr": "sexe", "es": "sexo", "ar": "الجنس"}
LETTERS = {
    "en": [("F", "M"), ("W", "M")],
    "fr": [("F", "H"), ("F", "M")],
    "es": [("M", "H"), ("F", "M"), ("M", "V")],
    "ar": [("أ", "ذ")],
}
"""One-letter codes of a woman and a man that people of each language write."""


def raw_of(columns: dict[str, list[str | None]], rows: int | None = None) -> RawTable:
    """A file whose columns repeat their texts up to a number of rows."""
    n = rows or max(map(len, columns.values()))
    table = pa.table(
        {
            name: pa.array([texts[i % len(texts)] for i in range(n)], pa.string())
            for name, texts in columns.items()
        }
        | {"_row": pa.array(range(2, n + 2), pa.int64())}
    )
    return RawTable("f.csv", "00" * 32, table, REJECTS.empty_table(), n)


def about(text: str, start: str) -> str:
    """The line of a draft that begins so, with the comments right below it."""
    lines = text.splitlines()
    first = next(i for i, line in enumerate(lines) if line.lstrip("# ").startswith(start))
    last = next((i for i in range(first + 1, len(lines)) if lines[i][:5] != "    #"), len(lines))
    return "\n".join(lines[first:last])


def test_codes_of_a_code_book_are_no_ages() -> None:
    raw = raw_of({"Year": ["2020"], "Sex": ["F", "M"], "Age Band": [*"0123456789"]}, 400)
    found = suggest(raw)
    assert "age_band" not in found.mapping.columns
    assert "codes of the publisher’s code book" in about(found.yaml, "Age Band")


@pytest.mark.parametrize("header", ["age group", "Tranche d'âge", "rango de edad", "الفئة العمرية"])
def test_bare_numbers_under_a_band_are_no_ages(header: str) -> None:
    found = suggest(raw_of({header: ["17", "24", "35", "41"]}, 40))
    assert "age_band" not in found.mapping.columns


def test_ages_are_ages() -> None:
    found = suggest(raw_of({"age": ["3", "9", "17", "24", "35"]}, 40))
    assert found.mapping.columns["age_band"][0].band


@given(st.sampled_from(LANGUAGES), st.data())
@settings(max_examples=200, deadline=None)
def test_letters_count_as_a_pair_of_one_language(language: str, data: st.DataObject) -> None:
    woman, man = data.draw(st.sampled_from(LETTERS[language]))
    cased = st.sampled_from([str.upper, str.lower])
    woman, man = data.draw(cased)(woman), data.draw(cased)(man)
    header = HEADERS[language]
    assert sexes(header, [woman, man]) == {woman: "female", man: "male"}
    assert sexes(header, [woman]) == sexes(header, [man]) == {}
    stranger = data.draw(st.sampled_from("BDEGIJKLNPQRSYZ"))
    assert sexes(header, [woman, man, stranger]) == {}


@given(st.sampled_from(LANGUAGES), st.data())
@settings(max_examples=100, deadline=None)
def test_words_of_every_language_are_read_beside_a_letter(
    language: str, data: st.DataObject
) -> None:
    header = data.draw(st.sampled_from([*HEADERS.values()]))
    codes = load_schema().domain("gender")
    words = {code_label("gender", code, language): code for code in codes}
    letter = data.draw(st.sampled_from("FMHWV"))
    assert sexes(header, [*words, letter]) == words


def test_h_and_m_under_an_english_header_are_asked_about() -> None:
    found = suggest(raw_of({"sex": ["H", "M"]}, 40))
    assert "gender" not in found.mapping.columns
    assert "H (rows: 20) and M (rows: 20)" in found.yaml


def test_a_missing_code_of_two_leaves_no_rule() -> None:
    found = suggest(raw_of({"gender": ["Female", "Kobieta"]}, 40))
    assert "gender" not in found.mapping.columns
    assert "codes whose meaning is not sure" in about(found.yaml, "gender")


def test_sorted_sets_are_said_to_be_sets() -> None:
    columns = {
        "p_sex": ["Female;Male", "Male", "Female;Male"],
        "perpetrator_paid": ["No;Yes", "No;Yes", "No"],
        "offender_age": ["40;22", "22;22", "31;30"],
    }
    text = suggest(raw_of(columns, 30)).yaml
    assert "sets, not lists" in about(text, "p_sex")
    assert "sets, not lists" in about(text, "perpetrator_paid")
    assert "sets, not lists" not in about(text, "offender_age")


REPORTS = {
    "file_number": ["1001", "1001", "1001", "1002", "1002", "1003"],
    "date": ["2023-01-03", "2023-01-03", "2023-01-03", "2023-02-14", "2023-02-14", "2024-05-01"],
    "role": ["victim", "victim", "accused", "victim", "accused", "victim"],
    "sex": ["F", "M", "M", "F", "M", "F"],
    "age": ["22", "15", "40", "30", "41", "19"],
}


def test_a_number_that_several_people_share_is_no_person_key() -> None:
    raw = raw_of(REPORTS)
    found = suggest(raw)
    assert found.mapping.identifiers["file_number"].action == "case"
    assert "numbers that appear in several rows: 2; of these, of several people: 2" in (
        about(found.yaml, '"file_number"')
    )
    assert '#   - {rule: not-a-victim, when: {"role": ["accused"]}}' in found.yaml
    mapping = found.mapping.model_copy(update={"accept": (Accepted(alarm="new-column: role"),)})
    done = harmonise(raw, mapping, "c", (2002, 2025), bytes(32))
    assert done.conservation.records == 6
    assert done.records["person_key"].null_count == 6


def test_a_column_that_counts_the_people_of_a_number_is_named() -> None:
    raw = raw_of(REPORTS | {"line": ["1", "2", " 3", "1", "2", "1"]})
    assert 'key: ["file_number", "line"]' in suggest(raw).yaml


def test_numbers_that_cannot_be_compared_join_nobody() -> None:
    raw = raw_of({"case number": ["1", "1", "2", "3"], "topic": ["a", "b"]})
    found = suggest(raw)
    assert found.mapping.identifiers["case number"].action == "case"
    assert "hash only if each is one person’s own" in found.yaml


def test_ages_too_far_apart_are_of_several_people() -> None:
    columns = {"case number": ["1", "1", "2", "3"], "sex": ["F", "F", "M", "F"]}
    raw = raw_of(columns | {"age": ["17", "51", "22", "30"]})
    assert suggest(raw).mapping.identifiers["case number"].action == "case"
    raw = raw_of(columns | {"age": ["17", "19", "22", "30"]})
    assert suggest(raw).mapping.identifiers["case number"].action == "hash"


def test_the_exclusion_works_when_it_is_taken_over() -> None:
    raw = raw_of(REPORTS)
    text = suggest(raw).yaml.replace("# exclude:", "exclude:").replace("#   - {", "  - {")
    done = harmonise(raw, parse_mapping(text, "m.yaml"), "c", (2002, 2025), bytes(32))
    assert done.conservation.excluded == {"not-a-victim": 2}


COUNTED = {
    "sexe": ["F", "H"],
    "Consent to share": ["Yes", "Yes", "No", None],
    "Resultado": ["Not a victim of trafficking", "Xyz", "Xyz", None],
    "Role": ["Victim", "Caller - direct victim", "Caller - family member", "Victim"],
}


def test_nothing_is_made_of_a_file_before_who_is_counted_is_decided() -> None:
    raw = raw_of(COUNTED, 40)
    draft = suggest(raw).yaml
    with pytest.raises(MappingError, match="Consent to share, Resultado, Role") as fault:
        harmonise(raw, parse_mapping(draft, "m.yaml"), "c", (2002, 2025), bytes(32))
    assert fault.value.rule == "who-counts"
    assert "Xyz" not in str(fault.value), "no text of a record is named"
    first = draft[: draft.index("version: 1")]
    assert "yes in 20 rows, no in 10, empty in 10" in first
    assert '{rule: not-a-victim-2, when: {"Role": ["Caller - family member"]}}' in first
    lenient = next(x for x in first.splitlines() if '["Yes", ""]' in x)
    text = draft.replace(lenient + "\n", "").replace("# exclude:", "exclude:")
    text = text.replace("#   - {", "  - {")
    done = harmonise(raw, parse_mapping(text, "m.yaml"), "c", (2002, 2025), bytes(32))
    assert done.conservation.excluded == {
        "no-consent": 20, "not-a-victim": 10, "not-a-victim-2": 0
    }  # fmt: skip
    left = next(x for x in first.splitlines() if x.startswith("# accept:"))
    text = draft.replace(left, left.removeprefix("# "))
    done = harmonise(raw, parse_mapping(text, "m.yaml"), "c", (2002, 2025), bytes(32))
    assert done.conservation.records == 40


@pytest.mark.parametrize(
    ("header", "texts"),
    [
        ("Consentement retiré", ["oui", "non"]),
        ("Autoriza compartir su caso", ["-1", "0"]),
        ("الموافقة", ["نعم", "لا"]),
        ("Trafficking status", ["A", "B"]),
        ("Conclusión", ["No es víctima de trata", "otra"]),
        ("نتيجة", ["ليست ضحية للاتجار", "أخرى"]),
        ("Résultat", ["n'est pas une victime", "autre"]),
    ],
)
def test_consent_and_status_are_asked_about_in_every_language(
    header: str, texts: list[str | None]
) -> None:
    raw = raw_of({"Sexe": ["F", "H"], header: texts}, 30)
    with pytest.raises(MappingError, match="do") as fault:
        harmonise(raw, suggest(raw).mapping, "c", (2002, 2025), bytes(32))
    assert fault.value.rule == "who-counts"


@pytest.mark.parametrize(
    ("header", "texts"),
    [
        ("Status", ["Active", "Closed"]),
        ("Accompanied by", ["mother", "nobody"]),
        ("Consent to share", [None, None]),
        ("Victim gender", ["F", "M"]),
    ],
)
def test_columns_beside_these_are_not(header: str, texts: list[str | None]) -> None:
    raw = raw_of({"année": ["2020", "2021"], header: texts}, 30)
    done = harmonise(raw, suggest(raw).mapping, "c", (2002, 2025), bytes(32))
    assert done.conservation.records == 30


def test_visits_of_one_person_share_her_key() -> None:
    columns = {"person_id": ["P1", "P1", "P2", "P3"], "sex": ["F", "F", "M", "F"]}
    found = suggest(raw_of(columns))
    assert found.mapping.identifiers["person_id"].action == "hash"


@pytest.mark.parametrize(
    ("columns", "unit"),
    [
        ({"report id": ["R1", "R2"], "number of victims": ["3", "1"]}, "report"),
        ({"call date": ["2020-01-01", "2021-01-01"], "topic": ["a", "b"]}, "call"),
    ],
)
def test_rows_that_are_no_people_are_said_to_be_none(
    columns: dict[str, list[str | None]], unit: str
) -> None:
    found = suggest(raw_of(columns, 24))
    assert found.mapping.rows == unit
    assert "hash" not in {decision.action for decision in found.mapping.identifiers.values()}


def test_a_draft_asks_what_a_row_is() -> None:
    first = suggest(raw_of({"sex": ["F", "M"]})).yaml.splitlines()[:4]
    assert "# What is one row of this file: a person, a report or a call? Write it here." in first


def test_zero_for_unknown_is_proposed_with_its_rows() -> None:
    raw = raw_of({"year": ["2020"], "citizenship": ["UKR", "0", "MDA", "PHL"]}, 40)
    found = suggest(raw)
    assert found.mapping.columns["citizenship"][0].null_values == ("0",)
    assert "map it: 0 (rows: 10)" in about(found.yaml, "citizenship")
    done = harmonise(raw, found.mapping, "c", (2002, 2025), bytes(32))
    assert (done.conservation.rejected, done.records["citizenship"].null_count) == (0, 10)


def test_a_draft_says_how_many_rows_a_rule_would_reject() -> None:
    found = suggest(raw_of({"nationality": ["Nigeria", "Ghana", "Nigerria", "Togo"]}, 40))
    line = about(found.yaml, "citizenship")
    assert "Nigerria → Nigeria (NGA)? (rows: 10)" in line
    assert "rows that this rule would reject: 10 of 40" in line


def test_other_means_the_other_of_its_group() -> None:
    columns = {
        "recruiter": ["Friend", "Family", "Other"],
        "sector": ["Aquafarming", "Peddling", "Other", "Agriculture"],
    }
    found = suggest(raw_of(columns, 48)).mapping.columns
    assert found["recruiter_other"][0].has == ("Other",)
    assert found["labour_other"][0].has == ("Other",)
    assert {"labour_aquafarming", "labour_peddling"} <= set(found)


def test_a_stranger_is_no_blank_where_somebody_recruited() -> None:
    columns = {"Sexe": ["Femme", "Homme", "Inconnu"], "Recruteur": ["Ami", "Inconnu", "Famille"]}
    found = suggest(raw_of(columns, 30))
    assert "Inconnu" not in found.mapping.empty
    assert found.mapping.columns["gender"][0].null_values == ("Inconnu",)
    assert "no yes/no variable for: Inconnu (rows: 10)" in found.yaml


def test_one_column_of_choices_feeds_one_flag() -> None:
    columns = {
        "exploitation/labour": ["1", "0"],
        "exploitation/sexual": ["0", "1", "1"],
        "exploitation": ["labour", "sexual", "labour sexual"],
    }
    found = suggest(raw_of(columns, 24)).mapping.columns
    read = {name: rules[0].source for name, rules in found.items()}
    assert read == {
        "exploitation_forced_labour": ("exploitation/labour",),
        "exploitation_sexual": ("exploitation/sexual",),
    }


def test_a_flag_is_not_guessed_from_a_header_that_resembles_it() -> None:
    found = suggest(raw_of({"kidnappings": ["yes", "no"], "abductions": ["yes", "no"]}, 24))
    assert not found.mapping.columns


@pytest.mark.parametrize(
    ("header", "text", "flag"),
    [
        ("Type of exploitation", "Sexual exploitation", "exploitation_sexual"),
        ("Tipo de explotación", "explotación sexual", "exploitation_sexual"),
        ("Type of exploitation", "Forced labour", "exploitation_forced_labour"),
    ],
)
def test_a_cell_that_is_known_whole_is_no_list(header: str, text: str, flag: str) -> None:
    (rule,) = suggest(raw_of({header: [text]}, 30)).mapping.columns[flag]
    assert (rule.has, rule.split) == ((text,), None)


@pytest.mark.parametrize(
    "denied", ["No sexual exploitation", "Pas sexual", "sin explotación Sexual", "Sexual لا"]
)
def test_a_word_beside_a_negation_is_unknown_and_no_yes(denied: str) -> None:
    text = """
        version: 1
        columns: {exploitation_sexual: {from: type, has: [Sexual], split: " ", absent: no,
                                        known: ["No", Pas, sin, لا, exploitation, explotación]}}
    """
    raw = raw_of({"type": ["Sexual", denied, "exploitation"]})
    done = harmonise(raw, parse_mapping(text, "m.yaml"), "c", (2002, 2025), bytes(32))
    assert done.records["exploitation_sexual"].to_pylist() == ["yes", None, "no"]
    assert [(one.text, one.rows) for one in done.texts.unknown] == [(denied, 1)]


@pytest.mark.parametrize(
    ("texts", "codes"),
    [
        (["-1", "0"], {"-1": "yes", "0": "no"}),
        (["-1", "0", "9"], {"-1": "yes", "0": "no"}),
        (["-1", "0", "-9"], {"-1": "yes", "0": "no"}),
        (["0.0", "-1.0"], {"-1.0": "yes", "0.0": "no"}),
        (["-1", "0", "1"], {"0": "no", "1": "yes"}),
    ],
)
def test_minus_one_beside_zero_alone_is_a_yes(texts: list[str | None], codes: object) -> None:
    found = suggest(raw_of({"Threats": texts, "is minor": texts}, 30)).mapping
    assert found.columns["means_threats"][0].map == codes
    assert ("majority_status" in found.columns) == (len(texts) == 2)


@pytest.mark.parametrize(
    "columns",
    [{"Threats": ["yes"]}, {"Menaces": ["non"]}, {"Sexe": ["F"]}, {"Minor": ["yes"]},
     {"Recruiter: family": ["1"], "Age group": ["Minor"]}, {"Shelter": ["received"]}],
)  # fmt: skip
def test_a_draft_maps_no_text_that_no_cell_holds(columns: dict[str, list[str | None]]) -> None:
    rules = [r for each in suggest(raw_of(columns, 40)).mapping.columns.values() for r in each]
    cells = {cell for texts in columns.values() for cell in texts}
    assert {text for rule in rules for text in (*(rule.map or {}), *rule.has)} <= cells


def test_what_follows_from_a_text_is_read_too() -> None:
    raw = raw_of(
        {
            "Type d'exploitation": [
                "Exploitation sexuelle / Travail forcé", "Exploitation sexuelle", "Travail forcé",
                "Servitude domestique",
            ],
            "Âge": ["Mineure", "9", "17", "moins de 18", "adulte", "18", "45", "30"],
        },
        40,
    )  # fmt: skip
    done = harmonise(raw, suggest(raw).mapping, "c", (2002, 2025), bytes(32)).records
    assert done["exploitation_sexual"].to_pylist()[:4] == ["yes", "yes", None, None]
    assert done["exploitation_forced_labour"].to_pylist()[:4] == ["yes", None, "yes", "yes"]
    minors, adults = ["minor"] * 4, ["adult"] * 4
    assert done["majority_status"].to_pylist()[:8] == minors + adults


@pytest.mark.parametrize(
    ("header", "minors", "adults"),
    [("Edad", ["Menor"], ["Adulta", "Adulto"]), ("العمر", ["قاصرة", "طفلة"], ["بالغة", "راشدة"])],
)
def test_words_for_minors_and_adults_are_read_of_women_too(
    header: str, minors: list[str], adults: list[str]
) -> None:
    raw = raw_of({header: [*minors, *adults]}, 40)
    done = harmonise(raw, suggest(raw).mapping, "c", (2002, 2025), bytes(32)).records
    read = ["minor"] * len(minors) + ["adult"] * len(adults)
    assert done["majority_status"].to_pylist()[: len(read)] == read


def test_what_follows_from_another_column_is_read_too() -> None:
    raw = raw_of(
        {
            "Forma de explotación": ["explotación sexual", "otra", None],
            "sector_begging": ["no", "sí", "no"],
            "Sector": ["construcción", None, None],
        },
        30,
    )
    done = harmonise(raw, suggest(raw).mapping, "c", (2002, 2025), bytes(32)).records
    assert done["exploitation_forced_labour"].to_pylist()[:3] == ["yes", "yes", None]


def test_choices_with_blanks_between_are_taken_apart() -> None:
    columns = {"means": ["threats", "debt_bondage threats", "physical_abuse"]}
    found = suggest(raw_of(columns, 24)).mapping.columns
    assert found["means_threats"][0].split == " "
    columns = {"means": ["threats", "threats and more", "physical_abuse"]}
    assert suggest(raw_of(columns, 24)).mapping.columns["means_threats"][0].split is None


@pytest.mark.parametrize(
    "header", ["fears", "violence before", "Means of transport", "who was present", "risks"]
)
def test_words_of_a_group_count_under_its_own_header_alone(header: str) -> None:
    texts: list[str | None] = ["threats", "physical abuse", "friend", "Other", "Agriculture"]
    assert not suggest(raw_of({header: texts}, 30)).mapping.columns


def test_other_alone_names_no_kind() -> None:
    assert not suggest(raw_of({"sector": ["North", "South", "Other"]}, 30)).mapping.columns


@pytest.mark.parametrize("header", ["Partner / age", "mother's age", "sister.sex", "wage", "t_sex"])
def test_headers_of_others_make_no_rule(header: str) -> None:
    texts: list[str | None] = ["Female", "Male"] if "sex" in header else ["35", "44", "50"]
    assert not suggest(raw_of({header: texts}, 30)).mapping.columns


@pytest.mark.parametrize(
    "header", ["child", "Children", "Adults", "partner", "family", "construction"]
)
def test_what_a_person_has_is_not_what_she_is(header: str) -> None:
    assert not suggest(raw_of({header: ["1", "0"]}, 30)).mapping.columns


@pytest.mark.parametrize(
    ("header", "codes"),
    [
        ("minor", {"yes": "minor", "no": "adult"}),
        ("Adult", {"yes": "adult", "no": "minor"}),
        ("menor de edad", {"sí": "minor", "no": "adult"}),
        ("Mineur", {"oui": "minor", "non": "adult"}),
    ],
)
def test_minor_and_adult_are_answered_yes_or_no(header: str, codes: dict[str, str]) -> None:
    found = suggest(raw_of({header: [*codes]}, 24)).mapping.columns["majority_status"][0].map
    assert found is not None
    assert codes.items() <= found.items()


def test_lists_in_several_columns_are_read_together() -> None:
    columns = {
        "type of exploitation 1": ["Forced labour", "Sexual exploitation"],
        "type of exploitation 2": [None, "Forced labour", None],
    }
    rule = suggest(raw_of(columns, 24)).mapping.columns["exploitation_forced_labour"][0]
    assert rule.source == ("type of exploitation 1", "type of exploitation 2")


def test_months_are_counted_only_where_the_header_says_so() -> None:
    raw = raw_of({"duration of trafficking": ["1", "3"], "age": ["17", "24"]}, 24)
    assert "trafficking_duration" not in suggest(raw).mapping.columns
    raw = raw_of({"duration of trafficking": ["6 months", "2 years"], "age": ["17", "24"]}, 24)
    rule = suggest(raw).mapping.columns["trafficking_duration"][0]
    assert rule.map == {"6 months": "0-12", "2 years": "13-24"}


def test_years_of_another_calendar_are_asked_about() -> None:
    found = suggest(raw_of({"year": ["2563", "2564"], "sex": ["F", "M"]}, 24))
    assert "year_of_registration" not in found.mapping.columns
    assert "of another calendar?" in about(found.yaml, "year")


def test_ticks_and_decimals_are_answers() -> None:
    columns = {"means_threats": ["✓", None], "means_debt_bondage": ["1.0", "0.0"]}
    raw = raw_of(columns, 24)
    done = harmonise(raw, suggest(raw).mapping, "c", (2002, 2025), bytes(32))
    assert done.records["means_threats"].to_pylist() == ["yes", None] * 12
    assert done.records["means_debt_bondage"].to_pylist() == ["yes", "no"] * 12


def test_sentences_and_names_are_never_shown() -> None:
    columns = {
        "what happened": [f"the person said that {i} men were there that evening" for i in "abcd"],
        "desk": ["north", "south"],
    }
    text = suggest(raw_of(columns, 40)).yaml
    assert "men were there" not in text
    assert "desk: north, south" in text


def test_a_builtin_mapping_is_tried_before_it_is_recommended() -> None:
    names = builtin("ctdc-2024").needed()
    columns: dict[str, list[str | None]] = {name: [None] for name in names}
    assert suggest(raw_of(columns, 20)).builtin == "ctdc-2024"
    columns["gender"] = ["a code that nobody knows"]
    found = suggest(raw_of(columns, 20))
    assert found.builtin is None
    assert "rejects 20 of 20 rows" in found.yaml


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("17 years old", 17, 17), ("8 mois", 0, 0), ("18 a 25", 18, 25),
        ("entre 18 et 25 ans", 18, 25),
        ("under 18", 0, 17), ("menos de 18 años", 0, 17), ("jusqu'à 18 ans", 0, 18),
        ("moins_de_18", 0, 17), ("18_ans_et_plus", 18, 120),
        ("65 y más", 65, 120), ("من 18 إلى 25 سنة", 18, 25), ("أقل من 18", 0, 17), (">35", 35, 120),
    ],
)  # fmt: skip
def test_ages_are_read_as_people_write_them(text: str, low: int, high: int) -> None:
    found = years_in(text)
    assert found is not None
    assert (found.low, found.high) == (low, high)


@given(st.integers(0, 120), st.integers(0, 120), st.sampled_from(["-", " – ", " à ", " to "]))
def test_a_range_is_read_as_it_was_written(low: int, high: int, between: str) -> None:
    found = years_in(f"{low}{between}{high}")
    assert (found is not None) == (low <= high)
    if found:
        assert (found.low, found.high) == (low, high)


def test_words_of_headers_mean_one_thing() -> None:
    """A header that is known exactly is never taken for one that speaks of others."""
    own = vocabulary()
    assert not [header for header in own.headers if own.about_others(header)]


@pytest.mark.parametrize(
    ("header", "texts", "variable"),
    [
        ("Victim's ageYears", ["22", "17", "41"], "age_band"),
        ("AGE_YRS", ["22", "17", "41"], "age_band"),
        ("Âge (années)", ["22", "17", "41"], "age_band"),
        ("¿Cuál es el sexo de la víctima?", ["Mujer", "Hombre"], "gender"),
        ("Nat.", ["Ghana", "Togo"], "citizenship"),
        ("passport_taken", ["yes", "no"], "means_withholds_documents"),
        ("Formes d'exploitation/Travail forcé", ["oui", "non"], "exploitation_forced_labour"),
        ("How was she controlled? (choice=Threats)", ["Checked", "Unchecked"], "means_threats"),
        ("GEN - Age in years", ["22", "17", "41"], "age_band"),
        ("VOT - Threats", ["1", "0"], "means_threats"),
        ("VOT - Status of identification", ["PRESUMED", "IDENTIFIED"], "victim_status"),
        ("Statut de la victime", ["Présumée", "Identifiée"], "victim_status"),
        ("faits.mariage_force", ["oui", "non"], "exploitation_forced_marriage"),
        ("Fecha de inscripción", ["2023-05-01", "2024-05-01"], "year_of_registration"),
        ("Entretien initial - Menaces", ["Oui", "Non"], "means_threats"),
        ("Lien avec le recruteur", ["Famille", "Ami"], "recruiter_family"),
        ("¿Le quitaron el pasaporte?", ["Sí", "No", "No sabe"], "means_withholds_documents"),
        ("¿Recibió albergue?", ["Sí", "No"], "assistance_accommodation"),
        ("Fecha de ingreso al albergue", ["14/03/2022", "21/07/2023"], "year_of_registration"),
        ("البيانات الشخصية/الجنس", ["أنثى", "ذكر"], "gender"),
        ("أشكال الاستغلال/جنسي", ["✓", ""], "exploitation_sexual"),
        ("الخدمات المقدمة/مأوى", ["نعم", "لا"], "assistance_accommodation"),
        ("Menaces envers la famille", ["oui", "non"], "means_threats"),
        ("TIP - Forced labour", ["Yes", "No"], "exploitation_forced_labour"),
        ("VTE - Mendicité forcée", ["1", ""], "labour_begging"),
        ("servitude_domestique", ["oui", "non"], "labour_domestic_work"),
        ("Exploitation / Moyens", ["Menaces", "Dettes"], "means_threats"),
        ("هل صودر جواز سفرها؟", ["نعم", "لا"], "means_withholds_documents"),
        ("Staatsangehörigkeit", ["rumänisch", "bulgarische"], "citizenship"),
        ("Aufnahme am", ["05.04.2021", "17.09.2022"], "year_of_registration"),
        ("Data do atendimento", ["05/04/2021", "17/09/2022"], "year_of_registration"),
    ],
)
def test_a_header_is_read_by_its_roots(header: str, texts: list[str], variable: str) -> None:
    assert variable in suggest(raw_of({header: texts}, 24)).mapping.columns


@pytest.mark.parametrize(
    ("header", "texts", "likely"),
    [
        ("Age when first exploited", ["22", "17", "41"], "age_band"),
        ("Sex of the manager", ["F", "M"], "gender"),
        ("Passport never taken", ["yes", "no"], "means_withholds_documents"),
        ("Home", ["Ghana", "Togo"], "citizenship"),
        ("Edad al momento de los hechos", ["22", "17", "41"], "age_band"),
        ("TRF - Sex", ["F", "M"], "gender"),
        ("Visite de suivi - Menaces", ["Oui", "Non"], "means_threats"),
        ("Shelter", ["X", ""], "assistance_accommodation"),
        ("Medical history", ["yes", "no"], "assistance_medical"),
        ("Mendicité", ["oui", "non"], "labour_begging"),
        ("الخدمات المطلوبة/مأوى", ["نعم", "لا"], "assistance_accommodation"),
        ("Recrutement / Moyens", ["Menaces", "Dettes"], "means_threats"),
        ("Aufnahme der Schwester am", ["05.04.2021", "17.09.2022"], "year_of_registration"),
        ("Son sex", ["F", "M"], "someone other than the person"),
        ("Son nationality", ["Ghana", "Togo"], "someone other than the person"),
        ("Son age", ["8", "12", "19"], "someone other than the person"),
    ],
)
def test_what_a_header_may_mean_is_asked(header: str, texts: list[str], likely: str) -> None:
    found = suggest(raw_of({header: texts, "year": ["2020", "2021"]}, 24))
    assert set(found.mapping.columns) == {"year_of_registration"}
    asked, _rules = found.yaml.split("version: 1")
    assert any(likely in line for line in asked.splitlines() if header in line)


def test_an_organisation_is_no_organ_and_a_marriage_no_husband() -> None:
    texts = ["married", "mariée", "mariage"]
    found = suggest(raw_of({"Organisation unit": ["North", "South"], "civil": [*texts]}, 24))
    assert "organ_removal" not in found.yaml
    assert "recruiter" not in found.yaml


def test_choices_with_columns_of_their_own_are_left_only_where_each_has_one() -> None:
    columns = {
        "exploitation": ["labour", "sexual", "labour sexual", "marriage"],
        "exploitation/labour": ["1", "0", "1", "0"],
        "exploitation/sexual": ["0", "1", "1", "0"],
    }
    assert "used instead" not in suggest(raw_of(columns, 24)).yaml
    columns["exploitation/marriage"] = ["0", "0", "0", "1"]
    assert "used instead" not in suggest(raw_of(columns, 24)).yaml  # nobody reads the last one
    columns["exploitation"] = ["labour", "sexual", "labour sexual", "sexual"]
    del columns["exploitation/marriage"]
    assert "used instead" in suggest(raw_of(columns, 24)).yaml


def test_a_date_of_the_machine_is_not_taken_beside_others() -> None:
    columns = {"date": ["2020-01-05", "2021-01-05"], "closure": ["2022-01-05", "2022-02-05"]}
    assert not suggest(raw_of(columns, 24)).mapping.columns
    same = {"date": ["2020-01-05", "2021-01-05"], "closure": ["2020-03-05", "2021-02-05"]}
    assert set(suggest(raw_of(same, 24)).mapping.columns) == {"year_of_registration"}


def test_dates_and_ages_are_read_as_far_as_they_are_certain() -> None:
    columns = {
        "Date d'entrée": ["22/09/21", "03/2019", "vers mars 2020", "vers déc. 2020", "2020"],
        "Age": ["env. 16 ans", "env. 17 ans", "15-17", "adulte", "22"],
    }
    found = suggest(raw_of(columns, 25)).mapping
    assert found.dates.century == 2000
    assert found.columns["year_of_registration"][0].map == {"vers mars 2020": "2020"}
    ages = {"env. 16 ans": "9-17", "15-17": "9-17", "adulte": None, "env. 17 ans": None}
    assert found.columns["age_band"][0].map == ages
    for texts in (["22/09/64", "01/01/2020"], ["21-03-19", "2019-01-05", "2021-04-02"]):
        assert suggest(raw_of({"Date d'entrée": texts}, 24)).mapping.dates.century is None


@pytest.mark.parametrize(
    ("dates", "read"),
    [
        (["14/01/2019", "2019-06-03", "2020", "22/09/21"], True),
        (["14.01.2019", "2019-06-03", "2020", "22.09.21"], True),
        (["14/01/2019", "2019-06-03", "2020", "21-09-22"], False),
        (["2018", "2019-06-03", "2020", "21/09/22"], False),
        (["2019-06-03", "2020-01-31", "2021-01-31", "21-09-22"], False),
        (["2019/06/03", "14/01/2019", "2020", "21/09/22"], False),
    ],
)
def test_dates_of_the_same_sign_say_where_two_digits_are_the_year(
    dates: list[str], read: bool
) -> None:
    found = suggest(raw_of({"sexe": ["F", "H"], "Date d'entrée": dates}, 24))
    assert ("century: 2000" in found.yaml) == read
    assert f"no year for certain: {dates[-1]}" in found.yaml or read


@pytest.mark.parametrize(("other", "read"), [("2019.06.03", False), ("14-06-2019", True)])
def test_dates_of_one_sign_do_not_say_what_those_of_another_are(other: str, read: bool) -> None:
    """Strokes say nothing of dashes, of which none is written out beside a date of points."""
    dates: list[str | None] = ["14/01/2019", "22/09/21", other, "22-09-21"]
    found = suggest(raw_of({"sexe": ["F", "H"], "Date d'entrée": dates}, 24))
    assert found.mapping.dates.century == (2000 if read else None)


COUNTS: dict[str, list[str | None]] = {
    "Année": ["2021", "2022"], "Nationalité": ["Mali", "Togo"], "Femmes": ["3", "12"],
    "Hommes": ["0", "4"],
}  # fmt: skip


def test_a_table_of_counts_is_said_to_be_one_and_no_row_is_a_person() -> None:
    found = suggest(raw_of(COUNTS, 12))
    assert "This looks like a table of counts: Femmes, Hommes count people" in found.yaml.replace(
        "\n# ", " "
    )
    assert found.mapping.rows == "report"
    assert "rows: report  # the cells hold counts; people are counted only with" in found.yaml
    assert found.mapping.key_columns() is None


@pytest.mark.parametrize(
    "columns",
    [
        {**COUNTS, "Age group": ["0-8", "9-17"]},
        {**COUNTS, "Tranche d'âge": ["mineur", "adulte"]},
        {**COUNTS, "Femmes": ["1,204", "0"], "Hommes": ["2\u202f310", "1’000"]},
        {"Année": COUNTS["Année"], "Male victims": ["3", "1"], "Female victims": ["5", "0"],
         "Total victims": ["8", "1"]},
        {"السنة": COUNTS["Année"], "ضحايا إناث": ["٣", "12"], "ضحايا ذكور": ["0", "4"]},
    ],
)  # fmt: skip
def test_counts_by_bands_of_age_of_thousands_and_of_victims_are_counts(
    columns: dict[str, list[str | None]],
) -> None:
    found = suggest(raw_of(columns, 12))
    assert "This looks like a table of counts" in found.yaml
    assert found.mapping.rows == "report"


@pytest.mark.parametrize(
    "columns",
    [
        {**COUNTS, "Femmes": ["1", "0"], "Hommes": ["0", "1"]},
        {**COUNTS, "Femmes": ["1", "2"], "Hommes": ["2", "1"]},
        {**COUNTS, "Femmes": ["1", "0", "2"], "Hommes": ["01", "0", "99"]},
        {**COUNTS, "Femmes": ["1.5", "12"], "Hommes": ["3", "4"]},
        {**COUNTS, "Sexe": ["F", "H"]},
        {**COUNTS, "Âge": ["19", "43", "27", "31"]},
        {k: v for k, v in COUNTS.items() if k != "Hommes"},
        {**COUNTS, "Hommes": ["x", ""]},
    ],
)
def test_columns_for_each_answer_and_people_with_relatives_are_no_counts(
    columns: dict[str, list[str | None]],
) -> None:
    assert "table of counts" not in suggest(raw_of(columns, 12)).yaml


def test_a_comma_inside_a_label_is_no_end_of_it() -> None:
    """Check boxes write labels with a comma between, whatever stands in them."""
    sexual, work = "Explotación sexual (prostitución, pornografía)", "Trabajo forzado (campo, obra)"
    cells = [sexual, work, f"{sexual}, {work}", f"{work}, Otra cosa (a, b)"]
    raw = raw_of({"Tipo de explotación (marque todas)": cells, "Año": ["2020"]}, 24)
    found = suggest(raw)
    done = harmonise(raw, found.mapping, "c", (2002, 2025), bytes(32)).records
    assert done["exploitation_sexual"].to_pylist()[:4] == ["yes", None, "yes", None]
    assert done["exploitation_forced_labour"].to_pylist()[:4] == [None, "yes", "yes", None]
    assert "sex_pornography" not in found.mapping.columns, "an example is not said of each"
    assert "no yes/no variable for: Otra cosa (a, b) (rows: 6)" in found.yaml


def test_choices_that_only_stand_side_by_side_may_be_one_label() -> None:
    cells = ["Agriculture, pêche", "Agriculture, pêche, Construction", "Construction"]
    found = suggest(raw_of({"Secteur": cells}, 24))
    assert "no yes/no variable for: Agriculture, pêche (rows: 16)" in found.yaml
    assert {"labour_agriculture", "labour_aquafarming"}.isdisjoint(found.mapping.columns)
    apart = suggest(raw_of({"Secteur": [*cells, "Agriculture"]}, 24)).mapping.columns
    assert {"labour_agriculture", "labour_aquafarming"} <= apart.keys()


def test_lists_with_a_choice_a_line_are_taken_apart() -> None:
    columns: dict[str, list[str | None]] = {
        "Types d'exploitation": ["Exploitation sexuelle\nMendicité forcée", "Travail forcé"],
        "Nationalité(s)": ["Guinéenne\nMalienne", "Nigériane"],
    }
    raw = raw_of(columns, 24)
    done = harmonise(raw, suggest(raw).mapping, "c", (2002, 2025), bytes(32)).records
    assert done["labour_begging"].to_pylist()[:2] == ["yes", None]
    assert done["exploitation_sexual"].to_pylist()[:2] == ["yes", None]
    assert done["citizenship"].to_pylist()[:2] == ["GIN", "NGA"]


def test_a_victim_who_was_deceived_is_a_victim() -> None:
    own = vocabulary()
    assert not own.is_nobody("¿Qué medios usaron?", "Engaño o promesas falsas", False)
    assert own.is_nobody("Tipo de chamada", "Ligação por engano", False)


def test_a_country_where_it_happened_is_that_of_exploitation() -> None:
    found = suggest(raw_of({"País donde ocurrió la explotación": ["Perú", "Chile", "Ecuador"]}, 30))
    assert [*found.mapping.columns] == ["country_of_exploitation"]


def test_a_passport_that_was_kept_is_no_number() -> None:
    found = suggest(raw_of({"Passport kept": ["Y", "N", "?"]}, 30))
    assert [*found.mapping.columns] == ["means_withholds_documents"]
    found = suggest(raw_of({"Passport": ["Y", "N", "AB123456"]}, 30))
    assert [*found.mapping.identifiers] == ["Passport"]


def test_what_was_before_the_arrival_is_about_the_person() -> None:
    columns = {"Situation before arrival/Country where exploited": ["UK", "Libya", "Italy"]}
    assert [*suggest(raw_of(columns, 30)).mapping.columns] == ["country_of_exploitation"]
    for other in (
        "Mother before arrival/Age",
        "Situation before arrival/Age of mother",
        "Before/Age",
    ):
        assert vocabulary().about_others(other)
