"""What screens say: changes, states and operations as Texts, and cells as safe text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctdhub.core.errors import printable
from ctdhub.core.i18n import Named, Numeral, Text, field_from_json, joined, many, said
from ctdhub.schema.labels import code_label, label
from ctdhub.schema.model import load_schema

LONGEST_CELL = 120
"""Characters of a cell that a screen shows."""

STATES = {
    "right": (Text("right"), "good"),
    "decide": (Text("to decide"), "wait"),
    "stops": (Text("stops"), "bad"),
    "stripped": (Text("stays here"), "quiet"),
}
"""State of a column: its word, and the tone of its tag."""

SPECIAL = {
    "not-recorded": Text("means: not recorded"),
    "other-kind": Text("another kind, not in this list"),
    "stays-unknown": Text("stays unknown"),
}
"""Decisions on a text that are no code."""

ACTIONS = {
    "strip": Text("stays here"),
    "hash": Text("becomes a code; distinguishes people"),
    "case": Text("becomes a code"),
    "token": Text("keyed token, sent as it is"),
    "band": Text("date of birth, sent so that the age can be calculated"),
    "keep": Text("is sent as it is"),
}
"""Decisions on a column that may identify somebody."""


REASONS = {
    "no-consent": Text("no consent"),
    "totals-row": Text("lines of totals"),
    "note-row": Text("notes among the rows"),
    "not-a-victim": Text("not a victim"),
    "left-out": Text("another reason"),
}
"""Names of the exclusions that a screen makes."""

SETTINGS = {
    "read": Text("how the file is read"),
    "dates": Text("order of day and month"),
    "rows": Text("what a row is"),
    "key": Text("columns that distinguish people"),
    "tokens": Text("columns of keyed tokens"),
    "optional": Text("columns that the file may lack"),
    "perpetrators": Text("alleged perpetrators"),
    "builtin": Text("a mapping that comes with the program"),
}
"""Settings of a mapping in words."""


def named(value: Any) -> str:
    """A Name, a Text or a plain text of the workbench in the reader's language."""
    return said(Text("{x}", x=field_from_json(value))) if value is not None else ""


def cell(text: Any, most: int = LONGEST_CELL) -> str:
    """The text of a cell without control characters and not too long."""
    return printable(str(text), most)


def changed(change: Mapping[str, Any]) -> Text:
    """What an edit changes, in a sentence or two."""
    rows = change["rows"]
    parts: list[Any] = [
        many("{n} row is read differently.", "{n} rows are read differently.", rows)
        if rows
        else Text("No row is read differently.")
    ]
    before, after = change["rejected"]
    if before != after:
        parts.append(
            Text(
                "Rejected: {after}, before {before}.", after=Numeral(after), before=Numeral(before)
            )
        )
    else:
        parts.append(Text("Rejected: {after}.", after=Numeral(after)))
    before, after = change["records"]
    if before != after:
        parts.append(
            Text("Records: {after}, before {before}.", after=Numeral(after), before=Numeral(before))
        )
    return joined(parts, " ")


def operation(op: Mapping[str, Any]) -> Text:
    """An operation as a line of the history."""
    kind = op["op"]
    if kind == "map":
        meant = [code_said(op["sheet"] or "", code) for code in op["codes"] or ()]
        codes = joined(meant, ", ") if meant else "–"
        return Text("“{text}” means {codes}", text=cell(op["text"], 60), codes=codes)
    if kind == "rule":
        return Text("rule of {variable}", variable=variable_said(op["variable"]))
    if kind == "empty":
        return Text("“{text}” means: not recorded", text=cell(op["text"], 60))
    if kind == "known":
        return Text("“{text}” is another kind", text=cell(op["text"], 60))
    if kind == "identifier":
        decision = op["decision"]
        action = "keep" if isinstance(decision, dict) else decision
        return Text(
            "{column}: {decision}",
            column=cell(op["column"], 60),
            decision=ACTIONS.get(action, Text("not decided")),
        )
    if kind == "exclude":
        return Text("rows left out: {name}", name=reason_said(op["name"]))
    if kind == "accept":
        return Text("an alarm accepted")
    if kind == "layout":
        return Text("comments or layout of the text")
    return Text("setting: {name}", name=SETTINGS.get(op.get("key", ""), cell(op.get("key"), 60)))


def variable_said(name: str) -> Named | str:
    """A variable's label in every language; a name that the schema lacks as it is."""
    plain = name.rpartition(".")[2]
    schema = load_schema()
    return Named.of(lambda lang: label(plain, lang)) if schema.has(plain) else cell(name, 60)


def code_said(sheet: str, code: str) -> Named | Text | str:
    """What a code of a sheet means in every language.

    Args:
        sheet: as operations name it; of a list, the codes are variables.
    """
    if code in SPECIAL:
        return SPECIAL[code]
    if sheet.startswith("list:"):
        return variable_said(code)
    names = [part for part in sheet.split(".") if part and not part.isdecimal()]
    schema = load_schema()
    if not names or not schema.has(names[-1]):
        return cell(code, 60)
    return Named.of(lambda lang: code_label(names[-1], code, lang))


def reason_said(name: str) -> Text | str:
    """Why rows are left out: the words of the reasons that the screens know."""
    return REASONS.get(name, cell(name, 60))
