"""A verdict on each column of a file: right, to be decided, stopping the build, or stripped."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

from ctdhub.core.i18n import LocalName, Numeral, Text, joined, many
from ctdhub.core.tables import ROW, fold, trim
from ctdhub.schema.labels import label
from ctdhub.schema.model import AGE, ORIGIN, PERIOD, SEX, load_schema
from ctdhub.sensitive.alarms.checks import AlarmLimits
from ctdhub.sensitive.ingest.rejects import reason_of
from ctdhub.sensitive.mapping.dates import DAY_FIRST, MONTH_FIRST
from ctdhub.sensitive.mapping.drafting import row_unit
from ctdhub.sensitive.mapping.drafting.vocabulary import vocabulary
from ctdhub.sensitive.mapping.edits import NOT_RECORDED, all_rules
from ctdhub.sensitive.mapping.file_account import UnknownText
from ctdhub.sensitive.mapping.identifiers import proposed
from ctdhub.sensitive.mapping.mapping import Mapping
from ctdhub.sensitive.mapping.run import replaced
from ctdhub.sensitive.workbench import readings  # fmt: skip
from ctdhub.sensitive.workbench.facets import (
    INEXACT,
    Answer,
    Bench,
    Facets,
    OpenedFile,
    SuggestedCode,
    TextCount,
    choice_name,
    facets,
    sheets_of,
    suggestions,
    with_implied,
)

State = Literal["right", "decide", "stops", "stripped"]


class OpenText(NamedTuple):
    """A text that no rule knows, with what a person may say that it means; the rule's sheet."""

    sheet: str
    text: str
    rows: int
    suggested: SuggestedCode | None
    choices: tuple[tuple[Answer, Text | LocalName], ...]


_WHOLE = Text("every text is read")


class Verdict(NamedTuple):
    """The verdict on a column; ``workbench.ask`` says what each part is."""

    column: str
    state: State
    reason: Text
    targets: tuple[dict[str, Any], ...] = ()
    plain: bool = False
    examples: tuple[TextCount, ...] = ()
    unknown: int = 0
    new: bool = False
    gone: bool = False
    identifier: dict[str, Any] | None = None
    proposals: tuple[readings.Proposed, ...] = ()
    open: tuple[OpenText, ...] = ()
    guesses: tuple[readings.Reading, ...] = ()
    likely: bool = False


# --------------------------------------------------------------------------------------------------
# What is not decided, or not taken from a file, and what it costs; said before it leaves.


class Lack(NamedTuple):
    """Something that is missing.

    Attributes:
        text: what, and what it costs.
        blocks: whether no bundle is made, or no release built, before it is decided.
        columns: columns of the file by which it can be mended.
    """

    text: Text
    blocks: bool
    columns: tuple[str, ...] = ()


def missing(
    at: Bench,
    verdicts: list[Verdict],
    questions: int,
    two_orders: tuple[str, int, int] | None,
) -> list[Lack]:
    """What is missing, what blocks first.

    Args:
        at: the draft with its file.
        verdicts: on all columns.
        questions: about the whole file that nobody has answered.
        two_orders: a column of dates with the day first and dates with the month first, with the
            rows of each.
    """
    lacks = [*_columns(verdicts), *_counted(at, verdicts), *_variables(at, verdicts)]
    if at.mapping.rows != "person":
        seen = [at.file.glance(name) for name in at.file.codes.column_names[:-1]]
        rules = at.mapping.columns.items()
        read = {name: [c for rule in own for c in rule.columns()] for name, own in rules}
        if said := row_unit.counted_people(seen, read):
            lacks.append(Lack(said, False))
    if two_orders:
        column, day, month = two_orders
        text = Text(
            "Dates are written in two orders: with the day first in {day} rows, with the month "
            "first in {month}. Of the others only the year is certain."
        ).holding(day=Numeral(day), month=Numeral(month))
        lacks.append(Lack(text, False, (column,)))
    if questions:
        text = many(
            "{n} question about the whole file is not answered.",
            "{n} questions about the whole file are not answered.",
            questions,
        )
        lacks.append(Lack(text, False))
    return sorted(lacks, key=lambda one: not one.blocks)


