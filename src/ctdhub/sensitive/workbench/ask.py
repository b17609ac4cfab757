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
``core.error_catalogue.as_json`` writes it, and then nothing was changed.  Where this text says
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
``setting``     ``key``: ``read``, ``dates``, ``rows``, ``key``, ``tokens``, ``optional``,
                ``perpetrators``, ``tests``, ``name``, ``builtin``; ``value``: null takes it away
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
``keep`` (``why``?, ``from``?, ``answers``?: {n: ``mine`` | ``theirs``})
    Commits the draft to ``mappings/<contributor>/<from>.yaml``; ``from`` is the delivery's day
    unless given, "" for ``mappings/<contributor>.yaml``.  ``{"conflicts": [{"n", "operation",
    "theirs": value, "base": value, "who", "time"}]}`` where somebody else kept another value for
    the same key meanwhile, and nothing is done until ``answers`` decides each.
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

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from ctdhub.core.error_catalogue import as_json, error
from ctdhub.core.errors import HubError
from ctdhub.sensitive.workbench import about_file, edits
from ctdhub.sensitive.workbench.place import Workplace

Answerer = Callable[[Workplace, dict[str, Any]], dict[str, Any]]

ANSWERS: dict[str, Answerer] = {
    "open": about_file.open_,
    "columns": about_file.columns,
    "column": about_file.column,
    "try": edits.try_,
    "do": edits.do,
    "suggested": about_file.suggested,
    "undo": edits.undo,
    "redo": edits.redo,
    "discard": edits.discard,
    "history": edits.history,
    "undo_kept": edits.undo_kept,
    "text": edits.text,
    "write": edits.write,
    "keep": edits.keep,
    "problems": about_file.problems_,
    "identifiers": about_file.identifiers,
    "alarms": about_file.alarms,
    "mappings": about_file.mappings,
    "begin": about_file.begin,
    "variables": about_file.variables,
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
            answer = answerer(place, request)
            return {**answer, "draft": edits.state(place)}
    except HubError as met:
        return {"error": as_json(met)}
