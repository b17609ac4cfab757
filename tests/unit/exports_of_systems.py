"""Exports as five systems write them, of fictitious people; the shapes are those of their sources.

Each function gives what a steward saves: a name and a text.  All of them tell of the same people,
so that what is drafted and harmonised can be compared with :data:`TRUTH`.
"""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from openpyxl import Workbook

SEXES = ("female", "male", "female")
AGES = ("17", "24", "29", "50", "")
COUNTRIES = ("NGA", "GHA", "TGO", "")
FORMS: tuple[tuple[str, ...], ...] = (("sexual",), ("labour",), ("sexual", "labour"), ())
OFFENDERS: tuple[tuple[str, ...], ...] = (("male", "female"), (), ("male",))
PEOPLE = 24


@dataclass(frozen=True)
class Person:
    """A fictitious person."""

    number: int
    date: str
    sex: str
    age: str
    country: str
    forms: tuple[str, ...]
    offenders: tuple[str, ...]


def people() -> list[Person]:
    """All fictitious people."""
    return [
        Person(
            i,
            f"{2020 + i % 4}-0{1 + i % 9}-1{i % 10}",
            SEXES[i % 3],
            AGES[i % 5],
            COUNTRIES[i % 4],
            FORMS[i % 4],
            OFFENDERS[i % 3],
        )
        for i in range(PEOPLE)
    ]


BANDS = {"17": "9-17", "24": "24-26", "29": "27-29", "50": "48+", "": None}


def truth() -> dict[str, list[str | None]]:
    """What a record of each person must hold, by variable; a form not named is no or unknown."""
    return {
        "year_of_registration": [p.date[:4] for p in people()],
        "gender": [p.sex for p in people()],
        "age_band": [BANDS[p.age] for p in people()],
        "citizenship": [p.country or None for p in people()],
        "exploitation_sexual": ["yes" if "sexual" in p.forms else None for p in people()],
        "exploitation_forced_labour": ["yes" if "labour" in p.forms else None for p in people()],
    }


def _filled(**members: Any) -> dict[str, Any]:
    """Members as a server sends them that leaves out what nobody answered."""
    return {name: value for name, value in members.items() if value not in ("", [], None)}


def kobo_list() -> tuple[str, str]:
    """KoboToolbox: submissions as a list, a repeat with the whole path in its keys."""
    return "kobo.json", json.dumps([_kobo(p) for p in people()])


def kobo_api() -> tuple[str, str]:
    """KoboToolbox: what the interface answers."""
    results = [_kobo(p) for p in people()]
    envelope = {"count": len(results), "next": None, "previous": None, "results": results}
    return "kobo-api.json", json.dumps(envelope, indent=1)


def _kobo(p: Person) -> dict[str, Any]:
    repeat = [{"intake/perp/perp_sex": sex, "intake/perp/perp_age": "40"} for sex in p.offenders]
    answers = {
        "intake/sex": p.sex,
        "intake/age": p.age,
        "intake/nationality": p.country,
        "intake/exploitation": " ".join(p.forms),
        "intake/perp": repeat,
    }
    return {
        "_id": 5200 + p.number,
        "formhub/uuid": "5f3a",
        "start": f"{p.date}T10:00:00.000+01:00",
        "end": f"{p.date}T10:20:00.000+01:00",
        **_filled(**answers),
        "__version__": "vA1",
        "meta/instanceID": f"uuid:{p.number:08x}-7a1d-4c5b-9e8f-000000000000",
        "_xform_id_string": "aAbB",
        "_uuid": f"{p.number:08x}-7a1d-4c5b-9e8f-000000000000",
        "_attachments": [{"download_url": "x", "id": 3}] if p.number % 5 == 0 else [],
        "_status": "submitted_via_web",
        "_geolocation": [None, None],
        "_submission_time": f"{p.date}T11:00:00",
        "_tags": [],
        "_notes": [],
        "_validation_status": {"label": "Approved"} if p.number % 7 == 0 else {},
        "_submitted_by": f"user{p.number % 3}",
    }


PRIMERO_FORMS = {"sexual": "sexually_exploited", "labour": "worst_forms_of_child_labor"}


def _primero(p: Person) -> dict[str, Any]:
    return {
        "id": f"{p.number:08x}-0000-4000-8000-00000000000a",
        "case_id_display": f"c{p.number:06x}",
        "short_id": f"c{p.number:06x}",
        "status": "open",
        "owned_by": "worker1",
        "created_by": "worker2",
        "registration_date": p.date,
        "sex": p.sex,
        "age": int(p.age) if p.age else None,
        "nationality": [p.country] if p.country else [],
        "protection_concerns": [PRIMERO_FORMS[form] for form in p.forms],
        "services_section": [
            {"unique_id": f"s{p.number}{n}", "service_type": kind}
            for n, kind in enumerate(("shelter", "health")[: p.number % 3])
        ],
    }


