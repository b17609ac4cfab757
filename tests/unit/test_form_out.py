"""The form of the schema: accepted by pyxform, complete, and read back without an edit."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ctdhub.core.i18n import LANGUAGES, NATIVE_NAMES, language
from ctdhub.schema import form
from ctdhub.schema.form import NONE, NOT_ASKED, Question, questions
from ctdhub.schema.model import NOT_COUNTED, STANDING, load_schema
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.mapping.builtin import builtin, recognise
from ctdhub.sensitive.mapping.drafting.suggest import read_to_suggest, suggest
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

Run = Callable[..., tuple[int, str, str]]
Submission = dict[str, Any]

# The form itself --------------------------------------------------------------------------------


def test_the_verb_writes_a_form_that_pyxform_takes(ctdhub: Run, tmp_path: Path) -> None:
    from pyxform.xls2xform import convert

    out = tmp_path / "form.xlsx"
    code, _out, err = ctdhub("form", "--to", "xlsform", "--langs", "en,fr,es,ar", "--out", out)
    assert code == 0, err
    warnings: list[str] = []
    made = convert(str(out), warnings=warnings, validate=False).xform
    assert not warnings
    for lang in LANGUAGES:
        assert f'lang="{NATIVE_NAMES[lang]} ({lang})"' in made
    assert f'version="{load_schema().version}"' in made
    assert 'id="ctdhub"' in made
    again, _out, err = ctdhub("form", "--out", out)
    assert again == 2
    assert "no-overwrite" in err


@pytest.mark.parametrize(
    "options", [["--langs", "en,xx"], ["--langs", ","], ["--to", "pdf"], ["--out", "form.csv"]]
)
def test_what_cannot_be_written_is_refused(ctdhub: Run, tmp_path: Path, options: list[str]) -> None:
    more = [] if "--out" in options else ["--out", str(tmp_path / "form.xlsx")]
    code, out, _err = ctdhub("form", *options, *more)
    assert (code, out) == (2, "")
    assert not list(tmp_path.iterdir())


def test_one_language_is_the_only_one() -> None:
    sheets = form.sheets(["ar"])
    labels = {c for row in sheets["survey"] for c in row if c.startswith("label")}
    assert labels == {"label::العربية (ar)"}
    assert all(row["label::العربية (ar)"].strip() for row in sheets["choices"])


def test_every_public_variable_is_asked_once() -> None:
    schema = load_schema()
    asked = [v for q in questions() for v in q.variables]
    wanted = {v.name for v in (*schema.records, *schema.perpetrators) if v.public}
    assert wanted - set(asked) == set()
    twice = {q.variables[0] for q in questions() if q.where}
    assert {v for v in asked if asked.count(v) > 1} == twice


def test_consent_comes_first_and_everything_waits_for_it() -> None:
    survey = form.sheets(["en"])["survey"]
    assert survey[0]["name"] == "con_Consent"
    assert survey[0]["required"] == "yes"
    depth = 0
    for row in survey[1:]:
        assert depth or row["relevant"].startswith("${con_Consent} = 'yes'"), row
        depth += {"begin_repeat": 1, "end_repeat": -1}.get(row["type"], 0)


def test_it_asks_for_no_name_and_no_date_of_birth() -> None:
    rows = form.sheets(["en"])["survey"]
    assert [row["name"] for row in rows if row["type"] == "text"] == ["case_id"]
    assert not [row for row in rows if row["type"] in ("date", "dateTime", "geopoint", "image")]


def test_a_question_of_several_choices_has_none_and_not_asked_which_stand_alone() -> None:
    for question in questions():
        if question.kind == "many":
            listed = form.choices()[question.choices]
            assert listed == (*question.variables, NONE, NOT_ASKED)
            assert not any(" " in name for name in listed)
    kinds = [r for r in form.sheets(["en"])["survey"] if r["type"].startswith("select_multiple")]
    assert kinds
    assert all("count-selected(.) > 1" in row["constraint"] for row in kinds)


# The way back -----------------------------------------------------------------------------------


@st.composite
def submissions(draw: st.DrawFn) -> list[Submission]:
    """What people may answer; a question may stay unanswered."""
    made = []
    for number in range(draw(st.integers(1, 8))):
        one: Submission = {"con_Consent": draw(st.sampled_from(["yes", "yes", "yes", "no"]))}
        if one["con_Consent"] == "yes":
            one["case_id"] = f"{number + 1}"
            asked = [q for q in questions() if not q.repeat and q.name not in one]
            one |= {q.name: a for q in asked if (a := draw(answer(q))) is not None}
            every = [q for q in questions() if q.repeat]
            people = draw(st.integers(0, 3))
            rows = [{q.name: draw(answer(q, least=0)) for q in every} for _ in range(people)]
            one["perpetrators"] = [{k: v for k, v in row.items() if v} for row in rows]
        made.append(one)
    return made


def answer(question: Question, least: int | None = None) -> st.SearchStrategy[str | None]:
    if question.kind == "many":
        some = st.lists(st.sampled_from(question.variables), min_size=1, unique=True)
        return st.none() | st.sampled_from([NONE, NOT_ASKED]) | some.map(" ".join)
    if question.kind == "integer":
        low, high = question.bounds or (0, 9)
        return st.none() | st.integers(low, high).map(str)
    if question.kind == "one":
        return st.none() | st.sampled_from(form.choices()[question.choices])
    return st.none()


def expected(one: Submission) -> dict[str, str | None]:
    """What a submission says of each variable, worked out without the mapping."""
    schema = load_schema()
    said: dict[str, str | None] = {}
    for question in questions():
        given = one.get(question.name)
        if question.repeat or not question.variables:
            continue
        if question.kind == "many":
            chosen = (given or NOT_ASKED).split()
            for flag in question.variables:
                said[flag] = "yes" if flag in chosen else None if NOT_ASKED in chosen else "no"
        elif question.name == form.AGE_YEARS:
            said[question.variables[0]] = None if given is None else band(int(given))
        else:
            value = None if given == NOT_ASKED else given
            variable = schema.variable(question.variables[0])
            said[variable.name] = said.get(variable.name) or value
    return said


def band(age: int) -> str:
    for code in load_schema().domain("age_band"):
        low, _dash, high = code.rstrip("+").partition("-")
        if int(low) <= age <= int(high or 999):
            return code
    raise AssertionError(age)


SERVER = {"start": "2026-01-02T10:00:00.000Z", "_id": "71", "_uuid": "6f0f", "_submitted_by": "who"}
SERVER |= {"_submission_time": "2026-01-02T10:01:00", "__version__": "v1", "_status": "submitted"}


def as_json(made: list[Submission], file: Path, paged: bool) -> Path:
    rows = [
        SERVER
        | {"formhub/uuid": "ab", "meta/instanceID": "uuid:1", "_attachments": [], "_tags": []}
        | {"_geolocation": [None, None], "_validation_status": {}}
        | {k: v for k, v in one.items() if k != "perpetrators"}
        | {"perpetrators": [{f"perpetrators/{k}": v for k, v in p.items()}
                            for p in one.get("perpetrators", [])]}
        for one in made
    ]  # fmt: skip
    page = {"count": len(rows), "next": None, "previous": None, "results": rows}
    file.write_text(json.dumps(page if paged else rows, ensure_ascii=False), "utf-8")
    return file


def flat(made: list[Submission], kind: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows as KoboToolbox writes them; kind: both, single or details."""
    names: list[str] = ["start"]
    for question in questions():
        if question.repeat:
            continue
        if question.kind != "many" or kind != "details":
            names.append(question.name)
        if question.kind == "many" and kind != "single":
            names += [f"{question.name}/{c}" for c in form.choices()[question.choices]]
    names += ["_id", "_uuid", "_submission_time", "_submitted_by", "__version__", "_index"]
    rows = []
    for index, one in enumerate(made, 1):
        cells = SERVER | {"_index": str(index)} | {k: v for k, v in one.items() if v}
        for name in names:
            question, slash, choice = name.partition("/")
            if slash and one.get(question):
                cells[name] = "1" if choice in one[question].split() else "0"
        rows.append([str(cells.get(name, "")) for name in names])
    return names, rows


