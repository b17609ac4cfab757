"""One request about a contributor's own file and its mapping, and its answer: JSON in, JSON out.

Belongs here: the contract, and which module answers what.
Does not belong here: who may ask (the desk's ``allowed``), pages, words of any language.

**Request.**  An object.  The carrier sets these keys itself, from what it knows, never from a form:

=================  ===============================================================================
``folder``         absolute path of a hub or of a kit's folder; ``mappings/`` lies in it
``contributor``    its id
``who``            id of the person who asks, ``[A-Za-z0-9_-]{1,64}``: each person has a draft
``day``            date of the delivery: the mapping in force on that day is the base of the draft
``file``           absolute path of the file, null where only the mapping is asked about
``name``           the file's name as its owner knows it (the file's own, if missing)
``unknown_share``  share of a column's filled cells that may be unknown texts before an alarm rings
                   (that of an agreement that states none, if missing)
``years``          first and last year of the public bounds (those of the schema, if missing)
``own_draft``      id of the file, where each file has a draft of its own (else those of a day share
                   one); decisions not kept yet on an earlier file of these columns are found again
=================  ===============================================================================

``ask`` names the request; the keys below come from the reader.

**Answer.**  An object with the keys named below and ``draft``, or ``{"error": …}`` as
``core.errors.as_json`` writes it, and then nothing was changed.  A request changes at most
``MOST_CHANGES`` things.  Where this text says
*Text* there is ``Text.as_json()``, where it says *Name* ``i18n.field_as_json`` of a ``Named``:
``i18n.field_from_json`` reads both.  Texts of cells stand only where this says *text of a cell*,
and in errors never.

``draft``: ``{"operations": active ones, "sha256": of the mapping's text as the draft has it,
"from": date from which the base reads ("" before every date, null where there is none),
"kept": whether the mapping of the folder says the same already, "stale": whether somebody else kept
another mapping since, "invalid": Text | null}``

**Operations** are what an edit is made of.  Each has ``op`` and the keys of its line; an answer
adds ``n`` (number in the draft), ``before`` (the value before it, null where there was none) and
``undone``.

==============  ==================================================================================
``map``         ``sheet``, ``text`` (of a cell, or element of a list), ``codes``: codes of the
                variable, several flags of a list, or one of ``not-recorded``, ``other-kind``,
                ``stays-unknown``; none takes the decision away
``rule``        ``variable`` (``perpetrators.`` before those of child rows), ``rule``: as in a
                mapping's YAML, a list of rules, or null for none
``empty``       ``text``, ``on``: whether it means "not recorded" in every column
``known``       ``variable``, ``text``, ``on``: a text of a list that is another kind
``identifier``  ``column``, ``decision``: ``strip``, ``hash``, ``token``, ``case``, ``band``,
                ``{"keep": reason}``, null for none
``exclude``     ``name``, ``rule``: as in YAML without its name, null for none
``accept``      ``entry``: as in YAML (``{"alarm": …}`` or ``{"text": …, "column": …}``), ``on``
``optional``    ``column``, ``on``: whether a file may lack it
``setting``     ``key``: ``read``, ``dates``, ``rows``, ``key``, ``tokens``, ``optional``,
                ``perpetrators``, ``tests``, ``name``, ``builtin``, or a part of the first, as in
                ``read.notes``; ``value``: null takes it away
``layout``      ``text``: the mapping's text with other comments or layout; only ``write`` makes it
==============  ==================================================================================

Wherever an answer proposes something it holds the ``operations`` that a click sends back by ``do``.

**Requests.**

``open`` (``sheet``?)
    Reads the file and begins a draft where there is none.  ``{"choose": [{"sheet", "rows",
    "columns": [name]}]}`` where several sheets may hold the records: ask again with one of them.
    Else ``{"file": {"name", "rows", "columns", "unread_rows", "sheet", "encoding", "delimiter",
    "sha256", "notes": [Text]}, "found": saved mappings, see ``mappings``}``.
``columns``
    ``{"columns": [verdict], "counts": {"right", "decide", "stops", "stripped"}, "rows", "records",
    "rejected", "excluded": {name: rows}, "new": [column], "gone": [column], "next": column | null,
    "questions": [{"question": Text, "choices": [{"label": Text, "operations"}]}],
    "missing": [{"text": Text, "blocks": bool, "columns": [column]}]}``.
    ``questions`` are about the whole file (what a row is, the order of day and month, lines of
    totals).  ``missing``: what is not decided or not read, what that costs, and whether it blocks.
    A verdict: ``{"column", "state": "right" | "decide" | "stops" | "stripped", "reason": Text,
    "targets": [{"variable", "label": Name}], "filled": cells, "distinct": texts,
    "examples": [{"text", "rows"}] (texts of cells; none of an identifier),
    "unknown": {"texts", "rows"}, "suggested": texts with a suggested code, "new", "gone": bool,
    "identifier": {"kind", "action", "reason": Text} | null,
    "proposals": [{"label": Text, "reason": Text, "sure": bool, "operations"}]}``.
    ``new``: the last file that was kept lacks it; ``gone``: that had it, or a rule reads it.
``column`` (``column``, ``sheet``?, ``show``?: ``all`` | ``unknown`` | ``decided``,
``sort``?: ``rows`` | ``text`` | ``decision``, ``find``?, ``start``?, ``limit``? (100))
    ``{"verdict", "sheets": [{"sheet", "targets", "flags": bool, "unknown": texts}], "sheet":
    the one that ``values`` are about | null, "choices": [{"code", "label": Name | Text, "likely":
    bool}], "values": [{"text", "rows", "decided": [code], "suggested": {"codes", "reason": Text,
    "sure": bool} | null, "cluster": number | null}], "total": values before ``start`` and
    ``limit``, "blank": rows, "clusters": [{"cluster": number, "method": "key" | "near",
    "texts", "rows", "suggested"}], "note": Text | null (texts that were not compared),
    "silent": [{"text", "rows"}] (read as not recorded in every column),
    "rule": the rule's YAML, "readings": see below}`` (texts of cells).
    Without a rule for the column ``sheet`` is null, ``values`` are its bare texts, and
    ``readings`` says what it may be: ``[{"label": Name, "variable", "reason": Text, "sure",
    "share": 0 to 1, "operations"}]``, likely ones first, then every variable; a list of kinds is
    one reading with an operation for each flag.  A list that no rule searches yet is asked for by
    ``sheet``: ``list:records:<mark as JSON>:<columns as JSON>``.
``try`` (``operations``)
    What they would change, without doing it: ``{"change": {"rows": rows that are read otherwise,
    "records", "rejected", "excluded", "people": [now, then] each (people null without a key),
    "variables": [{"variable", "label": Name, "rows", "recorded": [now, then]}]}}``.
``do`` (``operations``)
    Adds them to the draft: ``{"done": [n], "change"}``.  All or none.
``suggested`` (``column``?)
    Every suggested code and proposal that nobody has decided: ``{"suggested": [{"column",
    "label": Text, "reason": Text, "sure": bool, "rows", "operations"}]}``.
``undo`` (``n``: [number], ``later``?: ``undo`` | ``stay``), ``redo`` (``n``)
    Selective: the draft without these operations.  Where later ones touch the same key:
    ``{"later": [operation]}`` and nothing is done until ``later`` says what becomes of them.
    Else ``{"undone": [n], "change"}``.
``discard``
    Ends the draft: ``{}``.
``history``
    ``{"operations": [operation] of the draft, "commits": [{"number", "time", "who", "why",
    "from", "before", "after" (SHA-256), "operations": [operation], "undoes": [number] | null}],
    "outside": whether the last one was made by hand}``, newest first.  The chain is verified.
``undo_kept`` (``commit``, ``n``?: [number])
    Operations that take a commit, or some operations of it, back, added to the draft; ``later`` as
    with ``undo``: ``{"done": [n], "change"}``.
``text``
    ``{"text": the mapping as YAML, "lines": {variable: first line}}``.
``write`` (``text``)
    The mapping as somebody typed it; becomes operations: ``{"done": [n], "change"}``.
``keep`` (``why``?, ``from``?)
    Commits the draft to ``mappings/<contributor>/<from>.yaml``; ``from`` is the delivery's day
    unless given, "" for ``mappings/<contributor>.yaml``.  Where somebody else meanwhile kept
    something that an operation concerns, with another value for its key, nothing is kept:
    ``{"conflicts": [{"operation", "theirs": value, "who", "time", "operations": to do it all the
    same}]}``, and the draft is over what that person kept, without these operations.
    Else ``{"kept": {"number", "from", "sha256", "path"}}``.
``problems`` (``start``?, ``limit``? (50))
    ``{"problems": [{"rule", "reason": Text, "column" | null, "text": of a cell | null, "rows":
    number of rows, "cells": [{"row", "column"}] the first 20}], "total", "rejected"}``.
``identifiers``
    ``{"columns": [{"column", "kind" | null, "reason": Text, "action" | null, "keep_reason",
    "distinct", "filled", "choices": [{"action", "label": Text, "operations"}]}]}``: likely
    identifiers, and columns that the mapping decides on.  Never a text of their cells.
``alarms``
    What would be asked at the hub: ``{"alarms": [{"name", "about", "what": Text, "stops": bool,
    "accepted": bool, "operations": to accept it}]}``.
``mappings``
    ``{"mappings": [{"from", "fits": columns that are there, "of": columns that it reads,
    "missing": [column], "builtin": name | null, "chosen": bool}]}``, best first.
``begin`` (``from``: a date, "", ``suggestion``, or a built-in's name)
    Begins the draft anew on another base; operations so far are gone: ``{}``.
``variables``
    Every variable that a column may be read as: ``{"variables": [{"variable", "label": Name,
    "group": Name | null, "kind"}]}``.
"""