def primero_csv() -> tuple[str, str]:
    """Primero: the fields of cases as a table, lists in brackets, subforms left out."""
    file = io.StringIO()
    write = csv.writer(file, lineterminator="\n").writerow
    names = [n for n in _primero(people()[0]) if n != "services_section"]
    write(names)
    for p in people():
        said = _primero(p)
        write([json.dumps(v) if isinstance(v, list) else v for v in (said[n] for n in names)])
    return "primero.csv", file.getvalue()


def primero_export() -> tuple[str, str]:
    """Primero: cases with their data, and copies for its search."""
    cases = []
    for p in people():
        data = _primero(p)
        copies = {"srch_sex": data["sex"], "srch_concerns": [{"x": 1}]}
        cases.append({"id": data.pop("id"), "data": data, **copies})
    return "primero.json", json.dumps(cases)


def primero_api() -> tuple[str, str]:
    """Primero: what the interface answers."""
    data = [_primero(p) for p in people()]
    metadata = {"total": len(data), "per": 1000, "page": 1}
    return "primero-api.json", json.dumps({"data": data, "metadata": metadata})


def dhis2_tracker() -> tuple[str, str]:
    """DHIS2: tracked entities with attributes by name, enrolments and events of two stages."""
    entities = []
    for p in people():
        said = [("Sex", "w1", p.sex), ("Age", "w2", p.age), ("Nationality", "w3", p.country)]
        said += [(f"Exploitation: {f}", f"x{f}", "true") for f in p.forms]
        attributes = [
            {"attribute": uid, "displayName": name, "valueType": "TEXT", "value": value}
            for name, uid, value in said
            if value
        ]
        intake = {"event": f"e{p.number}", "programStage": "sA", "occurredAt": p.date}
        follow = {"event": f"f{p.number}", "programStage": "sB", "occurredAt": p.date}
        enrollment = {
            "enrollment": f"n{p.number}",
            "program": "p1",
            "status": "ACTIVE",
            "enrolledAt": f"{p.date}T00:00:00.000",
            "occurredAt": f"{p.date}T00:00:00.000",
            "attributes": attributes,
            "events": [
                {**intake, "dataValues": [{"dataElement": "dTrust", "value": "7"}], "notes": []},
                {**follow, "dataValues": [{"dataElement": "dVisit", "value": "2"}], "notes": []},
            ],
        }
        entities.append(
            {
                "trackedEntity": f"t{p.number:010d}",
                "trackedEntityType": "nEenWmSyUEp",
                "createdAt": "2024-02-01T08:00:00.000",
                "orgUnit": "o1",
                "createdBy": {"uid": "u1", "username": "worker1", "firstName": "W"},
                "inactive": False,
                "attributes": attributes,
                "enrollments": [enrollment],
                "programOwners": [{"orgUnit": "o1", "program": "p1"}],
            }
        )
    pager = {"page": 1, "pageSize": 50, "total": len(entities), "pageCount": 1}
    return "dhis2.json", json.dumps({"pager": pager, "trackedEntities": entities})


def dhis2_instances() -> tuple[str, str]:
    """DHIS2 before 2.41: another name of the list, the number of the page beside it."""
    entities = json.loads(dhis2_tracker()[1])["trackedEntities"]
    document = {"page": 1, "pageSize": 50, "total": len(entities), "instances": entities}
    return "dhis2-old.json", json.dumps(document)


def dhis2_long() -> tuple[str, str]:
    """DHIS2: events as a table with one line for each data value."""
    file = io.StringIO()
    write = csv.writer(file, lineterminator="\n").writerow
    write(["event", "enrollment", "orgUnit", "occurredAt", "dataElement", "value"])
    for p in people():
        said = [("Sex", p.sex), ("Age", p.age), ("Nationality", p.country)]
        for name, value in [*said, *((f"Exploitation: {f}", "true") for f in p.forms)]:
            if value:
                write([f"e{p.number}", f"n{p.number}", "o1", f"{p.date}T00:00:00.000", name, value])
    return "dhis2.csv", file.getvalue()


def dhis2_attributes() -> tuple[str, str]:
    """DHIS2: tracked entities as a table with one line for each attribute."""
    file = io.StringIO()
    write = csv.writer(file, lineterminator="\n").writerow
    head = ["trackedEntity", "trackedEntityType", "createdAt", "updatedAt", "orgUnit", "inactive"]
    write([*head, "storedBy", "attribute", "displayName", "value", "valueType"])
    for p in people():
        said = [("Registration date", p.date), ("Sex", p.sex), ("Age", p.age)]
        said += [("Nationality", p.country)]
        for name, value in [*said, *((f"Exploitation: {f}", "true") for f in p.forms)]:
            own = [f"t{p.number:010d}", "nEenWmSyUEp", "2024-02-01T08:00:00.000"]
            own += ["2024-02-01T08:00:00.000", "o1", "false", "worker1", f"a{name[:3]}"]
            if value:
                write([*own, name, value, "TEXT"])
    return "dhis2-attributes.csv", file.getvalue()