def _columns(verdicts: list[Verdict]) -> Iterator[Lack]:
    stops = [one for one in verdicts if one.state == "stops"]
    persons = tuple(one.column for one in stops if one.identifier)
    gone = tuple(one.column for one in stops if one.gone)
    unknown = tuple(one.column for one in stops if one.column not in (*persons, *gone))
    open_ = tuple(one.column for one in verdicts if one.state == "decide")
    person = many("{n} column may identify a person: no bundle is made before you decide.",
                  "{n} columns may identify a person: no bundle is made before you decide.",
                  len(persons))  # fmt: skip
    gap = many("{n} column that the mapping reads is missing from the file: nothing can be read.",
               "{n} columns that the mapping reads are missing from the file: nothing can be read.",
               len(gone))  # fmt: skip
    unread = many(
        "{n} row has a text that no rule reads: it is not counted, and the hub will send the "
        "file back.",
        "{n} rows have a text that no rule reads: they are not counted, and the hub will send "
        "the file back.",
        sum(one.unknown for one in stops if one.column in unknown),
    )
    undecided = many("{n} column is not decided: what it says is not sent and not counted.",
                     "{n} columns are not decided: what they say is not sent and not counted.",
                     len(open_))  # fmt: skip
    every = ((person, persons), (gap, gone), (unread, unknown), (undecided, open_))
    yield from (Lack(text, own is not open_, own) for text, own in every if own)


def _counted(at: Bench, verdicts: list[Verdict]) -> Iterator[Lack]:
    """Columns that say who is counted, and that nobody has decided about."""
    open_ = (one.column for one in verdicts if one.state == "decide")
    text = Text(
        "Nobody is left out for lack of consent, or for not being a victim, yet: decide about the "
        "column."
    )
    if columns := tuple(c for c in open_ if who_counts(at.file, at.mapping, c)):
        yield Lack(text, True, columns)


def who_counts(file: OpenedFile, mapping: Mapping, column: str) -> row_unit.WhoCounts | None:
    """What an undecided column says of who is counted, None where it says nothing of it."""
    if column not in file.codes.column_names or fold(column) in row_unit.decided_columns(mapping):
        return None
    seen, silent = file.glance(column), {""}
    if not vocabulary().about_consent(column):
        silent |= {*map(fold, mapping.empty)}
    texts = tuple(text for text in (*seen.texts, *seen.empty) if fold(text) not in silent)
    rows = max(seen.all - file.totals, seen.rows_of(texts))  # a total is nobody
    return row_unit.who_counts_in(replace(seen, texts=texts, empty=(), all=rows))


def _variables(at: Bench, verdicts: list[Verdict]) -> Iterator[Lack]:
    """Years, sexes, ages and citizenships that nothing fills, or that many records lack."""
    records = int(at.effect.records.sum())
    for variable in (PERIOD, SEX, AGE, ORIGIN):
        if variable not in at.effect.answers:
            silent = (one.column for one in verdicts if not one.targets)
            likely = (column for column in silent if variable in vocabulary().variables(column))
            text = Text(
                "Nothing is read as “{variable}”: nobody is counted by it.",
                variable=readings.name_of(variable),
            )
            if variable == PERIOD:
                text = many(
                    "No year is taken from this file: its {n} record cannot be counted by year.",
                    "No year is taken from this file: its {n} records cannot be counted by year.",
                    records,
                )
            yield Lack(text, False, tuple(likely))
        elif variable == PERIOD:
            lost = int((at.effect.records & ~at.effect.recorded(variable)).sum())
            text = many("{n} record has no year: it cannot be counted by year.",
                        "{n} records have no year: they cannot be counted by year.",
                        lost)  # fmt: skip
            read = (v.column for v in verdicts for t in v.targets if t["variable"] == variable)
            yield from [Lack(text, False, tuple(read))] if lost else ()


# --------------------------------------------------------------------------------------------------
# What is wrong with rows of a file, in plain words, with the cells: for its owner alone.

CELLS = 20
"""Cells that are named for each problem."""