import json
import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from ctdhub.core.errors import FileError, HubError, as_json, error
from ctdhub.core.files import is_day
from ctdhub.core.i18n import LANGUAGES, Named, Text, field_as_json
from ctdhub.core.tables import fold
from ctdhub.schema.labels import group_label
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.alarms.alarm import Alarm, AlarmLimits, ReadDelivery
from ctdhub.sensitive.alarms.checks import ring
from ctdhub.sensitive.ingest import layout
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.mapping import mapping_file
from ctdhub.sensitive.mapping.edits import Operation, all_rules, checked
from ctdhub.sensitive.mapping.mapping_file import flow, lines_of, text_of
from ctdhub.sensitive.mapping.run import harmonise
from ctdhub.sensitive.workbench import drafts, facets, opened, verdicts
from ctdhub.sensitive.workbench.decisions import list_sheet
from ctdhub.sensitive.workbench.drafts import DraftFold, Workplace
from ctdhub.sensitive.workbench.facets import Facets, SuggestedCode
from ctdhub.sensitive.workbench.opened import SUGGESTION, Bench, TextCount, bench
from ctdhub.sensitive.workbench.readings import named, readings
from ctdhub.sensitive.workbench.verdicts import (
    LABELS,
    Verdict,
    Verdicts,
    identifier_click,
    is_hidden,
)

