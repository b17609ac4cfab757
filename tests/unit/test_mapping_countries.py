"""Country names: every name in four languages, aliases, withdrawn codes, and no row multiplied."""

from __future__ import annotations

import pyarrow as pa
import pytest
from babel import Locale

from ctdhub.core.i18n import LANGUAGES
from ctdhub.schema.countries import ALPHA3, ALPHA3_TO_ALPHA2, m49, resolve
from ctdhub.sensitive.mapping.evaluation import Reader, Taken, TextColumn, TextTable
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.transform import Transformed


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_country_in_every_language(lang: str):
    names = Locale(lang).territories
    wrong = [c for c in ALPHA3 if resolve(names[ALPHA3_TO_ALPHA2[c]]).alpha3 != c]
    upper = [
        c for c in ALPHA3 if resolve(f" {names[ALPHA3_TO_ALPHA2[c]].upper()}\u00a0").alpha3 != c
    ]
    assert wrong == upper == []


NOT_SMALL = {"na", "no", "si", "nr", "nc", "sd", "ni"}


def test_every_code():
    for code in ALPHA3:
        assert resolve(code).alpha3 == code
        small = ALPHA3_TO_ALPHA2[code].lower()
        assert resolve(small).alpha3 == (None if small in NOT_SMALL else code)
        assert resolve(m49(code)).alpha3 == code
        short = str(int(m49(code)))  # may be a contributor's own numbering
        assert resolve(short).alpha3 == (code if len(short) == 3 else None)


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("CIV", "Côte d’Ivoire|Côte dʼIvoire|Cote d`Ivoire|COTE D'IVOIRE|Ivory Coast|كوت ديفوار"),
        ("COD", "RDC|DRC|Congo-Kinshasa|Congo, The Democratic Republic of the|Zaire|ZR"),
        ("COG", "Congo-Brazzaville|Republic of the Congo"),
        ("GBR", "UK|U.K.|Great Britain|Royaume-Uni|Reino Unido"),
        ("USA", "USA|U.S.A.|EE.UU.|EE. UU.|États-Unis|Etats Unis|Estados Unidos"),
        ("MMR", "Burma|Birmanie|Myanmar"),
        ("SWZ", "Swaziland|Eswatini"),
        ("CPV", "Cape Verde|Cabo Verde"),
        ("NLD", "Holland|The Netherlands|Pays-Bas"),
        ("TUR", "Turkey|Türkiye|Turquía"),
        ("CZE", "Czechia|Czech Republic"),
        ("PSE", "Palestine|State of Palestine|فلسطين"),
        ("PER", "Peru|Perú|Pérou"),
        ("TLS", "TP|East Timor"),
        ("MNE", "Y2|Montenegro"),
        ("NAM", "NA| NA |Namibia|namibie"),
        ("GMB", "The Gambia|la Gambie"),
        ("KNA", "St. Kitts & Nevis|Saint Kitts and Nevis"),
        ("JOR", "الأردن|الاردن|الأُرْدُنّ|الأردــن"),
        ("RUS", "RU|Russia"),
    ],
)
def test_aliases(code: str, texts: str):
    assert {text: resolve(text).alpha3 for text in texts.split("|")} == dict.fromkeys(
        texts.split("|"), code
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [("Kosovo", "SRB"), ("Y1", "SRB"), ("Tibet", "CHN"), ("TB", "CHN"), ("Congo", "COG")],
)
def test_lossy_arrows_say_so(text: str, code: str):
    assert (resolve(text).alpha3, resolve(text).lossy) == (code, True)


@pytest.mark.parametrize(
    "text",
    ["AN", "YU", "CS", "SU", "Y3", "Yugoslavia", "R.U.", "Virgin Islands", "Kongo", "Korea"],
)
def test_several_successors_are_never_guessed(text: str):
    assert resolve(text).alpha3 is None
    assert resolve(text).several


