"""Drafts for exports of five systems, harmonised as they are: the shapes are recognised."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import exports_of_systems as exports
import pytest

from ctdhub.core.errors import HubError, UnreadableFile
from ctdhub.core.i18n import said
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.raw import read_table
from ctdhub.sensitive.ingest.shape.trees import read_names
from ctdhub.sensitive.mapping.drafting.suggest import read_to_suggest, suggest
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.mapping_file import parse_mapping
from ctdhub.sensitive.mapping.run import Harmonised, harmonise

Export = Callable[[], tuple[str, str]]

ALL = (
    exports.kobo_list,
    exports.kobo_api,
    exports.primero_csv,
    exports.primero_export,
    exports.primero_api,
    exports.dhis2_tracker,
    exports.dhis2_instances,
    exports.dhis2_long,
    exports.dhis2_attributes,
    exports.commcare,
    exports.commcare_v1,
    exports.odk_odata,
)
WITH_OFFENDERS = (
    exports.kobo_list,
    exports.kobo_api,
    exports.commcare,
    exports.commcare_v1,
    exports.odk_odata,
)
LEFT = {
    (exports.primero_csv, "exploitation_forced_labour"),
    (exports.primero_export, "exploitation_forced_labour"),
    (exports.primero_api, "exploitation_forced_labour"),
}
"""The worst forms of child labour are more than forced labour: the steward decides."""


def saved(folder: Path, export: Export) -> Path:
    name, text = export()
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def drafted(path: Path) -> tuple[Mapping, str]:
    raw, read = read_to_suggest(path)
    text = suggest(raw, read).yaml
    return parse_mapping(text, "draft.yaml"), text


def run(path: Path, mapping: Mapping) -> Harmonised:
    return harmonise(read_table(path, mapping.read), mapping, "us", (2000, 2030), b"k" * 32)


@pytest.mark.parametrize("export", ALL, ids=lambda export: export.__name__)
def test_a_draft_reads_the_export_as_it_is(tmp_path: Path, export: Export) -> None:
    path = saved(tmp_path, export)
    mapping, text = drafted(path)
    done = run(path, mapping)
    records = done.records.sort_by("source_row")
    assert (records.num_rows, done.rejects.num_rows) == (exports.PEOPLE, 0)
    for variable, told in exports.truth().items():
        found = [None if v is None else str(v) for v in records[variable].to_pylist()]
        wanted = [None] * len(told) if (export, variable) in LEFT else told
        assert found == wanted, variable
    assert "worker" not in text
    assert "partial" not in text


@pytest.mark.parametrize("export", WITH_OFFENDERS, ids=lambda export: export.__name__)
def test_repeats_and_hanging_cases_become_perpetrators(tmp_path: Path, export: Export) -> None:
    path = saved(tmp_path, export)
    mapping, _text = drafted(path)
    assert mapping.perpetrators is not None
    done = run(path, mapping)
    of = dict(zip(done.records["record_id"].to_pylist(), done.records["source_row"].to_pylist(),
                  strict=True))  # fmt: skip
    found: dict[int, list[str]] = {}
    for row in done.perpetrators.to_pylist():
        found.setdefault(of[row["record_id"]], []).append(row["perpetrator_gender"])
    rows = sorted(of.values())
    told = [list(p.offenders) for p in exports.people()]
    assert [found.get(row, []) for row in rows] == told


def test_numbers_of_forms_are_no_people_and_numbers_of_people_are(tmp_path: Path) -> None:
    forms = {exports.kobo_api: "_id", exports.odk_odata: "__id"}
    people = {exports.dhis2_tracker: "trackedEntity", exports.commcare: "case_id",
              exports.primero_api: "id"}  # fmt: skip
    for export, column in forms.items():
        mapping, _text = drafted(saved(tmp_path, export))
        assert mapping.case_column() == column
        assert mapping.key_columns() is None
    for export, column in people.items():
        mapping, _text = drafted(saved(tmp_path, export))
        assert mapping.key_columns() == ((column,), "hash")


def test_in_a_list_of_events_the_person_is_the_key_and_users_are_stripped(tmp_path: Path) -> None:
    path = tmp_path / "line-list.csv"
    head = "Event,Created by,Tracked entity instance,Program instance,Sex"
    sexes = ("Female", "Male")
    rows = [f"ev{i},worker{i % 2},te{i // 2},en{i // 2},{sexes[i // 2 % 2]}" for i in range(12)]
    path.write_text(
        "\n".join([f"{head},Organisation unit name", *(f"{r},x" for r in rows)]), "utf-8"
    )
    mapping, text = drafted(path)
    assert mapping.key_columns() == (("Tracked entity instance",), "hash")
    assert {"Event", "Created by", "Program instance"} <= {*mapping.stripped()}
    assert "worker" not in text
    path.write_text("\n".join([f"{head},Place", *(f"{r},x" for r in rows)]), "utf-8")
    assert not drafted(path)[0].identifiers  # of another system, or of none


def test_the_name_of_a_case_and_users_of_the_system_are_stripped(tmp_path: Path) -> None:
    mapping, _text = drafted(saved(tmp_path, exports.commcare))
    assert {"case_name", "owner_id", "suspect.case_name"} <= {*mapping.stripped()}
    mapping, _text = drafted(saved(tmp_path, exports.kobo_list))
    assert {"_submitted_by", "_uuid", "instanceID"} <= {*mapping.stripped()}
    mapping, _text = drafted(saved(tmp_path, exports.odk_odata))
    assert {"__system.submitterName", "perp.__id"} <= {*mapping.identifiers}


def test_lists_of_primero_give_yes_and_no_to_the_right_children(tmp_path: Path) -> None:
    concerns = [["sexually_exploited"], ["worst_forms_of_child_labor"]]
    concerns.append([*concerns[0], *concerns[1]])
    records = [{"id": str(i), "data": {"protection_concerns": c}} for i, c in enumerate(concerns)]
    path = tmp_path / "p1.json"
    path.write_text(json.dumps(records), "utf-8")
    rule = {"from": "data.protection_concerns", "split": ";", "absent": "no"}
    first, second = "sexually_exploited", "worst_forms_of_child_labor"
    mapping = Mapping.model_validate(
        {
            "version": 1,
            "read": {"lists": ";"},
            "identifiers": {"id": "strip"},
            "columns": {
                "exploitation_sexual": {**rule, "has": first},
                "exploitation_forced_labour": {**rule, "has": second},
            },
        }
    )
    found = run(path, mapping).records
    assert found["exploitation_sexual"].to_pylist() == ["yes", "no", "yes"]
    assert found["exploitation_forced_labour"].to_pylist() == ["no", "yes", "yes"]


def test_a_draft_of_one_page_says_so_and_does_not_harmonise(tmp_path: Path) -> None:
    name, text = exports.kobo_api()
    document = json.loads(text) | {"count": 500, "next": "https://x.example/?start=24"}
    path = tmp_path / name
    path.write_text(json.dumps(document), "utf-8")
    mapping, draft = drafted(path)
    assert "one page of several" in draft
    with pytest.raises(UnreadableFile) as caught:
        run(path, mapping)
    assert caught.value.rule == "one-page"


def test_what_several_child_rows_say_is_asked_and_never_guessed(tmp_path: Path) -> None:
    contacts: list[Any] = [{"nationality": "NGA"}, {"nationality": "GHA"}]
    records = [{"sex": s, "kin": contacts} for s in ("female", "male") * 6]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(records), "utf-8")
    mapping, text = drafted(path)
    assert "citizenship" not in mapping.columns
    assert "a record has several rows of kin" in text
    assert run(path, mapping).rejects.num_rows == 0


def test_a_flat_list_needs_no_shape(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"sex": "female", "age": 30}] * 3), "utf-8")
    _mapping, text = drafted(path)
    assert "read:" not in text


def test_a_list_under_an_unknown_name_is_found_where_it_is_the_only_one(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"survivors": [{"sex": "female"}, {"sex": "male"}]}), "utf-8")
    mapping, _text = drafted(path)
    assert mapping.read.rows == "survivors"
    path.write_text(json.dumps({"a": [{"sex": "female"}], "b": [{"sex": "male"}]}), "utf-8")
    with pytest.raises(UnreadableFile) as caught:
        read_to_suggest(path)
    assert caught.value.rule == "json"


def test_a_form_in_french_with_equal_names_in_two_groups(tmp_path: Path) -> None:
    records = [
        {
            "_uuid": f"u{i}",
            "_submission_time": "2023-04-01T10:00:00",
            "victime/sexe": ("femme", "homme")[i % 2],
            "appelant/sexe": "homme",
            "victime/auteurs": [
                {
                    "victime/auteurs/nom_auteur": f"X{i}",
                    "victime/auteurs/sexe_auteur": "homme",
                    "victime/auteurs/actes": [{"victime/auteurs/actes/type": "a"}],
                }
            ],
        }
        for i in range(12)
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(records), "utf-8")
    mapping, _text = drafted(path)
    done = run(path, mapping)
    assert done.records["gender"].to_pylist() == ["female", "male"] * 6
    assert done.perpetrators["perpetrator_gender"].to_pylist() == ["male"] * 12
    assert mapping.identifiers["auteurs.nom_auteur"].action == "strip"


def test_names_of_people_never_become_columns(tmp_path: Path) -> None:
    family = [
        [{"name": f"A{i}", "value": "mother"}, {"name": f"B{i}", "value": "x"}] for i in range(6)
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"sex": "female", "family": f} for f in family]), "utf-8")
    mapping, text = drafted(path)
    assert not mapping.read.pairs
    assert "A1" not in text


@pytest.mark.parametrize(
    ("document", "rows"),
    [
        ({"data": {"cases": [{"sex": "female"}, {"sex": "male"}]}}, "data.cases"),
        ([{"count": 2, "results": [{"sex": s}]} for s in ("female", "male")], "results"),
    ],
)
def test_envelopes_in_envelopes_and_pages_in_a_list(
    tmp_path: Path, document: Any, rows: str
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(document), "utf-8")
    mapping, _text = drafted(path)
    assert mapping.read.rows == rows
    assert run(path, mapping).records["gender"].to_pylist() == ["female", "male"]


def test_an_empty_answer_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"count": 0, "next": None, "results": []}), "utf-8")
    with pytest.raises(UnreadableFile):
        read_to_suggest(path)
    with pytest.raises(UnreadableFile):
        read_table(path)


def test_lists_that_are_no_table_are_left_out_by_name(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"sex": "female", "place": [[1, 2], [3, 4]]}] * 3), "utf-8")
    mapping, _text = drafted(path)
    assert mapping.read.drop == ("place",)
    assert run(path, mapping).records.num_rows == 3


def test_an_archive_of_odk_is_one_file_with_its_repeats(tmp_path: Path) -> None:
    path = tmp_path / "form.zip"
    path.write_bytes(exports.odk_archive())
    mapping, _text = drafted(path)
    assert mapping.read.children["perp"].file == "form-perp.csv"
    assert mapping.case_column() == "KEY"
    done = run(path, mapping)
    assert (done.records.num_rows, done.rejects.num_rows) == (exports.PEOPLE, 0)
    for variable, told in exports.truth().items():
        found = [None if v is None else str(v) for v in done.records[variable].to_pylist()]
        assert found == told, variable
    assert done.perpetrators.num_rows == sum(len(p.offenders) for p in exports.people())


def test_a_workbook_of_commcare_is_read_with_its_repeat(tmp_path: Path) -> None:
    path = tmp_path / "forms.xlsx"
    path.write_bytes(exports.commcare_forms())
    mapping, text = drafted(path)
    assert mapping.case_column() == "formid"
    assert "worker" not in text
    done = run(path, mapping)
    assert (done.records.num_rows, done.rejects.num_rows) == (exports.PEOPLE, 0)
    for variable, told in exports.truth().items():
        values = done.records.sort_by("source_row")[variable].to_pylist()
        assert [None if v is None else str(v) for v in values] == told, variable
    assert done.perpetrators.num_rows == sum(len(p.offenders) for p in exports.people())


def test_repeats_in_repeats_of_an_archive_belong_to_the_form(tmp_path: Path) -> None:
    path = tmp_path / "f.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("f-act.csv", "what,PARENT_KEY,KEY\nx,b/p[1],b/p[1]/a[1]\n")
        archive.writestr("f-p.csv", "sex,PARENT_KEY,KEY\nmale,b,b/p[1]\n")
        archive.writestr(
            "f.csv", "SubmissionDate,sex,KEY\n2023-01-01,female,a\n2023-01-01,male,b\n"
        )
    mapping, _text = drafted(path)
    assert mapping.read.children["act"].of == "p"
    raw = read_table(path, mapping.read)
    assert raw.table["act.what"].to_pylist() == [None, "x"]
    plain = read_table(path)
    assert plain.table.num_rows == 2
    assert any("not read" in said(note) for note in plain.notes)


def test_an_archive_in_which_no_table_is_the_first_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "f.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "sex\nmale\n")
        archive.writestr("b.csv", "sex\nmale\n")
    with pytest.raises(UnreadableFile) as caught:
        read_table(path)
    assert caught.value.rule == "archive-table"
    assert read_table(path, ReadOptions(sheet="b.csv")).table.num_rows == 1
    cut = tmp_path / "g.zip"
    cut.write_bytes(path.read_bytes()[:60])
    with pytest.raises(UnreadableFile):
        read_table(cut)


def test_ids_of_data_elements_are_called_by_the_names_of_a_list(tmp_path: Path) -> None:
    name, text = exports.dhis2_tracker()
    path, listed = tmp_path / name, tmp_path / "elements.json"
    path.write_text(text.replace("dTrust", "q1"), "utf-8")
    elements = [{"id": "q1", "displayName": "Level of trust"}, {"id": "q9", "displayName": "No"}]
    listed.write_text(json.dumps({"dataElements": elements}), "utf-8")
    raw, read = read_to_suggest(path, called=read_names(listed))
    assert read.names == {"q1": "Level of trust"}
    assert "events_sA.dataValues.Level of trust" in raw.table.column_names
    long = tmp_path / "long.csv"
    long.write_text("event,dataElement,value\ne1,q1,7\n", "utf-8")
    raw, _read = read_to_suggest(long, called=read_names(listed))
    assert raw.table["Level of trust"].to_pylist() == ["7"]
    listed.write_text("[1, 2]", "utf-8")
    with pytest.raises(UnreadableFile) as caught:
        read_names(listed)
    assert caught.value.rule == "no-names"


def test_records_in_a_repeat_of_each_form_are_drafted_where_that_is_stated(tmp_path: Path) -> None:
    forms = [
        {
            "_uuid": f"u{i}",
            "_id": i,
            "_submission_time": f"202{i % 4}-05-01T10:00:00",
            "_attachments": [{"id": 1}],
            "g/victims": [{"g/victims/sex": sex} for sex in ("female", "male")],
        }
        for i in range(6)
    ]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"count": 6, "next": None, "results": forms}), "utf-8")
    raw, read = read_to_suggest(path, ReadOptions(rows="results.g/victims"))
    mapping = parse_mapping(suggest(raw, read).yaml, "draft.yaml")
    assert mapping.case_column() == "outer._id"
    assert not mapping.read.children
    records = run(path, mapping).records
    assert records["gender"].to_pylist() == ["female", "male"] * 6
    years = [str(2020 + i % 4) for i in range(6) for _victim in range(2)]
    assert [str(year) for year in records["year_of_registration"].to_pylist()] == years


def test_one_saved_form_is_one_record_where_that_is_stated(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"sex": "female", "perp": [{"sex": "male"}] * 2}), "utf-8")
    raw, read = read_to_suggest(path, ReadOptions(rows="."))
    mapping = parse_mapping(suggest(raw, read).yaml, "draft.yaml")
    done = run(path, mapping)
    assert (done.records.num_rows, done.perpetrators.num_rows) == (1, 2)


@pytest.mark.parametrize(
    "records",
    [
        [[{"a": "1"}], {"sex": "female"}],
        [{"case_id": ["x"], "case_type": {"y": "z"}, "indices": {"parent": {"case_id": {}}}}],
        [{"": [{"a": "1"}], " ": {"b": [{"c": "1"}]}, "sex": "female"}],
        [{"x" * 600: [{"a": "1"}], "sex": "female"}],
        [{"attributes": [{"name": {"a": "1"}, "value": "2"}]}, {"attributes": [None]}],
    ],
)
def test_misshapen_documents_are_drafted_or_refused_by_name(
    tmp_path: Path, records: list[Any]
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(records), "utf-8")
    with suppress(HubError):
        raw, read = read_to_suggest(path)
        assert suggest(raw, read).yaml