# --------------------------------------------------------------------------------------------------
# Answers about a file: verdicts, facets, problems, identifiers, alarms, what leaves.

Answer = dict[str, Any]


def _plain(value: Any) -> Any:
    """A value as JSON has it: of a record its fields, of a sentence what it is made of."""
    if isinstance(value, Text | Named):
        return field_as_json(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [*map(_plain, value)]
    return value


def open_(place: Workplace, request: dict[str, Any]) -> Answer:
    """Read the file; begin a draft where there is none."""
    try:
        at = _opened(place, request.get("sheet"))
    except FileError as met:
        if met.rule != "sheets" or place.file is None:
            raise
        found = layout.sheets(place.file)
        return {"choose": [{"sheet": s.name, "rows": s.rows, "columns": s.header} for s in found]}
    raw = at.file.raw
    shown = {
        key: getattr(raw, key) for key in ("sheet", "encoding", "delimiter", "sha256", "notes")
    }
    told = {"name": place.name, "rows": raw.rows_read, "columns": len(at.file.names), **shown}
    return {
        "file": told | {"unread_rows": raw.rejects.num_rows},
        "found": opened.saved(place, at.file),
    }


def _opened(place: Workplace, sheet: Any) -> Bench:
    if place.file is None:
        raise error("workbench-request")
    if isinstance(sheet, str):
        return opened.begun(place, SUGGESTION, ReadOptions(sheet=sheet))
    draft, now = drafts.load_draft(place), mapping_file.in_force(*place.of_day)
    if draft is not None:
        if now and draft.seen == drafts.digest(draft.base) != drafts.digest(text_of(now[1])):
            over, lost = _renewed(place, draft, now)
            draft = draft if lost else _saved_as(place, over)
        return Bench(place, draft)
    others = list(_of_other_files(place))
    at = None if now is None and others else opened.begun(place, None)
    if now and at and _fitting(at):
        unkept = next((one for one in others if one.active), None)
        if unkept is None:
            return at
        return Bench(place, _saved_as(place, _renewed(place, unkept, now)[0]))
    if others:
        return Bench(place, _saved_as(place, others[0]))
    return at if at and now is None else opened.begun(place, SUGGESTION)


def _renewed(
    place: Workplace, draft: DraftFold, now: tuple[str, Path]
) -> tuple[DraftFold, list[Operation]]:
    """What of a draft is not kept, over the mapping in force; and what that contradicts."""
    text = text_of(now[1])
    try:
        return drafts.renewed(draft, text, now[0], drafts.commits(place))
    except HubError:  # the two make no mapping
        return DraftFold(text, now[0], (), drafts.digest(text), draft.file), [*draft.active]


def _saved_as(place: Workplace, draft: DraftFold) -> DraftFold:
    drafts.save_draft(place, draft)
    return draft


def _fitting(at: Bench) -> bool:
    """Whether a mapping reads this file: most of its columns are there, and it has some."""
    try:
        wanted, missing = opened.fits(at.mapping, at.file)
    except FileError:  # the mapping speaks of another sheet, or another format
        return False
    return bool(wanted) and 2 * len(missing) <= len(wanted)


def _of_other_files(place: Workplace) -> Iterator[DraftFold]:
    """Drafts with decisions on earlier files of the same columns, the newest first."""
    for path in place.other_drafts():
        draft = drafts.load_draft(place, path)
        if draft is None:
            continue
        at = Bench(place, draft)
        try:
            wanted, missing = opened.fits(at.mapping, at.file)
        except HubError:  # of another format or another sheet, or another program changed it
            continue
        if not missing and 2 * len(wanted) >= len(at.file.names):
            yield draft


def _verdicts(at: Bench) -> Verdicts:
    kept = [one["header"] for one in drafts.commits(at.place) if one["header"]]
    return Verdicts(at, tuple(kept[-1]) if kept else ())


def columns(place: Workplace, request: dict[str, Any]) -> Answer:
    """A verdict on each column."""
    at = bench(place)
    every = _verdicts(at)
    found = every.all()
    asked = [*every.questions()]
    states = [one.state for one in found]
    order = [one.column for state in ("stops", "decide") for one in found if one.state == state]
    return {
        "columns": found,
        "counts": {key: states.count(key) for key in ("right", "decide", "stops", "stripped")},
        **at.effect.counts(),
        "new": every.new(),
        "gone": every.gone(),
        "next": order[0] if order else None,
        "questions": [{"question": text, "choices": own} for text, own in asked],
        "missing": verdicts.missing(at, found, len(asked), every.two_orders()),
    }


def column(place: Workplace, request: dict[str, Any]) -> Answer:
    """The texts of a column."""
    at = bench(place)
    name = at.file.header.find(str(request.get("column")))
    if name is None:
        raise error("workbench-column", column=str(request.get("column")))
    verdict = _verdicts(at).of(name)
    sheets = facets.sheets_of(at.mapping, at.file, name)
    wanted = request.get("sheet")
    chosen = next((one for one in sheets if wanted in (None, one.name)), None)
    if chosen is None and isinstance(wanted, str):
        chosen = list_sheet(wanted)
    columns = (at.file.header.find(c) or c for c in (name, *(chosen.columns if chosen else ())))
    if hidden := any(is_hidden(at, column) for column in columns):
        chosen, sheets = None, []
    own = [facets.facets(at.mapping, at.file, one, place.years) for one in sheets]
    told = [
        {
            "sheet": one.of.name,
            "targets": [{"variable": v, "label": named(v)} for v in one.of.places],
            "flags": one.of.flags,
            "unknown": len(one.unknown()),
        }
        for one in own
    ]
    answer: Answer = {
        "verdict": verdict, "sheets": told, "blank": at.file.raw.table.num_rows - verdict.filled,
        "sheet": None, "rule": "", "readings": [], "silent": [], "choices": [], "values": [],
        "total": 0, "clusters": [], "note": None,
    }  # fmt: skip
    bare = verdict.state == "stripped" or not verdict.examples
    if hidden or (chosen is None and bare):
        return answer
    silent = {*map(fold, at.mapping.empty)}
    answer["silent"] = [one for one in at.file.counts(name) if fold(one.text) in silent]
    answer["rule"] = _rules(at, verdict)
    if not sheets:
        answer["readings"] = readings(at.file, name, at.draft.document())
    if chosen is not None:
        found = facets.facets(at.mapping, at.file, chosen, place.years)
        answer |= {"sheet": chosen.name, "choices": facets.choices(chosen)}
        return answer | _values(found, request)
    read = facets.read_as(at.effect, at.file, name)
    bare_texts = [_value(one, read.get(fold(one.text), ())) for one in at.file.counts(name)]
    return answer | _page(bare_texts, request)


def _rules(at: Bench, verdict: Verdict) -> str:
    rules = all_rules(at.draft.document(), "records")
    names = [one["variable"] for one in verdict.targets if one["variable"] in rules]
    return "\n".join(f"{name}: {flow(rules[name])}" for name in names)


def _values(found: Facets, request: dict[str, Any]) -> Answer:
    meant = facets.suggestions(found)
    groups, note = facets.clustered(found)
    of = {text: n for n, one in enumerate(groups) for text in one.texts}
    values = [
        _value(one, found.today.get(fold(one.text), ()), meant.get(one.text), of.get(one.text))
        for one in found.values
    ]
    clusters = []
    for number, one in enumerate(groups):
        known = next((said for t in one.texts if (said := found.today.get(fold(t)))), None)
        guess = next((meant[t] for t in one.texts if t in meant), None)
        if known is not None:
            same = Text("decided so for another spelling")
            guess = SuggestedCode(known, same, one.method == "key")
        clusters.append({"cluster": number, **one._asdict(), "suggested": guess})
    return {**_page(values, request), "clusters": clusters, "note": note}


def _value(
    one: TextCount,
    decided: Sequence[str],
    meant: SuggestedCode | None = None,
    cluster: int | None = None,
) -> dict[str, Any]:
    return {**one._asdict(), "decided": decided, "suggested": meant, "cluster": cluster}


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
    every = _verdicts(bench(place))
    wanted = request.get("column")
    return {
        "suggested": [
            {"column": name, **one._asdict(), "rows": rows}
            for name, one, rows in every.every_suggestion()
            if wanted in (None, name)
        ]
    }


def problems_(place: Workplace, request: dict[str, Any]) -> Answer:
    """What is wrong, by text, with the cells."""
    at = bench(place)
    found = verdicts.problems(at)
    start, limit = int(request.get("start") or 0), int(request.get("limit") or 50)
    rejected = at.effect.counts()["rejected"]
    return {"problems": found[start : start + limit], "total": len(found), "rejected": rejected}


def identifiers(place: Workplace, request: dict[str, Any]) -> Answer:
    """Columns that may identify people, and what happens to each."""
    at = bench(place)
    every = _verdicts(at)
    reasons = {fold(c): d.reason for c, d in at.mapping.identifiers.items()}
    return {
        "columns": [
            {
                "column": name,
                **said,
                "keep_reason": reasons.get(fold(name)),
                "distinct": len(at.file.counts(name)),
                "filled": at.file.filled(name),
                "choices": [
                    {"action": one, **identifier_click(name, one)._asdict()} for one in LABELS
                ],
            }
            for name in at.file.names
            if (said := every.identifier(name))
        ]
    }


def alarms(place: Workplace, request: dict[str, Any]) -> Answer:
    """What would be asked at the hub about this file."""
    from ctdhub.sensitive.linkage.deliveries import births_apart

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
        "what": one.what(),
        "stops": one.stops,
        "accepted": one.accepted,
        "operations": [{"op": "accept", "entry": entry, "on": True}],
    }


