"""Tokens at the contributor: spellings meet, names stay, nothing is learnt without the key."""

from __future__ import annotations

import csv
import itertools
from collections import Counter
from pathlib import Path

import openpyxl
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ctdhub.core.errors import FileError, HubError
from ctdhub.practice.naming import write_names
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.linkage.pprl.columns import plan, propose
from ctdhub.sensitive.linkage.pprl.derive import (
    CHECK,
    EACH,
    JOINING,
    LENGTH,
    QUALITY,
    AgeAt,
    Identity,
    Tokeniser,
    composite_keys,
    read_birth,
)
from ctdhub.sensitive.linkage.pprl.names import parts, romanised, skeleton
from ctdhub.sensitive.linkage.pprl.tokenise import tokenise
from ctdhub.sensitive.mapping.identifiers import FORM
from ctdhub.sensitive.mapping.mapping_file import parse_mapping

KEY = bytes(range(32))
MAKER = Tokeniser(KEY, "2026.1")

# Ordinary words and given names as dictionaries spell them; no pair of them is anybody's name.
SPELLINGS = [
    ("Mohammed", "Мохаммед", "محمد", "Muhamad"),
    ("Khadija", "Хадиджа", "خديجة", "Hadidja"),
    ("Yusuf", "Юсуф", "يوسف", "Youssouf"),
    ("Viktor", "Виктор", "Βίκτωρ", "Victor"),
    ("Nikolaos", "Николаос", "Νικόλαος", "Nicolaos"),
    ("Irina", "Ирина", "Ιρίνα", "Iryna"),
    ("Omar", "Омар", "عمر", "Omar"),
    ("Schmidt", "Шмидт", "Σμιτ", "Shmitt"),
    ("Müller", "Мюллер", "Μύλλερ", "Mueller"),
]


@pytest.mark.parametrize("spellings", SPELLINGS, ids=lambda s: s[0])
def test_scripts_meet_in_one_skeleton(spellings: tuple[str, ...]) -> None:
    found = {skeleton(parts(name)[0]) for name in spellings if name != "Σμιτ"}
    assert len(found) == 1


def test_different_names_stay_different() -> None:
    words = [
        "amina",
        "viktor",
        "joseph",
        "fatou",
        "ling",
        "marta",
        "oleg",
        "ruth",
        "peter",
        "diana",
    ]
    assert len({skeleton(word) for word in words}) == len(words)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Identity("Zoé", "N’Diaye", "1990-05-03"), Identity("NDIAYE", "zoe", "03/05/1990")),
        (
            Identity("Abdul Rahman", "El-Haddad", "7.8.1985"),
            Identity("Abdulrahman", "Haddad", "1985-8-7"),
        ),
        (Identity("عبد الرحمن", "الحداد", "٧/٨/١٩٨٥"), Identity("عبدالرحمن", "حداد", "1985-08-07")),
        (Identity("Anna", "de la Cruz", "2001-02-12"), Identity("ANNA", "Cruz", "2001-12-02")),
        (
            Identity(" Anna\u00a0", "Cruz\u200f", "12 février 2001"),
            Identity("Anna", "Cruz", "12/2/2001"),
        ),
    ],
)  # fmt: skip
def test_one_person_gets_one_token(one: Identity, other: Identity) -> None:
    assert MAKER.tokens(one)[0] == MAKER.tokens(other)[0] != ""


def test_half_of_a_compound_name_still_agrees_on_a_key() -> None:
    whole = set(MAKER.tokens(Identity("María José", "García López", "1990-05-03"))[1])
    half = set(MAKER.tokens(Identity("José", "López", "1990-05-03"))[1])
    assert {token[0] for token in whole & half} >= {"b", "f"}


def test_a_slip_spoils_some_keys_and_leaves_others() -> None:
    right, slip, unheard = (
        set(MAKER.tokens(Identity(given_, "Gómez", "1990-05-03", "Lima"))[1])
        for given_ in ("Marta", "Mabta", "Zarta")
    )
    assert {token[0] for token in right & slip} >= {"f", "g", "m"}, "the list puts Marta right"
    assert "b" not in {token[0] for token in right & slip}
    assert {"f", "g"} <= {token[0] for token in right & unheard} < set("fgjklmhop")
    assert "m" not in {token[0] for token in right & unheard}


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "31/31/1990",
        "5/3/90",
        "in spring",
        "0001-01-01",
        "3000-01-01",
        "2/30/1990",
    ],
)
def test_dates_that_are_not_certain_are_not_read(cell: str) -> None:
    assert read_birth(cell) is None