def as_csv(made: list[Submission], file: Path, kind: str) -> Path:
    names, rows = flat(made, kind)
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL).writerows([names, *rows])
    return file


def as_xlsx(made: list[Submission], file: Path, kind: str) -> Path:
    book = openpyxl.Workbook()
    names, rows = flat(made, kind)
    book.active.title = "Case record for a counter-traf"
    for row in [names, *rows]:
        book.active.append([cell or None for cell in row])
    sheet = book.create_sheet("perpetrators")
    asked = [q.name for q in questions() if q.repeat]
    own = ["_index", "_parent_table_name", "_parent_index", "_submission__id", "_submission__uuid"]
    sheet.append([*(f"perpetrators/{name}" for name in asked), *own])
    number = 0
    for index, one in enumerate(made, 1):
        for person in one.get("perpetrators", []):
            number += 1
            told = [person.get(name) for name in asked]
            sheet.append([*told, number, book.active.title, index, 71, "6f0f"])
    book.save(file)
    return file


WAYS: dict[str, Callable[[list[Submission], Path], Path]] = {
    "list.json": lambda made, file: as_json(made, file, paged=False),
    "api.json": lambda made, file: as_json(made, file, paged=True),
    "both.xlsx": lambda made, file: as_xlsx(made, file, "both"),
    "single.xlsx": lambda made, file: as_xlsx(made, file, "single"),
    "details.xlsx": lambda made, file: as_xlsx(made, file, "details"),
    "both.csv": lambda made, file: as_csv(made, file, "both"),
    "details.csv": lambda made, file: as_csv(made, file, "details"),
}