def mappings(place: Workplace, request: dict[str, Any]) -> Answer:
    """Mappings that were kept before, and how well each reads the file."""
    return {"mappings": opened.saved(place, bench(place).file)}


def begin(place: Workplace, request: dict[str, Any]) -> Answer:
    """Begin the draft anew on another base."""
    opened.begun(place, str(request.get("from", SUGGESTION)))
    return {}


def variables(place: Workplace, request: dict[str, Any]) -> Answer:
    """Every variable that a column may be read as."""
    found = []
    for one in load_schema().records:
        group = one.group
        said = Named(tuple(group_label(group, code) for code in LANGUAGES)) if group else None
        told = {"variable": one.name, "label": named(one.name), "group": said, "kind": one.kind}
        found.append(told)
    return {"variables": found}


# --------------------------------------------------------------------------------------------------
# Answers about the draft and the history of a mapping; what a request looks like: ``ask``.


def state(place: Workplace) -> dict[str, Any] | None:
    """What every answer says of the draft; None where there is none and nothing to begin one."""
    try:
        draft = opened.draft_of(place)
    except HubError:
        return None
    now = mapping_file.in_force(*place.of_day)
    there = text_of(now[1]) if now else None
    found: dict[str, Any] = {"operations": len(draft.active), "from": draft.start}
    found["stale"] = (drafts.digest(there) if there else None) != draft.seen
    try:
        text = draft.text()
        found |= {"sha256": drafts.digest(text), "kept": text == there, "invalid": None}
    except HubError as met:
        found |= {"sha256": None, "kept": False, "invalid": met.fault}
    return found


