"""The built-in mapping ``ctdhub-form``: exports of what the form of the schema collected.

KoboToolbox and ODK write a question of several choices as one cell of choice names with blanks
between, as a column ``question/choice`` with 1 or 0 for each choice, or both; a repeat is a list in
JSON and a sheet of its own in a workbook, and is missing from CSV.  A question that was not
answered is an empty cell, in its columns of choices too: that is not recorded, and never no.
The form has no groups, so a name with a stroke is a question and its choice (``kobo: false``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ctdhub.core.text import fold
from ctdhub.schema import form
from ctdhub.schema.form import Question, questions
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.ingest.own_form import known_header
from ctdhub.sensitive.mapping.mapping import Mapping

NAME = "ctdhub-form"

SERVER = (
    *("start", "end", "today", "deviceid", "username", "phonenumber", "simserial", "subscriberid"),
    *("meta/instanceID", "meta/rootUuid", "meta/deprecatedID", "formhub/uuid", "rootUuid"),
    *("_id", "_uuid", "_submission_time", "_submitted_by", "_validation_status", "_notes", "_tags"),
    *("_status", "_index", "_attachments", "_geolocation", "_xform_id_string", "__version__"),
    *("_bamboo_dataset_id", "meta.instanceID", "meta-instanceID", "instanceID", "KEY", "Status"),
    *("SubmissionDate", "SubmitterID", "SubmitterName", "AttachmentsPresent", "DeviceID", "Edits"),
    *("AttachmentsExpected", "ReviewState", "FormVersion"),
)
"""Columns that KoboToolbox and ODK Central add; none of them is asked by the form."""

_DETAILS = {"1": form.YES, "0": form.NO, "TRUE": form.YES, "FALSE": form.NO}


def mapping() -> Mapping:
    """The mapping, made from the questions of the form."""
    asked = questions()
    columns: dict[str, list[dict[str, Any]]] = {}
    children: dict[str, list[dict[str, Any]]] = {}
    optional: list[str] = []
    for question in asked:
        place = children if question.repeat else columns
        for variable, rule in _rules(question):
            place.setdefault(variable, []).append(rule)
            optional += [rule["from"], *rule.get("when", ())]
    order = [v.name for v in load_schema().records]
    made: dict[str, Any] = {
        "version": 1,
        "name": NAME,
        "rows": "person",
        "read": {"rows": "*", "kobo": False, "form": "ctdhub", "drop": ["_*", "formhub*", "meta*"],
                 "children": {form.REPEAT: {"path": form.REPEAT}}},
        "optional": [*dict.fromkeys(optional), form.CASE],
        "identifiers": {form.CASE: "hash", **dict.fromkeys(SERVER, "strip")},
        "exclude": [{"rule": "no-consent", "unless": {form.CONSENT: [form.YES]}}],
        "columns": {name: columns[name] for name in order if name in columns},
    }  # fmt: skip
    if children:
        made["perpetrators"] = {"child": form.REPEAT, "columns": children}
    return Mapping.model_validate(made)


def fits(headers: Iterable[str]) -> bool:
    """Whether a file with these column names, as they are compared, is an export of the form."""
    given = {own.name if (own := known_header(text)) else text for text in headers}
    given = set(map(fold, given))
    asked = {fold(q.name) for q in questions() if not q.repeat and q.kind != "many"}
    return fold(form.CONSENT) in given and len(asked & given) >= ENOUGH * len(asked)


ENOUGH = 0.5
"""Share of its questions that a file must have; a form may be cut by whoever uses it."""


def _rules(question: Question) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a question says of each of its variables."""
    if not question.variables:
        return
    column = f"{form.REPEAT}.{question.name}" if question.repeat else question.name
    variable = load_schema().variable(question.variables[0])
    if question.kind == "many":
        for flag in question.variables:
            yield flag, _of_list(question, column, flag)
            yield flag, {"from": f"{column}/{flag}", "map": _DETAILS | _unless_no()}
            yield flag, _of_details(column, flag)
    elif question.kind == "integer":
        yield variable.name, {"from": column, ("year" if variable.kind == "year" else "band"): True}
    elif variable.kind == "country":
        yield variable.name, {"from": column, "country": True}
    elif variable.kind == "flag":
        nulls = [form.NOT_ASKED]
        codes = {form.YES: form.YES, form.NO: form.NO}
        yield variable.name, {"from": column, "map": codes, "null_values": nulls}
    else:
        yield variable.name, {"from": column}


def _of_list(question: Question, column: str, flag: str) -> dict[str, Any]:
    """One cell of names: what was not selected is no, unless nothing was asked."""
    others = [name for name in question.variables if name != flag]
    return {
        "from": column,
        "split": " ",
        "has": [flag],
        "absent": form.NO,
        "known": [*others, form.NONE],
        "null_values": [form.NOT_ASKED],
        "unknown": "reject",
    }


def _unless_no() -> dict[str, None]:
    return {text: None for text, code in _DETAILS.items() if code == form.NO}


def _of_details(column: str, flag: str) -> dict[str, Any]:
    """A column for each choice: 0 is no where something was asked."""
    asked = [text for text, code in _DETAILS.items() if code == form.NO]
    return {
        "from": f"{column}/{flag}",
        "map": _DETAILS,
        "when": {f"{column}/{form.NOT_ASKED}": asked},
    }