def labelled(made: list[Submission], file: Path, kind: str, lang: str) -> Path:
    """The same export by labels of one language."""
    path = as_xlsx(made, file, kind)
    asked = {q.name: q for q in questions()}
    book = openpyxl.load_workbook(path)
    with language(lang):
        for sheet in book:
            repeat = sheet.title == "perpetrators"
            if repeat:
                sheet.title = form.each_perpetrator()[:31]
            for column in sheet.iter_cols():
                name, slash, choice = (
                    str(column[0].value).removeprefix("perpetrators/").partition("/")
                )
                if name not in asked:
                    continue
                question = asked[name]
                above = f"{form.each_perpetrator()}/" * repeat
                below = f"/{form.choice_label(question, choice)}" if slash else ""
                column[0].value = f"{above}{form.question_label(question)}{below}"
                for cell in column[1:] if question.choices and not slash else ():
                    said = (cell.value or "").split()
                    cell.value = " ".join(form.choice_label(question, n) for n in said) or None
    book.save(path)
    return path


def various() -> list[Submission]:
    """Six people who choose each their own of every list; the fifth does not consent."""
    made: list[Submission] = []
    for number in range(6):
        one: Submission = {"con_Consent": "no" if number == 4 else "yes", "case_id": str(number)}
        for question in questions():
            if question.repeat or question.name in one or number == 4:
                continue
            listed = form.choices().get(question.choices, ("7",))
            chosen = listed[number % len(listed)]
            if question.kind == "many" and chosen not in (NONE, NOT_ASKED) and number != 2:
                chosen = " ".join(question.variables[number:]) or None
            one[question.name] = "2021" if question.bounds and question.bounds[0] else chosen
        lists = {q.name: form.choices()[q.choices] for q in questions() if q.repeat}
        each = {name: listed[number % len(listed)] for name, listed in lists.items()}
        one["perpetrators"] = [each] * (number % 3)
        made.append(one)
    return made


@pytest.fixture(scope="module")
def by_name(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Harmonised]:
    """The same people by names, read once for all languages."""
    folder = tmp_path_factory.mktemp("names")
    return cache(lambda kind: harmonised(as_xlsx(various(), folder / f"{kind}.xlsx", kind)))


