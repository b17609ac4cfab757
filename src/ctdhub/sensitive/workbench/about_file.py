"""Answers about a file: verdicts, facets, problems, identifiers, alarms, what leaves."""

from __future__ import annotations

import secrets
from typing import Any

from ctdhub.core.error_catalogue import error
from ctdhub.core.errors import FileError, HubError
from ctdhub.core.i18n import LANGUAGES, Named, Text, field_as_json
from ctdhub.core.text import fold
from ctdhub.schema.labels import group_label
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.alarms.alarm import Alarm, AlarmLimits
from ctdhub.sensitive.alarms.delivered import ReadDelivery
from ctdhub.sensitive.alarms.ring import ring
from ctdhub.sensitive.ingest import layout
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.mapping.patched_yaml import flow
from ctdhub.sensitive.mapping.run import harmonise
from ctdhub.sensitive.workbench import history
from ctdhub.sensitive.workbench.bench import SUGGESTION, Bench, begun, bench
from ctdhub.sensitive.workbench.draft import load_draft, save_draft
from ctdhub.sensitive.workbench.facets import (
    Facets,
    choices,
    clustered,
    facets,
    read_as,
    sheets_of,
    suggestions,
    unborn,
)
from ctdhub.sensitive.workbench.missing import missing
from ctdhub.sensitive.workbench.place import Workplace
from ctdhub.sensitive.workbench.problems import is_hidden, problems
from ctdhub.sensitive.workbench.readings import named, readings
from ctdhub.sensitive.workbench.rule_data import all_rules
from ctdhub.sensitive.workbench.saved import fits, saved
from ctdhub.sensitive.workbench.verdicts import ACTIONS, LABELS, Proposed, Verdicts

Answer = dict[str, Any]


def open_(place: Workplace, request: dict[str, Any]) -> Answer:
    """Read the file; begin a draft where there is none."""
    try:
        at = _opened(place, request.get("sheet"))
    except FileError as met:
        if met.rule != "sheets" or place.file is None:
            raise
        found = layout.sheets(place.file)
        return {
            "choose": [{"sheet": s.name, "rows": s.rows, "columns": [*s.header]} for s in found]
        }
    raw = at.file.raw
    shown = {key: getattr(raw, key) for key in ("sheet", "encoding", "delimiter", "sha256")}
    told = {
        "name": place.name,
        "rows": raw.rows_read,
        "columns": len(at.file.names),
        "unread_rows": raw.rejects.num_rows,
        **shown,
        "notes": [note.as_json() for note in raw.notes],
    }
    return {"file": told, "found": saved(place, at.file)}


def _opened(place: Workplace, sheet: Any) -> Bench:
    if place.file is None:
        raise error("workbench-request")
    if isinstance(sheet, str):
        return begun(place, SUGGESTION, ReadOptions(sheet=sheet))
    if load_draft(place) is not None:
        return bench(place)
    if (at := _continued(place)) is not None:
        return at
    at = begun(place, None)
    if at.draft.start is None:
        return at
    try:
        wanted, missing = fits(at.mapping, at.file)
    except FileError:  # the mapping speaks of another sheet, or another format
        return begun(place, SUGGESTION)
    fitting = wanted and 2 * len(missing) <= len(wanted)  # one that reads nothing fits nothing
    return at if fitting else begun(place, SUGGESTION)


def _continued(place: Workplace) -> Bench | None:
    """A draft with the decisions on an earlier file of the same columns, which nobody kept yet."""
    for other in place.other_drafts():
        draft = load_draft(place, other)
        if draft is None:
            continue
        at = Bench(place, draft)
        try:
            wanted, missing = fits(at.mapping, at.file)
        except HubError:  # of another format or another sheet, or another program changed it
            continue
        if not missing and 2 * len(wanted) >= len(at.file.names):
            save_draft(place, draft)
            return at
    return None


def _verdicts(at: Bench) -> Verdicts:
    kept = [one["header"] for one in history.commits(at.place) if one["header"]]
    return Verdicts(at, tuple(kept[-1]) if kept else ())


def columns(place: Workplace, request: dict[str, Any]) -> Answer:
    """A verdict on each column."""
    at = bench(place)
    verdicts = _verdicts(at)
    found = verdicts.all()
    asked = [*verdicts.questions()]
    states = [one["state"] for one in found]
    open_ = [one["column"] for one in found if one["state"] in ("stops", "decide")]
    order = sorted(
        (one for one in found if one["column"] in open_), key=lambda one: one["state"] != "stops"
    )
    return {
        "columns": found,
        "counts": {key: states.count(key) for key in ("right", "decide", "stops", "stripped")},
        **at.effect.counts(),
        "new": verdicts.new(),
        "gone": verdicts.gone(),
        "next": order[0]["column"] if order else None,
        "questions": [
            {"question": text.as_json(), "choices": [one.as_json() for one in own]}
            for text, own in asked
        ],
        "missing": [one.as_json() for one in missing(at, found, len(asked), verdicts.two_orders())],
    }