def commcare_forms() -> bytes:
    """CommCare: forms as a workbook, with choices in columns and a sheet for the repeat."""
    book = Workbook()
    forms, repeat = book.active, book.create_sheet("Repeat- perps")
    group = "form.intake"
    choices = [f"{group}.exploitation | {form}" for form in ("sexual", "labour", "extra")]
    head = ["number", "formid", f"{group}.sex", f"{group}.age", f"{group}.nationality", *choices]
    forms.title = "Forms"
    forms.append([*head, f"{group}.intake_date", "started_time", "username", "received_on"])
    repeat.append(["number", "number__0", "number__1", "form.perps.perp_sex"])
    for p in people():
        ticks = [1 if f in p.forms else "" for f in ("sexual", "labour", "extra")]
        answers = [p.sex, p.age or "---", p.country or "---", *(ticks if p.forms else ["---"] * 3)]
        late = "2025-02-01 08:00:00"
        forms.append([str(p.number), f"f{p.number}", *answers, p.date, late, "worker1", late])
        for n, sex in enumerate(p.offenders):
            repeat.append([f"{p.number}.{n}", p.number, n, sex])
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def commcare() -> tuple[str, str]:
    """CommCare: cases of two types, of which one hangs on the other."""
    cases: list[dict[str, Any]] = []
    for p in people():
        properties = {
            "sex": p.sex,
            "age": p.age or "---",
            "nationality": p.country or "---",
            "exploitation": " ".join(p.forms) or "---",
        }
        cases.append(_case(p, f"v{p.number}", "victim", properties, {}))
        for n, sex in enumerate(p.offenders):
            parent = {"case_id": f"v{p.number}", "case_type": "victim", "relationship": "child"}
            one = _case(p, f"s{p.number}{n}", "suspect", {"sex": sex}, {"parent": parent})
            cases.append(one)
    document = {"matching_records": len(cases), "cases": cases}
    return "commcare.json", json.dumps(document)


def commcare_v1() -> tuple[str, str]:
    """CommCare: version 1 of the interface, with the type among the properties."""
    objects = []
    for case in json.loads(commcare()[1])["cases"]:
        kept = {k: case[k] for k in ("domain", "case_id", "closed", "date_closed", "indices")}
        head = {k: case[k] for k in ("case_name", "case_type", "owner_id", "date_opened")}
        kept["properties"] = {**head, **case["properties"]}
        objects.append({**kept, "user_id": "u1", "xform_ids": ["x1", "x2"]})
    meta = {"limit": 5000, "next": None, "offset": 0, "previous": None, "total_count": len(objects)}
    return "commcare-v1.json", json.dumps({"meta": meta, "objects": objects})


def _case(
    p: Person, number: str, kind: str, properties: dict[str, str], indices: dict[str, Any]
) -> dict[str, Any]:
    return {
        "domain": "d",
        "case_id": number,
        "case_type": kind,
        "case_name": f"{kind} {p.number}",
        "external_id": None,
        "owner_id": "o1",
        "date_opened": f"{p.date}T10:00:00.000000Z",
        "last_modified": f"{p.date}T11:00:00.000000Z",
        "server_last_modified": f"{p.date}T11:00:00.000000Z",
        "closed": False,
        "date_closed": None,
        "properties": properties,
        "indices": indices,
    }


def odk_odata() -> tuple[str, str]:
    """ODK Central: OData with repeats expanded."""
    values = [
        {
            "__id": f"uuid:{p.number:08x}",
            "__system": {
                "submissionDate": f"{p.date}T11:00:00.000Z",
                "submitterId": "7",
                "submitterName": "worker1",
                "attachmentsPresent": 0,
            },
            "meta": {"instanceID": f"uuid:{p.number:08x}", "instanceName": None},
            "intake": {
                "sex": p.sex,
                "age": int(p.age) if p.age else None,
                "nationality": p.country or None,
                "exploitation": " ".join(p.forms) or None,
                "perp": [{"__id": f"{p.number}.{n}", "perp_sex": s}
                         for n, s in enumerate(p.offenders)],
            },
        }
        for p in people()
    ]  # fmt: skip
    return "odk.json", json.dumps({"@odata.context": "x", "value": values})


def odk_archive() -> bytes:
    """ODK Central: a zip archive with the table of the form and one for the repeat."""
    form, repeat = io.StringIO(), io.StringIO()
    write = csv.writer(form).writerow
    head = ["SubmissionDate", "meta-instanceID", "intake-sex", "intake-age", "intake-nationality"]
    write([*head, "intake-exploitation", "KEY", "SubmitterID", "SubmitterName", "Status"])
    child = csv.writer(repeat).writerow
    child(["perp_sex", "PARENT_KEY", "KEY"])
    for p in people():
        key = f"uuid:{p.number:08x}"
        answers = [p.sex, p.age, p.country, " ".join(p.forms)]
        write([f"{p.date}T11:00:00.000Z", key, *answers, key, "7", "worker1", ""])
        for n, sex in enumerate(p.offenders, 1):
            child([sex, key, f"{key}/intake/perp[{n}]"])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("form-perp.csv", repeat.getvalue())
        archive.writestr("form.csv", form.getvalue())
        archive.writestr("media/a.jpg", b"x")
    return packed.getvalue()