def problems(at: Bench) -> list[dict[str, Any]]:
    """The problems of a file, those of most rows first.

    A problem is a rule, a column and a text that the rule cannot read; or a rule and a row that
    could not be read at all.
    """
    file, table = at.file, at.effect.rejects
    rows: dict[tuple[Any, ...], set[int]] = {}
    places = {row: i for i, row in enumerate(file.codes[ROW].to_pylist())}
    cells = {name: file.codes[name].combine_chunks() for name in file.codes.column_names[:-1]}
    hidden = {name for name in file.names if is_hidden(at, name)}
    columns = ("source_row", "column", "rule", "fields")
    for row, column, rule, fields in zip(
        *(table[name].to_pylist() for name in columns), strict=True
    ):
        name = file.header.find(column) if column else None
        text = None
        if name is not None and name in cells and name not in hidden:
            cell = cells[name][places[row]].as_py()
            text = None if cell is None else trim(cell)
        rows.setdefault((rule, fields, name or column, text), set()).add(row)
    for one in file.raw.rejects.to_pylist():
        key = (one["rule"], one["fields"], one["column"], None)
        rows.setdefault(key, set()).add(one["source_row"])
    entries = [
        {
            "rule": rule,
            "reason": _in_words(reason_of(fields)),
            "column": column,
            "text": text,
            "rows": len(own),
            "cells": [{"row": row, "column": column} for row in sorted(own)[:CELLS]],
        }
        for (rule, fields, column, text), own in rows.items()
    ]
    return sorted(entries, key=lambda one: (-one["rows"], str(one["column"]), one["rule"]))


def _in_words(reason: Text) -> Text:
    """A reason that calls variables by their labels."""
    schema = load_schema()
    labels = {
        key: LocalName.of(lambda lang, name=value: label(name, lang))  # type: ignore[misc]
        for key, value in reason.fields.items()
        if key == "target" and isinstance(value, str) and schema.has(value)
    }
    return reason.holding(**{**reason.fields, **labels}) if labels else reason


def is_hidden(at: Bench, column: str) -> bool:
    """Whether the texts of a column are shown to nobody: it may identify people."""
    decided = {fold(c): d.action for c, d in at.mapping.identifiers.items()}
    action = decided.get(fold(column))
    return action not in (None, "keep") or (column in at.file.findings and action is None)


# --------------------------------------------------------------------------------------------------
# The verdict on one column, with what a click can decide.

ACTIONS = {
    "strip": Text("stays here: the column is taken out before anything else happens"),
    "hash": Text("becomes the person key: a code is made from it, the text stays here"),
    "token": Text("is the person key, a code that was made for linking"),
    "case": Text("becomes a code by which a withdrawal is found; it links no records"),
    "band": Text("only an age band or a year is made of it"),
    "keep": Text("is kept: somebody stated that it identifies nobody"),
}
"""What happens to a column that may identify people."""

_UNREAD = Text("no rule reads it")
_EXAMPLES, _SHOWN, _FEW, _OFFERED = 3, 5, 8, 3
_LIMITS = AlarmLimits()


