"""What is wrong with rows of a file, in plain words, with the cells: for its owner alone."""

from __future__ import annotations

from typing import Any

from ctdhub.core.i18n import Named, Text
from ctdhub.core.tabular import ROW
from ctdhub.core.text import fold, trim
from ctdhub.schema.labels import label
from ctdhub.schema.model import load_schema
from ctdhub.sensitive.ingest.rejects import reason_of
from ctdhub.sensitive.workbench.bench import Bench

CELLS = 20
"""Cells that are named for each problem."""


def problems(at: Bench) -> list[dict[str, Any]]:
    """The problems of a file, those of most rows first.

    A problem is a rule, a column and a text that the rule cannot read; or a rule and a row that
    could not be read at all.
    """
    file = at.file
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    rows: dict[tuple[Any, ...], list[int]] = {}
    table = at.effect.faults
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
        _put(found, rows, (rule, fields, name or column, text), row)
    for one in file.raw.rejects.to_pylist():
        _put(found, rows, (one["rule"], one["fields"], one["column"], None), one["source_row"])
    for key, own in rows.items():
        numbers = sorted(set(own))
        found[key]["rows"] = len(numbers)
        column = found[key]["column"]
        found[key]["cells"] = [{"row": row, "column": column} for row in numbers[:CELLS]]
    return sorted(found.values(), key=lambda one: (-one["rows"], str(one["column"]), one["rule"]))


def _in_words(reason: Text) -> Text:
    """A reason that calls variables by their labels."""
    schema = load_schema()
    named = {
        key: Named.of(lambda lang, name=value: label(name, lang))  # type: ignore[misc]
        for key, value in reason.fields.items()
        if key == "target" and isinstance(value, str) and schema.has(value)
    }
    return reason.holding(**{**reason.fields, **named}) if named else reason


def _put(
    found: dict[tuple[Any, ...], dict[str, Any]], rows: dict[tuple[Any, ...], list[int]],
    key: tuple[Any, ...], row: int,
) -> None:  # fmt: skip
    if key not in found:
        rule, fields, column, text = key
        reason = _in_words(reason_of(fields)).as_json()
        found[key] = {"rule": rule, "reason": reason, "column": column, "text": text}
        rows[key] = []
    rows[key].append(row)


def is_hidden(at: Bench, column: str) -> bool:
    """Whether the texts of a column are shown to nobody: it may identify people."""
    decided = {fold(c): d.action for c, d in at.mapping.identifiers.items()}
    action = decided.get(fold(column))
    return action not in (None, "keep") or (column in at.file.findings and action is None)