def column(place: Workplace, request: dict[str, Any]) -> Answer:
    """The texts of a column."""
    at = bench(place)
    name = at.file.header.find(str(request.get("column")))
    if name is None:
        raise error("workbench-column", column=str(request.get("column")))
    verdicts = _verdicts(at)
    verdict = verdicts.of(name)
    answer: Answer = {"verdict": verdict, "readings": [], "silent": []}
    sheets = sheets_of(at.mapping, at.file, name)
    wanted = request.get("sheet")
    chosen = next((one for one in sheets if wanted in (None, one.name)), None)
    if chosen is None and isinstance(wanted, str):
        chosen = unborn(wanted)
    hidden = _hidden(at, [name, *(chosen.sheet.columns if chosen else ())])
    if hidden:
        chosen, sheets = None, []
    own = [facets(at.mapping, at.file, one, place.years) for one in sheets]
    answer["sheets"] = [
        {
            "sheet": one.of.name,
            "targets": [{"variable": v, "label": named(v)} for v in one.of.sheet.places],
            "flags": one.of.sheet.flags,
            "unknown": len(one.unknown()),
        }
        for one in own
    ]
    answer["blank"] = at.file.raw.table.num_rows - verdict["filled"]
    bare = verdict["state"] == "stripped" or not verdict["examples"]
    if hidden or (chosen is None and bare):
        return {**answer, **_no_values(), "sheet": None, "rule": ""}
    silent = {*map(fold, at.mapping.empty)}
    answer["silent"] = [
        {"text": one.text, "rows": one.rows}
        for one in at.file.counts(name)
        if fold(one.text) in silent
    ]
    if not sheets:
        answer["readings"] = readings(at.file, name, at.draft.document())
    if chosen is None:
        return {**answer, **_bare(at, name, request), "sheet": None, "rule": _rules(at, verdict)}
    found = facets(at.mapping, at.file, chosen, place.years)
    return {
        **answer,
        **_values(found, request),
        "sheet": chosen.name,
        "choices": list(choices(chosen)),
        "rule": _rules(at, verdict),
    }


def _hidden(at: Bench, columns: list[str]) -> bool:
    """Whether one of some columns may identify people; then nobody is shown a text of them."""
    named = (at.file.header.find(column) or column for column in columns)
    return any(is_hidden(at, one) for one in named)


def _no_values() -> Answer:
    return {"choices": [], "values": [], "total": 0, "clusters": [], "note": None}


def _rules(at: Bench, verdict: dict[str, Any]) -> str:
    rules = all_rules(at.draft.document(), "records")
    names = [one["variable"] for one in verdict["targets"] if one["variable"] in rules]
    return "\n".join(f"{name}: {flow(rules[name])}" for name in names)


def _values(found: Facets, request: dict[str, Any]) -> Answer:
    meant = suggestions(found)
    groups, note = clustered(found)
    of = {text: n for n, one in enumerate(groups) for text in one.texts}
    values = [
        {
            "text": one.text,
            "rows": one.rows,
            "decided": [*found.today.get(fold(one.text), ())],
            "suggested": meant[one.text].as_json() if one.text in meant else None,
            "cluster": of.get(one.text),
        }
        for one in found.values
    ]
    decided = {fold(text): answer for text, answer in found.today.items() if answer}
    clusters = []
    for number, one in enumerate(groups):
        known = next((decided[fold(t)] for t in one.texts if fold(t) in decided), None)
        guess = next((meant[t].as_json() for t in one.texts if t in meant), None)
        if known is not None:
            same = Text("decided so for another spelling")
            guess = {"codes": [*known], "reason": same.as_json(), "sure": one.method == "key"}
        told = {"cluster": number, "method": one.method, "texts": [*one.texts], "rows": one.rows}
        clusters.append({**told, "suggested": guess})
    said = note.as_json() if note else None
    return {**_page(values, request), "clusters": clusters, "note": said}


def _bare(at: Bench, name: str, request: dict[str, Any]) -> Answer:
    """Texts of a column whose rules look no texts up, or that no rule reads."""
    read = read_as(at.effect, at.file, name)
    values = [
        {
            "text": one.text,
            "rows": one.rows,
            "decided": read.get(fold(one.text), []),
            "suggested": None,
            "cluster": None,
        }
        for one in at.file.counts(name)
    ]
    return {**_no_values(), **_page(values, request)}