class Verdicts:
    """Verdicts on the columns of a file.

    Args:
        at: the draft with its file.
        header: columns of the last file that was kept; none, if unknown.
    """

    def __init__(self, at: Bench, header: tuple[str, ...] = ()) -> None:
        self._at, self._file, self._mapping = at, at.file, at.mapping
        self._header = set(map(fold, header))
        self._document = at.draft.document()
        self._decided = {fold(c): d for c, d in self._mapping.identifiers.items()}
        self._keys = {fold(c) for c in (*self._mapping.key, *self._mapping.tokens)}
        self._optional = {fold(c) for c in self._mapping.optional}

    @cached_property
    def _unknown(self) -> dict[str, list[UnknownText]]:
        texts: dict[str, list[UnknownText]] = {}
        for one in self._at.effect.texts.unknown:
            if not any(a.knows(one.column, one.text, self._at.place.day)
                       for a in self._mapping.accept):  # fmt: skip
                texts.setdefault(one.column, []).append(one)
        return texts

    @cached_property
    def _targets(self) -> dict[str, list[str]]:
        """Hub variables by the folded source column that they read."""
        variables: dict[str, list[str]] = {}
        for _table, _place, target, rule in self._mapping.rules():
            for column in rule.columns():
                targets = variables.setdefault(fold(column), [])
                if target not in targets:
                    targets.append(target)
        return variables

    def all(self) -> list[Verdict]:
        """Every column of the file, then those that are gone.

        The reading of a header is likely where nothing is read as the same variable and no other
        column's header says so.
        """
        every = [*map(self.of, self._file.names), *map(self._gone, self.gone())]
        read = all_rules(self._document, "records")
        says = [readings.said(v.guesses) for v in every]
        return [
            v._replace(likely=name not in (None, *read) and says.count(name) == 1)
            for v, name in zip(every, says, strict=True)
        ]

    def gone(self) -> list[str]:
        """Columns that a rule reads, or the last file had, and that the file lacks."""
        header = self._file.header
        spared = self._optional | replaced(self._mapping, header)
        needed = (c for c in self._mapping.needed() if header.find(c) is None)
        return list(dict.fromkeys(c for c in needed if fold(c) not in spared))

    def new(self) -> list[str]:
        """Columns that the last file lacked."""
        if not self._header:
            return []
        return [name for name in self._file.names if fold(name) not in self._header]

    def of(self, column: str) -> Verdict:
        """The verdict on a column."""
        state, reason, proposals = self._settled(column) or ("decide", *self._unread(column))
        texts = [] if is_hidden(self._at, column) else self._file.counts(column)
        targets, identifier = self._named_targets(column), self.identifier(column)
        likely = [] if targets or identifier or state != "decide" else self._guesses(column)
        return Verdict(
            column, state, reason, targets,
            plain=reason in (_WHOLE, _UNREAD),
            examples=tuple(texts[:_EXAMPLES]),
            unknown=sum(one.rows for one in self._unknown.get(column, ())),
            new=column in self.new(),
            identifier=identifier,
            proposals=tuple(proposals),
            open=self._open(column) if texts and column in self._unknown else (),
            guesses=tuple(likely)[:_OFFERED],
        )  # fmt: skip

    def _guesses(self, column: str) -> list[readings.Reading]:
        """What a column may be: what its header says, or its texts of one variable alone."""
        every = self._readings(column)
        shares = [one.share for one in every]
        return [r for r in every if r.share and (r.named or shares.count(r.share) == 1)]

    def _readings(self, column: str) -> list[readings.Reading]:
        return readings.readings(self._file, column, self._document)

    def _open(self, column: str) -> tuple[OpenText, ...]:
        """The texts that nothing reads, where they are few; choices that others mean come first."""
        made, every = list[OpenText](), self.facets(column)
        if sum(len(one.unknown()) for one in every) > _FEW:
            return ()
        for one in every:
            meant, of = suggestions(one), one.of
            used = [code for said in one.today.values() for code in said]
            usual = {with_implied((c,), of): choice_name(of, c) for c in (*used, *of.tokens())}
            for text, rows in one.unknown():
                choices, likely = dict[Answer, Text | LocalName](usual), meant.get(text)
                if likely:
                    named = joined([choice_name(of, code) for code in likely.codes], ", ")
                    choices = {likely.codes: usual.get(likely.codes, named), **usual}
                made.append(OpenText(of.name, text, rows, likely, tuple(choices.items())))
        return tuple(made)

    def identifier(self, column: str) -> dict[str, Any] | None:
        """Why a column may identify people and what becomes of it, None where neither is said."""
        finding, action = self._file.findings.get(column), self._action(column)
        if finding is None and action is None:
            return None
        reason = finding.reason if finding else ACTIONS[str(action)]
        return {"action": action, "reason": reason}

    def _named_targets(self, column: str) -> tuple[dict[str, Any], ...]:
        names = self._targets.get(fold(column), ())
        return tuple({"variable": name, "label": readings.name_of(name)} for name in names)

    def _action(self, column: str) -> str | None:
        decision = self._decided.get(fold(column))
        return decision.action if decision else None

    def _settled(self, column: str) -> tuple[State, Text, list[readings.Proposed]] | None:
        """The verdict on a column of which something is said, or that may identify people."""
        key, finding = fold(column), self._file.findings.get(column)
        action = self._action(column)
        if key in self._keys and action is None:
            return "stripped", ACTIONS["hash"], []
        if action in ("strip", "hash", "token", "case"):
            return "stripped", ACTIONS[str(action)], []
        if finding is not None and action is None:
            return "stops", finding.reason, list(self._about_identifier(column))
        if action == "band" and key not in self._targets:
            return "stripped", Text("stays here: no rule reads it"), []
        if key in self._targets:
            return self._read(column)
        if any(key in map(fold, e.columns()) for e in self._mapping.exclude):
            return "right", Text("rows are left out by it"), []
        if not self._file.counts(column):
            return "right", Text("it is empty"), []
        if any(a.is_for("new-column", column, self._at.place.day) for a in self._mapping.accept):
            return "right", Text("left out"), []
        if action == "keep" or key in self._optional:
            return "right", ACTIONS["keep"], []
        return None

    @cached_property
    def _renamed(self) -> readings.RenamedColumns:
        undecided = [name for name in self._file.names if self._settled(name) is None]
        at = (self._file, self._mapping, self._document)
        return readings.RenamedColumns(*at, self.gone(), undecided)

    def _read(self, column: str) -> tuple[State, Text, list[readings.Proposed]]:
        unknown = self._unknown.get(column, [])
        if not unknown:
            return "right", self._unsaid(column) or _WHOLE, []
        rows = sum(one.rows for one in unknown if one.outcome != "passed-over")
        filled = self._file.filled(column)
        stops = rows >= _LIMITS.least and rows > _LIMITS.unknown_share * filled
        n = rows or len(unknown)
        reason = many("{n} row with an unknown text", "{n} rows with an unknown text", n)
        return "stops" if stops else "decide", reason, [*self._inexact(column)]

    def _inexact(self, column: str) -> Iterator[readings.Proposed]:
        """What may become of dates that are not exact, for all of a column at once."""
        for facet in self.facets(column):
            told = suggestions(facet)
            years = {t: one.codes for t, one in told.items() if one.reason == INEXACT}
            named = joined([f"{text} → {code}" for text, (code,) in years.items()][:_SHOWN], ", ")
            ways = {Text("read the year of each: {texts}", texts=named): years}
            ways[Text("leave their year not recorded")] = dict.fromkeys(years, (NOT_RECORDED,))
            put = {"op": "map", "sheet": facet.of.name}
            for way, codes in ways.items() if years else ():
                done = tuple({**put, "text": text, "codes": [*of]} for text, of in codes.items())
                yield readings.Proposed(way, INEXACT, False, done)

    def _unsaid(self, column: str) -> Text | None:
        """What is read as not recorded by a rule that reads other texts of the column."""
        lost = sum(
            value.rows
            for one in self.facets(column)
            for value in one.values
            if one.today.get(fold(value.text)) == (NOT_RECORDED,)
        )
        silent = many("every text is read; {n} row as not recorded",
                      "every text is read; {n} rows as not recorded", lost)  # fmt: skip
        return silent if lost else None

    def _unread(self, column: str) -> tuple[Text, list[readings.Proposed]]:
        counted = who_counts(self._file, self._mapping, column)
        taken = [one.rule for one in self._mapping.exclude]
        ways = [
            readings.click(
                one.label, counted.account, False, "exclude",
                name=row_unit.free_name(one.name, taken), rule=one.conditions,
            )
            for one in counted.ways
        ] if counted else []  # fmt: skip
        entry = {"alarm": f"new-column: {column}"}
        gone = Text("no rule reads it; it is not sent")
        leave = readings.click(Text("leave it out"), gone, False, "accept", entry=entry, on=True)
        unsure = (
            readings.doubt(self._file, column) if column in self._file.codes.column_names else None
        )
        why = unsure.reason if unsure else _UNREAD
        if counted:
            why = counted.account if ways else counted.by_hand
        elif unsure:
            ways = [*readings.received(unsure, self._document)]
        return why, [*ways, *self._renamed.instead(column), leave]

    def _about_identifier(self, column: str) -> Iterator[readings.Proposed]:
        for action in dict.fromkeys((self._proposed[column], "strip")):
            yield identifier_click(column, action, sure=action == self._proposed[column])

    @cached_property
    def _proposed(self) -> dict[str, str]:
        """A decision for each column that may identify people and that nobody has decided about."""
        findings = map(self._file.findings.get, self._file.names)
        open_ = [one for one in findings if one and fold(one.column) not in self._decided]
        return proposed(open_, self._mapping)

    def _gone(self, column: str) -> Verdict:
        lost = Text("what is made of it stays not recorded for this file")
        may, reason = Text("the file may lack it"), Text("a rule reads it, and the file lacks it")
        without = readings.click(may, lost, False, "optional", column=column, on=True)
        targets = self._named_targets(column)
        return Verdict(column, "stops", reason, targets, gone=True, proposals=(without,))

    def facets(self, column: str) -> list[Facets]:
        """The texts of the sheets that are about a column."""
        sheets = sheets_of(self._mapping, self._file, column)
        return [facets(self._mapping, self._file, of, self._at.place.years) for of in sheets]

    def questions(self) -> Iterator[tuple[Text, list[readings.Proposed]]]:
        """Questions about the whole file."""
        if self._mapping.rows != "person" and self._mapping.key_columns() is None:
            yield _NO_PEOPLE if self._mapping.rows else _ROW, _ways("rows", _UNITS)
        if "notes" not in (self._document.get("read") or {}):
            yield from self._notes()
        if "dates" not in self._document and (two_ways := self._two_ways()):
            n = Numeral(two_ways)
            text = Text("Some dates can be read in two ways ({n} texts).", n=n)
            yield text, _ways("dates", _ORDERS)

    def _notes(self) -> Iterator[tuple[Text, list[readings.Proposed]]]:
        """A question about rows that may be no records, about which nobody has said anything."""
        notes, rows = self._at.effect.notes, self._file.codes[ROW].to_numpy()
        asked = notes.rejected(self._mapping)
        sure, perhaps = (rows[asked & one].tolist() for one in (notes.sure, notes.perhaps))
        said = many(
            "{n} row looks like a total or a note (row {rows}). It is not counted.",
            "{n} rows look like totals or notes (rows {rows}). They are not counted.",
            len(sure),
            rows=_first(sure),
        )
        if perhaps:
            then = many(
                "{n} row says hardly anything (row {rows}): it may be an average, an empty row "
                "with a number, or a record of which little is known. It is not counted; if it is "
                "no record, remove it from the file.",
                "{n} rows say hardly anything (rows {rows}): they may be averages, empty rows with "
                "a number, or records of which little is known. They are not counted; remove from "
                "the file those that are no records.",
                len(perhaps),
                rows=_first(perhaps),
            )
            said = Text("{first} {then}", first=said, then=then) if sure else then
        elif not sure:
            return
        ways = {"left_out": _LEFT_OUT if sure else _UNCOUNTED, "records": _RECORDS}
        yield said, _ways("read.notes", ways)

    def two_orders(self) -> tuple[str, int, int] | None:
        """A column of which some dates have the day first for certain, and some the month.

        Returns:
            Its name, and the rows of each; None where the file has one order.
        """
        for name, each in self._dates.items():
            day = sum(n for one, other, n in each if one and not other)
            month = sum(n for one, other, n in each if other and not one)
            if day and month:
                return name, day, month
        return None

    def _two_ways(self) -> int:
        """Dates of registration that each order reads differently; 0 where some text decides."""
        every = [one for each in self._dates.values() for one in each]
        if any((one is None) != (other is None) for one, other, _n in every):
            return 0
        return sum(one != other for one, other, _n in every)

    @cached_property
    def _dates(self) -> dict[str, list[tuple[str | None, str | None, int]]]:
        """The texts of each column of dates of registration, with either order, and their rows."""
        columns = [c for rule in self._mapping.columns.get(PERIOD, ()) for c in rule.source]
        names = [n for c in columns if (n := self._file.header.find(c)) is not None]
        return {
            name: [
                (DAY_FIRST.date(fold(text)), MONTH_FIRST.date(fold(text)), n)
                for text, n in self._file.counts(name)[:2000]
            ]
            for name in names
        }