@pytest.mark.parametrize(
    ("lang", "kind"),
    [("en", "both"), ("ar", "both"), ("fr", "single"), ("es", "details")],
)
def test_an_export_by_labels_gives_the_records_of_one_by_names(
    tmp_path: Path, lang: str, kind: str, by_name: Callable[[str], Harmonised]
) -> None:
    made, by_names = various(), by_name(kind)
    file = labelled(made, tmp_path / "labels.xlsx", kind, lang)
    by_labels = harmonised(file)
    assert by_labels.conservation == by_names.conservation
    assert by_labels.rejects.num_rows == 0
    assert by_names.records.num_rows > 2
    drop = ["record_id", "person_key", "source_file"]
    assert by_labels.records.drop_columns(drop).equals(by_names.records.drop_columns(drop))
    left, right = (t.perpetrators.drop_columns(["record_id"]) for t in (by_labels, by_names))
    assert left.num_rows > 0
    assert left.equals(right)
    assert recognise(read_table(file).table.column_names) == "ctdhub-form"


def test_labels_of_a_list_tell_its_choices_apart() -> None:
    for lang in LANGUAGES:
        with language(lang):
            for question in questions():
                names = form.choices()[question.choices] if question.choices else ()
                said = [form.choice_label(question, name).casefold() for name in names]
                assert len(set(said)) == len(said), (lang, question.name)


def harmonised(file: Path) -> Harmonised:
    mapping = builtin("ctdhub-form")
    return harmonise(read_table(file, mapping.read), mapping, "c", (2002, 2030), bytes(32))


@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(made=submissions())
def test_what_was_answered_is_what_is_read(tmp_path: Path, made: list[Submission]) -> None:
    for way, write in WAYS.items():
        assert_read(made, harmonised(write(made, tmp_path / way)), not way.endswith(".csv"))


def assert_read(made: list[Submission], done: Harmonised, with_perpetrators: bool) -> None:
    asked = [one for one in made if one["con_Consent"] == "yes"]
    consenting = [one for one in asked if one.get(STANDING) not in NOT_COUNTED]
    assert done.rejects.num_rows == 0, done.rejects.to_pylist()
    excluded = done.conservation.excluded
    assert excluded["no-consent"] == len(made) - len(asked)
    assert sum(excluded.values()) == len(made) - len(consenting)
    assert done.records.num_rows == len(consenting)
    for one, record in zip(consenting, done.records.to_pylist(), strict=True):
        for name, value in expected(one).items():
            found = record[name]
            assert (found if found is None else str(found)) == value, name
    if with_perpetrators:
        people = [(p, c) for c in consenting for p in c["perpetrators"] if p]
        told = [
            {k: v for k, v in row.items() if v and k != "record_id"}
            for row in done.perpetrators.to_pylist()
        ]
        wanted = [{k: v for k, v in p.items() if v != NOT_ASKED} for p, _c in people]
        assert [row for row in told if row] == [row for row in wanted if row]


def test_no_not_asked_none_and_unanswered_stay_apart(tmp_path: Path) -> None:
    question = next(q for q in questions() if q.kind == "many")
    first, second = question.variables[:2]
    answers = [first, NONE, NOT_ASKED, None, f"{first} {second}"]
    made: list[Submission] = [
        {"con_Consent": "yes", "case_id": str(n), "perpetrators": []}
        | ({question.name: a} if a else {})
        for n, a in enumerate(answers)
    ]
    for way, write in WAYS.items():
        done = harmonised(write(made, tmp_path / way)).records
        assert done[first].to_pylist() == ["yes", "no", None, None, "yes"], way
        assert done[second].to_pylist() == ["no", "no", None, None, "yes"], way


def test_a_choice_that_the_form_does_not_have_is_a_reject(tmp_path: Path) -> None:
    question = next(q for q in questions() if q.kind == "many")
    odd = f"{question.variables[0]} something_else"
    made = [{"con_Consent": "yes", "case_id": "1", question.name: odd, "perpetrators": []}]
    done = harmonised(as_json(made, tmp_path / "a.json", paged=False))
    assert done.conservation.rejected == 1


@pytest.mark.parametrize("way", ["both.xlsx", "both.csv"])
def test_a_draft_names_the_built_in(tmp_path: Path, way: str) -> None:
    made = [{"con_Consent": "yes", "case_id": "1", "perpetrators": [{}]}]
    file = WAYS[way](made, tmp_path / way)
    assert recognise(read_table(file).table.column_names) == "ctdhub-form"
    assert suggest(*read_to_suggest(file)).builtin == "ctdhub-form"
