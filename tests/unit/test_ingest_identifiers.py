"""Direct identifiers are found by name and by content; coded columns raise no alarm."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ctdhub.core.i18n import Text, said
from ctdhub.sensitive.ingest.identifiers import (
    PHRASES,
    PLACE,
    IdentifierFinding,
    find_identifiers,
    kind_of,
    words,
)
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.raw import RawTable, read_table
from ctdhub.sensitive.ingest.rejects import reject_table

DATA = Path(__file__).resolve().parents[2] / "../shared/data"


def raw(**columns: list[str | None]) -> RawTable:
    n = len(next(iter(columns.values())))
    named = {name: pa.array(cells, pa.string()) for name, cells in columns.items()}
    table = pa.table(named | {"_row": pa.array(range(2, n + 2), pa.int64())})
    return RawTable("a.csv", "0" * 64, table, reject_table("a.csv", []), n)


def kinds(**columns: list[str | None]) -> dict[str, str]:
    return {found.column: found.kind for found in find_identifiers(raw(**columns))}


def letters(rng: random.Random, n: int) -> str:
    return "".join(rng.choice("abcdefghij") for _n in range(n))


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("prs_FirstName", "name"), ("prs_SecondName", "name"), ("cas_CaseOwner", "name"),
        ("Nom de famille", "name"), ("Prénom", "name"), ("Apellidos", "name"), ("الاسم", "name"),
        ("Nachname", "name"), ("client name", "name"), ("prs_HomePhone", "telephone"),
        ("prs_MobilePhone", "telephone"), ("Teléfono", "telephone"), ("Tél.", "telephone"),
        ("رقم الهاتف", "telephone"), ("Handynummer", "telephone"), ("prs_Email", "email"),
        ("Courriel", "email"), ("prs_IdentityNumber", "document_number"),
        ("passport_no", "document_number"), ("Pasaporte", "document_number"),
        ("جواز السفر", "document_number"), ("Case Number", "case_number"), ("_uuid", "case_number"),
        ("_id", "case_number"), ("nro_registro_interno", "case_number"),
        ("N° dossier", "case_number"), ("رقم الملف", "case_number"),
        ("prs_Birthdate", "birth_date"), ("Date de naissance", "birth_date"), ("DOB", "birth_date"),
        ("fecha_nacimiento", "birth_date"), ("تاريخ الميلاد", "birth_date"),
        ("Observaciones", "free_text"), ("case notes", "free_text"), ("ملاحظات", "free_text"),
        ("org_Name", None), ("Country name", None), ("Nom du pays", None), ("gender", None),
        ("yearOfRegistration", None), ("citizenship", None), ("provincia_indec_id", None),
        ("meansOfControlWithholdsDocuments", None), ("isAbduction", None), ("age", None),
    ],
)  # fmt: skip
def test_words_of_column_names(header: str, kind: str | None) -> None:
    assert kind_of(header) == kind


def test_every_phrase_can_be_found() -> None:
    for phrase in (*PLACE, *(p for phrases in PHRASES.values() for p in phrases)):
        assert " ".join(words(phrase)) == phrase


def test_content_gives_identifiers_away_whatever_the_column_is_called() -> None:
    rng = random.Random(3)
    n = 60
    found = kinds(
        a=[f"+39 {rng.randint(300, 399)} {rng.randint(10**6, 10**7 - 1)}" for _n in range(n)],
        b=[None] * (n - 1) + [f"{letters(rng, 6)}@example.org"],
        c=[f"{letters(rng, 2).upper()}{rng.randint(10**6, 10**7 - 1)}" for _n in range(n)],
        d=[f"IOM-{rng.randint(2015, 2024)}-{k:05d}" for k in range(n)],
        e=[f"{letters(rng, 5).title()} {letters(rng, 7).title()}" for _n in range(n)],
        f=[" ".join(letters(rng, rng.randint(2, 8)) for _w in range(9)) for _n in range(n)],
        g=[f"{rng.getrandbits(128):032x}" for _n in range(n)],
    )
    assert found == {
        "a": "telephone", "b": "email", "c": "document_number", "d": "case_number", "e": "name",
        "f": "free_text", "g": "case_number",
    }  # fmt: skip


def test_birth_columns_are_findings_only_with_exact_dates() -> None:
    assert kinds(dob=["1990-02-03", "03.02.1990", None]) == {"dob": "birth_date"}
    assert kinds(birth_year=["1990", "1991"], country_of_birth=["UKR", "MDA"]) == {}


def test_coded_columns_raise_no_alarm() -> None:
    rng = random.Random(5)
    n = 3000
    labels = ["Debt bondage", "Threats to individual or others", "Psychological abuse"]
    long = [f"Activities of households as employers and producers, group {k}" for k in range(21)]
    months = [f"{rng.randint(2002, 2023)}-{rng.randint(1, 12):02d}" for _n in range(n)]
    assert (
        kinds(
            age=[str(rng.randint(0, 90)) for _n in range(n)],
            year=[str(rng.randint(2002, 2023)) for _n in range(n)],
            citizenship=[rng.choice(["UKR", "MDA", "CIV", "00"]) for _n in range(n)],
            country=[rng.choice(["Sierra Leone", "United Kingdom", "Peru"]) for _n in range(n)],
            flag=[rng.choice(["-99", "0", "1", None]) for _n in range(n)],
            means=["; ".join(rng.sample(labels, rng.randint(1, 3))) for _n in range(n)],
            industry=[rng.choice(long) for _n in range(n)],
            referral_date=[f"{m}-{rng.randint(1, 28):02d}" for m in months],
            submitted=[f"{m}-01T08:{rng.randint(0, 59):02d}:{k % 60:02d}.{k:03d}Z"
                       for k, m in enumerate(months)],
            packed=[m.replace("-", "") + f"{rng.randint(1, 28):02d}" for m in months],
            time=[f"{rng.randint(0, 23):02d}:{rng.randint(0, 59):02d}" for _n in range(n)],
            weight=[f"{rng.random():.9f}" for _n in range(n)],
            total=[str(rng.randint(0, 900)) for _n in range(n)],
            change=[f"{rng.uniform(-90, 90):.2f}%" for _n in range(n)],
            has_passport=[rng.choice(["yes", "no"]) for _n in range(n)],
            phone_confiscated=[rng.choice(["0", "1", "-99"]) for _n in range(n)],
            description=[rng.choice(long) for _n in range(n)],
            empty=[None] * n,
            first_name=[None] * n,
        )
        == {}
    )  # fmt: skip


def test_a_finding_never_carries_a_value() -> None:
    secret = "zqxjk"
    table = raw(
        email=[f"{secret}@example.org"],
        name=[secret],
        phone=[f"+1 555 {secret}"],
        notes=[f"{secret} " * 9],
    )
    found = find_identifiers(table)
    assert len(found) == 4
    assert secret not in repr(found)
    assert all(said(f.reason).endswith(".") and 0 < f.share <= 1 for f in found)


def test_shares_are_shares_of_filled_cells() -> None:
    found = find_identifiers(raw(x=["a@example.org", None, None, "b"]))
    assert [f.share for f in found] == [0.5]
    with pytest.raises(ValueError, match="share"):
        IdentifierFinding("x", "email", 1.5, Text(""))


def test_findings_do_not_depend_on_chunks_and_repeat() -> None:
    rng = random.Random(8)
    whole = raw(x=[f"K{rng.randrange(10**9)}" for _n in range(5000)], y=[None, "1"] * 2500)
    pieces = pa.concat_tables([whole.table.slice(0, 77), whole.table.slice(77)])
    again = RawTable("a.csv", "0" * 64, pieces, whole.rejects, 5000)
    assert find_identifiers(whole) == find_identifiers(again) != ()


def test_a_wide_coded_file_raises_no_alarm() -> None:
    rng = np.random.default_rng(1)
    n = 200_000
    codes = pa.array(["-99", "0", "1", "UKR", "Debt bondage;Threats", None])
    columns = {f"c{j}": codes.take(pa.array(rng.integers(0, 6, n))) for j in range(63)} | {
        "_row": pa.array(np.arange(2, n + 2))
    }
    table = RawTable("a.csv", "0" * 64, pa.table(columns), reject_table("a.csv", []), n)
    assert find_identifiers(table) == ()


def test_public_files_of_the_field() -> None:
    linea = DATA / "linea145/rescate-denuncias-202001-202112.csv"
    referrals = DATA / "uk_nrm/2014_referrals_all.csv"
    if not (linea.exists() and referrals.exists()):
        pytest.skip("the public data sets linea145 and uk_nrm are not on this machine")
    found = find_identifiers(read_table(linea))
    assert [(f.column, f.kind) for f in found] == [("nro_registro_interno", "case_number")]
    assert find_identifiers(read_table(referrals)) == ()


def test_practice_people_of_febrl() -> None:
    path = DATA / "febrl4/febrl4a.csv"
    if not path.exists():
        pytest.skip("the public data set febrl4 is not on this machine")
    found = {f.column: f.kind for f in find_identifiers(read_table(path, ReadOptions()))}
    assert found.items() >= {
        "rec_id": "case_number", "given_name": "name", "surname": "name",
        "date_of_birth": "birth_date", "soc_sec_id": "document_number", "address_1": "free_text",
    }.items()  # fmt: skip
    assert "state" not in found


ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@pytest.mark.parametrize("n", [6, 40])
def test_identifiers_under_an_innocent_name_are_found_in_small_files_too(n: int) -> None:
    rng = random.Random(n)

    def digits(k: int) -> str:
        return str(rng.randint(10 ** (k - 1), 10**k - 1))

    def arabic(k: int) -> str:
        return "".join(rng.choice("ابتثجحخدذرزسشصضطظعغفقكلمنهوي") for _n in range(k))

    found = kinds(
        ref=[f"{letters(rng, 5)} {letters(rng, 7)}" for _n in range(n)],
        مرجع=[f"{arabic(5)} {arabic(6)}" for _n in range(n)],
        code=[f"{letters(rng, 7).title()}, {letters(rng, 5).title()}" for _n in range(n)],
        line=[f"07{digits(8)}".translate(ARABIC_DIGITS) for _n in range(n)],
        desk=[None] * (n - 1) + ["reached at +225 07 08 09 10 11 in the evening"],
        insee=[f"{digits(1)} {digits(2)} {digits(2)} {digits(5)} {digits(3)}" for _n in range(n)],
    )
    assert found == {
        "ref": "name", "مرجع": "name", "code": "name", "line": "telephone", "desk": "telephone",
        "insee": "document_number",
    }  # fmt: skip


def test_a_birth_date_in_three_columns_is_still_one() -> None:
    found = kinds(birth_day=["3", "28"], birth_month=["2", "May"], birth_year=["1990", "1991"])
    assert found == {"birth_day": "birth_date", "birth_month": "birth_date"}
    assert kinds(day=["3", "28"], birth_year=["1990", "1991"]) == {}


def test_single_words_that_hardly_repeat_are_names_unless_the_column_is_a_country() -> None:
    rng = random.Random(2)
    made = [letters(rng, 6).title() for _n in range(40)]
    assert kinds(x=made, country=made) == {"x": "name"}


def test_a_list_of_several_choices_is_none_in_a_file_of_few_rows_either() -> None:
    rng = random.Random(7)
    terms = [f"{letters(rng, 8)} {letters(rng, 9)} {letters(rng, 6)}" for _n in range(15)]
    lists = [";".join(rng.sample(terms, 3)) for _n in range(41)]
    notes = [
        ";".join(f"{letters(rng, 9)} {letters(rng, 7)} a" for _m in range(3)) for _n in range(41)
    ]
    assert kinds(means=lists, seen=notes) == {"seen": "free_text"}


def test_a_piece_of_its_own_among_pieces_that_repeat_is_no_choice() -> None:
    """Notes that name somebody between words that all of them have are no list of choices."""
    notes = [f"vu;rappeler;RAS;suivi;oui;Mme Zoltane{n} du quartier nord" for n in range(60)]
    choices = [
        ["logement;soins", "soins;papiers", "logement;papiers;autre"][n % 3] for n in range(60)
    ]
    table = {"Notes": notes, "Commentaires": [f"{c} à faire" for c in choices], "kinds": choices}
    names = [found.column for found in find_identifiers(raw(**table))]
    assert "Notes" in names
    assert "kinds" not in names