def test_the_first_of_january_is_an_unknown_day() -> None:
    birth = read_birth("01/01/1990")
    assert birth is not None
    assert (birth.year, birth.day, birth.full) == (1990, None, "")
    assert MAKER.tokens(Identity("Marta", "Cruz", "01/01/1990"))[0] == ""


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=20), st.text(max_size=20))
def test_any_text_gives_only_keyed_tokens(given_: str, family: str, birth: str, place: str) -> None:
    person = Identity(given_, family, birth, place)
    first, tokens = MAKER.tokens(person)
    assert all(FORM.fullmatch(t) and len(t) == LENGTH + 2 and t[0] in EACH for t in tokens)
    assert first in ("", *tokens)
    turned = set(MAKER.tokens(Identity(family, given_, birth, place))[1])
    plain = {token for token in tokens if token[0] not in "jklmnopr"}
    assert {token for token in turned if token[0] not in "jklmnopr"} == plain
    filled = MAKER.filled(tokens, "a row")
    assert Counter(token[0] for token in filled) == EACH
    assert set(tokens) <= set(filled)
    assert filled == tuple(sorted(filled)), "the order tells nothing"


@settings(max_examples=200, deadline=None)
@example("🄐")
@given(st.text(max_size=40))
def test_romanising_twice_changes_nothing(text: str) -> None:
    once = romanised(text)
    assert romanised(once) == once
    assert once == " ".join(once.split())


# What somebody can learn who holds everything but the key.


def _population(folder: Path, people: int) -> list[Identity]:
    with write_names(folder, people, seed=3, known=1.0)["harbour"].open(encoding="utf-8") as file:
        return [
            Identity(r["given_name"], r["family_name"], r["birth_date"], r["town"])
            for r in csv.DictReader(file)
        ]


def test_a_dictionary_is_worth_nothing_without_the_key_and_everything_with_it(
    tmp_path: Path,
) -> None:
    """The attacker has the software, the release, every person's names, and the file that left."""
    people = _population(tmp_path, 400)
    left = {token for person in people for token in MAKER.tokens(person)[1]}

    def hits(maker: Tokeniser) -> int:
        return sum(token in left for person in people for token in maker.tokens(person)[1])

    guesses = [bytes(32), b"k" * 32, KEY[::-1], KEY[:31] + b"\0", bytes(b ^ 1 for b in KEY)]
    assert [hits(Tokeniser(guess, "2026.1")) for guess in guesses] == [0] * len(guesses)
    assert hits(Tokeniser(KEY, "2026.2")) == 0, "tokens of two releases must not agree"
    everything = sum(len(MAKER.tokens(person)[1]) for person in people)
    assert hits(MAKER) == everything, "with the key every token is found: the attack works"


def test_no_two_kinds_share_a_key() -> None:
    """A text keyed under one kind says nothing under another, but for the kinds that join."""
    codes = {kind: MAKER._token(kind, "the same text")[2:] for kind in EACH}
    assert len({codes[kind] for kind in JOINING}) == 1
    assert len(set(codes.values())) == len(EACH) - len(JOINING) + 1


def test_what_frequencies_tell(tmp_path: Path) -> None:
    """Composite keys hardly repeat: counting tokens points at almost nobody.

    The attacker has the list of everybody in the town the file was drawn from (the file is one half
    of it) and, for each kind, takes the most frequent token for the most frequent key, and so on.
    """
    town = _population(tmp_path, 3_000)
    inside = town[::2]
    right = rows = 0
    for kind in EACH:
        plain = Counter(text for p in town for k, text in composite_keys(p) if k == kind)
        truth = {MAKER._token(kind, text): text for text in plain}
        seen = Counter(t for p in inside for t in MAKER.tokens(p)[1] if t[0] == kind)
        guessed = zip(seen.most_common(), plain.most_common(), strict=False)
        right += sum(truth[token] == text for (token, _n), (text, _m) in guessed)
        rows += len(seen)
    assert right / rows < 0.002, f"{right} of {rows} tokens guessed by their frequency"
    names = Counter(text for p in town for text in parts(p.family))
    keyed = Counter(text for p in inside for text in parts(p.family))
    alone = sum(
        a == b
        for (a, _n), (b, _m) in zip(keyed.most_common(20), names.most_common(20), strict=True)
    )
    assert alone >= 3, "a token of a name alone would be guessed: that is why there is none"


# Files.

ROWS = [
    ["Case No", "First name", "Surname", "DOB", "Sex", "Town", "Phone", "Notes", "Type", "Intake"],
    ["K-0001", "Marta", "Cruz", "1990-05-03", "F", "Lima", "+51 1 555 0101",
     "She left the house at night", "labour", "2020-05-02"],
    ["K-0002", "Oleg", "Zorin", "2001-12-24", "M", "Perm", "+51 1 555 0102",
     "He was met at the border", "sexual", "2020-12-24"],
    ["K-0003", "", "", "", "F", "", "", "", "labour", "2021-01-01"],
]  # fmt: skip