def do(place: Workplace, request: dict[str, Any]) -> Answer:
    """Add operations to the draft."""
    return _add(place, [checked(one) for one in _list(request, "operations")])


def try_(place: Workplace, request: dict[str, Any]) -> Answer:
    """What operations would change."""
    draft = opened.draft_of(place)
    after = draft.with_operations([checked(one) for one in _list(request, "operations")])
    return {"change": _change(place, draft, after)}


def _add(place: Workplace, operations: list[Operation]) -> Answer:
    draft = opened.draft_of(place)
    after = draft.with_operations(operations)
    answer = {"done": [one["n"] for one in after.operations[len(draft.operations) :]]}
    return {**answer, "change": _saved(place, draft, after)}


def _saved(place: Workplace, before: DraftFold, after: DraftFold) -> dict[str, Any] | None:
    told = _change(place, before, after)
    drafts.save_draft(place, after)
    return told


def _change(place: Workplace, before: DraftFold, after: DraftFold) -> dict[str, Any] | None:
    """What rows become otherwise; None without a file."""
    if place.file is None:
        return None
    now, then = Bench(place, before), Bench(place, after)
    if now.mapping.read != then.mapping.read:
        return None  # another table: its rows are not those
    return opened.change(now.effect, then.effect, named)


def undo(place: Workplace, request: dict[str, Any]) -> Answer:
    """Undo operations; later ones on their keys are shown first, or undone too, or stay."""
    draft, numbers = opened.draft_of(place), _numbers(request)
    later = draft.later(numbers)
    if later and request.get("later") not in ("undo", "stay"):
        return {"later": later}
    if request.get("later") == "undo":
        numbers += [one["n"] for one in later]
    return {"undone": numbers, "change": _saved(place, draft, draft.marked(numbers, undone=True))}


