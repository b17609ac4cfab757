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
``unknown_share``  share of a column's filled cells that may be unknown texts before an alarm rings
                   (that of an agreement that states none, if missing)
``years``          first and last year of the public bounds (those of the schema, if missing)
``own_draft``      id of the file, where each file has a draft of its own (else those of a day share
                   one); decisions not kept yet on an earlier file of these columns are found again
=================  ===============================================================================

``ask`` names the request; the keys below come from the reader.

**Answer.**  An object with the keys named below, or ``{"error": …}`` as ``core.errors.as_json``
writes it, and then nothing was changed.  A request changes at most ``MOST_CHANGES`` things.  Where
this text says *Text* there is ``Text.as_json()``, where it says *Name* ``i18n.field_as_json`` of a
``LocalName``: ``i18n.field_from_json`` reads both.  Texts of cells stand only where this says *text
of a cell*, and in errors never.

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

``open`` (``sheet``?, ``header``?)
    Reads the file and begins a draft where there is none.  ``{"choose": [{"sheet", "rows",
    "columns": [name]}]}`` where several sheets may hold the records: ask again with one of them.
    ``{"header": {"sheet": name, "first": [[text of a cell]]}}``, at most ten rows, where it is not
    certain which row holds the names of the columns: ask again with its number, and the sheet.
    Else ``{"file": {"rows", "notes": [Text]}}``.
``columns``
    ``{"columns": [verdict], "counts": {"right", "decide", "stops", "stripped"}, "rows", "records",
    "rejected", "excluded": {name: rows}, "new": [column], "gone": [column], "next": column | null,
    "questions": [{"question": Text, "choices": [{"label": Text, "operations"}]}],
    "missing": [{"text": Text, "blocks": bool, "columns": [column]}]}``.
    ``questions`` are about the whole file (what a row is, the order of day and month, lines of
    totals).  ``missing``: what is not decided or not read, what that
    costs, and whether it blocks.
    A verdict: ``{"column", "state": "right" | "decide" | "stops" | "stripped", "reason": Text,
    "targets": [{"variable", "label": Name}],
    "plain": whether the state says the reason already,
    "examples": [{"text", "rows"}] (texts of cells; none of an identifier),
    "unknown": rows with a text that no rule knows, "new", "gone": bool,
    "identifier": {"action", "reason": Text} | null,
    "proposals": [{"label": Text, "reason": Text, "sure": bool, "operations"}],
    "open": [{"sheet", "text", "rows", "suggested": see below, "choices": [[[code], label]]}] (texts
    that no rule knows, where they are few), "guesses": what an undecided column may be, as below,
    three at most, "likely": whether its header says the first}``.
    ``new``: the last file that was kept lacks it; ``gone``: that had it, or a rule reads it.