LABELS = {
    "strip": Text("take it out"),
    "hash": Text("make the person key of it"),
    "token": Text("it is a code for linking"),
    "case": Text("number of a case, not of a person"),
    "band": Text("only for the age band or the year"),
    "keep": Text("keep it, with a reason"),
}
"""The decisions on a column that may identify people."""

_ROW = Text("What is one row of this file?")
_NO_PEOPLE = Text(
    "A row is a report or a call, and no column distinguishes people: no release counts them "
    "unless the agreement says how many rows one person may have. What is one row of this file?"
)
_RECORDS = Text("they are records like the others")
_LEFT_OUT = Text("leave them out: they are totals or notes")
_UNCOUNTED = Text("they are no records: they stay uncounted")
_UNITS = {"person": Text("a person"), "report": Text("a report"), "call": Text("a call")}
_ORDERS = {"dmy": Text("the day comes first"), "mdy": Text("the month comes first")}


def _ways(key: str, labels: dict[str, Text]) -> list[readings.Proposed]:
    """Answers to a question about a setting, the usual one first."""
    usual, reason = next(iter(labels)), Text("nobody said so yet")
    return [
        readings.click(label, reason, value == usual, "setting", key=key, value=value)
        for value, label in labels.items()
    ]


def identifier_click(column: str, action: str, *, sure: bool = False) -> readings.Proposed:
    """A decision on a column; that of ``keep`` needs a reason, which the reader writes into it."""
    decision: Any = {"keep": ""} if action == "keep" else action
    return readings.click(
        LABELS[action], ACTIONS[action], sure, "identifier", column=column, decision=decision
    )


def _first(rows: list[int]) -> str:
    """The numbers of the first rows."""
    return ", ".join(map(str, rows[:_SHOWN])) + (" …" if len(rows) > _SHOWN else "")