def redo(place: Workplace, request: dict[str, Any]) -> Answer:
    """Do undone operations again."""
    numbers = _numbers(request)
    draft = opened.draft_of(place)
    return {"done": numbers, "change": _saved(place, draft, draft.marked(numbers, undone=False))}


def discard(place: Workplace, request: dict[str, Any]) -> Answer:
    """End the draft."""
    drafts.drop_draft(place)
    return {}


def history_of_edits(place: Workplace, request: dict[str, Any]) -> Answer:
    """Operations of the draft and commits, newest first."""
    hidden = ("previous", "hash", "header")
    every = reversed(drafts.commits(place))
    commits = [{k: v for k, v in one.items() if k not in hidden} for one in every]
    draft = drafts.load_draft(place)
    operations = list(reversed(draft.operations)) if draft else []
    outside = bool(commits) and commits[0]["who"] == drafts.OUTSIDE
    return {"operations": operations, "commits": commits, "outside": outside}


def undo_kept(place: Workplace, request: dict[str, Any]) -> Answer:
    """Take a commit, or operations of it, back by operations in the draft."""
    number = request.get("commit")
    if not isinstance(number, int):
        raise error("workbench-request")
    which = _numbers(request) if "n" in request else []
    operations, later = drafts.undoing(place, number, which)
    if later and request.get("later") not in ("undo", "stay"):
        return {"later": later}
    if request.get("later") == "undo":
        more = [drafts.undone(one) for one in reversed(later)]
        operations = [*more, *operations]
    return _add(place, operations)