``column`` (``column``, ``sheet``?, ``show``?: ``all`` | ``unknown`` | ``decided``,
``sort``?: ``rows`` | ``text`` | ``decision``, ``find``?, ``start``?, ``limit``? (100))
    ``{"verdict", "sheets": [{"sheet", "targets", "flags": bool, "unknown": texts}], "sheet":
    the one that ``values`` are about | null, "choices": [{"code", "label": Name | Text}],
    "values": [{"text", "rows", "decided": [code], "suggested": {"codes", "reason": Text,
    "sure": bool} | null}], "total": values before ``start`` and ``limit``, "blank": rows,
    "clusters": [{"texts", "rows", "suggested", "operations"}] (spellings of one text),
    "silent": [{"text", "rows"}] (read as not recorded in every column),
    "rule": the rule's YAML, "readings": see below}`` (texts of cells).
    Without a rule for the column ``sheet`` is null, ``values`` are its bare texts, and
    ``readings`` says what it may be: ``[{"label": Name, "reason": Text, "sure", "share":
    0 to 1, "named": whether the header says so, "operations"}]``, likely ones first, then every
    variable; a list of kinds is one reading with an operation for each flag.
``try`` (``operations``)
    What they would change, without doing it: ``{"change": {"rows": rows that are read otherwise,
    "records": [now, then], "rejected": [now, then]}}``; ``change`` is null without a file.
``do`` (``operations``)
    Adds them to the draft: ``{"done": [n], "change"}``.  All or none.
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
    ``{"text": the mapping as YAML}``.
``write`` (``text``)
    The mapping as somebody typed it; becomes operations: ``{"done": [n], "change"}``.
``keep`` (``why``?, ``from``?)
    Commits the draft to ``mappings/<contributor>/<from>.yaml``; ``from`` is the delivery's day
    unless given, "" for ``mappings/<contributor>.yaml``.  Where somebody else meanwhile kept
    something that an operation concerns, with another value for its key, nothing is kept:
    ``{"conflicts": [{"operation", "theirs": value, "operations": to do it all the same}]}``, and
    the draft is over what that person kept, without these operations.
    Else ``{"kept": {"number", "from", "sha256", "path"}}``.
``problems`` (``start``?, ``limit``? (50))
    ``{"problems": [{"rule", "reason": Text, "column" | null, "text": of a cell | null, "rows":
    number of rows, "cells": [{"row", "column"}] the first 20}], "total", "rejected"}``.
``identifiers``
    ``{"columns": [{"column", "reason": Text, "action" | null,
    "choices": [{"action", "label": Text, "operations"}]}]}``: likely identifiers, and columns that
    the mapping decides on.  Never a text of their cells.
``alarms``
    What would be asked at the hub: ``{"alarms": [{"what": Text, "stops": bool, "accepted": bool,
    "operations": to accept it}]}``.
"""

import json
import secrets
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import IO, Any

from ctdhub.core.errors import FileError, HubError, as_json, error
from ctdhub.core.files import is_day
from ctdhub.core.i18n import LocalName, Text, field_as_json
from ctdhub.core.tables import fold
from ctdhub.sensitive.alarms.checks import AlarmLimits, ReadDelivery, ring
from ctdhub.sensitive.ingest import layout
from ctdhub.sensitive.ingest.options import ReadOptions
from ctdhub.sensitive.ingest.tidy import LAST
from ctdhub.sensitive.mapping import mapping_file
from ctdhub.sensitive.mapping.edits import Operation, all_rules, checked
from ctdhub.sensitive.mapping.mapping_file import flow
from ctdhub.sensitive.mapping.run import harmonise
from ctdhub.sensitive.workbench import drafts, facets, verdicts
from ctdhub.sensitive.workbench.drafts import DraftFold, Workplace
from ctdhub.sensitive.workbench.facets import Bench, SuggestedCode
from ctdhub.sensitive.workbench.readings import name_of, readings
from ctdhub.sensitive.workbench.verdicts import LABELS, Verdicts, identifier_click, is_hidden

Answer = dict[str, Any]

MOST_CHANGES = 2_000
"""Operations of a request; one more is refused."""


class WorkbenchRequest:
    """One request: each public method answers those of its name, and is said above."""

    def __init__(self, place: Workplace, request: dict[str, Any]) -> None:
        self._place, self._request = place, request

    @cached_property
    def _draft(self) -> DraftFold:
        """This person's draft, or an empty one over the mapping in force."""
        place = self._place
        if (draft := drafts.load_draft(place) or facets.in_force(place)) is None:
            raise error("workbench-nothing", id=place.contributor, at=place.day)
        return draft

    @cached_property
    def _bench(self) -> Bench:
        return Bench(self._place, self._draft)

    @cached_property
    def _verdicts(self) -> Verdicts:
        kept = [one["header"] for one in drafts.commits(self._place) if one["header"]]
        return Verdicts(self._bench, tuple(kept[-1]) if kept else ())

    # About the file.

    def open(self) -> Answer:
        """Read the file; begin a draft where there is none."""
        if self._place.file is None:
            raise error("workbench-request")
        try:
            bench = self._opened(stated := self._stated())
        except FileError as met:
            if met.rule not in layout.CHOICE_RULES or "header" in self._request:
                raise
            if met.rule == "sheets":
                sheets = layout.sheets(self._place.file)
                choices = [{"sheet": s.name, "rows": s.rows, "columns": s.header} for s in sheets]
                return {"choose": choices}
            seen = layout.first_rows(self._place.file, self._looked(stated))
            if seen is None:
                raise
            first = [row[:FIRST_CELLS] for row in seen.rows[:LAST]]
            return {"header": {"sheet": seen.name or None, "first": first}}
        raw = bench.file.raw  # where a draft cannot read the file, no other is begun over it
        return {"file": {"rows": raw.rows_read, "notes": raw.notes}}

    def _looked(self, stated: ReadOptions | None) -> ReadOptions:
        """What would be read, as far as that can be seen."""
        assert self._place.file is not None
        with suppress(FileError):
            return layout.look(self._place.file, stated)
        return stated or ReadOptions()

    def _stated(self) -> ReadOptions | None:
        """What the reader says about sheet and row of names; None where that is nothing."""
        sheet, header = self._request.get("sheet"), self._request.get("header")
        stated: Answer = {"sheet": sheet} if isinstance(sheet, str) and sheet else {}
        if type(header) is int and 0 < header <= LAST:
            stated["header_row"] = header
        return ReadOptions(**stated) if stated else None

    def _opened(self, stated: ReadOptions | None) -> Bench:
        place, now = self._place, facets.in_force(self._place)
        draft = drafts.load_draft(place)
        if stated is not None:
            draft = facets.suggested(place, stated)
        elif draft is not None:
            if now is None or not draft.seen == drafts.digest(draft.base) != now.seen:
                return Bench(place, draft)
            over, lost = self._renewed(draft, now)
            if lost:  # shown where the file is kept
                return Bench(place, draft)
            draft = over
        else:
            others = [*self._of_other_files()]
            if now and _fits(Bench(place, now)):
                unkept = next((one for one in others if one.active), None)
                draft = now if unkept is None else self._renewed(unkept, now)[0]
            else:
                draft = others[0] if others else facets.suggested(place)
        drafts.save_draft(place, draft)
        return Bench(place, draft)

    def _renewed(self, draft: DraftFold, now: DraftFold) -> tuple[DraftFold, list[Operation]]:
        """What of a draft is not kept, over the mapping in force; and what that contradicts."""
        try:
            return drafts.renewed(draft, now, drafts.commits(self._place))
        except HubError:  # the two make no mapping
            return now, [*draft.active]

    def _of_other_files(self) -> Iterator[DraftFold]:
        """Drafts with decisions on earlier files of the same columns, the newest first."""
        for path in self._place.other_drafts():
            with suppress(HubError):  # of another sheet, or another program changed it
                draft = drafts.load_draft(self._place, path)
                if draft and _fits(Bench(self._place, draft), whole=True):
                    yield draft

    def columns(self) -> Answer:
        """A verdict on each column."""
        every = self._verdicts
        columns, asked = every.all(), [*every.questions()]
        states = [c.state for c in columns]
        order = [c.column for state in ("stops", "decide") for c in columns if c.state == state]
        return {
            "columns": columns,
            "counts": {key: states.count(key) for key in ("right", "decide", "stops", "stripped")},
            **self._bench.effect.counts(),
            "new": every.new(),
            "gone": every.gone(),
            "next": order[0] if order else None,
            "questions": [{"question": text, "choices": own} for text, own in asked],
            "missing": verdicts.missing(self._bench, columns, len(asked), every.two_orders()),
        }

    def column(self) -> Answer:
        """The texts of a column."""
        at, place = self._bench, self._place
        name = at.file.header.find(str(self._request.get("column")))
        if name is None:
            raise error("workbench-column", column=str(self._request.get("column")))
        verdict = self._verdicts.of(name)
        sheets = facets.sheets_of(at.mapping, at.file, name)
        wanted = self._request.get("sheet")
        chosen = next((one for one in sheets if wanted in (None, one.name)), None)
        columns = (at.file.header.find(c) or c for c in (name, *(chosen.columns if chosen else ())))
        if hidden := any(is_hidden(at, column) for column in columns):
            chosen, sheets = None, []
        entries = []
        for one in sheets:
            unknown = len(facets.facets(at.mapping, at.file, one, place.years).unknown())
            targets = [{"variable": v, "label": name_of(v)} for v in one.rules]
            said = {"sheet": one.name, "flags": one.flags, "unknown": unknown}
            entries.append({**said, "targets": targets})
        answer: Answer = {
            "verdict": verdict, "sheets": entries, "sheet": None, "rule": "", "readings": [],
            "blank": at.file.raw.table.num_rows - at.file.filled(name), "silent": [],
            "choices": [], "values": [], "total": 0, "clusters": [],
        }  # fmt: skip
        bare = verdict.state == "stripped" or not verdict.examples
        if hidden or (chosen is None and bare):
            return answer
        silent = {*map(fold, at.mapping.empty)}
        answer["silent"] = [one for one in at.file.counts(name) if fold(one.text) in silent]
        rules = all_rules(at.draft.document(), "records")
        read = [one["variable"] for one in verdict.targets if one["variable"] in rules]
        answer["rule"] = "\n".join(f"{one}: {flow(rules[one])}" for one in read)
        if not sheets:
            answer["readings"] = readings(at.file, name, at.draft.document())
        if chosen is None:
            becomes = facets.read_as(at.effect, at.file, name)
            texts = [(one, becomes.get(fold(one.text), ()), None) for one in at.file.counts(name)]
            return answer | self._page(texts)
        facet = facets.facets(at.mapping, at.file, chosen, place.years)
        answer["choices"] = [
            {"code": token, "label": facets.choice_name(chosen, token)} for token in chosen.tokens()
        ]
        return answer | {"sheet": chosen.name, **self._values(facet)}

    def _values(self, facet: facets.Facets) -> Answer:
        guesses = facets.suggestions(facet)
        clusters = []
        for one in facets.clusters(facet):
            known = next((said for t in one.texts if (said := facet.today.get(fold(t)))), None)
            guess = next((guesses[t] for t in one.texts if t in guesses), None)
            if known is not None:
                same = Text("decided so for another spelling")
                guess = SuggestedCode(known, same, True)
            put = {"op": "map", "sheet": facet.of.name, "codes": [*guess.codes]} if guess else {}
            operations = [{**put, "text": text} for text in one.texts] if put else []
            clusters.append({**one._asdict(), "suggested": guess, "operations": operations})
        texts = [(v, facet.today.get(fold(v.text), ()), guesses.get(v.text)) for v in facet.values]
        return {**self._page(texts), "clusters": clusters}

    def _page(
        self, texts: Sequence[tuple[facets.TextCount, Sequence[str], SuggestedCode | None]]
    ) -> Answer:
        """The part of the texts that is asked for, each with its codes and a suggestion."""
        show, find = self._request.get("show", "all"), fold(str(self._request.get("find") or ""))
        values = [
            {**one._asdict(), "decided": decided, "suggested": meant}
            for one, decided, meant in texts
            if (show not in ("unknown", "decided") or bool(decided) == (show == "decided"))
            and find in fold(one.text)
        ]
        sort = self._request.get("sort", "rows")
        if sort == "text":
            values.sort(key=lambda one: fold(one["text"]))
        elif sort == "decision":
            values.sort(key=lambda one: (bool(one["decided"]), one["decided"]))
        return {"values": self._part(values, 100), "total": len(values)}

    def _part(self, every: list[Any], usual: int) -> list[Any]:
        start = int(self._request.get("start") or 0)
        return every[start : start + int(self._request.get("limit") or usual)]

    def problems(self) -> Answer:
        """What is wrong, by text, with the cells."""
        problems = verdicts.problems(self._bench)
        rejected = self._bench.effect.counts()["rejected"]
        return {"problems": self._part(problems, 50), "total": len(problems), "rejected": rejected}

    def identifiers(self) -> Answer:
        """Columns that may identify people, and what happens to each."""
        columns = []
        for name in self._bench.file.names:
            if said := self._verdicts.identifier(name):
                ways = [{"action": one, **identifier_click(name, one)._asdict()} for one in LABELS]
                columns.append({"column": name, **said, "choices": ways})
        return {"columns": columns}

    def alarms(self) -> Answer:
        """What would be asked at the hub about this file."""
        from ctdhub.sensitive.linkage.deliveries import births_apart

        at, place = self._bench, self._place
        done = harmonise(
            at.file.raw, at.mapping, place.contributor, place.years, secrets.token_bytes(32)
        )
        account = done.conservation
        now = ReadDelivery(
            place.contributor, place.day, at.mapping, (done.texts,), done.records,
            account.rows_read, account.rejected, births_apart(done.records, done.births),
        )  # fmt: skip
        alarms = []
        for one in ring([now], AlarmLimits(unknown_share=place.unknown_share)):
            entry = {"alarm": one.entry, "delivery": one.delivery}
            accept = {"op": "accept", "entry": entry, "on": True}
            alarm = {"what": one.what(), "stops": one.stops, "accepted": one.accepted}
            alarms.append({**alarm, "operations": [accept]})
        return {"alarms": alarms}

    # About the draft and the history of a mapping.

    def do(self) -> Answer:
        """Add operations to the draft."""
        return self._add([checked(one) for one in self._list("operations")])

    def try_(self) -> Answer:
        """What operations would change."""
        operations = [checked(one) for one in self._list("operations")]
        return {"change": self._change(self._draft.with_operations(operations))}

    def _add(self, operations: list[Operation]) -> Answer:
        after = self._draft.with_operations(operations)
        done = [one["n"] for one in after.operations[len(self._draft.operations) :]]
        return {"done": done, "change": self._saved(after)}

    def _saved(self, after: DraftFold) -> Answer | None:
        effect = self._change(after)
        drafts.save_draft(self._place, after)
        return effect

    def _change(self, after: DraftFold) -> Answer | None:
        """What rows become otherwise; None without a file."""
        if self._place.file is None:
            return None
        then = Bench(self._place, after)
        if self._bench.mapping.read != then.mapping.read:
            return None  # another table: its rows are not those
        return facets.change(self._bench.effect, then.effect)

    def undo(self) -> Answer:
        """Undo operations; later ones on their keys are shown first, or undone too, or stay."""
        numbers = self._numbers()
        if later := self._draft.later(numbers):
            if self._request.get("later") not in ("undo", "stay"):
                return {"later": later}
            if self._request["later"] == "undo":
                numbers += [one["n"] for one in later]
        change = self._saved(self._draft.marked(numbers, undone=True))
        return {"undone": numbers, "change": change}

    def redo(self) -> Answer:
        """Do undone operations again."""
        numbers = self._numbers()
        change = self._saved(self._draft.marked(numbers, undone=False))
        return {"done": numbers, "change": change}

    def discard(self) -> Answer:
        """End the draft."""
        drafts.drop_draft(self._place)
        return {}

    def history(self) -> Answer:
        """Operations of the draft and commits, newest first."""
        hidden = ("previous", "hash", "header")
        every = reversed(drafts.commits(self._place))
        commits = [{k: v for k, v in one.items() if k not in hidden} for one in every]
        draft = drafts.load_draft(self._place)
        operations = list(reversed(draft.operations)) if draft else []
        outside = bool(commits) and commits[0]["who"] == drafts.OUTSIDE
        return {"operations": operations, "commits": commits, "outside": outside}

    def undo_kept(self) -> Answer:
        """Take a commit, or operations of it, back by operations in the draft."""
        number = self._request.get("commit")
        if not isinstance(number, int):
            raise error("workbench-request")
        which = self._numbers() if "n" in self._request else []
        operations, later = drafts.undoing(self._place, number, which)
        if later and self._request.get("later") not in ("undo", "stay"):
            return {"later": later}
        if self._request.get("later") == "undo":
            operations = [*(drafts.undone(one) for one in reversed(later)), *operations]
        return self._add(operations)

    def text(self) -> Answer:
        """The mapping as YAML."""
        return {"text": self._draft.text()}

    def write(self) -> Answer:
        """The mapping as somebody typed it."""
        typed = self._request.get("text")
        if not isinstance(typed, str):
            raise error("workbench-request")
        if "\r\n" not in self._draft.text():
            typed = typed.replace("\r\n", "\n")
        return self._add(self._draft.typed(typed))

    def keep(self) -> Answer:
        """Commit the draft."""
        place, start = self._place, self._request.get("from", self._place.day)
        if start != mapping_file.FIRST and not (isinstance(start, str) and is_day(start)):
            raise error("workbench-request")
        header = self._bench.file.names if place.file else ()
        why = str(self._request.get("why") or "")
        done, conflicts = drafts.keep(place, self._draft, start, why, header)
        if done is None:
            return {"conflicts": conflicts}
        drafts.drop_draft(place)
        path = mapping_file.path_of(place.mappings, place.contributor, start)
        commit = {"number": done["number"], "from": start, "sha256": done["after"]}
        return {"kept": {**commit, "path": path.relative_to(place.mappings.parent).as_posix()}}

    def _list(self, key: str) -> list[Any]:
        entries = self._request.get(key)
        if not isinstance(entries, list):
            raise error("workbench-request")
        if len(entries) > MOST_CHANGES:
            raise error("workbench-many", n=len(entries), limit=MOST_CHANGES)
        return entries

    def _numbers(self) -> list[int]:
        numbers = self._list("n")
        if not numbers or not all(type(n) is int for n in numbers):
            raise error("workbench-request")
        return [*numbers]


def _fits(at: Bench, *, whole: bool = False) -> bool:
    """Whether a mapping reads this file: most of its columns are there, and it has some.

    Args:
        whole: all of its columns are there, and the file has hardly any others.
    """
    try:
        mapping, file = at.mapping, at.file
    except FileError:  # the mapping speaks of another sheet, or another format
        return False
    wanted = {*mapping.needed(), *mapping.stripped()}
    missing = sum(file.header.find(column) is None for column in wanted)
    if whole:
        return not missing and 2 * len(wanted) >= len(file.names)
    return bool(wanted) and 2 * missing <= len(wanted)


ANSWERS = {
    name.rstrip("_"): answer for name, answer in vars(WorkbenchRequest).items() if name[0] != "_"
}
"""Every request and what answers it."""

FIRST_CELLS = 8
"""Cells of a row that are shown where the row of names is asked for."""

_one_at_a_time = threading.Lock()


def ask(request: dict[str, Any]) -> Answer:
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
            answer: Answer = _plain(answerer(WorkbenchRequest(place, request)))
            return answer
    except HubError as met:
        return {"error": as_json(met)}


def _plain(value: Any) -> Any:
    """A value as JSON has it: of a record its fields, of a sentence what it is made of."""
    if isinstance(value, Text | LocalName):
        return field_as_json(value)
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [*map(_plain, value)]
    return value


# --------------------------------------------------------------------------------------------------
# A process that answers about the files of one contributor (``desk.worker.answering`` runs it).


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answer requests, a line of JSON each: the processor seconds that it may take, and itself.

    SIGPROF ends the process where it takes more.  What was not foreseen ends it too; its kind is
    said, never its words, which may be those of a record.
    """

    def say(answer: dict[str, Any]) -> None:
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()

    sys.excepthook = lambda kind, _met, _where: say({"failed": kind.__name__})
    for line in requests:
        seconds, request = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        answer = ask(request)
        signal.setitimer(signal.ITIMER_PROF, 0)
        say(answer)


if __name__ == "__main__":
    _serve(sys.stdin.buffer, sys.stdout.buffer)