def _csv(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(rows)
    return path


def _xlsx(path: Path, rows: list[list[str]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


@pytest.mark.parametrize("form", [".csv", ".parquet"])
@pytest.mark.parametrize("write", [_csv, _xlsx], ids=["csv", "xlsx"])
def test_identifiers_never_leave(tmp_path: Path, write, form: str) -> None:  # type: ignore[no-untyped-def]
    raw = read_table(write(tmp_path / f"in{'.csv' if write is _csv else '.xlsx'}", ROWS))
    roles = propose(raw)
    assert roles == {
        "given": "First name", "family": "Surname", "birth": "DOB", "sex": "Sex", "place": "Town",
        "case": "Case No",
    }  # fmt: skip
    out = tmp_path / f"out{form}"
    what = plan(raw, roles, keep=["Sex", "Type", "Intake"])
    made = tokenise(raw, what, MAKER, out, AgeAt("Intake"))
    assert (made.rows, made.without_token, made.without_any, made.births_unread) == (3, 1, 1, 0)
    table = pa_csv.read_csv(out) if form == ".csv" else pq.read_table(out)
    assert table.column_names == [
        "Case No", "Sex", "Type", "Intake", "age", "link_token", "link_tokens",
    ]  # fmt: skip
    assert [str(a) if a is not None else "" for a in table["age"].to_pylist()] == ["29", "19", ""]
    text = out.read_bytes() if form == ".csv" else repr(table.to_pydict()).encode()
    secrets = {cell for row in ROWS[1:] for cell in (*row[:4], *row[5:8]) if cell}
    assert not [cell for cell in secrets if cell.encode() in text]
    assert out.stat().st_mode & 0o777 == 0o600
    assert len(set(table["Case No"].to_pylist())) == 3, "cases stay apart"
    held = [t.split(";") for t in table["link_tokens"].to_pylist()]
    assert {len(tokens) for tokens in held} == {sum(EACH.values()) + 2}, "the same in every row"
    keyed = [t for tokens in held for t in tokens if t[0] not in (CHECK, QUALITY)]
    assert len(set(keyed)) == 3 * sum(EACH.values())
    births = sorted(t for tokens in held for t in tokens if t[0] == QUALITY)
    assert births == ["q-birth_date_in_full", "q-birth_date_in_full", "q-too_little_for_a_key"]
    assert 2 * 11 < sum(made.tokens.values()) < 2 * sum(EACH.values())


def test_what_is_written_is_what_was_shown(tmp_path: Path) -> None:
    raw = read_table(_csv(tmp_path / "in.csv", ROWS))
    what = plan(raw, {"name": "Surname", "birth": "DOB"}, ["Sex", "Town", "Intake"], ["Type"])
    assert {c.name: c.fate for c in what.columns} == {
        "Case No": "strip", "First name": "strip", "Surname": "token", "DOB": "token",
        "Sex": "stay", "Town": "stay", "Phone": "strip", "Notes": "strip", "Type": "strip",
        "Intake": "stay",
    }  # fmt: skip
    tokenise(raw, what, MAKER, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        assert next(csv.reader(file)) == ["Sex", "Town", "Intake", "link_token", "link_tokens"]


USUAL = (
    "Short story", "Narrative", "Case summary", "Remarks", "What happened", "Contact", "WhatsApp",
    "Mobile", "Emergency contact", "Referred by", "Caseworker", "Friend", "Comments", "Récit",
    "Observaciones", "ملاحظات", "Gender of the caller, in her words", "Extra",
)  # fmt: skip
"""Headers under which case files hold free text, names and national numbers."""


@pytest.mark.parametrize(
    "cell",
    ["Marta", "+51 1 555 0101", "0044 555", "07700900123", "Marta C. was met at night; see Oleg"],
)
def test_what_nobody_asked_for_is_stripped_whatever_it_holds(tmp_path: Path, cell: str) -> None:
    """Given names and notes are short repeated texts, so that no look at values finds them."""
    rows = [["Name", "Birth date", *USUAL], *([["Oleg Zorin", "2001-12-24", *[cell] * 18]] * 30)]
    raw = read_table(_csv(tmp_path / "in.csv", rows))
    what = plan(raw, propose(raw))
    assert what.fated("stay") == ()
    tokenise(raw, what, MAKER, tmp_path / "out.csv")
    assert cell not in (tmp_path / "out.csv").read_text("utf-8")


MAPPING = """\
version: 1
identifiers: {Ficha: hash, Relato: strip}
exclude: [{rule: no-consent, unless: {Acepta: [si]}}]
columns:
  gender: {from: [sexo], map: {M: female, H: male}}
  year_of_registration: {from: Fecha, year: true}
"""


def test_a_column_stays_if_the_mapping_reads_it(tmp_path: Path) -> None:
    head = ["Nombre", "Apellido", "Ficha", "Sexo", "Relato", "Fecha", "Acepta", "Apodo"]
    cells = ["Marta", "Cruz", "K-1", "M", "Marta C.", "2020-05-02", "si", "Marta"]
    raw = read_table(_csv(tmp_path / "in.csv", [head, cells]))
    rules = parse_mapping(MAPPING, "m.yaml")
    what = plan(raw, propose(raw), mapping=rules)
    assert what.fated("stay") == ("Sexo", "Fecha", "Acepta")
    assert what.fated("code") == ("Ficha",)
    assert what.fated("strip") == ("Relato", "Apodo")
    assert what.of("sex") == "Sexo"
    less = plan(raw, propose(raw), keep=["Apodo"], strip=["Fecha"], mapping=rules)
    assert less.fated("stay") == ("Sexo", "Acepta", "Apodo")
    with pytest.raises(FileError):
        plan(raw, {"given": "Sexo", "sex": "Sexo"}, keep=["Sexo"])


def _mixed() -> list[list[str]]:
    return [["name", "birth", "link_token"], ["Marta Cruz", "1990-05-03", "x"]]


@pytest.mark.parametrize(
    ("rows", "roles", "rule"),
    [
        (ROWS, {"given": "Nobody", "family": "Surname"}, "columns"),
        (ROWS, {"given": "Surname", "family": "Surname"}, "columns"),
        (ROWS, {"given": "_row"}, "columns"),
        (ROWS, {"birth": "DOB"}, "roles"),
        (ROWS, {"birth": "DOB", "place": "Town"}, "roles"),
        (ROWS, {}, "roles"),
        (_mixed(), {"name": "name"}, "columns"),
    ],
)
def test_columns_that_cannot_be(tmp_path: Path, rows, roles, rule: str) -> None:  # type: ignore[no-untyped-def]
    raw = read_table(_csv(tmp_path / "in.csv", rows))
    with pytest.raises(FileError) as error:
        plan(raw, roles)
    assert error.value.rule == rule
    assert not any(cell in str(error.value) for cell in ("Marta", "Cruz", "1990"))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "name,birth\n",
        "name,birth\nMarta Cruz\n",
        'name,birth\n"Marta Cruz,1990\n',
        "name,birth\n=1+1,1990-05-03\n",
        "name,name\na,b\n",
        "name,birth\nMa\0rta,1990\n",
    ],
)
def test_malformed_files_are_refused_or_empty_and_leave_nothing_behind(
    tmp_path: Path, content: str
) -> None:
    file, out = tmp_path / "in.csv", tmp_path / "out.csv"
    file.write_text(content, "utf-8")
    said, rows = "", 0
    try:
        raw = read_table(file)
        rows = tokenise(raw, plan(raw, {"name": "name"}), MAKER, out).rows
    except HubError as error:
        said = str(error)
    assert rows == 0
    assert "Marta" not in said
    assert out.exists() == (not said)
    assert {p.name for p in tmp_path.iterdir()} <= {"in.csv", "out.csv"}


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    raw = read_table(_csv(tmp_path / "in.csv", ROWS))
    (tmp_path / "out.csv").write_text("mine", "utf-8")
    for name, rule in (("out.csv", "no-overwrite"), ("out.txt", "format-suffix")):
        with pytest.raises(FileError) as error:
            tokenise(raw, plan(raw, propose(raw)), MAKER, tmp_path / name)
        assert error.value.rule == rule
    assert (tmp_path / "out.csv").read_text("utf-8") == "mine"


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Tokeniser(b"short", "2026.1")


def test_headers_in_several_languages_are_proposed(tmp_path: Path) -> None:
    for header, roles in [
        ("prénom,nom,date de naissance,sexe,commune", "given family birth sex place"),
        ("nombres,apellidos,fecha de nacimiento,sexo,localidad", "given family birth sex place"),
        ("имя,фамилия,дата рождения,пол,город", "given family birth sex place"),
        ("الاسم الأول,اللقب,تاريخ الميلاد,الجنس,المدينة", "given family birth sex place"),
        ("όνομα,επώνυμο,ημερομηνία γέννησης,φύλο,πόλη", "given family birth sex place"),
        ("full name,dob,gender", "name birth sex"),
    ]:
        rows = [header.split(","), *itertools.repeat(["a"] * len(header.split(",")), 2)]
        raw = read_table(_csv(tmp_path / "in.csv", rows))
        assert set(propose(raw)) == set(roles.split()), header


@pytest.mark.parametrize(
    ("birth", "at", "age"),
    [
        ("1990-05-03", "2020-05-02", "29"), ("1990-05-03", "2020-05-03", "30"),
        ("03/05/1990", "4.5.2020", "30"), ("1990", "2020-05-02", "30"), ("1990-05-03", "", None),
        ("", "2020-05-02", None), ("2021-01-01", "2020-05-02", None), ("2021", "2020-05-02", None),
        ("spring", "2020-05-02", None),
    ],
)  # fmt: skip
def test_the_age_that_stays(tmp_path: Path, birth: str, at: str, age: str | None) -> None:
    rows = [
        ["name", "birth", "day"],
        ["Marta Cruz", birth, at],
        ["Ana", "1980-01-02", "2000-01-02"],
    ]
    raw = read_table(_csv(tmp_path / "in.csv", rows))
    what = plan(raw, {"name": "name", "birth": "birth"})
    made = tokenise(raw, what, MAKER, tmp_path / "out.parquet", AgeAt("day"))
    assert pq.read_table(tmp_path / "out.parquet")["age"].to_pylist() == [age, "20"]
    assert made.without_age is not None
    assert sum(made.without_age.values()) == (age is None)


def test_rows_without_an_age_are_counted_by_reason(tmp_path: Path) -> None:
    cells = [("1990-05-03", "2020-05-03"), ("1990-05-03", "2020"), ("spring", "2020-05-03"),
             ("1990-05-03", "1980-05-03"), ("1990-05-03", "2020")]  # fmt: skip
    rows = [["name", "birth", "day"], *(["Marta Cruz", *pair] for pair in cells)]
    raw = read_table(_csv(tmp_path / "in.csv", rows))
    what = plan(raw, {"name": "name", "birth": "birth"})
    made = tokenise(raw, what, MAKER, tmp_path / "out.csv", AgeAt("day"))
    assert made.without_age == {"before": 1, "birth": 1, "day": 2}
    made = tokenise(raw, what, MAKER, tmp_path / "none.csv")
    assert made.without_age is None


@pytest.mark.parametrize(
    ("birth", "at", "column"),
    [
        ("1990-05-03", "2019", "day"),
        ("1990-05-03", "", "day"),
        ("3.5.90", "2019-05-03", "birth"),
        ("2020-05-03", "2019-05-03", "day"),
    ],
)
def test_a_file_does_not_lose_all_ages(tmp_path: Path, birth: str, at: str, column: str) -> None:
    rows = [["name", "birth", "day"], *[["Marta Cruz", birth, at]] * 3]
    raw = read_table(_csv(tmp_path / "in.csv", rows))
    what = plan(raw, {"name": "name", "birth": "birth"})
    with pytest.raises(FileError) as caught:
        tokenise(raw, what, MAKER, tmp_path / "out.csv", AgeAt("day"))
    assert (caught.value.rule, caught.value.column) == ("age-at", column)
    assert "Marta" not in str(caught.value)
    assert birth not in str(caught.value).replace(caught.value.fix, "")
    assert not list(tmp_path.glob("*out.csv*"))


def test_an_age_in_the_file_is_not_replaced(tmp_path: Path) -> None:
    rows = [["name", "birth", "day", "age"], ["Marta Cruz", "1990-05-03", "2020-05-03", "31"]]
    raw = read_table(_csv(tmp_path / "in.csv", rows))
    roles = {"name": "name", "birth": "birth"}
    with pytest.raises(FileError) as caught:
        tokenise(raw, plan(raw, roles, ["age"]), MAKER, tmp_path / "out.csv", AgeAt("day"))
    assert (caught.value.rule, caught.value.column) == ("age-at", "age")
    tokenise(raw, plan(raw, roles), MAKER, tmp_path / "out.csv", AgeAt("day"))


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_fault_of_the_disk_names_the_file_that_was_asked_for(tmp_path: Path, form: str) -> None:
    raw = read_table(_csv(tmp_path / "in.csv", [["name", "birth"], ["Marta Cruz", "1990-05-03"]]))
    what, out = plan(raw, {"name": "name", "birth": "birth"}), tmp_path / "no" / f"out.{form}"
    with pytest.raises(FileNotFoundError) as caught:
        tokenise(raw, what, MAKER, out)
    assert caught.value.filename == str(out)