def text(place: Workplace, request: dict[str, Any]) -> Answer:
    """The mapping as YAML, with the first line of each rule."""
    words = opened.draft_of(place).text()
    places = lines_of(words, place.shown)
    lines = {".".join(map(str, where[-1:])): n for where, n in places.items() if len(where) > 1}
    return {"text": words, "lines": lines}


def write(place: Workplace, request: dict[str, Any]) -> Answer:
    """The mapping as somebody typed it."""
    typed = request.get("text")
    if not isinstance(typed, str):
        raise error("workbench-request")
    typed = typed.replace("\r\n", "\n") if "\r\n" not in opened.draft_of(place).text() else typed
    return _add(place, opened.draft_of(place).typed(typed))


def keep(place: Workplace, request: dict[str, Any]) -> Answer:
    """Commit the draft."""
    start = request.get("from", place.day)
    if start != mapping_file.FIRST and not (isinstance(start, str) and is_day(start)):
        raise error("workbench-request")
    draft = opened.draft_of(place)
    header = Bench(place, draft).file.names if place.file else ()
    why = str(request.get("why") or "")
    done, conflicts = drafts.keep(place, draft, start, why, header)
    if done is None:
        return {"conflicts": conflicts}
    drafts.drop_draft(place)
    path = mapping_file.path_of(place.mappings, place.contributor, done["from"])
    named = {"number": done["number"], "from": done["from"], "sha256": done["after"]}
    return {"kept": {**named, "path": path.relative_to(place.mappings.parent).as_posix()}}


MOST_CHANGES = 2_000
"""Operations of a request; one more is refused."""


def _list(request: dict[str, Any], key: str) -> list[Any]:
    found = request.get(key)
    if not isinstance(found, list):
        raise error("workbench-request")
    if len(found) > MOST_CHANGES:
        raise error("workbench-many", n=len(found), limit=MOST_CHANGES)
    return found


def _numbers(request: dict[str, Any]) -> list[int]:
    found = _list(request, "n")
    if not found or not all(type(n) is int for n in found):
        raise error("workbench-request")
    return found


Answerer = Callable[[Workplace, dict[str, Any]], dict[str, Any]]

ANSWERS: dict[str, Answerer] = {
    "open": open_,
    "columns": columns,
    "column": column,
    "try": try_,
    "do": do,
    "suggested": suggested,
    "undo": undo,
    "redo": redo,
    "discard": discard,
    "history": history_of_edits,
    "undo_kept": undo_kept,
    "text": text,
    "write": write,
    "keep": keep,
    "problems": problems_,
    "identifiers": identifiers,
    "alarms": alarms,
    "mappings": mappings,
    "begin": begin,
    "variables": variables,
}
"""Every request and what answers it."""

_one_at_a_time = threading.Lock()


def ask(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request; see the text above.

    Args:
        request: what JSON knows.

    Returns:
        What JSON knows; an object with ``error`` where the request cannot be answered.
    """
    try:
        place = Workplace.of(request)
        answerer = ANSWERS.get(str(request.get("ask")))
        if answerer is None:
            raise error("workbench-request")
        with _one_at_a_time:
            answer: Answer = _plain(answerer(place, request) | {"draft": state(place)})
            return answer
    except HubError as met:
        return {"error": as_json(met)}


# --------------------------------------------------------------------------------------------------
# A process that answers about the files of one contributor (``desk.worker.answering`` runs it).


def _serve(asked: IO[bytes], told: IO[bytes]) -> None:
    """Answer requests, a line of JSON each: the processor seconds that it may take, and itself.

    SIGPROF ends the process where it takes more.  What was not foreseen ends it too; its kind is
    said, never its words, which may be those of a record.
    """

    def say(answer: dict[str, Any]) -> None:
        told.write(json.dumps(answer).encode() + b"\n")
        told.flush()

    sys.excepthook = lambda kind, _met, _where: say({"failed": kind.__name__})
    for line in asked:
        seconds, request = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        answer = ask(request)
        signal.setitimer(signal.ITIMER_PROF, 0)
        say(answer)


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
