"""What is known of the exports of some systems: what no mapping needs, and whose ids are in them.

Read in their documentation or source: KoboToolbox (kpi, formpack), ODK Central (central-backend),
DHIS2 (web API, tracker), Primero v2 (API), CommCare HQ (case API).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from ctdhub.sensitive.ingest.shape.documents import OUTER

Known = Literal["strip", "case", "hash"]
"""A decision for a column that identifies somebody, in the words of a mapping."""


@dataclass(frozen=True)
class ExportSystem:
    """A system and what its exports have.

    Attributes:
        name: what it is called.
        marks: sets of columns; a file that has all of one set comes from this system.
        drop: paths that no mapping needs: metadata, copies, places.
        own: last part of the column that numbers the records, to its decision: ``hash`` where a
            record is a person, ``case`` where it is a form that was filled in.
        users: last parts of columns that name users of the system, devices or single entries.
    """

    name: str
    marks: tuple[frozenset[str], ...]
    drop: tuple[str, ...] = ()
    own: dict[str, Known] = field(default_factory=dict)
    users: frozenset[str] = frozenset()


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SYSTEMS = (
    ExportSystem(
        "KoboToolbox",
        (frozenset(("_uuid", "_submission_time")),),
        drop=(
            *("_attachments", "_geolocation", "_notes", "_tags", "_validation_status"),
            *("_downloads", "_permissions", "_supplementalDetails"),
        ),
        own={"_id": "case"},
        users=_words(
            "_uuid uuid instanceID rootUuid deprecatedID instanceName _submitted_by "
            "username deviceid phonenumber simserial subscriberid email audit _index"
        ),
    ),
    ExportSystem(
        "ODK Central",
        (frozenset(("__id", "__system.submissionDate")), frozenset(("KEY", "SubmissionDate"))),
        drop=("__system.attachmentsPresent", "__system.attachmentsExpected"),
        own={"__id": "case", "KEY": "case"},
        users=_words(
            "submitterId submitterName SubmitterID SubmitterName deviceId DeviceID "
            "instanceID instanceName PARENT_KEY username deviceid phonenumber email"
        ),
    ),
    ExportSystem(
        "DHIS2",
        (
            frozenset(("trackedEntity", "trackedEntityType")),
            frozenset(("trackedEntityInstance", "trackedEntityType")),
            frozenset(("event", "programStage")),
        ),
        drop=(
            *("relationships", "programOwners", "geometry", "coordinates"),
            *("enrollments.relationships", "enrollments.notes", "enrollments.geometry"),
            *("enrollments.events.relationships", "enrollments.events.notes"),
            *("enrollments.events.geometry", "notes"),
        ),
        own={"trackedEntity": "hash", "trackedEntityInstance": "hash", "event": "case"},
        users=_words(
            "storedBy completedBy username firstName surname uid enrollment displayName "
            "trackedEntity event"
        ),
    ),
    ExportSystem(
        "Primero",
        tuple(
            frozenset((f"{at}case_id_display", f"{at}{mark}"))
            for at in ("", "data.")
            for mark in ("registration_date", "owned_by", "status")
        ),
        drop=("srch_*", "data.srch_*", "photos", "data.photos", "alert_count", "current_care*"),
        own={"id": "hash"},
        users=_words(
            "case_id case_id_display case_id_code short_id unique_identifier owned_by "
            "owned_by_full_name owned_by_agency_office created_by created_by_full_name "
            "last_updated_by last_updated_by_full_name previously_owned_by "
            "assigned_user_names associated_user_names unique_id name name_first "
            "name_middle name_last name_nickname"
        ),
    ),
    ExportSystem(
        "CommCare",
        (frozenset(("case_id", "case_type")), frozenset(("case_id", "properties.case_type"))),
        drop=("xform_ids", "actions"),
        own={"case_id": "hash"},
        users=_words(
            "case_id case_name external_id owner_id owner_name opened_by closed_by user_id "
            "last_modified_by last_modified_by_user_id name"
        ),
    ),
)


def system_of(columns: Iterable[str]) -> ExportSystem | None:
    """The system whose export has these columns, None where none is recognised.

    >>> system_of(["_uuid", "_submission_time", "sex"]).name
    'KoboToolbox'
    """
    found = frozenset(column.removeprefix(f"{OUTER}.") for column in columns)
    return next((s for s in SYSTEMS if any(mark <= found for mark in s.marks)), None)


def known_identifiers(columns: Iterable[str], children: Iterable[str] = ()) -> dict[str, Known]:
    """Decisions that are sure for columns of a known system.

    Args:
        columns: columns of the table and of its child rows.
        children: names of the child tables; their ids are those of entries, not of people.

    >>> known_identifiers(["_uuid", "_submission_time", "_id", "sex", "perp._id"], ["perp"])
    {'_uuid': 'strip', '_id': 'case', 'perp._id': 'strip'}
    """
    names = list(columns)
    system = system_of(names)
    stems = tuple(f"{child}." for child in children)
    decided: dict[str, Known] = {}
    for name in names if system else ():
        assert system is not None
        last = re.split(r"[./]", name)[-1]
        own = name.removeprefix(f"{OUTER}.")
        if own in system.own and not name.startswith(stems):
            decided[name] = system.own[own] if own == name else "case"
        elif last in system.users or (last in system.own and name.startswith(stems)):
            decided[name] = "strip"
    return decided