def _page(values: list[dict[str, Any]], request: dict[str, Any]) -> Answer:
    """The part of the values that is asked for."""
    show, find = request.get("show", "all"), fold(str(request.get("find") or ""))
    if show in ("unknown", "decided"):
        values = [one for one in values if bool(one["decided"]) == (show == "decided")]
    if find:
        values = [one for one in values if find in fold(one["text"])]
    sort = request.get("sort", "rows")
    if sort == "text":
        values = sorted(values, key=lambda one: fold(one["text"]))
    elif sort == "decision":
        values = sorted(values, key=lambda one: (bool(one["decided"]), one["decided"]))
    start, limit = (int(request.get(key) or default) for key, default in _PAGE)
    return {"values": values[start : start + limit], "total": len(values)}


_PAGE = (("start", 0), ("limit", 100))


def suggested(place: Workplace, request: dict[str, Any]) -> Answer:
    """Everything that is proposed and that nobody has decided."""
    verdicts = _verdicts(bench(place))
    wanted = request.get("column")
    return {
        "suggested": [
            {"column": name, **one.as_json(), "rows": one.rows}
            for name, one in verdicts.every_suggestion()
            if wanted in (None, name)
        ]
    }


def problems_(place: Workplace, request: dict[str, Any]) -> Answer:
    """What is wrong, by text, with the cells."""
    at = bench(place)
    found = problems(at)
    start, limit = int(request.get("start") or 0), int(request.get("limit") or 50)
    rejected = at.effect.counts()["rejected"]
    return {"problems": found[start : start + limit], "total": len(found), "rejected": rejected}


def identifiers(place: Workplace, request: dict[str, Any]) -> Answer:
    """Columns that may identify people, and what happens to each."""
    at = bench(place)
    decided = {fold(c): d for c, d in at.mapping.identifiers.items()}
    found = []
    for name in at.file.names:
        finding, decision = at.file.findings.get(name), decided.get(fold(name))
        if finding is None and decision is None:
            continue
        action = decision.action if decision else None
        reason = finding.reason if finding else ACTIONS[str(action)]
        counts = at.file.counts(name)
        found.append(
            {
                "column": name,
                "kind": finding.kind if finding else None,
                "reason": reason.as_json(),
                "action": action,
                "keep_reason": decision.reason if decision else None,
                "distinct": len(counts),
                "filled": sum(one.rows for one in counts),
                "choices": [_choice(name, one) for one in LABELS],
            }
        )
    return {"columns": found}


def _choice(column: str, action: str) -> dict[str, Any]:
    """A decision; that of ``keep`` needs a reason, which the reader writes into it."""
    decision: Any = {"keep": ""} if action == "keep" else action
    operations = ({"op": "identifier", "column": column, "decision": decision},)
    made = Proposed(LABELS[action], ACTIONS[action], False, operations)
    return {"action": action, **made.as_json()}


def alarms(place: Workplace, request: dict[str, Any]) -> Answer:
    """What would be asked at the hub about this file."""
    from ctdhub.sensitive.linkage.shared_keys import births_apart

    at = bench(place)
    done = harmonise(
        at.file.raw, at.mapping, place.contributor, place.years, secrets.token_bytes(32)
    )
    account = done.conservation
    now = ReadDelivery(
        place.contributor, place.day, at.mapping, (done.texts,), done.records,
        account.rows_read, account.rejected, births_apart(done.records, done.births),
    )  # fmt: skip
    limits = AlarmLimits(unknown_share=place.unknown_share)
    return {"alarms": [_alarm(one) for one in ring([now], limits)]}


def _alarm(one: Alarm) -> dict[str, Any]:
    entry = {"alarm": one.entry, "delivery": one.delivery}
    return {
        "name": one.name,
        "about": one.about,
        "what": one.what().as_json(),
        "stops": one.stops,
        "accepted": one.accepted,
        "operations": [{"op": "accept", "entry": entry, "on": True}],
    }


def mappings(place: Workplace, request: dict[str, Any]) -> Answer:
    """Mappings that were kept before, and how well each reads the file."""
    return {"mappings": saved(place, bench(place).file)}


def begin(place: Workplace, request: dict[str, Any]) -> Answer:
    """Begin the draft anew on another base."""
    begun(place, str(request.get("from", SUGGESTION)))
    return {}


def variables(place: Workplace, request: dict[str, Any]) -> Answer:
    """Every variable that a column may be read as."""
    found = []
    for one in load_schema().records:
        group = one.group
        said = None
        if group:
            said = field_as_json(Named(tuple(group_label(group, code) for code in LANGUAGES)))
        told = {"variable": one.name, "label": named(one.name), "group": said, "kind": one.kind}
        found.append(told)
    return {"variables": found}