@pytest.mark.parametrize(
    ("text", "near"), [("Moroco", "MAR"), ("Ukrayne", "UKR"), ("Allemange", "DEU")]
)
def test_unknown_names_have_a_nearest(text: str, near: str):
    assert (resolve(text).alpha3, resolve(text).nearest) == (None, near)


@pytest.mark.parametrize("text", ["", "0", "00", "ZZ", "-99", "qqqqqqqq", "x" * 5000])
def test_texts_that_are_like_nothing(text: str):
    assert resolve(text).alpha3 is None
    assert resolve(text).nearest is None


def test_two_names_for_one_code_never_multiply_rows():
    texts = ["CI", "CIV", "Ivory Coast", "Côte d'Ivoire", None, "nowhere"] * 1000
    table = pa.table({"c": pa.array(texts), "_row": pa.array(range(len(texts)), pa.int64())})
    rule = {"from": "c", "country": True, "unknown": "null"}
    mapping = Mapping.model_validate({"version": 1, "columns": {"citizenship": rule}})
    seen = Transformed(mapping, TextTable(table), (2002, 2025)).values
    assert seen["_row"].to_pylist() == table["_row"].to_pylist()
    assert seen["citizenship"].to_pylist() == ["CIV", "CIV", "CIV", "CIV", None, None] * 1000


@pytest.mark.parametrize(
    "text",
    [
        "N/A",
        "n/a",
        "#N/A",
        "n.a.",
        "na",
        "Na",
        "No",
        "no",
        "Si",
        "n.r.",
        "unk",
        "UNK",
        "S.A.",
        "Lasudan",
        "Leoman",
        "4",
        "12",
        "Roman",
        "Leone",
    ],
)
def test_what_is_no_country_is_never_taken_for_one(text: str):
    assert resolve(text).alpha3 is None


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        ("NER", "Niger|NER|النيجر"),
        ("NGA", "Nigeria|Nigéria|نيجيريا"),
        ("GIN", "Guinea|Guinée|Guinea Conakry"),
        ("GNB", "Guinea-Bissau|Guinée-Bissau"),
        ("GNQ", "Equatorial Guinea|Guinée équatoriale|Guinea Ecuatorial"),
        ("PNG", "Papua New Guinea|Papouasie-Nouvelle-Guinée"),
        ("DMA", "Dominica|Dominique"),
        ("DOM", "Dominican Republic|République dominicaine|República Dominicana"),
        ("PRK", "North Korea|DPRK|Korea, Dem. Rep."),
        ("KOR", "South Korea|Korea, Rep.|Korea, Republic of|Republic of Korea"),
        ("SDN", "Sudan|Soudan|السودان"),
        ("SSD", "South Sudan|S. Sudan|Soudan du Sud|جنوب السودان"),
        ("IRL", "Ireland|Irlande"),
        ("GBR", "Northern Ireland|U. K."),
        ("WSM", "Samoa"),
        ("ASM", "American Samoa"),
        ("MAF", "Saint Martin"),
        ("SXM", "Sint Maarten"),
        ("OMN", "Oman|L’Oman"),
        ("ROU", "Romania|Roumanie"),
        ("GUF", "Guyane|French Guiana"),
        ("GUY", "Guyana"),
        ("ARE", "U.A.E.|UAE"),
        ("NOR", "NO"),
        ("SRB", "Serbia"),
    ],
)
def test_names_that_are_alike_are_told_apart(code: str, texts: str):
    assert {resolve(text).alpha3 for text in texts.split("|")} == {code}


def test_capitals_count_in_a_column_of_countries():
    column = TextColumn(["NA", "na; CI", "NA; CI", " \u200fCI"])
    pieces = column.taken(Taken(frozenset({""}), frozenset(), ";", "first")).tolist()
    read = [column.read(Reader("country"), piece) for piece in pieces[:-1]]
    assert read == ["NAM", None, "NAM", "CIV"]
